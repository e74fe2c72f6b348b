"""What rules say, once read and checked: ten kinds of expression, rules and regimes as frozen data.

Places (`span`) never count in equality, so two readings of one meaning are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.diagnostics import Span
from engine.values import BOOLEAN, Type

Status = Literal["met", "unmet", "unknown", "not-applicable"]
STATUSES: tuple[Status, ...] = ("met", "unmet", "unknown", "not-applicable")
KINDS_OF_RULE = ("licence-condition", "procedure", "duty", "seller-term", "import-gate")
CERTAINTIES = ("published", "reported", "disputed", "assumed")
DUES = ("application", "order", "entry", "shipment", "continuing")

ArithmeticOp = Literal["+", "-", "*", "min", "max"]
CompareOp = Literal["<", "<=", ">", ">=", "==", "!="]
FLIPPED: dict[CompareOp, CompareOp] = {
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "==": "!=",
    "!=": "==",
}


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the rule."""

    value: bool | int | str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the order; a yes/no fact may stand alone as a condition."""

    path: str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number, date or code that the regime sets by date and a what-if may change."""

    name: str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Derived:
    """A quantity of the regime, or a derived fact, computed from others."""

    name: str
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A sum, difference, product, minimum or maximum; both sides scaled as `type` needs."""

    op: ArithmeticOp
    left: Expr
    right: Expr
    type: Type
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """Two sides compared; unknown when either side is."""

    op: CompareOp
    left: Expr
    right: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """Whether a code is in a list, written out or named."""

    operand: Expr
    codes: tuple[str, ...]
    list: str | None
    negated: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """True when its operand is false."""

    operand: Expr
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """True when every operand is true; false when one is false."""

    operands: tuple[Expr, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """True when one operand is true; false when every one is false."""

    operands: tuple[Expr, ...]
    span: Span = field(compare=False, repr=False)


Expr = Constant | Fact | Parameter | Derived | Arithmetic | Compare | Member | Not | And | Or


def children(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside one."""
    match expr:
        case Arithmetic() | Compare():
            return (expr.left, expr.right)
        case Member() | Not():
            return (expr.operand,)
        case And() | Or():
            return expr.operands
        case _:
            return ()


def walk(expr: Expr) -> Iterator[Expr]:
    """An expression and everything inside it, outermost first, left to right."""
    yield expr
    for child in children(expr):
        yield from walk(child)


def type_of(expr: Expr) -> Type:
    """The type of an expression; conditions are boolean."""
    return getattr(expr, "type", BOOLEAN)


def factors(left: Expr, right: Expr) -> tuple[int, int]:
    """What each side is multiplied by so that both have one scale."""
    a, b = type_of(left).scale, type_of(right).scale
    if a == b:
        return 1, 1
    return 10 ** max(0, b - a), 10 ** max(0, a - b)


def name_of(expr: Expr) -> str | None:
    """The name of a fact, derived quantity or parameter that stands alone."""
    match expr:
        case Fact():
            return expr.path
        case Derived() | Parameter():
            return expr.name
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Pair:
    """A text in both languages."""

    en: str
    zh: str

    def as_json(self) -> dict[str, str]:
        """Both languages as JSON."""
        return {"en": self.en, "zh": self.zh}


@dataclass(frozen=True, slots=True)
class Period:
    """Days in force: from the first, up to but not including `until`; as day numbers."""

    start: int
    until: int | None = None

    def holds(self, day: int) -> bool:
        """Whether a day lies in the period."""
        return self.start <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class ParameterValues:
    """A parameter and its dated values, earliest first."""

    name: str
    type: Type
    label: Pair
    values: tuple[tuple[int, bool | int | str], ...]
    span: Span = field(compare=False, repr=False)

    def on(self, day: int) -> tuple[int, bool | int | str] | None:
        """The value in force on a day with the day it came into force."""
        return next((value for value in reversed(self.values) if value[0] <= day), None)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A named quantity computed from facts and parameters; money may be rounded to cents."""

    name: str
    value: Expr
    type: Type
    round: Literal["up", "down"] | None
    label: Pair
    says: Pair | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NamedList:
    """A named list of codes."""

    name: str
    of: str
    codes: tuple[str, ...]
    label: Pair
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule comes from: a source, a place in it, its words and their translation."""

    source: str
    at: str | None
    quote: str | None
    translation: str | None
    says: Pair | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SourceName:
    """A source that a regime names as one it was written from."""

    id: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Settled:
    """A question that the source leaves open, and how the rule reads it."""

    question: Pair
    answer: Pair
    certainty: str | None


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that is said when its condition is true; an obligation names who set it."""

    when: Expr
    text: Pair
    set_by: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A small order and the finding that it must give."""

    given: Mapping[str, object]
    finding: Status
    as_of: int | None
    span: Span = field(compare=False, repr=False)
    places: Mapping[str, tuple[Span, Span]] = field(compare=False, repr=False)
    """Where each name and each value of `given` stands."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement of a regime."""

    id: str
    title: Pair
    kind: str
    certainty: str
    due: str
    in_force: Period
    known_from: int | None
    applies: Expr | None
    require: Expr
    cite: tuple[Citation, ...]
    settles: tuple[Settled, ...]
    remarks: tuple[Note, ...]
    cautions: tuple[Note, ...]
    obligations: tuple[Note, ...]
    examples: tuple[Example, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a status is called in a regime, and what that means."""

    code: str
    label: Pair
    meaning: Pair


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Regime:
    """A set of rules with its scope, dates, parameters and named outcomes."""

    id: str
    title: Pair
    summary: Pair
    sources: tuple[SourceName, ...]
    in_force: Period
    dated_by: str
    read_to: int
    scope: Expr
    lists: Mapping[str, NamedList]
    parameters: Mapping[str, ParameterValues]
    quantities: Mapping[str, Quantity]
    rules: tuple[Rule, ...]
    outcomes: Mapping[Status, Outcome]
    cautions: tuple[Note, ...]
    leaves_out: tuple[Pair, ...]
    span: Span = field(repr=False)
