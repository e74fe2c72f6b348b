"""What a process means for one case: a pure step from a stage and an event to a stage or a refusal.

Time comes only from the dates on events. A clock's last day is still in time; what follows from its
end is dated by that day, and happens once a later day is known. `None` is unknown throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from engine.evaluate import Program, amount, derived, truth
from engine.generate import Judgement, Truth, Values
from engine.ir import Expr, type_of
from engine.order import Order
from engine.process import Clock, Event, Process, Transition
from engine.values import Type, Value

Why = Literal["stage", "guard", "unknown", "bounds", "end"]


@dataclass(frozen=True, slots=True)
class Count:
    """A running clock: the day it started, days that were not counted, and since when it stands."""

    start: int
    idle: int = 0
    stopped: int | None = None
    spent: bool = False
    """Whether the end of its time has been dealt with."""

    def on(self, day: int) -> int:
        """How many days it has counted; none while its start still lies ahead."""
        return max(0, (day if self.stopped is None else self.stopped) - self.start - self.idle)

    def stop(self, day: int) -> Count:
        """The clock as it stands from a day on."""
        return self if self.stopped is not None else replace(self, stopped=day)

    def go_on(self, day: int) -> Count:
        """The clock as it goes on from a day on."""
        if self.stopped is None:
            return self
        return replace(self, idle=self.idle + day - self.stopped, stopped=None)


@dataclass(frozen=True, slots=True)
class State:
    """Where a case stands after its latest event: nothing of it is stored, all is rebuilt."""

    stage: str
    held: bool
    day: int
    kept: Mapping[str, Value]
    told: frozenset[str]
    """The kept facts that events have said; the others are what they start with."""
    clocks: Mapping[str, Count]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of a case, read and typed."""

    event: str
    day: int
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Step:
    """What one event, or the end of a clock's time, did."""

    day: int
    transition: Transition
    before: str
    after: str
    held: bool
    """Whether the case is held afterwards."""

    @property
    def refused(self) -> bool:
        """Whether something was asked that the process refuses."""
        return self.transition.refuses is not None


@dataclass(frozen=True, slots=True)
class Moved:
    """The state after an event, and every step that led to it, ends of clocks included."""

    state: State
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Why an event changes nothing: the stage does not know it, or a guard does not hold."""

    state: State
    """Where the case stands on the day of the event."""
    why: Why
    failed: tuple[Transition, ...] = ()
    """The transitions whose guards stand in the way; of one that is unknown, that one alone."""
    beyond: tuple[str, ...] = ()
    """The kept facts that would leave their bounds."""


Trigger = tuple[Literal["on", "after"], str]
"""What a transition waits for: an event, or the end of a clock's time."""
Choice = Transition | Literal[False] | None
"""The transition that is taken; or none, because no guard holds, or because one is unknown."""
Choose = Callable[["Moment", State, Trigger], Choice]
"""Picks the transition of a trigger; another evaluator may take the place of `first`."""


@dataclass(frozen=True)
class Setting:
    """A process with the order of one case; the order's facts never change, the case's do."""

    process: Process
    order: Order

    @cached_property
    def slots(self) -> Mapping[str, int]:
        """Where each name of an expression stands."""
        slots = {path: fact.slot for path, fact in self.process.vocabulary.facts.items()}
        for name in self.process.regime.quantities:
            slots[name] = len(slots)
        return slots

    @cached_property
    def _parameters(self) -> dict[int, Mapping[str, Value]]:
        return {}

    @cached_property
    def _fixed(self) -> Sequence[Value]:
        facts = self.process.vocabulary.facts
        return [*self.order.values, *[None] * (len(facts) - len(self.order.values))]

    def moment(self, state: State, day: int, fields: Mapping[str, Value]) -> Moment:
        """Everything that expressions may speak of, on a day, with what an event tells."""
        values = list(self._fixed)
        slots = self.slots
        for path, value in state.kept.items():
            values[slots[path]] = value
        for name, value in fields.items():
            values[slots[f"event.{name}"]] = value
        for id, count in state.clocks.items():
            values[slots[f"clock.{id}"]] = count.on(day)
        program = Program(
            *(self.process.regime, self.process.vocabulary, day, self._on(day), slots),
            self.process.in_force.holds(day),
            _no_judgement,
        )
        return Moment(self.process, program, derived(program, values))

    def _on(self, day: int) -> Mapping[str, Value]:
        known = self._parameters.get(day)
        if known is None:
            dated = {n: p.on(day) for n, p in self.process.regime.parameters.items()}
            known = {n: None if found is None else found[1] for n, found in dated.items()}
            self._parameters[day] = known
        return known


def _no_judgement(values: Values) -> Judgement:
    raise AssertionError("a process judges guards, not orders")


Outline = tuple[str, str, bool, tuple[tuple[int, int], ...]]


def outline(found: Moved | NotTaken) -> Outline:
    """What a step came to in few words, by which two evaluators can be compared.

    Whether and why not, the stage, whether the case is held, and the day and number of each
    transition.
    """
    state = found.state
    if isinstance(found, NotTaken):
        return found.why, state.stage, state.held, ()
    steps = tuple((one.day, one.transition.number) for one in found.steps)
    return "moved", state.stage, state.held, steps


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known on one day of a case."""

    process: Process
    program: Program
    values: Values

    def holds(self, when: Expr | None) -> Truth:
        """Whether a guard holds."""
        return True if when is None else truth(self.program, when, self.values)

    def value(self, expr: Expr, kept: Type) -> Value:
        """The value of an expression as a kept fact holds it."""
        found: Value = amount(self.program, expr, self.values)
        if isinstance(found, int) and kept.is_numeric:
            found = found * 10 ** (kept.scale - type_of(expr).scale)
        return found


def begin(setting: Setting, day: int) -> State:
    """The state of a case that is opened on a day."""
    process = setting.process
    kept: dict[str, Value] = {}
    told = set()
    for path, fact in process.keeps.items():
        stated = setting.order.stated.get(path)
        kept[path] = fact.starts if stated is None else stated
        if stated is not None:
            told.add(path)
    state = State(process.start, False, day, kept, frozenset(told), {})
    return replace(state, clocks=_clocks(process, state, process.start, day, kept))


def step(
    setting: Setting, state: State, happening: Happening, choose: Choose | None = None
) -> Moved | NotTaken:
    """Let something happen in a case, after all that clocks did before its day.

    `choose` picks the transition; another evaluator may take the place of this one's.
    """
    if happening.day < state.day:
        raise ValueError("events come in the order of their dates")
    moved = advance(setting, state, happening.day, choose)
    state = moved.state
    process = setting.process
    if process.stages[state.stage].end:
        return NotTaken(state, "end")
    fields = {**happening.fields, "on": happening.day}
    moment = setting.moment(state, happening.day, fields)
    chosen = (choose or first)(moment, state, ("on", happening.event))
    if not chosen:
        known = tuple(t for t in taking(process, state) if t.on == happening.event)
        if chosen is None:
            waits = [t for t in known if moment.holds(t.when) is not False]
            return NotTaken(state, "unknown", tuple(waits[:1]))
        return NotTaken(state, "guard" if known else "stage", known)
    after, beyond = _effect(setting, moment, state, chosen, happening.day)
    if beyond:
        return NotTaken(state, "bounds", (chosen,), beyond)
    done = Step(happening.day, chosen, state.stage, after.stage, after.held)
    return Moved(after, (*moved.steps, done))


def first(moment: Moment, state: State, trigger: Trigger) -> Choice:
    """The first transition whose guard holds, if none before it is unknown."""
    on, name = trigger
    for transition in taking(moment.process, state):
        if name == (transition.on if on == "on" else transition.after):
            held = moment.holds(transition.when)
            if held is not False:
                return transition if held else None
    return False


def advance(setting: Setting, state: State, day: int, choose: Choose | None = None) -> Moved:
    """What the ends of clocks do before a day dawns; the day itself is still in time."""
    steps: list[Step] = []
    while (over := _next_over(setting.process, state, day)) is not None:
        clock, last = over
        on = max(last, state.day)
        clocks = {**state.clocks, clock: replace(state.clocks[clock], spent=True)}
        state = replace(state, clocks=clocks)
        moment = setting.moment(state, on, {})
        chosen = (choose or first)(moment, state, ("after", clock))
        if not chosen:
            continue
        before = state.stage
        after, beyond = _effect(setting, moment, state, chosen, on)
        if not beyond:
            state = after
            steps.append(Step(on, chosen, before, state.stage, state.held))
    return Moved(state, tuple(steps))


def replay(
    setting: Setting, day: int, happenings: Sequence[Happening], choose: Choose | None = None
) -> Moved:
    """Rebuild a case from the day it was opened and its events. Raises `ValueError` at a misfit."""
    state = begin(setting, day)
    steps: list[Step] = []
    for happening in happenings:
        moved = step(setting, state, happening, choose)
        if isinstance(moved, NotTaken):
            raise ValueError(f"{happening.event} is not taken in {moved.state.stage}")
        state = moved.state
        steps += moved.steps
    return Moved(state, tuple(steps))


def taking(process: Process, state: State) -> Iterator[Transition]:
    """The transitions that start where a case stands, in their order."""
    wrong = "no" if state.held else "only"
    for transition in process.transitions:
        if state.stage in transition.stages and transition.held != wrong:
            yield transition


@dataclass(frozen=True, slots=True)
class Possible:
    """An event that a case could take next; `refused` if it would only be put on record."""

    event: Event
    refused: bool


def possible(setting: Setting, state: State, day: int) -> tuple[Possible, ...]:
    """The events that can be taken on a day, whatever their fields say; in the process's order."""
    process = setting.process
    if process.stages[state.stage].end:
        return ()
    moment = setting.moment(state, day, {})
    by: dict[str, list[Transition]] = {}
    for transition in taking(process, state):
        if transition.on is not None:
            by.setdefault(transition.on, []).append(transition)
    return tuple(
        Possible(event, all(t.refuses is not None for t in found))
        for id, event in process.events.items()
        if (found := [t for t in by.get(id, ()) if moment.holds(t.when) is not False])
    )


@dataclass(frozen=True, slots=True)
class Deadline:
    """A running clock as it stands on a day; without a last day while it stands still."""

    clock: Clock
    since: int
    counted: int
    last: int | None
    over: bool


def deadlines(process: Process, state: State, day: int) -> tuple[Deadline, ...]:
    """Every running clock, in the order of the process."""
    found = []
    for id, clock in process.clocks.items():
        count = state.clocks.get(id)
        if count is None:
            continue
        last = _last(clock, count, state.kept)
        over = last is not None and last < day
        found.append(Deadline(clock, count.start, count.on(max(day, state.day)), last, over))
    return tuple(found)


# --- inside a step ---


def _effect(
    setting: Setting, moment: Moment, state: State, taken: Transition, day: int
) -> tuple[State, tuple[str, ...]]:
    """The state after a transition, and the kept facts that would leave their bounds."""
    process = setting.process
    kept, beyond = dict(state.kept), []
    for path, expr in taken.sets:
        type = process.keeps[path].type
        value = kept[path] = moment.value(expr, type)
        if isinstance(value, int) and not _within(value, type):
            beyond.append(path)
    told = state.told | {path for path, _ in taken.sets}
    if taken.refuses is not None:
        return replace(state, day=day), ()
    stage = taken.to or state.stage
    held = taken.hold == "begin" or (state.held and taken.hold != "end" and taken.to is None)
    after = State(stage, held, day, kept, told, state.clocks)
    clocks = _clocks(process, after, stage, day, kept) if taken.to else state.clocks
    if held != state.held or taken.to:
        clocks = _held(process, clocks, stage, held, day)
    return replace(after, clocks=clocks), tuple(beyond)


def _within(value: int, type: Type) -> bool:
    return (type.lo is None or value >= type.lo) and (type.hi is None or value <= type.hi)


def _clocks(
    process: Process, state: State, stage: str, day: int, kept: Mapping[str, Value]
) -> dict[str, Count]:
    """The clocks of a stage that is entered: begun, gone on with, paused or forgotten."""
    clocks: dict[str, Count] = {}
    for id, clock in process.clocks.items():
        count = state.clocks.get(id)
        if stage in clock.runs:
            clocks[id] = count or Count(_start(process, clock, state, day, kept))
        elif stage in clock.pauses and count is not None:
            clocks[id] = count
    return clocks


def _start(
    process: Process, clock: Clock, state: State, day: int, kept: Mapping[str, Value]
) -> int:
    other = state.clocks.get(clock.starts_at) if clock.starts_at else None
    if clock.starts_at is None or other is None:
        return day
    return _last(process.clocks[clock.starts_at], other, kept) or day


def _held(
    process: Process, clocks: Mapping[str, Count], stage: str, held: bool, day: int
) -> dict[str, Count]:
    """The clocks of a stage, stopped where it pauses them or the case is held."""
    found = {}
    for id, count in clocks.items():
        clock = process.clocks[id]
        stands = stage in clock.pauses or (held and clock.holdable)
        found[id] = count.stop(day) if stands else count.go_on(day)
    return found


def _last(clock: Clock, count: Count, kept: Mapping[str, Value]) -> int | None:
    """The last day that is in time; none while the clock stands or its date is unknown."""
    if clock.until is not None:
        until = kept[clock.until]
        return until if isinstance(until, int) else None
    if count.stopped is not None or clock.days is None:
        return None
    return count.start + count.idle + clock.days


def _next_over(process: Process, state: State, day: int) -> tuple[str, int] | None:
    """The clock whose time was over first before a day, and has not been dealt with."""
    found: tuple[str, int] | None = None
    for id, count in state.clocks.items():
        last = None if count.spent else _last(process.clocks[id], count, state.kept)
        if last is not None and last < day and (found is None or last < found[1]):
            found = id, last
    return found
