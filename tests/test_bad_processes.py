"""What is wrong in a process is told at its place, once, whatever else is wrong; nothing crashes."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.courses import cases
from engine.diagnostics import MAX_FAULTS, Diagnostic, RulesRejected, as_text
from engine.fault_codes import CODES
from engine.load import Rulebook, load
from engine.source import as_yaml, plain, read_text
from tests.test_bad_rules import BASE, RULES, found_in, lay, underlined

PROCESS = "chips/process.yaml"
SOUND = (BASE / PROCESS).read_text(encoding="utf-8")
_HOST_WORDS = re.compile(
    r"\b(?:str|int|bool|float|dict|tuple|None|True|False|object|Traceback|Exception)\b"
    r"|\b[A-Za-z]+Error\b"
)


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lay("", RULES)
    return RULES


def changed(*edits: tuple[str, str]) -> str:
    """The sound process with parts of it replaced, each of which stands there once."""
    text = SOUND
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def line(part: str) -> str:
    """The line of the sound process that holds something."""
    [found] = [line for line in SOUND.split("\n") if part in line]
    return found


def block(name: str, until: str) -> str:
    """The lines of the sound process from one name to another."""
    return SOUND[SOUND.index(f"{name}:\n") : SOUND.index(f"{until}:")]


@dataclass(frozen=True)
class Slip:
    """A slip of the pen, and the fault that it must give."""

    edits: Sequence[tuple[str, str]]
    code: str
    text: str


CLOSE = line("on: close, to: closed")
STARTS_NOWHERE = CLOSE.replace("from: granted", "from: []")
FROM_NOTHING = CLOSE.replace("from: granted", "from: null")
NEITHER = CLOSE.replace("on: close, ", "")
UNCITED = CLOSE.replace("[{source: article, says: Closed.}]", "[]")
NO_CITE = CLOSE.replace(", cite: [{source: article, says: Closed.}]", "")
CANCEL = line("on: cancel")
CANCEL_AGAIN = CANCEL.replace("refuse: quantity-cap", "to: appeal").replace(
    "[review, granted]", "[granted, review]"
)
LAPSE = line("after: answering")
LAPSE_AGAIN = LAPSE.replace("to: appeal", "to: granted")
BOOKED = "case.booked: {type: integer, unit: chip"
BACK = "starts: 0, label: {en: back"
PLEDGE = "  pledge.submitted: {starts: false}\n"

SLIPS = {
    # The shape of the file.
    "a misspelt name": Slip([("hold: begin", "holds: begin")], "R101", "holds"),
    "a type for a fact that has one": Slip(
        [("{starts: false}", "{type: boolean, starts: false}")], "R101", "type"
    ),
    "nothing left out": Slip(
        [("leaves_out:\n  - {en: transport, zh: 运输}\n", "leaves_out: []\n")],
        "R102",
        "leaves_out",
    ),
    "no stage": Slip(
        [
            (block("stages", "events"), "stages: {}\n"),
            (block("events", "clocks"), "events: {}\n"),
            (block("clocks", "figures"), "transitions: []\n"),
        ],
        "R102",
        "stages",
    ),
    "no title": Slip(
        [("title: {en: Life of an order, zh: 订单办理流程}\n", "")],
        "R102",
        "summary: {en: A sound process of one order., zh: 一份订单的办理流程。}",
    ),
    "a field without a type": Slip([("{like: order.quantity, ", "{")], "R102", "chips"),
    "a field of two types": Slip(
        [("{like: order.quantity, ", "{like: order.quantity, type: date, ")], "R102", "chips"
    ),
    "a number without bounds": Slip(
        [("min: 0, max: 10000000, starts: 0, label: {en: sent", "starts: 0, label: {en: sent")],
        "R102",
        "case.sent",
    ),
    "a code without its list": Slip(
        [("case.answer: {type: code, codes: answer,", "case.answer: {type: code,")],
        "R102",
        "case.answer",
    ),
    "a transition without a list of sources": Slip([(CLOSE, NO_CITE)], "R102", NO_CITE[4:]),
    "a transition that starts nowhere": Slip(
        [(CLOSE, f"{CLOSE}\n{STARTS_NOWHERE}")], "R102", STARTS_NOWHERE[4:]
    ),
    "a transition from nothing": Slip(
        [(CLOSE, f"{CLOSE}\n{FROM_NOTHING}")], "R102", FROM_NOTHING[4:]
    ),
    "a total without clocks": Slip(
        [("    clocks: [answering, appealing]\n", "")], "R102", "title: {en: In all, zh: 合计}"
    ),
    "a list for names": Slip(
        [(block("figures", "ledger"), "figures: [value]\n")], "R103", "[value]"
    ),
    "names for a list": Slip(
        [("optional: [until]", "optional: {until: true}")], "R103", "{until: true}"
    ),
    "a list for a value": Slip([("{starts: false}", "{starts: [false]}")], "R103", "[false]"),
    "a sender nobody knows": Slip([("zh: 下单}, by: buyer", "zh: 下单}, by: byer")], "R104", "byer"),
    "another word for a hold": Slip([("hold: begin", "hold: start")], "R104", "start"),
    "another certainty": Slip([(CLOSE, CLOSE.replace("published", "certain"))], "R104", "certain"),
    "days in letters": Slip([("days: 30", "days: thirty")], "R106", "thirty"),
    "no days at all": Slip([("days: 30", "days: 0")], "R106", "0"),
    "a fact that starts out of bounds": Slip(
        [("starts: 0, label: {en: sent", "starts: -1, label: {en: sent")], "R106", "-1"
    ),
    "a count that starts with a word": Slip([(BACK, BACK.replace("0", "nil"))], "R106", "nil"),
    "an end that is a word": Slip([("end: true", "end: yes")], "R106", "yes"),
    "a day that does not exist": Slip(
        [("read_to: 2026-06-01", "read_to: 2026-06-31")], "R106", "2026-06-31"
    ),
    "a stage in one language": Slip(
        [("appeal: {title: {en: Appeal, zh: 申诉}}", "appeal: {title: Appeal}")], "R107", "Appeal"
    ),
    "a code in one language": Slip(
        [("declined: {en: Declined, zh: 不同意}", "declined: {en: Declined}")],
        "R107",
        "{en: Declined}",
    ),
    "a reason in one language": Slip(
        [("{en: Too many., zh: 数量过大。}", "{en: Too many.}")], "R107", "{en: Too many.}"
    ),
    # Names.
    "a stage in capitals": Slip(
        [
            ("  appeal: {title", "  Appeal: {title"),
            ("from: appeal", "from: Appeal"),
            ("runs: [appeal]", "runs: [Appeal]"),
            ("runs: [review, appeal]", "runs: [review, Appeal]"),
            ("to: appeal", "to: Appeal"),
        ],
        "R110",
        "Appeal",
    ),
    "a stage called any": Slip(
        [("  draft: {title", "  any: {title"), ("from: draft", "from: [any]")], "R110", "any"
    ),
    "a clock with a hyphen": Slip(
        [("  whole:\n", "  the-whole:\n"), ("equals: whole", "equals: the-whole")],
        "R110",
        "the-whole",
    ),
    "an event with an underscore": Slip(
        [("  close: {title", "  close_it: {title"), ("on: close,", "on: close_it,")],
        "R110",
        "close_it",
    ),
    "a field that every event has": Slip(
        [
            ("  until: {type: date", "  on: {type: date"),
            ("optional: [until]", "optional: [on]"),
            ("case.until: event.until", "case.until: event.on"),
        ],
        "R110",
        "on",
    ),
    "a kept fact outside the vocabulary": Slip(
        [("  pledge.submitted:", "  pledge.submited:")], "R204", "pledge.submited"
    ),
    "a field like no fact": Slip(
        [("like: order.quantity", "like: order.quantiy")], "R204", "order.quantiy"
    ),
    "a field of another event": Slip(
        [("when: event.chips <= cap", 'when: event.answer == "agreed"')], "R204", "event.answer"
    ),
    "a field at the end of a clock": Slip(
        [("after: appealing,", "after: appealing, when: event.chips > 0,")], "R204", "event.chips"
    ),
    "an unknown clock in a guard": Slip(
        [("after: appealing,", "after: appealing, when: clock.apealing > 0,")],
        "R204",
        "clock.apealing",
    ),
    "an unknown fact in a figure": Slip(
        [("value: order.value", "value: order.valeu")], "R204", "order.valeu"
    ),
    "a guard that is no condition": Slip(
        [("when: event.chips <= cap", "when: event.chips")], "R205", "event.chips"
    ),
    "a figure that is no amount": Slip(
        [("value: order.value", "value: case.until")], "R205", "case.until"
    ),
    "a figure of another unit": Slip(
        [("value: order.value", "value: order.quantity")], "R206", "order.quantity"
    ),
    "an unknown code in a guard": Slip(
        [('event.answer == "agreed"', 'event.answer == "agree"')], "R207", '"agree"'
    ),
    "an unknown code to start with": Slip(
        [("case.answer: {type: code,", "case.answer: {starts: agree, type: code,")],
        "R207",
        "agree",
    ),
    # Sources and dates.
    "a transition without a source": Slip([(CLOSE, UNCITED)], "R301", UNCITED[4:]),
    "a clock without a source": Slip(
        [("[{source: article, says: All of it.}]", "[]")], "R301", "whole"
    ),
    "an unknown source": Slip(
        [("source: article, says: Closed.", "source: artikel, says: Closed.")],
        "R302",
        "{source: artikel, says: Closed.}",
    ),
    "an unknown source of the whole": Slip(
        [("sources: [article]", "sources: [article, law]")], "R302", "law"
    ),
    "a citation that says nothing": Slip(
        [("{source: article, says: Closed.}", "{source: article}")], "R303", "{source: article}"
    ),
    "a translation into the source's own language": Slip(
        [("{source: article, says: Closed.}", "{source: article, quote: 完结, zh: 完结}")],
        "R303",
        "{source: article, quote: 完结, zh: 完结}",
    ),
    "an end before the beginning": Slip(
        [("{from: 2026-01-01}", "{from: 2026-01-01, until: 2025-12-31}")], "R304", "2025-12-31"
    ),
    "a stage that stands twice": Slip(
        [("from: [review, granted]", "from: [review, granted, review]")], "R310", "review"
    ),
    "a clock that counts twice": Slip(
        [("[answering, appealing]", "[answering, appealing, appealing]")], "R310", "appealing"
    ),
    "a field that is needed and optional": Slip(
        [("optional: [until]", "optional: [until, answer]")], "R310", "answer"
    ),
    "a list of the vocabulary": Slip(
        [("codes:\n  answer:", "codes:\n  country: {codes: {XX: {en: No, zh: 无}}}\n  answer:")],
        "R310",
        "country",
    ),
    # What a process does not have.
    "an unknown stage to start from": Slip(
        [("from: [review, granted]", "from: [reviewing, granted]")], "R401", "reviewing"
    ),
    "a stage like no other": Slip([("to: granted, set", "to: zzz, set")], "R401", "zzz"),
    "an unknown stage of a clock": Slip(
        [("runs: [review, appeal]", "runs: [review, apeal]")], "R401", "apeal"
    ),
    "an unknown field": Slip([("fields: [chips]", "fields: [chip]")], "R401", "chip"),
    "an unknown clock": Slip([("after: validity", "after: valid")], "R401", "valid"),
    "an unknown clock of a total": Slip([("equals: whole", "equals: hole")], "R401", "hole"),
    "an unknown clock to start at": Slip(
        [("starts_at: answering", "starts_at: answerring")], "R401", "answerring"
    ),
    "an unknown count": Slip([("returned: case.back", "returned: case.bak")], "R401", "case.bak"),
    "a clock until no date": Slip(
        [("until: case.until,", "until: case.answer,")], "R401", "case.answer"
    ),
    "an unknown parameter": Slip([("cap: cap}", "cap: caps}")], "R401", "caps"),
    # Ways and clocks.
    "a chain without a way in": Slip(
        [
            (
                "  closed: {title",
                "  far: {title: {en: Far, zh: 远}}\n  near: {title: {en: Near, zh: 近}}\n"
                "  closed: {title",
            ),
            (
                CLOSE,
                CLOSE.replace("from: granted", "from: near")
                + "\n"
                + CLOSE.replace("from: granted", "from: far").replace("to: closed", "to: near"),
            ),
        ],
        "R402",
        "far",
    ),
    "a total of nothing": Slip([("[answering, appealing]", "[]")], "R405", "[]"),
    "a total that equals a date": Slip([("equals: whole", "equals: validity")], "R405", "validity"),
    "a clock that runs and pauses": Slip(
        [("days: 44,", "days: 44, pauses: review,")], "R406", "whole"
    ),
    "a clock that runs nowhere": Slip([("runs: [review, appeal]", "runs: []")], "R406", "whole"),
    "a clock that pauses in an end": Slip(
        [("days: 44,", "days: 44, pauses: closed,")], "R406", "closed"
    ),
    "behind one for more stages": Slip(
        [(CANCEL, f"{CANCEL}\n{CANCEL_AGAIN}")], "R407", CANCEL_AGAIN[4:]
    ),
    "behind another end of a clock": Slip(
        [(LAPSE, f"{LAPSE}\n{LAPSE_AGAIN}")], "R407", LAPSE_AGAIN[4:]
    ),
    # What makes no sense.
    "neither an event nor a clock": Slip([(CLOSE, f"{CLOSE}\n{NEITHER}")], "R408", NEITHER[4:]),
    "a reason without a guard": Slip(
        [("on: close,", "on: close, otherwise: {en: No., zh: 否。},")], "R408", "otherwise"
    ),
    "a reason that nobody hears": Slip(
        [("after: validity,", "after: validity, otherwise: {en: No., zh: 否。},")],
        "R408",
        "otherwise",
    ),
    "a refusal of a clock": Slip(
        [("after: validity, to: closed", "after: validity, refuse: quantity-cap")], "R408", "after"
    ),
    "a refusal that moves": Slip(
        [("refuse: quantity-cap", "refuse: quantity-cap, to: appeal")], "R408", "to"
    ),
    "a refusal that holds": Slip(
        [("refuse: quantity-cap", "refuse: quantity-cap, hold: begin")], "R408", "hold"
    ),
    "any stage that leads to one of them": Slip(
        [("from: granted, on: close, to: closed", "from: any, on: close, to: granted")],
        "R408",
        "to",
    ),
    "a clock of days and of a date": Slip(
        [("until: case.until,", "until: case.until, days: 3,")], "R408", "validity"
    ),
    "a clock of neither": Slip(
        [("days: 44, ", ""), (block("totals", "transitions"), "")], "R408", "whole"
    ),
    "a clock that starts at its own end": Slip(
        [("starts_at: answering", "starts_at: appealing")], "R408", "appealing"
    ),
    "a derived fact that is kept": Slip(
        [(PLEDGE, f"{PLEDGE}  order.value: {{}}\n")], "R408", "order.value"
    ),
    "a hold that ends where there is none": Slip(
        [("hold: end", "hold: end, held: also")], "R408", "held"
    ),
    # What a fact cannot hold.
    "a text for a number": Slip(
        [("{case.booked: event.chips}", "{case.booked: '\"many\"'}")], "R409", "'\"many\"'"
    ),
    "more decimals": Slip([("{case.booked: event.chips}", "{case.booked: 0.5}")], "R409", "0.5"),
    "a date for a code": Slip(
        [("{case.answer: event.answer,", "{case.answer: event.until,")], "R409", "event.until"
    ),
    "a code of another list": Slip(
        [("{case.answer: event.answer,", "{case.answer: order.destination,")],
        "R409",
        "order.destination",
    ),
    "a condition for a number": Slip(
        [("{case.booked: event.chips}", "{case.booked: event.chips > 0}")],
        "R409",
        "event.chips > 0",
    ),
    "a count that is no number": Slip(
        [("returned: case.back", "returned: case.until")], "R409", "case.until"
    ),
    "a count that starts unknown": Slip([(BACK, BACK.replace("starts: 0, ", ""))], "R409", "case.back"),
    "a count that an order states": Slip(
        [(BACK, BACK.replace("starts: 0, ", "starts: 0, stated: true, "))], "R409", "case.back"
    ),
    "a fact that is two counts": Slip(
        [("returned: case.back", "returned: case.sent")], "R409", "case.sent"
    ),
}  # fmt: skip


def faults_of(text: str, rules: Path) -> tuple[Diagnostic, ...]:
    (rules / PROCESS).write_text(text, encoding="utf-8")
    return found_in(rules)


@pytest.mark.parametrize("what", SLIPS)
def test_a_slip_gives_one_fault_at_its_place(what: str, rules: Path) -> None:
    slip = SLIPS[what]
    faults = faults_of(changed(*slip.edits), rules)
    assert [(d.code, underlined(d)) for d in faults] == [(slip.code, slip.text)], as_text(faults)
    [fault] = faults
    assert fault.span.source.name == str(rules / PROCESS)
    for told in (fault.message, fault.help):
        assert not _HOST_WORDS.search(told), told
        assert "\n" not in told


@pytest.mark.parametrize(
    ("what", "help"),
    [
        ("an unknown stage to start from", "did you mean `review`?"),
        ("an unknown clock", "did you mean `validity`?"),
        ("an unknown clock to start at", "did you mean `answering`?"),
        ("an unknown field", "did you mean `chips`?"),
        ("an unknown count", "did you mean `case.back`?"),
        ("an unknown parameter", "did you mean `cap`?"),
        ("a clock until no date", "dates that are kept: case.until"),
        ("an unknown code to start with", "did you mean `agreed`?"),
        ("a kept fact outside the vocabulary", "did you mean `pledge.submitted`?"),
        ("a sender nobody knows", "did you mean `buyer`?"),
        ("a misspelt name", "did you mean `hold`?"),
        ("a stage like no other", "known here: draft, review, appeal, granted, closed"),
    ],
)
def test_the_help_names_what_is_meant(what: str, help: str, rules: Path) -> None:
    [fault] = faults_of(changed(*SLIPS[what].edits), rules)
    assert fault.help == help


def test_all_faults_of_a_process_are_told_at_once(rules: Path) -> None:
    text = changed(
        ("zh: 订单办理流程}", "de: 订单办理流程}"),
        ("read_to: 2026-06-01", "read_to: soon"),
        ("{starts: false}", "{starts: perhaps}"),
        ("like: order.quantity", "like: order.quantiy"),
        ("{en: Review, zh: 审查}", "{en: Review}"),
        ("zh: 取消}, by: buyer", "zh: 取消}, by: byer"),
        ("days: 14", "days: fortnight"),
        ("equals: whole", "equals: hole"),
        ("otherwise: {en: Not agreed., zh: 未同意。}, ", ""),
        ("{case.answer: event.answer,", "{case.anser: event.answer,"),
        ("after: validity", "after: valid"),
        ("value: order.value", "value: order.valeu"),
        ("cap: cap}", "cap: caps}"),
    )
    faults = faults_of(text, rules)
    assert [(d.code, underlined(d)) for d in faults] == [
        ("R107", "{en: Life of an order, de: 订单办理流程}"),
        ("R101", "de"),
        ("R106", "soon"),
        ("R106", "perhaps"),
        ("R204", "order.quantiy"),
        ("R107", "{en: Review}"),
        ("R104", "byer"),
        ("R106", "fortnight"),
        ("R401", "hole"),
        ("R408", "when"),
        ("R401", "case.anser"),
        ("R401", "valid"),
        ("R204", "order.valeu"),
        ("R401", "caps"),
    ], as_text(faults)


INLINE = "codes: {agreed: {en: Agreed, zh: 同意}, declined: {en: Declined, zh: 不同意}}"
ANSWER = "  answer: {type: code, codes: answer, label: {en: answer, zh: 答复}}"

# What is declared with a fault is still declared: whoever uses it is not at fault.


@pytest.mark.parametrize(
    ("sound", "faulty", "code"),
    [
        ("review: {title: {en: Review, zh: 审查}}", "review: {title: Review}", "R107"),
        ("granted: {title: {en: Granted, zh: 准许}}", "granted: granted", "R103"),
        ("case.booked: {type: integer,", "case.booked: {type: number,", "R104"),
        ("case.answer: {type: code, codes: answer,", "case.answer: {type: code, codes: anser,", "R104"),
        ("chips: {like: order.quantity, ", "chips: {", "R102"),
        (f"{ANSWER}\n  until", "  answer: 3\n  until", "R103"),
        ("by: buyer, fields: [chips]", "fields: [chips]", "R102"),
        ("place: {title: {en: Place, zh: 下单}, by", "place: {title: Place, by", "R107"),
        ("optional: [until]", "optional: [untill]", "R401"),
        ("{title: {en: Answer, zh: 答复期限}, days", "{title: Answer, days", "R107"),
        ("agreed: {en: Agreed, zh: 同意}", "agreed: Agreed", "R107"),
        (INLINE, "file: codes/answers.csv", "V001"),
        (BOOKED, BOOKED.replace("chip", "piece"), "R104"),
    ],
)  # fmt: skip
def test_a_fault_of_a_part_is_not_told_again_where_the_part_is_used(
    sound: str, faulty: str, code: str, rules: Path
) -> None:
    faults = faults_of(changed((sound, faulty)), rules)
    assert [d.code for d in faults] == [code], as_text(faults)


def test_the_count_of_a_clock_with_a_fault_is_known_where_it_is_asked_for(rules: Path) -> None:
    text = changed(
        ("{title: {en: Answer, zh: 答复期限}, days", "{title: Answer, days"),
        (
            'when: event.answer == "agreed"',
            'when: event.answer == "agreed" and clock.answering < 9',
        ),
    )
    assert [d.code for d in faults_of(text, rules)] == ["R107"]


def test_what_is_wrong_in_a_table_has_a_code_of_the_vocabulary(rules: Path) -> None:
    table = rules / "codes/answers.csv"
    table.write_text("code,en,zh,groups\nagreed,Agreed,同意,\nagreed,Agreed,同意,\n", "utf-8")
    [fault] = faults_of(changed((INLINE, "file: codes/answers.csv")), rules)
    assert (fault.code, fault.span.source.name) == ("V203", str(table))


def test_a_table_of_codes_serves_a_process(rules: Path) -> None:
    table = rules / "codes/answers.csv"
    table.write_text("code,en,zh,groups\nagreed,Agreed,同意,\ndeclined,No,不同意,\n", "utf-8")
    assert faults_of(changed((INLINE, "file: codes/answers.csv")), rules) == ()


@pytest.mark.parametrize(
    ("clock", "told"), [("answering", []), ("validity", [("R406", "clock.validity")])]
)
def test_a_count_is_kept_only_where_its_clock_is(
    clock: str, told: list[tuple[str, str]], rules: Path
) -> None:
    vocabulary = rules / "vocabulary.yaml"
    text = vocabulary.read_text(encoding="utf-8")
    day = "units:\n  day: {en: day, plural: days, zh: 天}\n"
    vocabulary.write_text(text.replace("units:\n", day), encoding="utf-8")
    waited = (
        "case.waited: {type: integer, unit: day, min: 0, max: 4000000, label: {en: w, zh: 等}}"
    )
    text = changed(
        (PLEDGE, f"{PLEDGE}  {waited}\n"),
        ("on: pause, hold: begin", f"on: pause, hold: begin, set: {{case.waited: clock.{clock}}}"),
    )
    assert [(d.code, underlined(d)) for d in faults_of(text, rules)] == told


# A process beside a rule set, and one that has none.

ALONE = (
    ("when: event.chips <= cap", "when: event.chips <= 75000"),
    (CANCEL + "\n", ""),
    (line("  cancel: {title") + "\n", ""),
    (line("ledger: {"), ""),
)


def test_a_process_needs_no_rule_set(rules: Path) -> None:
    home = rules / "life"
    home.mkdir()
    (home / "process.yaml").write_text(changed(*ALONE), encoding="utf-8")
    book = load(rules)
    assert book.warnings == ()
    assert (book.processes["life"].judged, book.processes["chips"].judged) == (False, True)


def test_all_faults_of_a_process_without_a_rule_set_are_told_at_once(rules: Path) -> None:
    home = rules / "life"
    home.mkdir()
    text = changed(*ALONE, ("in_force: {from: 2026-01-01}\n", ""), ("hold: begin", "hold: start"))
    (home / "process.yaml").write_text(text, encoding="utf-8")
    assert [(d.code, d.message) for d in found_in(rules)] == [
        ("R102", "`in_force` is missing"),
        ("R104", "`start` is not one of the words known here"),
    ]


def test_a_process_without_a_rule_set_has_no_rule_parameter_or_list(rules: Path) -> None:
    home = rules / "life"
    home.mkdir()
    (home / "process.yaml").write_text(SOUND, encoding="utf-8")
    faults = found_in(rules)
    assert [(d.code, underlined(d)) for d in faults] == [
        ("R204", "cap"),
        ("R401", "quantity-cap"),
        ("R401", "cap"),
    ]
    assert [d.help for d in faults[1:]] == ["known here: none"] * 2


def test_the_process_of_a_faulty_rule_set_is_not_at_fault(rules: Path) -> None:
    regime = rules / "chips/regime.yaml"
    text = regime.read_text(encoding="utf-8")
    regime.write_text(text.replace("rules:\n  - quantity-cap\n", "rules: []\n"), "utf-8")
    assert {d.code for d in found_in(rules)} == {"R109"}


def test_a_parameter_without_a_value_on_the_first_day_is_told(rules: Path) -> None:
    rule = rules / "chips/quantity-cap.yaml"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text.replace("2026-01-01", "2026-02-01"), encoding="utf-8")
    [fault] = found_in(rules)
    assert (fault.code, underlined(fault)) == ("R304", "cap")
    assert faults_of(changed(("{from: 2026-01-01}", "{from: 2026-02-01}")), rules) == ()
    bounded = ("event.chips <= cap", "event.chips <= 75000")
    assert [underlined(d) for d in faults_of(changed(bounded), rules)] == ["cap"]


@pytest.mark.parametrize("where", ["nowhere", "figure", "set"])
def test_a_parameter_behind_a_quantity_that_a_process_names_has_a_value_from_the_first_day(
    where: str, rules: Path
) -> None:
    regime = rules / "chips/regime.yaml"
    text = regime.read_text(encoding="utf-8")
    regime.write_text(
        text.replace("from: 2026-01-01, value: ", "from: 2026-01-02, value: "), "utf-8"
    )
    money = "case.fee: {type: money, min: 0, max: 10000000000000, label: {en: fee, zh: 费用}}"
    edits = {
        "nowhere": [],
        "figure": [("value: order.value", "value: fee_due")],
        "set": [
            (PLEDGE, f"{PLEDGE}  {money}\n"),
            ("{case.booked: event.chips}", "{case.booked: event.chips, case.fee: fee_due}"),
        ],
    }
    found = faults_of(changed(*edits[where]), rules)
    told = [] if where == "nowhere" else [("R304", "fee_rate")]
    assert [(d.code, underlined(d)) for d in found] == told


def test_an_unreadable_process_is_told_once_and_an_empty_one_too(rules: Path) -> None:
    assert [d.code for d in faults_of("title: [", rules)] == ["R004"]
    assert [d.code for d in faults_of("# nothing\n", rules)] == ["R102"]


def test_processes_are_read_only_where_they_are_asked_for(rules: Path) -> None:
    (rules / PROCESS).write_text("title: [", encoding="utf-8")
    assert load(rules, processes=False).processes == {}


# Whatever is done to a sound process, faults are told and nothing crashes.

_JUNK = (
    *("", "null", "~", "[]", "{}", "any", "-1", "0", "1e9", "true", "2026-02-30", "'\"x\"'"),
    *(
        "中文",
        '"',
        "&a",
        "*a",
        "!x",
        "<<",
        ">",
        "|",
        "#",
        "：",
        "case.",
        "event.on",
        "clock.whole",
    ),
    *("x" * 300, "[" * 30, "{a: " * 30, "not not true", "order.value * order.value", "\x00", "\t"),
)


def _spoilt_lines(random: random.Random, lines: list[str]) -> None:
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = " " * random.randrange(5) + lines[at].lstrip()
        case _:
            lines[at] = _spoilt_words(random, lines[at], lines[other])


def _spoilt_words(random: random.Random, here: str, other: str) -> str:
    words = [*re.finditer(r"[\w.-]+", here)]
    if not words:
        return here
    word = random.choice(words)
    others = re.findall(r"[\w.-]+", other) or ["x"]
    junk = random.choice((random.choice(_JUNK), random.choice(others), ""))
    return here[: word.start()] + junk + here[word.end() :]


def _spoilt_text(random: random.Random) -> str:
    lines = SOUND.split("\n")
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        _spoilt_lines(random, lines)
    return "\n".join(lines)


def _spoilt_data(random: random.Random) -> str:
    data: Any = plain(read_text(SOUND, "process.yaml", "R"))
    values: tuple[Any, ...] = (
        None,
        [],
        {},
        [[]],
        {"x": {}},
        "any",
        "x",
        ["review"] * 3,
        {"en": "x", "zh": "x"},
    )
    for _ in range(random.choice((1, 1, 2, 4))):
        here = data
        while True:
            keys = list(here) if isinstance(here, dict) else range(len(here))
            if not keys:
                break
            key: Any = random.choice(list(keys))
            inner = here[key]
            if isinstance(inner, dict | list) and inner and random.random() < 0.8:
                here = inner
                continue
            match random.randrange(3):
                case 0:
                    del here[key]
                case 1:
                    here[key] = deepcopy(random.choice(values))
                case _ if isinstance(here, list):
                    here.extend(deepcopy(here[0]) for _ in range(50))
                case _:
                    here[f"{key}_"] = deepcopy(inner)
            break
    return as_yaml(data)


def _holds(text: str, rules: Path) -> Rulebook | None:
    """The rules with a spoilt process, or nothing where its faults are told as they should be."""
    (rules / PROCESS).write_text(text, encoding="utf-8")
    try:
        return load(rules)
    except RulesRejected as error:
        faults = error.diagnostics
    assert len(set(faults)) == len(faults)
    for fault in faults:
        assert fault.code in CODES
        assert fault.span.source.name == str(rules / PROCESS)
        assert 1 <= fault.span.line <= len(text.split("\n"))
        assert not _HOST_WORDS.search(re.sub(r"`[^`]*`", "", fault.message + fault.help))
    as_text(faults)
    return None


def _spoilt(rules: Path, seed: int, count: int) -> int:
    """How many of the spoilt processes are sound all the same: cases of those can be led."""
    draw, sound = random.Random(seed), 0
    ways: tuple[Callable[[random.Random], str], ...] = (_spoilt_text, _spoilt_text, _spoilt_data)
    for number in range(count):
        book = _holds(draw.choice(ways)(draw), rules)
        if book is not None:
            sound += 1
            if "chips" in book.processes:
                list(cases(book, "chips", seed=number, count=2))
    return sound


def test_a_spoilt_process_is_rejected_or_can_be_led(rules: Path) -> None:
    sound = _spoilt(rules, seed=1, count=200)
    assert 5 <= sound < 100


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(2, 6))
def test_very_many_spoilt_processes_are_rejected_or_can_be_led(rules: Path, seed: int) -> None:
    _spoilt(rules, seed=seed, count=5_000)


@pytest.mark.parametrize("bracket", ["[", "{a: "])
def test_a_process_that_is_nested_without_end_is_refused(rules: Path, bracket: str) -> None:
    assert [d.code for d in faults_of(f"title: {bracket * 50_000}", rules)] == ["R003"]


def test_very_many_wrong_names_are_told_in_time(rules: Path) -> None:
    stages = "".join(f"  s{n}: {{title: {{en: S, zh: 段}}}}\n" for n in range(1_500))
    wrong = ", ".join(f"t{n}" for n in range(6_000))
    text = changed(
        ("  closed: {title", f"{stages}  closed: {{title"),
        ("from: [review, granted]", f"from: [{wrong}]"),
    )
    faults = faults_of(text, rules)
    assert len(faults) == 6_000 > MAX_FAULTS
    assert {d.code for d in faults} == {"R401"}


def test_a_large_process_is_checked_in_time(rules: Path) -> None:
    stages = "".join(f"  s{n}: {{title: {{en: S, zh: 段}}}}\n" for n in range(600))
    ways = "".join(
        f"\n  - {{from: s{n}, on: close, to: s{n + 1}, says: {{en: On., zh: 下一步。}}, "
        "certainty: published, cite: [{source: article, says: On.}]}"
        for n in range(599)
    )
    text = changed(
        ("  closed: {title", f"{stages}  closed: {{title"),
        (CLOSE, CLOSE.replace("to: closed", "to: s0") + ways),
        ("from: [review, granted], on: cancel", "from: any, on: cancel"),
    )
    assert [(d.code, underlined(d)) for d in faults_of(text, rules)] == [("R403", "s599")]
