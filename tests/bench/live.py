"""Time single decisions by the live back end beside the reference, both in this process."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.backends.live.decisions import compile_live, judge_live
from engine.backends.live.host import Host
from engine.backends.live.network import Conclusion
from engine.evaluate import compile_regime, judge
from engine.load import load
from engine.sample import orders

_ORDERS = 500
_ROUNDS = 10


def main() -> None:
    """Judge sampled orders of every shipped regime in turns and print medians and ratios."""
    book, host = load(Path("rules")), Host[Conclusion]()
    table = Table("rule set", "rules", "live µs", "live per second", "reference µs", "ratio")
    for name, regime in book.regimes.items():
        live = compile_live(host, regime, book.vocabulary)
        program = compile_regime(regime, book.vocabulary, regime.read_to)
        sampled = [order.values for order in orders(book, name, seed=1, count=_ORDERS)]
        both: list[Callable[[Any], Any]] = [
            partial(judge_live, live, program),
            partial(judge, program),
        ]
        times: list[list[float]] = [[], []]
        for _ in range(_ROUNDS):
            for judging, found in zip(both, times, strict=True):
                found += _microseconds(judging, sampled)
        one, other = (median(found) for found in times)
        rules = str(len(regime.rules))
        row = (f"{one:.0f}", f"{1e6 / one:,.0f}", f"{other:.1f}", f"{one / other:.0f}")
        table.add_row(name, rules, *row)
    Console().print(table)


def _microseconds(judging: Callable[[Any], Any], sampled: Sequence[Any]) -> list[float]:
    found = []
    for values in sampled:
        start = perf_counter_ns()
        judging(values)
        found.append((perf_counter_ns() - start) / 1_000)
    return found


if __name__ == "__main__":
    main()
