"""Routes that tell about rule sets, facts and faults as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath

from api import describe
from api.app.answers import answer, fault, not_there, written
from api.app.house import House
from engine import __version__
from engine.diagnostics import Diagnostic, OrderRejected, nearest, shown
from engine.fault_code import FaultCode
from engine.fault_codes import CODES
from engine.load import Rulebook
from engine.schema import order_schema
from engine.values import Misfit, Type, read

router = APIRouter(tags=["rules"])

_Id = Annotated[str, InPath(max_length=200, description="The id that the list names.")]
_AsOf = Annotated[
    str | None,
    Query(
        description="the day whose parameter values are told, US Eastern; else today",
        json_schema_extra={"format": "date"},
    ),
]


def _told(meaning: str, example: Any) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of the answers of a route."""
    good = {"description": meaning, "content": {"application/json": {"example": example}}}
    return {200: good, 304: {"description": "unchanged since the `ETag` in `If-None-Match`"}}


def _lacking(what: str, code: str = "W105") -> dict[int | str, dict[str, Any]]:
    example = {"type": f"/v1/faults/{code}", "title": CODES[code].title}
    content = {"application/problem+json": {"example": example}}
    return {404 if code == "W105" else 400: {"description": what, "content": content}}


_PAIR = {"en": "Cap per customer", "zh": "单一客户累计数量上限"}
_UNREADABLE = _lacking("a part of the request cannot be read", "W101")
_NO_REGIME = {**_lacking("no rule set has this id"), **_UNREADABLE}
_SHORT = {"id": "h200-article", "read_to": "2026-03-14", "rule_count": 9}


@router.get(
    "/v1/regimes",
    name="regimes",
    operation_id="regimes",
    summary="Every rule set in short",
    response_class=Response,
    responses=_told("the rule sets", {"regimes": [_SHORT]}),
)
def regimes(request: Request) -> Response:
    """List the rule sets: title, summary, dates, outcomes, how many rules of which kind."""
    return whole(request, {"regimes": describe.regimes(_book(request))})


@router.get(
    "/v1/regimes/{id}",
    operation_id="regime",
    summary="A rule set, whole",
    response_class=Response,
    responses={
        **_told("the rule set", {**_SHORT, "rules": [{"id": "customer-cap", "title": _PAIR}]}),
        **_NO_REGIME,
    },
)
def regime(request: Request, id: _Id, as_of: _AsOf = None) -> Response:
    """Tell a rule set: rules, conditions in words and code, parameters by date, sources."""
    book = _with(request, id)
    day = day_of(request, as_of)
    tag = _tag(book.editions[id], str(day), __version__)
    return _unchanged(request, tag) or _tagged(describe.regime(book, id, day), tag)


@router.get(
    "/v1/regimes/{id}/schema",
    operation_id="order_schema",
    summary="JSON Schema of an order",
    response_class=Response,
    responses={**_told("JSON Schema 2020-12", {"type": "object"}), **_NO_REGIME},
)
def schema(request: Request, id: _Id) -> Response:
    """Describe an order for a rule set as JSON Schema, for forms and clients."""
    book = _with(request, id)
    tag = _tag(book.editions[id], "schema", __version__)
    return _unchanged(request, tag) or _tagged(order_schema(book, book.regimes[id]), tag)


@router.get(
    "/v1/vocabulary",
    operation_id="vocabulary",
    summary="What can be said of an order",
    response_class=Response,
    responses=_told("facts, groups, units, code lists", {"facts": [{"path": "order.quantity"}]}),
)
def vocabulary(request: Request) -> Response:
    """List every fact with its type and label, and every code list."""
    return whole(request, describe.vocabulary(_book(request)))


@router.get(
    "/v1/faults",
    operation_id="faults",
    summary="Every kind of fault",
    response_class=Response,
    responses=_told("the faults by code", {"faults": [{"code": "O204", "title": "unknown code"}]}),
)
def faults(request: Request) -> Response:
    """List the codes of all faults: what each means and how it is mended."""
    return whole(request, {"faults": [_fault(code, told) for code, told in CODES.items()]})


@router.get(
    "/v1/faults/{code}",
    operation_id="fault",
    summary="One kind of fault",
    response_class=Response,
    responses={
        **_told("the fault", {"code": "O204", "title": "unknown code"}),
        **_lacking("no fault has this code"),
        **_UNREADABLE,
    },
)
def one_fault(request: Request, code: _Id) -> Response:
    """Tell what a fault code means and how the fault is mended."""
    known = CODES.get(code.upper())
    if known is None:
        raise OrderRejected([missing_in("fault", code, CODES)])
    return whole(request, _fault(code.upper(), known))


def day_of(request: Request, text: str | None) -> int:
    """The day number asked for as `as_of`, else today. Raises `OrderRejected`."""
    if text is None:
        house: House = request.app.state.house
        return house.today()
    day = read(text, Type("date"))
    if isinstance(day, int):
        return day
    told = day.message if isinstance(day, Misfit) else "is no date"
    raise OrderRejected([fault("W101", f"`as_of`: {shown(text)} {told}", "write YYYY-MM-DD")])


def _book(request: Request) -> Rulebook:
    house: House = request.app.state.house
    return house.service.rulebook()


def _fault(code: str, told: FaultCode) -> dict[str, str]:
    return {
        "code": code,
        "title": told.title,
        "meaning": told.meaning,
        "mend": told.mend,
        "zh": told.zh,
    }


def _with(request: Request, id: str) -> Rulebook:
    """The rulebook, when it has this regime. Raises `OrderRejected`."""
    book = _book(request)
    if id not in book.regimes:
        raise OrderRejected([missing_in("rule set", id, book.regimes)])
    return book


def missing_in(what: str, id: str, known: Iterable[str]) -> Diagnostic:
    """The fault of a name in an address, with what there is."""
    names = list(known)
    some = f"known: {', '.join(names[:20])}" + (", …" if len(names) > 20 else "")
    return not_there(what, id, nearest(id, names) or some)


# --- answers that are sent once and then only when they change ---


def whole(request: Request, data: Any) -> Response:
    """An answer that is sent once, and again only where what it says has changed."""
    body = written(data)
    tag = _tag(hashlib.sha256(body).hexdigest())
    return _unchanged(request, tag) or _tagged(body, tag)


def _tag(*parts: str) -> str:
    return f'"{".".join(parts)}"'


def _tagged(data: Any, tag: str) -> Response:
    return answer(data, headers={"ETag": tag, "Cache-Control": "no-cache"})


def _unchanged(request: Request, tag: str) -> Response | None:
    """The empty answer to a caller who has this version already."""
    asked = request.headers.get("if-none-match", "")
    held = {part.strip().removeprefix("W/") for part in asked.split(",")}
    if tag in held or "*" in held:
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-cache"})
    return None
