"""Single orders judged by Rete: every finding and the outcome, as the reference judges them.

Shares with the reference only reading and arithmetic, and which rules are in force.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from engine.backends.live.cutting import cut
from engine.backends.live.host import Host
from engine.backends.live.network import Conclusion, Network, conclude, register
from engine.backends.live.posting import Pattern, PostedFact
from engine.concord import Verdict
from engine.evaluate import Program, derived
from engine.generate import Truth, Values
from engine.ir import Regime, Status
from engine.vocabulary import Vocabulary

_TRUTH: Mapping[str, Truth] = {"t": True, "f": False, "u": None}
_OUTCOME = 0
"""The part that stands for the outcome; those of conditions are numbered from 1."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LiveRegime:
    """A regime as registered once, for every day and policy, with the parts of scope and rules."""

    regime: Regime
    network: Network
    scope: int
    rules: tuple[int, ...]


def compile_live(host: Host[Conclusion], regime: Regime, vocabulary: Vocabulary) -> LiveRegime:
    """Register the rulesets of a regime. Raises `BackendFailure` where it cannot be expressed."""
    whole = cut(regime)
    network = register(host, whole.parts, vocabulary, more=_outcome_rules())
    return LiveRegime(regime, network, whole.scope, whole.rules)


def judge_live(live: LiveRegime, program: Program, values: Values) -> Verdict:
    """Judge one order, given its values by slot. Raises `BackendFailure`."""
    if program.regime is not live.regime:
        raise ValueError("a program of another regime")
    rules = zip(live.rules, program.aside, strict=True)
    judged = [part for part, aside in rules if aside is None]
    host = live.network.host
    sid = host.fresh_sid()
    try:
        held = derived(program, values)
        concluded = conclude(live.network, sid, program, held, [live.scope, *judged])
        scope = concluded[live.scope]
        status = _outcome(live, sid, scope, [concluded[part] for part in judged])
    finally:
        host.forget(sid)
    statuses = (concluded.get(part, "not-applicable") for part in live.rules)
    return Verdict(status, _TRUTH[scope], tuple(cast(Status, word) for word in statuses))


def _outcome(live: LiveRegime, sid: str, scope: str, statuses: list[str]) -> Status:
    """Post how many rules have which status, and take what Rete concludes from it."""
    counts = Counter(statuses)
    fact: PostedFact = {"sid": sid, "id": "outcome", "rule": _OUTCOME, "scope": scope}
    fact |= {word: counts[word] for word in ("unmet", "unknown", "met")}
    found = live.network.host.conclude(live.network.rulesets[0], sid, [fact])
    return cast(Status, found[0][1])


def _outcome_rules() -> Iterator[tuple[Pattern, Conclusion]]:
    """Which outcome follows from scope and counts: all of them exclude one another."""
    inside, open_ = {"scope": "t"}, {"scope": "u"}
    no_unmet, no_unknown, no_met = {"unmet": 0}, {"unknown": 0}, {"met": 0}
    unmet, unknown, met = ({"$gt": {word: 0}} for word in ("unmet", "unknown", "met"))
    outcomes: Mapping[Status, list[list[Pattern]]] = {
        "met": [[inside, no_unmet, no_unknown, met]],
        "unmet": [[inside, unmet]],
        "unknown": [
            [inside, no_unmet, unknown],
            [open_, unmet],
            [open_, no_unmet, unknown],
            [open_, no_unmet, no_unknown, met],
        ],
        "not-applicable": [
            [{"scope": "f"}],
            [{"$neq": {"scope": "f"}}, no_unmet, no_unknown, no_met],
        ],
    }
    for status, ways in outcomes.items():
        patterns = [{"$and": [{"rule": _OUTCOME}, *way]} for way in ways]
        yield patterns[0] if len(patterns) == 1 else {"$or": patterns}, (_OUTCOME, status)
