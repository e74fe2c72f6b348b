"""Time `evaluate` on regimes of 10, 100 and 1,000 rules; a sketch until `regime_of` is written."""

from statistics import median
from time import perf_counter_ns

from rich.console import Console
from rich.table import Table

from tests.bench.contest import Reader
from tests.bench.orders import Order, seeded_orders

SIZES = (10, 100, 1_000)
_ROUNDS = 20


def regime_of(rules: int) -> Reader:
    """Build a regime of that many rules that read the facts of `Order`, and return its reader."""
    # ---- plug in here: `rules` copies of the seven conditions, each with its own threshold,
    #      e.g. customer.units_to_date + order.chips <= 75000 + copy; then as in peers/placet.py.
    raise NotImplementedError(f"tests/bench/growth.py: no regime of {rules} rules yet")


def main() -> None:
    """Time every size in turns and print microseconds per order and growth."""
    orders = seeded_orders(50, seed=20_260_201)
    readers = {size: regime_of(size) for size in SIZES}
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
