"""Draw courses of a case: events that are mostly taken, at and around the ends of clocks.

The same picks give the same course, so the same seed does. Decides nothing: `lifecycle` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from random import Random
from typing import cast

from engine.evaluate import amount
from engine.ir import Compare, Constant, Expr, Member, type_of, walk
from engine.lifecycle import (
    Happening,
    Moment,
    Moved,
    Setting,
    State,
    advance,
    begin,
    deadlines,
    step,
    taking,
)
from engine.load import Rulebook
from engine.names import inside, uses
from engine.order import make_order
from engine.process import Event, Field, Process, Transition
from engine.sample import orders
from engine.values import Type, Value

Pick = Callable[[int], int]
"""Picks one of so many things, by its number from 0; the first is the plainest."""

_LENGTHS = (1, 2, 3, 5, 8, 12, 18, 24, 24)
_TRIES = 4
_STEP = 10**6
_LATER = (7, 400)
_LAST_DAY = 3_652_059


@dataclass(frozen=True, slots=True)
class Course:
    """The day on which a case is opened, and all that is sent to it; not all of it is taken."""

    opened: int
    sent: tuple[Happening, ...]


def cases(
    rulebook: Rulebook, process: str, *, seed: int, count: int | None = None
) -> Iterator[tuple[Setting, Course]]:
    """Draw orders and a course of a case for each; without `count`, without end.

    `cases(book, "h200-article", seed=1, count=1000)` reaches deep stages, lets clocks run out, and
    sends events that are refused, that come too early, or that are one short of what a guard asks.
    """
    pick, courses_ = picking(Random(seed)), Courses(rulebook.processes[process])
    drawn = settings(rulebook, process, seed=seed, count=count)
    return ((setting, courses_.course(setting, pick)) for setting in drawn)


def courses(setting: Setting, *, seed: int, count: int | None = None) -> Iterator[Course]:
    """Draw courses of a case with one order; without `count`, without end."""
    pick, courses_ = picking(Random(seed)), Courses(setting.process)
    return islice((courses_.course(setting, pick) for _ in iter(int, 1)), count)


def settings(
    rulebook: Rulebook, process: str, *, seed: int, count: int | None = None
) -> Iterator[Setting]:
    """Draw the orders with which cases of a process may be opened; without `count`, without end.

    They come from the rule set of the process, where there is one, and state nothing that only
    events say.
    """
    return islice(_settings(rulebook, rulebook.processes[process], seed), count)


def picking(random: Random) -> Pick:
    """Pick evenly."""
    draw = random.random
    return lambda several: int(draw() * several)


@dataclass(frozen=True)
class Courses:
    """What there is to draw from in a process."""

    process: Process

    def course(self, setting: Setting, pick: Pick) -> Course:
        """Draw one course of a case of this process."""
        period, last = self.process.in_force, self.process.read_to
        days = [period.start, period.start + 1, *(d for d in (last, last + 1) if period.holds(d))]
        opened = days[pick(len(days))]
        state = begin(setting, opened)
        sent: list[Happening] = []
        for _ in range(_LENGTHS[pick(len(_LENGTHS))]):
            happening = self.happening(setting, state, pick)
            sent.append(happening)
            moved = step(setting, state, happening)
            if isinstance(moved, Moved):
                state = moved.state
            elif moved.why == "end":
                break
        return Course(opened, tuple(sent))

    def happening(self, setting: Setting, state: State, pick: Pick) -> Happening:
        """Draw what is sent to a case next: mostly something that moves it on."""
        process = self.process
        day = _day(process, state, pick)
        state = advance(setting, state, day).state
        moment = setting.moment(state, day, {"on": day})
        open_ = (t for t in taking(process, state) if t.on is not None)
        ways = [t for t in open_ if moment.holds(t.when) is not False]
        onward = [t for t in ways if t.refuses is None and not self._ends(t)]
        moving = [t for t in onward if t.to is not None]
        chance = pick(20)
        if chance < 16:
            ways = (moving if chance < 10 else onward) or onward or ways
        if not ways or chance == 19:
            named = [*process.events]
            return self.told(setting, state, day, named[pick(len(named))], pick)
        way = ways[pick(len(ways))]
        event = process.events[cast(str, way.on)]
        return Happening(event.id, day, self._fields(moment, day, event, way, pick))

    def told(self, setting: Setting, state: State, day: int, event: str, pick: Pick) -> Happening:
        """Draw what one event tells, wherever a case stands."""
        ways = [t for t in self.process.transitions if t.on == event]
        moment = setting.moment(state, day, {"on": day})
        told, way = self.process.events[event], ways[pick(len(ways))]
        return Happening(event, day, self._fields(moment, day, told, way, pick))

    def _ends(self, way: Transition) -> bool:
        return way.to is not None and self.process.stages[way.to].end

    def _fields(
        self, moment: Moment, day: int, event: Event, way: Transition, pick: Pick
    ) -> dict[str, Value]:
        """What an event tells: mostly so that a transition is taken, and sometimes just not."""
        tries = _TRIES if pick(10) else 1
        fields: dict[str, Value] = {}
        for _ in range(tries):
            fields = self._filled(moment, day, event, way, pick)
            if moment.holds(way.when) is True:
                break
        return fields

    def _filled(
        self, moment: Moment, day: int, event: Event, way: Transition, pick: Pick
    ) -> dict[str, Value]:
        fields: dict[str, Value] = {}
        values = cast(list[Value], moment.values)
        slots = [moment.program.slots[field.path] for field in event.fields]
        for slot in slots:
            values[slot] = None
        for field, slot in zip(event.fields, slots, strict=True):
            several = self._values(moment, day, field, way)
            if field.supplied or field.name in event.optional:
                several = [*several, None]
            values[slot] = fields[field.name] = several[pick(len(several))]
        return fields

    def _values(
        self, moment: Moment, day: int, field: Field, way: Transition
    ) -> list[Value] | tuple[Value, ...]:
        """The values of a field at which a transition turns, and plain ones; at least one."""
        if field.type.kind == "code":
            return self._codes[way.number, field.path]
        near = _plain(field.type, day)
        for left, right in self._turning.get((way.number, field.path), ()):
            turn = _turn(moment, field, left, right)
            for value in () if turn is None else (turn, turn - 1, turn + 1):
                if value not in near and _within(value, field.type):
                    near.append(value)
        return near

    @cached_property
    def _turning(self) -> dict[tuple[int, str], tuple[tuple[Expr, Expr], ...]]:
        """By transition and field the two sides of what turns with the field.

        These are comparisons of the guard, and what a kept fact is set to beside its bounds.
        """
        return {key: tuple(self._sides(*key)) for key in self._keys()}

    @cached_property
    def _codes(self) -> dict[tuple[int, str], tuple[Value, ...]]:
        """By transition and field the codes to try, those first that the guard names."""
        facts, lists = self.process.vocabulary.facts, self.process.vocabulary.lists
        return {
            (number, path): (
                *dict.fromkeys([*self._named(number, path), *lists[name].codes][:12]),
            )
            for number, path in self._keys()
            if (name := facts[path].type.codes) is not None
        }

    def _keys(self) -> Iterator[tuple[int, str]]:
        for transition in self.process.transitions:
            if transition.on is not None:
                for field in self.process.events[transition.on].fields:
                    yield transition.number, field.path

    def _parts(self, number: int, path: str) -> Iterator[Expr]:
        when = self.process.transitions[number].when
        return (part for part in walk(when) if path in uses(part)) if when else iter(())

    def _sides(self, number: int, path: str) -> Iterator[tuple[Expr, Expr]]:
        for part in self._parts(number, path):
            if isinstance(part, Compare):
                yield part.left, part.right
        for kept, expr in self.process.transitions[number].sets:
            type = self.process.keeps[kept].type
            if path in uses(expr) and type.is_numeric:
                for bound in (type.lo, type.hi):
                    if bound is not None:
                        yield expr, Constant(bound, type, expr.span)

    def _named(self, number: int, path: str) -> Iterator[str]:
        for part in self._parts(number, path):
            if isinstance(part, Member):
                yield from part.codes
            elif isinstance(part, Compare):
                for side in (part.left, part.right):
                    if isinstance(side, Constant) and isinstance(side.value, str):
                        yield side.value


def _day(process: Process, state: State, pick: Pick) -> int:
    days = [state.day, state.day, state.day + 1]
    if not pick(2):
        days = [state.day + later for later in _LATER] if not pick(5) else []
        for deadline in deadlines(process, state, state.day):
            if deadline.last is not None:
                days += [deadline.last + shift for shift in (0, 1, -1)]
    days = [day for day in days if state.day <= day < _LAST_DAY] or [state.day]
    return days[pick(len(days))]


def _turn(moment: Moment, field: Field, left: Expr, right: Expr) -> int | None:
    """The value of a number or date at which both sides are equal, rounded down.

    None where something else is unknown, or where the field does not move them.
    """
    program, slot = moment.program, moment.program.slots[field.path]
    values = list(moment.values)
    a, b = type_of(left).scale, type_of(right).scale
    gaps: list[int] = []
    for value in (1, 1 + _STEP):
        values[slot] = value
        one, other = amount(program, left, values), amount(program, right, values)
        if not isinstance(one, int) or not isinstance(other, int):
            return None
        gaps.append(one * 10 ** max(0, b - a) - other * 10 ** max(0, a - b))
    slope = gaps[1] - gaps[0]
    return 1 - gaps[0] * _STEP // slope if slope else None


def _plain(kind: Type, day: int) -> list[Value]:
    """Values of any type but a code; at least one."""
    match kind.kind:
        case "boolean":
            return [True, False]
        case "text":
            return ["x"]
        case "date":
            near = [day, day + 1, day - 1, day + 30, day + 400]
        case _:
            one = 10**kind.scale
            near = [one, kind.lo or 0, 1000 * one, kind.hi or 0]
    return [*dict.fromkeys(value for value in near if _within(value, kind))]


def _within(value: int, kind: Type) -> bool:
    lo = (1 if kind.kind == "date" else value) if kind.lo is None else kind.lo
    hi = (_LAST_DAY if kind.kind == "date" else value) if kind.hi is None else kind.hi
    return lo <= value <= hi


# --- the orders of cases ---


def _settings(rulebook: Rulebook, process: Process, seed: int) -> Iterator[Setting]:
    pick = picking(Random(seed))
    drawn = orders(rulebook, process.id, seed=seed) if process.judged else None
    own = [path for path, kept in process.keeps.items() if kept.stated]
    named = [*own, *(path for path in _named(process) if path in rulebook.vocabulary.facts)]
    facts, lists = process.vocabulary.facts, process.vocabulary.lists
    while True:
        order = {} if drawn is None else next(drawn).stated
        stated = {path: value for path, value in order.items() if path not in process.keeps}
        for path in named:
            if path not in stated and pick(8):
                kind = facts[path].type
                values = (
                    [*lists[kind.codes].codes] if kind.codes else _plain(kind, process.read_to)
                )
                stated[path] = values[pick(len(values))]
        yield Setting(process, make_order(process.vocabulary, stated))


def _named(process: Process) -> list[str]:
    """The facts on which a process rests that no event says and no product supplies."""
    exprs = [t.when for t in process.transitions if t.when is not None]
    exprs += [expr for t in process.transitions for _, expr in t.sets]
    exprs += [figure.quantity.value for figure in process.figures.values()]
    named = (name for e in exprs for name in inside(process.regime, process.vocabulary, e))
    facts = process.vocabulary.facts
    return [
        path
        for path in dict.fromkeys(named)
        if path in facts
        and path not in process.keeps
        and facts[path].derived is None
        and facts[path].catalogue is None
    ]
