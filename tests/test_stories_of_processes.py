"""The shipped stories of cases go everywhere that the shipped processes lead; twins are twins."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.case_story import CaseStory, is_case_story, play, read_case_story
from engine.case_told import tell
from engine.load import Rulebook
from engine.order import document
from engine.process import Transition
from engine.source import read_file

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "scenarios").glob("*/*.yaml"))
PROCESSES = sorted(path.parent.name for path in (ROOT / "rules").glob("*/process.yaml"))

UNTOLD: dict[str, dict[str, str]] = {process: {} for process in PROCESSES}
"""For each process the transitions that no story takes, by what they say, with the reason."""


@pytest.fixture(scope="module")
def stories(rulebook: Rulebook) -> dict[str, CaseStory]:
    """Every shipped story of a case, by its folder and name."""
    read = ((path, document(read_file(path, "O"), path.name)) for path in FILES)
    return {
        f"{path.parent.name}/{path.stem}": read_case_story(rulebook, told)
        for path, told in read
        if is_case_story(told)
    }


def test_every_story_comes_out_as_it_expects(
    rulebook: Rulebook, stories: dict[str, CaseStory]
) -> None:
    for name, story in stories.items():
        assert play(rulebook, story).differences == (), name


def test_a_story_lies_in_the_folder_of_its_process(stories: dict[str, CaseStory]) -> None:
    assert {name.partition("/")[0] for name in stories} == set(PROCESSES)
    for name, story in stories.items():
        assert name.partition("/")[0] == story.process.id


@pytest.mark.parametrize("process", PROCESSES)
def test_every_transition_is_taken_by_a_story(
    process: str, rulebook: Rulebook, stories: dict[str, CaseStory]
) -> None:
    taken: set[int] = set()
    for story in stories.values():
        if story.process.id == process:
            taken |= play(rulebook, story).taken
    untold = [t for t in rulebook.processes[process].transitions if t.number not in taken]
    excused = UNTOLD[process]
    assert [_named(t) for t in untold if t.says.en not in excused] == []
    assert {t.says.en for t in untold} >= set(excused), "a story takes what was excused"


def _named(one: Transition) -> str:
    """A transition as a rule author finds it."""
    by = one.on or f"after {one.after}"
    return f"line {one.span.line}: {by} in {', '.join(one.stages[:3])}: {one.says.en}"


@pytest.mark.parametrize("process", PROCESSES)
def test_every_stage_clock_and_refusal_is_expected_by_a_story(
    process: str, rulebook: Rulebook, stories: dict[str, CaseStory]
) -> None:
    own = [story for story in stories.values() if story.process.id == process]
    expected = [(what, e[what]) for s in own for e in _expectations(s) for what in e]
    of = rulebook.processes[process]
    stages = {value for what, value in expected if what == "stage"}
    assert set(of.stages) - stages - {of.start} == set()
    dated = {
        what.split()[1] for what, day in expected if what.startswith("deadlines") and day[0] == "2"
    }
    assert set(of.clocks) - dated == set()
    refused = {value for what, value in expected if what == "refused"}
    assert {t.refuses for t in of.transitions} - refused - {None} == set()


def _expectations(story: CaseStory) -> list[dict[str, str]]:
    return [*(dict(one.expect) for one in story.events), dict(story.expect)]


@pytest.mark.parametrize("process", PROCESSES)
def test_the_stories_expect_what_is_not_taken_too(
    process: str, stories: dict[str, CaseStory]
) -> None:
    own = [story for story in stories.values() if story.process.id == process]
    codes = {one.expect.get("not_taken") for story in own for one in story.events}
    assert codes >= {"O401", "O402"}


def test_silence_and_three_times_no_objection_are_in_the_same_stages_on_the_same_days(
    rulebook: Rulebook, stories: dict[str, CaseStory]
) -> None:
    silent, spoken = (
        _stages(rulebook, stories[f"ear-750/{name}"])
        for name in ("thirty-days-without-a-word", "three-times-no-objection")
    )
    assert silent == spoken
    assert [stage for stage, _ in silent][-3:] == ["resolution", "approved", "licensed"]


def _stages(book: Rulebook, story: CaseStory) -> list[tuple[str, str]]:
    """The stages of a story with the days on which they began."""
    taken = [one.sent for one in story.events if one.sent and "not_taken" not in one.expect]
    last = max(sent.happening.day for sent in taken)
    told = tell(book, story.setting, story.opened_on, taken, last)
    return [(span["stage"], span["from"]) for span in told["spans"]["stages"]]
