"""Every way in which a request can fail, told as a problem document, or as a page to a browser."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount

from api.app.answers import fault, in_chinese, problem
from api.casefile import TooLong
from api.casework import NotSent
from api.store import Changed, Full, NotThere, StoreError
from api.worker import NoneFree, TookTooLong, TookTooMuch, WorkerLost, WorkFailed, place_of
from engine.diagnostics import Diagnostic, PlacetError, shown
from engine.ir import Pair

_PAGES = {
    "W105": Pair("Nothing is here", "此处没有内容"),
    "W116": Pair("This took too long", "处理超时"),
    "W117": Pair("The service is busy", "服务繁忙"),
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
_SOMETHING = Pair("This did not work", "未能完成")


def tell_faults(app: FastAPI) -> None:
    """Let the service tell every fault in its own way."""
    app.add_exception_handler(PlacetError, _rejected)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    for kind in (TookTooLong, TookTooMuch, NoneFree, WorkerLost):
        app.add_exception_handler(kind, _worker)


def _tell(
    request: Request, *diagnostics: Diagnostic, headers: dict[str, str] | None = None
) -> Response:
    path = request.url.path
    if path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
        return problem(request.scope, diagnostics, headers)
    from api.app.pages import page, page_lang

    answer = problem(request.scope, diagnostics, headers)
    code = diagnostics[0].code
    heading = _PAGES.get(code, _SOMETHING)
    lang = page_lang(request)
    return page(
        request,
        "error.html",
        answer.status_code,
        heading=heading,
        told=[
            in_chinese(request.scope, d).replace("`", "") if lang == "zh" and d.zh else d.message
            for d in diagnostics
        ],
        links=[("/", Pair("Decide", "判定")), ("/rules", Pair("Rules", "规则"))],
    )


async def _rejected(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlacetError)
    if isinstance(error, NotSent):
        headers = {"ETag": f'"{error.case["version"]}"'}
        return problem(request.scope, error.diagnostics, headers, case=error.case)
    return _tell(request, *error.diagnostics)


async def _store(request: Request, error: Exception) -> Response:
    if isinstance(error, NotThere):
        lists = "/v1/cases" if request.url.path.startswith("/v1/cases") else "/v1/scenarios"
        return _tell(request, fault("W105", str(error), f"`{lists}` lists what there is"))
    if isinstance(error, Changed):
        help = "read it again, put your change into it, and send its `ETag`"
        message = f"the draft was changed since you read it; {error}"
        return _tell(request, fault("W109", message, help), headers={"ETag": f'"{error.version}"'})
    if isinstance(error, Full):
        return _tell(request, fault("W118", str(error)))
    if isinstance(error, TooLong):
        return _tell(request, fault("W101", str(error), "shorten it"))
    structlog.get_logger("placet").error("store failed", told=str(error))
    return _tell(
        request,
        fault("W117", "the database does not answer; nothing was written", "try again"),
        headers={"Retry-After": "5"},
    )


async def _worker(request: Request, error: Exception) -> Response:
    structlog.get_logger("placet").warning(
        "work not done", id=request.scope.get("placet.request"), kind=type(error).__name__
    )
    if isinstance(error, TookTooLong):
        help = "ask for less at once: fewer cells, a smaller draft of rules"
        return _tell(request, fault("W116", "the work was stopped when its time was over", help))
    if isinstance(error, TookTooMuch):
        return _tell(
            request, fault("W116", "the work would take more memory than it may", "ask for less")
        )
    told = "everything that could do this is busy"
    if isinstance(error, WorkerLost):
        told = "what did this was ended from outside; nothing was decided"
    busy = fault("W117", told, "try again after a moment")
    return _tell(request, busy, headers={"Retry-After": "2"})


async def _invalid(request: Request, error: Exception) -> Response:
    """A parameter of the address or a header that is not what it should be."""
    assert isinstance(error, RequestValidationError)
    found = []
    for one in error.errors():
        where = [str(step) for step in one.get("loc", ())]
        name = where[-1] if where else "request"
        found.append(fault("W101", f"{shown(name)}: {one.get('msg', 'does not fit')}"))
    return _tell(request, *(found or [fault("W101", "the request does not fit")]))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if error.status_code == 404:
        return _tell(request, fault("W105", "there is nothing at this address"))
    if error.status_code == 405:
        told = f"{request.method} is not possible here"
        return _tell(request, fault("W106", told), headers={"Allow": _allowed(request)})
    if error.status_code == 413:
        return _tell(request, fault("W110", "the body is too large", "send less at once"))
    return _tell(request, fault("W101", f"the request cannot be read ({error.status_code})"))


async def _gone(request: Request, error: Exception) -> Response:
    """Who asked is gone before the request was whole; nobody reads this."""
    return Response(status_code=499)


def _allowed(request: Request) -> str:
    """Every method that an address takes: each route knows only its own."""
    scope = {**request.scope, "root_path": request.scope.get("app_root_path", "")}
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    found = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    # Where no route is, there are files; and what GET gives, HEAD gives the head of.
    if not found or "GET" in found:
        found = ["GET", "HEAD", *(method for method in found if method not in ("GET", "HEAD"))]
    return ", ".join(found)


async def broken(request: Request, error: Exception) -> Response:
    """A fault of ours: told without what caused it, logged without what the request said."""
    structlog.get_logger("placet").error(
        "request failed",
        id=request.scope.get("placet.request"),
        at=str(error) if isinstance(error, WorkFailed) else place_of(error),
    )
    return _tell(request, fault("W115", "the service failed; nothing was decided or changed"))
