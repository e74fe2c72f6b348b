"""One order under one program: truth, amounts and names, for whoever explains a decision.

An *atom* is a comparison, membership or yes/no fact, seen through the `not`s around it. A finding
rests on some of its atoms: the false ones of a failed `and`, the true ones of a met `or`, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from engine.evaluate import Program, amount, truth
from engine.generate import Truth
from engine.ir import (
    FLIPPED,
    And,
    Compare,
    CompareOp,
    Expr,
    Fact,
    Member,
    Not,
    Or,
    Pair,
    factors,
    type_of,
)
from engine.names import inside
from engine.values import write_number
from engine.vocabulary import FactDefinition, Unit
from engine.words import Lang, in_lang, worded


@dataclass(frozen=True, slots=True)
class Atom:
    """A smallest condition with whether it holds; `negated` when an odd number of `not`s surround it."""

    expr: Expr
    negated: bool
    held: Truth


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scene:
    """A program and the values of one order: all that a sentence needs."""

    program: Program
    values: Any
    asked: dict[int, tuple[Expr, Any]] = field(default_factory=dict)
    """What was asked before, by the identity of the part: explanations ask again and again."""

    def truth(self, expr: Expr) -> Truth:
        """Whether a condition holds for this order."""
        known = self.asked.get(id(expr))
        if known is None:
            known = self.asked[id(expr)] = (expr, truth(self.program, expr, self.values))
        return cast(Truth, known[1])

    def amount(self, expr: Expr) -> Any:
        """The scaled value of a term for this order."""
        known = self.asked.get(id(expr))
        if known is None:
            known = self.asked[id(expr)] = (expr, amount(self.program, expr, self.values))
        return known[1]

    def known(self, name: str) -> bool:
        """Whether a fact or derived quantity has a value."""
        return self.values[self.program.slots[name]] is not None

    # --- atoms ---

    def atoms(self, expr: Expr, negated: bool = False) -> Iterator[Atom]:
        """The atoms on which the truth of an expression rests."""
        match expr:
            case Not():
                yield from self.atoms(expr.operand, not negated)
            case And() | Or():
                whole = self.truth(expr)
                for operand in expr.operands:
                    if self.truth(operand) == whole:
                        yield from self.atoms(operand, negated)
            case _:
                held = self.truth(expr)
                yield Atom(expr, negated, None if held is None else held is not negated)

    def unknown_facts(self, expr: Expr) -> Iterator[str]:
        """The base facts whose answer can still change an unknown expression."""
        for atom in self.atoms(expr):
            if atom.held is None:
                yield from self.unknown_in(atom.expr)

    def unknown_in(self, expr: Expr) -> Iterator[str]:
        """The unknown facts that a part waits for, seen through what is derived."""
        regime, vocabulary = self.program.regime, self.program.vocabulary
        for name in inside(regime, vocabulary, expr):
            fact = vocabulary.facts.get(name)
            if fact is not None and fact.derived is None and not self.known(name):
                yield self._askable(name)

    def _askable(self, path: str) -> str:
        """A fact of the catalogue is asked for as its product, unless the product is known."""
        facts = self.program.vocabulary.facts
        source = facts[path].catalogue
        if source is None or self.known(source):
            return path
        # Figures stated without a product are those of an item that no catalogue knows.
        siblings = (f.path for f in facts.values() if f.catalogue == source)
        return path if any(self.known(sibling) for sibling in siblings) else source

    # --- amounts and names ---

    def label(self, name: str, lang: Lang) -> str:
        """How a fact, parameter or derived quantity is called."""
        regime, vocabulary = self.program.regime, self.program.vocabulary
        if name in vocabulary.facts:
            return in_lang(vocabulary.facts[name].label, lang)
        if name in regime.parameters:
            return in_lang(regime.parameters[name].label, lang)
        return in_lang(regime.quantities[name].label, lang)

    def says(self, name: str) -> Pair | None:
        """The phrase that carries the value of a fact or derived quantity, if it has one."""
        regime, vocabulary = self.program.regime, self.program.vocabulary
        if name in vocabulary.facts:
            return vocabulary.facts[name].says
        return regime.quantities[name].says if name in regime.quantities else None

    def unit(self, expr: Expr) -> Unit | None:
        """How the amount of an expression is counted; a product sold by the board counts boards."""
        vocabulary = self.program.vocabulary
        if isinstance(expr, Fact):
            return self.unit_of(vocabulary.facts[expr.path])
        unit = type_of(expr).unit
        return vocabulary.units.get(unit) if unit and unit != "USD" else None

    def unit_of(self, fact: FactDefinition) -> Unit | None:
        """How the amount of a fact is counted."""
        code = self.unit_code(fact)
        return self.program.vocabulary.units.get(code) if code and code != "USD" else None

    def unit_code(self, fact: FactDefinition) -> str | None:
        """The code of the unit in which a fact is counted."""
        if fact.counted_in is not None:
            code: str | None = self.values[self.program.slots[fact.counted_in]]
            if code in self.program.vocabulary.units:
                return code
        return fact.type.unit

    def stated(self, fact: FactDefinition, value: Any, lang: Lang) -> str:
        """The value of a fact as people read it: yes or no, a code's name, an amount, a date."""
        if isinstance(value, str):
            return in_lang(self.program.vocabulary.label(fact.path, value), lang)
        return worded(value, fact.type, self.unit_of(fact), lang)

    def value_of(self, expr: Expr, lang: Lang, *, bare: bool = False) -> str:
        """The value of a term as people read it; `bare` leaves the unit out."""
        unit = None if bare else self.unit(expr)
        return worded(self.amount(expr), type_of(expr), unit, lang)

    def code(self, expr: Expr, code: str, lang: Lang) -> str:
        """How a code of the list of an expression is called."""
        name = type_of(expr).codes
        known = self.program.vocabulary.lists[name].codes if name else {}
        return in_lang(known[code].label, lang) if code in known else code

    # --- both sides, for machines ---

    def sides(self, atom: Atom) -> dict[str, Any]:
        """Both sides of an atom with the margin: positive is room, 0 the boundary, negative short."""
        expr = atom.expr
        status = {True: "met", False: "unmet", None: "unknown"}[atom.held]
        unit: str | None = None
        margin: str | None = None
        left: str | bool | None
        right: str | bool | None
        op: str
        match expr:
            case Member():
                left, right = self.amount(expr.operand), ", ".join(expr.codes)
                op = "not in" if expr.negated is not atom.negated else "in"
            case Compare():
                op = FLIPPED[expr.op] if atom.negated else expr.op
                left, right, margin, unit = self._compared(expr, op)
            case _:
                left, op, right = self.amount(expr), "==", not atom.negated
        return {
            "left": left,
            "op": op,
            "right": right,
            "margin": margin,
            "unit": unit,
            "status": status,
        }

    def _compared(self, expr: Compare, op: CompareOp) -> tuple[Any, Any, str | None, str | None]:
        a, b = factors(expr.left, expr.right)
        left, right = self.amount(expr.left), self.amount(expr.right)
        kind, other = type_of(expr.left), type_of(expr.right)
        if kind.kind == "date":
            gap = None if left is None or right is None else _margin(left, right, op)
            return (
                _iso(left),
                _iso(right),
                None if gap is None else str(gap),
                "day",
            )
        if not kind.is_numeric:
            return left, right, None, None
        decimals = 2 if "money" in (kind.kind, other.kind) else 0
        scale = max(kind.scale, other.scale)
        left = None if left is None else left * a
        right = None if right is None else right * b
        gap = None if left is None or right is None else _margin(left, right, op)
        written = [
            None if v is None else write_number(v, scale, decimals) for v in (left, right, gap)
        ]
        return written[0], written[1], written[2], kind.unit or other.unit


def _margin(left: int, right: int, op: CompareOp) -> int:
    if op in ("<", "<="):
        return right - left
    if op in (">", ">="):
        return left - right
    return -abs(left - right) if op == "==" else abs(left - right)


def _iso(value: int | None) -> str | None:
    return None if value is None else date.fromordinal(value).isoformat()
