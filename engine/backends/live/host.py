"""The one door to durable_rules: rulesets go in, batches of facts go in, conclusions come out.

Every hazard of the library is held off here or made impossible by what is registered. Whatever
goes wrong is a `BackendFailure`; after one the host answers no more, and its process is to end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

from durable.engine import Closure
from durable.engine import Host as DurableHost

from engine.backends.live.posting import Pattern, PostedFact, failure
from engine.diagnostics import BackendFailure

C = TypeVar("C")


class Trigger(NamedTuple, Generic[C]):
    """What a stage of a chart does with one kind of event: where it leads, and what is concluded."""

    pattern: Pattern
    to: str
    concludes: C


class _QuietHost(DurableHost):  # type: ignore[misc]  # the library has no types
    """A host whose two timer threads never start, so that one thread runs every action."""

    def _run(self) -> None:
        pass


class Host(Generic[C]):
    """Rulesets in one process, one thread; a ruleset is never freed, so `registered` is watched."""

    def __init__(self) -> None:
        self._durable = _QuietHost()
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
        name = f"s{self.registered}"
        definition = {
            f"r{number}": {"all": [{"m": pattern}], "run": self._recorder(conclusion)}
            for number, (pattern, conclusion) in enumerate(rules)
        }
        self._refuse_after_failure()
        self.registered += 1
        try:
            self._durable.register_rulesets({name: definition})
        except Exception as error:
            raise self.failure("a ruleset could not be made", error) from error
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
            raise self.failure("a chart could not be made", error) from error
        return name

    def post(self, chart: str, sid: str, event: PostedFact) -> C:
        """Post an event to a chart, and say what the one trigger that took it concludes."""
        self._refuse_after_failure()
        self._concluded.clear()
        try:
            state = self._durable.post(chart, event)
        except Exception as error:
            raise self.failure("an event was not taken", error) from error
        charts = self._alive.setdefault(sid, [])
        if chart not in charts:
            charts.append(chart)
        if not isinstance(state, dict) or "exception" in state:
            raise self.failure("an action failed", state)
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
        self._concluded.clear()
        try:
            state = self._durable.assert_facts(ruleset, facts)
        except Exception as error:
            raise self.failure("facts were not taken", error) from error
        # A fact that no rule takes raises, so by now the state is there and may be deleted.
        rulesets = self._alive.setdefault(sid, [])
        if ruleset not in rulesets:
            rulesets.append(ruleset)
        if not isinstance(state, dict) or "exception" in state:
            raise self.failure("an action failed", state)
        if len(self._concluded) != len(facts):
            found = f"{len(self._concluded)} of {len(facts)} facts"
            raise self.failure("not one conclusion for each fact", found)
        return self._concluded.copy()

    def forget(self, sid: str) -> None:
        """Delete the states of a name that facts were posted to; any other kills the process."""
        for ruleset in self._alive.pop(sid, ()):
            if not self._has_failed:
                self._durable.delete_state(ruleset, sid)

    def _refuse_after_failure(self) -> None:
        if self._has_failed:
            raise self.failure("the back end failed before", "its process was not ended")

    def failure(self, what: str, why: object) -> BackendFailure:
        """What is raised where the library went wrong; from then on the host answers no more."""
        self._has_failed = True
        told = why if isinstance(why, str) else f"{type(why).__name__} {why}"
        return failure(f"{what}: {told}"[:300])
