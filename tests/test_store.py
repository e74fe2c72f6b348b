"""The store: what was acknowledged is there, of two editors one wins, and all databases agree."""

from __future__ import annotations

import random
import re
import sqlite3
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import api.store
from api.store import (
    LONGEST_PAGE,
    LONGEST_TITLE,
    VERSIONS,
    Changed,
    Drafts,
    Entry,
    Full,
    NotThere,
    Store,
    StoreError,
    written,
)
from api.tables import TABLES
from engine.source import JsonNumber, plain, read_text
from tests.databases import KINDS, postgresql, sqlite

ORDER: dict[str, Any] = {
    "regime": "h200-article",
    "title": {"en": "The last twenty thousand", "zh": "最后两万"},
    "facts": {"order": {"quantity": 20000, "line": None}, "pledge.signed": True},
    "vary": [{"set": {"order.quantity": 20001}}],
}


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[], str]]:
    with postgresql() as fresh:
        yield fresh


@pytest.fixture(params=KINDS)
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """A database that is still empty, at each call, by its URL."""
    if request.param == "sqlite":
        number = count()
        return lambda: sqlite(tmp_path / f"{next(number)}.db")
    server: Callable[[], str] = request.getfixturevalue("server")
    return server


@pytest.fixture
def url(fresh: Callable[[], str]) -> str:
    return fresh()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store.open(url)) as store:
        yield store


@pytest.fixture
def drafts(store: Store) -> Drafts:
    return Drafts(store)


def add(drafts: Drafts, title: str = "A title", at: int = 1000, regime: str = "a") -> Entry:
    return drafts.add(ORDER, title=title, regime=regime, at=at, by="lin")


def replace(drafts: Drafts, id: str, version: int, at: int = 2000, **document: Any) -> Entry:
    return drafts.replace(id, version, document, title="Changed", regime="b", at=at, by="wu")


def all_pages(drafts: Drafts, size: int = 3, **filters: Any) -> list[str]:
    page = drafts.page(size, **filters)
    ids = [entry.id for entry in page.entries]
    while page.next is not None:
        # Pages that never end are told, not waited for.
        assert len(ids) < 1000
        page = drafts.page(size, page.next, **filters)
        ids += [entry.id for entry in page.entries]
    return ids


def test_the_newest_are_given_together_as_far_as_they_may_be_held(
    drafts: Drafts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [add(drafts, at=at, regime="ab"[at % 2]).id for at in range(6)]
    found, more = drafts.newest(10)
    assert [draft.entry.id for draft in found] == ids[::-1]
    assert (found[0].document, more) == (ORDER, False)
    assert drafts.newest(6) == (found, False)
    assert drafts.newest(5) == (found[:5], True)
    assert drafts.newest(10, "b") == (found[::2], False)
    monkeypatch.setattr(api.store, "LARGEST_TOGETHER", 2 * len(written(ORDER)) + 1)
    assert drafts.newest(10) == (found[:2], True)


def execute(store: Store, *statements: str) -> None:
    with store.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


class Child:
    """A process of its own that runs a little Python on a database."""

    def __init__(self, program: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def say(self, line: str) -> None:
        self.stdin.write(f"{line}\n")
        self.stdin.flush()

    def end(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def child() -> Iterator[Callable[..., Child]]:
    """Start a child; none is left behind."""
    with ExitStack() as children:

        def started(program: str, *arguments: str) -> Child:
            new = Child(program, *arguments)
            children.callback(new.kill)
            return new

        yield started


# One draft


def test_a_draft_comes_back_as_it_was_given(drafts: Drafts) -> None:
    entry = add(drafts, "最后两万", 1_763_800_000, "h200-article")
    assert entry == Entry(
        entry.id, 1, "最后两万", "h200-article", 1_763_800_000, "lin", 1_763_800_000, "lin"
    )
    draft = drafts.get(entry.id)
    assert draft.entry == entry
    assert draft.document == ORDER
    assert list(draft.document) == list(ORDER)


def test_ids_are_random_and_hold_nothing_that_looks_like_something_else(drafts: Drafts) -> None:
    ids = {add(drafts).id for _ in range(30)}
    assert len(ids) == 30
    assert all(re.fullmatch("d-[a-z2-9]{12}", id) for id in ids)
    assert not set("lo") & set("".join(ids))


def test_a_new_version_takes_the_place_of_the_old(drafts: Drafts) -> None:
    old = add(drafts)
    new = replace(drafts, old.id, 1, facts={})
    assert new == Entry(old.id, 2, "Changed", "b", 1000, "lin", 2000, "wu")
    assert drafts.get(old.id).entry == new
    assert drafts.get(old.id).document == {"facts": {}}
    assert drafts.count() == 1


def test_an_old_version_changes_nothing_and_learns_the_present_one(drafts: Drafts) -> None:
    id = add(drafts).id
    present = replace(drafts, id, 1, facts={})
    for version in (1, 3, 0, -1, 10**30):
        with pytest.raises(Changed) as told:
            replace(drafts, id, version)
        assert told.value.version == 2
        with pytest.raises(Changed) as told:
            drafts.remove(id, version)
        assert told.value.version == 2
    assert drafts.get(id).entry == present


def test_a_removed_draft_is_gone(drafts: Drafts) -> None:
    kept, gone = add(drafts).id, add(drafts).id
    drafts.remove(gone, 1)
    assert [entry.id for entry in drafts.page().entries] == [kept]
    for act in (drafts.get, lambda id: drafts.remove(id, 1), lambda id: replace(drafts, id, 1)):
        with pytest.raises(NotThere):
            act(gone)


def test_what_never_was_a_draft_is_not_there(drafts: Drafts) -> None:
    id = add(drafts).id
    for other in (
        "",
        "d-",
        "d-bcdfghjkmnpq",
        id.upper(),
        f"{id}\n",
        "d-\0",
        "d-\ud800",
        "' OR 1=1 --",
    ):
        for act in (
            drafts.get,
            lambda id: drafts.remove(id, 1),
            lambda id: replace(drafts, id, 1),
        ):
            with pytest.raises(NotThere):
                act(other)
    assert drafts.count() == 1


def test_there_are_at_most_so_many_drafts(store: Store) -> None:
    drafts = Drafts(store, most=2)
    first = add(drafts)
    add(drafts)
    with pytest.raises(Full, match="there are 2 drafts already"):
        add(drafts)
    assert drafts.count() == 2
    # A full store can still be worked with.
    replace(drafts, first.id, 1)
    drafts.remove(first.id, 2)
    add(drafts)


# Texts

TEXTS = [
    "'; DROP TABLE scenario; --",
    "She said \"no\"; he said 'yes' \\\" \\'",
    "100% of _all_ /paths/ \\ and $1 :name %(name)s ?",
    "שלום \u202eright to left\u202c",
    "zero\u200bwidth\u2060joined\ufeff",
    "👩‍🚀 𠮷野家 𝄞",
    "e\u0301 stays apart from \u00e9",
    "line\nline\r\ttab\x1b[31m\x7f\u2028",
    "最后两万（含税）",
]


def test_any_text_comes_back_and_is_found(drafts: Drafts) -> None:
    entries: dict[str, Entry] = {}
    for text in TEXTS:
        document = {"title": text, text: [text, {"facts": text}]}
        entries[text] = drafts.add(document, title=text, regime=text, at=1, by=text)
        draft = drafts.get(entries[text].id)
        assert draft.document == document
        assert draft.entry == entries[text]
        assert (draft.entry.title, draft.entry.regime, draft.entry.created_by) == (text,) * 3
    for text, entry in entries.items():
        assert drafts.page(title=text).entries == (entry,)
        assert drafts.page(regime=text).entries == (entry,)


def test_what_no_column_holds_is_visible_in_the_list_and_kept_in_the_document(
    drafts: Drafts,
) -> None:
    text = "a\0b\ud800c\udc00\\u0000"
    document = {"title": text, text: [text]}
    entry = drafts.add(document, title=text, regime=text, at=1, by=text)
    draft = drafts.get(entry.id)
    assert draft.document == document
    shown = "a␀b\ufffdc\ufffd\\u0000"
    assert draft.entry == entry
    assert (entry.title, entry.regime, entry.created_by) == (shown, shown, shown)
    assert drafts.page(title=text, regime=text).entries == (entry,)


def test_numbers_stay_as_they_were_written(drafts: Drafts) -> None:
    text = '{"a": 1.50, "b": -1E+400, "c": 12345678901234567890123, "d": -7, "e": "1.50"}'
    document: Any = plain(read_text(text.encode(), "request", "O"))
    kept = drafts.get(drafts.add(document, title="", regime="", at=1, by="").id).document
    assert kept == document
    kinds = [JsonNumber, JsonNumber, JsonNumber, int, str]
    assert [type(value) for value in kept.values()] == kinds
    assert written(kept) == text


def test_a_long_title_is_cut_in_the_list_alone(drafts: Drafts) -> None:
    title = "﷽" * 1000
    entry = drafts.add({"title": title}, title=title, regime="", at=1, by="")
    assert entry.title == title[:LONGEST_TITLE]
    assert drafts.get(entry.id).entry == entry
    assert drafts.get(entry.id).document == {"title": title}
    assert drafts.page(title=entry.title).entries == (entry,)
    assert drafts.page(title=title).entries == ()
    assert drafts.page(title="%" * 100_000).entries == ()


# Lists


def test_the_newest_stands_first(drafts: Drafts) -> None:
    first, second, third = (add(drafts, at=at) for at in (1000, 3000, 2000))
    assert all_pages(drafts) == [second.id, third.id, first.id]
    replace(drafts, first.id, 1, at=4000)
    assert all_pages(drafts) == [first.id, second.id, third.id]


def test_pages_hold_every_draft_once_whatever_their_size(drafts: Drafts) -> None:
    # Many of one second, so that pages end between them.
    ids = {add(drafts, at=number // 4).id for number in range(17)}
    whole = all_pages(drafts, 100)
    assert sorted(whole) == sorted(ids)
    for size in (1, 2, 4, 16, 17, 18):
        assert all_pages(drafts, size) == whole
    assert drafts.page(17).next is None
    assert drafts.page(16).next is not None


def test_a_page_is_never_empty_for_its_size_nor_endless(drafts: Drafts) -> None:
    for _ in range(LONGEST_PAGE + 1):
        add(drafts)
    assert len(drafts.page(-1).entries) == 1
    assert len(drafts.page(10**9).entries) == LONGEST_PAGE


def test_pages_are_complete_and_without_repetition_while_others_write(drafts: Drafts) -> None:
    quiet = {add(drafts, at=number).id for number in range(0, 60, 2)}
    busy = [add(drafts, at=number) for number in range(1, 60, 2)]
    gone = [add(drafts, at=number) for number in range(1, 60, 6)]
    seen: list[str] = []
    after: str | None = None
    for turn in range(100):
        page = drafts.page(4, after)
        seen += [entry.id for entry in page.entries]
        if page.next is None:
            break
        after = page.next
        # Others change what was seen and what was not, one of them with a slow clock.
        for chosen, at in ((turn % 30, 100 + turn), (29 - turn % 30, 0)):
            version = drafts.get(busy[chosen].id).entry.version
            busy[chosen] = replace(drafts, busy[chosen].id, version, at=at)
        add(drafts, at=turn)
        if gone:
            drafts.remove(gone.pop().id, 1)
    assert page.next is None
    assert quiet <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_list_can_be_of_one_regime(drafts: Drafts) -> None:
    one = [add(drafts, at=at, regime="bis-2026").id for at in (1, 2, 3, 4)]
    add(drafts, regime="h200-article")
    assert all_pages(drafts, regime="bis-2026") == one[::-1]
    assert all_pages(drafts, regime="bis") == []
    assert all_pages(drafts, regime="") == []


def test_a_title_is_found_in_any_case_and_width_and_signs_mean_themselves(drafts: Drafts) -> None:
    accented, plain, wide, slashed = "Étude 100%", "etude_100", "Ｈ２００ 最后两万", "a/b\\c"
    for at, title in enumerate([accented, plain, wide, slashed]):
        add(drafts, title, -at)
    wanted = {
        "": [accented, plain, wide, slashed],
        "étude": [accented],
        "ÉTUDE": [accented],
        "ETUDE": [plain],
        "%": [accented],
        "_": [plain],
        "e_1": [plain],
        "h200": [wide],
        "ｈ２００": [wide],
        "两万": [wide],
        "/": [slashed],
        "\\": [slashed],
        "a%c": [],
    }
    found = {text: [e.title for e in drafts.page(title=text).entries] for text in wanted}
    assert found == wanted


def test_what_is_no_place_in_the_list_is_told(drafts: Drafts) -> None:
    id = add(drafts).id
    for after in ("", "1", id, f"x-{id}", f"{10**30}-{id}", f"-1-{id}", f"1-{id}\n", "1-\0"):
        with pytest.raises(NotThere):
            drafts.page(after=after)


def test_a_place_stays_one_when_its_draft_is_gone(drafts: Drafts) -> None:
    first, second, third = (add(drafts, at=at) for at in (1, 2, 3))
    after = drafts.page(2).next
    drafts.remove(second.id, 1)
    drafts.remove(third.id, 1)
    assert [entry.id for entry in drafts.page(2, after).entries] == [first.id]


# Many at once


def test_of_many_threads_that_replace_one_version_exactly_one_wins(drafts: Drafts) -> None:
    id, threads = add(drafts).id, 6
    together = threading.Barrier(threads)

    def edit(number: int, version: int) -> Entry | int:
        together.wait()
        try:
            return replace(drafts, id, version, editor=number)
        except Changed as changed:
            return changed.version

    with ThreadPoolExecutor(threads) as pool:
        for version in range(1, 16):
            results = list(pool.map(edit, range(threads), [version] * threads))
            winners = [n for n, result in enumerate(results) if isinstance(result, Entry)]
            assert len(winners) == 1
            assert [r for r in results if isinstance(r, int)] == [version + 1] * (threads - 1)
            draft = drafts.get(id)
            assert draft.entry == results[winners[0]]
            assert draft.document == {"editor": winners[0]}


EDITOR = """
import sys
from api.store import Changed, Drafts, Store
url, id, name = sys.argv[1:]
drafts = Drafts(Store.open(url))
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    while True:
        draft = drafts.get(id)
        document = {"marks": [*draft.document["marks"], f"{name}{number}"]}
        try:
            drafts.replace(id, draft.entry.version, document, title="", regime="", at=0, by=name)
            break
        except Changed as changed:
            assert changed.version > draft.entry.version
"""


def test_nothing_that_several_processes_write_into_one_draft_is_lost(
    url: str, drafts: Drafts, child: Callable[..., Child]
) -> None:
    id = drafts.add({"marks": []}, title="", regime="", at=0, by="").id
    editors = [child(EDITOR, url, id, name) for name in "abc"]
    for editor in editors:
        assert editor.stdout.readline() == "ready\n"
    for editor in editors:
        editor.say("go")
    for editor in editors:
        editor.end()
    draft = drafts.get(id)
    marks = draft.document["marks"]
    assert draft.entry.version == 1 + 60
    assert len(marks) == 60
    for name in "abc":
        assert [m for m in marks if m[0] == name] == [f"{name}{n}" for n in range(20)]


def test_many_at_once_do_not_exceed_the_number_of_drafts(store: Store) -> None:
    drafts, threads = Drafts(store, most=20), 6
    together = threading.Barrier(threads)

    def fill(_: int) -> int:
        together.wait()
        for number in range(20):
            try:
                add(drafts)
            except Full:
                return number
        return 20

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(fill, range(threads))) == 20
    assert drafts.count() == 20


def test_readers_do_not_wait_for_a_writer_nor_see_half_of_what_it_does(
    store: Store, drafts: Drafts
) -> None:
    entry = add(drafts)
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE scenario SET title = 'half'")
        assert drafts.get(entry.id).entry == entry
        assert drafts.page().entries == (entry,)
        assert drafts.count() == 1
        store.check()
    assert drafts.get(entry.id).entry.title == "half"


def test_what_fails_halfway_leaves_nothing(store: Store, drafts: Drafts) -> None:
    entry = add(drafts)
    with pytest.raises(StoreError):
        execute(store, "UPDATE scenario SET title = 'half'", "UPDATE nowhere SET title = 'half'")
    assert drafts.get(entry.id).entry == entry


WRITER = """
import sys
from api.store import Drafts, Store
drafts = Drafts(Store.open(sys.argv[1]))
while True:
    entry = drafts.add({"version": 1}, title="", regime="", at=0, by="")
    print(entry.id, entry.version, flush=True)
    for version in range(1, 8):
        document = {"version": version + 1, "long": "x" * 1000 * version}
        entry = drafts.replace(entry.id, version, document, title="", regime="", at=0, by="")
        print(entry.id, entry.version, flush=True)
"""


def test_what_a_killed_writer_had_acknowledged_is_there(
    url: str, child: Callable[..., Child]
) -> None:
    acknowledged: dict[str, int] = {}
    for _ in range(3):
        writer = child(WRITER, url)
        lines = [writer.stdout.readline() for _ in range(random.randint(1, 150))]
        writer.process.kill()
        # A line that was cut off acknowledges nothing.
        lines += writer.stdout.read().splitlines(keepends=True)
        writer.process.communicate()
        for line in lines:
            id, _, version = line.partition(" ")
            if version.endswith("\n"):
                acknowledged[id] = int(version)
        with closing(Store.open(url)) as store:
            drafts = Drafts(store)
            store.check()
            for id, at_least in acknowledged.items():
                draft = drafts.get(id)
                assert at_least <= draft.entry.version <= at_least + 1
                assert draft.document["version"] == draft.entry.version
            assert set(acknowledged) <= set(all_pages(drafts, LONGEST_PAGE))
            if url.startswith("sqlite"):
                with store.reading() as connection:
                    assert connection.exec_driver_sql("PRAGMA integrity_check").all() == [("ok",)]
            # The next one can write at once.
            drafts.remove(add(drafts).id, 1)


# Opening


def test_a_database_is_made_ready_once_and_keeps_what_it_holds(url: str) -> None:
    with closing(Store.open(url)) as store:
        store.check()
        id = add(Drafts(store)).id
    for _ in range(2):
        with closing(Store.open(url)) as store:
            store.check()
            assert Drafts(store).get(id).document == ORDER


def test_migrations_make_exactly_the_tables_that_are_used(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSIONS})
        assert compare_metadata(context, TABLES) == []
        assert set(sa.inspect(connection).get_table_names()) == {*TABLES.tables, VERSIONS}


OPENER = """
import sys
from api.store import Drafts, Store
for url in sys.stdin:
    store = Store.open(url.strip())
    print(Drafts(store).add({}, title="", regime="", at=0, by="").id, flush=True)
    store.close()
"""


def test_processes_that_start_at_once_make_the_tables_once(
    fresh: Callable[[], str], child: Callable[..., Child]
) -> None:
    openers = [child(OPENER) for _ in range(3)]
    # Only from the second time on do they know all libraries, and really start at once.
    for url in [fresh() for _ in range(6)]:
        for opener in openers:
            opener.say(url)
        ids = {opener.stdout.readline().strip() for opener in openers}
        with closing(Store.open(url)) as store:
            assert len(ids) == 3
            assert set(all_pages(Drafts(store))) == ids
    for opener in openers:
        opener.end()


def test_who_meets_another_at_the_first_start_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "store.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        waited: list[float] = []

        def pause(seconds: float) -> None:
            waited.append(seconds)
            other.execute("ROLLBACK")

        monkeypatch.setattr("time.sleep", pause)
        with closing(Store.open(sqlite(file))) as store:
            store.check()
        assert len(waited) == 1


def test_a_migration_that_fails_halfway_leaves_nothing(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE other (a integer)")
        connection.exec_driver_sql("CREATE INDEX scenario_newest ON other (a)")
    with pytest.raises(StoreError):
        Store.open(url)
    assert sa.inspect(engine).get_table_names() == ["other"]
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE other")
    engine.dispose()
    with closing(Store.open(url)) as store:
        add(Drafts(store))


def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    with closing(Store.open(url)) as store:
        execute(store, f"UPDATE {VERSIONS} SET version_num = '9999'")
    with pytest.raises(StoreError, match="a later version of placet"):
        Store.open(url)


def test_a_database_without_its_tables_is_not_ready(store: Store) -> None:
    execute(store, "DROP TABLE scenario")
    with pytest.raises(StoreError):
        store.check()


def test_a_connection_that_was_cut_is_made_again(server: Callable[[], str]) -> None:
    with closing(Store.open(server())) as store:
        add(Drafts(store))
        other = sa.create_engine(store.engine.url)
        with other.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        other.dispose()
        add(Drafts(store))
        assert Drafts(store).count() == 2


def test_sqlite_keeps_what_it_says_through_a_loss_of_power(tmp_path: Path) -> None:
    with (
        closing(Store.open(sqlite(tmp_path / "store.db"))) as store,
        store.reading() as first,
        store.reading() as second,
    ):
        for connection in (first, second):
            said = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert said == {
                "journal_mode": "wal",
                "synchronous": 2,
                "foreign_keys": 1,
                "busy_timeout": 10_000,
            }


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    with closing(Store.open(sqlite(tmp_path / "store.db"))) as store:
        add(Drafts(store))
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_writer_that_waits_in_vain_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Store.open(sqlite(tmp_path / "store.db"))) as patient:
        monkeypatch.setattr(api.store, "PATIENCE", 0)
        with closing(Store.open(sqlite(tmp_path / "store.db"))) as other:
            with patient.writing(), pytest.raises(StoreError, match="database is locked"):
                add(Drafts(other))
            add(Drafts(other))


# What is told

NO_STORES = [
    "",
    "placet.db",
    "sqlite://",
    "sqlite:///:memory:",
    "sqlite:///file:x?mode=memory&uri=true",
    "mysql://lin:hunter2@127.0.0.1/placet",
    "postgres://lin:hunter2@127.0.0.1/placet",
    "postgresql+psycopg2://lin:hunter2@127.0.0.1/placet",
    "postgresql://lin:hunter2",
    "postgresql://lin:x@hunter2@127.0.0.1:1/placet",
    "postgresql://lin:hunter2@127.0.0.1:1/placet",
    "postgresql://lin@127.0.0.1:1/placet?password=hunter2",
    "postgresql://lin:hunter2@127.0.0.1:port/placet",
    "postgresql://lin:hunter2@127.0.0.1:1/placet?sslmode=hunter2",
    "postgresql://lin:hunter2@127.0.0.1:1/placet?nothing=hunter2",
]


@pytest.mark.parametrize("url", NO_STORES)
def test_what_is_no_store_is_told_without_its_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as told:
        Store.open(url)
    assert "hunter2" not in "".join(traceback.format_exception(told.value))
    assert "\n" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


def test_what_postgresql_needs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"placet\[postgres\]"):
        Store.open("postgresql://127.0.0.1:1/placet")


def test_a_store_does_not_show_its_password(server: Callable[[], str]) -> None:
    url = server().replace("postgres@", "postgres:hunter2@")
    with closing(Store.open(url)) as store:
        assert "hunter2" not in repr(store)
        with pytest.raises(StoreError) as told:
            execute(store, "SELECT 'hunter2'::integer")
        assert str(told.value) == (
            'the database says: invalid input syntax for type integer: "***"'
        )


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    file.write_text("These are the minutes of Monday's meeting. " * 100, encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(StoreError, match="file is not a database"):
        Store.open(sqlite(tmp_path / "store.db"))
    assert file.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere.store\.db cannot be opened: No such file"):
        Store.open(sqlite(tmp_path / "nowhere" / "store.db"))


def test_an_error_tells_no_contents(store: Store) -> None:
    with pytest.raises(StoreError) as told, store.writing() as connection:
        connection.execute(
            sa.insert(TABLES.tables["scenario"]).values(id="d-x", document="top secret")
        )
    assert "top secret" not in "".join(traceback.format_exception(told.value))
