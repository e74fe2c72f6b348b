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


def standing_columns(of: Standing | Taken) -> dict[str, Any]:
    """What a case or an event has come to, by column."""
    counts = {name: getattr(of.counts, name) for name in _COUNTS}
    return {"stage": storable(of.stage), "ended": of.ended, **counts}


def of_book(entry: CaseEntry) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """The book of a case."""
    return BOOK.c.workspace == entry.workspace, BOOK.c.holder == entry.holder


def sums() -> list[sa.ColumnElement[Any]]:
    """The four counts, summed over cases."""
    return [sa.func.coalesce(sa.func.sum(CASEFILE.c[name]), 0) for name in _COUNTS]


def view_of(connection: sa.Connection, entry: CaseEntry) -> LedgerView:
    """The book of a case as the case sees it."""
    if not entry.holder:
        return LedgerView("", 0, False, Counts(), 0)
    book = sa.select(BOOK.c.opening).where(*of_book(entry)).scalar_subquery()
    opening, *found = connection.execute(
        sa.select(book, *sums()).where(
            CASEFILE.c.workspace == entry.workspace,
            CASEFILE.c.holder == entry.holder,
            CASEFILE.c.counted,
            CASEFILE.c.id != entry.origin,
        )
    ).one()
    others = Counts(*map(int, found))
    used = (opening or 0) + others.used
    return LedgerView(entry.holder, opening or 0, opening is not None, others, used)


def book_from(rows: list[Any]) -> BookRow:
    """A book from the sums of each of its customers."""
    holder, opening = rows[0][:2]
    customers = tuple(
        CustomerShare(customer, Counts(*map(int, counts)), cases)
        for _, _, customer, cases, *counts in rows
        if customer is not None
    )
    whole = sum((share.counts for share in customers), Counts())
    cases = sum(share.cases for share in customers)
    used = (opening or 0) + whole.used
    return BookRow(holder, opening or 0, opening is not None, whole, used, customers, cases)


def row_of(
    connection: sa.Connection, id: str, columns: list[Any], *, lock: bool = False
) -> sa.RowMapping:
    """The columns of one case; a locked one nobody else changes meanwhile. Raises `NotThere`."""
    # An id as this store makes them; any other text never reaches the database.
    if not _ID.fullmatch(id):
        raise NotThere("there is no case of that name")
    wanted = sa.select(*columns).where(CASEFILE.c.id == id)
    found = connection.execute(wanted.with_for_update() if lock else wanted)
    row = found.mappings().one_or_none()
    if row is None:
        raise NotThere(f"there is no case {id}")
    return row


def case_of(connection: sa.Connection, id: str, *, lock: bool = False) -> StoredCase:
    """One case with its events. Raises `NotThere`."""
    row: list[Any] = [*row_of(connection, id, [*ENTRY, CASEFILE.c.document], lock=lock).values()]
    told = entry_from(row[:-1])
    # What is added after the row was read is left out, so that row and events fit.
    events = sa.select(*EVENT).where(
        CASE_EVENT.c.case_id == id, CASE_EVENT.c.number <= told.version
    )
    rows = connection.execute(by_number(events))
    return StoredCase(told, read_back(row[-1]), tuple(map(event_from, rows)))


def by_number(events: sa.Select[Any]) -> sa.Select[Any]:
    """Events in their order."""
    return events.order_by(CASE_EVENT.c.number)


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
