"""durable_rules in the encoding that the live back end uses: one small fact per condition.

Three verdicts per condition, one fact for the outcome, then the state is deleted. No `$or` over
facts: it fires once per true alternative, so alternatives exclude each other.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from durable.engine import Closure, Host

from tests.bench.contest import Reader
from tests.bench.orders import CAP, CONDITIONS, CONSENTS, NO_OBJECTIONS, Order

_Pattern = dict[str, object]
_Record = Callable[[Closure], None]

_COMPARED = ("customer-cap", "transaction-fee", "full-prepayment")
_SIGNS = {
    "non-military-pledge": ("submitted", "non_military"),
    "civil-end-use": ("civil", "no_military_user"),
    "no-cancellation": ("binding",),
    "multi-agency-review": ("commerce", "state", "defense"),
}


class QuietHost(Host):  # type: ignore[misc]  # the library has no types
    """A host whose two timer threads never start, so that one thread runs every action."""

    def _run(self) -> None:
        pass


def prepare() -> Reader:
    """Compile the ruleset once; every decision takes a fresh `sid`."""
    findings: list[tuple[str, str]] = []
    outcomes: list[str] = []
    host = QuietHost({"h200": _rules(findings, outcomes)})
    decide = partial(_failed, host, findings, outcomes, count())
    return lambda order: partial(decide, order)


def _failed(
    host: Host,
    findings: list[tuple[str, str]],
    outcomes: list[str],
    sids: Iterator[int],
    order: Order,
) -> frozenset[str]:
    findings.clear()
    outcomes.clear()
    sid = str(next(sids))
    _refuse_faults(host.assert_facts("h200", _facts(order, sid)))
    statuses = dict(findings)
    if len(findings) != len(CONDITIONS) or len(statuses) != len(CONDITIONS):
        raise RuntimeError(f"not exactly one finding per condition: {findings}")
    failed = frozenset(name for name, status in findings if status == "unmet")
    unknown = sum(status == "unknown" for status in statuses.values())
    counted = {"outcome": "t", "unmet": len(failed), "unknown": unknown}
    _refuse_faults(host.assert_fact("h200", {"sid": sid, "id": "outcome", **counted}))
    host.delete_state("h200", sid)
    if outcomes != ["deny" if failed else "approve"]:
        raise RuntimeError(f"{outcomes} does not follow from {findings}")
    return failed


def _refuse_faults(state: dict[str, object] | None) -> None:
    if state is None or "exception" in state:
        raise RuntimeError(f"an action failed: {state}")


def _facts(order: Order, sid: str) -> list[dict[str, object]]:
    value_cents = order.quantity * order.unit_price_cents
    chips = order.units_to_date + order.quantity * order.chips_per_unit
    compared = (
        (chips, CAP),
        (value_cents, 4 * order.fee_cents),
        (value_cents, order.prepaid_cents),
    )
    facts: list[dict[str, object]] = [
        {"sid": sid, "id": name, "rule": name, "known": "t", "left": left, "right": right}
        for name, (left, right) in zip(_COMPARED, compared, strict=True)
    ]
    facts += (
        {"sid": sid, "id": name, "rule": name, **dict(zip(_SIGNS[name], signs, strict=True))}
        for name, signs in _signs(order)
    )
    return facts


def _signs(order: Order) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("non-military-pledge", (sign(order.pledge_submitted), sign(order.pledge_non_military))),
        ("civil-end-use", (sign(order.end_use == "civil"), sign(not order.military_end_user))),
        ("no-cancellation", (sign(not order.cancellable),)),
        (
            "multi-agency-review",
            (
                sign(order.commerce in CONSENTS),
                sign(order.state in NO_OBJECTIONS),
                sign(order.defense in NO_OBJECTIONS),
            ),
        ),
    )


def sign(holds: bool) -> str:
    """Write a known truth value as the ruleset reads it; `u` stands for unknown."""
    return "t" if holds else "f"


def _rules(findings: list[tuple[str, str]], outcomes: list[str]) -> dict[str, object]:
    def finding(name: str, status: str) -> _Record:
        return lambda _: findings.append((name, status))

    def outcome(name: str) -> _Record:
        return lambda _: outcomes.append(name)

    rules: dict[str, object] = {}
    for name, patterns in (*_comparisons(), *_conjunctions()):
        for index, (status, pattern) in enumerate(patterns):
            rules[f"{name}.{index}"] = _rule([{"rule": name}, *pattern], finding(name, status))
    for name, pattern in _outcomes():
        rules[f"outcome.{name}"] = _rule([{"outcome": "t"}, *pattern], outcome(name))
    return rules


def _rule(patterns: list[_Pattern], record: _Record) -> dict[str, object]:
    return {"all": [{"m": {"$and": patterns}}], "run": record}


def _comparisons() -> Iterator[tuple[str, list[tuple[str, list[_Pattern]]]]]:
    for name in _COMPARED:
        yield (
            name,
            [
                ("met", [{"known": "t"}, {"$lte": {"left": {"$m": "right"}}}]),
                ("unmet", [{"known": "t"}, {"$gt": {"left": {"$m": "right"}}}]),
                ("unknown", [{"known": "u"}]),
            ],
        )


def _conjunctions() -> Iterator[tuple[str, list[tuple[str, list[_Pattern]]]]]:
    for name, signs in _SIGNS.items():
        patterns: list[tuple[str, list[_Pattern]]] = [("met", [{sign: "t"} for sign in signs])]
        for index, sign in enumerate(signs):
            before, after = signs[:index], signs[index + 1 :]
            not_before: list[_Pattern] = [{"$neq": {other: "f"}} for other in before]
            true_before: list[_Pattern] = [{other: "t"} for other in before]
            not_after: list[_Pattern] = [{"$neq": {other: "f"}} for other in after]
            patterns.append(("unmet", [*not_before, {sign: "f"}]))
            patterns.append(("unknown", [*true_before, {sign: "u"}, *not_after]))
        yield name, patterns


def _outcomes() -> tuple[tuple[str, list[_Pattern]], ...]:
    return (
        ("deny", [{"$gt": {"unmet": 0}}]),
        ("incomplete", [{"unmet": 0}, {"$gt": {"unknown": 0}}]),
        ("approve", [{"unmet": 0}, {"unknown": 0}]),
    )
