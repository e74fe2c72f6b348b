"""Stories of cases: an order, dated events, and where the case should stand after each and at the end.

`placet test` plays them as it runs scenarios; both lie in `scenarios/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.case import Sent, early, read_case_order, read_event, refusal
from engine.case_told import Past, rebuild, tell
from engine.diagnostics import Diagnostic, OrderRejected, nearest, shown
from engine.ir import Pair
from engine.lifecycle import NotTaken, Setting, step
from engine.load import Rulebook
from engine.order import Document, read_day
from engine.process import Process
from engine.values import Value, read

NAMES = ("title", "story", "process", "opened_on", "facts", "ledger", "events", "expect")
_EXPECTED = ("as_of", "stage", "held", "deadlines", "figures", "kept")
Difference = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class CaseStory:
    """A story as it was read; its events are read when they are played."""

    title: Pair
    story: Pair
    process: Process
    opened_on: int
    document: Document


def is_case_story(document: Document) -> bool:
    """Whether a file of `scenarios/` tells a case rather than an order."""
    return isinstance(document.data, dict) and "process" in document.data


def read_case_story(book: Rulebook, document: Document) -> CaseStory:
    """Read a story of a case. Raises `OrderRejected` with every fault of its frame."""
    data, faults = document.data, list[Diagnostic]()
    for name in data:
        if name not in NAMES:
            help = nearest(name, NAMES) or f"known here: {', '.join(NAMES)}"
            told = f"unknown name {shown(name)} in a story of a case"
            faults.append(Diagnostic("O101", document.name_at(name), told, help))
    title, story = _pair(document, "title", faults), _pair(document, "story", faults)
    process = book.processes.get(str(data.get("process")))
    if process is None:
        told = f"unknown process {shown(data.get('process'))}"
        help = nearest(str(data.get("process")), book.processes)
        faults.append(Diagnostic("O409", document.at("process"), told, help))
    opened_on = read_day(document, "opened_on", faults)
    if opened_on is None and not faults:
        told = "the story says no `opened_on`"
        faults.append(Diagnostic("O302", document.at(), told, "write `opened_on: YYYY-MM-DD`"))
    if not isinstance(data.get("events"), list) or not isinstance(data.get("expect"), dict):
        help = "write `events: [{event: …, on: …}]` and `expect: {stage: …}`"
        told = "a story of a case has `events` and what is expected"
        faults.append(Diagnostic("O302", document.at(), told, help))
    for name in data["expect"] if isinstance(data.get("expect"), dict) else ():
        if name not in _EXPECTED:
            help = nearest(name, _EXPECTED) or f"known here: {', '.join(_EXPECTED)}"
            told = f"unknown name {shown(name)} in `expect`"
            faults.append(Diagnostic("O101", document.name_at("expect", name), told, help))
    if faults or title is None or story is None or process is None or opened_on is None:
        raise OrderRejected(faults)
    return CaseStory(title, story, process, opened_on, document)


def _pair(document: Document, name: str, faults: list[Diagnostic]) -> Pair | None:
    match document.data.get(name):
        case {"en": str() as en, "zh": str() as zh, **others} if not others:
            return Pair(en, zh)
    told = f"`{name}` needs a text in both languages"
    faults.append(Diagnostic("O302", document.at(name), told, "write {en: …, zh: …}"))
    return None


def play(book: Rulebook, story: CaseStory) -> list[Difference]:
    """Play a story, and say what differs from what it expects. Raises `OrderRejected`."""
    document, process = story.document, story.process
    facts = document.part("facts") if document.data.get("facts") is not None else Document({})
    setting = Setting(process, read_case_order(process, book.vocabulary, facts))
    to_date = document.data.get("ledger")
    differences: list[Difference] = []
    sent: list[Sent] = []
    past = rebuild(setting, story.opened_on, sent)
    for number, data in enumerate(document.data["events"]):
        part = document.part("events", number)
        expected = data.get("expect") if isinstance(data, dict) else None
        plain = (
            {k: v for k, v in data.items() if k != "expect"} if isinstance(data, dict) else data
        )
        one = Document(plain, part.node, part.source, part.base)
        code, sent_now = _sent(setting, past, one, to_date)
        if sent_now is not None:
            sent.append(sent_now)
            past = rebuild(setting, story.opened_on, sent)
        differences += _after(number, expected, code, past)
    told = tell(book, setting, story.opened_on, sent, _as_of(document, past.state.day))
    return [*differences, *_at_the_end(document.data["expect"], told)]


def _sent(
    setting: Setting, past: Past, document: Document, to_date: Any
) -> tuple[str, Sent | None]:
    """The code of the fault for which an event is not taken, or the event."""
    process = setting.process
    supplied: dict[str, Value] = {}
    for event in process.events.values():
        for field in event.fields:
            number = read(to_date, field.type) if field.supplied else None
            if isinstance(number, int):
                supplied[field.name] = number
    try:
        one = read_event(process, document, supplied)
    except OrderRejected as error:
        return error.diagnostics[0].code, None
    late = early(setting, past.state, one, document)
    if late is not None:
        return late.code, None
    found = step(setting, past.state, one.happening)
    if isinstance(found, NotTaken):
        return refusal(setting, found, one, document).code, None
    return "", one


def _after(number: int, expected: Any, code: str, past: Past) -> Iterator[Difference]:
    what = f"event {number + 1}"
    wanted = expected if isinstance(expected, dict) else {"stage": expected}
    not_taken = str(wanted.get("not_taken") or "")
    if code != not_taken:
        yield what, not_taken or "taken", code or "taken"
    if code:
        return
    refused = past.steps[-1][1].transition.refuses
    if (wanted.get("refused") or None) != refused:
        yield f"{what} refused by", str(wanted.get("refused") or "nobody"), refused or "nobody"
    if wanted.get("stage") not in (None, past.state.stage):
        yield f"stage after {what}", str(wanted["stage"]), past.state.stage


def _as_of(document: Document, day: int) -> int:
    faults: list[Diagnostic] = []
    found = read_day(document.part("expect"), "as_of", faults)
    if faults:
        raise OrderRejected(faults)
    return day if found is None else found


def _at_the_end(expect: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[Difference]:
    got: dict[str, Any] = {
        "stage": told["stage"]["id"],
        "held": told["held"],
        "deadlines": {one["clock"]: one["last"] or "stopped" for one in told["deadlines"]},
        "figures": {one["name"]: one["value"] for one in (*told["exposure"], *told["figures"])},
        "kept": {one["fact"]: one["value"] for one in told["kept"]},
    }
    for name, wanted in expect.items():
        if name == "as_of":
            continue
        if isinstance(wanted, dict):
            for key, value in wanted.items():
                found = got[name].get(key)
                if _text(found) != _text(value):
                    yield f"{name} {key}", _text(value), _text(found)
        elif _text(got[name]) != _text(wanted):
            yield name, _text(wanted), _text(got[name])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "unknown" if value is None else str(value)
