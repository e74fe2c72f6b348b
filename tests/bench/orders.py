"""Seeded orders on which each of the seven conditions passes and fails; decides nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

CONDITIONS = (
    "customer-cap",
    "transaction-fee",
    "full-prepayment",
    "non-military-pledge",
    "civil-end-use",
    "no-cancellation",
    "multi-agency-review",
)
CAP = 75_000
CONSENTS = ("approve", "approve-with-conditions")
NO_OBJECTIONS = (*CONSENTS, "no-objection")

# As in rules/codes/items.csv.
_CHIPS_PER_UNIT = {"H200-SXM": 1, "H200-NVL": 1, "HGX-H200-8": 8}
_BROKEN_PLEDGES = ((False, True), (True, False), (False, False))
_BAD_END_USES = (("military", False), ("wmd", False), ("civil", True), ("military", True))
_PASSES = 0.8


@dataclass(frozen=True, slots=True)
class Order:
    """The facts that the seven conditions read, all known; money is in cents."""

    product: str
    chips_per_unit: int
    quantity: int
    unit_price_cents: int
    units_to_date: int
    fee_cents: int
    prepaid_cents: int
    pledge_submitted: bool
    pledge_non_military: bool
    end_use: str
    military_end_user: bool
    cancellable: bool
    commerce: str
    state: str
    defense: str


def seeded_orders(count: int, *, seed: int) -> tuple[Order, ...]:
    """Draw the same orders for the same seed; amounts often sit on or one beside a boundary."""
    rng = Random(seed)
    return tuple(_drawn(rng) for _ in range(count))


def _drawn(rng: Random) -> Order:
    product = rng.choice(tuple(_CHIPS_PER_UNIT))
    chips_per_unit = _CHIPS_PER_UNIT[product]
    quantity = rng.randint(1, 9_000)
    unit_price_cents = rng.randint(1, 100_000_000)
    value_cents = quantity * unit_price_cents
    fee_due_cents = -(-value_cents // 4)
    room_cents = _room(rng, value_cents // 8)
    submitted, non_military = (True, True) if _passes(rng) else rng.choice(_BROKEN_PLEDGES)
    end_use, military_end_user = ("civil", False) if _passes(rng) else rng.choice(_BAD_END_USES)
    commerce, state, defense = _answers(rng)
    return Order(
        product=product,
        chips_per_unit=chips_per_unit,
        quantity=quantity,
        unit_price_cents=unit_price_cents,
        units_to_date=CAP - quantity * chips_per_unit - _room(rng, 2_000),
        fee_cents=max(0, fee_due_cents + _room(rng, value_cents // 8)),
        prepaid_cents=max(0, value_cents + room_cents),
        pledge_submitted=submitted,
        pledge_non_military=non_military,
        end_use=end_use,
        military_end_user=military_end_user,
        cancellable=not _passes(rng),
        commerce=commerce,
        state=state,
        defense=defense,
    )


def _passes(rng: Random) -> bool:
    return rng.random() < _PASSES


def _room(rng: Random, most: int) -> int:
    """Draw a margin: zero or more to pass, negative to fail, in half the cases the tightest."""
    distance = 0 if rng.random() < 0.5 else rng.randint(0, most)
    return distance if _passes(rng) else -1 - distance


def _answers(rng: Random) -> Iterator[str]:
    answers = [rng.choice(CONSENTS), rng.choice(NO_OBJECTIONS), rng.choice(NO_OBJECTIONS)]
    if not _passes(rng):
        answers[rng.randrange(3)] = "deny"
    return iter(answers)
