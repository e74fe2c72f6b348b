"""Run the speed comparison and print one table; `python -m tests.bench --help` tells the rest."""

import argparse
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from tests.bench.contest import Contestant, Reader, Times, agree, clock_nanoseconds, race
from tests.bench.orders import seeded_orders


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a contestant is found: its module under `peers` and the distribution it measures."""

    name: str
    module: str
    distribution: str | None


ENTRIES = (
    Entry("hand-written Python, no evidence", "hand_written", None),
    Entry("durable_rules, one fact per rule", "durable_rules", "durable-rules"),
    Entry("durable_rules, one fact", "durable_rules_one_fact", "durable-rules"),
    Entry("clipspy", "clipspy", "clipspy"),
    Entry("zen-engine", "zen_engine", "zen-engine"),
    Entry("zen-engine, bare expression", "zen_expression", "zen-engine"),
    Entry("cedarpy", "cedarpy", "cedarpy"),
    Entry("placet evaluate, with evidence", "placet", "placet"),
)
REFERENCE = "placet evaluate, with evidence"


def main() -> None:
    """Check agreement on every order, then race and print."""
    options = _options()
    console = Console(stderr=options.json)
    orders = seeded_orders(options.orders, seed=options.seed)
    contestants = tuple(_present(options.only))
    failures = agree(contestants, orders)
    console.print(
        f"{len(contestants)} contestants agree on the outcome and the failed conditions of all"
        f" {len(orders):,} orders (seed {options.seed}); orders that fail: "
        + ", ".join(f"{name} {count:,}" for name, count in failures.items()),
        highlight=False,
    )
    results = race(contestants, orders, rounds=options.rounds)
    if options.json:
        for row in _rows(results):
            print(json.dumps(row))
    else:
        console.print(_table(results))
        console.print(
            f"Python {platform.python_version()}, {platform.machine()}; {options.rounds} rounds;"
            f" reading the clock adds {clock_nanoseconds() / 1_000:.2f} µs to each figure;"
            " orders are read into each library's own form before the clock starts",
            highlight=False,
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=20_260_201)
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="MODULE",
        choices=[entry.module for entry in ENTRIES],
        help="modules under tests/bench/peers",
    )
    parser.add_argument("--json", action="store_true", help="one JSON line per row")
    return parser.parse_args()


def _present(only: Sequence[str] | None) -> list[Contestant]:
    present = []
    for entry in ENTRIES:
        if only and entry.module not in only:
            continue
        prepare: Callable[[], Reader] = import_module(f"tests.bench.peers.{entry.module}").prepare
        reader = prepare()
        release = version(entry.distribution) if entry.distribution else ""
        present.append(Contestant(entry.name, release, reader))
    return present


def _rows(results: Sequence[Times]) -> list[dict[str, str | float | None]]:
    medians = {times.contestant.name: times.microseconds_at(0.5) for times in results}
    reference = medians.get(REFERENCE)
    return [
        {
            "contestant": times.contestant.name,
            "version": times.contestant.release or None,
            "median_us": round(times.microseconds_at(0.5), 3),
            "p99_us": round(times.microseconds_at(0.99), 3),
            "ratio_to_placet": (
                round(medians[times.contestant.name] / reference, 3) if reference else None
            ),
        }
        for times in sorted(results, key=lambda times: times.microseconds_at(0.5))
    ]


def _table(results: Sequence[Times]) -> Table:
    table = Table(title="Seven conditions, one order at a time, microseconds per decision")
    table.add_column("contestant")
    table.add_column("version")
    for heading in ("median", "99th", "ratio to placet"):
        table.add_column(heading, justify="right")
    for row in _rows(results):
        ratio = row["ratio_to_placet"]
        table.add_row(
            str(row["contestant"]),
            str(row["version"] or ""),
            f"{row['median_us']:.2f}",
            f"{row['p99_us']:.2f}",
            "-" if ratio is None else f"{ratio:.2f}",
        )
    return table


if __name__ == "__main__":
    main()
