"""What the process behind the fence holds, and its work there: judge an order by the live back end.

Only that process imports the library.
"""

from __future__ import annotations

import pickle
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from engine.concord import Verdict
from engine.decide import Policy, prepare
from engine.diagnostics import BackendFailure
from engine.evaluate import Program
from engine.lifecycle import Happening, Outline, Setting, State
from engine.load import Rulebook
from engine.order import make_order
from engine.values import Value

if TYPE_CHECKING:
    from engine.backends.live.charts import LiveChart
    from engine.backends.live.decisions import LiveRegime
    from engine.backends.live.host import Host

T = TypeVar("T")
_MOST_PROGRAMS = 1000
_PATIENCE = 2
"""How much longer than its time a piece of work may take when nobody is left to end it."""


@dataclass(slots=True, eq=False)
class Bench:
    """The rules of the service, the host of the library, and what was compiled for it."""

    rulebook: Rulebook
    host: Host[Any]
    regimes: Mapping[str, LiveRegime | BackendFailure]
    """Each as the library knows it, or why it is too large for it."""
    charts: Mapping[str, LiveChart | BackendFailure]
    begun_with: int
    """How many rulesets were registered when the process began."""
    programs: dict[Any, Program] = field(default_factory=dict)

    def regime(self, id: str) -> LiveRegime:
        """A regime as the library knows it. Raises `BackendFailure` where it is too large."""
        return _held(self.regimes[id])

    def chart(self, id: str) -> LiveChart:
        """A process as the library knows it. Raises `BackendFailure` where it is too large."""
        return _held(self.charts[id])

    def program(self, id: str, policy: Policy) -> Program:
        """A regime as it stands on one day under one policy."""
        changes = tuple(policy.overrides.items())
        key = (id, policy.day, changes, policy.without, policy.only)
        if key not in self.programs:
            if len(self.programs) >= _MOST_PROGRAMS:
                self.programs.clear()
            self.programs[key] = prepare(self.rulebook, self.rulebook.regimes[id], policy)
        return self.programs[key]


def open_bench(book: bytes) -> Bench:
    """The bench of a process that has just begun.

    All is loaded and registered now, and not within the time of the first order.
    """
    from engine.backends.live.charts import compile_chart
    from engine.backends.live.decisions import compile_live
    from engine.backends.live.host import Host

    rules: Rulebook = pickle.loads(book)
    host: Host[Any] = Host()
    regimes = {
        id: _made(compile_live, host, regime, rules.vocabulary)
        for id, regime in rules.regimes.items()
    }
    charts = {id: _made(compile_chart, host, process) for id, process in rules.processes.items()}
    return Bench(rules, host, regimes, charts, host.registered)


def _made(compile: Callable[..., T], *args: Any) -> T | BackendFailure:
    try:
        return compile(*args)
    except BackendFailure as error:
        if error.diagnostics[0].code != "B002":
            raise
        return error


def _held(made: T | BackendFailure) -> T:
    if isinstance(made, BackendFailure):
        raise made
    return made


def judge(bench: Bench, id: str, policy: Policy, values: Sequence[Value]) -> Verdict:
    """What the live back end finds on an order, given its values by slot without texts."""
    from engine.backends.live.decisions import judge_live

    return Verdict(*judge_live(bench.regime(id), bench.program(id, policy), values))


def walk(
    bench: Bench, id: str, stated: Mapping[str, Value], state: State, happening: Happening
) -> Outline:
    """What an event comes to in a case, every transition picked by the chart of its process."""
    from engine.backends.live.charts import step_live

    chart = bench.chart(id)
    setting = Setting(chart.process, make_order(bench.rulebook.vocabulary, stated))
    return step_live(chart, setting, state, happening)


def counted(
    bench: Bench, task: Callable[..., Any], args: Sequence[Any], seconds: float
) -> tuple[Any, int]:
    """Do a piece of work; its result, and how many rulesets were registered since it began."""
    # Whoever asked ends a process that hangs. If he is gone the clock does: its signal needs no
    # Python, and the library may hang with the interpreter locked.
    signal.setitimer(signal.ITIMER_REAL, seconds * _PATIENCE)
    try:
        return task(bench, *args), bench.host.registered - bench.begun_with
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
