"""Check that a parsed process is sound: every stage has a way in and out, and its clocks agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.check import citation_faults
from engine.diagnostics import Diagnostic, Span, nearest, shown
from engine.ir import Citation
from engine.names import uses
from engine.parse_vocabulary import CitedSource
from engine.process import SHARES, Process, Transition


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
    faults += _chased(process)
    faults += _totals(process)
    faults += _ledger(process)
    return faults


def _sources(process: Process, sources: Mapping[str, CitedSource]) -> Iterable[Diagnostic]:
    cited: list[tuple[tuple[Citation, ...], Span]] = [
        (t.cite, t.span) for t in process.transitions
    ]
    cited += [(clock.cite, clock.span) for clock in process.clocks.values()]
    for cite, span in cited:
        if not cite:
            help = "cite what it rests on"
            yield Diagnostic("R301", span, "this rests on no source", help)
        yield from citation_faults(cite, sources)


def _ways_in(process: Process) -> Iterable[Diagnostic]:
    reached, ahead = {process.start}, [process.start]
    while ahead:
        here = ahead.pop()
        for transition in process.transitions:
            to = transition.to
            if to is not None and here in transition.stages and to not in reached:
                reached.add(to)
                ahead.append(to)
    for id, stage in process.stages.items():
        if id not in reached:
            help = "add a transition to it, or take it out"
            yield Diagnostic("R402", stage.span, f"no way leads to the stage `{id}`", help)


def _ways_out(process: Process) -> Iterable[Diagnostic]:
    leads = {id for id, stage in process.stages.items() if stage.end}
    before = -1
    while before != len(leads):
        before = len(leads)
        for transition in process.transitions:
            if transition.to in leads:
                leads.update(transition.stages)
    for id, stage in process.stages.items():
        if id not in leads:
            help = "add a transition, or say `end: true`"
            told = f"from the stage `{id}` no way leads to an end"
            yield Diagnostic("R403", stage.span, told, help)
    for transition in process.transitions:
        for id in transition.stages:
            if process.stages[id].end:
                told = f"`{id}` is an end, from which nothing leads on"
                yield Diagnostic("R408", transition.span, told, "take it out of `from`")


def _events(process: Process) -> Iterable[Diagnostic]:
    taken = {t.on for t in process.transitions}
    for id, event in process.events.items():
        if id not in taken:
            help = "add a transition for it, or take it out"
            yield Diagnostic("R404", event.span, f"no stage takes the event `{id}`", help)
    for transition in process.transitions:
        if not transition.stages:
            yield Diagnostic("R102", transition.span, "the transition starts nowhere", "")


def _shadowed(process: Process) -> Iterable[Diagnostic]:
    """Transitions behind one that takes everything, stage by stage."""
    open_: dict[tuple[str, str], Transition] = {}
    for transition in process.transitions:
        states = {"no": ("no",), "only": ("only",), "also": ("no", "only")}[transition.held]
        trigger = transition.on or f"clock.{transition.after}"
        keys = [(f"{stage}|{held}", trigger) for stage in transition.stages for held in states]
        ahead = [open_[key] for key in keys if key in open_]
        if len(ahead) == len(keys) and keys:
            told = "an earlier transition always comes before this one"
            note = ("it stands here", ahead[0].span)
            help = "give the earlier one a `when`, or put this one first"
            yield Diagnostic("R407", transition.span, told, help, (note,))
        if transition.when is None:
            for key in keys:
                open_.setdefault(key, transition)


def _clocks(process: Process) -> Iterable[Diagnostic]:
    for transition in process.transitions:
        clock = process.clocks.get(transition.after or "")
        if clock is None:
            continue
        for stage in transition.stages:
            if stage not in clock.runs:
                told = f"the clock `{clock.id}` does not run in `{stage}`"
                yield Diagnostic("R406", transition.span, told, "name the stages where it runs")
    for clock in process.clocks.values():
        ends = [stage for stage in (*clock.runs, *clock.pauses) if process.stages[stage].end]
        both = sorted(clock.runs & clock.pauses)
        if not clock.runs:
            told = f"the clock `{clock.id}` runs nowhere"
            yield Diagnostic("R406", clock.span, told, "name its stages in `runs`")
        if ends:
            told = f"`{ends[0]}` is an end, where no clock runs"
            yield Diagnostic("R406", clock.span, told, "take it out")
        if both:
            told = f"the clock `{clock.id}` both runs and pauses in `{both[0]}`"
            yield Diagnostic("R406", clock.span, told, "keep one")
    for transition in process.transitions:
        named = uses(transition.when) if transition.when is not None else ()
        for name in named:
            clock = process.clocks.get(name.removeprefix("clock."))
            if clock is None or not name.startswith("clock."):
                continue
            for stage in transition.stages:
                if stage not in clock.runs | clock.pauses:
                    told = f"the clock `{clock.id}` is unknown in `{stage}`"
                    yield Diagnostic("R406", transition.span, told, "it counts elsewhere")


def _chased(process: Process) -> Iterable[Diagnostic]:
    """Ends of clocks that lead in a circle would move a case that nobody touches for ever."""
    leads: dict[str, set[str]] = {}
    for transition in process.transitions:
        if transition.after is not None and transition.to is not None:
            for stage in transition.stages:
                leads.setdefault(stage, set()).add(transition.to)
    for transition in process.transitions:
        if transition.after is None or transition.to is None:
            continue
        reached, ahead = {transition.to}, [transition.to]
        while ahead:
            for stage in leads.get(ahead.pop(), ()):
                if stage not in reached:
                    reached.add(stage)
                    ahead.append(stage)
        if reached & set(transition.stages):
            told = "ends of clocks lead in a circle, which no event ever leaves"
            yield Diagnostic("R410", transition.span, told, "let an event close the circle")
            return


def _totals(process: Process) -> Iterable[Diagnostic]:
    for total in process.totals:
        days = [process.clocks[id].days or 0 for id in total.parts]
        wanted = process.clocks[total.equals].days
        if sum(days) != wanted:
            told = (
                f"{' + '.join(map(str, days))} = {sum(days)} days, "
                f"where `{total.equals}` has {wanted}"
            )
            yield Diagnostic("R405", total.span, told, "mend the clocks or the total")


def _ledger(process: Process) -> Iterable[Diagnostic]:
    """What is booked begins with nothing, and only events say how many."""
    for path in process.ledger.values():
        kept = process.keeps[path]
        if kept.starts != 0 or kept.stated:
            told = f"`{path}` is booked, so it starts with 0 and no order states it"
            yield Diagnostic("R409", kept.span, told, "write `starts: 0`")
    shares = [process.ledger[name] for name in SHARES if name in process.ledger]
    if len(set(shares)) != len(shares):
        told = "two counts of the ledger are one fact, which would count twice"
        yield Diagnostic("R409", process.span, told, "keep a fact for each")
