"""What was told is kept, and JSON is read fast; neither may show in a single byte of a decision."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.service import Asked, Service, read_one
from engine.choices import Choices, describe
from engine.data import read_data
from engine.decide import Decider, Policy, decide, prepare
from engine.diagnostics import OrderRejected
from engine.findings import Kept
from engine.ir import Regime
from engine.load import Rulebook
from engine.order import Document, document, make_order
from engine.sample import Stated, orders_by_status
from engine.source import MAX_BYTES, MAX_DEPTH, MAX_NODES, JsonNumber, plain, read_text
from engine.values import Value

RULES = Path(__file__).parent.parent / "rules"
REGIMES = sorted(path.parent.name for path in RULES.glob("*/regime.yaml"))
ASKED = Asked(739_700)


# --- what was told is kept ---


def _policies(regime: Regime) -> Iterator[Policy]:
    """The rules as they are, each parameter at a bound, each rule left out, each kind alone."""
    day = regime.read_to
    yield Policy(day, "caller", {}, ())
    yield Policy(regime.in_force.start - 1, "caller", {}, ())
    for name, parameter in regime.parameters.items():
        if parameter.type.hi is not None:
            yield Policy(day, "today", {name: parameter.type.hi}, ())
    for rule in regime.rules:
        yield Policy(day, "order.placed_on", {}, (rule.id,))
    for kind in dict.fromkeys(rule.kind for rule in regime.rules):
        yield Policy(day, "caller", {}, (), (f"kind={kind}",))


def _neighbours(choices: Choices, start: Stated, values: slice) -> Iterator[Stated]:
    """The order, and it with every fact of the vocabulary in turn unknown or another value."""
    yield start
    for path, fact in choices.program.vocabulary.facts.items():
        if fact.derived is None:
            choice = choices.of(path)
            others: list[Value] = list(dict.fromkeys((None, *choice.near, *choice.far)))
            for value in others[values]:
                changed = {**start, path: value}
                if value is None:
                    del changed[path]
                yield changed


def _differences(
    rulebook: Rulebook, regime: Regime, policy: Policy, orders: Iterator[Stated], kept: Kept
) -> list[Stated]:
    """The orders whose decision is another when what was told is kept."""
    program = prepare(rulebook, regime, policy)
    decider = Decider(rulebook, program, policy, kept)
    found: list[Stated] = []
    for stated in orders:
        order = make_order(rulebook.vocabulary, stated)
        told = decider.decide(order, policy.day_from, {})
        alone = decide(rulebook, regime, order, policy, program=program)
        if json.dumps(told) != json.dumps(alone):
            found.append(stated)
    return found


def _starts(choices: Choices, seed: int) -> list[Stated]:
    """An order of each status, and the first of them without its product."""
    found = [orders[0] for orders in orders_by_status(choices, seed=seed).values() if orders]
    products = choices.program.vocabulary.catalogue
    return [*found, {path: v for path, v in found[0].items() if path not in products}]


@pytest.mark.parametrize("id", REGIMES)
def test_neighbouring_orders_are_told_as_if_each_were_alone(id: str, rulebook: Rulebook) -> None:
    regime = rulebook.regimes[id]
    choices = describe(rulebook.vocabulary, regime)
    policy, *changed = _policies(regime)
    kept = Kept()
    starts = _starts(choices, 1)
    # Unknown, the plainest value, and some of the others.
    tried = (slice(0, 9, 4), slice(1, 2), slice(1, 2))
    for stated, values in zip(starts[:2] + starts[-1:], tried, strict=True):
        orders = _neighbours(choices, stated, values)
        assert _differences(rulebook, regime, policy, orders, kept) == []
    for other in changed:
        assert _differences(rulebook, regime, other, iter(starts), kept) == []


@pytest.mark.deep
@pytest.mark.parametrize("id", REGIMES)
def test_all_neighbours_under_all_policies_are_told_as_if_each_were_alone(
    id: str, rulebook: Rulebook
) -> None:
    regime = rulebook.regimes[id]
    choices = describe(rulebook.vocabulary, regime)
    kept = Kept()
    policy, *changed = _policies(regime)
    starts = _starts(choices, 7)
    for stated in starts:
        orders = _neighbours(choices, stated, slice(9))
        assert _differences(rulebook, regime, policy, orders, kept) == []
    for number, other in enumerate(changed):
        orders = _neighbours(choices, starts[number % len(starts)], slice(2))
        assert _differences(rulebook, regime, other, orders, kept) == []


def test_orders_are_told_alike_when_what_is_kept_is_emptied_again_and_again(
    rulebook: Rulebook,
) -> None:
    regime = rulebook.regimes["h200-article"]
    choices = describe(rulebook.vocabulary, regime)
    kept = Kept()
    kept.most = 7
    orders = _neighbours(choices, _starts(choices, 3)[0], slice(1, 2))
    assert _differences(rulebook, regime, next(_policies(regime)), orders, kept) == []
    assert len(kept) <= 7


def test_a_remark_comes_and_goes_with_a_fact_that_its_rule_does_not_name() -> None:
    service = Service(RULES)
    covered = "Cash together with insurance or collateral covers the order value."
    for secured, said in (("0", False), ("60.00", True), ("59.99", False), ("60.00", True)):
        facts = {"order.quantity": 1, "order.unit_price": "100.00", "payment.prepaid": "40.00"}
        envelope = {"regime": "h200-article", "facts": {**facts, "payment.secured": secured}}
        decision = service.decide(Document(envelope), ASKED)
        (text,) = [
            finding["text"]["en"]
            for finding in decision["findings"]
            if finding["rule"] == "full-prepayment"
        ]
        assert (covered in text) is said


def test_regimes_and_days_share_a_service_without_a_trace() -> None:
    service, random = Service(RULES), Random(5)
    asked = [
        {"regime": id, "as_of": day, "facts": {"order": {"quantity": quantity}}}
        for id in REGIMES
        for day in ("2025-12-01", "2026-02-01", "2026-06-01")
        for quantity in ("1", "20000", "20000", "75001")
    ]
    random.shuffle(asked)
    book = service.rulebook()
    for envelope in asked:
        shared = service.decide(Document(envelope), ASKED)
        alone = Service(RULES, {"": book}).decide(Document(envelope), ASKED)
        assert json.dumps(shared) == json.dumps(alone)


# --- JSON is read fast ---

TEXTS = (
    "{}",
    " [ ]\r\n",
    "\ufeff{}",
    '{"a":\t[1,\n2]\n}',
    '{"a": {"b": {}}, "": null, "<<": true, "~": "~", "null": "null"}',
    '{"a": -0, "b": 0, "c": 12345678901234567890, "d": -1234567890123456789}',
    '{"a": 123456789012345678901, "b": -12345678901234567890}',
    '{"a": 1e3, "b": 1.50, "c": -0.0, "d": 1E-400}',
    r'{"a": "\/ \b\f\n\r\t \" \\ \u0000 \u001f \u007f \u0085 \u2028 \ufeff \ufffe"}',
    r'{"a\n\u0041": "\u0041", "b": "\\u0041 \\\u0041"}',
    '{"a": "\x7f\x85\u2028\u2029\ufeff\ufffe\uffff\U0001f600\U0010ffff"}',
    '{"a": "x: y # z", "b": "- [1, {2}] & * ! | > %", "c": "  blanks  "}',
)


def _fast(text: bytes) -> Any:
    """What is read without places; nothing where the other reader has to look."""
    try:
        return read_data(text)
    except ValueError:
        return None


def _typed(data: Any) -> Any:
    """Data with the class of every part, so that 1, true and a number kept as text differ."""
    if isinstance(data, dict):
        return [(name, _typed(value)) for name, value in data.items()]
    if isinstance(data, list):
        return [type(data), *map(_typed, data)]
    return type(data), data


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_both_readers_give_the_same_data(text: str) -> None:
    fast = read_data(text.encode())
    assert _typed(fast) == _typed(plain(read_text(text.encode(), "x", "O")))


def test_numbers_are_kept_as_written() -> None:
    read = read_data(b'{"a": 7, "b": 1e3, "c": 123456789012345678901}')
    expected = {"a": 7, "b": JsonNumber("1e3"), "c": JsonNumber("123456789012345678901")}
    assert _typed(read) == _typed(expected)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"1",
        b'"a"',
        b"{a: 1}",
        b"a: 1",
        b"{} {}",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "\\u0061": 2}}',
        b'{"a": "\t"}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud83d"}',
        b'{"a": "\\ude00\\ud83d"}',
        b"\x0b{}",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b'{"a": ' * MAX_DEPTH + b"{}" + b"}" * MAX_DEPTH,
        b"[" * 100_000,
        b"[" + b"1," * MAX_NODES + b"1]",
        b'{"a": "' + b"x" * MAX_BYTES + b'"}',
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_what_is_faulty_or_doubtful_is_left_to_the_reader_with_places(text: bytes) -> None:
    assert _fast(text) is None


def test_both_readers_allow_the_same_depth_and_count() -> None:
    deepest = b'{"a": ' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1)
    wide = b"[" + b"1," * (MAX_NODES // 2) + b"1]"
    for text in (deepest, wide):
        assert read_data(text) == plain(read_text(text, "x", "O"))


_blanks = st.sampled_from(["", "", " ", "\n", "\t", "\r\n"])
_characters = st.characters(exclude_categories=["Cs"])
_strings = st.one_of(
    st.text(_characters, max_size=8).map(json.dumps),
    st.text(_characters, max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from([r'"\/"', r'"\ud83d\ude00"', r'"\ud83d"', r'"\\u0041"', r'"\u0041"']),
)
_numbers = st.one_of(
    st.integers(-(10**22), 10**22).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)


@st.composite
def _list(draw: st.DrawFn, parts: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(parts, max_size=4))
    return "[" + ",".join(f"{draw(_blanks)}{item}{draw(_blanks)}" for item in items) + "]"


@st.composite
def _object(draw: st.DrawFn, parts: st.SearchStrategy[str]) -> str:
    pairs = draw(st.lists(st.tuples(_strings, parts), max_size=4))
    told = (
        f"{draw(_blanks)}{name}:{draw(_blanks)}{value}{draw(_blanks)}" for name, value in pairs
    )
    return "{" + ",".join(told) + "}"


_json = st.recursive(
    st.one_of(_strings, _numbers, st.sampled_from(["true", "false", "null", "NaN"])),
    lambda parts: st.one_of(_list(parts), _object(parts)),
    max_leaves=12,
)


@given(st.one_of(_list(_json), _object(_json)))
def test_what_is_read_fast_is_read_the_same_with_places(text: str) -> None:
    fast = _fast(text.encode())
    if fast is not None:
        assert _typed(fast) == _typed(plain(read_text(text.encode(), "x", "O")))


@given(st.one_of(_list(_json), _object(_json)))
def test_what_stands_once_and_is_no_half_character_is_read_fast(text: str) -> None:
    try:
        placed = plain(read_text(text.encode(), "x", "O"))
    except OrderRejected:
        assert _fast(text.encode()) is None
        return
    if not re.search(r"\\u[dD]|NaN", text):
        assert _typed(_fast(text.encode())) == _typed(placed)


# --- faults keep their places ---

FAULTY = (
    '{"regime": "h200-article", "facts": {"order": {"quantity": "many"}}}',
    '{"regime": "h200-article",\n "facts": {"order.quantity": "1",\n  "order": {"quantity": 2}}}',
    '{"regime": "no-such", "facts": {}}',
    '{"regime": 7, "facts": {}}',
    '{"regime": "h200-article", "facts": {"item": {"product": "H200-SXM",\n "tpp": "1"}}}',
    '{"regime": "h200-article", "parameters": {"cap": "x"}, "without": ["y"], "facts": {"z": 1}}',
    '{"regime": "h200-article", "facts": {"order/": {"a~b": 1}}, "basis": {"q": {}}, "more": 1}',
    '{"regime": "h200-article"}',
    "[]",
)


@pytest.mark.parametrize("text", FAULTY)
def test_faults_are_told_at_their_places(text: str) -> None:
    service = Service(RULES)
    read = read_one(text.encode(), "order.json")
    assert isinstance(read, Document)
    with pytest.raises(OrderRejected) as fast:
        service.decide(read, ASKED)
    with pytest.raises(OrderRejected) as placed:
        service.decide(document(read_text(text.encode(), "order.json", "O"), "order.json"), ASKED)
    told = [fault.as_json() for fault in fast.value.diagnostics]
    assert told == [fault.as_json() for fault in placed.value.diagnostics]
    assert all("pointer" in fault or fault["line"] == 1 for fault in told)


def test_json_that_only_a_json_parser_reads_is_decided_with_pointers_for_places() -> None:
    """YAML wants a name and its colon on one line, JSON does not."""
    service = Service(RULES)
    good = b'{"regime": "h200-article", "facts"\n: {"order.quantity"\n: "1"}}'
    assert service.answer(good, ASKED).startswith(b'{"schema":"placet.decision/1"')
    bad = good.replace(b'"1"', b'"x"')
    with pytest.raises(OrderRejected) as rejected:
        service.answer(bad, ASKED, "body")
    (fault,) = rejected.value.diagnostics
    assert (fault.code, fault.span.pointer) == ("O202", "/facts/order.quantity")


# --- and written ---


def test_an_answer_is_the_decision_as_json() -> None:
    service = Service(RULES)
    for name in ("plain", "\x00\x1f\x7f\x80\u2028\ufeff", '"\\/\n', "𠮷 示例"):
        for quantity in ("1", "75001", "75001"):
            facts = {"customer.name": name, "order.quantity": quantity}
            envelope = {
                "regime": "h200-article",
                "facts": facts,
                "basis": {"order.quantity": name},
            }
            decision = Service(RULES).decide(Document(envelope), ASKED)
            expected = json.dumps(decision, ensure_ascii=False, separators=(",", ":"))
            body = json.dumps(envelope).encode()
            assert service.answer(body, ASKED) == expected.encode()
