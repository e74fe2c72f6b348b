"""Stories of cases that come with the rules, on the page of cases: read, and played as real cases.

Each is played in books of its own, so that its chips count towards nobody's cap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from api.app.answers import not_there
from api.app.case_page import Sent
from api.app.house import House
from api.app.pages import page_lang
from api.app.scenarios import by
from api.moments import now
from api.service import read_document
from api.to_date import TO_DATE
from engine.case_story import CaseStory, is_case_story, read_case_story
from engine.diagnostics import OrderRejected, Source
from engine.findings import iso
from engine.load import Rulebook
from engine.order import Document, write_facts
from engine.values import MAX_TEXT
from engine.words import in_lang

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Shipped:
    """A story of a case, by the name of its file."""

    id: str
    told: CaseStory
    ledger: Any
    """The chips to date that the story gives, as they are written."""


@lru_cache(2)
def shipped(book: Rulebook, folder: Path) -> Mapping[str, Shipped]:
    """The stories of cases of a folder; those that the rules no longer read are `placet test`'s."""
    found: dict[str, Shipped] = {}
    for path in sorted(folder.rglob("*.yaml")):
        id = path.relative_to(folder).with_suffix("").as_posix()
        try:
            document = read_document(path)
            if is_case_story(document):
                told = read_case_story(book, document)
                found[id] = Shipped(id, told, document.data.get("ledger"))
        except OrderRejected:
            continue
    return found


def stories_of(house: House) -> dict[str, list[Shipped]]:
    """The shipped stories of cases by process."""
    found: dict[str, list[Shipped]] = {}
    for one in shipped(house.service.rulebook(), house.scenarios).values():
        found.setdefault(one.told.process.id, []).append(one)
    return found


@router.post("/cases/play")
def play(request: Request, sent: Sent) -> Response:
    """Play a story as a case of its own, and lead to it as it stands at the story's end."""
    house: House = request.app.state.house
    id = sent.get("story", "")
    story = shipped(house.service.rulebook(), house.scenarios).get(id)
    if story is None:
        raise OrderRejected([not_there("story of a case", id)])
    told, lang = story.told, page_lang(request)
    at, sender, work = now(), by(request), house.casework
    facts = write_facts(house.service.rulebook().vocabulary, told.setting.order.stated)
    if story.ledger is not None:
        facts.setdefault(TO_DATE, str(story.ledger))
    data: dict[str, Any] = {
        "process": told.process.id,
        "workspace": f"{id.rpartition('/')[2][:50]} {token_hex(3)}",
        "title": in_lang(told.title, lang),
        "opened_on": iso(told.opened_on),
        "facts": facts,
    }
    text = in_lang(told.story, lang)
    data |= {"story": text} if len(text) <= MAX_TEXT else {}
    document = Document(data, None, Source("story"))
    made = work.open(document, today=house.today(), key=None, at=at, by=sender).id
    for event in told.events:
        try:
            work.send(made, event.document, version=None, key=None, at=at, by=sender)
        except OrderRejected:
            # Events that are not taken are part of some stories; others end where one stops.
            if "not_taken" not in event.expect:
                break
    as_of = f"?as_of={iso(told.as_of)}" if told.as_of is not None else ""
    return RedirectResponse(f"/cases/{made}{as_of}", 303)
