"""What every request passes before a route sees it, and what every answer gets on its way out.

Host, origin, key and role, rate, time and size of the body; security headers; one line of log and
the metrics. Nothing of what a request says is logged.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app.answers import fault, problem
from api.app.faults import broken
from api.app.metrics import Metrics
from api.app.rates import Rates
from api.app.sessions import Sessions, Visitor, token_of
from api.keys import key_of
from api.settings import Serving
from engine.diagnostics import Diagnostic, shown

SECURITY = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        b"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_OPEN = ("/healthz", "/readyz", "/enter")
"""Addresses that need no key, as the files under /static/ do."""
_STREAM = "/v1/decide/stream"
"""Its body has no end; each of its lines has one."""
_GONE: Message = {"type": "http.disconnect"}
"""Whose body cannot be taken counts as gone: the route gives up, and what it says is not sent."""
_TOO_LARGE = fault("W110", "the body is too large", "send less at once")
_SAFE = ("GET", "HEAD", "OPTIONS")
_ONCE = (
    *(b"host", b"origin", b"sec-fetch-site", b"authorization", b"x-api-key", b"content-type"),
    *(b"if-match", b"idempotency-key"),
)
"""Headers of which two readers might each believe another one."""
_KEPT = ("/v1/scenarios", "/v1/cases", "/cases")
"""Where what a team keeps is changed."""
_LOOKS = ("/run", "/replay", "/cases/find", "/cases/list", "/cases/new")
"""The ends of addresses that are asked with POST and change nothing."""


_ANYBODY = Visitor("", "draft")


class Guard:
    """The outermost layer of the service."""

    def __init__(
        self, app: ASGIApp, serving: Serving, sessions: Sessions, metrics: Metrics
    ) -> None:
        self.app = app
        self.serving = serving
        self.sessions = sessions
        self.metrics = metrics
        self.rates = Rates(serving.rate)
        self.hosts = {host.lower() for host in serving.hosts}
        self.log = structlog.get_logger("placet")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        number = secrets.token_hex(8)
        status = 0
        method = scope["method"]
        if method == "HEAD":  # what GET gives; the server keeps the body to itself
            scope = {**scope, "method": "GET"}

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message["headers"])
                named = {name for name, _ in headers}
                headers += SECURITY
                headers.append((b"x-request-id", number.encode()))
                if b"cache-control" not in named:
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        scope["placet.request"] = number
        headers = dict(scope["headers"])
        refused = self._refused(scope, headers)
        try:
            if refused is not None:
                await refused(scope, receive, sending)
            elif scope["path"] == _STREAM:
                await self.app(scope, receive, sending)
            else:
                await self._measured(scope, receive, sending)
        except Exception as error:
            if status:
                raise
            # Here, so that this answer passes as every other does.
            await (await broken(Request(scope, receive), error))(scope, receive, sending)
        finally:
            taken = time.perf_counter() - begun
            route = getattr(scope.get("route"), "path", "-")
            self.metrics.request(method, route, status, taken)
            visitor = scope.get("placet.visitor")
            self.log.info(
                "request",
                id=number,
                method=method,
                route=route,
                status=status,
                ms=round(taken * 1000, 1),
                visitor=visitor.name or None if visitor else None,
            )

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The body has a limit in size and time; what a route does with it looks after itself."""
        end = asyncio.get_running_loop().time() + self.serving.seconds
        size = 0
        complete = started = False
        refused: Diagnostic | None = None

        async def receiving() -> Message:
            nonlocal size, complete, refused
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                refused = fault("W107", "the request did not arrive in time", "send it again")
                return _GONE
            size += len(message.get("body", b""))
            if size > self.serving.largest_body:
                refused = _TOO_LARGE
                return _GONE
            complete = not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            if started or refused is None:
                started = True
                await send(message)

        await self.app(scope, receiving, sending)
        if refused is not None and not started:
            await problem(scope, [refused], {"Connection": "close"})(scope, receive, send)

    def _refused(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Any:
        """The answer to a request that may not come in; otherwise it is known who comes."""
        told = (
            self._unclear(scope, headers)
            or self._wrong_host(headers)
            or self._other_site(scope, headers)
        )
        path, method = scope["path"], scope["method"]
        length = headers.get(b"content-length", b"")
        if told is None and path != _STREAM and length.isdigit():
            told = _TOO_LARGE if int(length) > self.serving.largest_body else None
        if told is not None:
            return problem(scope, [told])
        visitor = scope["placet.visitor"] = self._visitor(headers)
        if wait := self._wait(scope, visitor):
            told = fault("W114", f"more than {self.serving.rate} requests", f"wait {wait} s")
            return problem(scope, [told], {"Retry-After": str(wait)})
        if visitor is None:
            is_open = path in _OPEN or path.startswith("/static/")
            return None if is_open else self._no_key(scope, headers)
        writes = path.startswith(_KEPT) and method not in _SAFE
        looks = method == "POST" and path.endswith(_LOOKS)
        if writes and not looks and visitor.role != "draft":
            message = "this key may not change drafts or cases"
            return problem(scope, [fault("W103", message, "use one of role `draft`")])
        return None

    def _wait(self, scope: Scope, visitor: Visitor | None) -> int:
        """Seconds that a caller has to wait; what a request says of itself does not count."""
        if visitor is not None and visitor.name:
            return self.rates.wait(f"key {visitor.name}")
        client = scope.get("client")
        return self.rates.wait(_network(client[0]) if client else "-")

    def _no_key(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Any:
        told = fault("W102", "a key is needed", "send `Authorization: Bearer KEY`")
        answer = problem(scope, [told], {"WWW-Authenticate": 'Bearer realm="placet"'})
        if b"hx-request" in headers:
            answer.headers["HX-Redirect"] = "/enter"
        elif b"text/html" in headers.get(b"accept", b"") and scope["path"][:4] != "/v1/":
            return RedirectResponse(_door(scope), 303)
        return answer

    def _visitor(self, headers: Mapping[bytes, bytes]) -> Visitor | None:
        if not self.serving.keys:
            return _ANYBODY
        secret = headers.get(b"x-api-key", b"")
        bearer = headers.get(b"authorization", b"")
        if bearer[:7].lower() == b"bearer ":
            secret = bearer[7:].strip()
        if secret:
            key = key_of(self.serving.keys, secret)
            return None if key is None else Visitor(key.name, key.role)
        return self.sessions.of(token_of(headers))

    def _unclear(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Diagnostic | None:
        if b"host" not in headers and scope["http_version"] != "1.0":
            return fault("W101", "the header `Host` is missing")
        names = [name for name, _ in scope["headers"]]
        for name in _ONCE if len(names) > len(headers) else ():
            if names.count(name) > 1:
                return fault("W101", f"the header `{name.decode()}` is given twice")
        return None

    def _wrong_host(self, headers: Mapping[bytes, bytes]) -> Diagnostic | None:
        """A page of another site may point its own name at this machine; its requests end here."""
        if b"host" not in headers:  # no browser
            return None
        written = headers[b"host"].decode("latin-1").lower()
        name = written.rpartition(":")[0] if not written.endswith("]") else written
        host = (name or written).strip("[]")
        if host in self.hosts or host == "localhost" or _is_address(host):
            return None
        return fault("W112", f"unknown host {shown(host)}", "use the service's own address")

    def _other_site(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Diagnostic | None:
        if scope["method"] in _SAFE:
            return None
        origin = headers.get(b"origin")
        site = headers.get(b"sec-fetch-site", b"same-origin")
        own = headers.get(b"host", b"").lower()
        if site in (b"cross-site", b"same-site") or (
            origin is not None and origin.partition(b"://")[2] != own
        ):
            return fault("W104", "this request comes from a page of another site", "")
        return None


def _door(scope: Scope) -> str:
    """The door, and where it leads to afterwards; only what is looked at can be come back to."""
    query = scope["query_string"].decode("latin-1")
    wanted = quote(scope["path"]) + (f"?{query}" if query else "")
    return (
        "/enter" if scope["method"] != "GET" or wanted == "/" else f"/enter?next={quote(wanted)}"
    )


@lru_cache(1_000)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _network(peer: str) -> str:
    """Whose address it is: a host has 2**64 of them where it has one of IPv6."""
    if ":" not in peer or "." in peer:
        return peer
    return str(ipaddress.ip_network((peer.partition("%")[0], 64), strict=False))
