"""What is worth trying on a regime: for each fact the values at which a result may turn.

Describes only; `sample` and `properties` draw from the description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from engine.evaluate import Program, compile_regime, derived, judge
from engine.ir import (
    And,
    Compare,
    Constant,
    Expr,
    Member,
    Not,
    Note,
    Or,
    Parameter,
    Regime,
    children,
    type_of,
    walk,
)
from engine.names import uses
from engine.order import make_order
from engine.values import LIMIT, Type, Value
from engine.vocabulary import FactDefinition, Vocabulary

TEXTS = (
    "x",
    "深圳市示例智能科技有限公司",
    "上海（测试）“数据中心”、第7.5万片",
    "شركة الاختبار \u202eevil\u202c",
    "zero\u200bwidth\u200d\ufeffjoined",
    "<script>alert('1')</script>&amp;<b>",
    "'; DROP TABLE orders; -- \"",
    "{{7*7}} ${HOME} %s %(x)s {0}",
    '=HYPERLINK("//x")\t\r\nnext',
    "𠮷🂡e\u0301",
    " ",
    "长" * 500,
)
"""Names as the world sends them: Chinese, right to left, invisible, markup, code, very long."""

_STEP = 10**6


@dataclass(frozen=True, slots=True, repr=False)
class Choice:
    """A fact with its values: `near` are turning points and their neighbours, `far` ordinary ones.

    Both hold the plainest value first; `near` is never empty.
    """

    fact: FactDefinition
    near: tuple[Value, ...]
    far: tuple[Value, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Edge:
    """A comparison of a rule, and a number or date that can be moved to where it turns.

    Its two sides stand in the finding of the rule at position `rule`, at position `side`.
    """

    compare: Compare
    path: str
    rule: int
    side: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Choices:
    """A regime on one day with the choices of every fact; `deciding` ones can change an outcome."""

    program: Program
    deciding: Mapping[str, Choice]
    others: Mapping[str, Choice]
    edges: tuple[Edge, ...]

    def of(self, path: str) -> Choice:
        """The choice of any fact that can be stated."""
        return self.deciding[path] if path in self.deciding else self.others[path]

    def values(self, stated: Mapping[str, Value]) -> list[Any]:
        """The values of an order by slot, derived ones too."""
        return derived(self.program, make_order(self.program.vocabulary, stated).values)

    def turn(self, edge: Edge, stated: Mapping[str, Value]) -> int | None:
        """The value of the edge's fact at which both sides are equal, the rest as it stands.

        Rounded down; `None` where another fact is unknown or the fact does not move the sides.
        """
        program = self.program
        values = list(make_order(program.vocabulary, stated).values)
        slot = program.slots[edge.path]
        gaps: list[int] = []
        for value in (0, _STEP):
            values[slot] = value
            sides = judge(program, values).findings[edge.rule].sides
            left, right = sides[edge.side] if sides else (None, None)
            if left is None or right is None:
                return None
            gaps.append(left - right)
        slope = gaps[1] - gaps[0]
        return None if slope == 0 else -gaps[0] * _STEP // slope

    def is_supplied(self, path: str, stated: Mapping[str, Value]) -> bool:
        """Whether the catalogue row of a stated product gives this fact."""
        source = self.program.vocabulary.facts[path].catalogue
        if source is None or source not in stated:
            return False
        rows = self.program.vocabulary.catalogue.get(source, {})
        return path in rows.get(cast(str, stated[source]), {})

    def set(self, stated: dict[str, Value], path: str, value: Value) -> None:
        """State a fact, or unstate it with `None`, so that the order still agrees with its row.

        A product takes out what its row supplies; a figure takes out the product, whose other
        figures are then spelt out.
        """
        if value is None:
            stated.pop(path, None)
            return
        vocabulary = self.program.vocabulary
        if self.is_supplied(path, stated):
            source = cast(str, vocabulary.facts[path].catalogue)
            stated.update(vocabulary.catalogue[source][cast(str, stated.pop(source))])
        stated[path] = value
        for supplied in vocabulary.catalogue.get(path, {}).get(cast(str, value), ()):
            stated.pop(supplied, None)


def describe(vocabulary: Vocabulary, regime: Regime, day: int | None = None) -> Choices:
    """Describe what is worth trying on a regime, on a day or the last that its authors read to.

    `describe(book.vocabulary, book.regimes["h200-article"]).deciding["customer.units_to_date"]`
    has 74,999, 75,000 and 75,001 among its `near` values.
    """
    program = compile_regime(regime, vocabulary, regime.read_to if day is None else day)
    exprs = tuple(deciding_exprs(regime))
    every = (*exprs, *(q.value for q in regime.quantities.values()), *_notes(regime))
    named = {path for expr in exprs for path in bases(program, expr)} | {regime.dated_by}
    named |= {source for path in named if (source := vocabulary.facts[path].catalogue) is not None}
    around = _Surroundings(program, tuple(p for e in every for p in walk(e)))
    choices = {p: around.choice(f) for p, f in vocabulary.facts.items() if f.derived is None}
    edges = tuple(
        Edge(compare, path, number, side)
        for number, rule in enumerate(regime.rules)
        for side, compare in enumerate(_compares(rule.applies, rule.require))
        if type_of(compare.left).is_numeric or type_of(compare.left).kind == "date"
        for path in bases(program, compare)
    )
    return Choices(
        program,
        {p: c for p, c in choices.items() if p in named},
        {p: c for p, c in choices.items() if p not in named},
        edges,
    )


def deciding_exprs(regime: Regime) -> Iterator[Expr]:
    """The conditions that can change an outcome: the scope and those of the rules."""
    yield regime.scope
    for rule in regime.rules:
        if rule.applies is not None:
            yield rule.applies
        yield rule.require


def bases(program: Program, expr: Expr) -> tuple[str, ...]:
    """The facts that an order states for an expression, through what is derived, each once."""
    found: dict[str, None] = {}
    facts, quantities = program.vocabulary.facts, program.regime.quantities
    for name in uses(expr):
        quantity = quantities.get(name) or (facts[name].derived if name in facts else None)
        if quantity is not None:
            found.update(dict.fromkeys(bases(program, quantity.value)))
        elif name in facts:
            found[name] = None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """Every part of every condition, where the values of a fact are looked for."""

    program: Program
    parts: tuple[Expr, ...]

    def choice(self, fact: FactDefinition) -> Choice:
        match fact.type.kind:
            case "boolean":
                return Choice(fact, (False, True), ())
            case "text":
                return Choice(fact, TEXTS, ())
            case "code":
                return self._codes(fact)
            case "date":
                return self._dates(fact)
            case _:
                return self._numbers(fact)

    def _codes(self, fact: FactDefinition) -> Choice:
        known = self.program.vocabulary.lists[cast(str, fact.type.codes)].codes
        lists = [
            part.codes
            for part in self.parts
            if isinstance(part, Member) and type_of(part.operand).codes == fact.type.codes
        ]
        lists += [
            (str(side.value),)
            for part in self.parts
            if isinstance(part, Compare)
            for side, other in ((part.left, part.right), (part.right, part.left))
            if isinstance(side, Constant) and type_of(other).codes == fact.type.codes
        ]
        near: dict[str, None] = {}
        for codes in lists:
            near.update(dict.fromkeys(codes[:8]))
        named = {code for codes in lists for code in codes}
        near.update(dict.fromkeys([code for code in known if code not in named][:2]))
        return Choice(fact, tuple(near), tuple(code for code in known if code not in near))

    def _dates(self, fact: FactDefinition) -> Choice:
        regime = self.program.regime
        periods = [regime.in_force, *(rule.in_force for rule in regime.rules)]
        days = [period.start for period in periods]
        days += [period.until for period in periods if period.until is not None]
        days += [day for p in regime.parameters.values() for day, _ in p.values]
        days += [
            cast(int, part.value)
            for part in self.parts
            if isinstance(part, Constant) and part.type.kind == "date"
        ]
        days.append(self.program.day)
        near = [day + shift for day in dict.fromkeys(days) for shift in (0, -1, 1)]
        far = [self.program.day + shift for shift in (-400, -30, 30, 400)]
        return Choice(fact, _within(fact.type, near), _within(fact.type, far))

    def _numbers(self, fact: FactDefinition) -> Choice:
        kind = fact.type
        one = 10**kind.scale
        turning = [0, one, *(v for v in (kind.lo, kind.hi) if v is not None)]
        for part in self.parts:
            if isinstance(part, Compare) and fact.path in bases(self.program, part):
                turning += self._amounts(part, kind)
        near = [value + shift for value in dict.fromkeys(turning) for shift in (0, -1, 1)]
        far = [10**n * one for n in range(1, 12)]
        if fact.catalogue is not None:
            rows = self.program.vocabulary.catalogue[fact.catalogue].values()
            far += [cast(int, row[fact.path]) for row in rows if fact.path in row]
        return Choice(fact, _within(kind, near), _within(kind, far))

    def _amounts(self, expr: Expr, kind: Type) -> Iterator[int]:
        """The constants and parameter values inside an expression, in the scale of a type."""
        match expr:
            case Constant(value=int() as value) if expr.type.is_numeric:
                yield from _rescaled(value, expr.type.scale, kind.scale)
            case Parameter() if expr.type.is_numeric:
                values = self.program.regime.parameters[expr.name].values
                for _, held in values:
                    yield from _rescaled(cast(int, held), expr.type.scale, kind.scale)
            case _:
                for child in children(expr):
                    yield from self._amounts(child, kind)


def _notes(regime: Regime) -> Iterator[Expr]:
    notes: list[Note] = [*regime.cautions]
    for rule in regime.rules:
        notes += [*rule.remarks, *rule.cautions, *rule.obligations]
    for note in notes:
        yield note.when


def _compares(*exprs: Expr | None) -> Iterator[Compare]:
    """The comparisons whose sides a finding shows, in its order."""
    for expr in exprs:
        match expr:
            case Compare():
                yield expr
            case And() | Or() | Not():
                yield from _compares(*children(expr))
            case _:
                pass


def _rescaled(value: int, scale: int, to: int) -> Iterator[int]:
    scaled, rest = divmod(value * 10**to, 10**scale)
    yield scaled
    if rest:
        yield scaled + 1


def _within(kind: Type, values: Iterable[int]) -> tuple[int, ...]:
    lo = (1 if kind.kind == "date" else -LIMIT) if kind.lo is None else kind.lo
    hi = (3_652_059 if kind.kind == "date" else LIMIT) if kind.hi is None else kind.hi
    return tuple(dict.fromkeys(value for value in values if lo <= value <= hi))
