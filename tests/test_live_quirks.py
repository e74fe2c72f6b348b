"""What durable_rules does that its users would not expect: a release that changes it is noticed.

Each hazard is shown by a process of its own, since many end it. Where there is a bound, both sides
stand here: what holds on the near side is what the live back end rests on.
"""

from __future__ import annotations

import ast
import itertools
import json
import operator
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
QUIRKS = Path(__file__).with_name("quirks.py")

AMPLE = 20
"""Seconds of processor time that no program needs unless it hangs."""
SHORT = 1
"""Seconds of processor time for one that may hang; the near side of its bound takes hundredths."""

CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)

# The C library then fills what it hands out, so that nobody finds zeros there by chance.
FILLED = {"MALLOC_PERTURB_": "165"}

TOP = 2**63 - 1
BOTTOM = -(2**63)

# Distinct, with one 32-bit FNV-1a hash: two facts by their content, two words by their letters.
SAME_FACTS = ({"units": 41_473}, {"units": 167_404})
SAME_WORDS = ("costarring", "liquid")

Data = Mapping[str, object]
Case = tuple[Sequence[Data], Data]
"""The conditions of one rule, and a fact."""

OVER: Data = {"$gt": {"left": {"$m": "right"}}}
WITHIN: Data = {"$lte": {"left": {"$m": "right"}}}


class Ended(NamedTuple):
    """What a program said before it ended, and how it did: by itself, in a crash, out of time."""

    said: list[Any]
    how: str


def run(program: str, *given: object, seconds: int = AMPLE, filled: bool = False) -> Ended:
    command = [sys.executable, "-P", str(QUIRKS), program, str(seconds)]
    done = subprocess.run(
        [*command, *map(json.dumps, given)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | (FILLED if filled else {}),
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode == 0:
        return Ended(said, "by itself")
    if -done.returncode in CRASHES:
        return Ended(said, "in a crash")
    assert done.returncode == -signal.SIGPROF, done.stderr
    return Ended(said, "out of time")


def said(program: str, *given: object, filled: bool = False) -> list[Any]:
    """What a program said that is to end by itself."""
    ended = run(program, *given, filled=filled)
    assert ended.how == "by itself", ended
    return ended.said


def fires(*cases: Case) -> list[Any]:
    """How often the rule of each case fires, or the fault."""
    return said("fires", cases)


def test_the_state_after_1024_live_ones_is_a_memory_error() -> None:
    assert said("live_states", 1_025, False) == [[1_024, "MemoryError"]]


@pytest.mark.parametrize("how", ["assert", "delete"])
def test_touching_the_state_that_was_refused_for_memory_crashes(how: str) -> None:
    assert run("touch_the_refused_state", how, filled=True) == (["ready"], "in a crash")


def test_states_deleted_after_use_have_no_bound() -> None:
    assert said("live_states", 3_000, True) == [[3_000, "fine"]]


def test_deleting_an_unknown_state_is_an_error_and_no_crash() -> None:
    assert said("delete_unknown") == ["error 309", "fine", "error 309"]


def test_deleting_a_state_in_which_no_action_ran_crashes() -> None:
    ended = run("delete_without_action", False, filled=True)
    assert ended == (["MessageNotHandledException"], "in a crash")


def test_a_state_without_actions_is_deleted_safely_where_one_with_actions_was_before() -> None:
    assert said("delete_without_action", True, filled=True) == [
        "MessageNotHandledException",
        "alive",
    ]


def test_each_host_starts_two_threads() -> None:
    assert said("threads_of", False) == [2]


def test_a_host_whose_run_is_overridden_starts_no_thread() -> None:
    assert said("threads_of", True) == [0]


def test_a_timer_thread_runs_the_actions_that_the_caller_left() -> None:
    assert said("batch_over_two_states", False) == [{"a": False, "b": True}]


def test_without_timers_a_batch_runs_the_actions_of_its_last_state_alone() -> None:
    assert said("batch_over_two_states", True) == [{"b": True}]


def test_a_timer_crashes_once_the_earlier_of_two_states_is_deleted() -> None:
    assert run("dispatch", ["a"], filled=True) == (["ready"], "in a crash")


@pytest.mark.parametrize("deleted", [[], ["b"], ["a", "b"]], ids=str)
def test_a_timer_does_no_harm_when_no_earlier_state_is_deleted(deleted: list[str]) -> None:
    assert said("dispatch", deleted, filled=True) == ["ready", "alive"]


def test_four_threads_that_delete_states_crash_a_host_with_timers() -> None:
    # Each try crashed within 1.4 seconds when this was measured: eight of eight.
    tries = (run("four_threads", False, 4, filled=True) for _ in range(5))
    assert any(ended.how == "in a crash" for ended in tries)


def test_four_threads_that_delete_states_leave_a_quiet_host_alive() -> None:
    assert said("four_threads", True, 1, filled=True) == ["ready", True]


def test_text_and_truth_values_compare_with_numbers() -> None:
    assert fires(
        ([{"$lt": {"x": 5}}], {"x": "4"}),
        ([{"$lt": {"x": 5}}], {"x": "10"}),
        ([{"$gt": {"x": 5}}], {"x": "abc"}),
        ([{"$lt": {"x": 5}}], {"x": True}),
        ([{"x": 1}], {"x": True}),
        ([{"x": 1}], {"x": 1.0}),
    ) == [1, 1, 1, 1, 1, 1]


def test_floats_are_inexact() -> None:
    assert fires(([{"$lte": {"x": 0.3}}], {"x": 0.1 + 0.2})) == [0]


def test_nothing_and_not_a_number_are_on_neither_side_of_a_cap() -> None:
    nothings = (None, float("nan"))
    sides = ({"$lte": {"x": 5}}, {"$gt": {"x": 5}}, {"$neq": {"x": 5}})
    assert fires(*(([side], {"x": each}) for each in nothings for side in sides)) == [0] * 6
    assert fires(*(([side], {"left": 6, "right": None}) for side in (WITHIN, OVER))) == [0, 0]


def test_an_absent_number_on_the_left_fires_nothing() -> None:
    assert fires(*(([side], {"right": 1}) for side in (OVER, WITHIN))) == [0, 0]


def test_an_absent_number_on_the_right_fires_like_the_condition_before() -> None:
    # The library reads an answer that nobody wrote, where the answer to the last condition was.
    known: Data = {"known": "t"}
    fired = fires(*(([known, side], {**known, "left": 1}) for side in (OVER, WITHIN)))
    assert fired == [1, 1]


def test_an_integer_beyond_int64_becomes_its_bound() -> None:
    assert fires(
        ([{"left": {"$m": "right"}}], {"left": TOP + 1, "right": TOP}),
        ([OVER], {"left": TOP + 1, "right": TOP}),
        ([WITHIN], {"left": 2**70, "right": TOP}),
        ([{"left": {"$m": "right"}}], {"left": -(2**70), "right": BOTTOM}),
    ) == [1, 0, 1, 1]


def test_arithmetic_wraps_beyond_int64() -> None:
    def is_right(sign: str, number: int) -> list[Data]:
        return [{"left": {sign: {"$l": {"$m": "right"}, "$r": number}}}]

    assert fires(
        (is_right("$add", 1), {"left": BOTTOM, "right": TOP}),
        (is_right("$mul", 2), {"left": -2, "right": TOP}),
    ) == [1, 1]


def test_a_number_with_an_exponent_is_refused() -> None:
    numbers = (1e16, 1e-7, float("inf"), float("-inf"))
    assert fires(*(([{"$lt": {"x": 5}}], {"x": number}) for number in numbers)) == [
        "error 204",
        "error 204",
        "error 202",
        "error 204",
    ]


SIGNS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
}
EXACT = (BOTTOM, BOTTOM + 1, -(2**53) - 1, -(2**53), -10, -9, -1, 0, 9, 10, 2**53, 2**53 + 1)


@pytest.mark.parametrize("constant", [False, True], ids=["two properties", "a constant"])
def test_integers_compare_exactly_up_to_the_bounds_of_int64(constant: bool) -> None:
    values = (*EXACT, TOP - 1, TOP)
    assert said("compares", values, constant) == [
        [left, right, sorted(sign for sign, holds in SIGNS.items() if holds(left, right))]
        for left, right in itertools.product(values, values)
    ]


def test_two_distinct_facts_with_one_hash_are_refused_as_observed() -> None:
    assert said("asserts", SAME_FACTS) == [[["fine", "MessageObservedException"], 1]]


def test_ids_tell_facts_with_one_hash_apart() -> None:
    facts = [{**fact, "id": name} for fact, name in zip(SAME_FACTS, "ab", strict=True)]
    assert said("asserts", facts) == [[["fine", "fine"], 2]]


def test_ids_themselves_are_told_apart_by_32_bits() -> None:
    facts = [{"id": word, "units": units} for units, word in enumerate(SAME_WORDS)]
    assert said("asserts", facts) == [[["fine", "MessageObservedException"], 1]]


def test_two_states_with_one_hash_are_one() -> None:
    facts = [{"sid": word, "id": "1", "units": 1} for word in SAME_WORDS]
    assert said("asserts", facts) == [[["fine", "MessageObservedException"], 1]]


def test_two_properties_with_one_hash_are_one() -> None:
    assert fires(([{SAME_WORDS[0]: 1}], {SAME_WORDS[1]: 1})) == [1]


def test_an_event_fires_the_first_rule_alone_and_a_fact_all() -> None:
    assert said("events_and_facts") == [
        ["post", ["first"]],
        ["assert_fact", ["first", "second", "third"]],
    ]


def test_a_fact_with_a_known_id_is_refused_whatever_it_says() -> None:
    facts = [{"id": "1", "units": units} for units in (1, 1, 2)]
    refused = "MessageObservedException"
    assert said("asserts", facts) == [[["fine", refused, refused], 1]]


def test_a_batch_with_a_known_fact_leaves_its_actions_to_the_next_call() -> None:
    facts = [{"sid": "a", "id": name, "x": x} for x, name in enumerate("112")]
    assert said("batch", facts) == [["MessageObservedException", []], [0, 2, 9]]


def test_a_batch_silently_ends_at_a_fact_that_cannot_be_read() -> None:
    facts = [{"sid": "a", "id": str(x), "x": x} for x in (1, 1e16, 3)]
    assert said("batch", facts) == [["fine", [1]], [1, 9]]


def test_what_goes_wrong_in_an_action_is_told_in_the_state_alone() -> None:
    assert said("action_faults") == [
        ["nothing", False, False],
        ["unmatched", True, True],
        ["observed", True, True],
        ["raises", True, True],
    ]


def test_an_action_with_two_arguments_is_awaited_and_the_call_answers_zero() -> None:
    assert said("action_with_two_arguments") == [[0, ["function"]]]


@pytest.mark.parametrize(("seconds", "told"), [(9, True), (11, False)])
def test_a_call_answers_nothing_once_ten_seconds_of_the_clock_have_gone(
    seconds: int, told: bool
) -> None:
    assert said("action_that_outlasts", seconds) == [[told, 1]]


ANY: Data = {"$or": [{"a": "t"}, {"b": "t"}, {"c": "t"}]}
FIRST: Data = {
    "$or": [
        {"a": "t"},
        {"$and": [{"a": "f"}, {"b": "t"}]},
        {"$and": [{"a": "f"}, {"b": "f"}, {"c": "t"}]},
    ]
}
TRUTHS = [dict(zip("abc", signs, strict=True)) for signs in itertools.product("tf", repeat=3)]


def test_alternatives_fire_once_for_each_that_is_true() -> None:
    fired = fires(*(([ANY], signs) for signs in TRUTHS))
    assert fired == [3, 2, 2, 1, 2, 1, 1, 0]


def test_alternatives_that_exclude_each_other_fire_once() -> None:
    among: list[Data] = [{"rule": "r"}, FIRST, {"known": "t"}]
    fired = fires(*((among, {**signs, "rule": "r", "known": "t"}) for signs in TRUTHS))
    assert fired == [1, 1, 1, 1, 1, 1, 1, 0]


SHAPES = ("fields", "values", "below a name")


@pytest.mark.parametrize("shape", SHAPES)
def test_sixty_four_conditions_met_at_once_all_fire(shape: str) -> None:
    assert said("conditions", 64, shape) == ["fine", ["fine", 64]]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_more_condition_met_at_once_is_error_303(shape: str) -> None:
    assert said("conditions", 65, shape) == ["fine", ["error 303", 0]]


def test_conditions_that_follow_each_other_have_no_such_bound() -> None:
    assert said("conditions", 300, "one after the other") == ["fine", ["fine", 1]]


def test_255_rules_on_one_condition_all_fire() -> None:
    assert said("conditions", 255, "the same") == ["fine", ["fine", 255]]


def test_256_rules_on_one_condition_crash_with_the_first_fact() -> None:
    assert run("conditions", 256, "the same", filled=True) == (["fine"], "in a crash")


def test_a_257th_rule_on_one_condition_is_refused() -> None:
    assert said("conditions", 257, "the same") == ["error 108"]


def test_a_129th_absence_on_one_condition_is_refused() -> None:
    assert said("conditions", 129, "absences") == ["error 107"]


@pytest.mark.parametrize("groups", [0, 1])
def test_a_name_of_511_is_found_at_once(groups: int) -> None:
    ended = run("names", 511, groups, seconds=SHORT)
    assert ended == (["fine", ["fine", 1]], "by itself")


@pytest.mark.parametrize("groups", [0, 1])
def test_the_first_fact_hangs_where_512_names_are_told_apart(groups: int) -> None:
    assert run("names", 512, groups, seconds=SHORT) == (["fine"], "out of time")


def test_registering_hangs_with_a_513th_name() -> None:
    assert run("names", 513, 0, seconds=SHORT) == ([], "out of time")


def test_names_in_groups_reach_4096_rules() -> None:
    assert said("names", 4_096, 10) == ["fine", ["fine", 1]]


def test_a_4097th_rule_is_refused() -> None:
    assert said("names", 4_097, 10) == ["error 106"]


@pytest.mark.parametrize(
    "pattern",
    [{"sid": "a"}, {"$ex": {"id": 1}}, {"$neq": {"id": "2"}}, {"$nex": {"y": 1}}],
    ids=str,
)
def test_a_condition_that_the_state_itself_meets_fires_for_ever(pattern: Data) -> None:
    # The state is a message too, with `sid`, `id` and `$s`; after each action it is written anew.
    assert said("firings", [pattern]) == [1_000]


@pytest.mark.parametrize(
    "patterns",
    [[{"id": "1"}], [{"x": 1}, {"sid": "a"}], [{"x": 1}, {"$nex": {"y": 1}}]],
    ids=str,
)
def test_a_condition_that_the_fact_alone_meets_fires_once(patterns: list[Data]) -> None:
    assert said("firings", patterns) == [1]


def test_a_statechart_keeps_an_event_and_fires_it_after_a_later_move() -> None:
    assert said("follow", ["ship", "review"], False, False) == [
        ["ship", []],
        ["review", [["filed", "review"], ["reviewed", "ship"]]],
    ]


def test_a_stage_that_refuses_what_it_does_not_take_keeps_nothing() -> None:
    assert said("follow", ["ship", "review"], True, True) == [
        ["open", []],
        ["ship", [["filed", "refused"]]],
        ["review", [["filed", "review"]]],
    ]


def test_a_first_stage_that_refuses_is_no_first_stage() -> None:
    assert said("register_chart", False, True) == ["Chart c has no start state"]


def test_cases_whose_stages_keep_events_differ_from_a_plain_reading() -> None:
    # 345 of 2,000 when this was measured.
    assert 20 < said("cases", 300, True, False)[0] < 120


def test_cases_whose_stages_refuse_events_are_read_plainly() -> None:
    assert said("cases", 1_000, True, True) == [0]


@pytest.mark.parametrize(("number", "ended"), [(62, "fine"), (63, "error 303")])
def test_a_chart_refuses_up_to_62_kinds_of_event(number: int, ended: str) -> None:
    assert said("stages_in_a_row", number) == [ended]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read in /proc")
def test_a_ruleset_is_never_freed_by_its_host() -> None:
    kept, freed = said("memory", 30, False)[0], said("memory", 30, True)[0]
    # Rulesets of a hundred rules: some 0.8 MB each.
    assert kept > 12_000_000
    assert freed < 3_000_000


@pytest.mark.parametrize("file", ["Makefile", "pyproject.toml", "Containerfile"])
def test_the_build_replaces_what_python_3_13_no_longer_has(file: str) -> None:
    assert "-DPyEval_CallObject=PyObject_CallObject" in (ROOT / file).read_text("utf-8")


def test_durable_lang_keeps_one_host_and_what_any_module_declares() -> None:
    assert said("registry") == [
        ["declared", ["r"], 0],
        ["host", True, 2],
        "Ruleset with name r already registered",
    ]


@pytest.mark.parametrize("folder", ["engine", "api", "tests"])
def test_nothing_of_ours_imports_durable_lang(folder: str) -> None:
    """All files but the one that shows what it keeps."""
    files = [file for file in sorted((ROOT / folder).rglob("*.py")) if file != QUIRKS]
    assert not [str(file) for file in files if "durable.lang" in imported(file)]


def imported(file: Path) -> set[str]:
    """Every module that a file may import, and every name it takes from one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {name.name for name in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module, *(f"{module}.{name.name}" for name in names)}
    return found
