"""A process as a statechart of durable_rules: it holds the stage and takes the transitions.

Guards are judged as parts, like conditions of rules; their signs come with the event. Every stage
has a way back to itself for whatever it does not take, since the library would keep such an event
and fire it after a later move. A first stage `open` lets a case begin anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.backends.live.conditions import Parts
from engine.backends.live.host import Host, Trigger
from engine.backends.live.network import Network, conclude, register
from engine.backends.live.posting import Pattern, PostedFact
from engine.diagnostics import BackendFailure, Diagnostic
from engine.lifecycle import (
    Choice,
    Happening,
    Moment,
    Outline,
    Setting,
    State,
    begin,
    outline,
    replay,
    step,
)
from engine.lifecycle import Trigger as Cause
from engine.process import Process, Transition

MOST_TRIGGERS = 900
"""The library hangs on a chart of some more."""


class Apart(Exception):
    """A chart stands in another stage than its case: the two evaluators disagree."""

    def __init__(self, label: str) -> None:
        self.label = label
        super().__init__(label)


_OPEN = "open"
_FALSE, _UNKNOWN, _HERE = -1, -2, -3


class Fired(NamedTuple):
    """What a chart did: where it stood, and the number of the transition, or why there is none."""

    label: str
    taken: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LiveChart:
    """A process as registered once."""

    process: Process
    network: Network | None
    parts: Mapping[int, int]
    """For each transition with a guard the part that judges it."""
    chart: str
    host: Host[Any]
    causes: Mapping[Cause, int]
    """A number for each event and clock: no text of theirs is posted."""


def compile_chart(host: Host[Any], process: Process) -> LiveChart:
    """Register a process. Raises `BackendFailure` where it cannot be expressed."""
    parts = Parts()
    guards = {t.number: parts.condition(t.when) for t in process.transitions if t.when is not None}
    causes: dict[Cause, int] = {}
    for id in process.events:
        causes["on", id] = len(causes)
    for id in process.clocks:
        causes["after", id] = len(causes)
    stages: dict[str, list[Trigger[Fired]]] = {_OPEN: []}
    labels = [label(state) for state in _states(process)]
    for number, name in enumerate(labels):
        stages[_OPEN].append(Trigger({"open": number}, name, Fired(_OPEN, number)))
    for stage, held in _states(process):
        stages[label((stage, held))] = [*_triggers(process, stage, held, causes)]
    if sum(map(len, stages.values())) > MOST_TRIGGERS:
        message = f"the process takes more than {MOST_TRIGGERS} triggers"
        help = "make it smaller: fewer stages, or events that fewer of them take"
        raise BackendFailure([Diagnostic("B002", process.span, message, help)])
    network = register(host, parts.all, process.vocabulary) if parts.all else None
    chart = host.register_chart(stages)
    return LiveChart(process, network, guards, chart, host, causes)


def _states(process: Process) -> Iterator[tuple[str, bool]]:
    """Every stage, and every stage in which a case can be held."""
    for id in process.stages:
        yield id, False
    for id in dict.fromkeys(s for t in process.transitions if t.hold == "begin" for s in t.stages):
        yield id, True


def label(state: tuple[str, bool]) -> str:
    """How a stage is called in the chart, by itself or while the case is held."""
    stage, held = state
    return f"{stage}/held" if held else stage


def _triggers(
    process: Process, stage: str, held: bool, causes: Mapping[Cause, int]
) -> Iterator[Trigger[Fired]]:
    here = label((stage, held))
    wrong = "no" if held else "only"
    found: dict[int, list[Transition]] = {}
    for transition in process.transitions:
        if stage in transition.stages and transition.held != wrong:
            found.setdefault(causes[_cause(transition)], []).append(transition)
    for cause, transitions in found.items():
        yield from _taken(here, stage, held, cause, transitions)
    others: list[Pattern] = [{"$neq": {"event": cause}} for cause in found]
    pattern: Pattern = {"$and": [{"$gte": {"event": 0}}, *others]}
    yield Trigger(pattern, here, Fired(here, _FALSE))
    yield Trigger({"where": 1}, here, Fired(here, _HERE))


def _taken(
    here: str, stage: str, held: bool, cause: int, transitions: Sequence[Transition]
) -> Iterator[Trigger[Fired]]:
    """For one event in one stage: what is taken, and the way back where nothing is."""
    before: list[Pattern] = [{"event": cause}]
    unknown: list[Pattern] = []
    for transition in transitions:
        sign = f"g{transition.number}"
        mine: list[Pattern] = [] if transition.when is None else [{sign: "t"}]
        to = transition.to or stage
        stays_held = held and transition.hold != "end" and transition.to is None
        leads = label((to, transition.hold == "begin" or stays_held))
        yield Trigger(_all([*before, *mine]), leads, Fired(here, transition.number))
        if transition.when is None:
            break
        unknown.append(_all([*before, {sign: "u"}]))
        before = [*before, {sign: "f"}]
    else:
        yield Trigger(_all(before), here, Fired(here, _FALSE))
    if unknown:
        pattern = unknown[0] if len(unknown) == 1 else {"$or": unknown}
        yield Trigger(pattern, here, Fired(here, _UNKNOWN))


def _all(patterns: Sequence[Pattern]) -> Pattern:
    return patterns[0] if len(patterns) == 1 else {"$and": list(patterns)}


def _cause(transition: Transition) -> Cause:
    if transition.on is not None:
        return "on", transition.on
    return "after", transition.after or ""


# --- one case in its chart ---


@dataclass(slots=True, eq=False, repr=False)
class Walk:
    """A case in its chart, from a stage on; the chart itself remembers where it stands."""

    chart: LiveChart
    sid: str = field(init=False)
    posted: int = 0

    def __post_init__(self) -> None:
        self.sid = self.chart.host.fresh_sid()

    def open(self, state: State) -> None:
        """Let the chart begin where a case stands."""
        labels = [label(known) for known in _states(self.chart.process)]
        number = labels.index(label((state.stage, state.held)))
        if self._post({"open": number}) != Fired(_OPEN, number):
            raise self._failure("a chart did not open where it was told to")

    def choose(self, moment: Moment, state: State, cause: Cause) -> Choice:
        """Post an event with the signs of its guards, and say what the chart took."""
        chart = self.chart
        mine = [t for t in chart.process.transitions if _cause(t) == cause]
        wanted = [chart.parts[t.number] for t in mine if t.when is not None]
        signs: Mapping[int, str] = {}
        if chart.network is not None and wanted:
            sid = chart.host.fresh_sid()
            try:
                signs = conclude(chart.network, sid, moment.program, moment.values, wanted)
            finally:
                chart.host.forget(sid)
        message: dict[str, int | str] = {"event": chart.causes[cause]}
        for transition in mine:
            if transition.when is not None:
                message[f"g{transition.number}"] = signs[chart.parts[transition.number]]
        fired = self._post(message)
        if fired.label != label((state.stage, state.held)):
            raise Apart(fired.label)
        if fired.taken == _UNKNOWN:
            return None
        return False if fired.taken == _FALSE else chart.process.transitions[fired.taken]

    def where(self) -> str:
        """The label of the stage in which the chart stands."""
        return self._post({"where": 1}).label

    def _post(self, message: Mapping[str, int | str]) -> Fired:
        self.posted += 1
        event: PostedFact = {"sid": self.sid, "id": self.posted, **message}
        fired: Fired = self.chart.host.post(self.chart.chart, self.sid, event)
        return fired

    def _failure(self, what: str) -> BackendFailure:
        return self.chart.host.failure(what, self.chart.process.id)

    def close(self) -> None:
        """Forget the case."""
        self.chart.host.forget(self.sid)


def step_live(chart: LiveChart, setting: Setting, state: State, happening: Happening) -> Outline:
    """The outline of `lifecycle.step`, every transition picked by the chart, and its stage read off it.

    Raises `BackendFailure`.
    """
    walk = Walk(chart)
    try:
        walk.open(state)
        found = step(setting, state, happening, walk.choose)
        return _seen(walk, outline(found))
    except Apart as apart:
        return "apart", apart.label, False, ()
    finally:
        walk.close()


def replay_live(
    chart: LiveChart, setting: Setting, day: int, happenings: Sequence[Happening]
) -> Outline:
    """The outline of `lifecycle.replay` in one chart, which remembers its stage from event to event.

    Raises `BackendFailure`.
    """
    walk = Walk(chart)
    try:
        walk.open(begin(setting, day))
        found = replay(setting, day, happenings, walk.choose)
        return _seen(walk, outline(found))
    except Apart as apart:
        return "apart", apart.label, False, ()
    except ValueError:
        return "apart", walk.where(), False, ()
    finally:
        walk.close()


def _seen(walk: Walk, found: Outline) -> Outline:
    """An outline with the stage in which the chart itself stands.

    Bounds are arithmetic, of which a chart knows nothing: there it has gone on, the case has not.
    """
    if found[0] == "bounds":
        return found
    stage, _, held = walk.where().partition("/")
    return found[0], stage, bool(held), found[3]
