"""Pages of cases: the list, the opening of one, and two futures side by side."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.app.answers import fault, in_chinese
from api.app.case_page import Sent, day_asked, may_write
from api.app.case_stories import stories_of
from api.app.case_telling import COUNTS, Telling, number_of, soonest
from api.app.form import tidy
from api.app.house import House
from api.app.pages import page, page_lang
from api.app.reading import read_json
from api.app.scenarios import by
from api.app.scenarios_page import Cell, Line, chosen, title_of
from api.app.timeline import Timeline, reach, timeline
from api.case_opening import WORKSPACE
from api.casefile import LONGEST_WORKSPACE, CaseEntry, TooLong
from api.moments import now
from api.store import Full, StoreError
from api.stories import envelope_of
from engine.diagnostics import Diagnostic, OrderRejected, Source, visible
from engine.ir import Pair
from engine.order import Document, document
from engine.source import as_yaml, read_text
from engine.values import Type
from engine.words import Lang, in_lang

router = APIRouter(include_in_schema=False)
ON_A_PAGE = 50
SIDE_BY_SIDE = 3
_USED = Pair(
    "A case was opened from this form before; open the form anew for another one.",
    "此表单已开立过个案；再开立须重新打开表单。",
)

Case = Mapping[str, Any]
"""A case as `api.casework` tells it, or a part of it."""


# --- the list ---


@dataclass(frozen=True, slots=True)
class Row:
    """A case in the list, and how it stands today, if the rules still read it."""

    entry: CaseEntry
    told: Case
    outlook: Case | None
    next: Case | None
    """The deadline that falls due first."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases of a list are asked for; it comes in a body, because names are contents."""

    workspace: str = ""
    process: str = ""
    state: str = ""
    title: str = ""


@router.get("/cases")
def listed(request: Request) -> Response:
    """Every case, newest first."""
    return _listed(request, Wanted(), None)


@router.post("/cases/list")
def filtered(request: Request, sent: Sent) -> Response:
    """The cases that a filter leaves, a page at a time."""
    wanted = Wanted(*(sent.get(name, "").strip()[:500] for name in Wanted.__slots__))
    return _listed(request, wanted, sent.get("after") or None)


def _listed(request: Request, wanted: Wanted, after: str | None) -> Response:
    house: House = request.app.state.house
    found = house.casework.cases.page(
        ON_A_PAGE,
        after,
        workspace=wanted.workspace or None,
        process=wanted.process or None,
        ended={"open": False, "held": False, "ended": True}.get(wanted.state),
        title=wanted.title,
    )
    today = house.today()
    rows = [_row(house, entry, today) for entry in found.entries]
    if wanted.state == "held":
        rows = [row for row in rows if row.outlook is not None and row.outlook["held"]]
    return page(
        request,
        "cases.html",
        rows=rows,
        next=found.next,
        wanted=wanted,
        workspaces=house.casework.cases.workspaces(),
        processes=house.service.rulebook().processes,
        stories=stories_of(house),
        tell=Telling(page_lang(request)),
        may_write=may_write(request),
        visible=visible,
    )


def _row(house: House, entry: CaseEntry, today: int) -> Row:
    told = house.casework.row(entry)
    try:
        outlook = house.casework.outlook(entry.id, 0)
    except (OrderRejected, StoreError):
        return Row(entry, told, None, None)
    due = [one for one in soonest(outlook["deadlines"]) if one["last"]]
    return Row(entry, told, outlook, due[0] if due else None)


# --- the opening of a case ---


@dataclass(slots=True)
class Opening:
    """What is typed to open a case."""

    process: str = ""
    title: str = ""
    workspace: str = ""
    opened_on: str = ""
    order: str = ""
    """The order as text: YAML or JSON."""
    left_out: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@router.get("/cases/new")
def new(request: Request, of: Annotated[str, Query(max_length=200)] = "") -> Response:
    """The form that opens a case, with an order of a draft or story where one is named."""
    house: House = request.app.state.house
    opening = Opening()
    if of:
        run = chosen(house, of)[0]
        envelope = envelope_of(run, house.service.rulebook().vocabulary)
        title = in_lang(run.title, page_lang(request))
        opening = _opening_of(house, envelope | {"title": title}, page_lang(request))
    return _opening_page(request, opening, of=of)


@router.post("/cases/new")
def from_decide(request: Request, sent: Sent) -> Response:
    """The same form with the order of the Decide page."""
    house: House = request.app.state.house
    data = read_json(sent.get("state", "").encode()).data
    opening = _opening_of(house, data if isinstance(data, dict) else {}, page_lang(request))
    return _opening_page(request, opening)


def _opening_of(house: House, envelope: Mapping[str, Any], lang: Lang) -> Opening:
    """An order as it opens a case: without what only events say."""
    book = house.service.rulebook()
    regime = str(envelope.get("regime") or "")
    process = book.processes.get(regime) or next(iter(book.processes.values()), None)
    said, facts = house.casework.without_said(process, envelope.get("facts"))
    basis = envelope.get("basis")
    papers = {f: p for f, p in basis.items() if f in facts} if isinstance(basis, dict) else {}
    kept = {"facts": facts} | ({"basis": papers} if papers else {})
    title = envelope.get("title")
    title = title.get(lang) if isinstance(title, dict) else title
    return Opening(
        process=process.id if process else "",
        title=str(title or ""),
        opened_on=str(envelope.get("as_of") or ""),
        order=as_yaml(kept),
        left_out=said,
    )


def _opening_page(
    request: Request, opening: Opening, status: int = 200, *, of: str = "", key: str = ""
) -> Response:
    house: House = request.app.state.house
    book = house.service.rulebook()
    facts = book.vocabulary.facts
    drafts = house.drafts.newest(100, None)[0]
    return page(
        request,
        "case_new.html",
        status,
        opening=opening,
        left_out=[facts[path].label for path in opening.left_out],
        of=of,
        key=key or secrets.token_urlsafe(12),
        processes=book.processes,
        workspaces=house.casework.cases.workspaces(),
        workspace=WORKSPACE,
        longest=LONGEST_WORKSPACE,
        stories=_stories(house),
        drafts=[(draft.entry.id, title_of(draft)) for draft in drafts],
        regimes=book.regimes,
        may_write=may_write(request),
        visible=visible,
    )


def _stories(house: House) -> dict[str, list[tuple[str, Pair]]]:
    """Every order of the shipped stories, by rule set; those of rule sets with a process first."""
    found: dict[str, list[tuple[str, Pair]]] = {}
    processes = house.service.rulebook().processes
    for story in sorted(house.shipped.values(), key=lambda one: one.regime not in processes):
        title = story.scenario.title
        for number, run in enumerate(story.runs):
            more = Pair(f"{title.en}: {run.title.en}", f"{title.zh}：{run.title.zh}")
            found.setdefault(story.regime, []).append((run.of, more if number else title))
    return found


@router.post("/cases")
def opened(request: Request, sent: Sent) -> Response:
    """Open a case and lead to it, or show what is wrong with it."""
    house: House = request.app.state.house
    process, title, workspace, opened_on, order = (sent.get(n, "").strip() for n in _TYPED)
    opening = Opening(process, title, workspace, tidy(opened_on, Type("date")), order)
    try:
        data = _typed(house, opening)
        made = house.casework.open(
            Document(data, None, Source("case")),
            today=house.today(),
            at=now(),
            by=by(request),
            key=sent.get("key") or None,
        )
    except OrderRejected as error:
        opening.faults = tuple(_fault(request, one) for one in error.diagnostics)
    except (TooLong, Full) as error:
        opening.faults = (_of_store(error, page_lang(request)),)
    else:
        said = f"?left_out={','.join(opening.left_out)}" if opening.left_out else ""
        return RedirectResponse(f"/cases/{made.id}{said}", 303)
    return _opening_page(request, opening, 422)


_TYPED = ("process", "title", "workspace", "opened_on", "order")


def _typed(house: House, opening: Opening) -> dict[str, Any]:
    """What opens a case, from what was typed. Raises `OrderRejected`."""
    found = document(read_text(opening.order.encode(), "order", "O"), "order").data
    envelope = found if isinstance(found, dict) and "facts" in found else {"facts": found}
    process = house.service.rulebook().processes.get(opening.process)
    opening.left_out, facts = house.casework.without_said(process, envelope["facts"])
    data: dict[str, Any] = {
        name: text
        for name in ("process", "title", "workspace", "opened_on")
        if (text := getattr(opening, name))
    }
    data["facts"] = facts if isinstance(envelope["facts"], dict) else envelope["facts"]
    return data | ({"basis": envelope["basis"]} if envelope.get("basis") else {})


def _fault(request: Request, one: Diagnostic) -> str:
    """A fault of what opens a case, with its line or fact."""
    lang = page_lang(request)
    if one.code == "W120":
        return in_lang(_USED, lang)
    if lang == "zh" and one.zh:
        return in_chinese(request.scope, one).replace("`", "").removeprefix("/facts/")
    line = f"line {one.span.line}: " if one.span.source.lines else ""
    return line + (one.message + (f" ({one.help})" if one.help else "")).replace("`", "")


def _of_store(error: StoreError, lang: Lang) -> str:
    match error:
        case TooLong():
            told = Pair("A name is too long.", "名称过长。")
        case _:
            told = Pair("There are as many cases as there may be.", "个案数量已达上限。")
    return in_lang(told, lang)


# --- side by side ---


@dataclass(frozen=True, slots=True)
class Future:
    """One case of a comparison: what it tells, and what happened only in it."""

    told: Case
    own: tuple[Case, ...]
    line: Timeline


@dataclass(frozen=True, slots=True)
class Futures:
    """Cases side by side: the events that they share, and the rows in which they may differ."""

    columns: tuple[Future, ...]
    shared: tuple[Case, ...]
    parts: Mapping[str, tuple[Line, ...]]


@router.get("/cases/compare")
def compared(
    request: Request,
    of: Annotated[list[str] | None, Query(max_length=20)] = None,
    as_of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Two or three cases side by side; only their ids stand in the address."""
    house: House = request.app.state.house
    ids = list(dict.fromkeys(of or ()))
    if not 2 <= len(ids) <= SIDE_BY_SIDE:
        told = f"a comparison takes two or {SIDE_BY_SIDE} different cases"
        raise OrderRejected([fault("W101", told, "choose them on the page of cases")])
    work, asked = house.casework, day_asked(as_of)
    latest = max(number_of(work.show(id)["as_of"]) for id in ids)
    cases = [work.show(id, latest if asked is None else asked) for id in ids]
    lang = page_lang(request)
    book = house.service.rulebook()
    return page(
        request,
        "case_compare.html",
        found=side_by_side(cases, lang),
        processes=book.processes,
        ids=ids,
        as_of=max(case["as_of"] for case in cases),
        tell=Telling(lang),
        visible=visible,
    )


def side_by_side(cases: Sequence[Case], lang: Lang) -> Futures:
    """Put cases side by side, on one scale of days."""
    past = [[row for row in case["history"] if row["number"] is not None] for case in cases]
    one_process = len({case["process"]["id"] for case in cases}) == 1
    alike = [len({_what(row) for row in rows}) == 1 for rows in zip(*past, strict=False)]
    same = [*alike, False].index(False) if one_process else 0
    ends = [reach(case) for case in cases]
    shown = min(first for first, _ in ends), max(last for _, last in ends)
    columns = tuple(
        Future(case, tuple(_after(case, same)), timeline(case, lang, shown)) for case in cases
    )
    return Futures(columns, tuple(past[0][:same]), dict(_parts(cases)))


def _what(row: Case) -> str:
    """What an event said, to be compared with that of another case."""
    return repr((row["event"], row["on"], [(f["name"], f["value"]) for f in row["fields"]]))


def _after(case: Case, same: int) -> Iterator[Case]:
    """The history of a case after so many events, ends of clocks included."""
    seen = 0
    for row in case["history"]:
        if seen >= same:
            yield row
        seen = row["number"] if row["number"] is not None else seen


def _parts(cases: Sequence[Case]) -> Iterator[tuple[str, tuple[Line, ...]]]:
    yield "clocks", _lines([case["deadlines"] for case in cases], "clock", cases, _clock)
    stake = [[*case["exposure"], *case["figures"]] for case in cases]
    yield "stake", _lines(stake, "name", cases, _figure)
    counts = [
        [{"name": n, "title": _COUNT[n], "count": c} for n, c in case["counts"].items()]
        for case in cases
    ]
    yield "counts", _lines(counts, "name", cases, _count)
    findings = [(case["decision"] or {"findings": []})["findings"] for case in cases]
    yield "findings", _lines(findings, "rule", cases, _finding)


_COUNT = {name: label.as_json() for name, label in COUNTS.items()}


def _lines(
    columns: Sequence[Sequence[Case]],
    name: str,
    cases: Sequence[Case],
    cell: Callable[[Case, Case], Cell],
) -> tuple[Line, ...]:
    """Rows of several cases, those of one name beside one another."""
    found: dict[str, list[Cell | None]] = {}
    labels: dict[str, Pair] = {}
    for place, (rows, case) in enumerate(zip(columns, cases, strict=True)):
        for row in rows:
            cells = found.setdefault(row[name], [None] * len(cases))
            cells[place] = cell(row, case)
            labels.setdefault(row[name], Pair(**(row.get("title") or row["label"])))
    return tuple(Line(key, labels[key], tuple(cells)) for key, cells in found.items())


def _clock(row: Case, case: Case) -> Cell:
    en, zh = (
        f"{tell.count(row)}{joint}{tell.left(row, case['as_of'])}"
        for tell, joint in ((Telling("en"), "; "), (Telling("zh"), "；"))
    )
    return Cell(Pair(en, zh))


def _figure(row: Case, case: Case) -> Cell:
    return Cell(Pair(**row["text"]) if row["text"] else Pair("unknown", "未知"))


def _count(row: Case, case: Case) -> Cell:
    count = row["count"] or 0
    return Cell(Pair(f"{count:,} chip{'' if count == 1 else 's'}", f"{count:,}片"))


def _finding(row: Case, case: Case) -> Cell:
    return Cell(Pair(**row["text"]), row["status"])
