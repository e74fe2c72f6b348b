"""Routes that decide: one order, several rule sets, a stream of orders; and the check of drafts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from api import tasks
from api.app import examples
from api.app.answers import answer, fault, written
from api.app.house import House
from api.app.reading import JSON, NDJSON, body_of, kind_of, read_json
from api.service import LONGEST_LINE, Asked, rejection
from api.worker import Task
from engine.diagnostics import Diagnostic, OrderRejected, PlacetError
from engine.order import Document

router = APIRouter(tags=["decide"])
MAX_REGIMES = 20
_BATCH = 262_144
"""Bytes of answers that are sent at once."""


@router.post(
    "/v1/decide",
    operation_id="decide",
    summary="Decide one order",
    response_class=Response,
    openapi_extra=examples.DECIDE,
    responses=examples.DECIDED,
)
async def decide(request: Request) -> Response:
    """Decide one order under one rule set, or under several (`regimes`)."""
    house: House = request.app.state.house
    document = await body_of(request)
    if isinstance(document.data, dict) and "workspace" in document.data:
        document = await run_in_threadpool(house.filled, document)
    wanted = Wanted(document, house)
    if wanted.draft is not None:
        # What a client brings along never goes to the live evaluator.
        found = await aside(house, tasks.decide_draft, wanted.draft, wanted.orders, wanted.asked)
        house.decided(found)
        return answer(wanted.reply([house.service.written(one) for one in found]))
    return answer(await _in_turn(house, _decided, house, wanted))


@router.post(
    "/v1/check",
    operation_id="check",
    summary="Check a draft of rules",
    response_class=Response,
    openapi_extra=examples.CHECK,
    responses=examples.CHECKED,
)
async def check(request: Request) -> Response:
    """Check a draft of rules: is it sound, and if not, what is wrong and where."""
    house: House = request.app.state.house
    document = await body_of(request)
    found = await aside(house, tasks.check, document)
    sound = all(d.severity != "error" for d in found)
    return answer({"sound": sound, "diagnostics": [d.as_json() for d in found]})


@router.post(
    "/v1/decide/stream",
    operation_id="decide_stream",
    summary="Decide many orders, line by line",
    response_class=Response,
    openapi_extra=examples.STREAM,
    responses=examples.STREAMED,
)
async def stream(request: Request) -> Response:
    """Decide orders line by line (NDJSON): one answer per line, in order, as they come."""
    kind_of(request, *NDJSON, JSON)
    house: House = request.app.state.house
    return _Lines(_answers(house, request))


class _Lines(Response):
    """A body that is sent while the request's own is still read; nobody else reads that."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        super().__init__(media_type="application/x-ndjson")
        del self.headers["content-length"]
        self.pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send piece by piece."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _answers(house: House, request: Request) -> AsyncIterator[bytes]:
    ready: list[bytes] = []
    size = 0
    number = 0
    last = time.monotonic()
    try:
        async for lines in _lines(request, house.serving.seconds):
            for line in lines:
                number += 1
                if not line.strip():
                    continue
                made = await _in_turn(house, _one, house, line, f"line {number}")
                ready += (made, b"\n")
                size += len(ready[-2])
                if size >= _BATCH or time.monotonic() - last > 0.02:
                    yield b"".join(ready)
                    ready, size = [], 0
                    # Others have their turn while a long stream is decided.
                    await asyncio.sleep(0)
                    last = time.monotonic()
            # Who waits for an answer before the next line gets it.
            if ready:
                yield b"".join(ready)
                ready, size = [], 0
    except TimeoutError:
        late = fault("W107", "no line came in time; the stream ends here", "send the rest again")
        yield written(rejection(f"line {number + 1}", [late])) + b"\n"
    except ClientDisconnect:
        return


async def _lines(request: Request, seconds: float) -> AsyncIterator[list[bytes]]:
    """The lines of a body as they come; of one that is too long only its beginning is kept."""
    held = b""
    skipping = False
    chunks = request.stream()
    now = asyncio.get_running_loop().time
    end = now() + seconds
    while True:
        async with asyncio.timeout_at(end):
            chunk = await anext(chunks, None)
        if chunk is None:
            break
        *lines, rest = (held + chunk).split(b"\n")
        if skipping and lines:
            del lines[0]
            skipping = False
        held = b"" if skipping else rest
        if len(held) > LONGEST_LINE:
            lines.append(held)
            held, skipping = b"", True
        yield lines
        if lines or not (held or skipping):
            end = now() + seconds
    if held:
        yield [held]


def _one(house: House, line: bytes, name: str) -> bytes:
    """The answer to one line; whatever is wrong with it stays on its own line."""
    try:
        wanted = Wanted(house.filled(read_json(line, name)), house)
        if wanted.draft is not None:
            told = fault("W119", "a draft of rules comes with a single call", "use `/v1/decide`")
            raise OrderRejected([told])
        return _decided(house, wanted)
    except PlacetError as error:
        return written(rejection(name, error.diagnostics))
    except Exception as error:
        structlog.get_logger("placet").error("line failed", kind=type(error).__name__)
        broken = fault("W115", "the service failed on this line; nothing was decided", "")
        return written(rejection(name, [broken]))


async def _in_turn(house: House, work: Callable[..., bytes], *args: Any) -> bytes:
    """Decide here, or in a thread where another process is asked, for which others do not wait."""
    if not house.asks_live:
        return work(*args)
    return await house.in_line(work, *args)


def _decided(house: House, wanted: Wanted) -> bytes:
    """The answer to a request without a draft of rules."""
    found = [house.decide(order, wanted.asked) for order in wanted.orders]
    house.decided(found)
    return wanted.reply([house.service.written(one) for one in found])


class Wanted:
    """What a request wants decided: the order once per rule set, and what is asked beyond it."""

    def __init__(self, document: Document, house: House) -> None:
        data, today = document.data, house.today()
        self.several = isinstance(data, dict) and "regimes" in data
        self.draft: Document | None = None
        self.asked = Asked(today)
        self.orders = [document]
        if not isinstance(data, dict) or not data.keys() & _EXTRAS:
            return
        faults: list[Diagnostic] = []
        plain = {name: value for name, value in data.items() if name not in _EXTRAS}
        if data.get("draft") is not None:
            self.draft = document.part("draft")
        only = tasks.words(document, "only", faults)
        self.asked = Asked(today, only=only, only_in=document)
        regimes = tasks.words(document, "regimes", faults)
        if self.several and not 0 < len(regimes) <= MAX_REGIMES:
            message = f"`regimes` lists 1 to {MAX_REGIMES} rule sets"
            faults.append(Diagnostic("W101", document.at("regimes"), message, "name them by id"))
        if self.several and "regime" in data:
            message = "`regime` and `regimes` are both given"
            faults.append(Diagnostic("W101", document.name_at("regimes"), message, "keep one"))
        for number, id in enumerate(regimes if self.draft is None and not faults else ()):
            try:
                house.service.regime(id, document.at("regimes", number))
            except OrderRejected as error:
                faults += error.diagnostics
        if faults:
            raise OrderRejected(faults)
        self.orders = [_with(document, {**plain, "regime": id}) for id in regimes]
        if not self.several:
            self.orders = [_with(document, plain)]

    def reply(self, found: list[bytes]) -> bytes:
        """The decision, or the decisions in the order in which their rule sets were named."""
        if not self.several:
            return found[0]
        return b'{"schema":"placet.decisions/1","decisions":[' + b",".join(found) + b"]}"


_EXTRAS = {"regimes", "only", "draft"}


def _with(document: Document, data: dict[str, Any]) -> Document:
    return Document(data, document.node, document.source, document.base)


async def aside(house: House, task: Task, *args: Any) -> Any:
    """Do work in a child process, within the time of a request."""
    return await run_in_threadpool(house.aside, task, *args)
