"""The database of a team: its drafts of scenarios, in SQLite or PostgreSQL.

SQL is spoken only here, in `casebook` with its rows, `tables` and `migrations`. No clock: every time
comes in as seconds since 1970, UTC.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sqlite3
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api.tables import SCENARIO as _SCENARIO
from api.tables import TABLES
from engine.source import JsonNumber

PATIENCE = 10
"""Seconds to wait for a database that is busy or far away."""
LONGEST_TITLE = 500
LONGEST_PAGE = 200
LARGEST_TOGETHER = 10_000_000
"""Characters of drafts that are held at once; read, they take some ten times as much."""
MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS = "placet_schema"
"""The table that tells how far this database has been migrated."""

# Locks of PostgreSQL, by number: any two that nobody else takes.
_MIGRATING, _ADDING = 7_052_203_001, 7_052_203_002
# No vowels, so that no word appears, and nothing that looks like something else.
LETTERS = "23456789bcdfghjkmnpqrstvwxyz"
_ID = re.compile(rf"d-[{LETTERS}]{{12}}")
_PLACE = re.compile(rf"([0-9]{{1,18}})-(d-[{LETTERS}]{{12}})")
# What a text column cannot hold: PostgreSQL refuses NUL, UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_READER = json.JSONDecoder(
    parse_float=JsonNumber, parse_int=lambda n: int(n) if len(n) <= 20 else JsonNumber(n)
)
_NO_FILE = (None, "", ":memory:")


class StoreError(Exception):
    """The database cannot do what was asked: in its own words, never with its password."""


class NotThere(StoreError):
    """There is nothing of that name, or no such place in a list."""


class Changed(StoreError):
    """Somebody else has changed it in the meantime."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"version {version} is there now")


class Full(StoreError):
    """There are as many as there may be."""

    def __init__(
        self, most: int, of: str = "drafts already; remove some that nobody needs"
    ) -> None:
        self.most = most
        super().__init__(f"there are {most:,} {of}")


@dataclass(frozen=True, slots=True)
class Store:
    """One database; every connection and transaction begins here."""

    engine: sa.Engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Connect, and bring the tables up to date. Raises `StoreError`."""
        store = cls(_engine(url))
        try:
            with store.writing() as connection:
                _migrate(connection)
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that only reads, and waits for nobody who writes."""
        with _answering(self.engine), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes; what it wrote is on the disk when it ends."""
        with _answering(self.engine), self.engine.connect() as connection:
            connection.execution_options(placet_writes=True)
            with connection.begin():
                yield connection

    def check(self) -> None:
        """Raise `StoreError` unless the database answers and has its tables."""
        with self.reading() as connection:
            for table in TABLES.sorted_tables:
                connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _engine(url: str) -> sa.Engine:
    kind = ""
    # What is raised here may hold part of the password.
    with suppress(ValueError, sa.exc.SQLAlchemyError):
        parsed = sa.make_url(url)
        kind = f"{parsed.get_backend_name()}+{parsed.get_driver_name()}"
    if kind == "sqlite+pysqlite" and not parsed.query and parsed.database not in _NO_FILE:
        _prepare_file(Path(str(parsed.database)))
        engine = sa.create_engine(parsed, hide_parameters=True, pool_timeout=PATIENCE)
        _speak_sqlite(engine)
        return engine
    # A stray `@` makes part of the password part of the host, which errors then tell.
    if kind == "postgresql+psycopg" and "@" not in (parsed.host or ""):
        waits = {} if "connect_timeout" in parsed.query else {"connect_timeout": PATIENCE}
        try:
            return sa.create_engine(
                parsed,
                hide_parameters=True,
                pool_timeout=PATIENCE,
                pool_pre_ping=True,
                connect_args=waits,
                # Who has waited for a lock must see what was written meanwhile.
                isolation_level="READ COMMITTED",
            )
        except ImportError:
            raise StoreError("PostgreSQL needs one part more: `placet[postgres]`") from None
    raise StoreError(
        "the store is named by `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`; "
        "signs such as @ : / in a password are written %40 %3A %2F"
    )


def _prepare_file(file: Path) -> None:
    """Make the file, if need be, readable to its owner alone."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"{file} cannot be opened: {error.strerror}") from None


def _speak_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _: Any) -> None:
        # The driver opens transactions too late; `begin` below opens them.
        connection.isolation_level = None
        _use_wal(connection)
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        connection.execute("PRAGMA foreign_keys = ON")
        # With FULL, what was committed survives a loss of power, not only of the process.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        # A transaction that reads first and then wants to write may find that it is too late.
        writes = connection.get_execution_options().get("placet_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side; the file remembers it."""
    connection.execute("PRAGMA busy_timeout = 0")
    for waits in range(PATIENCE * 100, -1, -1):
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            # While another process does the same, SQLite gives up whatever its timeout is.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not waits:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise StoreError("the file of the store must lie on a local disk")
        return


@contextmanager
def _answering(engine: sa.Engine) -> Iterator[None]:
    """Tell what the driver says in one line: no statement, no contents, no password."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        for secret in (engine.url.password, engine.url.query.get("password")):
            said = said.replace(str(secret), "***") if secret else said
        raise StoreError(f"the database says: {said}") from None


def _migrate(connection: sa.Connection) -> None:
    # Only opening needs it, and it takes its time.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        # SQLite's transaction has locked out all others; here the first to come does it.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
        if connection.exec_driver_sql("SHOW server_encoding").scalar() != "UTF8":
            raise StoreError("the database must have the encoding UTF8")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSIONS
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise StoreError("the database was made by a later version of placet") from None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list tells of a draft."""

    id: str
    version: int
    title: str
    regime: str
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of a scenario: its entry in the list, and the envelope."""

    entry: Entry
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, newest first."""

    entries: tuple[Entry, ...]
    next: str | None
    """Where the next page begins, if there is one."""


_ENTRY = [_SCENARIO.c[name] for name in Entry.__slots__]


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts of scenarios in a store, at most so many."""

    store: Store
    most: int = 10_000

    def count(self) -> int:
        """How many there are."""
        with self.store.reading() as connection:
            return _count(connection)

    def page(
        self, size: int = 50, after: str | None = None, regime: str | None = None, title: str = ""
    ) -> Page:
        """List drafts, newest first: of one regime, with some text in the title, from a place on.

        A draft that nobody changes while pages are turned appears exactly once, any other at
        most once. Raises `NotThere` if `after` is no place.
        """
        found = sa.select(*_ENTRY)
        if regime is not None:
            found = found.where(_SCENARIO.c.regime == storable(regime))
        if title:
            wanted = folded(title)
            if len(wanted) > 20 * LONGEST_TITLE:
                return Page((), None)
            found = found.where(_SCENARIO.c.title_folded.contains(wanted, autoescape=True))
        newest = sa.tuple_(_SCENARIO.c.updated_at, _SCENARIO.c.id)
        if after is not None:
            place = _PLACE.fullmatch(after)
            if place is None:
                raise NotThere("there is no such place in the list")
            found = found.where(newest < sa.tuple_(int(place[1]), place[2]))
        size = max(1, min(size, LONGEST_PAGE))
        with self.store.reading() as connection:
            rows = connection.execute(_newest_first(found).limit(size + 1)).all()
        entries = tuple(Entry(*row) for row in rows[:size])
        last = entries[-1] if len(rows) > size else None
        return Page(entries, f"{last.updated_at}-{last.id}" if last else None)

    def newest(self, most: int, regime: str | None = None) -> tuple[tuple[Draft, ...], bool]:
        """The newest drafts, as many as may be held together, and whether there are more."""
        wanted = sa.select(*_ENTRY, _SCENARIO.c.document)
        if regime is not None:
            wanted = wanted.where(_SCENARIO.c.regime == storable(regime))
        wanted = _newest_first(wanted).limit(most + 1).execution_options(yield_per=10)
        drafts: list[Draft] = []
        size = 0
        with self.store.reading() as connection, connection.execute(wanted) as rows:
            for row in rows:
                size += len(row[-1])
                if len(drafts) == most or size > LARGEST_TOGETHER:
                    return tuple(drafts), True
                drafts.append(_draft(row))
        return tuple(drafts), False

    def get(self, id: str) -> Draft:
        """One draft. Raises `NotThere`."""
        with self.store.reading() as connection:
            row = connection.execute(
                sa.select(*_ENTRY, _SCENARIO.c.document).where(_SCENARIO.c.id == _known(id))
            ).one_or_none()
        if row is None:
            raise NotThere(f"there is no draft {id}")
        return _draft(row)

    def add(self, document: dict[str, Any], *, title: str, regime: str, at: int, by: str) -> Entry:
        """Keep a new draft, as version 1. Raises `Full`."""
        id = new_id("d")
        row = _content(document, title, regime) | _changed(at, by)
        row |= {"id": id, "version": 1, "created_at": at, "created_by": row["updated_by"]}
        with self.store.writing() as connection:
            if connection.dialect.name == "postgresql":
                # Two that count at once would both find room for one.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADDING)))
            if _count(connection) >= self.most:
                raise Full(self.most)
            connection.execute(sa.insert(_SCENARIO).values(row))
        return _entry(row)

    def replace(
        self,
        id: str,
        version: int,
        document: dict[str, Any],
        *,
        title: str,
        regime: str,
        at: int,
        by: str,
    ) -> Entry:
        """Keep a new version in place of the one named. Raises `NotThere`, `Changed`."""
        with self.store.writing() as connection:
            old = _locked(connection, id, version)
            # A clock that is set back must not move the draft to a page that was turned already.
            row = _content(document, title, regime) | _changed(max(at, old.updated_at), by)
            row["version"] = version + 1
            connection.execute(sa.update(_SCENARIO).where(_SCENARIO.c.id == id).values(row))
        created = {"id": id, "created_at": old.created_at, "created_by": old.created_by}
        return _entry(row | created)

    def remove(self, id: str, version: int) -> None:
        """Remove a draft, if the version named is there. Raises `NotThere`, `Changed`."""
        with self.store.writing() as connection:
            _locked(connection, id, version)
            connection.execute(sa.delete(_SCENARIO).where(_SCENARIO.c.id == id))


def new_id(kind: str) -> str:
    """An id that nobody guesses."""
    return f"{kind}-" + "".join(secrets.choice(LETTERS) for _ in range(12))


def _known(id: str) -> str:
    """An id as this store makes them; any other text never reaches the database."""
    if not _ID.fullmatch(id):
        raise NotThere("there is no draft of that name")
    return id


def _newest_first(wanted: sa.Select[Any]) -> sa.Select[Any]:
    return wanted.order_by(_SCENARIO.c.updated_at.desc(), _SCENARIO.c.id.desc())


def _draft(row: Any) -> Draft:
    return Draft(Entry(*row[:-1]), read_back(row[-1]))


def _count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(_SCENARIO)).scalar_one()


def _locked(connection: sa.Connection, id: str, version: int) -> Entry:
    """The entry that is to be changed; nobody else changes it until the transaction ends."""
    row = connection.execute(
        sa.select(*_ENTRY).where(_SCENARIO.c.id == _known(id)).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotThere(f"there is no draft {id}")
    entry = Entry(*row)
    if entry.version != version:
        raise Changed(entry.version)
    return entry


def _content(document: dict[str, Any], title: str, regime: str) -> dict[str, Any]:
    shown = storable(title)[:LONGEST_TITLE]
    return {
        "title": shown,
        "title_folded": folded(shown),
        "regime": storable(regime),
        "document": written(document),
    }


def _changed(at: int, by: str) -> dict[str, Any]:
    return {"updated_at": at, "updated_by": storable(by)}


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(*(row[name] for name in Entry.__slots__))


def storable(text: str) -> str:
    """Text for a column: what no column holds is made visible; the document keeps it as it is."""
    return _UNSTORABLE.sub(lambda sign: "␀" if sign[0] == "\x00" else "\ufffd", text)


def folded(text: str) -> str:
    """Text for search: in one case and one width, by the same rules in every database."""
    return unicodedata.normalize("NFKC", storable(text)).casefold()


def read_back(text: str) -> Any:
    """Read JSON that `written` wrote."""
    return _READER.decode(text)


def written(data: Any) -> str:
    """Write data as JSON that any database holds and that reads back the same.

    A number with a fraction stays as it was written, and a lone surrogate is escaped.
    """
    match data:
        case JsonNumber():
            return str(data)
        case dict():
            entries = (f"{written(str(name))}: {written(value)}" for name, value in data.items())
            return "{" + ", ".join(entries) + "}"
        case list():
            return "[" + ", ".join(map(written, data)) + "]"
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    return _UNSTORABLE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
