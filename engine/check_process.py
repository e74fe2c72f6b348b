"""Check that a parsed process is sound: every stage has a way in and out, and its clocks agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from engine.check import citation_faults
from engine.diagnostics import Diagnostic, Span, nearest, shown
from engine.ir import Citation, Expr, Fact, walk
from engine.names import inside
from engine.parse_vocabulary import CitedSource
from engine.process import Clock, Process, Transition

_Ways = Mapping[str, set[str]]
"""For each stage the stages to which it leads."""


def process_faults(process: Process, sources: Mapping[str, CitedSource]) -> list[Diagnostic]:
    """Every fault of a parsed process that its parts alone do not show."""
    faults: list[Diagnostic] = []
    for named in process.sources:
        if named.id not in sources:
            help = nearest(named.id, sources) or "sources stand in sources.yaml"
            faults.append(
                Diagnostic("R302", named.span, f"unknown source {shown(named.id)}", help)
            )
    faults += _sources(process, sources)
    faults += _ways_in(process)
    faults += _ways_out(process)
    faults += _events(process)
    faults += _shadowed(process)
    faults += _clocks(process)
    faults += _counts(process)
    faults += _chased(process)
    faults += _totals(process)
    faults += _undated(process)
    return faults


def _sources(process: Process, sources: Mapping[str, CitedSource]) -> Iterator[Diagnostic]:
    cited: list[tuple[tuple[Citation, ...], Span]] = [
        (t.cite, t.span) for t in process.transitions
    ]
    cited += [(clock.cite, clock.span) for clock in process.clocks.values()]
    for cite, span in cited:
        if not cite:
            help = "cite what it rests on"
            yield Diagnostic("R301", span, "this rests on no source", help)
        yield from citation_faults(cite, sources)


def _ways(process: Process, transitions: Iterable[Transition]) -> _Ways:
    ways: dict[str, set[str]] = {id: set() for id in process.stages}
    for transition in transitions:
        if transition.to is not None:
            for stage in transition.stages:
                ways[stage].add(transition.to)
    return ways


def _reach(found: set[str], start: str, ways: _Ways) -> None:
    """Add a stage, and all to which it leads."""
    ahead = [start]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += ways[here]


def _ways_in(process: Process) -> Iterator[Diagnostic]:
    """Stages that no case reaches; those behind one of them are not told too."""
    ways, reached = _ways(process, process.transitions), set[str]()
    for id, stage in process.stages.items():
        if id not in reached and id != process.start:
            help = "add a transition to it, or take it out"
            yield Diagnostic("R402", stage.span, f"no way leads to the stage `{id}`", help)
        _reach(reached, id, ways)


def _ways_out(process: Process) -> Iterator[Diagnostic]:
    """Stages that lead to no end; those that lead to one of them are not told too."""
    back: dict[str, set[str]] = {id: set() for id in process.stages}
    for id, onward in _ways(process, process.transitions).items():
        for stage in onward:
            back[stage].add(id)
    leads: set[str] = set()
    for id, one in process.stages.items():
        if one.end:
            _reach(leads, id, back)
    for id, one in reversed([*process.stages.items()]):
        if id not in leads:
            help = "add a transition, or say `end: true`"
            told = f"from the stage `{id}` no way leads to an end"
            yield Diagnostic("R403", one.span, told, help)
            _reach(leads, id, back)


def _events(process: Process) -> Iterator[Diagnostic]:
    taken = {t.on for t in process.transitions}
    for id, event in process.events.items():
        if id not in taken:
            help = "add a transition for it, or take it out"
            yield Diagnostic("R404", event.span, f"no stage takes the event `{id}`", help)
    for transition in process.transitions:
        if not transition.stages:
            help = "name its stages in `from`"
            yield Diagnostic("R102", transition.span, "the transition starts nowhere", help)


def _shadowed(process: Process) -> Iterator[Diagnostic]:
    """Transitions behind others that take everything that they take."""
    before: dict[tuple[str, str, str, Expr | None], Transition] = {}
    for transition in process.transitions:
        states = {"no": ("no",), "only": ("only",), "also": ("no", "only")}[transition.held]
        trigger = transition.on or f"clock.{transition.after}"
        keys = [(stage, held, trigger) for stage in transition.stages for held in states]
        whens = {None, transition.when}
        ahead = [before[*key, when] for key in keys for when in whens if (*key, when) in before]
        if keys and all(any((*key, when) in before for when in whens) for key in keys):
            told = "an earlier transition always comes before this one"
            note = ("it stands here", ahead[0].span)
            help = "give the earlier one a `when`, or put this one first"
            yield Diagnostic("R407", transition.span, told, help, (note,))
        for key in keys:
            before.setdefault((*key, transition.when), transition)


def _clocks(process: Process) -> Iterator[Diagnostic]:
    for transition in process.transitions:
        if transition.after is not None:
            clock = process.clocks[transition.after]
            told = f"the clock `{clock.id}` does not run in"
            help = "name the stages where it runs"
            yield from _missing(transition, transition.span, clock.runs, told, help)
    for clock in process.clocks.values():
        both = sorted(clock.runs & clock.pauses)
        if not clock.runs:
            told = f"the clock `{clock.id}` runs nowhere"
            yield Diagnostic("R406", clock.span, told, "name its stages in `runs`")
        if both:
            told = f"the clock `{clock.id}` both runs and pauses in `{both[0]}`"
            yield Diagnostic("R406", clock.span, told, "keep one")
        if clock.starts_at is not None and not _follows(process, clock, clock.starts_at):
            told = f"`{clock.starts_at}` never counts in a stage from which `{clock.id}` starts"
            yield Diagnostic("R406", clock.span, told, "leave `starts_at` out, or mend the stages")


def _follows(process: Process, clock: Clock, other: str) -> bool:
    """Whether a clock can start where another has been counting."""
    counts = (process.clocks[other].runs | process.clocks[other].pauses) - clock.runs
    return any(t.to in clock.runs and counts & {*t.stages} for t in process.transitions)


def _missing(
    transition: Transition, span: Span, counts: frozenset[str], told: str, help: str
) -> Iterator[Diagnostic]:
    """The stages of a transition in which a clock is not there."""
    missing = [f"`{stage}`" for stage in transition.stages if stage not in counts]
    if missing:
        yield Diagnostic("R406", span, f"{told} {', '.join(missing)}", help)


def _counts(process: Process) -> Iterator[Diagnostic]:
    """Counts of clocks that are asked for where they are not there."""
    for transition in process.transitions:
        exprs = [] if transition.when is None else [transition.when]
        exprs += [expr for _, expr in transition.sets]
        for part in (part for expr in exprs for part in walk(expr)):
            clock = (
                process.clocks.get(part.path.removeprefix("clock."))
                if isinstance(part, Fact) and part.path.startswith("clock.")
                else None
            )
            if clock is not None:
                told = f"the clock `{clock.id}` is unknown in"
                counts = clock.runs | clock.pauses
                yield from _missing(transition, part.span, counts, told, "it counts elsewhere")


def _chased(process: Process) -> Iterator[Diagnostic]:
    """Ends of clocks that lead in a circle would move a case that nobody touches for ever."""
    lapses = [t for t in process.transitions if t.after is not None]
    try:
        TopologicalSorter(_ways(process, lapses)).prepare()
    except CycleError as error:
        circle = set(error.args[1])
        first = next(t for t in lapses if t.to in circle and circle & {*t.stages})
        told = "ends of clocks lead in a circle, which no event ever leaves"
        yield Diagnostic("R410", first.span, told, "let an event close the circle")


def _totals(process: Process) -> Iterator[Diagnostic]:
    for total in process.totals:
        days = [process.clocks[id].days or 0 for id in total.parts]
        wanted = process.clocks[total.equals].days
        if sum(days) != wanted:
            told = (
                f"{' + '.join(map(str, days)) or 'nothing'} = {sum(days)} days, "
                f"where `{total.equals}` has {wanted}"
            )
            yield Diagnostic("R405", total.span, told, "mend the clocks or the total")


def _undated(process: Process) -> Iterator[Diagnostic]:
    """Parameters without a value on the first day on which a case can be opened."""
    exprs = [t.when for t in process.transitions if t.when is not None]
    exprs += [expr for t in process.transitions for _, expr in t.sets]
    exprs += [figure.quantity.value for figure in process.figures.values()]
    named = {n for e in exprs for n in inside(process.regime, process.vocabulary, e)}
    for parameter in process.regime.parameters.values():
        used = parameter.name in named or parameter.name == process.cap
        if used and parameter.values[0][0] > process.in_force.start:
            told = f"`{parameter.name}` has no value when `{process.id}` comes into force"
            help = "give a value from that day, or begin later"
            yield Diagnostic("R304", parameter.span, told, help)
