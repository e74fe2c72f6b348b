"""The seven conditions as plain Python: the floor, with names of failures and no evidence."""

from functools import partial

from tests.bench.contest import Reader
from tests.bench.orders import CAP, CONSENTS, NO_OBJECTIONS, Order


def prepare() -> Reader:
    """Return the reader; there is nothing to compile."""
    return lambda order: partial(_failed, order)


def _failed(order: Order) -> frozenset[str]:
    failed = []
    value_cents = order.quantity * order.unit_price_cents
    if order.units_to_date + order.quantity * order.chips_per_unit > CAP:
        failed.append("customer-cap")
    if 4 * order.fee_cents < value_cents:
        failed.append("transaction-fee")
    if order.prepaid_cents < value_cents:
        failed.append("full-prepayment")
    if not (order.pledge_submitted and order.pledge_non_military):
        failed.append("non-military-pledge")
    if order.end_use != "civil" or order.military_end_user:
        failed.append("civil-end-use")
    if order.cancellable:
        failed.append("no-cancellation")
    if not (
        order.commerce in CONSENTS
        and order.state in NO_OBJECTIONS
        and order.defense in NO_OBJECTIONS
    ):
        failed.append("multi-agency-review")
    return frozenset(failed)
