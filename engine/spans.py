"""When a case was where: its stages, holds and clocks as spans of days, to be drawn to scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.lifecycle import (
    Happening,
    NotTaken,
    Setting,
    State,
    Step,
    advance,
    begin,
    deadlines,
    step,
)


@dataclass(frozen=True, slots=True)
class Span:
    """From a day to a day; the first is in it, and where `until` is none it goes on."""

    name: str
    start: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a clock: where it counted, and the last day that was in time, where it has one."""

    clock: str
    start: int
    until: int | None
    counting: tuple[Span, ...]
    counted: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Spans:
    """Where a case was, when it was held, and the clocks that ran."""

    stages: tuple[Span, ...]
    holds: tuple[Span, ...]
    clocks: tuple[Run, ...]


def spans(setting: Setting, opened_on: int, happenings: Sequence[Happening], as_of: int) -> Spans:
    """The spans of a case from its beginning to a day."""
    known = tuple(_states(setting, opened_on, happenings, as_of))
    return Spans(
        _merged((day, state.stage) for day, state in known),
        tuple(
            s
            for s in _merged((day, "held" if state.held else "") for day, state in known)
            if s.name
        ),
        tuple(_runs(setting, known, as_of)),
    )


def _states(
    setting: Setting, opened_on: int, happenings: Sequence[Happening], as_of: int
) -> Iterator[tuple[int, State]]:
    """Every state that a case was in, with the day on which it began."""
    state = begin(setting, opened_on)
    yield opened_on, state
    for happening in happenings:
        moved = step(setting, state, happening)
        if isinstance(moved, NotTaken):
            return
        yield from _lapsed(setting, state, moved.steps[:-1])
        state = moved.state
        yield happening.day, state
    yield from _lapsed(setting, state, advance(setting, state, as_of).steps)


def _lapsed(setting: Setting, state: State, steps: Sequence[Step]) -> Iterator[tuple[int, State]]:
    """The states after ends of clocks, which fall on their last days."""
    for day in dict.fromkeys(one.day for one in steps):
        yield day, advance(setting, state, day + 1).state


def _merged(named: Iterator[tuple[int, str]]) -> tuple[Span, ...]:
    found: list[Span] = []
    for day, name in named:
        if found and found[-1].name == name:
            continue
        if found:
            found[-1] = Span(found[-1].name, found[-1].start, day)
        found.append(Span(name, day, None))
    return tuple(found)


def _runs(setting: Setting, known: Sequence[tuple[int, State]], as_of: int) -> Iterator[Run]:
    process = setting.process
    for id in process.clocks:
        begun: list[tuple[int, State]] = []
        for day, state in known:
            count = state.clocks.get(id)
            if begun and (count is None or count.start != begun[-1][1].clocks[id].start):
                yield _run(setting, id, begun, day, as_of)
                begun = []
            if count is not None:
                begun.append((day, state))
        if begun:
            yield _run(setting, id, begun, None, as_of)


def _run(
    setting: Setting, id: str, begun: Sequence[tuple[int, State]], until: int | None, as_of: int
) -> Run:
    """A run of a clock from the states in which it was there."""
    day, state = begun[-1]
    count = state.clocks[id]
    stands = _merged(
        (day, "" if state.clocks[id].stopped is not None else "counts") for day, state in begun
    )
    pieces = [Span(s.name, max(s.start, count.start), s.until or until) for s in stands if s.name]
    end = as_of if until is None else until
    (last,) = (d.last for d in deadlines(setting.process, state, day) if d.clock.id == id)
    return Run(id, count.start, until, tuple(pieces), count.on(max(end, day)), last)
