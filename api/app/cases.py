"""Routes of cases: opened, sent events, shown, forked, played again; and the books that they fill.

An event is taken or refused by the stage of its case alone; `If-Match` holds it to a version too,
and `Idempotency-Key` lets it be sent again. Nothing here runs where requests are taken in.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool

from api import drawing
from api.app import case_examples as examples
from api.app.answers import answer, fault, language
from api.app.house import House
from api.app.reading import body_of
from api.app.rules import day_of, missing_in
from api.app.scenarios import NOT_POST, by, only_post
from api.case_opening import WORKSPACE, Wanted, read_fork, read_wanted
from api.casefile import LONGEST_KEY
from api.moments import now
from engine.diagnostics import OrderRejected, shown
from engine.process import Process

router = APIRouter(tags=["cases"])

Id = Annotated[str, InPath(max_length=200, description="The id that the list names.")]
Named = Annotated[str | None, Query(max_length=500)]
AsOf = Annotated[
    str | None,
    Query(
        description="the day from which to look; else, or where it is earlier, that of the latest event",
        json_schema_extra={"format": "date"},
    ),
]
Drawn = Annotated[Literal["svg", "dot", "mermaid"], Query(alias="as")]
Lang = Annotated[
    Literal["en", "zh"] | None, Query(description="the language of its texts; else the reader's")
]
_KEY = re.compile(rf"[!-~]([ -~]{{0,{LONGEST_KEY - 2}}}[!-~])?")
_LISTED_BY = {"workspace", "process", "stage", "open", "after", "limit"}
_AGAIN = {"Idempotent-Replayed": "true"}


@router.get(
    "/v1/cases",
    operation_id="cases",
    summary="List cases",
    response_class=Response,
    responses=examples.LISTED,
)
def listed(
    request: Request,
    workspace: Named = None,
    process: Named = None,
    stage: Named = None,
    open_: Annotated[Literal["true", "false"] | None, Query(alias="open")] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List cases, newest first, a page at a time; each in the stage where its latest event left it.

    Who they are for is no part of an address: `find` takes that in a body.
    """
    unknown = sorted(set(request.query_params) - _LISTED_BY)
    if unknown:
        help = "`POST /v1/cases/find` takes customers, groups and titles in a body"
        told = f"the list of cases knows no parameter {shown(unknown[0])}"
        raise OrderRejected([fault("W101", told, help)])
    texts = {"workspace": workspace, "process": process, "stage": stage}
    state = None if open_ is None else open_ == "true"
    return _page(_house(request), Wanted(texts, state, after, limit))


@router.post(
    "/v1/cases/find",
    operation_id="find_cases",
    summary="Find cases by customer, group or title",
    response_class=Response,
    openapi_extra=examples.FIND,
    responses=examples.FOUND,
)
async def find(request: Request) -> Response:
    """List the cases of a customer or a group, or with some text in the title; newest first."""
    house = _house(request)
    wanted = read_wanted(await body_of(request))
    return await run_in_threadpool(_page, house, wanted)


@router.api_route("/v1/cases/find", methods=NOT_POST, include_in_schema=False)
async def not_found_so(request: Request) -> Response:
    """Refuse any other method, lest `find` be taken for an id."""
    return only_post(request, "cases are looked for with POST")


def _page(house: House, wanted: Wanted) -> Response:
    casework, texts = house.casework, wanted.texts
    page = casework.cases.page(
        wanted.limit,
        wanted.after,
        workspace=texts.get("workspace"),
        customer=texts.get("customer"),
        group=texts.get("group"),
        process=texts.get("process"),
        stage=texts.get("stage"),
        ended=None if wanted.open is None else not wanted.open,
        title=texts.get("title") or "",
    )
    return answer({"cases": [casework.row(one) for one in page.entries], "next": page.next})


@router.post(
    "/v1/cases",
    operation_id="open_case",
    summary="Open a case",
    response_class=Response,
    status_code=201,
    openapi_extra=examples.OPEN,
    responses=examples.OPENED,
)
async def open_case(request: Request) -> Response:
    """Open a case; with a key that has opened one before, and the same content, that one is given."""
    house = _house(request)
    document = await body_of(request)
    key, today = key_of(request), house.today()

    def opened() -> tuple[Any, bool]:
        made = house.casework.open(document, today=today, at=now(), by=by(request), key=key)
        return house.casework.show(made.id), made.known

    case, known = await house.in_line(opened)
    return _told(house, case, known, placed=True)


@router.get(
    "/v1/cases/{id}",
    operation_id="case",
    summary="Show one case",
    response_class=Response,
    responses=examples.SHOWN,
)
async def shown_case(request: Request, id: Id, as_of: AsOf = None) -> Response:
    """Show a case: stage, what can happen next, clocks, findings so far, exposure, books, history."""
    house = _house(request)
    day = None if as_of is None else day_of(request, as_of)
    return _told(house, await house.in_line(lambda: house.casework.show(id, day)), known=True)


@router.post(
    "/v1/cases/{id}/events",
    operation_id="send_event",
    summary="Send an event",
    response_class=Response,
    status_code=201,
    openapi_extra=examples.SEND,
    responses=examples.SENT,
)
async def send(request: Request, id: Id) -> Response:
    """Send an event to a case, and give the case as it is then.

    Without `If-Match` the stage alone decides whether it is taken. One that its key has sent before
    is answered as it was then, with the status 200.
    """
    house = _house(request)
    document = await body_of(request)
    key, version = key_of(request), _version(request)

    def sent() -> tuple[Any, bool]:
        made = house.casework.send(
            id, document, version=version, key=key, at=now(), by=by(request)
        )
        return house.casework.told(made.case), made.known

    case, known = await house.in_line(sent)
    return _told(house, case, known, again=known)


@router.post(
    "/v1/cases/{id}/fork",
    operation_id="fork_case",
    summary="Fork a case",
    response_class=Response,
    status_code=201,
    openapi_extra=examples.FORK,
    responses=examples.FORKED,
)
async def fork(request: Request, id: Id) -> Response:
    """Begin another course of a case after one of its events; no fork is counted in a book."""
    house = _house(request)
    document = await body_of(request)
    version, title = read_fork(document)

    def forked() -> Any:
        place = document.at("version")
        made = house.casework.fork(id, version, title=title, at=now(), by=by(request), place=place)
        return house.casework.show(made)

    return _told(house, await house.in_line(forked), known=False, placed=True)


@router.post(
    "/v1/cases/{id}/replay",
    operation_id="replay_case",
    summary="Play a case again",
    response_class=Response,
    responses=examples.REPLAYED,
)
def replay(request: Request, id: Id) -> Response:
    """Play a case again from its events: does it come to what was recorded then?"""
    return answer(_house(request).casework.replay(id))


@router.get(
    "/v1/cases/{id}/picture",
    operation_id="case_picture",
    summary="Draw a case",
    response_class=Response,
    responses=examples.DRAWN,
)
def picture(
    request: Request, id: Id, as_: Drawn = "svg", lang: Lang = None, as_of: AsOf = None
) -> Response:
    """Draw the process of a case, with the stage marked in which it stands."""
    house = _house(request)
    day = None if as_of is None else day_of(request, as_of)
    stood = house.casework.stood(id, day)
    return drawn(request, stood.process, as_, lang, stood.stage, stood.held, stood.passed)


@router.get(
    "/v1/ledger",
    operation_id="ledger",
    summary="Show the books",
    response_class=Response,
    responses=examples.LEDGER,
)
def ledger(
    request: Request,
    workspace: Annotated[str, Query(max_length=500)] = WORKSPACE,
    process: Annotated[
        str | None, Query(max_length=100, description="the process that sets the cap")
    ] = None,
    as_of: Annotated[
        str | None,
        Query(
            description="the day whose cap holds; else today", json_schema_extra={"format": "date"}
        ),
    ] = None,
) -> Response:
    """Show the book of every customer or group of a workspace: what counts, and what remains."""
    house = _house(request)
    found = None if process is None else process_named(house, process)
    rows = house.casework.ledger(workspace, found, day_of(request, as_of))
    return answer({"workspace": workspace, "process": process, "books": rows})


# --- shared with the routes of processes ---


def process_named(house: House, id: str) -> Process:
    """A process by its id in an address. Raises `OrderRejected`."""
    known = house.service.rulebook().processes
    if id not in known:
        raise OrderRejected([missing_in("process", id, known)])
    return known[id]


def drawn(
    request: Request,
    process: Process,
    kind: str,
    lang: Literal["en", "zh"] | None,
    at: str | None = None,
    held: bool = False,
    passed: tuple[str, ...] = (),
) -> Response:
    """A process as a picture, or as text from which other programs draw one."""
    lang = lang or language(request)
    if kind == "svg":
        text = drawing.svg(process, lang, at, held, passed=passed)
        return Response(text, media_type="image/svg+xml")
    draw = drawing.dot if kind == "dot" else drawing.mermaid
    return Response(draw(process, lang, at), media_type="text/plain")


# --- what a request says ---


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def key_of(request: Request) -> str | None:
    """The key of a request that may be sent again. Raises `OrderRejected`."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        told = f"`Idempotency-Key` is not 1 to {LONGEST_KEY} printable characters of ASCII"
        raise OrderRejected([fault("W101", told, "take a random one, such as a UUID")])
    return key


def _version(request: Request) -> int | None:
    """The version that the sender has seen; one that cannot be is no version of any case."""
    mark = request.headers.get("if-match", "").strip()
    if mark in ("", "*"):
        return None
    digits = mark.removeprefix('"').removesuffix('"')
    return int(digits) if re.fullmatch("[0-9]{1,9}", digits) else -1


# --- what an answer says ---


def _told(
    house: House, case: Any, known: bool, *, placed: bool = False, again: bool = False
) -> Response:
    """A case with its version; where it was there before, that is no 201."""
    if case["decision"] is not None:
        house.doubted(case["decision"])
    headers = {"ETag": f'"{case["version"]}"'}
    if placed:
        headers["Location"] = f"/v1/cases/{case['id']}"
    if again or (placed and known):
        headers |= _AGAIN
    return answer(case, 200 if known else 201, headers)
