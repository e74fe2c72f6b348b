"""Where a case was on which days: stages, holds and clocks as spans, as a picture draws them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine.case_told import tell
from engine.courses import cases
from engine.lifecycle import Happening, Setting, deadlines, replay
from engine.load import Rulebook
from engine.order import make_order
from engine.spans import Span, spans

ROOT = Path(__file__).parent.parent
PROCESSES = sorted(path.parent.name for path in (ROOT / "rules").glob("*/process.yaml"))


def day(iso: str) -> int:
    return date.fromisoformat(iso).toordinal()


def sent(event: str, on: str, **fields: object) -> Happening:
    return Happening(event, day(on), fields)  # type: ignore[arg-type]


def test_a_hold_parts_the_days_that_a_clock_counts(rulebook: Rulebook) -> None:
    process = rulebook.processes["ear-750"]
    happenings = [
        sent("submit", "2026-01-05", as_whole=True),
        sent("register", "2026-01-07"),
        sent("refer", "2026-01-12"),
        sent("hold", "2026-01-20", reason="end-use-check"),
        sent("resume", "2026-02-03"),
    ]
    setting = Setting(process, make_order(rulebook.vocabulary, {}))
    found = spans(setting, day("2026-01-02"), happenings, day("2026-03-05"))
    assert [(one.name, one.start) for one in found.stages] == [
        ("draft", day("2026-01-02")),
        ("received", day("2026-01-05")),
        ("initial-processing", day("2026-01-07")),
        ("agency-review", day("2026-01-12")),
        # On the last day of the thirty, fourteen days later than without the hold.
        ("resolution", day("2026-02-25")),
    ]
    assert [one.until for one in found.stages] == [
        *(one.start for one in found.stages[1:]),
        None,
    ]
    assert found.holds == (Span("held", day("2026-01-20"), day("2026-02-03")),)
    (agencies,) = (one for one in found.clocks if one.clock == "agencies")
    assert [(one.start, one.until) for one in agencies.counting] == [
        (day("2026-01-12"), day("2026-01-20")),
        (day("2026-02-03"), None),
    ]
    assert agencies.last == day("2026-02-25")
    assert agencies.until is None
    (initial,) = (one for one in found.clocks if one.clock == "initial")
    assert (initial.until, initial.counted) == (day("2026-01-12"), 5)


@pytest.mark.parametrize("name", PROCESSES)
def test_spans_agree_with_the_case_on_every_day_that_is_asked_for(
    rulebook: Rulebook, name: str
) -> None:
    for setting, course in cases(rulebook, name, seed=11, count=150):
        taken: list[Happening] = []
        for happening in course.sent:
            try:
                state = replay(setting, course.opened, [*taken, happening]).state
            except ValueError:
                continue
            taken.append(happening)
            found = spans(setting, course.opened, taken, happening.day)
            assert found.stages[-1].name == state.stage
            assert found.stages[-1].until is None
            assert bool(found.holds and found.holds[-1].until is None) is state.held
            open_ = {one.clock: one for one in found.clocks if one.until is None}
            told = {one.clock.id: one for one in deadlines(setting.process, state, state.day)}
            assert list(open_) == list(told)
            for id, one in open_.items():
                assert (one.start, one.last) == (told[id].since, told[id].last)
                assert one.counted == told[id].counted
                stands = not (one.counting and one.counting[-1].until is None)
                assert stands is (state.clocks[id].stopped is not None)
        for stage in found.stages[:-1] if taken else ():
            assert stage.until is not None
            assert stage.start <= stage.until


def test_spans_stand_in_the_case_as_it_is_told(rulebook: Rulebook) -> None:
    process = rulebook.processes["h200-article"]
    setting = Setting(process, make_order(rulebook.vocabulary, {}))
    told = tell(rulebook, setting, day("2026-01-02"), [], day("2026-01-09"))["spans"]
    draft = {"stage": "draft", "title": {"en": "Draft", "zh": "草案"}}
    assert told["stages"] == [{**draft, "from": "2026-01-02", "until": None}]
    assert (told["holds"], told["clocks"]) == ([], [])
