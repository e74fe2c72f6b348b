"""Answers as JSON and as problem documents (RFC 9457), in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import Request, Response

from engine.diagnostics import Diagnostic, Source, Span, shown
from engine.fault_codes import CODES
from engine.words import Lang

_STATUS = {
    "B001": 503,
    "B002": 503,
    "O001": 400,
    "O002": 413,
    "O003": 400,
    "O004": 400,
    "O005": 400,
    "O006": 400,
    "O301": 400,
    # The event, or the case, could be taken elsewhere or at another time.
    **dict.fromkeys(("O401", "O402", "O403", "O406", "O407", "O411", "O412", "O413"), 409),
    "B900": 503,
    "R002": 413,
    "W101": 400,
    "W102": 401,
    "W103": 403,
    "W104": 403,
    "W105": 404,
    "W106": 405,
    "W107": 408,
    "W108": 409,
    "W109": 412,
    "W110": 413,
    "W111": 415,
    "W112": 421,
    "W113": 428,
    "W114": 429,
    "W115": 500,
    "W116": 503,
    "W117": 503,
    "W118": 507,
    "W120": 409,
}
"""The HTTP status of a fault; any other fault is a well-formed request that says something wrong."""


def written(data: Any) -> bytes:
    """JSON bytes of an answer."""
    return orjson.dumps(data)


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON; bytes are taken as JSON that is written already."""
    body = data if isinstance(data, bytes) else written(data)
    return Response(body, status, headers, "application/json")


def fault(
    code: str, message: str, help: str = "", pointer: str = "", notes: Sequence[str] = ()
) -> Diagnostic:
    """A fault of a request, at a JSON pointer where it has one."""
    span = Span(Source("request"), pointer=pointer)
    return Diagnostic(code, span, message, help, tuple((note, None) for note in notes))


def problem(
    scope: Mapping[str, Any],
    diagnostics: Sequence[Diagnostic],
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem document: what is wrong, where, and what to do, for every fault at once.

    `more` are members of its own kind of problem.
    """
    first = diagnostics[0]
    lang: Lang = "zh" if first.zh and reader_lang(scope) == "zh" else "en"
    status = _STATUS.get(first.code, 422)
    title, detail = CODES[first.code].title, first.message
    if lang == "zh":
        title, detail = first.zh.partition("。")[0], in_chinese(scope, first)
    elif first.help:
        detail += f" ({first.help})"
    body = {
        "type": f"/v1/faults/{first.code}",
        "title": title,
        "status": status,
        "detail": detail,
        "diagnostics": [d.as_json() for d in diagnostics],
        **more,
    }
    return Response(
        written(body),
        status,
        {**(headers or {}), "Content-Language": lang, "Vary": "Accept-Language"},
        "application/problem+json",
    )


def in_chinese(scope: Mapping[str, Any], diagnostic: Diagnostic) -> str:
    """A fault in Chinese, after its place: the label of a fact, a pointer, or a line."""
    span = diagnostic.span
    head, _, rest = span.pointer.removeprefix("/").partition("/")
    fact = None
    if head == "facts":
        facts = scope["app"].state.house.service.rulebook().vocabulary.facts
        fact = facts.get(rest.replace("/", "."))
    place = fact.label.zh if fact else f"`{span.pointer}`" if span.pointer else ""
    if not place and span.source.lines:
        place = f"第{span.line}行"
    return f"{place}：{diagnostic.zh}" if place else diagnostic.zh


def not_there(what: str, id: str, known: str = "") -> Diagnostic:
    """The fault of a name in an address that names nothing."""
    return fault("W105", f"there is no {what} {shown(id)}", known)


def reader_lang(scope: Mapping[str, Any]) -> Lang:
    """Chinese where `Accept-Language` prefers it, else English."""
    asked = next((v for k, v in scope["headers"] if k == b"accept-language"), b"")[:200]
    best: tuple[int, Lang] = (0, "en")
    for part in asked.decode("latin-1").split(","):
        tag, _, quality = part.strip().lower().partition(";q=")
        lang: Lang | None = (
            "zh" if tag.startswith("zh") else "en" if tag.startswith(("en", "*")) else None
        )
        # Thousandths, so that no float is needed; the first of equals wins.
        digits = quality.strip().replace(".", "", 1)[:4].ljust(4, "0") if quality else "1000"
        if lang and digits.isascii() and digits.isdigit() and int(digits) > best[0]:
            best = (int(digits), lang)
    return best[1]


def language(request: Request) -> Lang:
    """The reader's language of a request."""
    return reader_lang(request.scope)
