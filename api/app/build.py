"""Put the service together: routes, pages, guard, store and workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.app import (
    case_page,
    case_stories,
    cases,
    cases_page,
    decide_page,
    deciding,
    entry,
    examples,
    health,
    process_page,
    processes,
    rules,
    rules_page,
    scenarios,
    scenarios_page,
    sweeping,
    whatif_page,
)
from api.app.faults import tell_faults
from api.app.guard import Guard
from api.app.house import House
from api.app.metrics import Metrics
from api.app.pages import STATIC
from api.app.sessions import Sessions
from api.settings import Serving, Settings
from engine import __version__

_ROUTES = (
    *(deciding, sweeping, rules, processes, scenarios, cases, health),
    *(decide_page, whatif_page, scenarios_page, cases_page, case_stories, case_page),
    *(process_page, rules_page, entry),
)


def make(chosen: Settings, serving: Serving) -> FastAPI:
    """The service over a folder of rules; it opens its store and starts its workers when served."""
    house = House(chosen, serving, Metrics(), Sessions())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        house.open()
        try:
            yield
        finally:
            house.close()

    app = FastAPI(
        title="placet",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # Nothing of a request goes to whoever collects telemetry of this machine.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.house = house
    tell_faults(app)
    for part in _ROUTES:
        app.include_router(part.router)
    app.mount("/static", _Static(directory=STATIC))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    app.add_middleware(Guard, serving=serving, sessions=house.sessions, metrics=house.metrics)
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: routes from FastAPI, orders from the rules."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=_ABOUT, routes=app.routes
        )
        app.openapi_schema = examples.complete(made, app.state.house.service.rulebook())
    return app.openapi_schema


_ABOUT = """Hypothetical orders decided under export-control rules, with reasons in English and
Chinese. Decision support, not legal advice; a decision is no licence. Where the service asks for
keys, send `Authorization: Bearer KEY`. Faults are problem documents (RFC 9457) whose diagnostics
are those of the command line; `type` leads to an explanation."""


class _Static(StaticFiles):
    """Files whose address changes with their content: kept by the browser for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Give a file."""
        found = await super().get_response(path, scope)
        if b"v=" in scope["query_string"]:
            found.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return found
