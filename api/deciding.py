"""What `placet decide` does with its inputs: read each in order, decide it, write the answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import typer

from api.service import (
    LONGEST_LINE,
    Asked,
    Service,
    lines_of,
    opens_ndjson,
    read_lines,
    read_one,
    rejection,
)
from api.settings import disagreements
from engine.concord import Evaluator, rules_apart
from engine.decide import Decision
from engine.diagnostics import (
    BackendFailure,
    Diagnostic,
    OrderRejected,
    PlacetError,
    Source,
    Span,
    as_text,
    visible,
)
from engine.order import Document
from engine.source import MAX_BYTES, unreadable
from engine.words import Lang

MAX_BLANKS = 1_000
"""Blank lines on standard input after which more documents are taken to follow."""


class Format(StrEnum):
    """How decisions are written."""

    text = "text"
    json = "json"
    ndjson = "ndjson"


@dataclass(frozen=True, slots=True)
class How:
    """By what inputs are decided, and how their decisions are written."""

    evaluator: Evaluator
    format: Format
    langs: tuple[Lang, ...]
    verbose: bool
    fill: Callable[[Document], Document] = lambda document: document
    """What the ledger fills in, where a workspace is named."""


def decide_all(service: Service, files: list[str], asked: Asked, how: How) -> int:
    """Decide every input in order, print each answer, and give the exit code."""
    answers: list[dict[str, Any]] = []
    code = 0
    console = None
    many = len(files) > 1
    for position, (name, document) in enumerate(_documents(files)):
        try:
            if isinstance(document, OrderRejected):
                raise document
            answer = service.decide(how.fill(document), asked, how.evaluator)
            if answer["diagnostics"]:
                code = 3
                _tell_of_evaluators(service, answer)
        except PlacetError as error:
            code = max(code, code_of(error))
            answer = rejection(name, error.diagnostics)
            typer.echo(as_text(error.diagnostics), err=True)
            if how.format is Format.text:
                continue
        if how.format is Format.ndjson:
            typer.echo(json.dumps(answer, ensure_ascii=False, separators=(",", ":")))
        elif how.format is Format.json:
            answers.append(answer)
        else:
            from api import render
            from api.prose import terminal

            console = console or terminal()
            if position:
                console.print()
            if many:
                console.print(visible(name), style="bold", highlight=False)
            render.print_decision(console, answer, how.langs, how.verbose)
    if how.format is Format.json and answers:
        shown: Any = answers if many or len(answers) > 1 else answers[0]
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    return code


@contextmanager
def judging(service: Service, evaluator: Evaluator) -> Iterator[Service]:
    """The service with its live evaluator, a process that is started only where it is asked."""
    if evaluator == "reference":
        yield service
        return
    from api.fence import Fence

    fence = Fence(service.rulebook())
    try:
        service.live = fence
        yield service
    finally:
        fence.close()


@contextmanager
def filling(
    service: Service, workspace: str | None, today: int
) -> Iterator[Callable[[Document], Document]]:
    """What fills in the chips to date from the ledger of a workspace. Raises `OrderRejected`."""
    if workspace is None:
        yield lambda document: document
        return
    # Only who names a workspace needs the store.
    from api.casebook import Cases
    from api.settings import serving
    from api.store import Store, StoreError
    from api.to_date import filled

    try:
        store = Store.open(serving().store)
    except (StoreError, ValueError) as error:
        place = Span(Source("PLACET_STORE"))
        help = "name a database that can be opened"
        fault = Diagnostic("O001", place, f"the ledger cannot be read: {error}", help)
        raise OrderRejected([fault]) from None
    vocabulary = service.rulebook().vocabulary

    def fill(document: Document) -> Document:
        data = document.data
        if not isinstance(data, dict) or "facts" not in data:
            return document
        asked = Document(
            {**data, "workspace": workspace}, document.node, document.source, document.base
        )
        return filled(Cases(store), vocabulary, asked, today)

    try:
        yield fill
    finally:
        store.close()


def code_of(error: PlacetError) -> int:
    """The exit code of a rejection, or of a back end that failed."""
    return 3 if isinstance(error, BackendFailure) else 1


def _tell_of_evaluators(service: Service, decision: Decision) -> None:
    """Say where evaluators disagree or one could not be asked; keep the order of a disagreement."""
    for told in decision["diagnostics"]:
        typer.echo(
            f"{told['file']}: {told['severity']} {told['code']}: {told['message']}", err=True
        )
    folder = disagreements()
    if folder is not None and rules_apart(decision["diagnostics"]) is not None:
        from api.disagreements import keep

        try:
            keep(folder, service.rulebook().vocabulary, decision)
        except OSError as error:
            typer.echo(f"PLACET_DISAGREEMENTS: {error.strerror}", err=True)


def _documents(files: Iterable[str]) -> Iterator[tuple[str, Document | OrderRejected]]:
    """Every input in order, line by line where it is NDJSON; a bad one keeps its place."""
    for name in files:
        if name == "-":
            yield from _in_stream(sys.stdin.buffer, name)
            continue
        try:
            # Opened once: what is named may be a pipe.
            with Path(name).open("rb") as stream:
                yield from _in_stream(stream, name)
        except OSError as error:
            rejected = unreadable(error, name, "O")
            assert isinstance(rejected, OrderRejected)
            yield name, rejected


def _in_stream(stream: BinaryIO, name: str) -> Iterator[tuple[str, Document | OrderRejected]]:
    first = stream.readline(LONGEST_LINE)
    cut = len(first) == LONGEST_LINE and not first.endswith(b"\n")
    if not (opens_ndjson(first, name) or (cut and name == "-" and first.startswith(b"{"))):
        yield name, read_one(first + stream.read(MAX_BYTES + 1), name)
        return
    # On standard input one document may follow its first line; only a second one makes lines.
    lines = lines_of(stream, first)
    ahead = [next(lines, b"")]
    if not first:
        yield name, read_one(b"", name)
    while name == "-" and len(ahead) < MAX_BLANKS:
        more = next(lines, None)
        if more is None:
            yield name, read_one(b"\n".join(ahead), name)
            return
        ahead.append(more)
        if more.strip():
            break
    for document in read_lines(chain(ahead, lines), name):
        yield name, document
