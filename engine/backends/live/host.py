"""The one door to durable_rules: rulesets go in, batches of facts go in, conclusions come out.

Every hazard of the library is held off here or made impossible by what is registered. Whatever
goes wrong is a `BackendFailure`; after one the host answers no more, and its process is to end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

import durable_rules_engine
from durable.engine import Closure, Ruleset
from durable.engine import Host as DurableHost

from engine.backends.live.posting import Pattern, PostedFact, failure
from engine.diagnostics import BackendFailure

C = TypeVar("C")

_KEPT = 2**24


class Trigger(NamedTuple, Generic[C]):
    """What a stage of a chart does with one kind of event: where it leads, and what is concluded."""

    pattern: Pattern
    to: str
    concludes: C


class _QuietHost(DurableHost):  # type: ignore[misc]  # the library has no types
    """A host whose two timer threads never start, so that one thread runs every action."""

    def _run(self) -> None:
        pass


class _Rules(Ruleset):  # type: ignore[misc]  # the library has no types
    """A ruleset whose rules only say that they fired.

    After every action the library's own loop writes the state anew, which takes three times as
    long; it swallows what an action raises, and looks at the clock.
    """

    def __init__(self, name: str, host: DurableHost, patterns: Sequence[Pattern]) -> None:
        rules = {f"r{n}": {"all": [{"m": p}], "run": _nothing} for n, p in enumerate(patterns)}
        super().__init__(name, host, rules)

    def fired(self, state: int) -> Iterator[int]:
        """The numbers of the rules that fire on a state, each done with before the next."""
        started = durable_rules_engine.start_action_for_state(self._handle, state)
        told = started[1] if started else None
        while told:
            # The name of the rule stands before the fact that it took: {"r12":{"m":{…}}}.
            yield int(told[3 : told.index('"', 3)])
            told = durable_rules_engine.complete_and_start_action(self._handle, state)


def _nothing(_: Closure) -> None:
    pass


class Host(Generic[C]):
    """Rulesets in one process, one thread; a ruleset is never freed, so `registered` is watched."""

    def __init__(self) -> None:
        # Once a block of this size was given back, the C library keeps smaller ones for the next
        # state; else every decision by many rules fetches its memory anew, for half of its time.
        bytearray(_KEPT)
        self._durable = _QuietHost()
        self._rules: dict[str, tuple[_Rules, tuple[C, ...]]] = {}
        self._concluded: list[C] = []
        self._alive: dict[str, list[str]] = {}
        self._sids = count(1)
        self._has_failed = False
        self.registered = 0

    def fresh_sid(self) -> str:
        """The name of a state that was never used."""
        return str(next(self._sids))

    def register(self, rules: Sequence[tuple[Pattern, C]]) -> str:
        """Make a ruleset of patterns with what each concludes; its name is made here."""
        self._refuse_after_failure()
        name = f"s{self.registered}"
        self.registered += 1
        patterns, conclusions = zip(*rules, strict=True)
        try:
            self._rules[name] = (_Rules(name, self._durable, patterns), conclusions)
        except Exception as error:
            raise self.failure("a ruleset could not be made", _told(error)) from error
        return name

    def register_chart(self, stages: Mapping[str, Sequence[Trigger[C]]]) -> str:
        """Make a statechart; the first stage is that in which a state begins."""
        name = f"s{self.registered}"
        labels = {stage: f"q{number}" for number, stage in enumerate(stages)}
        definition = {
            labels[stage]: {
                f"t{number}": {
                    "all": [{"m": trigger.pattern}],
                    "to": labels[trigger.to],
                    "run": self._recorder(trigger.concludes),
                }
                for number, trigger in enumerate(triggers)
            }
            for stage, triggers in stages.items()
        }
        self._refuse_after_failure()
        self.registered += 1
        try:
            self._durable.register_rulesets({f"{name}$state": definition})
        except Exception as error:
            raise self.failure("a chart could not be made", _told(error)) from error
        return name

    def post(self, chart: str, sid: str, event: PostedFact) -> C:
        """Post an event to a chart, and say what the one trigger that took it concludes."""
        self._refuse_after_failure()
        self._concluded.clear()
        try:
            state = self._durable.post(chart, event)
        except Exception as error:
            raise self.failure("an event was not taken", _told(error)) from error
        self._seen(chart, sid)
        if not isinstance(state, dict) or "exception" in state:
            raise self.failure("an action failed", "its state says so")
        if len(self._concluded) != 1:
            raise self.failure("not one trigger for an event", f"{len(self._concluded)}")
        return self._concluded[0]

    def _recorder(self, conclusion: C) -> Any:
        """An action that only records: what fails inside an action is swallowed."""
        concluded = self._concluded

        def record(_: Closure) -> None:
            concluded.append(conclusion)

        return record

    def conclude(self, ruleset: str, sid: str, facts: list[PostedFact]) -> list[C]:
        """Post facts of one state in one batch, and say what was concluded from them."""
        self._refuse_after_failure()
        rules, conclusions = self._rules[ruleset]
        try:
            state = rules.assert_facts(facts)
            found = [conclusions[number] for number in rules.fired(state)]
        except Exception as error:
            raise self.failure("facts were not taken", _told(error)) from error
        if len(found) != len(facts):
            told = f"{len(found)} of {len(facts)} facts"
            raise self.failure("not one conclusion for each fact", told)
        self._seen(ruleset, sid)
        return found

    def _seen(self, name: str, sid: str) -> None:
        """Note a state in which a rule has fired: only then it may be deleted."""
        names = self._alive.setdefault(sid, [])
        if name not in names:
            names.append(name)

    def forget(self, sid: str) -> None:
        """Delete the states of a name in which rules have fired; any other kills the process."""
        for name in self._alive.pop(sid, ()):
            if self._has_failed:
                continue
            if name in self._rules:
                self._rules[name][0].delete_state(sid)
            else:
                self._durable.delete_state(name, sid)

    def _refuse_after_failure(self) -> None:
        if self._has_failed:
            raise self.failure("the back end failed before", "its process was not ended")

    def failure(self, what: str, why: str) -> BackendFailure:
        """What is raised where the library went wrong; from then on the host answers no more."""
        self._has_failed = True
        return failure(f"{what}: {why}"[:300])


def _told(error: Exception) -> str:
    """What an exception of the library says, without the facts that some of them repeat."""
    name = type(error).__name__
    return f"{name} {error}" if name == "error" else name
