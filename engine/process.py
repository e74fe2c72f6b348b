"""What a process says, once read and checked: stages, events, transitions and clocks as frozen data.

What they mean for one case is for `lifecycle`. Places (`span`) never count in equality.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.diagnostics import Span
from engine.ir import Citation, Expr, Pair, Period, Quantity, Regime, SourceName
from engine.values import Type, Value
from engine.vocabulary import Vocabulary

LEDGER = ("reserved", "licensed", "shipped", "returned")
"""What the book of a customer counts, in chips."""
SHARES = LEDGER[:3]
"""What of it counts towards the cap; what was returned is among the shipped."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a case can be; nothing happens any more in one that is an `end`."""

    id: str
    title: Pair
    end: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that an event tells; one `supplied` is filled in by the ledger, never by a sender."""

    name: str
    type: Type
    label: Pair
    supplied: bool
    span: Span = field(compare=False, repr=False)

    @property
    def path(self) -> str:
        """The name by which expressions speak of it."""
        return f"event.{self.name}"


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of event: who sends it, and what it tells."""

    id: str
    title: Pair
    by: str
    fields: tuple[Field, ...]
    optional: frozenset[str]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A fact that the events of a case say: one of the vocabulary, or one of the process."""

    path: str
    type: Type
    label: Pair
    starts: Value
    """What it is until an event says otherwise; unknown where nothing stands."""
    stated: bool
    """Whether an order may state it when its case is opened."""
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Transition:
    """What an event, or the end of a clock's time, does in some stages.

    `to` is empty where the case stays. One that `refuses` is put on record and changes nothing
    else; it names the rule that stands against it.
    """

    number: int
    stages: tuple[str, ...]
    on: str | None
    after: str | None
    when: Expr | None
    to: str | None
    sets: tuple[tuple[str, Expr], ...]
    refuses: str | None
    hold: Literal["begin", "end"] | None
    """Whether it stops the clocks of the case, or lets them go on."""
    held: Literal["no", "also", "only"]
    """Whether it can be taken while the case is held."""
    says: Pair
    otherwise: Pair | None
    """What is said to a sender where `when` does not hold."""
    cite: tuple[Citation, ...]
    certainty: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Clock:
    """Calendar days that are counted while a case is in some stages.

    It pauses, keeping its count, in others, and is forgotten anywhere else. The last day is still in
    time. `until` names a kept date instead of a number of days; no hold moves that.
    """

    id: str
    title: Pair
    days: int | None
    until: str | None
    runs: frozenset[str]
    pauses: frozenset[str]
    holdable: bool
    starts_at: str | None
    """The clock at whose last day this one starts; where empty, it starts with its stage."""
    exceeded: Pair
    """What it means that the time is over."""
    cite: tuple[Citation, ...]
    certainty: str
    span: Span = field(compare=False, repr=False)

    @property
    def path(self) -> str:
        """The name by which expressions speak of its count."""
        return f"clock.{self.id}"


@dataclass(frozen=True, slots=True)
class Total:
    """Clocks whose days must add up to those of another: checked when the process is loaded."""

    title: Pair
    parts: tuple[str, ...]
    equals: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount that is told of a case, such as the cash that is at stake."""

    quantity: Quantity
    exposure: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Process:
    """The stages that an order or application passes, with what moves it and the clocks that run.

    `regime` gives the parameters, lists and quantities that guards may name, and where `judged` the
    rules by which the case's order is decided at every stage. `vocabulary` is that of the rules
    with the facts of the case, the fields of events and the counts of clocks beside them.
    """

    id: str
    title: Pair
    summary: Pair
    sources: tuple[SourceName, ...]
    in_force: Period
    read_to: int
    leaves_out: tuple[Pair, ...]
    regime: Regime
    judged: bool
    vocabulary: Vocabulary
    keeps: Mapping[str, Kept]
    stages: Mapping[str, Stage]
    events: Mapping[str, Event]
    transitions: tuple[Transition, ...]
    clocks: Mapping[str, Clock]
    totals: tuple[Total, ...]
    figures: Mapping[str, Figure]
    ledger: Mapping[str, str]
    """For each count of the ledger the kept fact that holds it; empty where nothing is booked."""
    cap: str | None
    """The parameter that bounds what one customer's book may hold."""
    span: Span = field(repr=False)

    @property
    def start(self) -> str:
        """The stage in which cases begin."""
        return next(iter(self.stages))
