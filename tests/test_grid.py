"""A sweep says of every cell what `decide` says of that order, and finds every flip between."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.axes import read_axes
from engine.choices import Choices, describe
from engine.decide import Policy, date_of, decide
from engine.diagnostics import Diagnostic, OrderRejected
from engine.evaluate import compile_regime, judge
from engine.grid import sweep
from engine.ir import Compare, Pair, Period, Quantity, Regime
from engine.load import Rulebook
from engine.order import Document, Order, make_order, read_order, write_facts
from engine.properties import names_of, orders, rule_sets
from engine.sample import met_orders
from engine.values import Misfit, Type, Value, read, write
from tests.judging import read_condition

REGIMES = ("bis-2026", "h200-article", "h200-reported", "section-232-duty")
OUTCOMES = ("met", "unmet", "unknown", "not-applicable")
TODAY = date(2026, 6, 1).toordinal()
Stated = dict[str, Value]
Cell = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""Outcome, scope, and the ids of failing and of waiting rules."""


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def ready(regime: Regime, order: Order, as_of: int | None = None, **changed: Value) -> Policy:
    return Policy(*date_of(regime, order, as_of, TODAY), changed, ())


def swept(
    rulebook: Rulebook,
    regime: Regime,
    stated: Mapping[str, Value],
    axes: Sequence[Any],
    as_of: int | None = None,
    **changed: Value,
) -> dict[str, Any]:
    """A sweep as a request asks for it."""
    faults: list[Diagnostic] = []
    document = Document({"axes": axes}).part("axes")
    read_ones = read_axes(rulebook.vocabulary, regime, document, faults)
    if faults:
        raise OrderRejected(faults)
    base = make_order(rulebook.vocabulary, stated)
    policy = ready(regime, base, as_of, **changed)
    return sweep(rulebook, regime, base, policy, read_ones, TODAY)


def cell_of(answer: Mapping[str, Any], number: int) -> Cell:
    """What a sweep says of a cell."""
    outcome = answer["outcomes"][answer["outcome_of"][number]]["status"]
    reason = answer["reasons"][answer["reason_of"][number]]
    unmet, unknown = (
        tuple(answer["rules"][n]["rule"] for n in reason[kind]) for kind in ("unmet", "unknown")
    )
    return outcome, reason["scope"], unmet, unknown


def judged(
    rulebook: Rulebook,
    regime: Regime,
    stated: Mapping[str, Value],
    as_of: int | None,
    changed: Mapping[str, Value],
) -> Cell:
    """What an order comes to, judged alone."""
    order = make_order(rulebook.vocabulary, stated)
    on, _ = date_of(regime, order, as_of, TODAY)
    program = compile_regime(regime, rulebook.vocabulary, on, overrides=changed)
    outcome, scope, findings = judge(program, order.values)
    unmet, unknown = (
        tuple(f.rule.id for f in findings if f.status == status) for status in ("unmet", "unknown")
    )
    return outcome, {True: "met", False: "unmet", None: "unknown"}[scope], unmet, unknown


# --- cells ---


@pytest.fixture(scope="module")
def choices(rulebook: Rulebook) -> dict[str, Choices]:
    return {r: describe(rulebook.vocabulary, rulebook.regimes[r]) for r in REGIMES}


@pytest.fixture(scope="module")
def drawn(rulebook: Rulebook) -> Any:
    return {r: orders(rulebook, r) for r in REGIMES}


def _axis(data: st.DataObject, choices: Choices, *, ordered: bool = False) -> tuple[str, Any]:
    """The name of something to vary, and what is worth trying; `ordered`: a number or date."""
    regime, vocabulary = choices.program.regime, choices.program.vocabulary
    facts = [path for path in choices.deciding if vocabulary.facts[path].type.kind != "text"]
    every = [*facts, *regime.parameters]
    names = [name for name in every if not ordered or _is_ordered(_type(choices, name))]
    name = data.draw(st.sampled_from(names))
    if name not in regime.parameters:
        return name, [*choices.of(name).near, *choices.of(name).far]
    kind = _type(choices, name)
    held: list[Value] = []
    for _, value in regime.parameters[name].values:
        held.append(value)
        if isinstance(value, int) and _is_ordered(kind):
            held += [value + shift for shift in (-1, 1, 99)]
    return name, [v for v in held if not isinstance(read(write(v, kind), kind), Misfit)]


def _is_ordered(kind: Type) -> bool:
    return kind.is_numeric or kind.kind == "date"


def _type(choices: Choices, name: str) -> Type:
    program = choices.program
    known = program.regime.parameters if name in program.regime.parameters else None
    return known[name].type if known else program.vocabulary.facts[name].type


def _apart(rulebook: Rulebook, stated: Stated, names: Sequence[str]) -> Stated:
    """The facts without those that would contradict what is varied."""
    facts = rulebook.vocabulary.facts
    assume(not any(n in facts and facts[n].catalogue in names for n in names))
    without = {facts[name].catalogue for name in names if name in facts}
    without |= {f.path for f in facts.values() if f.catalogue in names and f.path not in names}
    return {path: value for path, value in stated.items() if path not in without}


def _cells_are_decisions(
    rulebook: Rulebook, choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(REGIMES))
    regime, vocabulary = rulebook.regimes[name], rulebook.vocabulary
    axes: list[tuple[str, bool]] = []
    values: list[list[Value]] = []
    for _ in range(data.draw(st.integers(1, 2))):
        axis, offered = _axis(data, choices[name])
        assume(axis not in [a for a, _ in axes])
        is_parameter = axis in regime.parameters
        some = st.sampled_from(offered) if is_parameter else st.none() | st.sampled_from(offered)
        held = data.draw(st.lists(some, min_size=1, max_size=4, unique=True))
        axes.append((axis, is_parameter))
        values.append(held)
    stated = _apart(rulebook, dict(data.draw(drawn[name]).stated), [axis for axis, _ in axes])
    as_of = data.draw(st.none() | st.integers(regime.in_force.start - 3, regime.read_to + 3))
    request = [
        {
            "parameter" if is_parameter else "fact": axis,
            "values": [write(v, _type(choices[name], axis)) for v in held],
        }
        for (axis, is_parameter), held in zip(axes, values, strict=True)
    ]
    answer = swept(rulebook, regime, stated, request, as_of)
    first = len(values[0])
    assert answer["cells"] == first * (len(values[1]) if len(values) == 2 else 1)
    for number in range(answer["cells"]):
        chosen = [values[0][number % first], *(v[number // first] for v in values[1:])]
        facts, changed = dict(stated), {}
        for (axis, is_parameter), value in zip(axes, chosen, strict=True):
            facts.pop(axis, None)
            if is_parameter:
                changed[axis] = value
            elif value is not None:
                facts[axis] = value
        order = read_order(vocabulary, Document(write_facts(vocabulary, facts)))
        decision = decide(rulebook, regime, order, ready(regime, order, as_of, **changed))
        outcome, _, unmet, unknown = cell_of(answer, number)
        assert outcome == decision["status"]
        for status, rules in (("unmet", unmet), ("unknown", unknown)):
            found = (f["rule"] for f in decision["findings"] if f["status"] == status)
            assert rules == tuple(found)
        assert cell_of(answer, number) == judged(rulebook, regime, facts, as_of, changed)


@given(data=st.data())
def test_every_cell_is_the_decision_of_its_order(
    rulebook: Rulebook, choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    _cells_are_decisions(rulebook, choices, drawn, data)


@pytest.mark.deep
@settings(settings.get_profile("deep"))
@given(data=st.data())
def test_very_many_cells_are_the_decisions_of_their_orders(
    rulebook: Rulebook, choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    _cells_are_decisions(rulebook, choices, drawn, data)


# --- flips ---


def flips_of(answer: Mapping[str, Any], axis: int = 0) -> list[tuple[str, str, str, str]]:
    """The flips along an axis where nothing else is varied: values and outcomes."""
    return [
        (f["below"], f["above"], OUTCOMES[f["from"]], OUTCOMES[f["to"]])
        for f in answer["flips"]
        if f["axis"] == axis
    ]


def met_order(rulebook: Rulebook, regime: str, **changed: Value) -> Stated:
    """An order that meets every rule, with other facts."""
    choices = describe(rulebook.vocabulary, rulebook.regimes[regime])
    return {**met_orders(choices, count=1)[0], **changed}


H200: Stated = {
    "item.product": "H200-SXM",
    "order.destination": "CN",
    "order.quantity": 100,
    "order.unit_price": 27_000_01,
    "order.placed_on": day("2026-02-01"),
    "customer.units_to_date": 0,
    "customer.military_end_user": False,
    "end_use.category": "civil",
    "pledge.submitted": True,
    "pledge.non_military": True,
    "pledge.signed_on": day("2026-01-20"),
    "review.commerce": "approve",
    "review.state": "approve",
    "review.defense": "approve",
    "fee.paid": 10**15,
    "payment.prepaid": 10**15,
    "terms.cancellable": False,
    "terms.refundable": False,
    "terms.configuration_changeable": False,
}


@pytest.mark.parametrize(
    ("regime", "changed", "axis", "flips"),
    [
        # 55,000 to date and a cap of 75,000 leave 20,000.
        (
            "h200-article",
            {"customer.units_to_date": 55_000},
            {"fact": "order.quantity", "from": "1", "to": "30000", "step": "7000"},
            [("20000", "20001", "met", "unmet")],
        ),
        # Boards of eight: 9,375 of them are 75,000 chips.
        (
            "h200-article",
            {"item.product": "HGX-H200-8"},
            {"fact": "order.quantity", "from": "1", "to": "10000", "count": 2},
            [("9375", "9376", "met", "unmet")],
        ),
        # A quarter of 2,700,001.00 is 675,000.25, to the cent.
        (
            "h200-article",
            {},
            {"fact": "fee.paid", "from": "0.00", "to": "1000000.00", "step": "300000.00"},
            [("675000.24", "675000.25", "unmet", "met")],
        ),
        # A pledge is signed on the day of the order at the latest.
        (
            "h200-article",
            {},
            {"fact": "pledge.signed_on", "from": "2026-01-01", "to": "2026-03-31", "step": "30"},
            [("2026-02-01", "2026-02-02", "met", "unmet")],
        ),
        # The order is placed after the pledge, and not before the rules are in force.
        (
            "h200-article",
            {},
            {"fact": "order.placed_on", "from": "2025-11-01", "to": "2026-03-31", "count": 3},
            [
                ("2025-12-07", "2025-12-08", "not-applicable", "unmet"),
                ("2026-01-19", "2026-01-20", "unmet", "met"),
            ],
        ),
        (
            "h200-article",
            {"customer.units_to_date": 55_000},
            {"parameter": "cap", "from": "50000", "to": "60000", "step": "1000"},
            [("55099", "55100", "unmet", "met")],
        ),
        # The unit price decides the fee and the prepayment together: 4 million for 100.
        (
            "h200-article",
            {"payment.prepaid": 4_000_000_00, "fee.paid": 999_999_99},
            {"fact": "order.unit_price", "values": ["50000.00", "0.01"]},
            [("39999.99", "40000.00", "met", "unmet"), ("40000.00", "40000.01", "unmet", "unmet")],
        ),
    ],
)
def test_a_flip_lies_where_the_source_puts_it(
    rulebook: Rulebook,
    regime: str,
    changed: Stated,
    axis: dict[str, Any],
    flips: list[tuple[str, str, str, str]],
) -> None:
    answer = swept(rulebook, rulebook.regimes[regime], {**H200, **changed}, [axis])
    assert flips_of(answer) == flips
    assert answer["exact"] is True
    assert answer["flips_complete"] is True


def test_a_tpp_of_21000_is_too_much_and_one_hundredth_less_is_not(rulebook: Rulebook) -> None:
    stated = met_order(rulebook, "bis-2026")
    vocabulary = rulebook.vocabulary
    row = vocabulary.catalogue["item.product"][str(stated.pop("item.product"))]
    stated = {**row, **stated}
    axis = {"fact": "item.tpp", "from": "20000", "to": "22000", "step": "500"}
    answer = swept(rulebook, rulebook.regimes["bis-2026"], stated, [axis])
    assert flips_of(answer) == [("20999.99", "21000", "met", "unmet")]
    (flip,) = answer["flips"]
    assert [answer["rules"][n]["rule"] for n in flip["rules"]] == ["tpp-ceiling"]


def test_half_of_the_us_shipments_may_go_to_china(rulebook: Rulebook) -> None:
    supply = {"supply.cn_units_shipped": 300, "supply.us_units_shipped": 1_001}
    stated = met_order(rulebook, "bis-2026", **supply, **{"item.product": "H200-SXM"})
    axis = {"fact": "order.quantity", "from": "1", "to": "1000", "step": "500"}
    answer = swept(rulebook, rulebook.regimes["bis-2026"], stated, [axis])
    assert flips_of(answer) == [("200", "201", "met", "unmet")]
    supplied = {"fact": "supply.us_units_shipped", "from": "0", "to": "9999", "count": 2}
    stated |= {"order.quantity": 201}
    answer = swept(rulebook, rulebook.regimes["bis-2026"], stated, [supplied])
    assert flips_of(answer) == [("1001", "1002", "unmet", "met")]


def test_a_band_that_lies_between_two_cells_is_found(rulebook: Rulebook) -> None:
    """The duty bands leave both ends out: 14,000 to 17,500 and 20,800 to 21,100."""
    stated: Stated = {
        "duty.entered_on": day("2026-03-01"),
        "duty.exempt_use": "none",
        "item.dram_bandwidth": 4_800_00,
    }
    axis = {"fact": "item.tpp", "from": "0", "to": "30000", "count": 2}
    answer = swept(rulebook, rulebook.regimes["section-232-duty"], stated, [axis])
    assert answer["outcome_of"] == [0, 0]
    assert flips_of(answer) == [
        ("14000", "14000.01", "met", "unmet"),
        ("17499.99", "17500", "unmet", "met"),
    ]


def _one_rule_book(rulebook: Rulebook, text: str) -> tuple[Rulebook, Regime]:
    """A rulebook whose article has one rule, always in scope.

    `dollars` is a hundredth of the unit price, rounded down: as many cents as it has dollars.
    """
    regime = rulebook.regimes["h200-article"]
    names = names_of(rulebook.vocabulary, regime)
    kind = Type("money", 2, "USD", lo=0, hi=10**12)
    hundredth = read_condition("order.unit_price * 0.01 > 1", names)
    assert isinstance(hundredth, Compare)
    label = Pair("whole dollars", "整美元")
    dollars = Quantity("dollars", hundredth.left, kind, "down", label, None, regime.span)
    names = replace(names, derived={**names.derived, "dollars": kind})
    alone = replace(
        regime,
        rules=(replace(regime.rules[0], applies=None, require=read_condition(text, names)),),
        scope=read_condition("true", names),
        quantities={**regime.quantities, "dollars": dollars},
    )
    return replace(rulebook, regimes={regime.id: alone}), alone


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("order.quantity <= 10", [11]),
        ("order.quantity < 10", [10]),
        ("order.quantity > 10", [11]),
        ("not order.quantity >= 10", [10]),
        ("order.quantity == 10", [10, 11]),
        ("order.quantity != 10", [10, 11]),
        ("order.quantity * 3 == 10", []),
        ("order.quantity * 3 != 30", [10, 11]),
        ("100 - order.quantity * 3 >= 10", [31]),
        ("order.quantity >= 10 and order.quantity <= 12", [10, 13]),
        ("order.quantity < 10 or order.quantity > 90", [10, 91]),
        ("(order.quantity < 10) == (order.quantity < 20)", [10, 20]),
        # A fact on both sides, a minimum, a maximum, a parabola.
        ("max(order.quantity, 100) - order.quantity >= 60", [41]),
        ("min(order.quantity, 70) * 2 - order.quantity >= 65", [65, 76]),
        ("min(order.quantity, 40) == 40", [40]),
        ("max(order.quantity - 50, 50 - order.quantity) < 3", [48, 53]),
        ("item.chips_per_unit * (64 - item.chips_per_unit) >= 1000", [28, 37]),
        ("item.chips_per_unit * (64 - item.chips_per_unit) == 1024", [32, 33]),
        ("item.chips_per_unit * item.chips_per_unit * item.chips_per_unit > 1000", [11]),
        # Rounded down to whole dollars: 0.01 * price, in cents.
        ("dollars >= 0.50", [5000]),
        ("order.unit_price - dollars > 49.50", [5001]),
        # The fee for one, rounded up to the cent: 2.01 makes 0.5025.
        ("fee_due <= 0.50", [201]),
        ("fee_due * 3 <= 1.00", [133]),
    ],
)
def test_every_turn_of_a_condition_is_found(
    rulebook: Rulebook, text: str, turns: list[int]
) -> None:
    book, regime = _one_rule_book(rulebook, text)
    path, lo, hi = "order.quantity", "1", "1000"
    if "item" in text:
        path, lo, hi = "item.chips_per_unit", "1", "64"
    elif "dollars" in text or "fee" in text:
        path, lo, hi = "order.unit_price", "0.01", "100.00"
    stated: Stated = {"order.quantity": 1, "order.placed_on": day("2026-02-01")}
    answer = swept(book, regime, stated, [{"fact": path, "values": [lo, hi]}])
    kind = rulebook.vocabulary.facts[path].type
    assert [f["above"] for f in answer["flips"]] == [write(turn, kind) for turn in turns]
    assert [f["below"] for f in answer["flips"]] == [write(turn - 1, kind) for turn in turns]
    assert answer["exact"] is True


def test_scope_and_application_of_a_rule_turn_too(rulebook: Rulebook) -> None:
    book, regime = _one_rule_book(rulebook, "terms.refundable")
    names = names_of(rulebook.vocabulary, regime)
    applies = read_condition("order.quantity >= 10 and order.quantity < 20", names)
    regime = replace(
        regime,
        scope=read_condition("order.quantity != 15", names),
        rules=(replace(regime.rules[0], applies=applies),),
    )
    axis = {"fact": "order.quantity", "values": ["1", "100"]}
    stated = {"terms.refundable": False, "order.placed_on": day("2026-02-01")}
    answer = swept(book, regime, stated, [axis])
    assert flips_of(answer) == [
        ("9", "10", "not-applicable", "unmet"),
        ("14", "15", "unmet", "not-applicable"),
        ("15", "16", "not-applicable", "unmet"),
        ("19", "20", "unmet", "not-applicable"),
    ]


def test_what_turns_too_often_is_said_not_to_be_exact(rulebook: Rulebook) -> None:
    """Only at whole dollars is the price a hundred times its hundredth rounded down."""
    book, regime = _one_rule_book(rulebook, "dollars * 100 == order.unit_price")
    stated: Stated = {"order.placed_on": day("2026-02-01")}
    few = {"fact": "order.unit_price", "from": "1.50", "to": "5.50", "count": 2}
    answer = swept(book, regime, stated, [few])
    assert answer["exact"] is True
    assert [f["above"] for f in answer["flips"]] == [
        *("2.00", "2.01", "3.00", "3.01", "4.00", "4.01", "5.00", "5.01")
    ]
    many = {"fact": "order.unit_price", "from": "1.50", "to": "900000.00", "step": "10.00"}
    answer = swept(book, regime, stated, [many])
    assert answer["exact"] is False
    prices = [(_cents(f["below"]), _cents(f["above"])) for f in answer["flips"]]
    assert prices
    assert all(above - below == 1 for below, above in prices)
    assert all((below % 100 == 0) is not (above % 100 == 0) for below, above in prices)
    # The last cell is the first at a whole dollar, so that at least one flip lies before it.
    assert prices[-1] == (899_999_99, 900_000_00)


def _cents(price: str) -> int:
    return int(price.replace(".", ""))


def _flips_are_complete(
    book: Rulebook, choices: Choices, stated: Stated, data: st.DataObject
) -> None:
    """The flips are those that trying every value in a short range shows."""
    regime = choices.program.regime
    name, offered = _axis(data, choices, ordered=True)
    kind = _type(choices, name)
    assume(offered)
    middle = data.draw(st.sampled_from(offered))
    lo = middle - data.draw(st.integers(0, 60))
    hi = middle + data.draw(st.integers(1, 60))
    lo = max(lo, 1 if kind.lo is None and kind.kind == "date" else kind.lo or 0)
    hi = hi if kind.hi is None else min(hi, kind.hi)
    assume(lo < hi)
    stated = _apart(book, stated, [name])
    is_parameter = name in regime.parameters
    as_of = data.draw(st.none() | st.integers(regime.in_force.start - 3, regime.read_to + 3))
    axis = {
        "parameter" if is_parameter else "fact": name,
        "from": write(lo, kind),
        "to": write(hi, kind),
        "count": data.draw(st.integers(2, min(4, hi - lo + 1))),
    }
    answer = swept(book, regime, stated, [axis], as_of)
    seen = [
        judged(book, regime, stated, as_of, {name: value})
        if is_parameter
        else judged(book, regime, {**stated, name: value}, as_of, {})
        for value in range(lo, hi + 1)
    ]
    ids = [rule.id for rule in regime.rules]
    expected = [
        {
            "axis": 0,
            "at": None,
            "below": write(lo + number, kind),
            "above": write(lo + number + 1, kind),
            "from": OUTCOMES.index(was[0]),
            "to": OUTCOMES.index(now[0]),
            "rules": [
                n
                for n, id in enumerate(ids)
                if (id in was[2], id in was[3]) != (id in now[2], id in now[3])
            ],
        }
        for number, (was, now) in enumerate(pairwise(seen))
        if was != now
    ]
    assert answer["flips"] == expected
    assert answer["exact"] is True


@given(data=st.data())
def test_no_flip_is_missed(
    rulebook: Rulebook, choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(REGIMES))
    _flips_are_complete(rulebook, choices[name], dict(data.draw(drawn[name]).stated), data)


def _flips_of_drawn_rules(rulebook: Rulebook, rules: Any, data: st.DataObject) -> None:
    regime = data.draw(rules).parse(rulebook.vocabulary)
    assert regime is not None
    book = replace(
        rulebook,
        regimes={regime.id: regime},
        digests={regime.id: "sha256:"},
        editions={regime.id: "sha256:"},
    )
    choices = describe(rulebook.vocabulary, regime)
    stated: Stated = {}
    for path, choice in choices.deciding.items():
        if data.draw(st.integers(0, 3)):
            choices.set(stated, path, data.draw(st.sampled_from(choice.near)))
    _flips_are_complete(book, choices, stated, data)


@pytest.fixture(scope="module")
def rules(rulebook: Rulebook) -> Any:
    return rule_sets(rulebook)


@given(data=st.data())
def test_no_flip_is_missed_under_any_rules(
    rulebook: Rulebook, rules: Any, data: st.DataObject
) -> None:
    _flips_of_drawn_rules(rulebook, rules, data)


@pytest.mark.deep
@settings(settings.get_profile("deep"))
@given(data=st.data())
def test_no_flip_is_missed_under_very_many_rules(
    rulebook: Rulebook, rules: Any, data: st.DataObject
) -> None:
    _flips_of_drawn_rules(rulebook, rules, data)


def test_along_each_axis_the_flips_are_those_of_its_orders(rulebook: Rulebook) -> None:
    """20,000 chips fit beside 55,000, and 55,000 beside 20,000."""
    regime = rulebook.regimes["h200-article"]
    quantity = {"fact": "order.quantity", "values": ["20000", "20001", "5000", "75000"]}
    to_date = {"fact": "customer.units_to_date", "values": ["70000", None, "0"]}
    answer = swept(rulebook, regime, H200, [quantity, to_date])
    # Along the quantity with 70,000, nothing known, and none to date; nothing past 75,000 there.
    assert answer["flips"] == [
        _cap(answer, 0, 0, "5000", "5001"),
        _cap(answer, 1, 0, "54999", "55000") | {"below": "55000", "above": "55001"},
        _cap(answer, 1, 1, "54999", "55000"),
        _cap(answer, 1, 3, "0", "1"),
    ]


def _cap(answer: Mapping[str, Any], axis: int, at: int, below: str, above: str) -> dict[str, Any]:
    rules = [rule["rule"] for rule in answer["rules"]]
    return {
        "axis": axis,
        "at": at,
        "below": below,
        "above": above,
        "from": 0,
        "to": 1,
        "rules": [rules.index("customer-cap")],
    }


@given(data=st.data())
def test_a_line_of_two_axes_is_the_sweep_of_one(
    rulebook: Rulebook, choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(REGIMES))
    regime = rulebook.regimes[name]
    axes: list[tuple[str, str, list[Value], list[Any]]] = []
    for _ in range(2):
        axis, offered = _axis(data, choices[name])
        key = "parameter" if axis in regime.parameters else "fact"
        held = data.draw(st.lists(st.sampled_from(offered), min_size=1, max_size=3, unique=True))
        written = [write(value, _type(choices[name], axis)) for value in held]
        axes.append((axis, key, held, written))
    assume(axes[0][0] != axes[1][0])
    stated = _apart(rulebook, dict(data.draw(drawn[name]).stated), [axis[0] for axis in axes])
    both = swept(rulebook, regime, stated, [{key: n, "values": w} for n, key, _, w in axes])
    for number, (axis, key, _, written) in enumerate(axes):
        other, other_key, held, _ = axes[1 - number]
        for at, value in enumerate(held):
            facts = stated if other_key == "parameter" else {**stated, other: value}
            changed = {other: value} if other_key == "parameter" else {}
            request = {key: axis, "values": written}
            one = swept(rulebook, regime, facts, [request], None, **changed)
            there = [f for f in both["flips"] if (f["axis"], f["at"]) == (number, at)]
            assert there == [{**flip, "axis": number, "at": at} for flip in one["flips"]]
            first = len(axes[0][2])
            cells = [
                at * first + n if number == 0 else n * first + at for n in range(len(written))
            ]
            assert [cell_of(both, cell) for cell in cells] == [
                cell_of(one, cell) for cell in range(len(written))
            ]


def test_codes_yes_no_and_unknown_have_no_flips(rulebook: Rulebook) -> None:
    regime = rulebook.regimes["h200-article"]
    for axis in (
        {"fact": "terms.refundable", "values": [True, False, None]},
        {"fact": "order.destination", "values": ["CN", "DE"]},
        {"fact": "order.quantity", "values": ["5", None]},
        {"fact": "order.quantity", "values": [None]},
    ):
        answer = swept(rulebook, regime, H200, [axis])
        assert answer["flips"] == []
        assert answer["exact"] is True


# --- counts ---


@given(data=st.data())
def test_counts_and_reasons_add_up_to_the_cells(
    rulebook: Rulebook, choices: dict[str, Choices], drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(REGIMES))
    stated = dict(data.draw(drawn[name]).stated)
    axes = [
        {"fact": "order.quantity", "values": ["1", "75000", None, "10000000"]},
        {"fact": "customer.units_to_date", "values": [None, "0", "75000"]},
    ]
    answer = swept(rulebook, rulebook.regimes[name], stated, axes)
    cells = [cell_of(answer, number) for number in range(12)]
    assert answer["cells"] == len(answer["outcome_of"]) == len(answer["reason_of"]) == 12
    assert [outcome["status"] for outcome in answer["outcomes"]] == list(OUTCOMES)
    for outcome in answer["outcomes"]:
        assert outcome["count"] == sum(cell[0] == outcome["status"] for cell in cells)
    for rule in answer["rules"]:
        id = rule["rule"]
        assert rule["unmet"] == sum(id in cell[2] for cell in cells)
        assert rule["unknown"] == sum(id in cell[3] for cell in cells)
        assert rule["alone"] == sum(cell[0] == "unmet" and cell[2] == (id,) for cell in cells)
    assert set(answer["reason_of"]) == set(range(len(answer["reasons"])))
    assert len({repr(reason) for reason in answer["reasons"]}) == len(answer["reasons"])


def test_a_rule_that_fails_alone_is_counted_apart(rulebook: Rulebook) -> None:
    axes = [
        {"fact": "order.quantity", "values": ["1", "75001"]},
        {"fact": "terms.refundable", "values": [False, True, None]},
    ]
    answer = swept(rulebook, rulebook.regimes["h200-article"], H200, axes)
    counts = {r["rule"]: (r["unmet"], r["unknown"], r["alone"]) for r in answer["rules"]}
    assert counts.pop("customer-cap") == (3, 0, 2)
    assert counts.pop("no-refund") == (2, 2, 1)
    assert set(counts.values()) == {(0, 0, 0)}
    assert [outcome["count"] for outcome in answer["outcomes"]] == [1, 4, 1, 0]
    assert [outcome["code"] for outcome in answer["outcomes"]] == [
        *("approve", "deny", "incomplete", "not-covered")
    ]
    assert answer["outcome_of"] == [0, 1, 1, 1, 2, 1]


def test_a_rule_that_fails_out_of_scope_is_counted_and_not_as_the_only_one(
    rulebook: Rulebook,
) -> None:
    axes = [{"fact": "order.destination", "values": ["CN", "DE"]}]
    stated = {**H200, "terms.refundable": True}
    answer = swept(rulebook, rulebook.regimes["h200-article"], stated, axes)
    (refund,) = (rule for rule in answer["rules"] if rule["rule"] == "no-refund")
    assert (refund["unmet"], refund["alone"]) == (2, 1)
    assert [reason["scope"] for reason in answer["reasons"]] == ["met", "unmet"]


# --- the day of the rules, and other policies ---


def test_a_date_that_chooses_the_rules_is_said_to(rulebook: Rulebook) -> None:
    regime = rulebook.regimes["h200-article"]
    axis = {"fact": "order.placed_on", "from": "2025-12-01", "to": "2026-02-01", "count": 9}
    answer = swept(rulebook, regime, H200, [axis])
    assert (answer["regime"]["as_of"], answer["regime"]["as_of_from"]) == (None, "order.placed_on")
    assert answer["outcome_of"][0] == OUTCOMES.index("not-applicable")
    fixed = swept(rulebook, regime, H200, [axis], day("2026-02-01"))
    assert fixed["regime"]["as_of"] == "2026-02-01"
    assert fixed["regime"]["as_of_from"] == "caller"
    assert fixed["outcome_of"][0] == OUTCOMES.index("unmet")
    assert len(fixed["flips"]) == 1


def test_a_date_that_dates_only_some_cells_moves_those(rulebook: Rulebook) -> None:
    """Without a date of export the date of the order chooses the rules of `bis-2026`."""
    regime = rulebook.regimes["bis-2026"]
    stated = met_order(rulebook, "bis-2026")
    before, after = "2026-01-14", "2026-01-15"
    axes = [
        {"fact": "order.placed_on", "values": [before, after]},
        {"fact": "order.exported_on", "values": [before, after, None]},
    ]
    answer = swept(rulebook, regime, stated, axes)
    assert [OUTCOMES[n] for n in answer["outcome_of"]] == [
        *("not-applicable", "not-applicable", "met", "met", "not-applicable", "met")
    ]
    assert [(f["axis"], f["at"], f["above"]) for f in answer["flips"]] == [
        (0, 2, after),
        (1, 0, after),
        (1, 1, after),
    ]


def _dated_fee(rulebook: Rulebook) -> tuple[Rulebook, Regime]:
    """The article with a fee of 25 %, and of 15 % from March."""
    regime = rulebook.regimes["h200-article"]
    rate = regime.parameters["fee_rate"]
    lower = replace(rate, values=(*rate.values, (day("2026-03-01"), 150)))
    regime = replace(regime, parameters={**regime.parameters, "fee_rate": lower})
    return replace(rulebook, regimes={regime.id: regime}), regime


def test_values_of_parameters_follow_the_day(rulebook: Rulebook) -> None:
    book, regime = _dated_fee(rulebook)
    stated = {**H200, "fee.paid": 500_000_00}
    axis = {"fact": "order.placed_on", "from": "2026-02-01", "to": "2026-04-01", "count": 2}
    answer = swept(book, regime, stated, [axis])
    assert flips_of(answer) == [("2026-02-28", "2026-03-01", "unmet", "met")]
    assert answer["hypothetical_policy"] is False
    # Held at 25 %, which is in force on the day of the base order and not on all days swept.
    held = swept(book, regime, stated, [axis], None, fee_rate=250)
    assert flips_of(held) == []
    assert held["outcome_of"] == [1, 1]
    assert held["hypothetical_policy"] is True
    assert [change["parameter"] for change in held["policy_changes"]] == ["fee_rate"]
    short = {"fact": "order.placed_on", "values": ["2026-02-01", "2026-02-02"]}
    same = swept(book, regime, stated, [short], None, fee_rate=250)
    assert same["hypothetical_policy"] is False
    assert same["policy_changes"] == []


def test_a_rule_that_ends_and_one_whose_parameter_moves_turn_between_cells(
    rulebook: Rulebook,
) -> None:
    """A rule in force for nine days of January; a deadline that is put off in March."""
    book, regime = _one_rule_book(rulebook, "not terms.refundable")
    (first,) = regime.rules
    ended = replace(first, in_force=Period(day("2026-01-01"), day("2026-01-10")))
    deadline = replace(
        regime.parameters["fee_rate"],
        name="deadline",
        type=Type("date"),
        values=((day("2025-01-01"), day("2026-02-10")), (day("2026-03-01"), day("2026-03-20"))),
    )
    regime = replace(regime, parameters={**regime.parameters, "deadline": deadline})
    names = names_of(rulebook.vocabulary, regime)
    in_time = replace(first, id="b", require=read_condition("order.placed_on <= deadline", names))
    regime = replace(regime, rules=(ended, in_time))
    axis = {"fact": "order.placed_on", "values": ["2025-12-20", "2026-04-01"]}
    answer = swept(book, regime, {"terms.refundable": True}, [axis])
    assert flips_of(answer) == [
        ("2025-12-31", "2026-01-01", "met", "unmet"),
        ("2026-01-09", "2026-01-10", "unmet", "met"),
        ("2026-02-10", "2026-02-11", "met", "unmet"),
        ("2026-02-28", "2026-03-01", "unmet", "met"),
        ("2026-03-20", "2026-03-21", "met", "unmet"),
    ]


def test_an_axis_takes_the_place_of_a_changed_parameter(rulebook: Rulebook) -> None:
    regime = rulebook.regimes["h200-article"]
    axis = {"parameter": "cap", "values": ["99", "100"]}
    answer = swept(rulebook, regime, H200, [axis], None, cap=50)
    assert [OUTCOMES[n] for n in answer["outcome_of"]] == ["unmet", "met"]
    assert answer["hypothetical_policy"] is True
    assert answer["policy_changes"] == []
    assert answer["axes"][0]["parameter"] == "cap"
    assert answer["axes"][0]["label"] == {"en": "cap", "zh": "上限"}
    assert answer["axes"][0]["unit"] == "chip"


def test_two_parameters_and_derived_amounts_are_varied_together(rulebook: Rulebook) -> None:
    regime = rulebook.regimes["h200-article"]
    stated = {**H200, "order.unit_price": 100_00, "fee.paid": 1_000_00}
    axes = [
        {"parameter": "fee_rate", "from": "0", "to": "1", "count": 2},
        {"parameter": "cap", "values": ["100", "99"]},
    ]
    answer = swept(rulebook, regime, stated, axes)
    assert [(f["axis"], f["at"], f["below"], f["above"]) for f in answer["flips"]] == [
        (0, 0, "0.1", "0.101"),
        (0, 1, "0.1", "0.101"),
        (1, 0, "99", "100"),
        (1, 1, "99", "100"),
    ]


def test_a_parameter_is_varied_in_scope_and_in_what_is_derived_from_it(
    rulebook: Rulebook,
) -> None:
    book, regime = _one_rule_book(rulebook, "fee.paid >= fee_due")
    names = names_of(rulebook.vocabulary, regime)
    regime = replace(regime, scope=read_condition("order.quantity <= cap", names))
    stated = {**H200, "order.unit_price": 100_00, "fee.paid": 1_000_00}
    rate = {"parameter": "fee_rate", "values": ["1", "0"]}
    cap = {"parameter": "cap", "values": ["0", "1000"]}
    assert flips_of(swept(book, regime, stated, [rate])) == [("0.1", "0.101", "met", "unmet")]
    assert flips_of(swept(book, regime, stated, [cap])) == [
        ("99", "100", "not-applicable", "unmet")
    ]


def test_a_rule_that_begins_to_wait_is_named(rulebook: Rulebook) -> None:
    book, regime = _one_rule_book(rulebook, "order.quantity <= 10 or terms.refundable")
    axis = {"fact": "order.quantity", "values": ["1", "100"]}
    answer = swept(book, regime, {"order.placed_on": day("2026-02-01")}, [axis])
    assert flips_of(answer) == [("10", "11", "met", "unknown")]
    assert answer["flips"][0]["rules"] == [0]


def test_a_selection_of_rules_and_rules_left_out_hold_in_every_cell(rulebook: Rulebook) -> None:
    regime = rulebook.regimes["h200-article"]
    base = make_order(rulebook.vocabulary, H200)
    faults: list[Diagnostic] = []
    request = [{"fact": "order.quantity", "values": ["1", "99999"]}]
    axes = read_axes(rulebook.vocabulary, regime, Document(request), faults)
    policy = ready(regime, base)
    without = sweep(
        rulebook, regime, base, replace(policy, without=("customer-cap",)), axes, TODAY
    )
    assert without["outcome_of"] == [0, 0]
    assert without["flips"] == []
    assert [change["without"] for change in without["policy_changes"]] == ["customer-cap"]
    only = replace(policy, only=("kind=seller-term",))
    selected = sweep(rulebook, regime, base, only, axes, TODAY)
    assert selected["outcome_of"] == [0, 0]
    assert selected["only"] == ["kind=seller-term"]
    assert "of the rules judged alone" in selected["outcomes"][0]["label"]["en"]


# --- axes as they are told ---


def test_axes_carry_values_names_and_units(rulebook: Rulebook) -> None:
    regime = rulebook.regimes["h200-article"]
    stated = {path: value for path, value in H200.items() if path != "item.product"}
    axes = [
        {"fact": "order.quantity", "from": 1, "to": "10", "step": 4},
        {"fact": "item.product", "values": ["HGX-H200-8", None]},
    ]
    quantity, product = swept(rulebook, regime, stated, axes)["axes"]
    assert quantity["values"] == ["1", "5", "9", "10"]
    assert quantity["type"] == "integer"
    # Boards in one row, and in the other nobody knows.
    assert quantity["unit"] is None
    assert "texts" not in quantity
    assert product["values"] == ["HGX-H200-8", None]
    assert product["texts"] == [
        {"en": "NVIDIA HGX H200 8-GPU board", "zh": "英伟达HGX H200八卡基板"},
        {"en": "unknown", "zh": "待查明"},
    ]
    stated["item.product"] = "HGX-H200-8"
    (boards,) = swept(rulebook, regime, stated, axes[:1])["axes"]
    assert boards["unit"] == "board"


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ({"fact": "order.quantity", "from": "1", "to": "10", "step": "3"}, ["1", "4", "7", "10"]),
        ({"fact": "order.quantity", "from": "1", "to": "9", "step": "100"}, ["1", "9"]),
        ({"fact": "order.quantity", "from": "1", "to": "10", "count": "4"}, ["1", "4", "7", "10"]),
        ({"fact": "order.quantity", "from": "1", "to": "4", "count": 3}, ["1", "2", "4"]),
        ({"fact": "order.quantity", "values": [3, "2"], "step": None}, ["3", "2"]),
        (
            {"fact": "order.unit_price", "from": "0.01", "to": "0.05", "step": "0.02"},
            ["0.01", "0.03", "0.05"],
        ),
        (
            {"fact": "order.placed_on", "from": "2026-02-27", "to": "2026-03-02", "step": 2},
            ["2026-02-27", "2026-03-01", "2026-03-02"],
        ),
        ({"fact": "terms.refundable", "values": ["true", False, None]}, [True, False, None]),
        ({"parameter": "fee_rate", "from": "0", "to": "0.01", "step": "0.005"}, None),
    ],
)
def test_an_axis_has_the_values_that_were_asked_for(
    rulebook: Rulebook, axis: dict[str, Any], values: list[Any] | None
) -> None:
    answer = swept(rulebook, rulebook.regimes["h200-article"], H200, [axis])
    assert answer["axes"][0]["values"] == (values or ["0", "0.005", "0.01"])


# --- bad requests ---

GOOD = {"fact": "order.quantity", "from": "1", "to": "9", "step": "1"}


@pytest.mark.parametrize(
    ("axes", "faults"),
    [
        (None, [("W201", "/axes")]),
        ({}, [("W201", "/axes")]),
        ([], [("W201", "/axes")]),
        ([GOOD, GOOD, GOOD], [("W201", "/axes")]),
        (["order.quantity"], [("W201", "/axes/0")]),
        ([None], [("W201", "/axes/0")]),
        ([{**GOOD, "form": "1"}], [("W202", "/axes/0/form")]),
        ([{"values": [1]}], [("W203", "/axes/0")]),
        ([{**GOOD, "parameter": "cap"}], [("W203", "/axes/0")]),
        ([{"fact": ["order.quantity"], "values": [1]}], [("W203", "/axes/0/fact")]),
        ([{"fact": "order.quantty", "values": [1]}], [("W204", "/axes/0/fact")]),
        ([{"parameter": "capp", "values": [1]}], [("W204", "/axes/0/parameter")]),
        ([{"parameter": "order.quantity", "values": [1]}], [("W204", "/axes/0/parameter")]),
        ([{"fact": "order.value", "values": ["1.00"]}], [("W205", "/axes/0/fact")]),
        ([{"fact": "customer.name", "values": ["x"]}], [("W205", "/axes/0/fact")]),
        ([{"fact": "order.quantity"}], [("W206", "/axes/0")]),
        ([{"fact": "order.quantity", "from": "1", "to": "9"}], [("W206", "/axes/0")]),
        ([{"fact": "order.quantity", "from": "1", "step": "1"}], [("W206", "/axes/0")]),
        ([{**GOOD, "count": 3}], [("W206", "/axes/0")]),
        ([{**GOOD, "values": [3]}], [("W206", "/axes/0")]),
        ([{"fact": "order.quantity", "values": []}], [("W206", "/axes/0/values")]),
        ([{"fact": "order.quantity", "values": "1"}], [("W206", "/axes/0/values")]),
        (
            [{"fact": "terms.refundable", "from": "1", "to": "2", "step": "1"}],
            [("W206", "/axes/0")],
        ),
        ([{"fact": "order.destination", "from": "CN", "to": "HK", "count": 2}], [("W206", "/axes/0")]),
        (
            [{"fact": "order.quantity", "values": ["x", 1, "0", {}, True, "10000001"]}],
            [("W207", f"/axes/0/values/{n}") for n in (0, 2, 3, 4, 5)],
        ),
        ([{"fact": "order.unit_price", "values": [1]}], [("W207", "/axes/0/values/0")]),
        ([{"fact": "order.destination", "values": ["cn", "XX"]}], [
            ("W207", "/axes/0/values/0"), ("W207", "/axes/0/values/1")
        ]),
        ([{"parameter": "cap", "values": [None]}], [("W207", "/axes/0/values/0")]),
        ([{"parameter": "cap", "values": ["-1"]}], [("W207", "/axes/0/values/0")]),
        (
            [{**GOOD, "from": "0", "to": "1e3", "step": "1.5"}],
            [("W207", "/axes/0/from"), ("W207", "/axes/0/to"), ("W207", "/axes/0/step")],
        ),
        ([{"fact": "order.placed_on", "from": "2026-02-29", "to": "2026-03-09", "step": "1"}], [
            ("W207", "/axes/0/from")
        ]),
        ([{"fact": "order.quantity", "from": "1", "to": "9", "count": "many"}], [
            ("W207", "/axes/0/count")
        ]),
        ([{**GOOD, "to": "100001"}], [("W208", "/axes/0/step")]),
        ([{**GOOD, "to": "200000", "step": "2"}], [("W208", "/axes/0/step")]),
        ([{**GOOD, "to": "10000000"}], [("W208", "/axes/0/step")]),
        ([{"fact": "order.unit_price", "from": "0.01", "to": "1000000.00", "step": "0.01"}], [
            ("W208", "/axes/0/step")
        ]),
        ([{"fact": "order.quantity", "from": "1", "to": "200000", "count": 100_001}], [
            ("W208", "/axes/0/count")
        ]),
        ([{"fact": "order.quantity", "values": [1] * 100_001}], [("W208", "/axes/0/values")]),
        (
            [
                {"fact": "order.quantity", "from": "1", "to": "1000", "step": "1"},
                {"fact": "customer.units_to_date", "from": "1", "to": "101", "step": "1"},
            ],
            [("W208", "/axes")],
        ),
        ([{"parameter": "cap", "from": "0", "to": "1000", "step": "1"}], [("W208", "/axes/0")]),
        ([{"fact": "order.placed_on", "from": "2020-01-01", "to": "2026-01-01", "step": 1}], [
            ("W208", "/axes/0")
        ]),
        ([{**GOOD, "to": "1"}], [("W209", "/axes/0/to")]),
        ([{**GOOD, "from": "9", "to": "1"}], [("W209", "/axes/0/to")]),
        ([{**GOOD, "step": "0"}], [("W209", "/axes/0/step")]),
        ([{**GOOD, "step": "-1"}], [("W209", "/axes/0/step")]),
        ([{"fact": "order.quantity", "from": "1", "to": "9", "count": 1}], [
            ("W209", "/axes/0/count")
        ]),
        ([{"fact": "order.quantity", "from": "1", "to": "9", "count": 10}], [
            ("W209", "/axes/0/count")
        ]),
        ([{"fact": "order.quantity", "values": ["1", 1]}], [("W210", "/axes/0/values/1")]),
        ([{"fact": "order.quantity", "values": [None, 1, None]}], [("W210", "/axes/0/values/2")]),
        ([GOOD, {"fact": "order.quantity", "values": [1]}], [("W210", "/axes/1")]),
        ([{"fact": "item.tpp", "values": ["15832", "4799.99", "21000"]}], [("W211", "/axes/0")]),
        ([{"fact": "item.datacenter", "values": [True, False]}], [("W211", "/axes/0")]),
        # All at once.
        (
            [{"fact": "x", "values": []}, {**GOOD, "fact": "order.value", "to": None}],
            [("W204", "/axes/0/fact"), ("W205", "/axes/1/fact"), ("W206", "/axes/1")],
        ),
    ],
)  # fmt: skip
def test_a_bad_axis_is_told_at_its_place(
    rulebook: Rulebook, axes: Any, faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(OrderRejected) as error:
        swept(rulebook, rulebook.regimes["h200-article"], H200, axes)
    told = [(d.code, d.span.pointer) for d in error.value.diagnostics]
    assert sorted(told) == sorted(faults)
    for diagnostic in error.value.diagnostics:
        assert diagnostic.message
        assert not re.search("None|True|False", diagnostic.message + diagnostic.help)


@pytest.mark.parametrize(
    ("axes", "counts"),
    [
        ([{**GOOD, "to": "100000"}], [100_000]),
        ([{**GOOD, "to": "199999", "step": "2"}], [100_000]),
        ([{"fact": "order.quantity", "from": "1", "to": "1000000", "count": 100_000}], [100_000]),
        ([{"fact": "order.quantity", "values": [*range(1, 100_001)]}], [100_000]),
        ([{**GOOD, "to": "1000"}, {"parameter": "cap", "from": 1, "to": 100, "step": 1}], [1000, 100]),
        ([{"parameter": "cap", "from": "1", "to": "1000", "step": "1"}], [1000]),
    ],
)  # fmt: skip
def test_an_axis_may_be_as_long_as_a_sweep(
    rulebook: Rulebook, axes: list[Any], counts: list[int]
) -> None:
    faults: list[Diagnostic] = []
    regime = rulebook.regimes["h200-article"]
    found = read_axes(rulebook.vocabulary, regime, Document(axes), faults)
    assert faults == []
    assert [len(axis.values) for axis in found] == counts


def test_products_that_contradict_the_facts_are_named_in_one_fault(rulebook: Rulebook) -> None:
    stated = {path: value for path, value in H200.items() if path != "item.product"}
    stated["item.tpp"] = 15832_00
    products = list(rulebook.vocabulary.lists["product"].codes)
    with pytest.raises(OrderRejected) as error:
        swept(
            rulebook,
            rulebook.regimes["h200-article"],
            stated,
            [{"fact": "item.product", "values": products}],
        )
    (fault,) = error.value.diagnostics
    assert (fault.code, fault.span.pointer) == ("W211", "/axes/0")
    assert "`15832` for `H200-NVL`, which has `13364`" in fault.message
    assert "H200-SXM" not in fault.message
    assert "more" in fault.message


def test_along_a_product_its_figures_change_too(rulebook: Rulebook) -> None:
    """10,000 boards of eight are 80,000 chips; MI325X lies outside the article."""
    products = {"fact": "item.product", "values": ["H200-SXM", "HGX-H200-8", "MI325X", None]}
    refunds = {"fact": "terms.refundable", "values": [False, None]}
    stated = {**H200, "order.quantity": 10_000}
    regime = rulebook.regimes["h200-article"]
    expected = ["met", "unmet", "not-applicable", "unknown"]
    answer = swept(rulebook, regime, stated, [products])
    assert [OUTCOMES[n] for n in answer["outcome_of"]] == expected
    both = swept(rulebook, regime, stated, [products, refunds])
    second = ["unknown", "unmet", "not-applicable", "unknown"]
    assert [OUTCOMES[n] for n in both["outcome_of"]] == [*expected, *second]


def test_a_figure_of_the_catalogue_may_be_unknown_where_a_product_is_named(
    rulebook: Rulebook,
) -> None:
    """Unknown leaves the figure to the catalogue, as in an order that does not state it."""
    axes = [
        {"fact": "item.chips_per_unit", "values": [None]},
        {"fact": "item.product", "values": ["H200-SXM", "HGX-H200-8"]},
    ]
    stated = {**H200, "order.quantity": 10_000}
    answer = swept(rulebook, rulebook.regimes["h200-article"], stated, axes)
    assert [OUTCOMES[n] for n in answer["outcome_of"]] == ["met", "unmet"]


def test_very_many_faults_are_cut_short(rulebook: Rulebook) -> None:
    with pytest.raises(OrderRejected) as error:
        swept(
            rulebook,
            rulebook.regimes["h200-article"],
            H200,
            [{"fact": "order.quantity", "values": [f"x{n}" for n in range(50_000)]}],
        )
    assert len(error.value.diagnostics) == 100


def test_very_many_flips_are_cut_short_and_it_says_so(rulebook: Rulebook) -> None:
    axes = [
        {"fact": "terms.refundable", "values": [True, False, None]},
        {"fact": "order.quantity", "from": "1", "to": "30000", "count": 30_000},
    ]
    stated = {**H200, "customer.units_to_date": 55_000}
    answer = swept(rulebook, rulebook.regimes["h200-article"], stated, axes)
    assert answer["flips_complete"] is True
    assert len(answer["flips"]) == 3
    axes[0] = {"fact": "customer.units_to_date", "values": ["0", "75000"]}
    answer = swept(rulebook, rulebook.regimes["h200-article"], stated, axes)
    assert answer["flips_complete"] is False
    assert len(answer["flips"]) == 10_000
