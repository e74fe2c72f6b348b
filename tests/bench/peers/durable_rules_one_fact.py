"""durable_rules at its fastest: the whole order as one fact, and rules for failures only.

Not safe to build on: it knows no unknown, a condition that never fires looks met, and beyond 64
conditions matched by one message it stops with an error.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from durable.engine import Closure, Host

from tests.bench.contest import Reader
from tests.bench.orders import CAP, CONSENTS, NO_OBJECTIONS, Order
from tests.bench.peers.durable_rules import QuietHost, sign

_Pattern = dict[str, object]
_Record = Callable[[Closure], None]


def prepare() -> Reader:
    """Compile the ruleset once; every decision takes a fresh `sid`."""
    fired: list[str] = []
    host = QuietHost({"h200": _rules(fired)})
    decide = partial(_failed, host, fired, count())
    return lambda order: partial(decide, order)


def _failed(host: Host, fired: list[str], sids: Iterator[int], order: Order) -> frozenset[str]:
    fired.clear()
    sid = str(next(sids))
    state = host.assert_fact("h200", {"sid": sid, "id": "order", **_fact(order)})
    if state is None or "exception" in state or "seen" not in fired:
        raise RuntimeError(f"the order was not judged: {state}")
    host.delete_state("h200", sid)
    failed = frozenset(fired) - {"seen"}
    if len(failed) + 1 != len(fired):
        raise RuntimeError(f"a condition fired twice: {fired}")
    return failed


def _fact(order: Order) -> dict[str, object]:
    return {
        "order": "t",
        "chips": order.units_to_date + order.quantity * order.chips_per_unit,
        "value": order.quantity * order.unit_price_cents,
        "four_fees": 4 * order.fee_cents,
        "prepaid": order.prepaid_cents,
        "submitted": sign(order.pledge_submitted),
        "non_military": sign(order.pledge_non_military),
        "civil": sign(order.end_use == "civil"),
        "military_user": sign(order.military_end_user),
        "cancellable": sign(order.cancellable),
        "commerce": sign(order.commerce in CONSENTS),
        "state": sign(order.state in NO_OBJECTIONS),
        "defense": sign(order.defense in NO_OBJECTIONS),
    }


def _rules(fired: list[str]) -> dict[str, object]:
    def fires(name: str) -> _Record:
        return lambda _: fired.append(name)

    # The first rule matches every order: without a match there is no state that may be deleted.
    return {
        f"{name}.{index}": {"all": [{"m": pattern}], "run": fires(name)}
        for index, (name, pattern) in enumerate(_failures())
    }


def _failures() -> tuple[tuple[str, _Pattern], ...]:
    return (
        ("seen", {"order": "t"}),
        ("customer-cap", {"$gt": {"chips": CAP}}),
        ("transaction-fee", {"$lt": {"four_fees": {"$m": "value"}}}),
        ("full-prepayment", {"$lt": {"prepaid": {"$m": "value"}}}),
        ("non-military-pledge", {"submitted": "f"}),
        ("non-military-pledge", {"$and": [{"submitted": "t"}, {"non_military": "f"}]}),
        ("civil-end-use", {"civil": "f"}),
        ("civil-end-use", {"$and": [{"civil": "t"}, {"military_user": "t"}]}),
        ("no-cancellation", {"cancellable": "t"}),
        ("multi-agency-review", {"commerce": "f"}),
        ("multi-agency-review", {"$and": [{"commerce": "t"}, {"state": "f"}]}),
        (
            "multi-agency-review",
            {"$and": [{"commerce": "t"}, {"state": "t"}, {"defense": "f"}]},
        ),
    )
