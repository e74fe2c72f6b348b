"""placet's `evaluate`: every finding with both sides of each comparison; decides nothing itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from engine.evaluate import Program, compile_regime, judge
from engine.load import load
from engine.order import Document, read_order
from tests.bench.contest import Reader
from tests.bench.orders import CONDITIONS, Order


def prepare() -> Reader:
    """Load the seven rules once; an order is read into slots before the clock starts."""
    book = load(Path("rules"), ("h200-article",))
    whole = book.regimes["h200-article"]
    seven = replace(whole, rules=tuple(rule for rule in whole.rules if rule.id in CONDITIONS))
    program = compile_regime(seven, book.vocabulary, date(2026, 2, 1).toordinal())

    def read(order: Order) -> partial[frozenset[str]]:
        values = read_order(book.vocabulary, Document(facts(order))).values
        return partial(_failed, program, values)

    return read


def _failed(program: Program, values: Sequence[Any]) -> frozenset[str]:
    findings = judge(program, values).findings
    return frozenset([f.rule.id for f in findings if f.status == "unmet"])


def facts(order: Order) -> dict[str, str | bool]:
    """Write the order as an order file would: integers and money as text, all facts known."""
    return {
        "order.placed_on": "2026-02-01",
        "order.destination": "CN",
        "order.transaction": "export",
        "order.quantity": str(order.quantity),
        "order.unit_price": _money(order.unit_price_cents),
        "item.product": order.product,
        "item.chips_per_unit": str(order.chips_per_unit),
        "customer.units_to_date": str(order.units_to_date),
        "customer.military_end_user": order.military_end_user,
        "fee.paid": _money(order.fee_cents),
        "payment.prepaid": _money(order.prepaid_cents),
        "pledge.submitted": order.pledge_submitted,
        "pledge.non_military": order.pledge_non_military,
        "pledge.signed_on": "2026-01-15",
        "end_use.category": order.end_use,
        "terms.cancellable": order.cancellable,
        "review.commerce": order.commerce,
        "review.state": order.state,
        "review.defense": order.defense,
    }


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
