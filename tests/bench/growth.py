"""Time `evaluate` on regimes of 10, 100 and 1,000 rules, and print what one order costs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.evaluate import Program, compile_regime, judge
from engine.ir import Compare, Constant, Rule
from engine.load import Rulebook, load
from engine.order import Document, read_order
from engine.values import Type
from tests.bench.contest import Reader
from tests.bench.orders import Order, seeded_orders
from tests.bench.peers.placet import facts

SIZES = (10, 100, 1_000)
_ROUNDS = 20


def regime_of(rules: int, book: Rulebook) -> Reader:
    """A regime of that many caps on quantity, each with a threshold of its own."""
    whole = book.regimes["h200-article"]
    cap = next(rule for rule in whole.rules if rule.id == "customer-cap")
    regime = replace(whole, rules=tuple(_capped(cap, number) for number in range(rules)))
    program = compile_regime(regime, book.vocabulary, date(2026, 2, 1).toordinal())

    def read(order: Order) -> partial[frozenset[str]]:
        values = read_order(book.vocabulary, Document(facts(order))).values
        return partial(_failed, program, values)

    return read


def _capped(cap: Rule, number: int) -> Rule:
    assert isinstance(cap.require, Compare)
    limit = 50_000 + number * 50
    bound = Constant(limit, Type("integer", unit="chip", lo=limit, hi=limit), cap.span)
    return replace(cap, id=f"cap-{number}", require=replace(cap.require, right=bound))


def _failed(program: Program, values: Sequence[Any]) -> frozenset[str]:
    return frozenset([f.rule.id for f in judge(program, values).findings if f.status == "unmet"])


def main() -> None:
    """Time every size in turns and print microseconds per order and growth."""
    orders = seeded_orders(50, seed=20_260_201)
    book = load(Path("rules"), ("h200-article",))
    readers = {size: regime_of(size, book) for size in SIZES}
    samples: dict[int, list[int]] = {size: [] for size in SIZES}
    for _ in range(_ROUNDS):
        for size, reader in readers.items():
            samples[size] += (_nanoseconds(reader, order) for order in orders)
    medians = {size: median(times) / 1_000 for size, times in samples.items()}
    table = Table("rules", "median µs per order", f"ratio to {SIZES[0]} rules")
    for size, microseconds in medians.items():
        table.add_row(str(size), f"{microseconds:.1f}", f"{microseconds / medians[SIZES[0]]:.1f}")
    Console().print(table)


def _nanoseconds(reader: Reader, order: Order) -> int:
    decide = reader(order)
    start = perf_counter_ns()
    decide()
    return perf_counter_ns() - start


if __name__ == "__main__":
    main()
