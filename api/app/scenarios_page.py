"""The Scenarios page: the team's drafts and the shipped stories, run and compared side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api import tasks
from api.app.answers import fault, not_there
from api.app.house import House
from api.app.pages import page
from api.app.scenarios import is_draft, story_of
from api.moments import moment
from api.service import Asked
from api.store import Draft, Entry, NotThere
from api.stories import Chosen, Saved, Story, orders_of
from engine.decide import Decision
from engine.diagnostics import Diagnostic, OrderRejected, PlacetError, visible
from engine.ir import Pair
from engine.load import Rulebook
from engine.order import order_from
from engine.values import Value
from engine.vocabulary import FactDefinition
from engine.words import day, worded

router = APIRouter(include_in_schema=False)
ON_A_PAGE = 100
"""Drafts that the page shows at once."""
MOST_DRAFTS = 1_000
"""Drafts that are run, or that a changed policy is tried on, at once: the newest."""
SIDE_BY_SIDE = 3
UNTITLED = Pair("Untitled", "无标题")
DRAFTS = Pair("Drafts", "草案")


@dataclass(frozen=True, slots=True)
class Row:
    """A draft in the list: its entry, and what it comes to at present, if the rules take it."""

    entry: Entry
    title: Pair
    decision: Decision | None = None
    expects: bool = False

    @property
    def changed_at(self) -> Pair:
        """When it was last changed, in UTC to the minute."""
        day, _, time = moment(self.entry.updated_at)[:16].partition("T")
        year, month, date = (int(part) for part in day.split("-"))
        return Pair(f"{day} {time}", f"{year}年{month}月{date}日{time}")


@router.get("/scenarios")
def scenarios(
    request: Request, after: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Drafts, newest first, and the shipped stories by rule set."""
    house: House = request.app.state.house
    listed = house.drafts.page(ON_A_PAGE, after)
    rows = [_row(house, entry) for entry in listed.entries]
    groups: dict[str, list[Story]] = {}
    for story in house.shipped.values() if after is None else ():
        groups.setdefault(story.regime, []).append(story)
    return page(
        request,
        "scenarios.html",
        rows=rows,
        next=listed.next,
        groups=groups,
        regimes=house.service.rulebook().regimes,
        visible=visible,
    )


@router.post("/scenarios/run")
def run(request: Request, what: Annotated[str, Query(max_length=200)]) -> Response:
    """Run the stories of a rule set, the drafts (`drafts`), or one: which expectations hold?"""
    house: House = request.app.state.house
    rows: list[dict[str, Any]]
    more = False
    ids = [id for id, story in house.shipped.items() if what in (id, story.regime)]
    if ids:
        rows = house.aside(tasks.run_files, house.scenarios, ids, house.today())
        told = {id: house.shipped[id] for id in ids}
        rows = [
            {**row, "title": told[row["id"]].scenario.title, "regime": told[row["id"]].regime}
            for row in rows
        ]
    else:
        drafts, more = _drafts_to_run(house, what)
        rows = house.aside(tasks.run_drafts, drafts, house.today())
    regimes = house.service.rulebook().regimes
    regime = regimes.get(what)
    heading = regime.title if regime else DRAFTS if what == "drafts" else None
    shared = {"heading": heading, "regimes": regimes, "more": more, "visible": visible}
    return page(request, "scenarios_ran.html", rows=rows, **shared)


def _drafts_to_run(house: House, what: str) -> tuple[list[Saved], bool]:
    """The drafts to run, and whether there are more than are run at once."""
    if what == "drafts":
        found, more = drafts_of(house, None)
    elif is_draft(what):
        found, more = [saved(house.drafts.get(what))], False
    else:
        raise OrderRejected([not_there("rule set or scenario", what)])
    return [draft for draft in found if draft.expects], more


# --- drafts and orders, as both pages take them ---


def drafts_of(house: House, regime: str | None) -> tuple[list[Saved], bool]:
    """The newest drafts, as many as are taken at once, and whether there are more."""
    found, more = house.drafts.newest(MOST_DRAFTS, regime)
    return [saved(draft) for draft in found], more


def saved(draft: Draft) -> Saved:
    """A draft of the store as pages and children take it."""
    return Saved(draft.entry.id, title_of(draft), draft.document)


def chosen(house: House, of: str) -> tuple[Chosen, tuple[Chosen, ...]]:
    """An order by its id, and all of its draft or story. Raises `NotThere`, `OrderRejected`."""
    id, _, number = of.partition("@")
    runs = orders_of(saved(house.drafts.get(id))) if is_draft(id) else story_of(house, id).runs
    places = [str(place) for place in range(len(runs))]
    if number and number not in places:
        raise OrderRejected([not_there("order", of)])
    runs = tuple(replace(run, title=_seen(run.title)) for run in runs)
    return runs[int(number or 0)], runs


def title_of(draft: Draft) -> Pair:
    """The title of a draft in both languages, as it may be shown."""
    match draft.document.get("title"):
        case {"en": str() as en, "zh": str() as zh}:
            return _seen(Pair(en, zh))
    return _titled(draft.entry)


def _titled(entry: Entry) -> Pair:
    return _seen(Pair(entry.title, entry.title)) if entry.title else UNTITLED


def _seen(text: Pair) -> Pair:
    """A text that somebody wrote, without signs that would make it look like another one."""
    return Pair(visible(text.en), visible(text.zh))


def _row(house: House, entry: Entry) -> Row:
    title = _titled(entry)
    try:
        draft = saved(house.drafts.get(entry.id))
        title = draft.title
        decision = house.decide(orders_of(draft)[0].document, Asked(house.today()))
        return Row(entry, title, decision, draft.expects)
    except (PlacetError, NotThere):
        return Row(entry, title)


# --- side by side ---


@dataclass(frozen=True, slots=True)
class Cell:
    """What one order has in a row: a status where it is a finding, and a text."""

    text: Pair | None
    status: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the comparison: the same fact or rule in every order."""

    name: str
    label: Pair
    cells: tuple[Cell | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the orders differ in it: the value of a fact, the status of a finding."""
        return len({(c.status or c.text) if c else None for c in self.cells}) > 1

    @property
    def reads_otherwise(self) -> bool:
        """Whether findings of one status differ in their text alone: other figures."""
        return not self.differs and len({c.text if c else None for c in self.cells}) > 1


@dataclass(frozen=True, slots=True)
class Column:
    """One order of the comparison."""

    run: Chosen
    decision: Decision
    facts: Mapping[str, Cell]

    @property
    def as_of(self) -> Pair:
        """The day whose rules apply."""
        number = date.fromisoformat(self.decision["regime"]["as_of"]).toordinal()
        return Pair(day(number, "en"), day(number, "zh"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Orders side by side: facts and figures in rows, then findings by rule set."""

    columns: tuple[Column, ...]
    facts: tuple[Line, ...]
    figures: tuple[Line, ...]
    findings: Mapping[str, tuple[Line, ...]]


@router.get("/scenarios/compare")
def side_by_side(
    request: Request, of: Annotated[list[str] | None, Query(max_length=20)] = None
) -> Response:
    """Two or three orders side by side; only their ids stand in the address."""
    house: House = request.app.state.house
    ids = list(dict.fromkeys(of or ()))
    if not 2 <= len(ids) <= SIDE_BY_SIDE:
        told = f"a comparison takes two or {SIDE_BY_SIDE} different orders"
        raise OrderRejected([fault("W101", told, "choose them on the page of scenarios")])
    runs = [chosen(house, id)[0] for id in ids]
    return page(request, "compare.html", found=compare(house, runs))


def compare(house: House, runs: Sequence[Chosen]) -> Comparison:
    """Decide orders and put them side by side. Raises `OrderRejected`."""
    book = house.service.rulebook()
    columns = []
    for run in runs:
        decision = house.decide(run.document, Asked(house.today(), changes=run.changes))
        columns.append(Column(run, decision, _facts(book, run)))
    return Comparison(
        tuple(columns),
        tuple(_fact_lines(book, columns)),
        tuple(_figure_lines(columns)),
        _finding_lines(columns),
    )


def _facts(book: Rulebook, run: Chosen) -> dict[str, Cell]:
    """The facts of an order, those that the catalogue supplies included."""
    faults: list[Diagnostic] = []
    order = order_from(book.vocabulary, run.document.part("facts"), faults, run.changes)
    found = {**order.supplied, **order.stated}
    return {
        path: Cell(_said(book, fact, found[path]), origin=order.origin(path))
        for path, fact in book.vocabulary.facts.items()
        if path in found
    }


def _said(book: Rulebook, fact: FactDefinition, value: Value) -> Pair:
    """A value as people read it, in both languages."""
    if fact.type.codes is not None and isinstance(value, str):
        return book.vocabulary.label(fact.path, value)
    if isinstance(value, str):
        return Pair(visible(value), visible(value))
    unit = book.vocabulary.units.get(fact.type.unit or "")
    return Pair(worded(value, fact.type, unit, "en"), worded(value, fact.type, unit, "zh"))


def _fact_lines(book: Rulebook, columns: Sequence[Column]) -> list[Line]:
    return [
        Line(path, fact.label, tuple(column.facts.get(path) for column in columns))
        for path, fact in book.vocabulary.facts.items()
        if any(path in column.facts for column in columns)
    ]


def _figure_lines(columns: Sequence[Column]) -> list[Line]:
    """Figures by name and label: two rule sets may each compute their own under one name."""
    found: dict[tuple[str, str], Line] = {}
    told = [{_figure(f): f for f in column.decision["figures"]} for column in columns]
    for key, figure in (item for figures in told for item in figures.items()):
        cells = tuple(
            Cell(Pair(**f["text"])) if (f := figures.get(key)) and f["text"] else None
            for figures in told
        )
        found[key] = Line(figure["name"], Pair(**figure["label"]), cells)
    return list(found.values())


def _figure(figure: Mapping[str, Any]) -> tuple[str, str]:
    return figure["name"], figure["label"]["en"]


def _finding_lines(columns: Sequence[Column]) -> dict[str, tuple[Line, ...]]:
    """Findings by the title of their rule set, in the order of its rules."""
    regimes = {column.decision["regime"]["id"]: column.decision for column in columns}
    return {
        id: tuple(
            Line(rule["rule"], Pair(**rule["title"]), _findings(columns, id, rule["rule"]))
            for rule in decision["findings"]
        )
        for id, decision in regimes.items()
    }


def _findings(columns: Sequence[Column], regime: str, rule: str) -> tuple[Cell | None, ...]:
    cells: list[Cell | None] = []
    for column in columns:
        if column.decision["regime"]["id"] != regime:
            cells.append(None)
            continue
        finding = next(f for f in column.decision["findings"] if f["rule"] == rule)
        cells.append(Cell(Pair(**finding["text"]), finding["status"]))
    return tuple(cells)
