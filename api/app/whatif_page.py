"""The What-if page: one order swept over one or two axes, and what a changed policy would flip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from jinja2.utils import htmlsafe_json_dumps

from api.app.deciding import aside
from api.app.house import House
from api.app.pages import page, page_lang
from api.app.reading import read_json
from api.app.scenarios_page import Chosen, chosen, drafts_of, orders_of, stories
from api.service import Asked, Service
from api.store import Draft
from engine.decide import Decision
from engine.diagnostics import OrderRejected
from engine.ir import Pair, Regime
from engine.load import Rulebook
from engine.names import inside
from engine.order import Document
from engine.parse_vocabulary import base_facts
from engine.values import read, write
from engine.vocabulary import FactDefinition
from engine.words import Lang, in_lang

router = APIRouter(include_in_schema=False)
MOST_DRAFTS = 1_000
"""Drafts that a changed policy is tried on, newest first."""


@router.get("/what-if")
def what_if(request: Request) -> Response:
    """The page; which order it starts from, the browser knows."""
    house: House = request.app.state.house
    book, lang = house.service.rulebook(), page_lang(request)
    return page(
        request,
        "whatif.html",
        regimes=book.regimes,
        stories=house.shipped(),
        drafts=house.drafts.page(200).entries,
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


@router.post("/what-if/flips")
async def flips(request: Request) -> Response:
    """The team's drafts and the shipped stories whose outcome a changed policy flips."""
    house: House = request.app.state.house
    asked_of = read_json(await request.body())
    data = asked_of.data if isinstance(asked_of.data, dict) else {}
    policy = {name: data[name] for name in ("parameters", "without") if data.get(name)}
    regime = data.get("regime")
    # A fault of the policy is one of this request, not of every order that it is tried on.
    trial = Document({"regime": regime, "facts": {}, **policy}, asked_of.node, asked_of.source)
    house.service.decide(trial, Asked(house.today()))
    drafts, more = await run_in_threadpool(drafts_of, house, regime, MOST_DRAFTS)
    ids = [id for id, row in house.shipped().items() if row["regime"] == regime]
    found: Flips = await aside(
        house, try_policy, house.scenarios, ids, drafts, regime, policy, house.today()
    )
    return page(request, "whatif_flips.html", found=found, more=more, most=MOST_DRAFTS)


# --- what a changed policy flips ---


@dataclass(frozen=True, slots=True)
class Flip:
    """One order whose outcome the changed policy flips."""

    of: str
    title: Pair
    story: Pair | None
    """The title of its story, where it is a variation."""
    before: Decision
    after: Decision

    @property
    def value(self) -> tuple[int, Pair] | None:
        """What the order is worth, in cents and in words."""
        for figure in self.after["figures"]:
            if figure["name"] == "order.value" and figure["value"] is not None:
                cents = int(figure["value"].replace(".", ""))
                return cents, Pair(figure["text"]["en"], figure["text"]["zh"])
        return None

    @property
    def changed_rules(self) -> list[Any]:
        """The findings whose status the policy changes, as they are under it."""
        old = {f["rule"]: f["status"] for f in self.before["findings"]}
        return [f for f in self.after["findings"] if f["status"] != old[f["rule"]]]


@dataclass(frozen=True, slots=True)
class Flips:
    """What a changed policy does to the orders at hand."""

    flipped: tuple[Flip, ...]
    tried: int
    faulty: int
    """Orders that the rules do not take, so that nothing is said of them."""

    @property
    def directions(self) -> list[tuple[Decision, Decision, list[Flip], int]]:
        """For each pair of outcomes: a decision of each, the orders, and cents in all."""
        by: dict[tuple[str, str], list[Flip]] = {}
        for flip in self.flipped:
            by.setdefault((flip.before["outcome"], flip.after["outcome"]), []).append(flip)
        return [
            (f[0].before, f[0].after, f, sum(v[0] for v in (x.value for x in f) if v))
            for f in by.values()
        ]


def try_policy(
    service: Service,
    folder: Path,
    ids: Sequence[str],
    drafts: Sequence[Draft],
    regime: str,
    policy: dict[str, Any],
    today: int,
) -> Flips:
    """Decide drafts and shipped stories under the rules in force and under a changed policy.

    Orders that bring a policy of their own are left out.
    """
    flipped: list[Flip] = []
    tried = faulty = 0
    for runs in _orders(folder, ids, drafts):
        for run in runs:
            if run.regime != regime or run.has_policy:
                continue
            changed = {**run.document.data, **policy}
            after_of = Document(changed, run.document.node, run.document.source)
            asked = Asked(today, changes=run.changes)
            try:
                before = service.decide(run.document, asked)
                after = service.decide(after_of, asked)
            except OrderRejected:
                faulty += 1
                continue
            tried += 1
            if before["outcome"] != after["outcome"]:
                story = None if run is runs[0] else runs[0].title
                flipped.append(Flip(run.of, run.title, story, _brief(before), _brief(after)))
    return Flips(tuple(flipped), tried, faulty)


def _orders(
    folder: Path, ids: Sequence[str], drafts: Sequence[Draft]
) -> Iterator[tuple[Chosen, ...]]:
    for draft in drafts:
        with suppress(OrderRejected):
            yield orders_of(draft)
    for story in stories(folder, ids):
        yield story.runs


def _brief(decision: Decision) -> Decision:
    """What the table tells of a decision; the rest need not cross the pipe."""
    names = ("outcome", "status", "label", "figures")
    findings = [
        {name: finding[name] for name in ("rule", "title", "status")}
        for finding in decision["findings"]
    ]
    return {**{name: decision[name] for name in names}, "findings": findings}


# --- what the browser needs to know ---


def _state(book: Rulebook, run: Chosen) -> dict[str, Any]:
    """An envelope with its facts by path, the changes of a variation made."""
    data = run.document.data
    facts = _flat(data.get("facts") or {}, book)
    for path, value in _flat(run.changes.data if run.changes else {}, book).items():
        facts = {p: v for p, v in facts.items() if p != path and not p.startswith(f"{path}.")}
        if value is not None:
            facts[path] = value
    facts = {path: _plain(book, path, value) for path, value in facts.items()}
    names = ("regime", "as_of", "parameters", "without", "basis")
    kept = {name: data[name] for name in names if data.get(name) is not None}
    return {**kept, "facts": facts}


def _flat(facts: Any, book: Rulebook, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in facts.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and path not in book.vocabulary.facts:
            found |= _flat(value, book, f"{path}.")
        else:
            found[path] = value
    return found


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
