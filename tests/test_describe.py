"""Rule sets as JSON-shaped data: nothing of the rulebook is missing, and all of it in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from api import describe
from engine.ir import Pair, Regime, Rule
from engine.load import Rulebook
from engine.printing import print_expr
from engine.values import write

DAY = date(2026, 2, 1).toordinal()
REGIMES = ("bis-2026", "h200-article", "h200-reported", "section-232-duty")


def rule_of(rulebook: Rulebook, regime: str, rule: str, day: int = DAY) -> Any:
    told = describe.regime(rulebook, regime, day)
    return next(entry for entry in told["rules"] if entry["id"] == rule)


def pairs(data: Any) -> Iterator[dict[str, Any]]:
    """Every text in both languages, however deep."""
    if isinstance(data, dict):
        if set(data) == {"en", "zh"}:
            yield data
        for value in data.values():
            yield from pairs(value)
    elif isinstance(data, list):
        for value in data:
            yield from pairs(value)


def scalars(data: Any) -> Iterator[Any]:
    if isinstance(data, dict | list):
        for value in data.values() if isinstance(data, dict) else data:
            yield from scalars(value)
    else:
        yield data


def both(pair: Pair) -> dict[str, str]:
    return {"en": pair.en, "zh": pair.zh}


def iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def test_every_regime_is_told_with_its_dates_outcomes_and_number_of_rules(
    rulebook: Rulebook,
) -> None:
    told = describe.regimes(rulebook)
    assert [entry["id"] for entry in told] == list(rulebook.regimes)
    for entry in told:
        regime = rulebook.regimes[entry["id"]]
        assert entry["title"] == both(regime.title)
        assert entry["in_force"]["from"] == iso(regime.in_force.start)
        assert entry["read_to"] == iso(regime.read_to)
        assert entry["edition"] == rulebook.editions[regime.id]
        assert [o["status"] for o in entry["outcomes"]] == list(regime.outcomes)
        assert entry["rule_count"] == len(regime.rules)
        for counted in ("kinds", "certainties"):
            assert sum(word["count"] for word in entry[counted]) == len(regime.rules)


@pytest.mark.parametrize("id", REGIMES)
def test_a_regime_lacks_nothing(rulebook: Rulebook, id: str) -> None:
    regime = rulebook.regimes[id]
    told = describe.regime(rulebook, id, DAY)
    assert told["scope"]["code"] == print_expr(regime.scope)
    assert [one["name"] for one in told["lists"]] == list(regime.lists)
    assert [one["name"] for one in told["quantities"]] == list(regime.quantities)
    assert [one["name"] for one in told["parameters"]] == list(regime.parameters)
    for entry, parameter in zip(told["parameters"], regime.parameters.values(), strict=True):
        assert [(one["from"], one["value"]) for one in entry["values"]] == [
            (iso(start), write(value, parameter.type)) for start, value in parameter.values
        ]
    for entry, named in zip(told["lists"], regime.lists.values(), strict=True):
        assert [one["code"] for one in entry["codes"]] == list(named.codes)
    assert [note["text"] for note in told["cautions"]] == [both(n.text) for n in regime.cautions]
    assert told["leaves_out"] == [both(pair) for pair in regime.leaves_out]
    assert {one["id"] for one in told["sources"]} == {source.id for source in regime.sources} | {
        citation.source for rule in regime.rules for citation in rule.cite
    }


@pytest.mark.parametrize("id", REGIMES)
def test_a_rule_lacks_nothing(rulebook: Rulebook, id: str) -> None:
    regime = rulebook.regimes[id]
    told = describe.regime(rulebook, id, DAY)["rules"]
    assert [entry["id"] for entry in told] == [rule.id for rule in regime.rules]
    for entry, rule in zip(told, regime.rules, strict=True):
        assert_whole(entry, rule, regime)


def assert_whole(entry: Any, rule: Rule, regime: Regime) -> None:
    assert entry["title"] == both(rule.title)
    assert (entry["kind"], entry["certainty"], entry["due"]) == (
        rule.kind,
        rule.certainty,
        rule.due,
    )
    assert entry["in_force"]["from"] == iso(rule.in_force.start)
    assert entry["require"]["code"] == print_expr(rule.require)
    assert (entry["applies"] is None) == (rule.applies is None)
    assert all(one["name"] in regime.parameters for one in entry["parameters"])
    for one, citation in zip(entry["citations"], rule.cite, strict=True):
        assert (one["source"], one["at"], one["quote"]) == (
            citation.source,
            citation.at,
            citation.quote,
        )
        assert (one["en"] or one["zh"]) == citation.translation
        assert one["says"] == (None if citation.says is None else both(citation.says))
    assert [one["answer"] for one in entry["settles"]] == [both(s.answer) for s in rule.settles]
    for name in ("remarks", "cautions", "obligations"):
        assert [one["text"] for one in entry[name]] == [both(n.text) for n in getattr(rule, name)]
    for one, example in zip(entry["examples"], rule.examples, strict=True):
        assert one["finding"] == example.finding
        assert {given["fact"] for given in one["given"]} == {
            path for path, value in example.given.items() if value is not None
        }


@pytest.mark.parametrize("id", REGIMES)
def test_every_text_stands_in_both_languages_and_no_number_is_a_float(
    rulebook: Rulebook, id: str
) -> None:
    told = describe.regime(rulebook, id, DAY)
    for pair in pairs([told["rules"], told["title"], told["outcomes"], told["scope"]]):
        assert all(isinstance(text, str) and text.strip() for text in pair.values()), pair
    assert not any(isinstance(value, float) for value in scalars(told))


def test_a_condition_is_told_in_words_as_a_tree_and_as_written(rulebook: Rulebook) -> None:
    told = rule_of(rulebook, "h200-article", "non-military-pledge")["require"]
    assert told["outline"] == {
        "all": [
            {
                "text": {
                    "en": "the non-military pledge has been submitted",
                    "zh": "非军事用途承诺已提交",
                }
            },
            {
                "text": {
                    "en": "the pledge limits the chips to non-military use",
                    "zh": "承诺写明芯片仅用于非军事用途",
                }
            },
            {
                "text": {
                    "en": "the signing date of the pledge is on or before the order date",
                    "zh": "承诺签署日不晚于下单日",
                }
            },
        ]
    }
    assert "pledge.signed_on <= order.placed_on" in told["code"]


def test_a_parameter_has_its_value_of_the_day(rulebook: Rulebook) -> None:
    (cap,) = rule_of(rulebook, "h200-article", "customer-cap")["parameters"]
    assert cap["value_as_of"] == {
        "from": "2025-12-08",
        "value": "75000",
        "text": {"en": "75,000 chips", "zh": "75,000片"},
    }
    assert cap["used_by"] == ["customer-cap"]
    before = date(2025, 12, 7).toordinal()
    (cap,) = rule_of(rulebook, "h200-article", "customer-cap", before)["parameters"]
    assert cap["value_as_of"] is None


def test_a_rule_says_whether_it_is_in_force_on_the_day(rulebook: Rulebook) -> None:
    start = date(2026, 5, 14).toordinal()
    for day, holds in ((start - 1, False), (start, True)):
        told = rule_of(rulebook, "h200-reported", "customer-cap", day)
        assert told["in_force_as_of"] is holds


def test_a_rule_rests_on_the_facts_that_its_quantities_are_computed_from(
    rulebook: Rulebook,
) -> None:
    told = rule_of(rulebook, "h200-article", "customer-cap")
    assert [(one["path"], one["derived"]) for one in told["facts"]] == [
        ("customer.units_to_date", False),
        ("order.chips", True),
        ("order.quantity", False),
        ("item.chips_per_unit", False),
    ]


def test_what_is_sold_by_the_board_is_counted_in_boards(rulebook: Rulebook) -> None:
    examples = rule_of(rulebook, "h200-article", "customer-cap")["examples"]
    told = {
        one["text"]["zh"]
        for example in examples
        for one in example["given"]
        if one["fact"] == "order.quantity"
    }
    assert told == {"20,000片", "20,001片", "9,375块", "9,376块"}


def test_an_unknown_regime_is_not_described(rulebook: Rulebook) -> None:
    with pytest.raises(KeyError):
        describe.regime(rulebook, "h200", DAY)


def test_the_vocabulary_lacks_nothing(rulebook: Rulebook) -> None:
    known = rulebook.vocabulary
    told = describe.vocabulary(rulebook)
    assert [fact["path"] for fact in told["facts"]] == list(known.facts)
    assert [group["id"] for group in told["groups"]] == list(known.groups)
    assert [unit["id"] for unit in told["units"]] == list(known.units)
    for entry, codes in zip(told["lists"], known.lists.values(), strict=True):
        assert [one["code"] for one in entry["codes"]] == list(codes.codes)
    for pair in pairs(told):
        assert all(pair.values()), pair


def test_a_fact_names_the_rules_that_need_it_and_its_formula(rulebook: Rulebook) -> None:
    facts = {fact["path"]: fact for fact in describe.vocabulary(rulebook)["facts"]}
    needed = facts["order.quantity"]["needed_by"]
    assert {"customer-cap", "transaction-fee", "full-prepayment"} <= set(needed["h200-article"])
    assert facts["order.destination"]["needed_by"]["h200-article"] == ["scope"]
    assert facts["order.value"]["derived"] == {
        "code": "order.quantity * order.unit_price",
        "text": {"en": "the quantity ordered times the price per unit", "zh": "本单数量×单价"},
    }
    assert facts["item.chips_per_unit"]["catalogue"] == "item.product"


def test_every_citation_stands_under_its_source(rulebook: Rulebook) -> None:
    told = {source["id"]: source for source in describe.sources(rulebook)}
    assert list(told) == list(rulebook.sources)
    cited = [
        (id, one["regime"], one["rule"], one["quote"])
        for id, source in told.items()
        for one in source["cited_by"]
    ]
    assert sorted(cited, key=str) == sorted(
        (
            (citation.source, regime.id, rule.id, citation.quote)
            for regime in rulebook.regimes.values()
            for rule in regime.rules
            for citation in rule.cite
        ),
        key=str,
    )
