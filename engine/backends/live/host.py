"""The one door to durable_rules: rulesets go in, batches of facts go in, conclusions come out.

Every hazard of the library is held off here or made impossible by what is registered. Whatever
goes wrong is a `BackendFailure`; after one the host answers no more, and its process is to end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Generic, TypeVar

from durable.engine import Closure
from durable.engine import Host as DurableHost

from engine.diagnostics import BackendFailure, Diagnostic, Source, Span

Pattern = Mapping[str, Any]
"""A condition on one fact, in the words of the library."""
PostedFact = dict[str, int | str]
"""A fact as posted: `sid`, `id`, int64 and the signs `t`, `f` and `u`; never text of a user."""

C = TypeVar("C")

LARGEST = 2**63 - 1


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
            raise self._failure("a ruleset could not be made", error) from error
        return name

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
            raise self._failure("facts were not taken", error) from error
        # A fact that no rule takes raises, so by now the state is there and may be deleted.
        rulesets = self._alive.setdefault(sid, [])
        if ruleset not in rulesets:
            rulesets.append(ruleset)
        if not isinstance(state, dict) or "exception" in state:
            raise self._failure("an action failed", state)
        return self._concluded.copy()

    def forget(self, sid: str) -> None:
        """Delete the states of a name that facts were posted to; any other kills the process."""
        for ruleset in self._alive.pop(sid, ()):
            if not self._has_failed:
                self._durable.delete_state(ruleset, sid)

    def _refuse_after_failure(self) -> None:
        if self._has_failed:
            raise self._failure("the back end failed before", "its process was not ended")

    def _failure(self, what: str, why: object) -> BackendFailure:
        self._has_failed = True
        return failure(f"{what}: {type(why).__name__} {why}"[:300])


def failure(message: str) -> BackendFailure:
    """What is raised where the library or its use went wrong."""
    place = Span(Source("live"))
    help = "decide with the reference evaluator; the order itself is not at fault"
    return BackendFailure([Diagnostic("B001", place, " ".join(message.split()), help)])
