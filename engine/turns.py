"""Where a comparison turns while one fact runs over its values: exactly, and without trying all.

With every other fact fixed, the left side less the right is a function of one whole number. Mostly
it is a straight line, and its zero is computed. Where rounding, a minimum or a product bends it,
stretches are halved until its bounds or its slope show that it has no zero there, or only one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from engine.evaluate import Program
from engine.ir import (
    Arithmetic,
    Compare,
    Constant,
    Derived,
    Expr,
    Fact,
    Parameter,
    Regime,
    factors,
    type_of,
    walk,
)
from engine.names import definition, inside
from engine.vocabulary import Vocabulary


class Line(NamedTuple):
    """`slope * x + start`; a constant has no slope."""

    slope: int
    start: int


class Bent(NamedTuple):
    """Two forms joined by `+ - * min max`, or one divided by a number and rounded `up` or `down`."""

    op: str
    left: Line | Bent
    right: Line | Bent


Form = Line | Bent


@dataclass(slots=True)
class Looks:
    """How many stretches of bent comparisons may still be looked at; `short` once it was too few."""

    left: int
    at_one: int
    short: bool = False


def comparisons(regime: Regime, vocabulary: Vocabulary, name: str) -> tuple[Compare, ...]:
    """The comparisons of numbers or dates, in scope and rules, that rest on a fact."""
    conditions = [regime.scope]
    for rule in regime.rules:
        conditions += [rule.require] if rule.applies is None else [rule.applies, rule.require]
    found = (
        part
        for condition in conditions
        for part in walk(condition)
        if isinstance(part, Compare)
        and (type_of(part.left).is_numeric or type_of(part.left).kind == "date")
        and name in inside(regime, vocabulary, part)
    )
    return tuple(dict.fromkeys(found))


def form_of(program: Program, compare: Compare, name: str, values: Sequence[Any]) -> Form | None:
    """The left side less the right, as a function of a fact; nothing where it is unknown."""
    former = _Former(program, name, values)
    a, b = factors(compare.left, compare.right)
    return _joined("-", former.form(compare.left, a), former.form(compare.right, b))


def turns(form: Form, lo: int, hi: int, looks: Looks) -> Iterator[int]:
    """Every x above `lo`, up to `hi`, where the sign of a form is another than at x - 1."""
    if isinstance(form, Line):
        yield from _crossings(form, lo, hi)
        return
    left = min(looks.left, looks.at_one)
    looks.left -= left
    ahead = [(lo, hi)]
    while ahead:
        lo, hi = ahead.pop()
        if left <= 0:
            looks.short = True
            return
        left -= 1
        least, most, fall, rise = _bounds(form, lo, hi)
        if lo == hi or least > 0 or most < 0:
            continue
        if fall >= 0 or rise <= 0:
            yield from _bisected(form, lo, hi)
        elif hi - lo == 1:
            yield from (hi,) if _sign(form, lo) != _sign(form, hi) else ()
        else:
            middle = (lo + hi) // 2
            ahead += [(middle, hi), (lo, middle)]
    looks.left += left


@dataclass(frozen=True, slots=True)
class _Former:
    program: Program
    name: str
    values: Sequence[Any]

    def form(self, expr: Expr, factor: int = 1) -> Form | None:
        """An expression times a factor; nothing where it is unknown whatever the fact is."""
        return (
            _joined("*", self._whole(expr), Line(0, factor)) if factor != 1 else self._whole(expr)
        )

    def _whole(self, expr: Expr) -> Form | None:
        match expr:
            case Constant():
                return Line(0, cast(int, expr.value))
            case Parameter():
                return _known(self.program.parameters[expr.name])
            case Fact():
                if expr.path == self.name:
                    return Line(1, 0)
                return _known(self.values[self.program.slots[expr.path]])
            case Derived():
                return self._derived(expr.name)
            case Arithmetic(op="*"):
                return _joined("*", self._whole(expr.left), self._whole(expr.right))
            case Arithmetic():
                a, b = factors(expr.left, expr.right)
                return _joined(expr.op, self.form(expr.left, a), self.form(expr.right, b))
            case _:
                raise AssertionError("a comparison of numbers or dates has no other parts")

    def _derived(self, name: str) -> Form | None:
        quantity = definition(self.program.regime, self.program.vocabulary, name)
        assert quantity is not None
        made, kept = type_of(quantity.value).scale, quantity.type.scale
        if made <= kept:
            return self.form(quantity.value, 10 ** (kept - made))
        whole, factor = self._whole(quantity.value), Line(0, 10 ** (made - kept))
        return _joined("up" if quantity.round == "up" else "down", whole, factor)


def _known(value: Any) -> Line | None:
    return None if value is None else Line(0, value)


def _joined(op: str, left: Form | None, right: Form | None) -> Form | None:
    """Two forms as one, a line where it can be."""
    if left is None or right is None:
        return None
    if isinstance(left, Line) and isinstance(right, Line):
        (a, b), (c, d) = left, right
        match op:
            case "+":
                return Line(a + c, b + d)
            case "-":
                return Line(a - c, b - d)
            case "*" if not a or not c:
                return Line(a * d + b * c, b * d)
            case _ if not a and not c:
                return Line(0, _applied(op, b, d))
    return Bent(op, left, right)


def _applied(op: str, left: int, right: int) -> int:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "min":
            return min(left, right)
        case "max":
            return max(left, right)
        case "up":
            return -(-left // right)
        case _:
            return left // right


def _at(form: Form, x: int) -> int:
    if isinstance(form, Line):
        return form.slope * x + form.start
    return _applied(form.op, _at(form.left, x), _at(form.right, x))


def _sign(form: Form, x: int) -> int:
    value = _at(form, x)
    return (value > 0) - (value < 0)


def _crossings(line: Line, lo: int, hi: int) -> Iterator[int]:
    """Where a line reaches zero, and where it leaves it."""
    slope, start = line
    if slope:
        zero, rest = divmod(-start, slope)
        yield from (x for x in ((zero + 1,) if rest else (zero, zero + 1)) if lo < x <= hi)


def _bisected(form: Form, lo: int, hi: int) -> Iterator[int]:
    """Where a form that only rises, or only falls, changes its sign: once or twice."""
    sign, last = _sign(form, lo), _sign(form, hi)
    while sign != last:
        below, above = lo, hi
        while above - below > 1:
            middle = (below + above) // 2
            if _sign(form, middle) == sign:
                below = middle
            else:
                above = middle
        yield above
        lo, sign = above, _sign(form, above)


def _bounds(form: Form, lo: int, hi: int) -> tuple[int, int, int, int]:
    """Between which numbers a form lies from `lo` to `hi`, and what one step can add to it."""
    if isinstance(form, Line):
        ends = _at(form, lo), _at(form, hi)
        return min(ends), max(ends), form.slope, form.slope
    a, b, fall, rise = left = _bounds(form.left, lo, hi)
    c, d, dive, climb = right = _bounds(form.right, lo, hi)
    match form.op:
        case "+":
            return a + c, b + d, fall + dive, rise + climb
        case "-":
            return a - d, b - c, fall - climb, rise - dive
        case "*":
            # (f + df)(g + dg) - fg = df g + (f + df) dg, and f + df is a value of f too.
            whole = _products(a, b, c, d)
            one, other = _products(fall, rise, c, d), _products(a, b, dive, climb)
            return min(whole), max(whole), min(one) + min(other), max(one) + max(other)
        case "min":
            if b <= c or d <= a:
                return left if b <= c else right
            return min(a, c), min(b, d), min(fall, dive), max(rise, climb)
        case "max":
            if b <= c or d <= a:
                return right if b <= c else left
            return max(a, c), max(b, d), min(fall, dive), max(rise, climb)
        case _:
            lowest, highest = _applied(form.op, a, c), _applied(form.op, b, c)
            return lowest, highest, fall // c, -(-rise // c)


def _products(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    return a * c, a * d, b * c, b * d
