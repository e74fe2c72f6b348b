"""JSON Schemas accept what the readers accept, and refuse what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from api.cli import app
from engine.diagnostics import OrderRejected
from engine.load import Rulebook, load
from engine.order import document, order_from, read_envelope, read_parameters, read_without
from engine.parse_process import PROCESS_OPTIONAL, PROCESS_REQUIRED
from engine.parse_rule import RULE_OPTIONAL, RULE_REQUIRED
from engine.parse_transition import TRANSITION_OPTIONAL, TRANSITION_REQUIRED
from engine.process_schema import process_schema
from engine.schema import order_schema, regime_schema, rule_schema, scenario_schema
from engine.source import read_text
from tests.test_case_story import PAID, SLIPS, WRONG

ROOT = Path(__file__).parent.parent
RULES, SCENARIOS = ROOT / "rules", ROOT / "scenarios"
PROCESSES = sorted(path.parent.name for path in RULES.glob("*/process.yaml"))
REGIMES = sorted(path.parent.name for path in RULES.glob("*/regime.yaml"))
RULE_FILES = sorted(
    path
    for path in RULES.glob("*/*.yaml")
    if path.name not in ("regime.yaml", "process.yaml")
)  # fmt: skip
SCENARIO_FILES = sorted(SCENARIOS.glob("*/*.yaml"))


class EditorLoader(yaml.SafeLoader):
    """Reads YAML as an editor does: its own types, but dates and names (`on:`) stay text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, _ in node.value:
            key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load(RULES)


@pytest.fixture(scope="module")
def validators(book: Rulebook) -> dict[str, Draft202012Validator]:
    schemas = {
        "scenario": scenario_schema(book),
        "rule": rule_schema(book),
        "regime": regime_schema(book),
        "process": process_schema(book),
        **{id: order_schema(book, regime) for id, regime in book.regimes.items()},
    }
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    return {name: Draft202012Validator(schema) for name, schema in schemas.items()}


def _faults(validator: Draft202012Validator, data: Any) -> list[str]:
    return [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}"
        for e in validator.iter_errors(data)
    ]


def _editor(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), EditorLoader)


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_scenario_fits_its_schema(
    path: Path, validators: dict[str, Draft202012Validator]
) -> None:
    assert _faults(validators["scenario"], _editor(path)) == []


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_rule_fits_its_schema(
    path: Path, validators: dict[str, Draft202012Validator]
) -> None:
    assert _faults(validators["rule"], _editor(path)) == []


@pytest.mark.parametrize("regime", REGIMES)
def test_every_regime_fits_its_schema(
    regime: str, validators: dict[str, Draft202012Validator]
) -> None:
    assert _faults(validators["regime"], _editor(RULES / regime / "regime.yaml")) == []


@pytest.mark.parametrize(
    ("option", "made"),
    [("--scenario", scenario_schema), ("--rule", rule_schema), ("--regime-file", regime_schema),
     ("--process-file", process_schema)],
)  # fmt: skip
def test_the_command_prints_the_schema_of_each_kind_of_file(
    option: str, made: Callable[[Rulebook], Any], book: Rulebook
) -> None:
    done = CliRunner().invoke(app, ["schema", option, "--rules", str(RULES)])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == made(book)


def test_a_rule_schema_names_the_keys_that_the_parser_reads(book: Rulebook) -> None:
    schema = rule_schema(book)
    assert set(schema["required"]) == set(RULE_REQUIRED)
    assert set(schema["properties"]) == {*RULE_REQUIRED, *RULE_OPTIONAL}


def test_every_key_of_a_rule_is_described_in_both_languages(book: Rulebook) -> None:
    files = scenario_schema(book)
    made = (rule_schema(book), regime_schema(book), process_schema(book))
    for schema in (*made, files["then"], files["else"]):
        for name, part in schema["properties"].items():
            assert " / " in part["description"], name


ACCEPTED: dict[str, Any] = {
    "nothing": {},
    "nested": {"order": {"quantity": 20000}},
    "dotted": {"order.quantity": 20000},
    "mixed": {"order.quantity": 20000, "order": {"unit_price": "27000.00"}},
    "digits": {"order.quantity": "20000"},
    "digits with zeros before them": {"order.quantity": "00000000020000"},
    "the largest quantity": {"order.quantity": "10000000"},
    "the largest quantity as an integer": {"order.quantity": 10000000},
    "money with two decimals": {"fee.paid": "135000000.00"},
    "money with none": {"fee.paid": "135000000"},
    "no money": {"fee.paid": "0.00"},
    "the least price": {"order.unit_price": "0.01"},
    "the largest price": {"order.unit_price": "1000000.00"},
    "a decimal": {"item.tpp": "20999.99"},
    "a decimal of fewer places": {"item.performance_density": "5.92"},
    "a yes": {"pledge.submitted": True},
    "a yes in words": {"pledge.submitted": "true"},
    "a date": {"order.placed_on": "2026-02-01"},
    "a code": {"order.destination": "NO"},
    "a product": {"item.product": "HGX-H200-8"},
    "text": {"customer.name": "示例云"},
    "unknown": {"order": {"quantity": None, "placed_on": None}},
    "an unknown group": {"order": None},
    "an unknown derived fact": {"order.value": None},
    "an envelope": {"facts": {"order.quantity": 1}},
    "an empty envelope": {"facts": {}},
    "an envelope with null facts": {"facts": None},
    "a full envelope": {
        "regime": "h200-article",
        "as_of": "2026-02-01",
        "parameters": {"cap": 100000, "fee_rate": "0.15"},
        "without": ["customer-cap", "h200-article/no-refund"],
        "facts": {"order": {"quantity": 5}},
        "basis": {
            "order.quantity": {"document": "PO 2026-0117", "dated": "2026-01-30"},
            "fee.paid": "wire",
        },
    },
    "one rule left out": {"without": "customer-cap", "facts": {}},
    "nulls around the facts": {
        "regime": None, "as_of": None, "parameters": None, "without": None, "basis": None,
        "facts": {},
    },
    "a scenario": {"title": {"en": "a", "zh": "a"}, "story": "b", "expect": 1, "facts": {}},
}  # fmt: skip

REFUSED: dict[str, Any] = {
    "a list": [],
    "text alone": "order",
    "a number for money": {"fee.paid": 135000000},
    "a fraction for money": {"fee.paid": 135000000.5},
    "a number for a decimal": {"item.tpp": 15832},
    "money with one decimal": {"fee.paid": "1.5"},
    "money with separators": {"fee.paid": "135,000,000.00"},
    "money with an exponent": {"fee.paid": "1e6"},
    "money below zero": {"fee.paid": "-1.00"},
    "too much money": {"fee.paid": "10000000000000.01"},
    "no price": {"order.unit_price": "0.00"},
    "too high a price": {"order.unit_price": "1000000.01"},
    "too many decimals": {"item.tpp": "15832.001"},
    "a decimal out of bounds": {"item.tpp": "10000000.01"},
    "a quantity of none": {"order.quantity": 0},
    "a quantity of none in digits": {"order.quantity": "00"},
    "a quantity below zero": {"order.quantity": "-1"},
    "too large a quantity": {"order.quantity": 10000001},
    "too large a quantity in digits": {"order.quantity": "10000001"},
    "more digits than are read": {"order.quantity": "0000000000000000001"},
    "a fraction of a chip": {"order.quantity": 1.5},
    "other digits": {"order.quantity": "２"},
    "a yes for a number": {"order.quantity": True},
    "a number for a yes": {"pledge.submitted": 1},
    "another word for yes": {"pledge.submitted": "yes"},
    "a date in another order": {"order.placed_on": "01-02-2026"},
    "a thirteenth month": {"order.placed_on": "2026-13-01"},
    "an unknown code": {"order.destination": "NOR"},
    "a code in small letters": {"order.destination": "cn"},
    "an unknown fact": {"order.colour": "red"},
    "an unknown nested fact": {"order": {"colour": "red"}},
    "a value for a group": {"order": 5},
    "a derived fact": {"order.value": "540000000.00"},
    "a derived fact, nested": {"order": {"chips": 8}},
    "a fact stated twice": {"order.quantity": 5, "order": {"quantity": 5}},
    "a fact stated twice, once unknown": {"order.quantity": None, "order": {"quantity": 5}},
    "a list of values": {"order.quantity": [1]},
    "a number for text": {"customer.id": 4711},
    "too long a text": {"customer.name": "x" * 501},
    "a part of the envelope among bare facts": {"regime": "h200-article"},
    "an unknown part of the envelope": {"facts": {}, "colour": "red"},
    "a number for a regime": {"facts": {}, "regime": 5},
    "a list of facts": {"facts": []},
    "a date that is none": {"facts": {}, "as_of": "tomorrow"},
    "an unknown parameter": {"facts": {}, "parameters": {"colour": 5}},
    "a parameter out of bounds": {"facts": {}, "parameters": {"fee_rate": "1.001"}},
    "a parameter without a value": {"facts": {}, "parameters": {"cap": None}},
    "a number for a ratio": {"facts": {}, "parameters": {"fee_rate": 0.25}},
    "an unknown rule": {"facts": {}, "without": ["colour"]},
    "an unknown fact on a basis": {"facts": {}, "basis": {"order.colour": "PO"}},
    "an unknown word on a basis": {"facts": {}, "basis": {"fee.paid": {"paper": "PO"}}},
    "nothing on a basis": {"facts": {}, "basis": {"fee.paid": None}},
}  # fmt: skip


def _is_read(book: Rulebook, data: Any) -> bool:
    """Whether the readers take a document as an order for h200-article."""
    faults: list[Any] = []
    regime = book.regimes["h200-article"]
    try:
        read = document(read_text(json.dumps(data), "order.json", "O"), "order.json")
        envelope = read_envelope(read, book.vocabulary, faults)
        order_from(book.vocabulary, envelope.facts, faults)
        read_parameters(regime, envelope.parameters, faults)
        read_without(regime, envelope.without, faults)
    except OrderRejected:
        return False
    return not faults


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_read_fits_the_schema(
    name: str, book: Rulebook, validators: dict[str, Draft202012Validator]
) -> None:
    assert _is_read(book, ACCEPTED[name])
    assert _faults(validators["h200-article"], ACCEPTED[name]) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_does_not_fit_the_schema(
    name: str, book: Rulebook, validators: dict[str, Draft202012Validator]
) -> None:
    assert not _is_read(book, REFUSED[name])
    assert _faults(validators["h200-article"], REFUSED[name]) != []


@pytest.mark.parametrize("regime", REGIMES)
def test_every_fact_is_described_and_names_the_rules_that_need_it(
    regime: str, book: Rulebook
) -> None:
    definitions = order_schema(book, book.regimes[regime])["$defs"]
    for path, fact in book.vocabulary.facts.items():
        assert definitions[path]["title"] == f"{fact.label.en} / {fact.label.zh}"
        assert " / " in definitions[path]["description"]
    told = "".join(definitions[path]["description"] for path in book.vocabulary.facts)
    for rule in book.regimes[regime].rules:
        assert rule.id in told


BROKEN_RULES: dict[str, dict[str, Any]] = {
    "an unknown key": {"colour": "red"},
    "an unknown kind": {"kind": "wish"},
    "an unknown certainty": {"certainty": "sure"},
    "an unknown due": {"due": "later"},
    "a title in one language": {"title": {"en": "Cap"}},
    "an unknown source": {"cite": [{"source": "hearsay", "says": "so"}]},
    "a quotation without translation": {"cite": [{"source": "article", "quote": "上限"}]},
    "a quotation with two": {"cite": [{"source": "article", "quote": "上限", "en": "a", "zh": "b"}]},
    "no citation": {"cite": []},
    "an unknown finding": {"examples": [{"given": {}, "finding": "pass"}]},
    "no example on the other side": {"examples": [{"given": {}, "finding": "met"}]},
    "an example with an unknown fact": {"examples": [
        {"given": {"order.colour": 1}, "finding": "met"}, {"given": {}, "finding": "unmet"}]},
    "a parameter without values": {"parameters": {"cap": {"type": "integer", "values": []}}},
    "a parameter named like a word": {"parameters": {"min": {"type": "integer", "values": [
        {"from": "2025-12-08", "value": 1}]}}},
    "a period without a start": {"in_force": {"until": "2026-01-01"}},
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_RULES)
def test_a_broken_rule_does_not_fit_its_schema(
    name: str, validators: dict[str, Draft202012Validator]
) -> None:
    sound = _editor(RULES / "h200-article" / "customer-cap.yaml")
    assert _faults(validators["rule"], {**sound, **BROKEN_RULES[name]}) != []


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_fits_its_schema(
    process: str, validators: dict[str, Draft202012Validator]
) -> None:
    assert _faults(validators["process"], _editor(RULES / process / "process.yaml")) == []


def test_a_process_schema_names_the_keys_that_the_parser_reads(book: Rulebook) -> None:
    schema = process_schema(book)
    parts = schema["properties"]
    assert set(schema["required"]) == set(PROCESS_REQUIRED)
    assert set(parts) == {*PROCESS_REQUIRED, *PROCESS_OPTIONAL}
    transition = parts["transitions"]["items"]
    assert set(transition["required"]) == set(TRANSITION_REQUIRED)
    assert set(transition["properties"]) == {*TRANSITION_REQUIRED, *TRANSITION_OPTIONAL}
    for name, part in transition["properties"].items():
        assert " / " in part["description"], name


def _changed(part: str, number: int, **changes: Any) -> dict[str, Any]:
    """The process of the article with a transition or a clock changed; a null takes a key out."""
    sound = _editor(RULES / "h200-article" / "process.yaml")
    old = sound[part][number] if part == "transitions" else [*sound[part].values()][number]
    new = {k: v for k, v in {**old, **changes}.items() if v is not None}
    if part == "transitions":
        return {**sound, part: [*sound[part][:number], new, *sound[part][number + 1 :]]}
    return {**sound, part: {**sound[part], [*sound[part]][number]: new}}


def _among(part: str, name: str, entry: Any) -> dict[str, Any]:
    """The process of the article with an entry more, or another one."""
    sound = _editor(RULES / "h200-article" / "process.yaml")
    return {**sound, part: {**sound[part], name: entry}}


def _first(key: str) -> int:
    """The number of the first transition of that process which has a key."""
    transitions = _editor(RULES / "h200-article" / "process.yaml")["transitions"]
    return next(number for number, one in enumerate(transitions) if key in one)


BOTH = {"en": "a", "zh": "甲"}
KEPT_FACT = {"type": "boolean", "label": BOTH}
CITED = [{"source": "article", "says": "so"}]
BROKEN_PROCESSES: dict[str, dict[str, Any]] = {
    "an unknown part": _among("stages", "x", {"title": BOTH}) | {"states": {}},
    "no stage": _among("stages", "x", {"title": BOTH}) | {"stages": {}},
    "nothing left out": _among("stages", "x", {"title": BOTH}) | {"leaves_out": []},
    "a stage without a title": _among("stages", "waiting", {}),
    "a stage with a name of its own kind": _among("stages", "Waiting here", {"title": BOTH}),
    "a stage that ends": _among("stages", "waiting", {"title": BOTH, "ends": True}),
    "an event that nobody sends": _among("events", "wait", {"title": BOTH, "by": "nobody"}),
    "an event of somebody else": _among("events", "wait", {"title": BOTH, "by": "lawyer"}),
    "a field with a type and a model": _among(
        "fields", "x", {"type": "date", "like": "order.placed_on", "label": BOTH}),
    "a field without a type": _among("fields", "x", {"label": BOTH}),
    "a number without bounds": _among("fields", "x", {"type": "integer", "label": BOTH}),
    "a code without a list": _among("fields", "x", {"type": "code", "label": BOTH}),
    "a field from somewhere": _among("fields", "x", {"type": "date", "from": "fax", "label": BOTH}),
    "a kept fact that nobody knows": _among("keeps", "order.colour", {}),
    "a kept fact without a type": _among("keeps", "case.colour", {"label": BOTH}),
    "a kept fact of the vocabulary with a type": _among("keeps", "fee.paid", KEPT_FACT),
    "a derived fact that is kept": _among("keeps", "order.value", {}),
    "a start of another type": _among("keeps", "review.state", {"starts": "perhaps"}),
    "an event and a clock": _changed("transitions", 0, after="validity"),
    "neither event nor clock": _changed("transitions", 0, on=None),
    "a guard without a word for the sender": _changed("transitions", 0, otherwise=None),
    "a word for the sender without a guard": _changed("transitions", 0, when=None),
    "a word for nobody": _changed("transitions", -1, otherwise=BOTH),
    "a refusal that moves": _changed("transitions", _first("refuse"), to="closed"),
    "a hold that ends where there is one": _changed("transitions", 1, hold="end", held="only"),
    "no source": _changed("transitions", 0, cite=[]),
    "an unknown source": _changed("transitions", 0, cite=[{"source": "hearsay", "says": "so"}]),
    "an unknown certainty": _changed("transitions", 0, certainty="sure"),
    "an unknown key of a transition": _changed("transitions", 0, then="closed"),
    "a transition that says nothing": _changed("transitions", 0, says=None),
    "a clock with days and a date": _changed("clocks", 0, days=5),
    "a clock without an end": _changed("clocks", 0, until=None),
    "a clock of no days": _changed("clocks", 0, until=None, days=0),
    "a clock that runs nowhere": _changed("clocks", 0, runs=None),
    "a figure of another type": _among(
        "figures", "x", {"type": "date", "value": "order.placed_on", "label": BOTH}),
    "a ledger without a cap": _among("ledger", "cap", "cap") | {"ledger": {"reserved": "case.x"}},
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_PROCESSES)
def test_a_broken_process_does_not_fit_its_schema(
    name: str, validators: dict[str, Draft202012Validator]
) -> None:
    assert _faults(validators["process"], BROKEN_PROCESSES[name]) != []


def test_a_process_with_one_part_more_still_fits(
    validators: dict[str, Draft202012Validator],
) -> None:
    sound = [
        _among("stages", "waiting", {"title": BOTH, "end": False}),
        _among("keeps", "case.colour", {**KEPT_FACT, "starts": True, "stated": "true"}),
        _among("keeps", "review.state", {"starts": "deny"}),
        _among("fields", "x", {"type": "decimal", "scale": 2, "min": 0, "max": 9, "label": BOTH}),
        _changed("transitions", 1, cite=CITED, held="also"),
        _changed("clocks", 0, until=None, days="365", runs="any"),
    ]
    for process in sound:
        assert _faults(validators["process"], process) == []


# What a schema cannot say: which day follows which, what one part leaves out of another.
UNSAID = {
    "an opening that is no day",
    "an opening before its time",
    "an end before the last event",
}


@pytest.mark.parametrize("name", [*SLIPS])
def test_a_slip_in_a_story_of_a_case_does_not_fit(
    name: str, validators: dict[str, Draft202012Validator]
) -> None:
    text, right, wrong, *_ = SLIPS[name]
    story = yaml.load(text.replace(right, wrong, 1), EditorLoader)
    assert (_faults(validators["scenario"], story) == []) is (name in UNSAID)


@pytest.mark.parametrize("name", [*WRONG])
def test_a_story_that_expects_the_wrong_thing_is_no_slip(
    name: str, validators: dict[str, Draft202012Validator]
) -> None:
    text, right, wrong, _ = WRONG[name]
    story = yaml.load(text.replace(right, wrong), EditorLoader)
    assert _faults(validators["scenario"], story) == []


def test_a_story_about_an_unreadable_event_fits(
    validators: dict[str, Draft202012Validator],
) -> None:
    unread = "  - {event: pre-pay, on: 2026-01-23, expect: {not_taken: O404, stage: placed}}\n"
    story = yaml.load(PAID.replace("expect:\n", unread + "expect:\n"), EditorLoader)
    assert _faults(validators["scenario"], story) == []


def test_a_scenario_may_be_written_without_quotes(
    validators: dict[str, Draft202012Validator],
) -> None:
    text = """
    title: {en: Norway, zh: 挪威}
    story: {en: An order for Norway., zh: 一笔发往挪威的订单。}
    regime: h200-article
    as_of: 2026-02-01
    facts: {order: {destination: NO, unit_price: 27000.00, quantity: 5}, fee: {paid: 0}}
    expect: {outcome: not-covered}
    """
    assert _faults(validators["scenario"], yaml.load(text, EditorLoader)) == []
