"""The What-if page: one order swept over one or two axes, and what a changed policy would flip."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from jinja2.utils import htmlsafe_json_dumps

from api import tasks
from api.app.house import House
from api.app.pages import page, page_lang
from api.app.reading import read_json
from api.app.scenarios_page import chosen, drafts_of
from api.service import Asked
from api.stories import Chosen, envelope_of
from engine.diagnostics import visible
from engine.ir import Regime
from engine.load import Rulebook
from engine.names import inside
from engine.order import Document
from engine.parse_vocabulary import base_facts
from engine.values import read, write
from engine.vocabulary import FactDefinition
from engine.words import Lang, in_lang

router = APIRouter(include_in_schema=False)


@router.get("/what-if")
def what_if(request: Request) -> Response:
    """The page; which order it starts from, the browser knows."""
    house: House = request.app.state.house
    book, lang = house.service.rulebook(), page_lang(request)
    drafts = house.drafts.page(200).entries
    titles = [in_lang(story.scenario.title, lang) for story in house.shipped.values()]
    return page(
        request,
        "whatif.html",
        regimes=book.regimes,
        stories=house.shipped,
        drafts=drafts,
        shared=Counter([*titles, *(visible(draft.title or "") for draft in drafts)]),
        visible=visible,
        # Not sorted, as `tojson` would: facts and codes stand in the order of their files.
        words=htmlsafe_json_dumps(_words(book, lang), ensure_ascii=False),
    )


@router.get("/what-if/order")
def order(request: Request, of: str) -> Response:
    """The envelope of a draft or of one run of a shipped story, and the titles of all its runs."""
    house: House = request.app.state.house
    run, runs = chosen(house, of)
    lang = page_lang(request)
    state = {**_state(house.service.rulebook(), run), "title": in_lang(run.title, lang)}
    orders = [{"of": other.of, "title": in_lang(other.title, lang)} for other in runs]
    return JSONResponse({"order": state, "orders": orders})


async def _asked(request: Request) -> Document:
    return read_json(await request.body())


@router.post("/what-if/flips")
def flips(request: Request, asked_of: Annotated[Document, Depends(_asked)]) -> Response:
    """The team's drafts and the shipped stories whose outcome a changed policy flips."""
    house: House = request.app.state.house
    data = asked_of.data if isinstance(asked_of.data, dict) else {}
    policy = {name: data[name] for name in ("parameters", "without") if data.get(name)}
    regime = data.get("regime")
    # A fault of the policy is one of this request, not of every order that it is tried on.
    trial = Document({"regime": regime, "facts": {}, **policy}, asked_of.node, asked_of.source)
    house.service.decide(trial, Asked(house.today()))
    drafts, more = drafts_of(house, regime)
    ids = [id for id, story in house.shipped.items() if story.regime == regime]
    found: tasks.Flips = house.aside(
        tasks.try_policy, house.scenarios, ids, drafts, regime, policy, house.today()
    )
    return page(request, "whatif_flips.html", found=found, more=more, visible=visible)


# --- what the browser needs to know ---


def _state(book: Rulebook, run: Chosen) -> dict[str, Any]:
    """The envelope of an order with its values as the service writes them."""
    data = envelope_of(run, book.vocabulary)
    facts = {path: _plain(book, path, value) for path, value in data["facts"].items()}
    names = ("regime", "as_of", "parameters", "without", "basis")
    kept = {name: data[name] for name in names if data.get(name) is not None}
    return {**kept, "facts": facts}


def _plain(book: Rulebook, path: str, value: Any) -> Any:
    """A value as the service writes it; one with a fault stays as it is, to be shown."""
    fact = book.vocabulary.facts.get(path)
    held = None if fact is None else read(value, fact.type)
    return write(held, fact.type) if fact and isinstance(held, bool | int | str) else value


def _words(book: Rulebook, lang: Lang) -> dict[str, Any]:
    """Rule sets, facts, code lists and units as the browser needs them, in the reader's language."""
    vocabulary = book.vocabulary
    return {
        "lang": lang,
        "regimes": {id: _regime(book, regime, lang) for id, regime in book.regimes.items()},
        "facts": {
            path: _fact(fact, lang)
            for path, fact in vocabulary.facts.items()
            if fact.derived is None
        },
        "groups": {id: in_lang(label, lang) for id, label in vocabulary.groups.items()},
        "codes": {
            name: {code.code: in_lang(code.label, lang) for code in of.codes.values()}
            for name, of in vocabulary.lists.items()
        },
        "units": {
            id: [unit.one, unit.many] if lang == "en" else [unit.zh, unit.zh]
            for id, unit in vocabulary.units.items()
        },
        "catalogue": {
            key: {
                code: {path: write(v, vocabulary.facts[path].type) for path, v in row.items()}
                for code, row in rows.items()
            }
            for key, rows in vocabulary.catalogue.items()
        },
    }


def _regime(book: Rulebook, regime: Regime, lang: Lang) -> dict[str, Any]:
    vocabulary = book.vocabulary
    rests: dict[str, None] = {}
    named: set[str] = set()
    for expr in (regime.scope, *(e for r in regime.rules for e in (r.applies, r.require))):
        if expr is None:
            continue
        for name in inside(regime, vocabulary, expr):
            named.add(name)
            if name in vocabulary.facts:
                rests |= dict.fromkeys(base_facts(vocabulary, name))
    return {
        "title": in_lang(regime.title, lang),
        "dated_by": regime.dated_by,
        "rests_on": [path for path in vocabulary.facts if path in rests],
        "parameters": {
            name: {
                "label": in_lang(parameter.label, lang),
                "kind": parameter.type.kind,
                "unit": parameter.type.unit,
                "scale": parameter.type.scale,
                "lo": write(parameter.type.lo, parameter.type),
                "hi": write(parameter.type.hi, parameter.type),
                "values": [
                    [date.fromordinal(day).isoformat(), write(value, parameter.type)]
                    for day, value in parameter.values
                ],
            }
            for name, parameter in regime.parameters.items()
            if name in named
        },
        "rules": {rule.id: in_lang(rule.title, lang) for rule in regime.rules},
    }


def _fact(fact: FactDefinition, lang: Lang) -> dict[str, Any]:
    return {
        "label": in_lang(fact.label, lang),
        "group": fact.group,
        "kind": fact.type.kind,
        "unit": fact.type.unit,
        "codes": fact.type.codes,
        "scale": fact.type.scale,
        "lo": write(fact.type.lo, fact.type),
        "hi": write(fact.type.hi, fact.type),
        "catalogue": fact.catalogue,
    }
