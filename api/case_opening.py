"""Read what a case is opened with: its process, its order, where it is kept, what is carried along."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from api.casefile import LONGEST_WORKSPACE
from api.store import LONGEST_PAGE
from engine.case import place_of, read_case_order
from engine.diagnostics import Diagnostic, OrderRejected, Span, nearest, shown
from engine.findings import iso
from engine.load import Rulebook
from engine.order import Document, Order, read_basis, read_day
from engine.process import Process
from engine.values import MAX_TEXT, Misfit, Type, read

WORKSPACE = "default"
"""The books in which a case is kept that names no others."""
NAMES = ("process", "workspace", "title", "opened_on", "facts", "basis", "story")
_FORK = ("version", "title")
_TEXTS = ("workspace", "customer", "group", "process", "stage", "title")
_PAGE = 50
LONGEST_PLACE = 100
"""Characters of a place in a list."""
_NUMBER = Type("integer", lo=0, hi=9_999)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a case is opened with, read and checked."""

    process: Process
    workspace: str
    title: str
    opened_on: int
    is_dated: bool
    """Whether the day was said, or is today."""
    order: Order
    carried: dict[str, Any]
    """The basis of the facts, and a story: kept and told, never judged."""


def read_opening(book: Rulebook, document: Document, today: int) -> Opening:
    """Read what a case is opened with. Raises `OrderRejected` with every fault."""
    data = document.data
    if not isinstance(data, dict) or "facts" not in data:
        help = 'write `{"process": …, "facts": {…}}`'
        raise OrderRejected([Diagnostic("O302", document.at(), "no case is opened", help)])
    faults = _unknown(document, NAMES)
    workspace = _text(document, "workspace", LONGEST_WORKSPACE, faults) or WORKSPACE
    title = _text(document, "title", MAX_TEXT, faults)
    day = read_day(document, "opened_on", faults)
    opened_on = today if day is None else day
    carried: dict[str, Any] = {
        "basis": read_basis(document, book.vocabulary, faults),
        "story": _text(document, "story", MAX_TEXT, faults),
    }
    try:
        process = _process(book, document)
        order = read_case_order(process, book.vocabulary, document.part("facts"))
    except OrderRejected as error:
        raise OrderRejected([*faults, *error.diagnostics]) from None
    if not process.in_force.holds(opened_on):
        told = f"`{process.id}` is not in force on {iso(opened_on)}"
        help = f"it is in force from {iso(process.in_force.start)}"
        place = document.at() if day is None else document.at("opened_on")
        faults.append(Diagnostic("O410", place, told, help))
    if faults:
        raise OrderRejected(faults)
    carried = {name: said for name, said in carried.items() if said}
    return Opening(process, workspace, title, opened_on, day is not None, order, carried)


def read_fork(document: Document) -> tuple[int, str]:
    """After which event a fork begins, and its title. Raises `OrderRejected` with every fault."""
    if not isinstance(document.data, dict):
        told = Diagnostic("W101", document.at(), "no fork is asked for", 'write `{"version": 3}`')
        raise OrderRejected([told])
    faults = _unknown(document, _FORK)
    title = _text(document, "title", MAX_TEXT, faults)
    written = document.data.get("version")
    version = None if written is None else read(written, _NUMBER)
    if isinstance(version, Misfit):
        told_of = f"`version`: {shown(written)} {version.message}"
        fault = Diagnostic(f"O{version.code}", document.at("version"), told_of, version.help)
        raise OrderRejected([*faults, fault])
    if not isinstance(version, int):
        help = "write the number of the event after which it begins; 0 is the opening"
        faults.append(Diagnostic("W101", document.at(), "`version` is missing", help))
        raise OrderRejected(faults)
    if faults:
        raise OrderRejected(faults)
    return version, title


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases are looked for, and which page of them."""

    texts: dict[str, str | None]
    """By `workspace`, `customer`, `group`, `process` and `stage`; `title` may be a part of it."""
    open: bool | None
    after: str | None
    limit: int


def read_wanted(document: Document) -> Wanted:
    """Read which cases are looked for. Raises `OrderRejected` with every fault."""
    data = document.data
    if not isinstance(data, dict):
        help = 'write `{"customer": …}`'
        raise OrderRejected([Diagnostic("W101", document.at(), "no case is looked for", help)])
    faults = _unknown(document, (*_TEXTS, "open", "after", "limit"))
    texts = {name: _sought(document, name, MAX_TEXT, faults) for name in _TEXTS}
    after = _sought(document, "after", LONGEST_PLACE, faults)
    state = data.get("open")
    # JSON Schema takes 50.0 for a whole number, too.
    number = re.fullmatch(r"([1-9][0-9]{0,2})(\.0+)?", str(data.get("limit", _PAGE)))
    limit = int(number[1]) if number else 0
    if not isinstance(state, bool | None):
        help = "write `true`, `false` or nothing"
        faults.append(Diagnostic("W101", document.at("open"), "`open` is yes or no", help))
    if not 0 < limit <= LONGEST_PAGE:
        told = f"`limit` is a whole number from 1 to {LONGEST_PAGE}"
        faults.append(Diagnostic("W101", document.at("limit"), told, ""))
    if faults:
        raise OrderRejected(faults)
    return Wanted(texts, state, after, limit)


def _sought(document: Document, name: str, longest: int, faults: list[Diagnostic]) -> str | None:
    """A text that is looked for, whatever signs are in it."""
    value = document.data.get(name)
    if isinstance(value, str | None) and len(value or "") <= longest:
        return value or None
    told = f"`{name}` is a text of at most {longest} characters"
    faults.append(Diagnostic("W101", document.at(name), told, "shorten it"))
    return None


def process_of(book: Rulebook, id: str, place: Span) -> Process:
    """A process by its id. Raises `OrderRejected`."""
    found = book.processes.get(id)
    if found is None:
        help = nearest(id, book.processes) or f"known: {', '.join(book.processes)}"
        raise OrderRejected([Diagnostic("O409", place, f"unknown process {shown(id)}", help)])
    return found


def other_group(document: Document, group: str) -> Diagnostic:
    """The fault of a customer who is known with another group, or with none."""
    told = f"the customer is known with the group {shown(group)}" if group else ""
    told = told or "the customer is known without a group"
    zh = (
        f"该客户在此工作区中已登记为“{group}”集团。"
        if group
        else "该客户在此工作区中已登记为无集团。"
    )
    zh += "须留空集团一栏，或另用工作区。"
    help = "leave `customer.group` out, or take another workspace"
    place = place_of(document.part("facts"), "customer.group")
    return Diagnostic("O411", place, told, help, said_zh=zh)


def _process(book: Rulebook, document: Document) -> Process:
    named = document.data.get("process")
    if isinstance(named, str):
        return process_of(book, named, document.at("process"))
    place = document.at("process") if "process" in document.data else document.at()
    help = f"one of: {', '.join(book.processes)}"
    raise OrderRejected([Diagnostic("O409", place, "no `process` is named", help)])


def _unknown(document: Document, known: tuple[str, ...]) -> list[Diagnostic]:
    return [
        Diagnostic(
            "O101",
            document.name_at(name),
            f"unknown name {shown(name)}",
            nearest(name, known) or f"known here: {', '.join(known)}",
        )
        for name in document.data
        if name not in known
    ]


def _text(document: Document, name: str, longest: int, faults: list[Diagnostic]) -> str:
    value = document.data.get(name)
    if value is None:
        return ""
    if isinstance(value, str) and len(value.strip()) <= longest and value.isprintable():
        return value.strip()
    told = f"`{name}` is one line of at most {longest} characters"
    faults.append(Diagnostic("O302", document.at(name), told, "shorten it"))
    return ""
