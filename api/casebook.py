"""The cases of a team, each a list of events that only grows, and the books that they are counted in.

What events mean is for `engine.lifecycle`: whoever adds one says what it comes to. No clock either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from api.casefile import (
    LONGEST_KEY,
    LONGEST_NAME,
    Appended,
    BookRow,
    CaseEntry,
    CasePage,
    Counts,
    Difference,
    KeyUsed,
    LedgerView,
    OtherGroup,
    Standing,
    StoredCase,
    Taken,
    TooLong,
    holder_of,
)
from api.caserows import (
    BOOK_OF,
    ENTRY,
    EVENT,
    STANDING,
    SUMS,
    as_of,
    book_from,
    book_of,
    case_of,
    differing,
    entry_from,
    event_from,
    known,
    standing_columns,
    view_of,
)
from api.store import (
    LETTERS,
    LONGEST_PAGE,
    LONGEST_TITLE,
    Changed,
    Full,
    NotThere,
    Store,
    folded,
    new_id,
    read_back,
    storable,
    written,
)
from api.tables import BOOK, CASE_EVENT, CASEFILE, CUSTOMER

# A lock of PostgreSQL, by number, beside those of the store.
_OPENING = 7_052_203_003
_PLACE = re.compile(rf"([0-9]{{1,18}})-(c-[{LETTERS}]{{12}})")
_AT_ONCE = 100

_LOCK_BOOK = sa.select(BOOK.c.holder).where(*BOOK_OF).with_for_update()
_OPEN_BOOK = sa.update(BOOK).where(*BOOK_OF)
_ADD_EVENT = sa.insert(CASE_EVENT)
_MOVE = sa.update(CASEFILE).where(CASEFILE.c.id == sa.bindparam("moved"))


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases in a store, forks included: at most so many, each with at most so many events."""

    store: Store
    most: int = 10_000
    most_events: int = 2_000

    def open(
        self,
        *,
        workspace: str,
        process: str,
        edition: str,
        title: str,
        customer: str | None,
        group: str | None,
        opened_on: int,
        document: dict[str, Any],
        at: int,
        by: str,
        key: str | None = None,
        stage: str = "",
        booked: bool = True,
    ) -> CaseEntry:
        """Open a case in the stage where its process begins, or find the one that the key opened.

        Without a group a customer has the one that is known. Where nothing is `booked`, the case
        stands in no book. Raises `KeyUsed`, `OtherGroup`, `Full`, `TooLong`.
        """
        row: dict[str, Any] = {
            "workspace": _short(workspace, LONGEST_KEY),
            "process": storable(process),
            "edition": storable(edition),
            **_titled(title),
            "customer": _short(customer or "", LONGEST_NAME),
            "grp": _short(group or "", LONGEST_NAME),
            "opened_on": opened_on,
            "document": written(document),
            "open_key": None if key is None else _short(key, LONGEST_KEY),
            "counted": True,
            "begun_in": storable(stage),
            **standing_columns(Standing(stage, False, Counts())),
        }
        with self.store.writing() as connection:
            _alone(connection)
            opened = None if key is None else _opened(connection, row)
            if opened is not None:
                return opened
            row["grp"] = _group(connection, row)
            row["holder"] = holder_of(row["customer"], row["grp"]) if booked else ""
            if row["holder"]:
                _begin_book(connection, row)
            return self._add(connection, row, (), at, by)

    def fork(self, id: str, version: int, *, title: str, at: int, by: str) -> CaseEntry:
        """Open a case with the first events of another, for another course of things.

        A fork is never counted. Raises `NotThere`, `Full`.
        """
        with self.store.writing() as connection:
            _alone(connection)
            found = connection.execute(sa.select(CASEFILE).where(CASEFILE.c.id == known(id)))
            row = dict(found.mappings().one_or_none() or {})
            if not 0 <= version <= row.get("version", -1):
                raise NotThere("there is no such case, or it has not that many events")
            first = (CASE_EVENT.c.case_id == id, CASE_EVENT.c.number <= version)
            found = connection.execute(
                sa.select(CASE_EVENT).where(*first).order_by(CASE_EVENT.c.number)
            )
            events = [dict(event) for event in found.mappings()]
            last = (
                events[-1]
                if events
                else standing_columns(Standing(row["begun_in"], False, Counts()))
            )
            row |= {name: last[name] for name in STANDING}
            row |= _titled(title)
            row |= {"open_key": None, "counted": False, "forked_from": id, "forked_at": version}
            return self._add(connection, row, events, at, by)

    def _add(
        self,
        connection: sa.Connection,
        row: dict[str, Any],
        events: Iterable[dict[str, Any]],
        at: int,
        by: str,
    ) -> CaseEntry:
        count = sa.select(sa.func.count()).select_from(CASEFILE)
        if connection.execute(count).scalar_one() >= self.most:
            raise Full(self.most, "cases already")
        id = new_id("c")
        # Whoever sends to a fork has sent nothing to it before: the keys stay behind.
        copies = [event | {"case_id": id, "sent_key": None} for event in events]
        row |= {"id": id, "version": len(copies), "created_at": at, "created_by": storable(by)}
        row = {"origin": id, "forked_from": None, "forked_at": None} | row | {"updated_at": at}
        connection.execute(sa.insert(CASEFILE).values(row))
        if copies:
            connection.execute(sa.insert(CASE_EVENT), copies)
        return entry_from([row[column.name] for column in ENTRY])

    def append(
        self,
        id: str,
        *,
        version: int | None,
        key: str | None,
        event: dict[str, Any],
        at: int,
        by: str,
        take: Callable[[StoredCase, LedgerView], Taken],
    ) -> Appended:
        """Add an event to a case as `take` says; where that raises, nothing is written.

        An event that is there already, by its key, is answered as it was then. Raises `NotThere`,
        `KeyUsed`, `Changed`, `Full`, `TooLong`.
        """
        key = None if key is None else _short(key, LONGEST_KEY)
        with self.store.writing() as connection:
            # The row of a case always before that of its book, so that nobody waits in a ring.
            case = case_of(connection, id, lock=True)
            entry = case.entry
            same = next((e for e in case.events if key is not None and e.key == key), None)
            if same is not None:
                if not _same(same.event, event):
                    raise KeyUsed
                events = case.events[: same.number]
                return Appended(StoredCase(as_of(entry, events), case.document, events), True)
            if version is not None and version != entry.version:
                raise Changed(entry.version)
            if entry.version >= self.most_events:
                raise Full(self.most_events, "events in this case already")
            booked = bool(entry.holder) and entry.counted
            if booked:
                connection.execute(_LOCK_BOOK, book_of(entry))
            taken = take(case, view_of(connection, entry))
            row = {
                "case_id": id,
                "number": entry.version + 1,
                "sent_key": key,
                "event": written(event),
                "supplied": written(taken.supplied),
                **standing_columns(taken),
                "judged_by": written(list(taken.judged_by)),
                "sent_at": at,
                "sent_by": storable(by),
            }
            events = (*case.events, event_from([row[column.name] for column in EVENT]))
            entry = as_of(entry, events)
            connection.execute(_ADD_EVENT, row)
            # The copies move with the event, in this transaction.
            moved = {"version": entry.version, "updated_at": entry.updated_at}
            connection.execute(_MOVE, {**standing_columns(taken), **moved, "moved": id})
            if taken.opening is not None and booked:
                connection.execute(_OPEN_BOOK, {**book_of(entry), "opening": taken.opening})
        return Appended(StoredCase(entry, case.document, events), False)

    def get(self, id: str) -> StoredCase:
        """One case with all its events. Raises `NotThere`."""
        with self.store.reading() as connection:
            return case_of(connection, id)

    def opened(self, workspace: str, key: str) -> CaseEntry | None:
        """The case that was opened with a key, if one was."""
        own = (CASEFILE.c.workspace == storable(workspace), CASEFILE.c.open_key == storable(key))
        with self.store.reading() as connection:
            row = connection.execute(sa.select(*ENTRY).where(*own)).one_or_none()
        return None if row is None else entry_from(row)

    def view(self, id: str) -> LedgerView:
        """The book as a case sees it now, for those who only ask. Raises `NotThere`."""
        with self.store.reading() as connection:
            return view_of(connection, case_of(connection, id).entry)

    def group_of(self, workspace: str, customer: str) -> str | None:
        """The group of a customer, empty where it has none; `None` if nobody knows the customer."""
        with self.store.reading() as connection:
            return _known_group(connection, storable(workspace), storable(customer))

    def page(
        self,
        size: int = 50,
        after: str | None = None,
        *,
        workspace: str | None = None,
        customer: str | None = None,
        group: str | None = None,
        process: str | None = None,
        stage: str | None = None,
        ended: bool | None = None,
        title: str = "",
    ) -> CasePage:
        """List cases, newest first: those of a kind, with some text in the title, from a place on.

        A case to which nobody adds while pages are turned appears exactly once, any other at most
        once. Raises `NotThere` if `after` is no place.
        """
        kind = {"workspace": workspace, "customer": customer, "grp": group}
        kind |= {"process": process, "stage": stage}
        found = sa.select(*ENTRY).where(
            *(CASEFILE.c[n] == storable(text) for n, text in kind.items() if text is not None)
        )
        if ended is not None:
            found = found.where(CASEFILE.c.ended == ended)
        if title:
            wanted = folded(title)
            if len(wanted) > 20 * LONGEST_TITLE:
                return CasePage((), None)
            found = found.where(CASEFILE.c.title_folded.contains(wanted, autoescape=True))
        if after is not None:
            place = _PLACE.fullmatch(after)
            if place is None:
                raise NotThere("there is no such place in the list")
            newest = sa.tuple_(CASEFILE.c.updated_at, CASEFILE.c.id)
            found = found.where(newest < sa.tuple_(int(place[1]), place[2]))
        found = found.order_by(CASEFILE.c.updated_at.desc(), CASEFILE.c.id.desc())
        size = max(1, min(size, LONGEST_PAGE))
        with self.store.reading() as connection:
            rows = connection.execute(found.limit(size + 1)).all()
        entries = tuple(entry_from(row) for row in rows[:size])
        last = entries[-1] if len(rows) > size else None
        return CasePage(entries, f"{last.updated_at}-{last.id}" if last else None)

    def workspaces(self) -> tuple[str, ...]:
        """The names of all workspaces in which a case was opened."""
        found = sa.select(CASEFILE.c.workspace).distinct()
        with self.store.reading() as connection:
            return tuple(sorted(connection.execute(found).scalars()))

    def ledger(self, workspace: str, holder: str | None = None) -> tuple[BookRow, ...]:
        """Every book of a workspace, or that of one holder, summed over its counted cases."""
        # One statement, so that opening and sums are of one moment.
        case = sa.and_(
            CASEFILE.c.workspace == BOOK.c.workspace,
            CASEFILE.c.holder == BOOK.c.holder,
            CASEFILE.c.counted,
        )
        book = (BOOK.c.holder, BOOK.c.opening, CASEFILE.c.customer)
        found = (
            sa.select(*book, sa.func.count(CASEFILE.c.id), *SUMS)
            .select_from(BOOK.outerjoin(CASEFILE, case))
            .where(BOOK.c.workspace == storable(workspace))
            .group_by(*book)
        )
        if holder is not None:
            found = found.where(BOOK.c.holder == storable(holder))
        with self.store.reading() as connection:
            rows = connection.execute(found).all()
        # Databases order texts each in its own way.
        rows = sorted(rows, key=lambda row: (row[0], row[2] or ""))
        return tuple(book_from(list(own)) for _, own in groupby(rows, lambda row: row[0]))

    def verify(
        self, standing: Callable[[StoredCase], Standing], *, workspace: str | None = None
    ) -> tuple[Difference, ...]:
        """Name every case whose copies are not what `standing` makes of its events.

        One for which `standing` raises `ValueError` is named as `broken`.
        """
        found = ((id, differing(self.store, id, standing)) for id in self._ids(workspace))
        return tuple(Difference(id, differs) for id, differs in found if differs)

    def _ids(self, workspace: str | None) -> Iterator[str]:
        wanted = sa.select(CASEFILE.c.id).order_by(CASEFILE.c.id).limit(_AT_ONCE)
        if workspace is not None:
            wanted = wanted.where(CASEFILE.c.workspace == storable(workspace))
        ids: list[str] = [""]
        while ids:
            with self.store.reading() as connection:
                found = connection.execute(wanted.where(CASEFILE.c.id > ids[-1]))
                ids = list(found.scalars())
            yield from ids


def _alone(connection: sa.Connection) -> None:
    """Let nobody else open a case until the transaction ends."""
    if connection.dialect.name == "postgresql":
        # Two that look at once would both find room for one, or both know a customer first.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_OPENING)))


def _short(text: str, most: int) -> str:
    if len(text) > most:
        raise TooLong(most)
    return storable(text)


def _titled(title: str) -> dict[str, str]:
    shown = storable(title)[:LONGEST_TITLE]
    return {"title": shown, "title_folded": folded(shown)}


def _opened(connection: sa.Connection, row: dict[str, Any]) -> CaseEntry | None:
    """The case that was opened with this key, if it was opened with the same content."""
    own = [CASEFILE.c[name] == row[name] for name in ("workspace", "open_key")]
    found = connection.execute(sa.select(CASEFILE).where(*own)).mappings().one_or_none()
    if found is None:
        return None
    # The edition is not sent: rules may be newer when somebody asks again.
    same = all(found[name] == row[name] for name in ("process", "title", "customer", "opened_on"))
    same = same and row["grp"] in ("", found["grp"])
    if not same or not _same(read_back(found["document"]), read_back(row["document"])):
        raise KeyUsed
    return entry_from([found[column.name] for column in ENTRY])


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values say the same, in whatever order they name it."""
    return written(_ordered(one)) == written(_ordered(other))


def _ordered(data: Any) -> Any:
    match data:
        case dict():
            return {str(name): _ordered(data[name]) for name in sorted(data)}
        case list():
            return [_ordered(item) for item in data]
    return data


def _group(connection: sa.Connection, row: dict[str, Any]) -> str:
    """The group of a customer: that with which the first case has named the customer."""
    group: str = row["grp"]
    if not row["customer"]:
        return group
    known = _known_group(connection, row["workspace"], row["customer"])
    if known is None:
        customer = {name: row[name] for name in ("workspace", "customer", "grp")}
        connection.execute(sa.insert(CUSTOMER).values(customer))
        return group
    if group not in ("", known):
        raise OtherGroup(known)
    return known


def _known_group(connection: sa.Connection, workspace: str, customer: str) -> str | None:
    own = (CUSTOMER.c.workspace == workspace, CUSTOMER.c.customer == customer)
    return connection.execute(sa.select(CUSTOMER.c.grp).where(*own)).scalar_one_or_none()


def _begin_book(connection: sa.Connection, row: dict[str, Any]) -> None:
    """Make the row of a book, so that there is something to lock."""
    book = {name: row[name] for name in ("workspace", "holder")}
    own = [BOOK.c[name] == text for name, text in book.items()]
    if connection.execute(sa.select(BOOK.c.holder).where(*own)).one_or_none() is None:
        connection.execute(sa.insert(BOOK).values(book))
