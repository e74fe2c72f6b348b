"""The page of one case: where it stands, its days to scale, what can happen, what happened.

Events and forks are sent as plain forms; whoever sends is led back to the page.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from api.app import telling
from api.app.answers import fault
from api.app.case_telling import WORDS, Telling, number_of, passed_stages, soonest
from api.app.form import is_too_long, pairs, shown, tidy
from api.app.house import House
from api.app.pages import page, page_lang
from api.app.scenarios import by
from api.app.timeline import timeline
from api.drawing import sentences, svg
from api.moments import now
from engine.diagnostics import Diagnostic, OrderRejected, Source, visible
from engine.ir import Pair
from engine.order import Document, order_from
from engine.process import Process
from engine.values import Type, read
from engine.words import Lang, in_lang

router = APIRouter(include_in_schema=False)

AsOf = Annotated[str, Query(max_length=40)]
Left = Annotated[str, Query(max_length=2_000)]
_TAKEN = ("W109", "W120")
"""The case has gone on since its page was made."""
_GONE_ON = Pair(
    "The case has gone on since this page was opened; it is shown as it stands now. Nothing was "
    "recorded: look at it again, then record the event if it still fits.",
    "本页打开之后，个案已有新的事件；以下为目前的状况。本次未作记录：须核对后再行录入。",
)
_LACKING = Pair("is needed", "须填写")
_TEXTS = {"note": Type("text"), "on": Type("date")}


async def _fields(request: Request) -> dict[str, str]:
    try:
        return dict(pairs(await request.body()))
    except ValueError:
        raise OrderRejected([fault("O004", "the form cannot be read", "")]) from None


Sent = Annotated[dict[str, str], Depends(_fields)]
"""The fields of a form."""


@dataclass(slots=True)
class Tried:
    """An event that was not recorded: what was typed, and what is wrong with which field."""

    event: str
    typed: Mapping[str, str] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    """What is wrong with the event as such."""


@router.get("/cases/{id}")
def case(request: Request, id: str, as_of: AsOf = "", left_out: Left = "") -> Response:
    """A case as it stands with its latest event, or on a later day."""
    house: House = request.app.state.house
    told = house.casework.show(id, day_asked(as_of))
    return page(request, "case.html", **_context(house, request, told, asked=as_of, left=left_out))


@router.get("/cases/{id}/print")
def printed(request: Request, id: str, as_of: AsOf = "") -> Response:
    """A case as it is filed."""
    house: House = request.app.state.house
    told = house.casework.show(id, day_asked(as_of))
    context = _context(house, request, told, asked=as_of)
    return page(
        request, "case_print.html", **context, now=datetime.now(UTC), host=request.url.netloc
    )


@router.post("/cases/{id}/events")
def send(request: Request, id: str, sent: Sent, as_of: AsOf = "") -> Response:
    """Record an event, and lead back to the case; one that is not taken leaves its form open."""
    house: House = request.app.state.house
    process = _process(house, id)
    data, typed = _event(process, sent)
    version = sent.get("version", "")
    try:
        house.casework.send(
            id,
            Document(data, None, Source("event")),
            version=int(version) if version.isascii() and version.isdigit() else None,
            key=sent.get("key") or None,
            at=now(),
            by=by(request),
        )
    except OrderRejected as error:
        tried = _tried(process, str(data.get("event", "")), typed, error.diagnostics, request)
        told = house.casework.show(id, day_asked(as_of))
        context = _context(house, request, told, asked=as_of, tried=tried)
        return page(request, "case.html", 422, **context)
    return RedirectResponse(f"/cases/{id}#now", 303)


@router.post("/cases/{id}/fork")
def fork(request: Request, id: str, sent: Sent) -> Response:
    """Begin another course of a case, and lead to it."""
    house: House = request.app.state.house
    number = sent.get("number", "")
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1
    title = sent.get("title", "").strip()[:500]
    place = fault("O414", "", pointer="/at").span
    made = house.casework.fork(id, at, title=title, at=now(), by=by(request), place=place)
    return RedirectResponse(f"/cases/{made}", 303)


def day_asked(text: str) -> int | None:
    """A day of an address, where it is one."""
    day = read(tidy(text, Type("date")), Type("date"))
    return day if isinstance(day, int) else None


def may_write(request: Request) -> bool:
    """Whether the visitor's key opens cases and sends events."""
    visitor = request.scope.get("placet.visitor")
    return visitor is None or visitor.role == "draft"


# --- what was typed ---


def _process(house: House, id: str) -> Process:
    entry = house.casework.cases.get(id).entry
    return house.casework.process(entry.process, fault("O409", "").span)


def _event(process: Process, sent: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """An event as it is sent, and as it was typed."""
    event = process.events.get(sent.get("event", ""))
    types = {**_TEXTS, **{f.name: f.type for f in event.fields if not f.supplied}} if event else {}
    typed = {name: sent.get(f"field:{name}", "").strip() for name in types}
    data: dict[str, Any] = {"event": sent.get("event", "")}
    for name, type in types.items():
        if text := tidy(typed[name], type):
            is_truth = type.kind == "boolean" and text in ("true", "false")
            data[name] = text == "true" if is_truth else text
    return data, typed


def _tried(
    process: Process,
    event: str,
    typed: Mapping[str, str],
    faults: Iterable[Diagnostic],
    request: Request,
) -> Tried:
    """Faults beside their fields, in the reader's words."""
    lang = page_lang(request)
    tell, tried = Telling(lang), Tried(event, typed)
    known = process.events.get(event)
    fields = {f.name: f for f in known.fields} if known else {}
    for one in faults:
        name = one.span.pointer.removeprefix("/")
        lacking = next((n for n in fields if f"lacks `{n}`" in one.message), None)
        if one.code == "O405" and (lacking or "no date" in one.message):
            tried.faults.setdefault(lacking or "on", []).append(in_lang(_LACKING, lang))
        elif one.code in _TAKEN:
            tried.whole.append(in_lang(_GONE_ON, lang))
        elif name in fields or (name == "on" and one.code != "O403"):
            type = fields[name].type if name in fields else Type("date")
            label = fields[name].label if name in fields else None
            told = telling.fault_text(one, lang, type, label, is_too_long(typed.get(name, "")))
            tried.faults.setdefault(name, []).append(told)
        else:
            place = tried.faults.setdefault(name, []) if name in ("on", "note") else tried.whole
            place.append(tell.fault(one, process))
    return tried


# --- what the page shows ---


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the order that opened the case."""

    label: Pair
    text: str


def _context(
    house: House,
    request: Request,
    told: dict[str, Any],
    *,
    asked: str = "",
    left: str = "",
    tried: Tried | None = None,
) -> dict[str, Any]:
    book, lang = house.service.rulebook(), page_lang(request)
    process = book.processes[told["process"]["id"]]
    return {
        "case": told,
        "process": process,
        "regime": book.regimes.get(process.id) if process.judged else None,
        "vocabulary": book.vocabulary,
        "tell": Telling(lang),
        "deciding": telling,
        "words": WORDS,
        "deadlines": soonest(told["deadlines"]),
        "line": timeline(told, lang),
        "chart": chart(process, lang, told),
        "ways": list(sentences(process, lang)),
        "facts": facts_of(house, told, lang),
        "bar": ledger_bar(told),
        "related": related(house, told),
        "key": secrets.token_urlsafe(12),
        "tried": tried,
        "asked": asked,
        "misread": asked if asked and day_asked(asked) is None else "",
        "early": _is_early(told, asked),
        "today": house.today(),
        "over_today": _over_by(told, house.today()),
        "left_out": left_out(house, left),
        "may_write": may_write(request),
        "shown": shown,
        "visible": visible,
    }


def chart(process: Process, lang: Lang, told: Mapping[str, Any]) -> Markup:
    """The statechart of a case, as markup: whatever stands in it was escaped where it was drawn."""
    at, passed = told["stage"]["id"], passed_stages(told)
    return Markup(svg(process, lang, at, told["held"], passed=passed, within=True))


def facts_of(house: House, told: Mapping[str, Any], lang: Lang) -> list[Fact]:
    """The facts with which a case was opened, but for those that it has established itself."""
    own = {row["fact"] for row in told["kept"] if row["told"]}
    vocabulary = house.service.rulebook().vocabulary
    stated = order_from(vocabulary, Document(told["facts"]), []).stated
    return [
        Fact(fact.label, visible(telling.written_value(stated[path], fact, vocabulary, lang)))
        for path, fact in vocabulary.facts.items()
        if path in stated and path not in own
    ]


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a book's bar, in thousandths of its length."""

    name: str
    count: int
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class BookBar:
    """What a customer's book holds against its cap."""

    parts: tuple[Part, ...]
    limit: int | None


def ledger_bar(told: Mapping[str, Any]) -> BookBar | None:
    """The book of the case's customer as a bar."""
    ledger = told["ledger"]
    if ledger is None:
        return None
    whole = max(ledger["used"], ledger["cap"] or 0, 1)
    parts, sum_ = [], 0
    for name in ("opening", "shipped", "licensed", "reserved"):
        count = ledger[name]
        x = sum_ * 1000 // whole
        sum_ += count
        if count:
            parts.append(Part(name, count, x, max(sum_ * 1000 // whole - x, 3)))
    limit = None if ledger["cap"] is None else ledger["cap"] * 1000 // whole
    return BookBar(tuple(parts), limit)


def related(house: House, told: Mapping[str, Any]) -> list[Any]:
    """Other courses of the same case, newest first."""
    cases = house.casework.cases
    origin = cases.get(told["id"]).entry.origin
    listed = cases.page(200, workspace=told["workspace"], process=told["process"]["id"]).entries
    return [one for one in listed if one.origin == origin and one.id != told["id"]]


def left_out(house: House, paths: str) -> list[Pair]:
    """The labels of facts that were left out when the case was opened."""
    facts = house.service.rulebook().vocabulary.facts
    return [facts[path].label for path in paths.split(",") if path in facts]


def _is_early(told: Mapping[str, Any], asked: str) -> bool:
    """Whether a day was asked for that lies before the latest event."""
    day = day_asked(asked)
    return day is not None and day < number_of(told["as_of"])


def _over_by(told: Mapping[str, Any], today: int) -> bool:
    """Whether the time of a clock that is still running here will be over by today."""
    ends = [one["last"] for one in told["deadlines"] if one["last"] and not one["over"]]
    return any(number_of(last) < today for last in ends)
