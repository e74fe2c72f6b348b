"""A repair is a bound: on it the rule is met, one unit beyond it is not."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.choices import Choices, describe
from engine.evaluate import derived, judge
from engine.load import Rulebook
from engine.order import make_order
from engine.properties import names_of, orders, rule_sets
from engine.repair import repair_of
from engine.sample import Search
from engine.sample import orders as sampled_orders
from tests.judging import Plain, Stated, one_rule, read_condition

REGIMES = ("bis-2026", "h200-article", "h200-reported")


@pytest.fixture(scope="module")
def choices(rulebook: Rulebook) -> dict[str, Choices]:
    return {r: describe(rulebook.vocabulary, rulebook.regimes[r]) for r in REGIMES}


@pytest.fixture(scope="module")
def denied(rulebook: Rulebook) -> Any:
    codes = {r: rulebook.regimes[r].outcomes["unmet"].code for r in REGIMES}
    return {r: orders(rulebook, r, outcome=codes[r]) for r in REGIMES}


@pytest.fixture(scope="module")
def rules(rulebook: Rulebook) -> Any:
    return rule_sets(rulebook)


def _repaired(choices: Choices, stated: Stated) -> set[str]:
    """Hold every repair of an order to its word; the rules that have one."""
    program = choices.program
    values = derived(program, make_order(program.vocabulary, stated).values)
    repaired = set()
    for number, finding in enumerate(judge(program, values).findings):
        repair = repair_of(program, finding.rule, values) if finding.status == "unmet" else None
        if repair is None:
            continue
        repaired.add(finding.rule.id)
        kind = repair.fact.type
        assert repair.fact.held_by not in ("nobody", "agency", "customs", "importing-state", "lab")
        assert repair.fact.derived is None
        assert kind.lo is not None
        assert kind.hi is not None
        assert kind.lo <= repair.to <= kind.hi
        beyond = repair.to + (1 if repair.op == "<=" else -1)

        def with_fact(value: int, number: int = number, path: str = repair.fact.path) -> str:
            facts = {**stated, path: value}
            return Plain(
                program.vocabulary, program.regime, program.parameters, program.day, facts
            ).finding(number)

        assert with_fact(repair.to) == "met"
        assert with_fact(beyond) == "unmet"
        farthest = kind.lo if repair.op == "<=" else kind.hi
        for part in range(5):
            assert with_fact(repair.to + (farthest - repair.to) * part // 4) == "met"
        now = stated[repair.fact.path]
        assert isinstance(now, int)
        assert now > repair.to if repair.op == "<=" else now < repair.to
    return repaired


@given(data=st.data())
def test_a_repair_is_the_bound(
    choices: dict[str, Choices], denied: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(REGIMES))
    _repaired(choices[name], data.draw(denied[name]).stated)


@pytest.mark.deep
@settings(settings.get_profile("deep"))
@given(data=st.data())
def test_a_repair_is_the_bound_on_very_many(
    choices: dict[str, Choices], denied: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(REGIMES))
    _repaired(choices[name], data.draw(denied[name]).stated)


@given(data=st.data())
def test_a_repair_is_the_bound_under_any_rules(
    rulebook: Rulebook, rules: Any, data: st.DataObject
) -> None:
    regime = data.draw(rules).parse(rulebook.vocabulary)
    assert regime is not None
    rule = data.draw(st.sampled_from(regime.rules))
    choices = describe(rulebook.vocabulary, regime, rule.in_force.start)
    search = Search(choices, Random(data.draw(st.integers(0, 10**6))))
    _repaired(choices, search.broken(search.filled(), rule))


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("order.quantity <= 10", ("<=", 10)),
        ("order.quantity < 10", ("<=", 9)),
        ("order.quantity > 60", (">=", 61)),
        ("order.quantity >= 60", (">=", 60)),
        ("not order.quantity > 10", ("<=", 10)),
        ("order.quantity * 2 < 25", ("<=", 12)),
        ("order.quantity == 10", None),
        # Both limits turn on the quantity: the nearer one is the bound.
        ("order.quantity <= 10 and order.quantity < 12", ("<=", 10)),
        ("order.quantity <= 12 and order.quantity < 12", ("<=", 11)),
        ("order.quantity * 2 <= 15 and order.quantity < 9", ("<=", 7)),
        ("order.quantity >= 60 and order.quantity > 60", (">=", 61)),
        ("customer.units_to_date + order.chips <= 90 and order.quantity < 48", ("<=", 40)),
        ("order.quantity >= 10 and order.quantity <= 40", None),
        ("order.quantity <= 10 and order.quantity == 5", None),
        # A minimum or maximum bends the quantity: the stretch on which the rule holds may end.
        ("min(order.quantity, 40) <= 10", None),
        ("max(order.quantity, 4) <= 10", None),
        ("max(order.quantity, 100) - order.quantity >= 60", None),
        ("min(order.quantity, 70) * 2 - order.quantity >= 65", None),
        # Two comparisons of one fact: halving the distance could stop at either.
        ("order.quantity <= 10 or order.quantity == 12", None),
        ("order.quantity <= 10 and order.quantity >= 5", None),
        ("customer.units_to_date <= 10", None),
        ("order.quantity <= 10 and not terms.cancellable", None),
        ("order.quantity <= 10 and pledge.sealed", None),
    ],
)
def test_a_single_number_is_repaired_to_its_bound(
    rulebook: Rulebook, text: str, bound: tuple[str, int] | None
) -> None:
    regime = rulebook.regimes["h200-article"]
    expr = read_condition(text, names_of(rulebook.vocabulary, regime))
    program = one_rule(rulebook, regime, expr)
    stated: Stated = {
        "order.quantity": 50,
        "item.chips_per_unit": 1,
        "customer.units_to_date": 50,
        "terms.cancellable": True,
    }
    values = derived(program, make_order(rulebook.vocabulary, stated).values)
    repair = repair_of(program, program.regime.rules[0], values)
    assert (None if repair is None else (repair.op, repair.to)) == bound


def test_what_a_number_can_repair_is_repaired(
    rulebook: Rulebook, choices: dict[str, Choices]
) -> None:
    repaired = {
        (regime, rule)
        for regime in REGIMES
        for order in sampled_orders(rulebook, regime, seed=6, count=2_000)
        for rule in _repaired(choices[regime], order.stated)
    }
    assert repaired == {
        ("bis-2026", "volume-ratio"),
        ("h200-article", "customer-cap"),
        ("h200-article", "full-prepayment"),
        ("h200-article", "transaction-fee"),
        ("h200-reported", "customer-cap"),
        ("h200-reported", "import-duty"),
        ("h200-reported", "payment-in-advance"),
    }
