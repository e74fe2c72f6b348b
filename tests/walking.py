"""Walk many cases through both evaluators of a process, in a process of its own.

`python -m tests.walking TASK [NUMBER …]` prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from hypothesis import given, settings

from engine import lifecycle
from engine.backends.live import charts
from engine.backends.live.charts import (
    LiveChart,
    Walk,
    compile_chart,
    label,
    replay_live,
    step_live,
)
from engine.backends.live.host import Host
from engine.courses import Course, cases
from engine.diagnostics import BackendFailure
from engine.ir import And, Compare
from engine.lifecycle import (
    Choice,
    Happening,
    Moment,
    Moved,
    Setting,
    State,
    Trigger,
    begin,
    outline,
    step,
)
from engine.load import Rulebook, load
from engine.process import Process
from engine.properties import event_sequences

ROOT = Path(__file__).parent.parent


class Tally:
    """How many events were judged twice, what they came to, and where two answers differ."""

    def __init__(self) -> None:
        self.events = self.cases = 0
        self.came_to: dict[str, int] = {}
        self.differences: list[str] = []

    def walk(self, chart: LiveChart, setting: Setting, opened: int, sent: Any) -> None:
        """Send a case all its events in both, step by step; then what was taken, in one chart."""
        state, taken = begin(setting, opened), list[Happening]()
        self.cases += 1
        for happening in sent:
            if happening.day < state.day:
                continue
            one = step(setting, state, happening)
            other = step_live(chart, setting, state, happening)
            self.events += 1
            why = "moved" if isinstance(one, Moved) else one.why
            self.came_to[why] = self.came_to.get(why, 0) + 1
            if outline(one) != other:
                self.differences.append(f"{happening}: {outline(one)} but {other}")
            if isinstance(one, Moved):
                state = one.state
                taken.append(happening)
        whole = replay_live(chart, setting, opened, taken)
        if whole[:3] != ("moved", state.stage, state.held):
            self.differences.append(f"{len(taken)} events in one chart: {whole[:3]}")

    def told(self) -> dict[str, Any]:
        """The tally as data, with the first few differences in words."""
        return {
            "events": self.events,
            "cases": self.cases,
            "came_to": self.came_to,
            "differences": len(self.differences),
            "first": self.differences[:3],
        }


def agree(book: Rulebook, id: str, seed: int, count: int) -> dict[str, Any]:
    """Cases of one process: how both judge their events."""
    tally, chart = Tally(), compile_chart(Host[Any](), book.processes[id])
    for setting, course in cases(book, id, seed=seed, count=count):
        tally.walk(chart, setting, course.opened, course.sent)
    return tally.told()


def hypothesis(book: Rulebook, id: str, examples: int) -> dict[str, Any]:
    """Courses drawn by hypothesis, each in one chart that remembers from event to event."""
    process = book.processes[id]
    chart = compile_chart(Host[Any](), process)
    setting = next(iter(cases(book, id, seed=3)))[0]
    events = 0

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    @given(event_sequences(process, setting.order))
    def drive(course: Course) -> None:
        nonlocal events
        walk = Walk(chart)
        state = begin(setting, course.opened)
        walk.open(state)
        try:
            for happening in course.sent:
                if happening.day < state.day:
                    continue
                events += 1
                one, other = (
                    step(setting, state, happening),
                    step(setting, state, happening, walk.choose),
                )
                assert one == other
                if isinstance(one, Moved):
                    state = one.state
                else:
                    # Nothing is recorded, so the chart goes back to where the case stands.
                    walk.close()
                    walk = Walk(chart)
                    walk.open(state)
                assert walk.where() == label((state.stage, state.held))
        finally:
            walk.close()

    drive()
    return {"events": events}


def planted(book: Rulebook, where: str, seed: int, count: int) -> dict[str, Any]:
    """Plant one wrong operator in either evaluator, and count where they then differ."""
    process = book.processes["h200-article"]
    tally, chart = Tally(), compile_chart(Host[Any](), _wrong(process, where))
    if where == "reference":
        lifecycle.first = _last
    chart = replace(chart, process=process)
    for setting, course in cases(book, process.id, seed=seed, count=count):
        tally.walk(chart, setting, course.opened, course.sent)
    return tally.told()


def _wrong(process: Process, where: str) -> Process:
    """A process that the chart gets wrong: a comparison turned, a stage left, a hold forgotten."""
    change: dict[str, Callable[[Any], Any]] = {
        "operator": lambda t: replace(t, when=_turned(t.when)) if t.on == "ship" else t,
        "target": lambda t: replace(t, to="denied") if t.on == "policy-change" else t,
        "order": lambda t: t,
        "reference": lambda t: t,
    }
    changed = [change[where](transition) for transition in process.transitions]
    if where == "order":
        changed = changed[::-1]
    return replace(process, transitions=tuple(changed))


def _turned(when: Any) -> Any:
    """A guard with every `<=` made `<`."""
    match when:
        case Compare(op="<="):
            return replace(when, op="<")
        case And():
            return replace(when, operands=tuple(_turned(part) for part in when.operands))
        case _:
            return when


def _last(moment: Moment, state: State, trigger: Trigger) -> Choice:
    """What the reference would take if it tried its transitions from the last to the first."""
    on, name = trigger
    for transition in reversed([*lifecycle.taking(moment.process, state)]):
        if name == (transition.on if on == "on" else transition.after):
            held = moment.holds(transition.when)
            if held is not False:
                return transition if held else None
    return False


def soak(book: Rulebook, count: int) -> dict[str, Any]:
    """Walk cases without end, and say how memory and time per event develop."""
    id = "h200-article"
    tally, chart = Tally(), compile_chart(Host[Any](), book.processes[id])
    kilobytes, begun = [], perf_counter()
    for number, (setting, course) in enumerate(cases(book, id, seed=1, count=count)):
        tally.walk(chart, setting, course.opened, course.sent)
        if number % max(1, count // 10) == 0:
            kilobytes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    seconds = perf_counter() - begun
    micro = round(1_000_000 * seconds / tally.events)
    return {**tally.told(), "kilobytes": kilobytes, "microseconds": micro}


def too_large(book: Rulebook) -> dict[str, Any]:
    """A process with more triggers than a chart takes is refused with its place."""
    charts.MOST_TRIGGERS = 10
    try:
        compile_chart(Host[Any](), book.processes["h200-article"])
    except BackendFailure as error:
        fault = error.diagnostics[0]
        return {"code": fault.code, "file": fault.span.source.name}
    return {}


def main() -> None:
    """Do one task."""
    name, *rest = sys.argv[1:]
    numbers = [int(part) if part.isdigit() else part for part in rest]
    tasks: dict[str, Callable[..., dict[str, Any]]] = {
        "agree": agree,
        "hypothesis": hypothesis,
        "planted": planted,
        "soak": soak,
        "too_large": too_large,
    }
    sys.stdout.write(json.dumps(tasks[name](load(ROOT / "rules"), *numbers)))


if __name__ == "__main__":
    main()
