"""What a process means for one case: clocks, holds, guards, bounds, refusals; and its properties.

The tables are on the small process of `cases/errand.yaml`, on days counted from its first one; the
properties on that and on every shipped process, against a reading of their own (`leading.Led`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.courses import Courses, cases, picking
from engine.courses import settings as drawn_settings
from engine.lifecycle import (
    Deadline,
    Happening,
    Moment,
    Moved,
    NotTaken,
    Setting,
    State,
    Step,
    Trigger,
    advance,
    begin,
    deadlines,
    first,
    possible,
    replay,
    step,
)
from engine.load import Rulebook, load
from engine.order import make_order
from engine.process import Process
from engine.properties import event_sequences
from engine.values import Value
from tests.leading import Led, errand, small_book

ROOT = Path(__file__).parent.parent
SHIPPED = sorted(path.parent.name for path in (ROOT / "rules").glob("*/process.yaml"))
PROCESSES = ["chips", *SHIPPED]
FIRST = date(2026, 1, 1).toordinal()

Sent = tuple[int, str] | tuple[int, str, dict[str, Any]]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    return small_book(tmp_path_factory.mktemp("errand"))


@pytest.fixture(scope="module")
def books(small: Rulebook, rulebook: Rulebook) -> dict[str, Rulebook]:
    return {"chips": small, **dict.fromkeys(SHIPPED, rulebook)}


@pytest.fixture(scope="module")
def case(small: Rulebook) -> Setting:
    return _setting(small)


@pytest.fixture
def like_errand(tmp_path: Path) -> Callable[[Callable[[Any], None]], Setting]:
    """The small process with something changed in it."""

    def changed(change: Callable[[Any], None]) -> Setting:
        parts = errand()
        change(parts)
        return _setting(small_book(tmp_path, parts))

    return changed


def _setting(book: Rulebook, **stated: Value) -> Setting:
    process = book.processes["chips"]
    facts: dict[str, Value] = {path.replace("__", "."): value for path, value in stated.items()}
    return Setting(process, make_order(process.vocabulary, facts))


def _happening(sent: Sent) -> Happening:
    day, event, *fields = sent
    told = {**(fields[0] if fields else {})}
    if isinstance(told.get("due"), int):
        told["due"] += FIRST
    return Happening(event, FIRST + day, told)


def led(case: Setting, *sent: Sent) -> State:
    """The state of a case after events, each of which is taken."""
    return replay(case, FIRST, [_happening(one) for one in sent]).state


def sent_to(case: Setting, state: State, *sent: Sent) -> Moved | NotTaken:
    """What the last of some events comes to; those before it are taken."""
    *before, last = sent
    for one in before:
        moved = step(case, state, _happening(one))
        assert isinstance(moved, Moved), moved
        state = moved.state
    return step(case, state, _happening(last))


def taken(case: Setting, state: State, *sent: Sent) -> Moved:
    moved = sent_to(case, state, *sent)
    assert isinstance(moved, Moved), moved
    return moved


def refused(case: Setting, state: State, *sent: Sent) -> NotTaken:
    moved = sent_to(case, state, *sent)
    assert isinstance(moved, NotTaken), moved
    return moved


def told(moved: Moved) -> list[tuple[int, str, str]]:
    """The steps of a move: their days, and from where to where they led."""
    return [(done.day - FIRST, done.before, done.after) for done in moved.steps]


def passed(case: Setting, state: State, day: int) -> Moved:
    return advance(case, state, FIRST + day)


def clock(case: Setting, state: State, day: int, id: str) -> tuple[int, int | None]:
    """How many days a clock has counted on a day, and its last day."""
    one = _deadline(case, state, day, id)
    return one.counted, None if one.last is None else one.last - FIRST


def _deadline(case: Setting, state: State, day: int, id: str) -> Deadline:
    return {d.clock.id: d for d in deadlines(case.process, state, FIRST + day)}[id]


UNSURE: Sent = (0, "hand-in", {"units": 40, "so_far": 20, "sure": False})
SURE: Sent = (0, "hand-in", {"units": 40, "so_far": 20, "sure": True})
YES = {"word": "yes", "sure": True}


# Clocks.


def test_the_last_day_is_in_time_and_the_day_after_is_not(case: Setting) -> None:
    desk = led(case, UNSURE)
    assert clock(case, desk, 0, "desk") == (0, 10)
    assert taken(case, desk, (10, "ask")).state.stage == "side"
    late = refused(case, desk, (11, "ask"))
    assert (late.why, late.state.stage, late.failed) == ("stage", "board", ())


def test_what_follows_from_the_end_of_a_clock_is_dated_by_its_last_day(case: Setting) -> None:
    desk = led(case, UNSURE)
    assert told(passed(case, desk, 10)) == []
    assert told(passed(case, desk, 11)) == [(10, "desk", "board")]
    moved = taken(case, desk, (12, "decide", {"word": "no", "due": None}))
    assert told(moved) == [(10, "desk", "board"), (12, "board", "done")]
    assert moved.state.day == FIRST + 12


def test_a_clock_starts_on_the_last_day_of_the_one_it_names(case: Setting) -> None:
    board = passed(case, led(case, UNSURE), 12).state
    assert clock(case, board, 12, "board") == (2, 15)
    assert _deadline(case, board, 12, "board").since == FIRST + 10
    assert clock(case, board, 12, "whole") == (12, 18)
    assert {d.clock.id for d in deadlines(case.process, board, FIRST + 12)} == {
        "board",
        "whole",
        "walk",
    }


def test_a_clock_that_starts_at_another_starts_with_its_stage_where_that_one_is_not(
    like_errand: Any,
) -> None:
    def change(parts: Any) -> None:
        parts["transitions"].append({"from": "idea", "on": "ask", "to": "board"})

    case = like_errand(change)
    assert clock(case, led(case, (3, "ask")), 3, "board") == (0, 8)


def test_a_clock_whose_start_lies_ahead_has_counted_nothing_and_ends_as_if_it_had_waited(
    like_errand: Any,
) -> None:
    def change(parts: Any) -> None:
        parts["transitions"].append({"from": "desk", "on": "price", "to": "board"})

    case = like_errand(change)
    board = led(case, UNSURE, (4, "price", {"amount": 0}))
    assert clock(case, board, 4, "board") == (0, 15)
    assert clock(case, board, 9, "board") == (0, 15)
    assert clock(case, board, 11, "board") == (1, 15)
    assert told(passed(case, board, 16)) == [(15, "board", "chief")]


def test_a_long_silence_lets_every_clock_in_turn_run_out(case: Setting) -> None:
    silence = passed(case, led(case, UNSURE), 400)
    assert told(silence) == [
        (10, "desk", "board"),
        (15, "board", "chief"),
        (18, "chief", "gone"),
    ]
    assert silence.state.kept["case.booked"] == 0
    assert silence.state.day == FIRST + 18
    assert silence.state.clocks == {}


def test_the_limits_of_the_stages_add_up_to_the_whole(case: Setting) -> None:
    chief = passed(case, led(case, UNSURE), 18).state
    assert chief.stage == "chief"
    assert clock(case, chief, 18, "chief") == (3, 18)
    assert clock(case, chief, 18, "whole") == (18, 18)


def test_the_earliest_end_comes_first_whatever_the_order_of_the_clocks(case: Setting) -> None:
    later = led(case, UNSURE, (1, "ask"), (4, "reply", {"word": "later"}))
    assert clock(case, later, 4, "desk") == (1, 13)
    assert clock(case, later, 4, "walk") == (4, 12)
    assert told(passed(case, later, 20)) == [(12, "desk", "gone")]


@pytest.mark.parametrize(("first_clock", "stage"), [("desk", "board"), ("walk", "gone")])
def test_of_two_ends_on_one_day_the_clock_that_is_declared_first_comes_first(
    like_errand: Any, first_clock: str, stage: str
) -> None:
    def change(parts: Any) -> None:
        clocks = parts["clocks"]
        parts["clocks"] = {first_clock: clocks[first_clock], **clocks}

    case = like_errand(change)
    tie = led(case, UNSURE, (1, "ask"), (3, "reply", {"word": "later"}))
    assert clock(case, tie, 3, "desk")[1] == clock(case, tie, 3, "walk")[1] == 12
    assert told(passed(case, tie, 13)) == [(12, "desk", stage)]


def test_a_clock_that_ends_where_nothing_waits_for_it_ends_once_and_for_all(case: Setting) -> None:
    board = passed(case, led(case, UNSURE), 14)
    assert told(board) == [(10, "desk", "board")]
    assert _deadline(case, board.state, 14, "walk").over
    assert not _deadline(case, board.state, 12, "walk").over


def test_a_clock_pauses_in_one_stage_and_is_forgotten_in_another(case: Setting) -> None:
    side = led(case, UNSURE, (4, "ask"))
    assert clock(case, side, 9, "desk") == (4, None)
    assert clock(case, side, 9, "walk") == (9, 12)
    desk = taken(case, side, (9, "reply", {"word": "no"})).state
    assert clock(case, desk, 9, "desk") == (4, 15)
    assert clock(case, desk, 9, "whole") == (4, 23)
    assert "board" not in desk.clocks
    assert set(passed(case, desk, 16).state.clocks) == {"board", "whole", "walk"}


def test_a_clock_that_was_forgotten_starts_anew(like_errand: Any) -> None:
    def change(parts: Any) -> None:
        parts["transitions"] += [
            {"from": "desk", "on": "shut", "to": "shut"},
            {"from": "shut", "on": "ask", "to": "desk"},
        ]

    case = like_errand(change)
    again = led(case, UNSURE, (4, "shut"), (9, "ask"))
    assert clock(case, again, 9, "desk") == (0, 19)


def test_a_clock_is_never_told_as_of_a_day_before_the_latest_event(case: Setting) -> None:
    desk = led(case, UNSURE, (4, "pay", {"amount": 1}))
    assert clock(case, desk, 1, "desk") == (4, 10)


# Dates that are kept.


def test_a_date_is_in_time_on_its_day_and_over_the_day_after(case: Setting) -> None:
    open_ = led(case, UNSURE, (11, "decide", {**YES, "due": 30}))
    assert clock(case, open_, 11, "due") == (0, 30)
    assert taken(case, open_, (30, "shut")).state.stage == "shut"
    assert refused(case, open_, (31, "shut")).why == "end"
    assert told(passed(case, open_, 31)) == [(30, "open", "gone")]


@pytest.mark.parametrize(("due", "day"), [(10, 11), (3, 11), (-300, 11)])
def test_a_date_in_the_past_is_over_at_once_and_dated_by_the_day_on_which_it_was_said(
    case: Setting, due: int, day: int
) -> None:
    open_ = led(case, UNSURE, (11, "decide", {**YES, "due": due}))
    assert open_.stage == "open"
    assert told(passed(case, open_, 11)) == [(day, "open", "gone")]
    assert refused(case, open_, (11, "shut")).why == "end"


def test_a_date_that_nobody_gave_never_comes(case: Setting) -> None:
    open_ = led(case, UNSURE, (11, "decide", {**YES, "due": None}))
    assert clock(case, open_, 500, "due") == (489, None)
    assert told(passed(case, open_, 10_000)) == []


def test_a_date_that_is_moved_moves_the_end(case: Setting) -> None:
    moved = led(
        case,
        UNSURE,
        (11, "decide", {**YES, "due": 30}),
        (29, "decide", {**YES, "due": 40}),
    )
    assert told(passed(case, moved, 40)) == []
    assert told(passed(case, moved, 41)) == [(40, "open", "gone")]


def test_an_end_whose_guard_does_not_hold_changes_nothing(case: Setting) -> None:
    yes = replace(case, order=make_order(case.process.vocabulary, {"pledge.submitted": True}))
    sent = led(yes, UNSURE, (11, "decide", {**YES, "due": 30}), (12, "send", {"units": 40}))
    assert sent.kept["case.granted"] == 0
    assert told(passed(yes, sent, 400)) == []


# Holds.


def test_days_stand_while_a_case_is_held_and_go_on_afterwards(case: Setting) -> None:
    held = led(case, UNSURE, (4, "hold"))
    assert held.held
    assert clock(case, held, 20, "desk") == (4, None)
    assert clock(case, held, 20, "whole") == (4, None)
    assert clock(case, held, 20, "walk") == (20, 12)
    free = taken(case, held, (24, "resume")).state
    assert not free.held
    assert clock(case, free, 24, "desk") == (4, 30)
    assert clock(case, free, 25, "desk") == (5, 30)
    assert clock(case, free, 25, "whole") == (5, 38)
    assert told(passed(case, free, 31)) == [(30, "desk", "board")]


def test_a_hold_on_the_very_last_day_keeps_that_day(case: Setting) -> None:
    held = led(case, UNSURE, (10, "hold"))
    assert told(passed(case, held, 300)) == []
    free = taken(case, held, (50, "resume")).state
    assert clock(case, free, 50, "desk") == (10, 50)
    assert told(passed(case, free, 50)) == []
    assert told(passed(case, free, 51)) == [(50, "desk", "board")]


def test_a_hold_the_day_after_comes_too_late(case: Setting) -> None:
    moved = taken(case, led(case, UNSURE), (11, "hold"))
    assert told(moved) == [(10, "desk", "board"), (11, "board", "board")]
    assert clock(case, moved.state, 11, "board") == (1, None)


def test_a_hold_that_ends_on_its_day_costs_no_day(case: Setting) -> None:
    free = led(case, UNSURE, (4, "hold"), (4, "resume"))
    assert clock(case, free, 4, "desk") == (4, 10)


def test_two_holds_add_up(case: Setting) -> None:
    free = led(case, UNSURE, (2, "hold"), (5, "resume"), (6, "hold"), (10, "resume"))
    assert clock(case, free, 10, "desk") == (3, 17)


def test_what_is_held_cannot_be_held_again_and_what_is_not_cannot_go_on(case: Setting) -> None:
    assert refused(case, led(case, UNSURE, (4, "hold")), (5, "hold")).why == "stage"
    assert refused(case, led(case, UNSURE), (5, "resume")).why == "stage"


def test_some_events_are_taken_only_while_a_case_is_held_some_never_some_always(
    case: Setting,
) -> None:
    free, held = led(case, UNSURE), led(case, UNSURE, (4, "hold"))
    assert refused(case, held, (5, "ask")).why == "stage"
    assert taken(case, held, (5, "nudge")).state.kept["case.share"] == 500
    assert taken(case, free, (8, "nudge")).state.kept["case.share"] == 1000
    for state in (free, held):
        assert taken(case, state, (5, "pay", {"amount": 100})).state.kept["case.paid"] == 100
        assert taken(case, state, (5, "drop")).state.stage == "gone"


def test_what_is_done_while_a_case_is_held_leaves_it_held(case: Setting) -> None:
    paid = led(case, UNSURE, (4, "hold"), (6, "pay", {"amount": 100}))
    assert paid.held
    assert clock(case, paid, 9, "desk") == (4, None)
    asked = led(case, UNSURE, (4, "hold"), (6, "undo"))
    assert asked.held


def test_a_clock_that_cannot_be_held_runs_out_while_the_case_is_held(case: Setting) -> None:
    held = led(case, UNSURE, (1, "ask"), (2, "reply", {"word": "later"}), (4, "hold"))
    moved = passed(case, held, 13)
    assert told(moved) == [(12, "desk", "gone")]
    assert not moved.state.held


def test_a_case_that_leaves_its_stage_is_no_longer_held(like_errand: Any) -> None:
    def change(parts: Any) -> None:
        parts["transitions"].append({"from": "desk", "on": "shut", "held": "only", "to": "board"})

    case = like_errand(change)
    board = led(case, UNSURE, (4, "hold"), (9, "shut"))
    assert (board.stage, board.held) == ("board", False)
    assert clock(case, board, 9, "whole") == (4, 23)
    # The desk's days stood, so that they had no last day at which the board's could start.
    assert clock(case, board, 9, "board") == (0, 14)


def test_a_case_can_be_held_where_it_arrives(like_errand: Any) -> None:
    def change(parts: Any) -> None:
        parts["transitions"].append({"from": "desk", "on": "shut", "hold": "begin", "to": "board"})

    case = like_errand(change)
    board = led(case, UNSURE, (4, "shut"))
    assert (board.stage, board.held) == ("board", True)
    assert clock(case, board, 9, "whole") == (4, None)
    assert clock(case, board, 9, "board") == (0, None)
    assert clock(case, board, 9, "walk") == (9, 12)


# Guards.


def test_a_guard_that_does_not_hold_names_every_way_that_was_closed(case: Setting) -> None:
    found = refused(
        case, begin(case, FIRST), (0, "hand-in", {"units": 41, "so_far": 20, "sure": True})
    )
    assert found.why == "guard"
    assert [t.number for t in found.failed] == [0, 1]
    assert found.state == begin(case, FIRST)


def test_a_guard_at_its_boundary_holds(case: Setting) -> None:
    assert led(case, SURE).stage == "desk"


def test_the_first_way_whose_guard_holds_is_taken(case: Setting) -> None:
    moved = [taken(case, begin(case, FIRST), sent) for sent in (SURE, UNSURE)]
    assert [one.steps[0].transition.number for one in moved] == [0, 1]


def test_an_unknown_guard_names_what_it_waits_for_and_bars_the_ways_behind_it(
    case: Setting,
) -> None:
    found = refused(
        case, begin(case, FIRST), (0, "hand-in", {"units": 40, "so_far": 20, "sure": None})
    )
    assert found.why == "unknown"
    assert [t.number for t in found.failed] == [0]


def test_a_guard_that_fails_whatever_is_unknown_is_no_open_question(case: Setting) -> None:
    fields = {"units": 41, "so_far": 20, "sure": None}
    assert refused(case, begin(case, FIRST), (0, "hand-in", fields)).why == "guard"


def test_a_count_that_the_ledger_does_not_give_is_unknown(case: Setting) -> None:
    fields = {"units": 40, "so_far": None, "sure": False}
    found = refused(case, begin(case, FIRST), (0, "hand-in", fields))
    assert (found.why, [t.number for t in found.failed]) == ("unknown", [1])


@pytest.mark.parametrize(
    ("sure", "word", "stage"),
    [(True, "yes", "open"), (True, "no", "desk"), (False, "yes", "board"), (True, None, "desk")],
)
def test_the_end_of_a_clock_takes_the_first_way_that_holds_and_none_where_one_is_unknown(
    case: Setting, sure: bool, word: str | None, stage: str
) -> None:
    desk = led(case, (0, "hand-in", {"units": 40, "so_far": 20, "sure": sure}))
    if word is not None:
        desk = taken(case, desk, (0, "ask"), (0, "reply", {"word": word})).state
    assert passed(case, desk, 11).state.stage == stage


def test_an_unknown_guard_at_the_end_of_a_clock_bars_the_ways_behind_it(like_errand: Any) -> None:
    def change(parts: Any) -> None:
        [way] = [t for t in parts["transitions"] if t.get("when") == "not case.sure"]
        del way["when"]

    case = like_errand(change)
    assert passed(case, led(case, UNSURE), 11).state.stage == "board"
    assert passed(case, led(case, SURE), 11).state.stage == "desk"


@pytest.mark.parametrize(("day", "why"), [(7, "guard"), (8, "taken"), (10, "taken")])
def test_a_guard_reads_the_days_that_were_counted(case: Setting, day: int, why: str) -> None:
    moved = sent_to(case, led(case, UNSURE), (day, "nudge"))
    assert (moved.why if isinstance(moved, NotTaken) else "taken") == why


def test_a_guard_reads_the_days_that_were_counted_before_a_pause(case: Setting) -> None:
    desk = led(case, UNSURE, (4, "ask"), (9, "reply", {"word": "no"}))
    assert refused(case, desk, (12, "nudge")).why == "guard"
    assert refused(case, desk, (13, "nudge")).why == "guard"  # the walk has counted 13 by then


def test_a_guard_reads_the_date_of_its_event(case: Setting) -> None:
    shut = led(case, UNSURE, (11, "decide", {**YES, "due": 30}), (12, "shut"))
    assert taken(case, shut, (30, "reopen")).state.stage == "open"
    late = led(case, UNSURE, (11, "decide", {**YES, "due": None}), (12, "shut"))
    assert refused(case, late, (30, "reopen")).why == "unknown"


def test_a_guard_reads_the_parameter_of_the_day(like_errand: Any, tmp_path: Path) -> None:
    parts = errand()
    parts["transitions"][:2] = [
        {"from": "idea", "on": "hand-in", "when": "event.units * 1000 <= cap", "to": "desk"}
    ]
    small_book(tmp_path, parts)
    rule = tmp_path / "chips" / "quantity-cap.yaml"
    values = "[{from: 2026-01-01, value: 75000}, {from: 2026-01-11, value: 76000}]"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text.replace("[{from: 2026-01-01, value: 75000}]", values), "utf-8")
    case = _setting(load(tmp_path))
    fields = {"units": 76, "so_far": 0}
    assert refused(case, begin(case, FIRST), (9, "hand-in", fields)).why == "guard"
    assert taken(case, begin(case, FIRST), (10, "hand-in", fields)).state.stage == "desk"
    # Before its first value it is unknown. Whether a case may be opened then is for those who open it.
    assert refused(case, begin(case, FIRST - 9), (-1, "hand-in", fields)).why == "unknown"


# What is kept.


def test_a_case_begins_with_what_its_process_and_its_order_say(small: Rulebook) -> None:
    state = begin(_setting(small, pledge__submitted=True), FIRST + 3)
    assert (state.stage, state.held, state.day, state.clocks) == ("idea", False, FIRST + 3, {})
    assert state.kept["pledge.submitted"] is True
    assert (state.kept["case.paid"], state.kept["case.word"]) == (0, None)
    assert state.told == {"pledge.submitted"}
    assert begin(_setting(small), FIRST).told == frozenset()


def test_the_clocks_of_the_first_stage_start_when_the_case_is_opened(like_errand: Any) -> None:
    def change(parts: Any) -> None:
        parts["clocks"]["walk"]["runs"].append("idea")
        parts["clocks"]["whole"]["pauses"] = ["side", "idea"]

    case = like_errand(change)
    state = begin(case, FIRST)
    assert set(state.clocks) == {"walk"}
    assert clock(case, state, 5, "walk") == (5, 12)


def test_all_that_a_transition_sets_is_read_before_any_of_it_is_set(case: Setting) -> None:
    open_ = led(case, UNSURE, (11, "decide", {**YES, "due": 30}))
    assert (open_.kept["case.granted"], open_.kept["case.booked"]) == (40, 0)
    assert open_.kept["case.due"] == FIRST + 30
    assert open_.told == {"case.booked", "case.sure", "case.word", "case.due", "case.granted"}


def test_amounts_are_kept_with_the_decimals_of_their_fact(case: Setting) -> None:
    paid = led(case, (0, "pay", {"amount": 150}), (1, "pay", {"amount": 25}))
    assert paid.kept["case.paid"] == 175
    held = led(case, UNSURE, (1, "hold"), (2, "nudge"))
    assert held.kept["case.share"] == 500


def test_what_is_set_to_something_unknown_is_unknown_and_told(case: Setting) -> None:
    desk = led(case, UNSURE, (1, "ask"), (2, "reply", {"word": None}))
    assert desk.kept["case.word"] is None
    assert "case.word" in desk.told
    paid = led(case, (0, "pay", {"amount": None}))
    assert paid.kept["case.paid"] is None
    assert (
        led(case, (0, "pay", {"amount": None}), (1, "pay", {"amount": 5})).kept["case.paid"]
        is None
    )


@pytest.mark.parametrize(("amount", "why"), [(100_000, "taken"), (100_001, "bounds")])
def test_a_fact_that_would_pass_its_upper_bound_lets_nothing_change(
    case: Setting, amount: int, why: str
) -> None:
    half = led(case, (0, "pay", {"amount": 1}))
    moved = sent_to(case, half, (1, "pay", {"amount": amount - 1}))
    if why == "taken":
        assert moved.state.kept["case.paid"] == amount
    else:
        assert isinstance(moved, NotTaken)
        assert (moved.why, moved.beyond) == (why, ("case.paid",))
        assert [t.on for t in moved.failed] == ["pay"]
        assert moved.state == half


@pytest.mark.parametrize(("amount", "taken_"), [(500, True), (501, False)])
def test_a_fact_that_would_pass_its_lower_bound_lets_no_other_change_either(
    case: Setting, amount: int, taken_: bool
) -> None:
    open_ = led(case, UNSURE, (11, "decide", {**YES, "due": 30}), (12, "pay", {"amount": 500}))
    moved = sent_to(case, open_, (13, "price", {"amount": amount}))
    assert isinstance(moved, Moved) is taken_
    assert moved.state.kept["order.unit_price"] == (amount if taken_ else None)
    assert moved.state.kept["case.paid"] == (0 if taken_ else 500)


def test_an_end_of_a_clock_that_would_pass_a_bound_changes_nothing(like_errand: Any) -> None:
    def change(parts: Any) -> None:
        [way] = [t for t in parts["transitions"] if t.get("after") == "board"]
        way["set"] = {"case.booked": "case.booked + 61"}

    case = like_errand(change)
    board = passed(case, led(case, UNSURE), 30)
    assert told(board) == [(10, "desk", "board")]
    assert board.state.kept["case.booked"] == 40


def test_what_is_kept_of_the_vocabulary_is_read_by_guards_instead_of_the_order(
    small: Rulebook,
) -> None:
    sent = (UNSURE, (11, "decide", {**YES, "due": 30}))
    for pledged, why in ((None, "unknown"), (False, "guard")):
        case = _setting(small, pledge__submitted=pledged)
        assert refused(case, led(case, *sent), (12, "send", {"units": 1})).why == why
    case = _setting(small, pledge__submitted=True)
    assert taken(case, led(case, *sent), (12, "send", {"units": 1})).state.kept["case.sent"] == 1


# What is refused, and what has ended.


def test_what_is_refused_is_put_on_record_and_changes_nothing_but_the_day(case: Setting) -> None:
    desk = led(case, UNSURE)
    moved = taken(case, desk, (3, "undo"))
    assert moved.state == replace(desk, day=FIRST + 3)
    [done] = moved.steps
    assert done.refused
    assert (done.transition.refuses, done.held) == ("quantity-cap", False)
    assert not taken(case, desk, (3, "ask")).steps[0].refused
    with pytest.raises(ValueError, match="order of their dates"):
        step(case, moved.state, _happening((2, "ask")))


def test_a_case_that_has_ended_takes_nothing(case: Setting) -> None:
    gone = led(case, (0, "drop"))
    for event in case.process.events:
        assert refused(case, gone, (1, event)).why == "end"
    assert possible(case, gone, FIRST) == ()
    assert deadlines(case.process, gone, FIRST) == ()


def test_an_event_before_the_latest_is_no_answerable_question(case: Setting) -> None:
    with pytest.raises(ValueError, match="order of their dates"):
        step(case, led(case, UNSURE, (4, "hold")), _happening((3, "resume")))


def test_an_event_may_come_before_what_a_later_question_saw_pass(case: Setting) -> None:
    desk = led(case, UNSURE)
    assert refused(case, desk, (400, "ask")).state.stage == "gone"
    assert taken(case, desk, (5, "ask")).state.stage == "side"


def test_a_replay_of_an_event_that_is_not_taken_raises(case: Setting) -> None:
    with pytest.raises(ValueError, match="resume is not taken in desk"):
        led(case, UNSURE, (3, "resume"))


# What can be taken next.


def test_possible_events_stand_in_the_order_of_the_process_and_say_what_is_refused(
    case: Setting,
) -> None:
    def open_(state: State, day: int) -> list[tuple[str, bool]]:
        return [(p.event.id, p.refused) for p in possible(case, state, FIRST + day)]

    assert open_(begin(case, FIRST), 0) == [("hand-in", False), ("pay", False), ("drop", False)]
    desk = led(case, UNSURE)
    assert open_(desk, 7) == [
        ("ask", False),
        ("hold", False),
        ("undo", True),
        ("pay", False),
        ("drop", False),
    ]
    assert ("nudge", False) in open_(desk, 8)
    assert open_(led(case, UNSURE, (4, "hold")), 5) == [
        ("resume", False),
        ("nudge", False),
        ("undo", True),
        ("pay", False),
        ("drop", False),
    ]


def test_an_event_whose_guard_waits_for_an_answer_is_possible(small: Rulebook) -> None:
    sent = (UNSURE, (11, "decide", {**YES, "due": 30}))
    for pledged, found in ((None, True), (False, False), (True, True)):
        case = _setting(small, pledge__submitted=pledged)
        events = [p.event.id for p in possible(case, led(case, *sent), FIRST + 12)]
        assert ("send" in events) is found


# Another evaluator in the place of this one.


def test_another_evaluator_is_asked_for_every_event_and_every_end_of_a_clock(
    case: Setting,
) -> None:
    asked: list[tuple[Trigger, str]] = []

    def choose(moment: Moment, state: State, trigger: Trigger) -> Any:
        asked.append((trigger, state.stage))
        return first(moment, state, trigger)

    sent = [_happening(one) for one in (UNSURE, (12, "hold"))]
    moved = replay(case, FIRST, sent, choose)
    assert moved == replay(case, FIRST, sent)
    assert asked == [
        (("on", "hand-in"), "idea"),
        (("after", "desk"), "desk"),
        (("on", "hold"), "board"),
    ]


@pytest.mark.parametrize(("answer", "why"), [(False, "guard"), (None, "unknown")])
def test_what_another_evaluator_does_not_choose_is_not_taken(
    case: Setting, answer: Any, why: str
) -> None:
    found = step(case, led(case, UNSURE), _happening((3, "ask")), lambda *_: answer)
    assert isinstance(found, NotTaken)
    assert found.why == why


# Properties, on the small process and on those that are shipped.


def walk(
    books: Mapping[str, Rulebook], name: str, seed: int, count: int
) -> Iterator[tuple[Setting, State, Happening]]:
    """Drawn cases: each event with the state to which it is sent."""
    for setting, course in cases(books[name], name, seed=seed, count=count):
        state = begin(setting, course.opened)
        for sent in course.sent:
            yield setting, state, sent
            moved = step(setting, state, sent)
            state = moved.state if isinstance(moved, Moved) else state


def _same(process: Process, state: State, other: Led) -> None:
    assert (state.stage, state.held, state.day) == (other.stage, other.held, other.day)
    assert (dict(state.kept), set(state.told)) == (other.kept, other.told)
    assert [*map(type, state.kept.values())] == [type(other.kept[path]) for path in state.kept]
    for shift in (0, 1, 40):
        day = state.day + shift
        found = {d.clock.id: (d.counted, d.last, d.over) for d in deadlines(process, state, day)}
        assert found == {id: _counted(other, id, shift) for id in other.clocks}


def _counted(other: Led, id: str, shift: int) -> tuple[int, int | None, bool]:
    count, last = other.clocks[id], other.last(id)
    days = count.days if count.stands else count.days + shift
    return max(0, days), last, last is not None and last < other.day + shift


def _agree(setting: Setting, opened: int, sent: Sequence[Happening]) -> None:
    """Every step of a case comes to what another reading says."""
    process = setting.process
    state, other = begin(setting, opened), Led.opened(process, setting.order.stated, opened)
    _same(process, state, other)
    for one in sent:
        moved = step(setting, state, one)
        why, steps = other.send(one.event, one.day, one.fields)
        if isinstance(moved, Moved):
            assert (why, steps) == ("taken", [(s.day, s.transition.number) for s in moved.steps])
            state = moved.state
            _same(process, state, other)
        else:
            assert why == moved.why


@pytest.mark.parametrize("name", PROCESSES)
def test_a_second_reading_of_every_process_agrees(books: dict[str, Rulebook], name: str) -> None:
    for setting, course in cases(books[name], name, seed=11, count=150):
        _agree(setting, course.opened, course.sent)


@given(data=st.data())
def test_a_second_reading_agrees_on_any_course(
    books: dict[str, Rulebook], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(PROCESSES))
    [setting] = drawn_settings(books[name], name, seed=data.draw(st.integers(0, 50)), count=1)
    course = data.draw(event_sequences(setting.process, setting.order))
    _agree(setting, course.opened, course.sent)


@pytest.mark.deep
@pytest.mark.parametrize("name", PROCESSES)
def test_a_second_reading_agrees_on_very_many_cases(books: dict[str, Rulebook], name: str) -> None:
    for setting, course in cases(books[name], name, seed=12, count=20_000):
        _agree(setting, course.opened, course.sent)


@pytest.mark.parametrize("name", PROCESSES)
def test_what_is_not_possible_is_never_taken_and_what_is_taken_was_possible(
    books: dict[str, Rulebook], name: str
) -> None:
    draw = Courses(books[name].processes[name])
    pick = picking(Random(13))
    for setting, state, sent in walk(books, name, 13, 60):
        day = sent.day
        before = advance(setting, state, day).state
        open_ = {p.event.id: p.refused for p in possible(setting, before, day)}
        moved = step(setting, state, sent)
        if isinstance(moved, Moved):
            assert open_[sent.event] <= moved.steps[-1].refused
        if setting.process.stages[before.stage].end:
            assert open_ == {}
            continue
        for id in setting.process.events:
            if id in open_:
                continue
            for happening in (draw.told(setting, before, day, id, pick) for _ in range(3)):
                found = step(setting, before, happening)
                assert isinstance(found, NotTaken), happening
                assert found.why in ("stage", "guard")


@pytest.mark.parametrize("name", PROCESSES)
def test_a_replay_of_the_events_that_were_taken_gives_every_state_again(
    books: dict[str, Rulebook], name: str
) -> None:
    for setting, course in cases(books[name], name, seed=14, count=60):
        state, steps = begin(setting, course.opened), list[Step]()
        kept: list[Happening] = []
        then = [(state, tuple(steps))]
        for sent in course.sent:
            moved = step(setting, state, sent)
            if isinstance(moved, Moved):
                kept.append(sent)
                state = moved.state
                steps += moved.steps
                then.append((state, tuple(steps)))
        for many, (was, did) in enumerate(then):
            again = replay(setting, course.opened, kept[:many])
            assert (again.state, again.steps) == (was, did)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_step_changes_nothing_that_it_is_given(books: dict[str, Rulebook], name: str) -> None:
    for setting, state, sent in walk(books, name, 15, 40):
        order = deepcopy((dict(setting.order.stated), [*setting.order.values]))
        before = deepcopy((state, sent))
        step(setting, state, sent)
        possible(setting, state, sent.day)
        assert (state, sent) == before
        assert (dict(setting.order.stated), [*setting.order.values]) == order


@pytest.mark.parametrize("name", PROCESSES)
def test_days_may_be_looked_at_one_by_one_or_all_at_once(
    books: dict[str, Rulebook], name: str
) -> None:
    draw = Random(16)
    for setting, state, sent in walk(books, name, 16, 60):
        until = state.day + draw.choice((3, 40, 400))
        whole, between = advance(setting, state, until), state
        parts: tuple[Step, ...] = ()
        for day in sorted(draw.sample(range(state.day, until + 1), 3)):
            moved = advance(setting, between, day)
            between, parts = moved.state, (*parts, *moved.steps)
        last = advance(setting, between, until)
        assert last.state == whole.state
        assert (*parts, *last.steps) == whole.steps
        seen = advance(setting, state, sent.day).state
        one, other = step(setting, state, sent), step(setting, seen, sent)
        assert one.state == other.state
        assert type(one) is type(other)


@pytest.mark.parametrize("name", PROCESSES)
def test_every_state_is_one_of_its_process(books: dict[str, Rulebook], name: str) -> None:
    process = books[name].processes[name]
    for setting, state, sent in walk(books, name, 17, 100):
        moved = step(setting, state, sent)
        days = [s.day for s in moved.steps] if isinstance(moved, Moved) else []
        assert days == sorted(days)
        assert not days or state.day <= days[0] <= days[-1] == sent.day
        now = moved.state
        runs = {id for id, c in process.clocks.items() if now.stage in c.runs}
        pauses = {id for id, c in process.clocks.items() if now.stage in c.pauses}
        assert runs <= set(now.clocks) <= runs | pauses
        for id, count in now.clocks.items():
            stands = id in pauses or (now.held and process.clocks[id].holdable)
            assert (count.stopped is not None) is stands
        for path, value in now.kept.items():
            kind = process.keeps[path].type
            if isinstance(value, int) and kind.is_numeric:
                assert kind.lo is not None
                assert kind.hi is not None
                assert kind.lo <= value <= kind.hi


@pytest.mark.parametrize("name", PROCESSES)
def test_held_days_are_never_counted_and_only_put_the_end_off(
    books: dict[str, Rulebook], name: str
) -> None:
    draw, held = Random(18), 0
    for setting, state, _ in walk(books, name, 18, 300):
        process = setting.process
        begins = [t.on for t in process.transitions if t.hold == "begin" and t.on and not t.to]
        ends = [t.on for t in process.transitions if t.hold == "end" and t.on and not t.to]
        told = {f.name: None for e in begins for f in process.events[e].fields}
        for event in begins:
            fields = {f.name: told[f.name] for f in process.events[event].fields}
            stopped = step(setting, state, Happening(event, state.day, fields))
            if not isinstance(stopped, Moved) or stopped.steps[0].before != stopped.state.stage:
                continue
            held += 1
            wait = draw.randrange(1, 60)
            before = {d.clock.id: d for d in deadlines(process, state, state.day)}
            during = {d.clock.id: d for d in deadlines(process, stopped.state, state.day + wait)}
            for id, now in during.items():
                if now.clock.holdable:
                    assert (now.counted, now.last) == (before[id].counted, _fixed(now))
            until = advance(setting, stopped.state, state.day + wait).state
            if until.held:
                on = step(setting, until, Happening(ends[0], state.day + wait, {}))
                assert isinstance(on, Moved)
                for id, now in {d.clock.id: d for d in deadlines(process, on.state, 0)}.items():
                    was = before[id].last
                    put_off = wait if now.clock.holdable and now.clock.days else 0
                    assert now.last == (None if was is None else was + put_off)
    assert held > 20 or not any(t.hold for t in books[name].processes[name].transitions)


def _fixed(deadline: Deadline) -> int | None:
    """No hold moves a date."""
    return deadline.last if deadline.clock.until is not None else None
