"""What holds of every order: both evaluators and a reading of their own agree, silence never helps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.choices import Choices, describe
from engine.decide import Policy, decide, prepare
from engine.evaluate import compile_regime, derived, judge, truth
from engine.ir import Regime
from engine.load import Rulebook
from engine.order import Document, Order, make_order, read_order, write_facts
from engine.properties import RuleSet, expressions, names_of, orders, rule_sets
from engine.sample import Search
from engine.sample import orders as sampled_orders
from engine.values import Value
from tests.judging import Plain, Stated, held

REGIMES = ("bis-2026", "h200-article", "h200-reported", "section-232-duty")
KNOWN = ("met", "unmet", "not-applicable")
ANY_REGIME = st.sampled_from(REGIMES)


@pytest.fixture(scope="module")
def choices(rulebook: Rulebook) -> dict[str, Choices]:
    return {r: describe(rulebook.vocabulary, rulebook.regimes[r]) for r in REGIMES}


@pytest.fixture(scope="module")
def drawn(rulebook: Rulebook) -> dict[str, st.SearchStrategy[Order]]:
    return {r: orders(rulebook, r) for r in REGIMES}


@pytest.fixture(scope="module")
def incomplete(rulebook: Rulebook) -> dict[str, st.SearchStrategy[Order]]:
    return {r: orders(rulebook, r, outcome="incomplete") for r in REGIMES}


@pytest.fixture(scope="module")
def rules(rulebook: Rulebook) -> st.SearchStrategy[RuleSet]:
    return rule_sets(rulebook)


def _statuses(choices: Choices, stated: Stated) -> tuple[str, dict[str, str]]:
    program = choices.program
    judged = judge(program, make_order(program.vocabulary, stated).values)
    return judged.status, {f.rule.id: f.status for f in judged.findings}


def _plain(choices: Choices, stated: Stated) -> tuple[str, dict[str, str]]:
    program = choices.program
    return Plain(
        program.vocabulary, program.regime, program.parameters, program.day, stated
    ).outcome()


def _decided(rulebook: Rulebook, regime: Regime, order: Order) -> dict[str, Any]:
    return decide(rulebook, regime, order, Policy(regime.read_to, "caller", {}, ()))


# The meaning, read three times.


@given(data=st.data())
def test_a_second_reading_of_every_regime_agrees(
    choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    for regime in REGIMES:
        order = data.draw(drawn[regime])
        assert _statuses(choices[regime], order.stated) == _plain(choices[regime], order.stated)


@pytest.mark.deep
@pytest.mark.parametrize("regime", REGIMES)
def test_a_second_reading_agrees_on_very_many_orders(
    rulebook: Rulebook, choices: dict[str, Choices], regime: str
) -> None:
    for order in sampled_orders(rulebook, regime, seed=2, count=20_000):
        assert _statuses(choices[regime], order.stated) == _plain(choices[regime], order.stated)


@pytest.fixture(scope="module")
def conditions(rulebook: Rulebook) -> Any:
    return {
        r: expressions(names_of(rulebook.vocabulary, rulebook.regimes[r]))
        for r in ("h200-article", "bis-2026")
    }


def _agree_on_a_condition(rulebook: Rulebook, conditions: Any, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(conditions)))
    regime, expr = rulebook.regimes[name], data.draw(conditions[name])
    choices = describe(
        rulebook.vocabulary,
        replace(regime, rules=(replace(regime.rules[0], applies=None, require=expr),)),
    )
    seed = data.draw(st.integers(0, 10**6))
    search = Search(choices, random.Random(seed))
    for _ in range(3):
        stated = search.filled()
        for path in data.draw(st.lists(st.sampled_from(sorted(stated)), max_size=3)):
            stated.pop(path, None)
        program = choices.program
        plain = Plain(rulebook.vocabulary, regime, program.parameters, regime.read_to, stated)
        expected = plain.value(expr)
        assert held(rulebook, regime, expr, stated) is expected


@given(data=st.data())
def test_a_second_reading_of_any_condition_agrees(
    rulebook: Rulebook, conditions: Any, data: st.DataObject
) -> None:
    _agree_on_a_condition(rulebook, conditions, data)


@pytest.mark.deep
@settings(settings.get_profile("deep"))
@given(data=st.data())
def test_a_second_reading_of_very_many_conditions_agrees(
    rulebook: Rulebook, conditions: Any, data: st.DataObject
) -> None:
    _agree_on_a_condition(rulebook, conditions, data)


def _agree_on_rules(rulebook: Rulebook, rules: Any, data: st.DataObject) -> None:
    regime = data.draw(rules).parse(rulebook.vocabulary)
    assert regime is not None
    shift = data.draw(st.sampled_from((0, -1, 1, 30, 61, 200, 400)))
    choices = describe(rulebook.vocabulary, regime, regime.in_force.start + shift)
    search = Search(choices, random.Random(data.draw(st.integers(0, 10**6))))
    for _ in range(4):
        stated = search.filled()
        for path in data.draw(st.lists(st.sampled_from(sorted(stated)), max_size=3)):
            stated.pop(path, None)
        assert _statuses(choices, stated) == _plain(choices, stated)
        program, values = choices.program, choices.values(stated)
        for rule in regime.rules:
            for expr in (rule.require, regime.scope):
                plain = Plain(rulebook.vocabulary, regime, program.parameters, program.day, stated)
                assert truth(program, expr, values) is plain.value(expr)


@given(data=st.data())
def test_a_second_reading_of_any_rules_agrees(
    rulebook: Rulebook, rules: Any, data: st.DataObject
) -> None:
    _agree_on_rules(rulebook, rules, data)


@pytest.mark.deep
@settings(settings.get_profile("deep"), max_examples=1_000)
@given(data=st.data())
def test_a_second_reading_of_very_many_rules_agrees(
    rulebook: Rulebook, rules: Any, data: st.DataObject
) -> None:
    _agree_on_rules(rulebook, rules, data)


# Order never matters.


@given(data=st.data())
def test_the_order_of_rules_changes_no_finding(
    rulebook: Rulebook, choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(ANY_REGIME)
    regime = rulebook.regimes[name]
    order = data.draw(drawn[name])
    shuffled = replace(regime, rules=tuple(data.draw(st.permutations(regime.rules))))
    program = compile_regime(shuffled, rulebook.vocabulary, regime.read_to)
    judged = judge(program, order.values)
    found = {f.rule.id: f.status for f in judged.findings}
    assert (judged.status, found) == _statuses(choices[name], order.stated)
    assert [f.rule for f in judged.findings] == list(shuffled.rules)


@given(data=st.data())
def test_the_order_of_files_and_facts_changes_nothing(
    rulebook: Rulebook, rules: Any, drawn: Any, data: st.DataObject
) -> None:
    rule_set = data.draw(rules)
    files = dict(data.draw(st.permutations(list(rule_set.rules.items()))))
    one, two = (
        replace(rule_set, rules=f).parse(rulebook.vocabulary) for f in (rule_set.rules, files)
    )
    assert one is not None
    assert two is not None
    assert one.rules == two.rules
    order = data.draw(drawn["h200-article"])
    turned = dict(data.draw(st.permutations(list(order.stated.items()))))
    assert make_order(rulebook.vocabulary, turned).values == order.values


@given(data=st.data())
def test_a_rule_that_is_beside_the_point_changes_no_other_finding(
    rulebook: Rulebook, choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(ANY_REGIME)
    regime = rulebook.regimes[name]
    order = data.draw(drawn[name])
    left_out = data.draw(st.sampled_from(regime.rules))
    program = compile_regime(regime, rulebook.vocabulary, regime.read_to, without=(left_out.id,))
    found = {f.rule.id: f.status for f in judge(program, order.values).findings}
    _, before = _statuses(choices[name], order.stated)
    assert found == {**before, left_out.id: "not-applicable"}


# Silence never helps.


def _silence_never_helps(choices: Choices, stated: Stated, paths: Sequence[str]) -> None:
    before, found_before = _statuses(choices, stated)
    less = {path: value for path, value in stated.items() if path not in paths}
    after, found_after = _statuses(choices, less)
    if before in ("unmet", "unknown"):
        assert after != "met"
    if after in ("met", "unmet"):
        # Facts added again can take rules out, but not change what was decided.
        assert before in (after, "not-applicable") if after == "met" else before == after
    for rule, status in found_after.items():
        if status in KNOWN:
            assert found_before[rule] in KNOWN
        if status in ("unmet", "not-applicable"):
            assert found_before[rule] == status


@given(data=st.data())
def test_taking_facts_away_never_helps_and_adding_them_never_clouds(
    choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(ANY_REGIME)
    stated = data.draw(drawn[name]).stated
    for path in stated:
        _silence_never_helps(choices[name], stated, [path])
    if stated:
        some = data.draw(st.lists(st.sampled_from(sorted(stated)), unique=True))
        _silence_never_helps(choices[name], stated, some)


@pytest.mark.deep
@pytest.mark.parametrize("regime", REGIMES)
def test_taking_facts_away_never_helps_on_very_many_orders(
    rulebook: Rulebook, choices: dict[str, Choices], regime: str
) -> None:
    for order in sampled_orders(rulebook, regime, seed=3, count=5_000):
        for path in order.stated:
            _silence_never_helps(choices[regime], order.stated, [path])


@pytest.mark.parametrize("regime", REGIMES)
def test_an_order_that_says_nothing_meets_nothing(
    choices: dict[str, Choices], regime: str
) -> None:
    outcome, findings = _statuses(choices[regime], {})
    assert outcome == "unknown"
    assert set(findings.values()) == {"unknown"}


@pytest.mark.parametrize("regime", REGIMES)
def test_each_rule_alone_meets_nothing_without_facts(rulebook: Rulebook, regime: str) -> None:
    whole = rulebook.regimes[regime]
    values = make_order(rulebook.vocabulary, {}).values
    for rule in whole.rules:
        alone = replace(whole, rules=(rule,))
        program = compile_regime(alone, rulebook.vocabulary, whole.read_to)
        judged = judge(program, values)
        assert judged.status == judged.findings[0].status == "unknown"


# Every outcome has its reasons.


@given(data=st.data())
def test_a_denial_has_a_cited_reason_and_an_approval_none(
    rulebook: Rulebook, drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(ANY_REGIME)
    regime = rulebook.regimes[name]
    decision = _decided(rulebook, regime, data.draw(drawn[name]))
    statuses = [finding["status"] for finding in decision["findings"]]
    assert [f["rule"] for f in decision["findings"]] == [rule.id for rule in regime.rules]
    assert all(finding["citations"] for finding in decision["findings"])
    if decision["status"] == "unmet":
        assert "unmet" in statuses
    if decision["status"] == "met":
        assert set(statuses) <= {"met", "not-applicable"}
        assert "met" in statuses
    if decision["status"] == "unknown":
        assert decision["missing"]
    else:
        assert decision["missing"] == []
    assert decision["outcome"] == regime.outcomes[decision["status"]].code


@given(data=st.data())
def test_a_margin_says_what_its_status_says(
    rulebook: Rulebook, drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(ANY_REGIME)
    decision = _decided(rulebook, rulebook.regimes[name], data.draw(drawn[name]))
    for finding in decision["findings"]:
        rows = finding["comparisons"]
        for row in rows:
            if row["status"] == "unknown":
                assert row["margin"] is None
            elif row["margin"] is not None:
                below = row["margin"].startswith("-")
                at_zero = not row["margin"].strip("0.")
                passes = row["op"] in ("<=", ">=", "==") if at_zero else not below
                assert (row["status"] == "met") == passes
        if finding["because"] is None:
            # A finding rests on what agrees with it.
            assert {row["status"] for row in rows} == {finding["status"]}


@given(data=st.data())
def test_only_what_is_missing_can_still_decide(
    rulebook: Rulebook,
    choices: dict[str, Choices],
    incomplete: Any,
    data: st.DataObject,
) -> None:
    name = data.draw(ANY_REGIME)
    regime, described = rulebook.regimes[name], choices[name]
    order = data.draw(incomplete[name])
    decision = _decided(rulebook, regime, order)
    missing = {entry["fact"] for entry in decision["missing"]}
    assert missing
    assert not missing & set(order.stated)
    answered: dict[str, Value] = dict(order.stated)
    for path, choice in described.deciding.items():
        fact = rulebook.vocabulary.facts[path]
        # What the row of a missing product would supply is asked for as that product.
        asked = {path, fact.catalogue} & missing or path in rulebook.vocabulary.catalogue
        if path not in answered and not asked and not described.is_supplied(path, answered):
            answered[path] = data.draw(st.sampled_from((*choice.near, *choice.far)))
    assert _statuses(described, answered)[0] == "unknown"


@given(data=st.data())
def test_the_missing_facts_decide_the_order_however_they_are_answered(
    rulebook: Rulebook,
    choices: dict[str, Choices],
    incomplete: Any,
    data: st.DataObject,
) -> None:
    name = data.draw(ANY_REGIME)
    regime, described = rulebook.regimes[name], choices[name]
    order = data.draw(incomplete[name])
    decision = _decided(rulebook, regime, order)
    missing = [entry["fact"] for entry in decision["missing"]]
    promised = "no other is needed" in decision["summary"]["en"]
    # A product may lack a figure, so nothing is promised where the product itself is asked for.
    assert promised is not any(path in rulebook.vocabulary.catalogue for path in missing)
    answered: dict[str, Value] = dict(order.stated)
    for path in missing:
        choice = described.of(path)
        answered[path] = data.draw(st.sampled_from((*choice.near, *choice.far)))
    if promised:
        assert _statuses(described, answered)[0] != "unknown"


@pytest.mark.parametrize("name", REGIMES)
def test_an_item_that_is_not_known_is_asked_for_by_its_product(
    rulebook: Rulebook, name: str
) -> None:
    facts = {"duty.entered_on": rulebook.regimes[name].read_to}
    order = make_order(rulebook.vocabulary, facts)
    decision = _decided(rulebook, rulebook.regimes[name], order)
    missing = {entry["fact"] for entry in decision["missing"]}
    assert "item.product" in missing
    assert not {path for path in missing if rulebook.vocabulary.facts[path].catalogue}


# The policy itself (domain.md 4.7).


@given(data=st.data())
def test_a_larger_order_never_turns_out_better_under_the_article(
    choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    stated = data.draw(drawn["h200-article"].filter(lambda o: "order.quantity" in o.stated)).stated
    _never_better(choices["h200-article"], stated, data.draw(st.integers(1, 10**7)))


def _never_better(choices: Choices, stated: Stated, by: int) -> None:
    quantity = stated["order.quantity"]
    assert isinstance(quantity, int)
    more = {**stated, "order.quantity": min(quantity + by, 10**7)}
    before, findings = _statuses(choices, stated)
    after, found = _statuses(choices, more)
    assert before == "met" or after != "met"
    for rule, status in findings.items():
        assert status != "unmet" or found[rule] == "unmet"


@pytest.mark.deep
def test_a_larger_order_never_turns_out_better_on_very_many(
    rulebook: Rulebook, choices: dict[str, Choices]
) -> None:
    draw = random.Random(4)
    for order in sampled_orders(rulebook, "h200-article", seed=4, count=50_000):
        if "order.quantity" in order.stated:
            _never_better(choices["h200-article"], order.stated, draw.choice((1, 2, 10**4, 10**7)))


@given(data=st.data())
def test_a_larger_order_never_improves_the_share_of_us_shipments(
    choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    stated = data.draw(drawn["bis-2026"].filter(lambda o: "order.quantity" in o.stated)).stated
    more = {**stated, "order.quantity": data.draw(st.integers(1, 10**7))}
    less, more_ = sorted((stated, more), key=lambda facts: int(facts["order.quantity"]))
    found = [_statuses(choices["bis-2026"], facts)[1]["volume-ratio"] for facts in (less, more_)]
    assert found in (["met"] * 2, ["unmet"] * 2, ["unknown"] * 2, ["met", "unmet"])


@given(
    parts=st.lists(st.integers(1, 40_000), min_size=1, max_size=6),
    before=st.integers(0, 80_000),
)
def test_an_order_in_parts_passes_the_cap_as_the_whole_does(
    choices: dict[str, Choices], parts: list[int], before: int
) -> None:
    def cap(to_date: int, quantity: int) -> str:
        facts: Stated = {
            "item.product": "H200-SXM",
            "customer.units_to_date": to_date,
            "order.quantity": quantity,
        }
        return _statuses(choices["h200-article"], facts)[1]["customer-cap"]

    in_parts = [cap(before + sum(parts[:n]), part) for n, part in enumerate(parts)]
    assert in_parts[-1] == cap(before, sum(parts))
    assert in_parts == sorted(in_parts)


@given(
    quantities=st.lists(st.integers(1, 10**6), min_size=1, max_size=5),
    price=st.integers(1, 10**8),
)
def test_the_fee_on_parts_is_the_fee_on_the_whole_up_to_a_cent_each(
    choices: dict[str, Choices], quantities: list[int], price: int
) -> None:
    program = choices["h200-article"].program

    def fee(quantity: int) -> int:
        facts = {"order.quantity": quantity, "order.unit_price": price}
        values = derived(program, make_order(program.vocabulary, facts).values)
        due = values[program.slots["fee_due"]]
        assert 4 * due >= quantity * price > 4 * (due - 1)
        return int(due)

    excess = sum(fee(quantity) for quantity in quantities) - fee(sum(quantities))
    assert 0 <= excess < len(quantities)


@given(data=st.data())
def test_an_order_that_is_written_reads_as_it_was(
    rulebook: Rulebook, drawn: Any, data: st.DataObject
) -> None:
    order = data.draw(drawn[data.draw(ANY_REGIME)])
    again = read_order(
        rulebook.vocabulary, Document(write_facts(rulebook.vocabulary, order.stated))
    )
    assert again.values == order.values
    assert again.stated == order.stated


@given(data=st.data())
def test_a_policy_prepared_once_decides_as_one_prepared_anew(
    rulebook: Rulebook, drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(ANY_REGIME)
    regime = rulebook.regimes[name]
    without = data.draw(st.lists(st.sampled_from([r.id for r in regime.rules]), unique=True))
    day = data.draw(st.sampled_from((regime.read_to, regime.in_force.start - 1)))
    policy = Policy(day, "caller", {}, tuple(without))
    program = prepare(rulebook, regime, policy)
    for _ in range(2):
        order = data.draw(drawn[name])
        once = decide(rulebook, regime, order, policy, program=program)
        assert once == decide(rulebook, regime, order, policy)
        if day < regime.in_force.start or len(without) == len(regime.rules):
            assert once["status"] == "not-applicable"


def test_a_rule_is_judged_from_its_first_day_until_the_day_before_its_last(
    rulebook: Rulebook,
) -> None:
    regime = rulebook.regimes["h200-article"]
    first = date(2026, 3, 1).toordinal()
    period = replace(regime.in_force, start=first, until=first + 2)
    rule = replace(regime.rules[0], in_force=period)
    found = []
    for day in range(first - 1, first + 3):
        program = compile_regime(replace(regime, rules=(rule,)), rulebook.vocabulary, day)
        (finding,) = judge(program, make_order(rulebook.vocabulary, {}).values).findings
        found.append(finding.because)
    assert found == ["not-in-force", None, None, "not-in-force"]


def test_the_sampler_reaches_every_finding_of_every_rule(
    rulebook: Rulebook, choices: dict[str, Choices]
) -> None:
    for regime in REGIMES:
        reached: set[tuple[str, str]] = set()
        outcomes: set[str] = set()
        for order in islice(sampled_orders(rulebook, regime, seed=5), 4_000):
            outcome, findings = _statuses(choices[regime], order.stated)
            reached |= set(findings.items())
            outcomes.add(outcome)
        assert outcomes == {"met", "unmet", "unknown", "not-applicable"}
        for rule in rulebook.regimes[regime].rules:
            for status in ("met", "unmet", "unknown"):
                assert (rule.id, status) in reached


def test_no_rule_is_judged_while_its_regime_is_not_in_force(rulebook: Rulebook) -> None:
    regime = rulebook.regimes["h200-article"]
    later = replace(regime.in_force, start=regime.read_to + 1)
    program = compile_regime(replace(regime, in_force=later), rulebook.vocabulary, regime.read_to)
    judged = judge(program, make_order(rulebook.vocabulary, {}).values)
    assert judged.status == "not-applicable"
    assert {finding.because for finding in judged.findings} == {"not-in-force"}
