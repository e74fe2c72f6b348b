"""placet's `evaluate`: every finding with both sides of each comparison; decides nothing itself.

The regime must hold exactly the seven conditions of `tests.bench.orders`, no other rule.
"""

from tests.bench.contest import Reader
from tests.bench.orders import Order


def prepare() -> Reader:
    """Load the regime once; an order is read into placet's own form before the clock starts."""
    # ---- plug in here: load the regime, then return the reader, for instance
    #
    #     regime = ...the seven rules of h200-article, compiled once at a fixed as_of...
    #     return lambda order: partial(_failed, regime, read(facts(order)))
    #
    # with `_failed` calling `evaluate` and returning the names of the unmet findings.
    raise NotImplementedError("tests/bench/peers/placet.py: `evaluate` is not plugged in yet")


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
