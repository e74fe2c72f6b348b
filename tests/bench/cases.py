"""Events a second that the casebook takes, and the time to rebuild a long case; prints only.

`python -m tests.bench.cases`; what an event means costs nothing here beside the database.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
from rich.console import Console
from rich.table import Table

from api.casebook import Cases
from api.casefile import Counts, LedgerView, StoredCase, Taken
from api.store import Store
from engine.lifecycle import Happening, Setting, replay
from engine.load import load
from engine.order import Document, read_order
from tests.databases import postgresql, sqlite

CASES = 1_000
EVENTS = 1_000
_DAY = 739_600
_FACTS = {"item.product": "H200-SXM", "order.quantity": 1_000, "order.unit_price": "27000.00"}
_SENT = {"event": "prepay", "on": "2025-12-15", "amount": "100.00"}


def take(case: StoredCase, view: LedgerView) -> Taken:
    """What an event costs beside the database: nothing."""
    return Taken("placed", False, Counts(reserved=10), {}, ("reference",))


def events_a_second(cases: Cases, ids: Sequence[str], first: int) -> float:
    """Add an event to each of these cases, in their order."""
    begun = perf_counter()
    for number, id in enumerate(ids, first):
        cases.append(id, version=None, key=f"{number}", event=_SENT, at=1, by="bench", take=take)
    return len(ids) / (perf_counter() - begun)


def opened(cases: Cases, number: int) -> str:
    """Open a case in a book that it shares with all others."""
    entry = cases.open(
        workspace="bench",
        process="h200-article",
        edition="",
        title="A case",
        customer=f"customer {number % 10}",
        group="group",
        opened_on=_DAY,
        document={"facts": _FACTS},
        at=number,
        by="bench",
        stage="draft",
    )
    return entry.id


def database_rows(url: str) -> Iterator[tuple[str, float]]:
    """Every figure of one database, in events or cases a second."""
    with closing(Store.open(url)) as store:
        cases = Cases(store)
        one = [opened(cases, 0)]
        yield "one case, its first 100 events", events_a_second(cases, one * 100, 0)
        events_a_second(cases, one * (EVENTS - 200), 100)
        yield f"one case, the last 100 of {EVENTS:,}", events_a_second(cases, one * 100, EVENTS)
        begun = perf_counter()
        ids = [opened(cases, number) for number in range(CASES)]
        yield f"{CASES:,} cases of one group opened", CASES / (perf_counter() - begun)
        yield f"{CASES:,} cases of one group, an event each", events_a_second(cases, ids, 0)
        begun = perf_counter()
        cases.ledger("bench")
        yield "sums of that book", 1 / (perf_counter() - begun)


def rebuild_milliseconds() -> float:
    """The median time to play a case of the article's process with that many events."""
    book = load(Path("rules"))
    setting = Setting(
        book.processes["h200-article"], read_order(book.vocabulary, Document(_FACTS))
    )
    place = Happening("place", _DAY, {"units_to_date": 0, "on": _DAY})
    prepay = Happening("prepay", _DAY, {"amount": 10_000, "on": _DAY})
    happenings = [place, *[prepay] * (EVENTS - 1)]
    times = []
    for _ in range(9):
        begun = perf_counter()
        replay(setting, _DAY, happenings)
        times.append(perf_counter() - begun)
    return median(times) * 1_000


@contextmanager
def databases() -> Iterator[list[tuple[str, Callable[[], str]]]]:
    """The databases of this machine, each made when it is asked for."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        found: list[tuple[str, Callable[[], str]]] = [
            ("SQLite", lambda: sqlite(Path(folder) / "store.db"))
        ]
        try:
            fresh = servers.enter_context(postgresql())
            # The tests' server does not wait for its disk.
            found.append(("PostgreSQL, fsync off", fresh))
        except pytest.skip.Exception:
            pass
        yield found


def main() -> None:
    """Measure and print."""
    console = Console()
    with databases() as found:
        columns = [dict(database_rows(fresh())) for _, fresh in found]
    table = Table("a second", *(name for name, _ in found))
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:,.0f}" for column in columns))
    console.print(table)
    console.print(
        f"a case of {EVENTS:,} events rebuilt: {rebuild_milliseconds():.1f} ms", highlight=False
    )


if __name__ == "__main__":
    main()
