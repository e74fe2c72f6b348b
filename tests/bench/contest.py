"""Check that contestants agree, then time them in turns; knows no contestant by name."""

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter_ns

from tests.bench.orders import CONDITIONS, Order

Decide = Callable[[], frozenset[str]]
Reader = Callable[[Order], Decide]

_CHUNK = 250
_WARM_UP = 25


class Disagreement(Exception):
    """Two contestants decide one order differently, or the orders leave a case out."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A decider ready to run: `read` is never timed, the call it returns is."""

    name: str
    release: str
    read: Reader


@dataclass(frozen=True, slots=True)
class Times:
    """Nanoseconds of every timed decision of one contestant, in ascending order."""

    contestant: Contestant
    nanoseconds: tuple[int, ...]

    def microseconds_at(self, share: float) -> float:
        """Read the time which `share` of the decisions do not exceed."""
        last = len(self.nanoseconds) - 1
        return self.nanoseconds[min(last, int(share * len(self.nanoseconds)))] / 1_000


def agree(contestants: Sequence[Contestant], orders: Sequence[Order]) -> dict[str, int]:
    """Raise unless all decide every order alike; count how often each condition fails."""
    failures = dict.fromkeys(("deny", *CONDITIONS), 0)
    for order in orders:
        answers = {each.name: each.read(order)() for each in contestants}
        if len(set(answers.values())) > 1:
            listed = "; ".join(f"{name}: {sorted(failed)}" for name, failed in answers.items())
            raise Disagreement(f"{order}: {listed}")
        failed = next(iter(answers.values()))
        for name in ("deny", *failed) if failed else ():
            failures[name] += 1
    for name, count in failures.items():
        if not 0 < count < len(orders):
            raise Disagreement(f"`{name}` must both pass and fail, but {count} of {len(orders)}")
    return failures


def race(
    contestants: Sequence[Contestant], orders: Sequence[Order], *, rounds: int
) -> tuple[Times, ...]:
    """Time each decision alone, contestants taking turns on every chunk of orders."""
    samples: dict[str, list[int]] = {each.name: [] for each in contestants}
    gc.collect()
    gc.freeze()
    for turn, chunk in enumerate(_chunks(orders, rounds=rounds)):
        first = turn % len(contestants)
        for each in (*contestants[first:], *contestants[:first]):
            samples[each.name] += _timed([each.read(order) for order in chunk])
    gc.unfreeze()
    return tuple(Times(each, tuple(sorted(samples[each.name]))) for each in contestants)


def clock_nanoseconds() -> int:
    """Measure what reading the clock twice adds to every figure."""
    return sorted(_timed([frozenset] * 2_000))[1_000]


def _chunks(orders: Sequence[Order], *, rounds: int) -> Iterator[Sequence[Order]]:
    for _ in range(rounds):
        for start in range(0, len(orders), _CHUNK):
            yield orders[start : start + _CHUNK]


def _timed(decides: Sequence[Decide]) -> list[int]:
    # Without the warm-up the first calls pay for the caches that the previous contestant took.
    for decide in decides[:_WARM_UP]:
        decide()
    gc.collect()
    elapsed = []
    for decide in decides:
        start = perf_counter_ns()
        decide()
        elapsed.append(perf_counter_ns() - start)
    return elapsed
