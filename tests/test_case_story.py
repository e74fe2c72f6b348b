"""Stories of cases: what they expect is held against the case; a slip in one is told at its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from engine.case_story import NOT_TAKEN, Played, is_case_story, play, read_case_story
from engine.diagnostics import Diagnostic, OrderRejected
from engine.fault_codes import CODES
from engine.load import Rulebook
from engine.order import Document, document
from engine.source import read_text

ROOT = Path(__file__).parent.parent

# 5 January 2026 + 30 days is 4 February; + 90 is 5 April.
SILENT = """\
title: {en: Silence, zh: 沉默}
story: {en: Nobody answers., zh: 无人答复。}
process: ear-750
opened_on: 2026-01-02
facts: {item: {product: H200-SXM}}
events:
  - {event: submit, on: 2026-01-02, units: 3000, as_whole: true, expect: received}
  - {event: register, on: 2026-01-05}
  - {event: refer, on: 2026-01-05, expect: {stage: agency-review, deadlines: {agencies: 2026-02-04}}}
expect: {as_of: 2026-02-05, stage: resolution, since: 2026-02-04}
"""
PAID = """\
title: {en: Paid, zh: 付清}
story: {en: Ten chips., zh: 十片。}
process: h200-article
opened_on: 2026-01-19
facts: {item: {product: H200-SXM}, order: {quantity: 10, unit_price: "27000.00"}}
ledger: 55000
events:
  - {event: place, on: 2026-01-20, expect: placed}
  - {event: request-refund, on: 2026-01-21, expect: {refused: no-refund, stage: placed}}
  - {event: prepay, on: 2026-01-22, amount: "270000.00"}
expect:
  stage: placed
  kept: {case.reserved: 10, customer.units_to_date: 55000, review.commerce: null}
  figures: {cash_paid: "270000.00", undelivered: 10}
"""


def told(text: str) -> Document:
    return document(read_text(text, "story.yaml", "O"), "story.yaml")


def played(book: Rulebook, text: str) -> Played:
    return play(book, read_case_story(book, told(text)))


def differs(book: Rulebook, text: str) -> list[tuple[str, str, str]]:
    return list(played(book, text).differences)


def faults(book: Rulebook, text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(OrderRejected) as raised:
        read_case_story(book, told(text))
    return raised.value.diagnostics


def underlined(text: str, fault: Diagnostic) -> str:
    """What a fault points at, as far as it stands on one line."""
    span, line = fault.span, text.splitlines()[fault.span.line - 1]
    return line[span.column - 1 : span.end_column - 1 if span.end_line == span.line else None]


@pytest.mark.parametrize("text", [SILENT, PAID], ids=["ear-750", "h200-article"])
def test_a_story_that_expects_what_comes_out_has_no_difference(
    rulebook: Rulebook, text: str
) -> None:
    assert differs(rulebook, text) == []


def test_a_story_of_a_case_is_known_by_its_process() -> None:
    assert is_case_story(told(SILENT))
    assert not is_case_story(told("title: a"))
    assert not is_case_story(told("- process"))


def test_a_story_says_which_transitions_it_takes(rulebook: Rulebook) -> None:
    story = played(rulebook, SILENT)
    process = rulebook.processes["ear-750"]
    taken = [t.on or f"after {t.after}" for t in process.transitions if t.number in story.taken]
    assert taken == ["submit", "register", "refer", "after agencies"]


WRONG: dict[str, tuple[str, str, str, list[tuple[str, str, str]]]] = {
    "another stage at the end": (
        SILENT, "stage: resolution,", "stage: approved,",
        [("at the end, stage", "approved", "resolution")],
    ),
    "a day too late": (
        SILENT, "since: 2026-02-04", "since: 2026-02-05",
        [("at the end, since", "2026-02-05", "2026-02-04")],
    ),
    "held where it is not": (
        SILENT, "since: 2026-02-04", "held: true",
        [("at the end, held", "true", "false")],
    ),
    "the silence a day before it counts": (
        SILENT, "as_of: 2026-02-05, ", "as_of: 2026-02-04, ",
        [("at the end, stage", "resolution", "agency-review"),
         ("at the end, since", "2026-02-04", "2026-01-05")],
    ),
    "another stage after an event": (
        SILENT, "expect: received", "expect: draft",
        [("event 1: submit of 2026-01-02, stage", "draft", "received")],
    ),
    "another last day": (
        SILENT, "agencies: 2026-02-04", "agencies: 2026-02-03",
        [("event 3: refer of 2026-01-05, deadlines agencies", "2026-02-03", "2026-02-04")],
    ),
    "a clock that runs": (
        SILENT, "agencies: 2026-02-04", "overall: stopped, acep: none, agencies: none",
        [("event 3: refer of 2026-01-05, deadlines overall", "stopped", "2026-04-05"),
         ("event 3: refer of 2026-01-05, deadlines agencies", "none", "2026-02-04")],
    ),
    "a clock that does not run": (
        SILENT, "agencies: 2026-02-04", "acep: 2026-02-04",
        [("event 3: refer of 2026-01-05, deadlines acep", "2026-02-04", "none")],
    ),
    "not taken, but it is": (
        SILENT, "expect: received", "expect: {not_taken: O401}",
        [("event 1: submit of 2026-01-02", "not taken (O401)", "taken")],
    ),
    "refused, but it is not": (
        PAID, "expect: placed}\n  - {event: req", "expect: {refused: no-refund}}\n  - {event: req",
        [("event 1: place of 2026-01-20, refused by", "no-refund", "no rule")],
    ),
    "not refused, but it is": (
        PAID, "refused: no-refund, ", "",
        [("event 2: request-refund of 2026-01-21, refused by", "no rule", "no-refund")],
    ),
    "refused by another rule": (
        PAID, "refused: no-refund", "refused: no-cancellation",
        [("event 2: request-refund of 2026-01-21, refused by", "no-cancellation", "no-refund")],
    ),
    "another number": (
        PAID, "case.reserved: 10", "case.reserved: 11",
        [("at the end, kept case.reserved", "11", "10")],
    ),
    "unknown, but it is known": (
        PAID, "customer.units_to_date: 55000", "customer.units_to_date: null",
        [("at the end, kept customer.units_to_date", "unknown", "55000")],
    ),
    "known, but it is not": (
        PAID, "review.commerce: null", "review.commerce: approve",
        [("at the end, kept review.commerce", "approve", "unknown")],
    ),
    "another amount": (
        PAID, 'cash_paid: "270000.00"', 'cash_paid: "270000.01"',
        [("at the end, figures cash_paid", "270000.01", "270000.00")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_differs_is_told_with_what_was_expected(rulebook: Rulebook, name: str) -> None:
    text, right, wrong, differences = WRONG[name]
    assert text.count(right) == 1
    assert differs(rulebook, text.replace(right, wrong)) == differences


def test_an_event_that_is_not_taken_says_why(rulebook: Rulebook) -> None:
    text = PAID.replace("ledger: 55000", "ledger: 75000")
    (first, *_) = differs(rulebook, text)
    assert first[:2] == ("event 1: place of 2026-01-20", "taken")
    assert first[2].startswith("O402: `place` is not taken in the stage `draft`")
    assert "75010 <= 75000" in first[2]


def test_an_event_that_is_not_taken_leaves_the_case_as_it_was(rulebook: Rulebook) -> None:
    more = (
        "  - {event: ship, on: 2026-01-23, units: 1, expect: {not_taken: O401, stage: placed}}\n"
    )
    early = "  - {event: prepay, on: 2026-01-02, amount: 1, expect: {not_taken: O403}}\n"
    unread = "  - {event: prepay, on: 2026-01-23, amount: much, expect: {not_taken: O202}}\n"
    unknown = "  - {event: pre-pay, on: 2026-01-23, expect: {not_taken: O404, stage: placed}}\n"
    text = PAID.replace("expect:\n", more + early + unread + unknown + "expect:\n")
    assert differs(rulebook, text) == []


def test_amounts_are_compared_as_values_not_as_texts(rulebook: Rulebook) -> None:
    assert differs(rulebook, PAID.replace('cash_paid: "270000.00"', 'cash_paid: "0270000"')) == []


def test_a_number_without_a_ledger_is_unknown_and_never_passes(rulebook: Rulebook) -> None:
    text = PAID.replace("ledger: 55000\n", "")
    assert differs(rulebook, text)[0][2].startswith("O406: ")


SLIPS: dict[str, tuple[str, str, str, str, str, str]] = {
    "an unknown name": (SILENT, "facts:", "fact:", "O101", "fact", "did you mean `facts`?"),
    "an unknown process": (SILENT, "ear-750", "ear-705", "O409", "ear-705", "`ear-750`"),
    "a process that is a list": (SILENT, "process: ear-750", "process: [a]", "O409", "process", "known"),
    "a title in one language": (
        SILENT, "{en: Silence, zh: 沉默}", "{en: Silence}", "O302", "title", "zh"),
    "an empty title": (SILENT, "en: Silence", 'en: ""', "O302", "title", "write"),
    "no story": (SILENT, "story: {en: Nobody answers., zh: 无人答复。}\n", "", "O302", "", "write"),
    "no opening": (SILENT, "opened_on: 2026-01-02\n", "", "O302", "", "opened_on"),
    "an opening that is no day": (
        SILENT, "opened_on: 2026-01-02", "opened_on: 2026-02-30", "O202", "2026-02-30", "check"),
    "an opening before its time": (
        SILENT, "opened_on: 2026-01-02", "opened_on: 1995-01-02", "O410", "1995-01-02", "1996-02-04"),
    "an unknown fact": (SILENT, "product:", "produce:", "O201", "produce", "item.product"),
    "a fact that events say": (
        SILENT, "facts: {", "facts: {review: {state: deny}, ", "O408", "deny", "leave it out"),
    "facts that are a text": (
        SILENT, "facts: {item: {product: H200-SXM}}", "facts: some", "O103", "some", "write"),
    "no events": (SILENT, "events:\n", "event:\n", "O101", "event", "`events`"),
    "events that are no list": (
        PAID, "events:\n", "events: none\nstory_:\n", "O302", "none", "events: ["),
    "an event that is a text": (
        SILENT, "- {event: register, on: 2026-01-05}", "- register", "O103", "register", "write"),
    "an unknown event": (
        SILENT, "event: register", "event: registre", "O404", "registre", "`register`"),
    "an event without a day": (
        SILENT, "{event: register, on: 2026-01-05}", "{event: register}", "O405", "{event: register}",
        "on:"),
    "an event with an unknown field": (
        SILENT, "event: register,", "event: register, chips: 5,", "O405", "chips", "none"),
    "an event without a field": (SILENT, " as_whole: true,", "", "O405", "{event", "as_whole"),
    "a value that is none": (SILENT, "units: 3000", "units: many", "O202", "many", "digits"),
    "an unknown stage after an event": (
        SILENT, "expect: received", "expect: receved", "O101", "receved", "`received`"),
    "an unknown stage in a block": (
        SILENT, "stage: agency-review", "stage: agencies", "O101", "agencies", "`agency-review`"),
    "an unknown stage at the end": (
        SILENT, "stage: resolution", "stage: resolutions", "O101", "resolutions", "`resolution`"),
    "an unknown name after an event": (
        SILENT, "stage: agency-review", "step: agency-review", "O101", "step", "`stage`"),
    "an unknown name at the end": (SILENT, "since:", "sinc:", "O101", "sinc", "`since`"),
    "refusal at the end": (SILENT, "since: 2026-02-04", "refused: x", "O101", "refused", "known"),
    "an unknown clock": (
        SILENT, "{agencies: 2026", "{agency: 2026", "O101", "agency", "`agencies`"),
    "a last day that is no day": (
        SILENT, "agencies: 2026-02-04", "agencies: soon", "O202", "soon", "YYYY-MM-DD"),
    "deadlines that are a day": (
        SILENT, "deadlines: {agencies: 2026-02-04}", "deadlines: 2026-02-04", "O302", "2026-02-04",
        "deadlines: {overall"),
    "a day that is none": (SILENT, "since: 2026-02-04", "since: 2026", "O202", "2026", "YYYY"),
    "held and not held": (SILENT, "since: 2026-02-04", "held: maybe", "O202", "maybe", "true"),
    "an end of no day": (SILENT, "as_of: 2026-02-05", "as_of: later", "O202", "later", "YYYY"),
    "an end before the last event": (
        SILENT, "as_of: 2026-02-05", "as_of: 2026-01-04", "O302", "2026-01-04", "leave it out"),
    "nothing expected": (
        SILENT, ", stage: resolution, since: 2026-02-04", "", "O302", "expect", "stage"),
    "an expectation that is a number": (
        SILENT, "expect: received", "expect: [received]", "O302", "expect", "stage"),
    "a ledger where nothing is booked": (
        SILENT, "facts:", "ledger: 5\nfacts:", "O101", "ledger", "leave it out"),
    "a ledger that is a text": (PAID, "ledger: 55000", "ledger: much", "O202", "much", "digits"),
    "a ledger below zero": (PAID, "ledger: 55000", "ledger: -1", "O203", "-1", "check"),
    "a field that the ledger fills in": (
        PAID, "event: place,", "event: place, units_to_date: 5,", "O405", "units_to_date",
        "leave it out"),
    "an unknown rule": (
        PAID, "refused: no-refund", "refused: no-refunds", "O101", "no-refunds", "`no-refund`"),
    "an unknown reason": (
        PAID, "refused: no-refund", "not_taken: O4010", "O101", "O4010", "`O401`"),
    "an unknown kept fact": (
        PAID, "case.reserved:", "case.reservd:", "O101", "case.reservd", "`case.reserved`"),
    "a kept fact of another type": (
        PAID, "case.reserved: 10", "case.reserved: ten", "O202", "ten", "digits"),
    "an unknown code": (
        PAID, "review.commerce: null", "review.commerce: approved", "O204", "approved", "`approve`"),
    "an unknown figure": (PAID, "undelivered:", "undelivred:", "O101", "undelivred", "`undelivered`"),
    "an amount that is none": (
        PAID, 'cash_paid: "270000.00"', 'cash_paid: "270,000.00"', "O202", '"270,000.00"', "dollars"),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_told_at_its_place_with_help(rulebook: Rulebook, name: str) -> None:
    text, right, wrong, code, place, help = SLIPS[name]
    assert text.count(right) >= 1
    spoilt = text.replace(right, wrong, 1)
    found = [fault for fault in faults(rulebook, spoilt) if fault.code == code]
    assert any(place in underlined(spoilt, fault) for fault in found), found
    assert any(help in fault.help or help in fault.message for fault in found), found
    assert all(fault.code in CODES for fault in found)


def test_every_fault_is_told_at_once(rulebook: Rulebook) -> None:
    text = (
        SILENT.replace("story:", "tale:")
        .replace("product:", "produce:")
        .replace("event: register", "event: registre")
        .replace("units: 3000", "units: many")
        .replace("expect: received", "expect: receved")
        .replace("agencies:", "agency:")
        .replace("stage: resolution", "stage: resolved")
    )
    assert [(fault.span.line, fault.code) for fault in faults(rulebook, text)] == [
        (1, "O302"), (2, "O101"), (5, "O201"), (7, "O202"), (7, "O101"), (8, "O404"), (9, "O101"),
        (10, "O101"),
    ]  # fmt: skip


def test_an_unreadable_event_is_a_slip_unless_the_story_is_about_it(rulebook: Rulebook) -> None:
    slip = SILENT.replace("event: register, on", "event: registre, on")
    assert [fault.code for fault in faults(rulebook, slip)] == ["O404"]
    meant = slip.replace("2026-01-05}\n", "2026-01-05, expect: {not_taken: O404}}\n", 1)
    assert differs(rulebook, meant)[0][0] == "event 3: refer of 2026-01-05"
    other = slip.replace("2026-01-05}\n", "2026-01-05, expect: {not_taken: O401}}\n", 1)
    assert [fault.code for fault in faults(rulebook, other)] == ["O404"]


def test_reasons_are_faults_that_people_can_look_up() -> None:
    assert set(NOT_TAKEN) <= set(CODES)


# --- placet test ---


def run(*words: str | Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    monkeypatch.setenv("PLACET_RULES", str(ROOT / "rules"))
    monkeypatch.setenv("COLUMNS", "160")
    found = CliRunner().invoke(app, [*map(str, words)])
    assert found.exception is None or isinstance(found.exception, SystemExit)
    return found.exit_code, found.stdout, found.stderr


def test_the_command_plays_stories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "silent.yaml").write_text(SILENT, "utf-8")
    code, told, _ = run("test", tmp_path, "--lang", "en", "-v", monkeypatch=monkeypatch)
    assert code == 0
    assert re.match(r"✓ Silence +.*silent\.yaml\n1 passed, 0 failed", told)
    code, told, _ = run("test", tmp_path, "--regime", "h200-article", monkeypatch=monkeypatch)
    assert (code, told) == (1, "0 passed, 0 failed\n")


def test_the_command_tells_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "silent.yaml").write_text(
        SILENT.replace("since: 2026-02-04", "held: true"), "utf-8"
    )
    code, told, _ = run("test", tmp_path, "--lang", "zh", monkeypatch=monkeypatch)
    assert code == 1
    assert told.startswith("✗ 沉默")
    assert re.search(r"at the end, held +true +false", told)
    assert "0 passed, 1 failed" in told


def test_the_command_tells_a_fault_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SILENT.replace("event: refer", "event: reefer").replace("as_of: 2026", "as_of: 20260")
    (tmp_path / "silent.yaml").write_text(text, "utf-8")
    code, told, _ = run("test", tmp_path, "--lang", "en", monkeypatch=monkeypatch)
    assert code == 1
    assert re.search(r"silent\.yaml:9:13: error O404: `ear-750` has no event `reefer`", told)
    assert "help: did you mean `refer`?" in told
    assert re.search(r"silent\.yaml:10:17: error O202: ", told)


def test_the_json_of_a_story_is_read_alike(rulebook: Rulebook) -> None:
    story: Mapping[str, Any] = {
        "title": {"en": "a", "zh": "甲"},
        "story": {"en": "a", "zh": "甲"},
        "process": "ear-750",
        "opened_on": "2026-01-02",
        "events": [{"event": "submit", "on": "2026-01-02", "units": 5, "as_whole": False}],
        "expect": {"stage": "received", "held": False, "kept": {"case.applied": 5}},
    }
    assert play(rulebook, read_case_story(rulebook, Document(story))).differences == ()
    spoilt = {**story, "expect": {"stage": "gone"}}
    with pytest.raises(OrderRejected) as raised:
        read_case_story(rulebook, Document(spoilt))
    assert raised.value.diagnostics[0].span.pointer == "/expect/stage"
