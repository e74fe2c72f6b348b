"""Read what a request brings: its kind, its JSON with places, a scenario as JSON or YAML."""

from __future__ import annotations

import json

from fastapi import Request

from api.app.answers import fault
from engine.data import Unplaced, read_data
from engine.diagnostics import Diagnostic, OrderRejected, Source, Span, shown
from engine.order import Document, document
from engine.source import read_text

JSON = "application/json"
YAML = ("application/yaml", "application/x-yaml", "text/yaml")
NDJSON = ("application/x-ndjson", "application/jsonl")


def kind_of(request: Request, *kinds: str) -> str:
    """The content type of a body. Raises `OrderRejected` if it is none of those read here."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given in kinds:
        return given
    if given.endswith("+json") and JSON in kinds:
        return JSON
    told = f"{shown(given)} is not read here" if given else "the body has no content type"
    raise OrderRejected([fault("W111", told, f"send it as {' or '.join(kinds)}")])


def read_json(body: bytes, name: str = "request") -> Document:
    """Read JSON, and nothing else. Raises `OrderRejected` with every fault and its place."""
    try:
        return Document(read_data(body), Unplaced(body, name), Source(name))
    except ValueError:
        return _read_slowly(body, name)


def _read_slowly(body: bytes, name: str) -> Document:
    """Read what the quick reader would not, which is faulty or only doubtful."""
    try:
        json.loads(body, parse_int=str, parse_float=str, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        if body.strip():
            source = Source(name, tuple(error.doc.split("\n")))
            place = Span(source, error.lineno, error.colno, error.lineno, error.colno + 1)
            help = "check quotes, commas and brackets near this place"
            raise _malformed(place, error.msg, help) from None
    except OrderRejected:
        raise
    except (ValueError, RecursionError):
        pass  # not UTF-8, or too deep: the reader has the words for it
    try:
        return document(read_text(body, name, "O"), name)
    except OrderRejected as error:
        if error.diagnostics[0].code != "O004":
            raise
        # JSON's grammar has it, Unicode has not.
        help = "write both halves of the character, or the character itself"
        told = "a lone surrogate is half a character"
        raise _malformed(error.diagnostics[0].span, told, help) from None


def _no_number(word: str) -> str:
    raise _malformed(Span(Source("request")), f"{word} is no number of JSON", "null is unknown")


def _malformed(place: Span, told: str, help: str) -> OrderRejected:
    return OrderRejected([Diagnostic("O004", place, f"is not well-formed JSON: {told}", help)])


async def body_of(request: Request) -> Document:
    """The JSON body of a request."""
    kind_of(request, JSON)
    return read_json(await request.body())


async def scenario_of(request: Request) -> Document:
    """The body of a request as JSON or YAML."""
    kind = kind_of(request, JSON, *YAML)
    body = await request.body()
    return (
        read_json(body) if kind == JSON else document(read_text(body, "request", "O"), "request")
    )
