"""Drawn courses of cases: the same for a seed, readable, into every transition and every refusal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from engine.case import Sent, read_case_order, read_event
from engine.courses import Course, cases, courses
from engine.courses import settings as drawn_settings
from engine.lifecycle import Moved, Setting, advance, begin, step
from engine.load import Rulebook
from engine.order import Document, make_order, write_facts
from engine.process import Process
from engine.properties import event_sequences
from engine.values import Type, write

ROOT = Path(__file__).parent.parent
PROCESSES = sorted(path.parent.name for path in (ROOT / "rules").glob("*/process.yaml"))


@pytest.mark.parametrize("name", PROCESSES)
def test_a_seed_gives_the_same_courses(rulebook: Rulebook, name: str) -> None:
    one, two, other = (
        [(s.order.stated, course) for s, course in cases(rulebook, name, seed=seed, count=100)]
        for seed in (4, 4, 5)
    )
    assert one == two
    assert one != other
    [setting] = drawn_settings(rulebook, name, seed=4, count=1)
    again = [list(courses(setting, seed=6, count=50)) for _ in range(2)]
    assert again[0] == again[1]
    assert len(set(map(repr, again[0]))) > 25


@pytest.mark.parametrize("name", PROCESSES)
def test_every_event_of_a_course_could_be_sent(rulebook: Rulebook, name: str) -> None:
    process = rulebook.processes[name]
    for setting, course in cases(rulebook, name, seed=1, count=300):
        order = read_case_order(process, process.vocabulary, _document(setting))
        assert order.stated == setting.order.stated
        assert process.in_force.holds(course.opened)
        state = begin(setting, course.opened)
        for sent in course.sent:
            assert sent.day >= state.day
            event = process.events[sent.event]
            assert set(sent.fields) == {field.name for field in event.fields}
            supplied = {f.name: sent.fields[f.name] for f in event.fields if f.supplied}
            written = _written(process, Sent(sent, ""))
            assert read_event(process, Document(written), supplied).happening == sent
            moved = step(setting, state, sent)
            state = moved.state if isinstance(moved, Moved) else state


def _document(setting: Setting) -> Document:
    return Document(write_facts(setting.process.vocabulary, setting.order.stated))


@pytest.mark.parametrize("name", PROCESSES)
def test_courses_reach_every_transition_every_end_and_every_refusal(
    rulebook: Rulebook, name: str
) -> None:
    process = rulebook.processes[name]
    taken: set[int] = set()
    stages: set[str] = set()
    why: Counter[str] = Counter()
    for setting, course in cases(rulebook, name, seed=2, count=10_000):
        state = begin(setting, course.opened)
        for sent in course.sent:
            steps = advance(setting, state, sent.day).steps
            moved = step(setting, state, sent)
            if isinstance(moved, Moved):
                state, steps = moved.state, moved.steps
            taken |= {done.transition.number for done in steps}
            why["taken" if isinstance(moved, Moved) else moved.why] += 1
            stages.add(moved.state.stage)
        if len(taken) == len(process.transitions) and len(stages) == len(process.stages):
            break
    assert {t.number for t in process.transitions} - taken == set()
    assert set(process.stages) - stages == set()
    assert set(why) >= {"taken", "stage", "guard", "unknown", "end"}
    assert why["taken"] > 0.5 * why.total()


@pytest.mark.parametrize("name", PROCESSES)
def test_a_strategy_draws_courses_that_shrink_to_few_events(rulebook: Rulebook, name: str) -> None:
    process = rulebook.processes[name]
    [setting] = drawn_settings(rulebook, name, seed=4, count=1)
    strategy = event_sequences(process, setting.order)

    def moves(course: Course) -> bool:
        state = begin(setting, course.opened)
        return any(isinstance(step(setting, state, sent), Moved) for sent in course.sent[:1])

    brief = settings(max_examples=300, deadline=None, database=None, derandomize=True)
    assert len(find(strategy, moves, settings=brief).sent) == 1


@given(data=st.data())
def test_no_drawn_event_is_dated_before_the_latest_that_was_taken(
    rulebook: Rulebook, data: st.DataObject
) -> None:
    process = rulebook.processes[data.draw(st.sampled_from(PROCESSES))]
    setting = Setting(process, make_order(process.vocabulary, {}))
    course = data.draw(event_sequences(process, setting.order))
    state = begin(setting, course.opened)
    for sent in course.sent:
        assert sent.day >= state.day
        moved = step(setting, state, sent)
        state = moved.state if isinstance(moved, Moved) else state


def _written(process: Process, sent: Sent) -> dict[str, Any]:
    """An event as it is sent; what the ledger supplies stands apart."""
    event = process.events[sent.happening.event]
    written: dict[str, Any] = {
        "event": event.id,
        "on": write(sent.happening.day, Type("date")),
    }
    for field in event.fields:
        value = sent.happening.fields.get(field.name)
        if value is not None and not field.supplied:
            written[field.name] = write(value, field.type)
    if sent.note:
        written["note"] = sent.note
    return written
