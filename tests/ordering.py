"""Processes that place orders on one database and may be killed, and the audit of their books."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from api.casebook import Cases
from api.casefile import (
    Appended,
    CaseEntry,
    Counts,
    LedgerView,
    Standing,
    StoredCase,
    StoredEvent,
    Taken,
)
from api.store import Changed, Store, StoreError

T = TypeVar("T")

CAP = 75_000
OPENING = 1_000
WORKSPACE = "team"
ORDER: dict[str, Any] = {"facts": {"order.quantity": "20000", "item": {"product": None}}}

_PROCESSES = multiprocessing.get_context("forkserver")
# Libraries are read once; a child begins at once and can be killed many times.
_PROCESSES.set_forkserver_preload(["tests.ordering", "alembic.command", "psycopg", "pytest"])


class Refused(Exception):
    """The order would pass the cap, or the event does not fit the case."""


def opened(cases: Cases, customer: str | None = "acme", **told: Any) -> CaseEntry:
    """Open a case, of which only what matters is told."""
    usual: dict[str, Any] = {"workspace": WORKSPACE, "process": "h200-article"}
    usual |= {"edition": "sha256:1", "title": "A case", "customer": customer, "group": None}
    usual |= {"opened_on": 739_600, "document": ORDER, "at": 1000, "by": "lin", "stage": "draft"}
    return cases.open(**{**usual, **told})


def came_to(case: StoredCase) -> Standing:
    """What the events of a case come to, read from nothing else."""
    standing = Standing("draft", False, Counts())
    for event in case.events:
        standing = _next(standing, event.event)
    return standing


def _next(before: Standing, event: dict[str, Any]) -> Standing:
    counts, chips = before.counts, int(event["chips"])
    match event["event"]:
        case "order":
            counts = replace(counts, reserved=counts.reserved + chips)
        case "cancel":
            counts = replace(counts, reserved=counts.reserved - chips)
        case "ship":
            shipped = counts.shipped + chips
            counts = replace(counts, reserved=counts.reserved - chips, shipped=shipped)
        case "return":
            counts = replace(counts, returned=counts.returned + chips)
    return Standing(str(event["event"]), counts.shipped > 70_000, counts)


def taken(event: dict[str, Any]) -> Callable[[StoredCase, LedgerView], Taken]:
    """Take an event if the cap holds with it; the moment is noted while the book is locked."""

    def take(case: StoredCase, view: LedgerView) -> Taken:
        before = came_to(case)
        assert before.counts == case.entry.counts
        opening = None if view.has_book else OPENING
        used = view.used + (opening or 0)
        assert view.others.used + OPENING == used
        assert used + before.counts.used <= CAP
        after = _next(before, event)
        if min(after.counts.reserved, after.counts.shipped - after.counts.returned) < 0:
            raise Refused
        if used + after.counts.used > CAP:
            raise Refused
        supplied = {
            "moment": time.monotonic_ns(),
            "before": used + before.counts.used,
            "remaining": CAP - used - after.counts.used,
        }
        return Taken(after.stage, after.ended, after.counts, supplied, ("fake",), opening)

    return take


def send(cases: Cases, id: str, key: str, event: dict[str, Any], version: int | None) -> Appended:
    return cases.append(
        id, version=version, key=key, event=event, at=1, by="a child", take=taken(event)
    )


class Acknowledged:
    """A file to which children write what they know to be kept; a line that was cut off says nothing."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.touch()

    def writer(self) -> Callable[[str, str, int], None]:
        place = os.open(self.file, os.O_WRONLY | os.O_APPEND)
        return lambda id, key, number: _written(place, f"{id} {key} {number}\n")

    def read(self) -> list[tuple[str, str, int]]:
        *lines, _ = self.file.read_text(encoding="utf-8").split("\n")
        return [(id, key, int(number)) for id, key, number in map(str.split, lines)]


def _written(place: int, line: str) -> None:
    os.write(place, line.encode())


@dataclass(frozen=True, slots=True)
class Placing:
    """What one child does: so many attempts on these cases; children of one pair send the same."""

    url: str
    ids: tuple[str, ...]
    acknowledged: Path
    name: str
    pair: str
    attempts: int


def place_orders(placing: Placing) -> None:
    """Place orders of random size, cancel, ship and take back, until the attempts are done."""
    dice, twin = random.Random(placing.name), random.Random(placing.pair)
    acknowledge = Acknowledged(placing.acknowledged).writer()
    with closing(_patiently(lambda: Store.open(placing.url))) as store:
        cases = Cases(store, most_events=1_000_000)
        last: tuple[str, str, dict[str, Any], int] | None = None
        for attempt in range(placing.attempts):
            # Every fourth is sent by both of a pair, at about the same time, and written once.
            shared = attempt % 4 == 0
            chosen = twin if shared else dice
            id = chosen.choice(placing.ids)
            key = f"{placing.pair if shared else placing.name}-{attempt}"
            event = _thought_of(chosen)
            version = dice.choice([None, None, None, 3])
            done = _insisted(cases, id, key, event, version)
            if done is None:
                continue
            acknowledge(id, key, done.case.entry.version)
            if last is not None and attempt % 8 == 1:
                # An answer that was lost: the same is sent again.
                again = _insisted(cases, *last[:3], version=0)
                assert again is not None
                assert again.known
                assert again.case.entry.version == last[3]
            last = (id, key, event, done.case.entry.version)


def _insisted(
    cases: Cases, id: str, key: str, event: dict[str, Any], version: int | None
) -> Appended | None:
    """Send an event until there is an answer; none if it is not taken."""
    try:
        return _patiently(lambda: send(cases, id, key, event, version))
    except (Refused, Changed):
        return None


def _patiently(act: Callable[[], T]) -> T:
    """Ask again, as a client does who is told that the service is busy.

    Of many who wait for SQLite one may be passed over for as long as the store has patience.
    """
    while True:
        try:
            return act()
        except StoreError as error:
            if str(error) != "the database says: database is locked":
                raise


def _thought_of(dice: random.Random) -> dict[str, Any]:
    kind = dice.choices(("order", "cancel", "ship", "return"), (6, 4, 1, 1))[0]
    # Small orders fill what large ones leave, so that books stand close to their cap.
    order = dice.choice((12_000, 200))
    most = {"order": order, "cancel": 3_000, "ship": 300, "return": 200}[kind]
    return {"event": kind, "chips": dice.randint(1, most)}


def append_for_ever(url: str, ids: Sequence[str], acknowledged: Path, name: str) -> None:
    """Add events until somebody puts an end to it."""
    place_orders(Placing(url, tuple(ids), acknowledged, name, name, 1_000_000))


# What may be interrupted: each acts beside the newest case, whose events are one.


def append_one(cases: Cases) -> None:
    """Add an event."""
    send(cases, cases.page(1).entries[0].id, "killed", {"event": "order", "chips": 10}, 1)


def open_one_more(cases: Cases) -> None:
    """Open a case for a customer and a group that nobody knows."""
    other = cases.page(1).entries[0].customer
    opened(cases, f"new beside {other}", group=f"beside {other}", key=other, at=0)


def fork_one(cases: Cases) -> None:
    """Fork a case with its event."""
    cases.fork(cases.page(1).entries[0].id, 1, title="killed", at=0, by="")


def killed_at(step: int, act: Callable[[Cases], None], url: str) -> None:
    """Do something and be killed before its n-th statement, its commit, or its answer."""
    with closing(Store.open(url)) as store:
        steps = iter(range(step))

        def passed(*_: Any, **__: Any) -> None:
            if next(steps, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        for moment in ("before_cursor_execute", "commit"):
            sa.event.listen(store.engine, moment, passed)
        act(Cases(store))
        # What was committed is there, though nobody has been told yet.
        passed()


@contextmanager
def child(target: Callable[..., None], *arguments: Any) -> Iterator[ForkServerProcess]:
    """A process that is gone when the block ends, one way or the other."""
    process = _PROCESSES.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
        process.close()


def audit(cases: Cases, ids: Sequence[str]) -> dict[str, list[int]]:
    """Play all events of each book in the order in which they were taken: what was used after each.

    Fails where the cap was exceeded at any moment, or an event saw anything but what was used then.
    """
    by_holder: dict[str, list[StoredEvent]] = {}
    effects: dict[int, int] = {}
    for id in ids:
        case = cases.get(id)
        numbers = [event.number for event in case.events]
        assert numbers == list(range(1, case.entry.version + 1))
        assert len({event.key for event in case.events}) == len(numbers)
        standing = came_to(replace(case, events=()))
        for event in case.events:
            after = _next(standing, event.event)
            assert event.counts == after.counts
            effects[id_of(event)] = after.counts.used - standing.counts.used
            standing = after
        assert case.entry.counts == standing.counts
        by_holder.setdefault(case.entry.holder, []).extend(case.events)
    courses: dict[str, list[int]] = {}
    for holder, events in by_holder.items():
        used, course = OPENING, []
        for event in sorted(events, key=id_of):
            assert event.supplied["before"] == used
            used += effects[id_of(event)]
            assert used <= CAP
            assert used + event.supplied["remaining"] == CAP
            course.append(used)
        courses[holder] = course
    for holder, course in courses.items():
        (row,) = cases.ledger(WORKSPACE, holder)
        assert row.used == [OPENING * row.has_book, *course][-1]
    assert cases.verify(came_to) == ()
    return courses


def id_of(event: StoredEvent) -> int:
    """The moment at which an event was taken."""
    return int(event.supplied["moment"])
