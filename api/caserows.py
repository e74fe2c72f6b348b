"""How cases and books are read from their tables; nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from api.casefile import (
    BookRow,
    CaseEntry,
    Counts,
    CustomerShare,
    LedgerView,
    Standing,
    StoredCase,
    StoredEvent,
    Taken,
)
from api.store import LETTERS, NotThere, Store, read_back, storable
from api.tables import BOOK, CASE_EVENT, CASEFILE

_ID = re.compile(rf"c-[{LETTERS}]{{12}}")
_COUNTS = Counts.__slots__
STANDING = ("stage", "ended", *_COUNTS)
_HEAD = ("id", "workspace", "process", "edition", "title", "customer", "grp", "holder", "counted")
_TAIL = ("origin", "forked_from", "forked_at", "created_at", "created_by", "updated_at")
ENTRY = [CASEFILE.c[name] for name in (*_HEAD, "opened_on", "version", *STANDING, *_TAIL)]
_SENT = ("number", "sent_key", "event", "supplied")
EVENT = [CASE_EVENT.c[name] for name in (*_SENT, *STANDING, "judged_by", "sent_at", "sent_by")]


# The statements of every event are made once: making one takes longer than SQLite takes to run it.
BOOK_OF = (
    BOOK.c.workspace == sa.bindparam("book_workspace"),
    BOOK.c.holder == sa.bindparam("book_holder"),
)
SUMS = [sa.func.coalesce(sa.func.sum(CASEFILE.c[name]), 0) for name in _COUNTS]
_VIEW = sa.select(sa.select(BOOK.c.opening).where(*BOOK_OF).scalar_subquery(), *SUMS).where(
    CASEFILE.c.workspace == sa.bindparam("book_workspace"),
    CASEFILE.c.holder == sa.bindparam("book_holder"),
    CASEFILE.c.counted,
    CASEFILE.c.id != sa.bindparam("origin"),
)
_CASE = sa.select(*ENTRY, CASEFILE.c.document).where(CASEFILE.c.id == sa.bindparam("id"))
_LOCKED = _CASE.with_for_update()
_EVENTS = (
    sa.select(*EVENT)
    .where(CASE_EVENT.c.case_id == sa.bindparam("id"))
    .where(CASE_EVENT.c.number <= sa.bindparam("version"))
    .order_by(CASE_EVENT.c.number)
)


def standing_columns(of: Standing | Taken) -> dict[str, Any]:
    """What a case or an event has come to, by column."""
    counts = {name: getattr(of.counts, name) for name in _COUNTS}
    return {"stage": storable(of.stage), "ended": of.ended, **counts}


def book_of(entry: CaseEntry) -> dict[str, str]:
    """The book of a case, for a statement with `BOOK_OF`."""
    return {"book_workspace": entry.workspace, "book_holder": entry.holder}


def view_of(connection: sa.Connection, entry: CaseEntry) -> LedgerView:
    """The book of a case as the case sees it."""
    if not entry.holder:
        return LedgerView("", 0, False, Counts(), 0)
    row = connection.execute(_VIEW, {**book_of(entry), "origin": entry.origin}).one()
    opening, *sums = row
    others = Counts(*map(int, sums))
    used = (opening or 0) + others.used
    return LedgerView(entry.holder, opening or 0, opening is not None, others, used)


def book_from(rows: list[Any]) -> BookRow:
    """A book from the sums of each of its customers."""
    holder, opening = rows[0][:2]
    customers = tuple(
        CustomerShare(customer, Counts(*map(int, sums)), cases)
        for _, _, customer, cases, *sums in rows
        if customer is not None
    )
    whole = sum((share.counts for share in customers), Counts())
    cases = sum(share.cases for share in customers)
    used = (opening or 0) + whole.used
    return BookRow(holder, opening or 0, opening is not None, whole, used, customers, cases)


def known(id: str) -> str:
    """An id as this store makes them; any other text never reaches the database."""
    if not _ID.fullmatch(id):
        raise NotThere("there is no case of that name")
    return id


def case_of(connection: sa.Connection, id: str, *, lock: bool = False) -> StoredCase:
    """One case with its events; a locked one nobody else changes meanwhile. Raises `NotThere`."""
    wanted = _LOCKED if lock else _CASE
    row = connection.execute(wanted, {"id": known(id)}).one_or_none()
    if row is None:
        raise NotThere(f"there is no case {id}")
    entry = entry_from(row[:-1])
    # What is added after the row was read is left out, so that row and events fit.
    events = connection.execute(_EVENTS, {"id": id, "version": entry.version})
    return StoredCase(entry, read_back(row[-1]), tuple(map(event_from, events)))


def entry_from(row: Iterable[Any]) -> CaseEntry:
    """Read the columns of `ENTRY`."""
    return CaseEntry(*_with_counts(row, len(_HEAD) + 4))


def event_from(row: Iterable[Any]) -> StoredEvent:
    """Read the columns of `EVENT`."""
    number, key, event, supplied, stage, ended, counts, judged_by, at, by = _with_counts(row, 6)
    told = (read_back(event), read_back(supplied), stage, ended, counts)
    return StoredEvent(number, key, *told, tuple(read_back(judged_by)), at, by)


def _with_counts(row: Iterable[Any], at: int) -> list[Any]:
    values = list(row)
    end = at + len(_COUNTS)
    values[at:end] = [Counts(*values[at:end])]
    return values


def as_of(entry: CaseEntry, events: tuple[StoredEvent, ...]) -> CaseEntry:
    """The entry of a case as it was just after the last of these events."""
    last = events[-1]
    return replace(
        entry,
        version=last.number,
        stage=last.stage,
        ended=last.ended,
        counts=last.counts,
        # A clock that is set back must not move the case to a page that was turned already.
        updated_at=max(entry.created_at, *(event.at for event in events)),
    )


def differing(
    store: Store, id: str, standing: Callable[[StoredCase], Standing]
) -> tuple[str, ...]:
    """Which copies of a case are not what its events come to."""
    with store.reading() as connection:
        own = sa.select(sa.func.count()).where(CASE_EVENT.c.case_id == CASEFILE.c.id)
        # Counted in one statement with the version: somebody may be adding.
        counted = sa.select(CASEFILE.c.version == own.scalar_subquery())
        whole = connection.execute(counted.where(CASEFILE.c.id == id)).scalar_one()
        case = case_of(connection, id)
    entry, events = case.entry, case.events
    numbers = [event.number for event in events]
    found = [] if whole and numbers == list(range(1, entry.version + 1)) else ["events"]
    try:
        told = standing_columns(standing(case))
    except ValueError:
        return (*found, "broken")
    copies = [Standing(entry.stage, entry.ended, entry.counts)]
    copies += [Standing(last.stage, last.ended, last.counts) for last in events[-1:]]
    kept = [standing_columns(copy) for copy in copies]
    found += [name for name in STANDING if any(copy[name] != told[name] for copy in kept)]
    return tuple(found)
