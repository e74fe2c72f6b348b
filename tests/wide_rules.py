"""Seeded rule sets with wide and deep conditions, which `engine.properties` keeps short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from engine.expression import Names
from engine.ir import Expr, Regime
from engine.load import Rulebook
from engine.properties import names_of
from tests.judging import read_condition

BASE = "h200-article"
LONGEST = 2_000
ATOMS = (
    "order.destination in ear_china",
    'end_use.category not in ["wmd"]',
    'review.state == "deny"',
    "customer.country != end_user.country",
    "order.destination == customer.country",
    "order.quantity <= 7",
    "order.quantity == customer.units_to_date",
    "order.value >= fee_due",
    "order_plus_fee > payment.prepaid",
    "fee.paid != fee_due",
    "customer.units_to_date + order.chips <= cap",
    "item.tpp * 2 < 21000",
    "item.performance_density >= 5.92",
    "pledge.signed_on <= order.placed_on",
    'max(order.placed_on, duty.entered_on) == date("2026-01-15")',
    "true",
    "false",
)
_WIDTHS = (2, 2, 3, 3, 4, 6, 10)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes conditions over a few atoms, so that some stand in one condition twice."""

    names: Names
    booleans: tuple[str, ...]
    random: Random

    def condition(self) -> Expr:
        """A condition that fits into a rule."""
        texts = (self._text(self.random.choice((1, 1, 2, 2, 3, 4))) for _ in iter(int, 1))
        return read_condition(next(t for t in texts if len(t) <= LONGEST), self.names)

    def _text(self, depth: int) -> str:
        random = self.random
        way = random.random()
        if depth == 0 or way < 0.12:
            return random.choice(ATOMS if random.random() < 0.6 else self.booleans)
        if way < 0.22:
            return f"not ({self._text(depth - 1)})"
        if way < 0.32:
            left, right = self._compared(depth), self._compared(depth)
            return f"({left}) {random.choice(('==', '!='))} ({right})"
        width = 25 if depth == 1 and way > 0.93 else random.choice(_WIDTHS)
        parts = (f"({self._text(depth - 1)})" for _ in range(width))
        return f" {random.choice(('and', 'or'))} ".join(parts)

    def _compared(self, depth: int) -> str:
        """A side of an equality: two sides written out as `true` or `false` are refused."""
        text = self._text(depth - 1)
        return self.random.choice(self.booleans) if text in ("true", "false") else text


def writer(book: Rulebook, random: Random) -> Writer:
    """A writer over the facts and quantities of one shipped regime."""
    names = names_of(book.vocabulary, book.regimes[BASE])
    booleans = tuple(path for path, kind in names.facts.items() if kind.kind == "boolean")
    return Writer(names, booleans, random)


def wide_regimes(book: Rulebook, seed: int) -> Iterator[Regime]:
    """Regimes without end: up to six rules each, wide or deep, over known quantities."""
    random = Random(seed)
    pen, base = writer(book, random), book.regimes[BASE]
    while True:
        rules = tuple(
            replace(
                rule,
                applies=pen.condition() if random.random() < 0.4 else None,
                require=pen.condition(),
            )
            for rule in base.rules[: random.randint(1, 6)]
        )
        yield replace(base, scope=pen.condition(), rules=rules)
