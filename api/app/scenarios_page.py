"""The Scenarios page: the team's drafts and the shipped stories, run and compared side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api import tasks
from api.app.answers import fault, not_there
from api.app.deciding import aside
from api.app.house import House
from api.app.pages import page
from api.app.scenarios import file_of, is_draft, moment
from api.service import Asked, Service, read_document
from api.store import Draft, Entry, NotThere
from engine.decide import Decision
from engine.diagnostics import Diagnostic, OrderRejected, PlacetError
from engine.ir import Pair
from engine.load import Rulebook
from engine.order import Document, order_from
from engine.scenario import Expectation, Scenario, read_scenario
from engine.values import Value
from engine.vocabulary import FactDefinition
from engine.words import day, worded

router = APIRouter(include_in_schema=False)
ON_A_PAGE = 100
"""Drafts that the page shows at once."""
SIDE_BY_SIDE = 3
UNTITLED = Pair("Untitled", "无标题")
DRAFTS = Pair("Drafts", "草案")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One order of a draft or story, by the id with which pages name it: `d-…`, `folder/name@2`."""

    of: str
    title: Pair
    document: Document
    changes: Document | None = None
    expect: Expectation | None = None

    @property
    def regime(self) -> str:
        """The id of the rule set that it names."""
        return str(self.document.data.get("regime") or "")

    @property
    def has_policy(self) -> bool:
        """Whether it brings changed rules of its own."""
        return any(self.document.data.get(name) for name in ("parameters", "without"))


@dataclass(frozen=True, slots=True)
class Story:
    """A shipped story with its orders, as the list shows it."""

    id: str
    scenario: Scenario
    runs: tuple[Chosen, ...]


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
    for story in stories(house.scenarios, house.shipped()) if after is None else ():
        groups.setdefault(story.runs[0].regime, []).append(story)
    return page(
        request,
        "scenarios.html",
        rows=rows,
        next=listed.next,
        groups=groups,
        regimes=house.service.rulebook().regimes,
    )


@router.post("/scenarios/run")
async def run(request: Request, what: Annotated[str, Query(max_length=200)]) -> Response:
    """Run the stories of a rule set, the drafts (`drafts`), or one: which expectations hold?"""
    house: House = request.app.state.house
    rows: list[dict[str, Any]]
    shipped = await run_in_threadpool(house.shipped)
    ids = [id for id, row in shipped.items() if what in (id, row["regime"])]
    if ids:
        rows = await aside(house, tasks.run_files, house.scenarios, ids, house.today())
        rows = [{**row, **{k: shipped[row["id"]][k] for k in ("title", "regime")}} for row in rows]
    else:
        drafts = await run_in_threadpool(_drafts_to_run, house, what)
        rows = await aside(house, run_drafts, drafts, house.today())
    regimes = house.service.rulebook().regimes
    regime = regimes.get(what)
    heading = regime.title if regime else DRAFTS if what == "drafts" else None
    return page(request, "scenarios_ran.html", rows=rows, heading=heading, regimes=regimes)


def run_drafts(service: Service, drafts: Sequence[Draft], today: int) -> list[dict[str, Any]]:
    """Run drafts that expect something: per draft whether it passed, and what differs."""
    rows: list[dict[str, Any]] = []
    for draft in drafts:
        try:
            told = tasks.run_one(service, Document(draft.document), today)
        except OrderRejected as error:
            faults = [d.as_json() for d in error.diagnostics]
            one = {"title": None, "passed": False, "differences": [], "diagnostics": faults}
            told = {"passed": False, "runs": [one]}
        known = {"title": _title(draft).as_json(), "regime": draft.entry.regime}
        rows.append({**told, "id": draft.entry.id, **known})
    return rows


def _drafts_to_run(house: House, what: str) -> list[Draft]:
    if what == "drafts":
        found, _ = drafts_of(house, None, 1_000)
        return [draft for draft in found if "expect" in draft.document]
    if not is_draft(what):
        raise OrderRejected([not_there("rule set or scenario", what)])
    return [house.drafts.get(what)]


# --- stories and drafts, as both pages take them ---


def stories(folder: Path, ids: Iterable[str]) -> list[Story]:
    """Shipped stories with their orders."""
    found: list[Story] = []
    for id in ids:
        scenario = read_scenario(read_document(folder / f"{id}.yaml"))
        found.append(Story(id, scenario, runs_of(id, scenario)))
    return found


def runs_of(id: str, scenario: Scenario) -> tuple[Chosen, ...]:
    """The orders of a scenario: the base order first, then its variations."""
    return tuple(
        Chosen(f"{id}@{number}" if number else id, r.title, r.document, r.changes, r.expect)
        for number, r in enumerate(scenario.runs)
    )


def drafts_of(house: House, regime: str | None, most: int) -> tuple[list[Draft], bool]:
    """The newest drafts, at most so many, and whether there are more."""
    found: list[Draft] = []
    after: str | None = None
    while len(found) < most:
        listed = house.drafts.page(min(200, most - len(found)), after, regime)
        for entry in listed.entries:
            try:
                found.append(house.drafts.get(entry.id))
            except NotThere:  # removed in the meantime
                continue
        after = listed.next
        if after is None:
            return found, False
    return found, True


def orders_of(draft: Draft) -> tuple[Chosen, ...]:
    """The orders of a draft: one, or all of a scenario that expects something."""
    if "expect" in draft.document:
        return runs_of(draft.entry.id, read_scenario(Document(draft.document)))
    plain = {k: v for k, v in draft.document.items() if k not in ("title", "story", "vary")}
    return (Chosen(draft.entry.id, _title(draft), Document(plain)),)


def chosen(house: House, of: str) -> tuple[Chosen, tuple[Chosen, ...]]:
    """An order by its id, and all of its draft or story. Raises `NotThere`, `OrderRejected`."""
    id, _, number = of.partition("@")
    if is_draft(id):
        runs = orders_of(house.drafts.get(id))
    else:
        runs = runs_of(id, read_scenario(read_document(file_of(house, id))))
    places = [str(place) for place in range(len(runs))]
    if number and number not in places:
        raise OrderRejected([not_there("order", of)])
    place = int(number or 0)
    return runs[place], runs


def _title(draft: Draft) -> Pair:
    match draft.document.get("title"):
        case {"en": str() as en, "zh": str() as zh}:
            return Pair(en, zh)
    text = draft.entry.title
    return Pair(text, text) if text else UNTITLED


def _row(house: House, entry: Entry) -> Row:
    title = Pair(entry.title, entry.title) if entry.title else UNTITLED
    try:
        draft = house.drafts.get(entry.id)
        title = _title(draft)
        decision = house.service.decide(orders_of(draft)[0].document, Asked(house.today()))
        return Row(entry, title, decision, "expect" in draft.document)
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
    return page(request, "compare.html", found=compare(house.service, runs, house.today()))


def compare(service: Service, runs: Sequence[Chosen], today: int) -> Comparison:
    """Decide orders and put them side by side. Raises `OrderRejected`."""
    book = service.rulebook()
    columns = []
    for run in runs:
        decision = service.decide(run.document, Asked(today, changes=run.changes))
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
