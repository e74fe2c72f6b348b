"""The casebook: what was acknowledged is kept once, no book passes its cap, whoever is killed."""

from __future__ import annotations

import random
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api.casebook import Cases
from api.casefile import (
    LONGEST_KEY,
    LONGEST_NAME,
    BookRow,
    CaseEntry,
    Counts,
    CustomerShare,
    KeyUsed,
    LedgerView,
    OtherGroup,
    Standing,
    StoredCase,
    Taken,
    TooLong,
    holder_of,
)
from api.store import (
    LONGEST_PAGE,
    LONGEST_TITLE,
    VERSIONS,
    Changed,
    Drafts,
    Full,
    NotThere,
    Store,
    StoreError,
)
from api.tables import TABLES
from engine.lifecycle import Happening, NotTaken, Setting, begin, step
from engine.load import Rulebook
from engine.order import Document, read_order
from engine.process import LEDGER, SHARES
from engine.source import JsonNumber
from tests.databases import KINDS, postgresql, sqlite
from tests.ordering import (
    CAP,
    OPENING,
    ORDER,
    WORKSPACE,
    Acknowledged,
    Placing,
    append_for_ever,
    append_one,
    audit,
    came_to,
    child,
    fork_one,
    killed_at,
    open_one_more,
    opened,
    place_orders,
    taken,
)


@pytest.fixture(scope="session")
def server() -> Iterator[Callable[[], str]]:
    with postgresql() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def shared(server: Callable[[], str]) -> str:
    """A database that tests empty before they use it: to make and remove one takes its time."""
    return server()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that holds nothing, by its URL."""
    if request.param == "sqlite":
        return sqlite(tmp_path / "store.db")
    url: str = request.getfixturevalue("shared")
    with closing(Store.open(url)) as store:
        execute(store, f"TRUNCATE {', '.join(TABLES.tables)}")
    return url


@pytest.fixture(params=KINDS)
def own(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database for one test alone, by its URL."""
    if request.param == "sqlite":
        return sqlite(tmp_path / "store.db")
    server: Callable[[], str] = request.getfixturevalue("server")
    return server()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store.open(url)) as store:
        yield store


@pytest.fixture
def cases(store: Store) -> Cases:
    return Cases(store)


def added(cases: Cases, id: str, chips: int = 10, kind: str = "order", **told: Any) -> StoredCase:
    """A case after one event more, of the kinds that `tests.ordering` takes."""
    sent = {"event": kind, "chips": chips}
    usual: dict[str, Any] = {"version": None, "key": None, "event": sent, "at": 2000, "by": "wu"}
    return cases.append(id, **{**usual, "take": taken(sent), **told}).case


def never(case: StoredCase, view: LedgerView) -> Taken:
    raise AssertionError("nobody asks what is not to be added")


def execute(store: Store, statement: str, **values: Any) -> None:
    with store.writing() as connection:
        connection.execute(sa.text(statement), values)


def all_pages(cases: Cases, size: int = 3, **filters: Any) -> list[str]:
    page = cases.page(size, **filters)
    ids = [entry.id for entry in page.entries]
    while page.next is not None:
        # Pages that never end are told, not waited for.
        assert len(ids) < 1000
        page = cases.page(size, page.next, **filters)
        ids += [entry.id for entry in page.entries]
    return ids


# One case


def test_a_case_comes_back_as_it_was_opened(cases: Cases) -> None:
    entry = opened(cases, group="Acme Group", title="最后两万")
    assert entry == CaseEntry(
        id=entry.id,
        workspace=WORKSPACE,
        process="h200-article",
        edition="sha256:1",
        title="最后两万",
        customer="acme",
        group="Acme Group",
        holder="g:Acme Group",
        counted=True,
        opened_on=739_600,
        version=0,
        stage="draft",
        ended=False,
        counts=Counts(),
        origin=entry.id,
        forked_from=None,
        forked_at=None,
        created_at=1000,
        created_by="lin",
        updated_at=1000,
    )
    assert cases.get(entry.id) == StoredCase(entry, ORDER, ())


def test_ids_are_random_and_hold_nothing_that_looks_like_something_else(cases: Cases) -> None:
    ids = {opened(cases).id for _ in range(30)}
    assert len(ids) == 30
    assert all(re.fullmatch("c-[a-z2-9]{12}", id) for id in ids)
    assert not set("lo") & set("".join(ids).replace("c-", ""))


def test_an_event_moves_version_stage_and_counts_together(cases: Cases) -> None:
    id = opened(cases).id
    sent = {"event": "sign", "note": "签\0字", "sum": JsonNumber("1.50")}
    supplied = {"units_to_date": "55000", "none": None}
    after = Taken("signed", True, Counts(1, 2, 3, 4), supplied, ("reference", "live"), 55_000)
    done = cases.append(
        id, version=0, key="k-1", event=sent, at=3000, by="wu", take=lambda case, view: after
    )
    assert not done.known
    case = done.case
    assert cases.get(id) == case
    (event,) = case.events
    assert (event.number, event.key, event.at, event.by) == (1, "k-1", 3000, "wu")
    assert (event.event, event.supplied) == (sent, supplied)
    assert type(event.event["sum"]) is JsonNumber
    assert event.judged_by == ("reference", "live")
    for copy in (event, case.entry):
        assert (copy.stage, copy.ended, copy.counts) == ("signed", True, Counts(1, 2, 3, 4))
    assert (case.entry.version, case.entry.updated_at) == (1, 3000)
    assert case.document == ORDER
    assert cases.page().entries == (case.entry,)


def test_take_sees_the_case_with_every_event_before(cases: Cases) -> None:
    id = opened(cases).id
    for number in range(5):
        before = cases.get(id)
        seen: list[StoredCase] = []

        def take(case: StoredCase, view: LedgerView, seen: list[StoredCase] = seen) -> Taken:
            seen.append(case)
            return Taken("on", False, Counts(), {}, ())

        cases.append(id, version=number, key=None, event={}, at=1, by="", take=take)
        assert seen == [before]
        assert [event.number for event in before.events] == list(range(1, number + 1))


def test_what_take_refuses_leaves_no_trace(cases: Cases) -> None:
    id = opened(cases).id
    before = added(cases, id)

    def take(case: StoredCase, view: LedgerView) -> Taken:
        raise LookupError("no")

    with pytest.raises(LookupError):
        added(cases, id, key="k", take=take)
    assert cases.get(id) == before
    # The key has not been used either.
    assert added(cases, id, key="k").entry.version == 2


def test_an_event_of_another_version_is_not_added_and_learns_the_present_one(cases: Cases) -> None:
    id = opened(cases).id
    present = added(cases, id, version=0)
    for version in (0, 2, -1, 10**30):
        with pytest.raises(Changed) as told:
            added(cases, id, version=version, take=never)
        assert told.value.version == 1
    assert cases.get(id) == present
    assert added(cases, id, version=1).entry.version == 2
    assert added(cases, id, version=None).entry.version == 3


def test_what_never_was_a_case_is_not_there(cases: Cases) -> None:
    id = opened(cases).id
    for other in (
        "",
        "c-",
        "c-bcdfghjkmnpq",
        id.upper(),
        f"{id}\n",
        "c-\0",
        "c-\ud800",
        "d" + id[1:],
    ):
        for act in (
            cases.get,
            cases.view,
            lambda id: added(cases, id, take=never),
            lambda id: cases.fork(id, 0, title="", at=1, by=""),
        ):
            with pytest.raises(NotThere):
                act(other)
    assert all_pages(cases) == [id]


def test_a_count_below_nothing_is_never_written(cases: Cases) -> None:
    id = opened(cases).id
    for place in range(4):
        counts = Counts(*(-1 if n == place else 9 for n in range(4)))
        with pytest.raises(StoreError):
            added(cases, id, take=lambda c, v, n=counts: Taken("on", False, n, {}, ()))
    with pytest.raises(StoreError):
        added(cases, id, take=lambda c, v: Taken("on", False, Counts(), {}, (), -1))
    assert cases.get(id).entry.version == 0


def test_an_error_tells_no_contents(cases: Cases) -> None:
    id = opened(cases).id
    with pytest.raises(StoreError) as told:
        added(cases, id, take=lambda c, v: Taken("top secret", False, Counts(-1), {}, ()))
    assert "top secret" not in str(told.value)
    for error in (KeyUsed(), OtherGroup("top secret"), TooLong(9)):
        assert "top secret" not in "".join(traceback.format_exception(error))


def test_a_case_is_never_dated_back_by_a_slow_clock(cases: Cases) -> None:
    id = opened(cases, at=1000).id
    assert added(cases, id, at=500).entry.updated_at == 1000
    assert added(cases, id, at=3000).entry.updated_at == 3000
    assert added(cases, id, at=2000).entry.updated_at == 3000
    assert [event.at for event in cases.get(id).events] == [500, 3000, 2000]


# Keys


def test_the_same_key_and_content_open_one_case(cases: Cases) -> None:
    entry = opened(cases, key="k")
    assert opened(cases, key="k") == entry
    turned = {"facts": {"item": {"product": None}, "order.quantity": "20000"}}
    assert opened(cases, key="k", document=turned) == entry
    # Rules may have become newer in the meantime, and somebody else may ask again.
    assert opened(cases, key="k", edition="sha256:2", at=5, by="wu") == entry
    assert all_pages(cases) == [entry.id]
    after = added(cases, entry.id).entry
    assert opened(cases, key="k") == after


def test_a_key_that_opened_something_else_is_told(cases: Cases) -> None:
    opened(cases, key="k")
    others: tuple[dict[str, Any], ...] = (
        {"title": "Another"},
        {"customer": "other"},
        {"group": "other"},
        {"process": "ear-750"},
        {"opened_on": 739_601},
        {"document": {"facts": {"order.quantity": "20001", "item": {"product": None}}}},
        {"document": {"facts": {"order.quantity": JsonNumber("20000.0")}}},
    )
    for other in others:
        with pytest.raises(KeyUsed):
            opened(cases, **{"key": "k", **other})
    assert len(all_pages(cases)) == 1
    assert cases.group_of(WORKSPACE, "other") is None


def test_a_key_is_of_one_workspace_and_none_is_no_key(cases: Cases) -> None:
    ids = {opened(cases, key="k").id, opened(cases, key="k", workspace="other").id}
    ids |= {
        opened(cases).id,
        opened(cases).id,
        opened(cases, key="K").id,
        opened(cases, key="").id,
    }
    assert len(ids) == 6


def test_an_event_that_is_sent_again_is_answered_as_it_was_then(cases: Cases) -> None:
    id = opened(cases).id
    sent = {"event": "order", "chips": 5, "more": {"a": 1, "b": [True]}}
    first = added(cases, id, event=sent, key="k", take=taken(sent))
    added(cases, id, 7, at=9000)
    present = added(cases, id, 3, "ship", at=9000)
    turned = {"more": {"b": [True], "a": 1}, "chips": 5, "event": "order"}
    for version in (None, 0, 1, 17):
        again = cases.append(id, version=version, key="k", event=turned, at=99, by="x", take=never)
        assert again.known
        assert again.case == first
    assert cases.get(id) == present


def test_a_key_that_sent_something_else_is_told(cases: Cases) -> None:
    id = opened(cases).id
    before = added(cases, id, 5, key="k")
    for other in (
        {"event": "order", "chips": 6},
        {"event": "order", "chips": True},
        {"event": "order", "chips": "5"},
        {"event": "order", "chips": 5, "note": ""},
        {"event": "order"},
        {},
    ):
        with pytest.raises(KeyUsed):
            added(cases, id, event=other, key="k", take=never)
    assert cases.get(id) == before


def test_what_a_key_has_opened_is_found(cases: Cases) -> None:
    entry = opened(cases, key="k")
    opened(cases, workspace="theirs")
    assert cases.opened(WORKSPACE, "k") == entry
    assert added(cases, entry.id).entry == cases.opened(WORKSPACE, "k")
    for workspace, key in ((WORKSPACE, "K"), (WORKSPACE, ""), ("theirs", "k"), ("", "\0")):
        assert cases.opened(workspace, key) is None


def test_a_key_of_an_event_is_of_one_case_and_none_is_no_key(cases: Cases) -> None:
    for id in (opened(cases).id, opened(cases).id):
        for key in ("k", None, None, "K", ""):
            added(cases, id, key=key)
        assert [e.key for e in cases.get(id).events] == ["k", None, None, "K", ""]


# Limits


def test_there_are_at_most_so_many_casesfork_one_included(store: Store) -> None:
    cases = Cases(store, most=3)
    id = opened(cases, key="k").id
    opened(cases)
    cases.fork(id, 0, title="", at=1, by="")
    with pytest.raises(Full, match="there are 3 cases already"):
        opened(cases, customer="new")
    with pytest.raises(Full):
        cases.fork(id, 0, title="", at=1, by="")
    assert len(all_pages(cases)) == 3
    # What was refused has named no customer; what is there can be asked for and gone on with.
    assert cases.group_of(WORKSPACE, "new") is None
    assert opened(cases, key="k").id == id
    added(cases, id)


def test_a_case_has_at_most_so_many_events(store: Store) -> None:
    cases = Cases(store, most_events=2)
    id = opened(cases).id
    added(cases, id, key="k")
    present = added(cases, id)
    with pytest.raises(Full, match="there are 2 events in this case already"):
        added(cases, id, take=never)
    with pytest.raises(Changed):
        added(cases, id, version=1, take=never)
    assert added(cases, id, key="k", take=never).entry.version == 1
    assert cases.get(id) == present


def test_names_and_keys_have_a_length(cases: Cases) -> None:
    long, short = "字" * (LONGEST_NAME + 1), "字" * (LONGEST_KEY + 1)
    id = opened(cases).id
    for told in ({"customer": long}, {"group": long}, {"workspace": short}, {"key": short}):
        with pytest.raises(TooLong):
            opened(cases, **told)
    with pytest.raises(TooLong):
        added(cases, id, key=short, take=never)
    # Four bytes each, and no way to write them shorter.
    dice = random.Random(1)

    def as_long(most: int) -> str:
        return "".join(chr(dice.randrange(0x20000, 0x2A000)) for _ in range(most))

    names = {"customer": as_long(LONGEST_NAME), "group": as_long(LONGEST_NAME)}
    keys = {"workspace": as_long(LONGEST_KEY), "key": as_long(LONGEST_KEY)}
    entry = opened(cases, **names, **keys)
    added(cases, entry.id, key=keys["key"])
    assert opened(cases, **names, **keys).version == 1
    (row,) = cases.ledger(keys["workspace"], entry.holder)
    assert (row.holder, row.counts.used) == (f"g:{names['group']}", 10)


# Groups


def test_a_customer_has_the_group_with_which_the_first_case_names_it(cases: Cases) -> None:
    assert cases.group_of(WORKSPACE, "acme") is None
    first = opened(cases, "acme", group="group")
    assert cases.group_of(WORKSPACE, "acme") == "group"
    for given in (None, "", "group"):
        assert opened(cases, "acme", group=given).holder == first.holder == "g:group"
    with pytest.raises(OtherGroup) as told:
        opened(cases, "acme", group="other")
    assert told.value.group == "group"
    assert opened(cases, "acme", group="other", workspace="theirs").holder == "g:other"
    assert opened(cases, "Acme", group="other").holder == "g:other"


def test_a_customer_who_came_without_a_group_stays_so(cases: Cases) -> None:
    assert opened(cases, "acme").holder == "c:acme"
    assert cases.group_of(WORKSPACE, "acme") == ""
    with pytest.raises(OtherGroup) as told:
        opened(cases, "acme", group="group")
    assert told.value.group == ""
    assert opened(cases, "acme").holder == "c:acme"


def test_whose_book_it_is(cases: Cases) -> None:
    for customer, group, holder in (
        ("acme", "group", "g:group"),
        ("lone", None, "c:lone"),
        (None, "group", "g:group"),
        (None, None, ""),
    ):
        assert holder_of(customer, group) == holder
        entry = opened(cases, customer, group=group)
        assert (entry.holder, entry.customer) == (holder, customer or "")
        assert opened(cases, customer, group=group, booked=False).holder == ""
    # A customer and a group of one name are two books.
    assert opened(cases, "group").holder == "c:group"


def test_of_many_who_name_a_customer_first_one_says_the_group(cases: Cases) -> None:
    threads = 6
    together = threading.Barrier(threads)

    def name(number: int) -> str | None:
        together.wait()
        try:
            return opened(cases, "acme", group=f"g{number}").group
        except OtherGroup as other:
            return f"not {other.group}"

    with ThreadPoolExecutor(threads) as pool:
        told = list(pool.map(name, range(threads)))
    (group,) = [one for one in told if one and not one.startswith("not ")]
    assert told.count(f"not {group}") == threads - 1
    assert [cases.get(id).entry.group for id in all_pages(cases)] == [group]


# Books


def test_a_book_is_what_the_cases_of_its_customers_hold(cases: Cases) -> None:
    hangzhou, beijing = (opened(cases, c, group="group").id for c in ("hangzhou", "beijing"))
    lone, theirs = opened(cases, "lone").id, opened(cases, "lone", workspace="theirs").id
    added(cases, hangzhou, 40_000)
    added(cases, opened(cases, "hangzhou").id, 500)
    added(cases, hangzhou, 300, "ship")
    added(cases, hangzhou, 100, "return")
    added(cases, beijing, 7)
    added(cases, lone, 20)
    added(cases, theirs, 30)
    shares = (
        CustomerShare("beijing", Counts(reserved=7), 1),
        CustomerShare("hangzhou", Counts(40_200, 0, 300, 100), 2),
    )
    ours = BookRow("g:group", OPENING, True, Counts(40_207, 0, 300, 100), 41_507, shares, 3)
    alone = CustomerShare("lone", Counts(reserved=20), 1)
    own = BookRow("c:lone", OPENING, True, Counts(reserved=20), 1020, (alone,), 1)
    assert cases.ledger(WORKSPACE) == (own, ours)
    assert cases.ledger(WORKSPACE, "g:group") == (ours,)
    assert cases.ledger(WORKSPACE, "c:beijing") == cases.ledger("nowhere") == ()
    assert [row.used for row in cases.ledger("theirs")] == [1030]


def test_a_book_is_open_before_anything_is_in_it(cases: Cases) -> None:
    id = opened(cases, "acme").id
    share = CustomerShare("acme", Counts(), 1)
    assert cases.ledger(WORKSPACE) == (BookRow("c:acme", 0, False, Counts(), 0, (share,), 1),)
    assert cases.view(id) == LedgerView("c:acme", 0, False, Counts(), 0)


def test_an_opening_of_nothing_is_said_all_the_same(cases: Cases) -> None:
    id = opened(cases, "acme").id
    added(cases, id, take=lambda c, v: Taken("on", False, Counts(), {}, (), None))
    assert not cases.view(id).has_book
    added(cases, id, take=lambda c, v: Taken("on", False, Counts(), {}, (), 0))
    assert cases.view(id) == LedgerView("c:acme", 0, True, Counts(), 0)
    assert cases.ledger(WORKSPACE)[0].has_book


def test_a_case_sees_what_all_others_of_its_book_hold(cases: Cases) -> None:
    one, two = (opened(cases, c, group="group").id for c in ("hangzhou", "beijing"))
    added(cases, one, 40_000)
    added(cases, two, 30_000)
    added(cases, two, 300, "ship")
    added(cases, two, 300, "return")
    seen: list[LedgerView] = []

    def take(case: StoredCase, view: LedgerView) -> Taken:
        seen.append(view)
        raise LookupError

    for id in (one, two):
        with pytest.raises(LookupError):
            added(cases, id, take=take)
    assert seen == [
        LedgerView("g:group", OPENING, True, Counts(29_700, 0, 300, 300), OPENING + 30_000),
        LedgerView("g:group", OPENING, True, Counts(40_000), OPENING + 40_000),
    ]
    assert [cases.view(id) for id in (one, two)] == seen


def test_what_is_booked_to_nobody_stands_in_no_book(cases: Cases) -> None:
    id = opened(cases, "acme", booked=False).id
    after = added(cases, id, take=lambda c, v: Taken("on", False, Counts(5), {}, (), 9))
    assert after.entry.counts == Counts(5)
    assert cases.view(id) == LedgerView("", 0, False, Counts(), 0)
    assert cases.ledger(WORKSPACE) == ()


def test_counts_have_the_names_of_the_ledger_and_use_what_counts() -> None:
    assert tuple(Counts.__slots__) == LEDGER
    counts = Counts(**{name: 10**place for place, name in enumerate(LEDGER)})
    assert counts.used == sum(getattr(counts, name) for name in SHARES)
    assert counts + counts == Counts(2, 20, 200, 2000)


# Forks


def test_a_fork_is_the_case_as_it_was_after_an_event(cases: Cases) -> None:
    id = opened(cases, group="group").id
    course = [cases.get(id)]
    for chips, event in ((50, "order"), (20, "ship"), (5, "cancel")):
        course.append(added(cases, id, chips, event, key=event))
    for version, before in enumerate(course):
        entry = cases.fork(id, version, title="What if", at=7000, by="wu")
        fork = cases.get(entry.id)
        assert fork.entry == entry
        own: dict[str, Any] = {"id": entry.id, "title": "What if", "counted": False}
        own |= {"origin": id, "forked_from": id, "forked_at": version}
        own |= {"created_at": 7000, "created_by": "wu", "updated_at": 7000}
        assert fork == StoredCase(
            replace(before.entry, **own),
            before.document,
            tuple(replace(event, key=None) for event in before.events),
        )
    for version in (-1, 4, 10**30):
        with pytest.raises(NotThere):
            cases.fork(id, version, title="", at=1, by="")
    assert cases.get(id) == course[-1]


def test_a_fork_goes_its_own_way(cases: Cases) -> None:
    id = opened(cases).id
    before = added(cases, id, 50, key="k")
    fork = cases.fork(id, 1, title="", at=3000, by="").id
    # A key that the first case has seen is new to its fork.
    after = added(cases, fork, 20, key="k", version=1, at=4000)
    assert (after.entry.version, after.entry.counts) == (2, Counts(70))
    assert [event.key for event in after.events] == [None, "k"]
    assert cases.get(id) == before
    added(cases, id, 1)
    assert cases.get(fork) == after


def testfork_one_never_count_and_see_the_book_without_their_origin(cases: Cases) -> None:
    id, other = opened(cases).id, opened(cases).id
    added(cases, id, 40_000)
    added(cases, other, 20_000)
    book = cases.ledger(WORKSPACE)
    fork = cases.fork(id, 1, title="", at=1, by="").id
    again = cases.fork(fork, 1, title="", at=1, by="")
    assert (again.origin, again.forked_from) == (id, fork)
    # As if it stood in place of its origin, it has room for what the origin leaves.
    for one in (fork, again.id):
        added(cases, one, 14_000)
        view = LedgerView("c:acme", OPENING, True, Counts(20_000), OPENING + 20_000)
        assert cases.view(one) == view
    assert cases.ledger(WORKSPACE) == book
    assert cases.view(id) == cases.view(fork)
    assert cases.view(other).used == OPENING + 40_000
    assert cases.verify(came_to) == ()


def test_a_forkopen_one_more_no_book(cases: Cases) -> None:
    fork = cases.fork(opened(cases).id, 0, title="", at=1, by="").id
    added(cases, fork, 10)
    assert not cases.view(fork).has_book
    assert [row.has_book for row in cases.ledger(WORKSPACE)] == [False]


# Lists


def test_pages_hold_every_case_once_newest_first_whatever_their_size(cases: Cases) -> None:
    ids = [opened(cases, at=number // 4).id for number in range(17)]
    moved = ids[3]
    added(cases, moved, at=100)
    whole = all_pages(cases, 100)
    assert whole[0] == moved
    assert sorted(whole) == sorted(ids)
    times = [cases.get(id).entry.updated_at for id in whole]
    assert times == sorted(times, reverse=True)
    for size in (1, 2, 16, 17, 18):
        assert all_pages(cases, size) == whole
    assert cases.page(17).next is None
    assert len(cases.page(-1).entries) == 1


def test_a_page_is_not_endless(cases: Cases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.casebook.LONGEST_PAGE", 5)
    for _ in range(6):
        opened(cases)
    assert len(cases.page(10**9).entries) == 5


def test_a_list_can_be_of_one_kind(cases: Cases) -> None:
    one = opened(cases, "a", at=1).id
    two = opened(cases, "b", group="g", process="ear-750", title="Étude 100%", at=2).id
    three = opened(cases, "c", group="g", workspace="theirs", stage="placed", at=3).id
    added(cases, one, take=lambda c, v: Taken("closed", True, Counts(), {}, ()))
    fork = cases.fork(two, 0, title="Ｈ２００_最后", at=4, by="").id
    lists: tuple[tuple[dict[str, Any], list[str]], ...] = (
        ({}, [one, fork, three, two]),
        ({"workspace": WORKSPACE}, [one, fork, two]),
        ({"customer": "b"}, [fork, two]),
        ({"group": "g"}, [fork, three, two]),
        ({"group": ""}, [one]),
        ({"process": "ear-750"}, [fork, two]),
        ({"stage": "closed"}, [one]),
        ({"stage": "draft", "group": "g"}, [fork, two]),
        ({"ended": True}, [one]),
        ({"ended": False}, [fork, three, two]),
        ({"title": "étude"}, [two]),
        ({"title": "h200"}, [fork]),
        ({"title": "%"}, [two]),
        ({"title": "_"}, [fork]),
        ({"title": "a%e"}, []),
        ({"title": "%" * 100_000}, []),
        ({"customer": "b\0", "workspace": WORKSPACE}, []),
    )
    for filters, found in lists:
        assert all_pages(cases, 1, **filters) == found, filters


def test_workspaces_are_those_of_cases(cases: Cases) -> None:
    assert cases.workspaces() == ()
    for name in ("b", "a", "字", "b", "B"):
        opened(cases, workspace=name)
    assert cases.workspaces() == ("B", "a", "b", "字")


def test_a_long_title_is_cut(cases: Cases) -> None:
    entry = opened(cases, title="﷽" * 1000, key="k")
    assert entry.title == "﷽" * LONGEST_TITLE
    assert opened(cases, title="﷽" * 1000, key="k") == entry
    assert len(cases.fork(entry.id, 0, title="x" * 1000, at=1, by="").title) == LONGEST_TITLE


def test_what_is_no_place_in_the_list_is_told(cases: Cases) -> None:
    id = opened(cases).id
    for after in ("", "1", id, f"{10**30}-{id}", f"-1-{id}", f"1-{id}\n", "1-\0", f"1-d{id[1:]}"):
        with pytest.raises(NotThere):
            cases.page(after=after)


TEXTS = [
    "'; DROP TABLE casefile; --",
    "100% _all_ \\ $1 :name %(name)s ?",
    "👩\u200d🚀 𠮷 e\u0301",
    "a\0b\ud800",
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_kept_and_found(cases: Cases, text: str) -> None:
    told = dict.fromkeys(("workspace", "process", "edition", "title", "group", "stage"), text)
    document: dict[str, Any] = {text: [text, {"facts": text}]}
    entry = opened(cases, text, **told, key=text, by=text, document=document)
    assert opened(cases, text, **told, key=text, by=text, document=document) == entry
    after = added(
        cases,
        entry.id,
        key=text,
        by=text,
        event=document,
        take=lambda c, v: Taken(text, False, Counts(1), document, (text,)),
    )
    assert cases.get(entry.id) == after
    assert after.document == after.events[0].event == after.events[0].supplied == document
    again = {"version": 0, "key": text, "event": document, "at": 1, "by": ""}
    assert cases.append(entry.id, **again, take=never).known  # type: ignore[arg-type]
    shown = text.replace("\0", "␀").replace("\ud800", "\ufffd")
    assert (after.entry.holder, after.entry.stage) == (f"g:{shown}", shown)
    for name in ("workspace", "customer", "group", "process", "stage", "title"):
        assert all_pages(cases, 9, **{name: text}) == [entry.id]
    assert cases.ledger(text, f"g:{text}")[0].counts == Counts(1)
    assert cases.group_of(text, text) == shown


# What copies and events say


TAMPERED = {
    "UPDATE casefile SET reserved = 31 WHERE id = :id": ("reserved",),
    "UPDATE casefile SET licensed = 1 WHERE id = :id": ("licensed",),
    "UPDATE casefile SET shipped = 0, returned = 1 WHERE id = :id": ("shipped", "returned"),
    "UPDATE casefile SET stage = 'closed' WHERE id = :id": ("stage",),
    "UPDATE casefile SET ended = NOT ended WHERE id = :id": ("ended",),
    "UPDATE casefile SET version = 3 WHERE id = :id": ("events",),
    "UPDATE casefile SET version = 1 WHERE id = :id": ("events", "stage", "reserved", "shipped"),
    "DELETE FROM case_event WHERE case_id = :id AND number = 1": ("events", "reserved"),
    "UPDATE case_event SET number = 3 WHERE case_id = :id AND number = 1": ("events", "reserved"),
    "UPDATE case_event SET reserved = 9 WHERE case_id = :id AND number = 2": ("reserved",),
    "UPDATE case_event SET stage = 'x' WHERE case_id = :id AND number = 2": ("stage",),
    "UPDATE case_event SET event = replace(event, '50', '51') WHERE case_id = :id": ("reserved",),
}


def test_copies_that_are_not_what_events_come_to_are_named(store: Store, cases: Cases) -> None:
    ids = [opened(cases, f"c{number}").id for number in range(len(TAMPERED) + 1)]
    for id in ids:
        added(cases, id, 50)
        added(cases, id, 20, "ship")
    cases.fork(ids[0], 1, title="", at=1, by="")
    assert cases.verify(came_to) == ()
    for id, statement in zip(ids, TAMPERED, strict=False):
        execute(store, statement, id=id)
    told = {one.id: one.differs for one in cases.verify(came_to)}
    assert told == dict(zip(ids, TAMPERED.values(), strict=False))


def test_a_case_that_cannot_be_played_is_named_and_the_others_are_seen_to(cases: Cases) -> None:
    first, second, theirs = (
        opened(cases, workspace=name).id for name in (WORKSPACE, WORKSPACE, "b")
    )

    def standing(case: StoredCase) -> Standing:
        if case.entry.id != second:
            raise ValueError("it is not taken")
        return Standing("closed", False, Counts())

    told = {one.id: one.differs for one in cases.verify(standing)}
    assert told == {first: ("broken",), second: ("stage",), theirs: ("broken",)}
    assert {one.id for one in cases.verify(standing, workspace="b")} == {theirs}


def test_every_case_is_verified_however_many_there_are(
    cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {opened(cases).id for _ in range(7)}
    for at_once in (1, 2, 7, 8):
        monkeypatch.setattr("api.casebook._AT_ONCE", at_once)
        seen: list[str] = []

        def standing(case: StoredCase, seen: list[str] = seen) -> Standing:
            seen.append(case.entry.id)
            return came_to(case)

        assert cases.verify(standing) == ()
        assert sorted(seen) == sorted(ids)


def test_events_are_only_ever_added(store: Store, cases: Cases) -> None:
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        said.append(" ".join(statement.split()))

    sa.event.listen(store.engine, "before_cursor_execute", note)
    id = opened(cases, key="k").id
    opened(cases, key="k")
    for _ in range(2):
        added(cases, id, key="k")
    fork = cases.fork(id, 1, title="", at=1, by="").id
    added(cases, fork)
    cases.page(), cases.ledger(WORKSPACE), cases.verify(came_to)
    verbs = {(s.split()[0], table) for s in said for table in re.findall("casefile|case_event", s)}
    assert {verb for verb, table in verbs if table == "case_event"} == {"SELECT", "INSERT"}
    assert {verb for verb, table in verbs if table == "casefile"} >= {"INSERT", "UPDATE"}
    assert not any(statement.startswith("DELETE") for statement in said)


# Many at once


def test_of_many_threads_that_add_to_one_version_exactly_one_wins(cases: Cases) -> None:
    id, threads = opened(cases).id, 6
    together = threading.Barrier(threads)

    def add(number: int, version: int) -> StoredCase | int:
        together.wait()
        try:
            return added(cases, id, number + 1, version=version)
        except Changed as changed:
            return changed.version

    with ThreadPoolExecutor(threads) as pool:
        for version in range(12):
            results = list(pool.map(add, range(threads), [version] * threads))
            (winner,) = [result for result in results if isinstance(result, StoredCase)]
            assert results.count(version + 1) == threads - 1
            assert cases.get(id) == winner


def test_what_many_send_with_one_key_is_added_once(cases: Cases) -> None:
    id, threads = opened(cases).id, 6
    together = threading.Barrier(threads)

    def add(key: str) -> StoredCase:
        together.wait()
        return added(cases, id, key=key)

    with ThreadPoolExecutor(threads) as pool:
        for number in range(1, 9):
            answers = list(pool.map(add, [f"k{number}"] * threads))
            assert answers == [cases.get(id)] * threads
            assert answers[0].entry.version == number


def test_what_many_open_with_one_key_is_one_case(cases: Cases) -> None:
    threads = 6
    together = threading.Barrier(threads)

    def open_one(_: int) -> str:
        together.wait()
        return opened(cases, key="k").id

    with ThreadPoolExecutor(threads) as pool:
        assert set(pool.map(open_one, range(threads))) == set(all_pages(cases))
    assert len(all_pages(cases)) == 1


def test_many_at_once_do_not_exceed_the_number_of_cases(store: Store) -> None:
    cases, threads = Cases(store, most=12), 6
    id = opened(cases).id
    together = threading.Barrier(threads)

    def fill(number: int) -> int:
        together.wait()
        for done in range(12):
            try:
                if number % 2:
                    opened(cases)
                else:
                    cases.fork(id, 0, title="", at=1, by="")
            except Full:
                return done
        return 12

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(fill, range(threads))) == 11
    assert len(all_pages(cases)) == 12


def test_readers_do_not_wait_for_a_writer_nor_see_half_of_what_it_does(cases: Cases) -> None:
    id = opened(cases).id
    before = added(cases, id, 40)

    def take(case: StoredCase, view: LedgerView) -> Taken:
        with ThreadPoolExecutor(1) as other:
            assert other.submit(cases.get, id).result(5) == before
            assert other.submit(cases.ledger, WORKSPACE).result(5)[0].counts == Counts(40)
            assert other.submit(cases.page).result(5).entries == (before.entry,)
        return Taken("closed", True, Counts(), {}, ())

    added(cases, id, take=take)
    assert cases.ledger(WORKSPACE)[0].counts == Counts()


def test_the_cap_holds_where_a_database_shows_old_rows_by_default(
    server: Callable[[], str],
) -> None:
    url = server()
    name = sa.make_url(url).database
    with closing(Store.open(url)) as store:
        isolation = "SET default_transaction_isolation = 'repeatable read'"
        execute(store, f"ALTER DATABASE {name} {isolation}")
    with closing(Store.open(url)) as store:
        cases = Cases(store)
        one, two = opened(cases).id, opened(cases).id
        added(cases, one, 1)
        waiting = threading.Event()
        seen: list[LedgerView] = []

        def first(case: StoredCase, view: LedgerView) -> Taken:
            waiting.set()
            # By then the other stands before the book.
            time.sleep(0.3)
            return taken({"event": "order", "chips": 70_000})(case, view)

        def second(case: StoredCase, view: LedgerView) -> Taken:
            seen.append(view)
            raise LookupError

        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(lambda: waiting.wait() and added(cases, two, take=second))
            added(cases, one, event={"event": "order", "chips": 70_000}, take=first)
            with pytest.raises(LookupError):
                other.result()
        assert [view.others for view in seen] == [Counts(70_001)]


# Processes that place orders, and those that are killed


def placed_on(cases: Cases, number: int) -> tuple[str, ...]:
    """Cases of three groups with two customers each, and of two customers without a group."""
    return tuple(
        opened(cases, f"customer {n % 8}", group=f"group {n % 8 % 3}" if n % 8 < 6 else None).id
        for n in range(number)
    )


def acknowledged_is_kept(cases: Cases, kept: Acknowledged) -> int:
    """Fail where an event that somebody was told of is not there under its number; how many are."""
    told = kept.read()
    events = {id: cases.get(id).events for id in {id for id, _, _ in told}}
    assert all(events[id][number - 1].key == key for id, key, number in told)
    return len({(id, key) for id, key, _ in told})


def ordering(url: str, folder: Path, attempts: int, kills: float) -> None:
    """Eight processes place orders while a ninth is killed again and again, and the books are read."""
    dice = random.Random(attempts)
    kept = Acknowledged(folder / "acknowledged")
    with closing(Store.open(url)) as store, ExitStack() as children:
        cases = Cases(store, most_events=1_000_000)
        ids = placed_on(cases, 96)
        places = [
            Placing(url, ids, kept.file, f"child-{n}", f"pair-{n // 2}", attempts // 8)
            for n in range(8)
        ]
        steady = [children.enter_context(child(place_orders, place)) for place in places]
        for number in count():
            arguments = (url, ids, kept.file, f"ninth-{number}")
            with child(append_for_ever, *arguments) as ninth:
                until = time.monotonic() + dice.uniform(0, kills)
                while time.monotonic() < until:
                    used = [row.used for row in cases.ledger(WORKSPACE)]
                    assert max(used) <= CAP
                    time.sleep(0.05)
                assert ninth.is_alive()
            if not any(process.is_alive() for process in steady):
                break
        assert [process.exitcode for process in steady] == [0] * 8
        courses = audit(cases, ids)
        written = sum(map(len, courses.values()))
        assert acknowledged_is_kept(cases, kept) <= written
        # It was tight: every book came close to its cap many times.
        for course in courses.values():
            assert sum(used > CAP - 6_000 for used in course) > len(course) // 10
        assert max(map(max, courses.values())) > CAP - 1_000
        # What is shipped never comes back, so that a long run ends with books that are full.
        assert written > 500


def test_no_book_ever_passes_its_cap_whoever_orders_or_is_killed(url: str, tmp_path: Path) -> None:
    ordering(url, tmp_path, 4_000, kills=2.0)


@pytest.mark.deep
def test_no_book_passes_its_cap_in_a_hundred_thousand_attempts(url: str, tmp_path: Path) -> None:
    ordering(url, tmp_path, 100_000, kills=5.0)


def killing(url: str, folder: Path, rounds: int) -> None:
    """Kill a writer at random moments: what it has acknowledged is there, and nothing is half done."""
    kept = Acknowledged(folder / "acknowledged")
    with closing(Store.open(url)) as store:
        cases = Cases(store, most_events=1_000_000)
        ids = placed_on(cases, 4 + rounds // 4)
        for number in range(rounds):
            size = kept.file.stat().st_size
            with child(append_for_ever, url, ids, kept.file, f"writer-{number}") as writer:
                while kept.file.stat().st_size == size and writer.is_alive():
                    time.sleep(0.001)
                time.sleep(random.uniform(0, 0.03))
                assert writer.is_alive()
        audit(cases, ids)
        assert acknowledged_is_kept(cases, kept) >= rounds
        if url.startswith("sqlite"):
            with store.reading() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").all() == [("ok",)]
        # The next one can write at once.
        added(cases, opened(cases, "the next one").id)


def test_what_a_killed_writer_had_acknowledged_is_there_and_nothing_half(
    url: str, tmp_path: Path
) -> None:
    killing(url, tmp_path, 12)


@pytest.mark.deep
def test_nothing_is_lost_however_often_writers_are_killed(url: str, tmp_path: Path) -> None:
    killing(url, tmp_path, 400)


@pytest.mark.parametrize("act", [append_one, open_one_more, fork_one])
def test_whoever_is_killed_between_two_steps_leaves_all_or_nothing(
    url: str, act: Callable[[Cases], None]
) -> None:
    outcomes: list[bool] = []
    with closing(Store.open(url)) as store:
        cases = Cases(store)
        for number in range(100):
            other = f"customer {number}"
            id = opened(cases, other, at=number + 1).id
            before = added(cases, id, 40, at=number + 1)
            there = set(all_pages(cases, LONGEST_PAGE))
            with child(killed_at, number, act, url) as process:
                process.join()
                assert process.exitcode in (-9, 0)
                answered = process.exitcode == 0
            audit(cases, [id])
            after = cases.get(id)
            new = set(all_pages(cases, LONGEST_PAGE)) - there
            done = len(after.events) == 2 if act is append_one else len(new) == 1
            if not done:
                assert (after, new) == (before, set())
                assert cases.group_of(WORKSPACE, f"new beside {other}") is None
                assert cases.ledger(WORKSPACE, f"g:beside {other}") == ()
            outcomes.append(done)
            if answered:
                break
            if act is append_one:
                # Who was not answered asks again, and it has happened once.
                act(cases)
                audit(cases, [id])
                assert len(cases.get(id).events) == 2
            if act is open_one_more:
                act(cases)
                assert len(set(all_pages(cases, LONGEST_PAGE)) - there) == 1
    # Nothing up to the commit; from then on everything, answered or not.
    *nothing, last, answered = outcomes
    assert not any(nothing)
    assert (last, answered) == (True, True)
    assert len(nothing) > 5


# The database


def test_a_database_from_before_there_were_cases_keeps_its_drafts(own: str) -> None:
    with closing(Store.open(own)) as store:
        entry = Drafts(store).add(ORDER, title="A draft", regime="a", at=1, by="lin")
        for table in ("case_event", "casefile", "book", "customer"):
            execute(store, f"DROP TABLE {table}")
        execute(store, f"UPDATE {VERSIONS} SET version_num = '0001'")
    with closing(Store.open(own)) as store:
        store.check()
        assert Drafts(store).get(entry.id).document == ORDER
        cases = Cases(store)
        added(cases, opened(cases).id)
        assert cases.verify(came_to) == ()


def test_a_database_without_its_books_is_not_ready(own: str) -> None:
    with closing(Store.open(own)) as store:
        execute(store, "DROP TABLE book")
        with pytest.raises(StoreError):
            store.check()


# The real process


def test_orders_under_the_article_share_one_book(cases: Cases, rulebook: Rulebook) -> None:
    process = rulebook.processes["h200-article"]
    day = 739_600

    def take(chips: int) -> Callable[[StoredCase, LedgerView], Taken]:
        def taking(case: StoredCase, view: LedgerView) -> Taken:
            order = read_order(rulebook.vocabulary, Document(case.document))
            setting = Setting(process, order)
            fields = {"units_to_date": view.used, "on": day}
            moved = step(setting, begin(setting, day), Happening("place", day, fields))
            if isinstance(moved, NotTaken):
                raise LookupError(moved.why)
            kept = moved.state.kept
            counts = Counts(
                **{name: int(str(kept[path])) for name, path in process.ledger.items()}
            )
            told = {"units_to_date": view.used}
            return Taken(moved.state.stage, False, counts, told, ("reference",))

        return taking

    def place(chips: int, customer: str) -> StoredCase:
        facts = {
            "item.product": "H200-SXM",
            "order.quantity": chips,
            "order.unit_price": "27000.00",
            "customer.group": "group",
        }
        id = opened(cases, customer, group="group", document=facts).id
        return added(cases, id, take=take(chips))

    assert place(40_000, "hangzhou").entry.stage == "placed"
    with pytest.raises(LookupError, match="guard"):
        place(35_001, "beijing")
    assert place(35_000, "beijing").entry.counts == Counts(reserved=35_000)
    with pytest.raises(LookupError, match="guard"):
        place(1, "hangzhou")
    assert [row.used for row in cases.ledger(WORKSPACE)] == [CAP]
