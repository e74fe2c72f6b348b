"""Sampled orders: the same for a seed, readable, of every outcome and near every threshold."""

from __future__ import annotations

from itertools import islice

import pytest

from engine.choices import TEXTS, describe
from engine.evaluate import judge
from engine.load import Rulebook
from engine.order import Document, make_order, read_order, write_facts
from engine.sample import met_orders, orders, orders_by_status

REGIMES = ("bis-2026", "h200-article", "h200-reported", "section-232-duty")


@pytest.mark.parametrize("regime", REGIMES)
def test_a_seed_gives_the_same_orders(rulebook: Rulebook, regime: str) -> None:
    one, two = ([o.stated for o in orders(rulebook, regime, seed=9, count=300)] for _ in range(2))
    other = [o.stated for o in orders(rulebook, regime, seed=10, count=300)]
    assert one == two
    assert one != other


@pytest.mark.parametrize("regime", REGIMES)
def test_a_sampled_order_can_be_written_and_read(rulebook: Rulebook, regime: str) -> None:
    vocabulary = rulebook.vocabulary
    for order in orders(rulebook, regime, seed=11, count=500):
        again = read_order(vocabulary, Document(write_facts(vocabulary, order.stated)))
        assert again.values == order.values


@pytest.mark.parametrize("regime", REGIMES)
def test_what_is_offered_for_a_status_has_it(rulebook: Rulebook, regime: str) -> None:
    choices = describe(rulebook.vocabulary, rulebook.regimes[regime])
    found = orders_by_status(choices)
    for status, several in found.items():
        assert several
        for stated in several:
            order = make_order(rulebook.vocabulary, stated)
            assert judge(choices.program, order.values).status == status
    assert len(met_orders(choices, count=10)) == 10


def test_thresholds_stand_among_the_choices(rulebook: Rulebook) -> None:
    article = describe(rulebook.vocabulary, rulebook.regimes["h200-article"])
    assert {74_999, 75_000, 75_001} <= set(article.of("customer.units_to_date").near)
    assert {1, 75_000, 10**7} <= set(article.of("order.quantity").near)
    assert {"H200-SXM", "CN"} <= {
        *article.of("item.product").near,
        *article.of("order.destination").near,
    }
    bis = describe(rulebook.vocabulary, rulebook.regimes["bis-2026"])
    assert {2_099_999, 2_100_000, 2_100_001} <= set(bis.of("item.tpp").near)
    assert set(TEXTS) == set(article.of("customer.name").near)


def test_many_orders_stand_exactly_on_a_threshold(rulebook: Rulebook) -> None:
    program = describe(rulebook.vocabulary, rulebook.regimes["h200-article"]).program
    gaps = [
        left - right
        for order in islice(orders(rulebook, "h200-article", seed=12), 3_000)
        for finding in judge(program, order.values).findings
        if finding.rule.id == "customer-cap"
        for left, right in finding.sides
        if left is not None
    ]
    assert gaps.count(0) > 100
    assert gaps.count(1) > 20
    assert gaps.count(-1) > 20
