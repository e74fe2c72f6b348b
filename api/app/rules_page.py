"""Pages of the workbench that show rule sets, rules, facts and sources."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api import describe, describe_process
from api.app.house import House
from api.app.pages import page, page_lang
from api.app.picture import BOX, WIDTH, picture
from api.headings import WORDS, period_in_words
from engine.diagnostics import nearest
from engine.ir import Pair, Period
from engine.load import Rulebook
from engine.values import Type, read
from engine.words import Lang, in_lang
from engine.words import day as day_in_words

router = APIRouter(include_in_schema=False)

_NOT_THERE = Pair("Not found", "未找到")
_NO_REGIME = Pair("There is no such rule set. There are these:", "没有这个规则集。现有：")
_NO_RULE = Pair(
    "There is no such rule in this rule set. There are these:", "该规则集中没有这条规则。现有："
)


@router.get("/rules")
def regimes(request: Request) -> HTMLResponse:
    """Show every rule set as a card."""
    book, day = _book(request), _today(request)
    told = [describe.regime(book, id, day) for id in book.regimes]
    processes = describe_process.processes(book)
    return _page(request, "rules.html", regimes=told, processes=processes)


@router.get("/rules/facts")
def facts(request: Request) -> HTMLResponse:
    """Show the vocabulary: every fact by group, and every code list."""
    book = _book(request)
    return _page(
        request, "rules_facts.html", vocabulary=describe.vocabulary(book), titles=_titles(book)
    )


@router.get("/rules/sources")
def sources(request: Request) -> HTMLResponse:
    """Show every source with the rules that cite it."""
    book = _book(request)
    return _page(
        request, "rules_sources.html", sources=describe.sources(book), titles=_titles(book)
    )


@router.get("/rules/{id}")
def regime(request: Request, id: str, as_of: str = "") -> HTMLResponse:
    """Show the whole of a rule set."""
    book = _book(request)
    if id not in book.regimes:
        return _no_regime(request, book, id)
    asked = _day(as_of)
    day = asked or _today(request)
    told = describe.regime(book, id, day)
    vocabulary = describe.vocabulary(book)
    return _page(
        request,
        "rules_regime.html",
        regime=told,
        groups=_groups(vocabulary),
        dated_by=book.vocabulary.facts[book.regimes[id].dated_by].label,
        picture=picture(told, vocabulary, page_lang(request)),
        box_width=BOX,
        width=WIDTH,
        chosen=asked is not None,
        misread=as_of if as_of and asked is None else "",
        process=book.processes.get(id),
    )


@router.get("/rules/{id}/{name}")
def rule(request: Request, id: str, name: str, as_of: str = "") -> HTMLResponse:
    """Show one rule with examples, and the scenarios that put it to the test."""
    book = _book(request)
    if id not in book.regimes:
        return _no_regime(request, book, id)
    asked = _day(as_of)
    told = describe.regime(book, id, asked or _today(request))
    house: House = request.app.state.house
    places = [rule["id"] for rule in told["rules"]]
    if name not in places:
        near = [f for f in places if nearest(name, [f])] or places
        titles = _titles(book)
        links = [(f"/rules/{id}/{f}", titles[f"{id}/{f}"]) for f in near]
        return missing(request, _NO_RULE, links)
    place = places.index(name)
    runs = house.exercised(id)
    return _page(
        request,
        "rules_rule.html",
        regime=told,
        rule=told["rules"][place],
        before=told["rules"][place - 1] if place else None,
        after=told["rules"][place + 1] if place + 1 < len(places) else None,
        groups=_groups(describe.vocabulary(book)),
        runs=None if runs is None else runs.get(name, {}),
        chosen=asked is not None,
        misread=as_of if as_of and asked is None else "",
    )


def missing(request: Request, told: Pair, links: Iterable[tuple[str, Pair]]) -> HTMLResponse:
    """A page that says that nothing is there, and where to go instead."""
    said = [in_lang(told, page_lang(request))]
    return page(request, "error.html", 404, heading=_NOT_THERE, told=said, links=list(links))


def opened(regime: str, example: Mapping[str, Any]) -> str:
    """The address that opens an example in Decide; its facts stand after `#` and never leave."""
    given = {entry["fact"]: entry["value"] for entry in example["given"]}
    form = orjson.dumps({"regime": regime, "as_of": example["as_of"], "facts": given})
    return "/#d=" + base64.urlsafe_b64encode(form).rstrip(b"=").decode("ascii")


# --- what pages share ---


def _page(request: Request, template: str, **context: Any) -> HTMLResponse:
    lang = page_lang(request)
    shared = {"words": WORDS, "on": Dates(lang), "opened": opened}
    return page(request, template, **shared, **context)


@dataclass(frozen=True, slots=True)
class Dates:
    """Says dates and periods of `describe` in words."""

    lang: Lang

    def __call__(self, iso: str) -> str:
        """A date."""
        return day_in_words(date.fromisoformat(iso).toordinal(), self.lang)

    def before(self, iso: str) -> str:
        """The day before: the last day on which what ends then is in force."""
        return day_in_words(date.fromisoformat(iso).toordinal() - 1, self.lang)

    def period(self, told: Mapping[str, str | None]) -> str:
        """A period from its first to its last day."""
        start, until = (
            date.fromisoformat(day).toordinal() if day else None
            for day in (told["from"], told["until"])
        )
        return period_in_words(Period(start or 1, until), self.lang)


def _book(request: Request) -> Rulebook:
    house: House = request.app.state.house
    return house.service.rulebook()


def _today(request: Request) -> int:
    house: House = request.app.state.house
    return house.today()


def _day(text: str) -> int | None:
    day = read(text, Type("date"))
    return day if isinstance(day, int) else None


def _titles(book: Rulebook) -> dict[str, Pair]:
    """Titles of regimes by id, and of their rules by `regime/rule`."""
    titles = {id: regime.title for id, regime in book.regimes.items()}
    for id, regime in book.regimes.items():
        titles |= {f"{id}/{rule.id}": rule.title for rule in regime.rules}
    return titles


def _groups(vocabulary: Mapping[str, Any]) -> dict[str, Any]:
    return {group["id"]: group["label"] for group in vocabulary["groups"]}


def _no_regime(request: Request, book: Rulebook, id: str) -> HTMLResponse:
    near = [known for known in book.regimes if nearest(id, [known])] or list(book.regimes)
    links = [(f"/rules/{known}", book.regimes[known].title) for known in near]
    return missing(request, _NO_REGIME, links)
