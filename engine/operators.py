"""What operators take and give: kinds, units, scales, and ranges that stay within 63 bits."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from engine.diagnostics import Span
from engine.ir import Arithmetic, ArithmeticOp, Compare, CompareOp, Expr, type_of
from engine.values import LIMIT, Kind, Type, write_number


class Unsound(Exception):
    """An operator on values that it does not take: the parts of a diagnostic."""

    def __init__(self, code: str, span: Span, message: str, help: str) -> None:
        super().__init__(message)
        self.code, self.span, self.message, self.help = code, span, message, help


def compared(op: CompareOp, left: Expr, right: Expr, span: Span) -> Compare:
    """Compare two sides of one kind and unit. Raises `Unsound`."""
    a, b = type_of(left), type_of(right)
    if a.kind in ("code", "boolean") or b.kind in ("code", "boolean"):
        same = a.kind == b.kind and (a.literal or b.literal or a.codes == b.codes)
        if not same or (a.literal and b.literal):
            raise Unsound(
                "R205",
                span,
                f"{called(a)} cannot be compared with {called(b)}",
                "compare a fact with one of its own codes",
            )
        if op not in ("==", "!="):
            raise Unsound(
                "R205",
                span,
                f"`{op}` needs an order, which these values have not",
                "use `==` or `!=`",
            )
        return Compare(op, left, right, span)
    if (a.kind == "date") != (b.kind == "date"):
        raise Unsound(
            "R205",
            span,
            f"{called(a)} cannot be compared with {called(b)}",
            'compare a date with a date, such as date("2026-01-15")',
        )
    if a.kind != "date":
        _aligned(left, right, span)
    return Compare(op, left, right, span)


def combined(op: ArithmeticOp, left: Expr, right: Expr, span: Span) -> Expr:
    """A sum, difference, product, minimum or maximum with its unit and range. Raises `Unsound`."""
    for side in (left, right):
        dates = op in ("min", "max") and type_of(side).kind == "date"
        if not type_of(side).is_numeric and not dates:
            raise Unsound(
                "R205",
                span,
                f"`{op}` does not work on {called(type_of(side))}",
                "use numbers or money",
            )
    if op == "*":
        return _product(left, right, span)
    if type_of(left).kind == "date":
        if type_of(right).kind != "date":
            raise Unsound("R205", span, "a date stands with a date only", "")
        a, b = type_of(left), type_of(right)
        return Arithmetic(op, left, right, Type("date"), span)
    a, b = _aligned(left, right, span)
    ends = [(x, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    totals = [_apply(op, cast(int, x), cast(int, y)) for x, y in ends]
    kind = a.kind if a.kind == "money" or b.kind != "money" else b.kind
    if kind == "integer" and a.scale:
        kind = "decimal"
    result = Type(
        kind,
        a.scale,
        a.unit if not a.literal else b.unit,
        None,
        min(totals),
        max(totals),
        a.literal and b.literal,
    )
    return Arithmetic(op, left, right, _in_range(result, span), span)


def _product(left: Expr, right: Expr, span: Span) -> Expr:
    a, b = type_of(left), type_of(right)
    money = (a.kind == "money") + (b.kind == "money")
    if money == 2 or (not money and a.unit and b.unit):
        raise Unsound(
            "R206",
            span,
            f"{called(a)} cannot be multiplied by {called(b)}",
            "one side of a product is a plain number or a ratio",
        )
    totals = [cast(int, x) * cast(int, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    scale = a.scale + b.scale
    kind: Kind = "money" if money else "decimal" if scale else "integer"
    unit = "USD" if money else a.unit or b.unit
    literal = a.literal and b.literal
    result = Type(kind, scale, unit, None, min(totals), max(totals), literal)
    return Arithmetic("*", left, right, _in_range(result, span), span)


def _aligned(left: Expr, right: Expr, span: Span) -> tuple[Type, Type]:
    """The types of both sides at one scale; refuse different units and too large numbers."""
    a, b = type_of(left), type_of(right)
    if not (a.unit == b.unit or a.literal or b.literal):
        raise Unsound(
            "R206",
            span,
            f"{called(a)} cannot be set against {called(b)}",
            "both sides need the same unit",
        )
    scale = max(a.scale, b.scale)
    return _rescaled(a, scale, left.span), _rescaled(b, scale, right.span)


def _rescaled(type: Type, scale: int, span: Span) -> Type:
    factor = 10 ** (scale - type.scale)
    lo, hi = cast(int, type.lo) * factor, cast(int, type.hi) * factor
    return _in_range(replace(type, scale=scale, lo=lo, hi=hi), span)


def _in_range(type: Type, span: Span) -> Type:
    largest = max(abs(cast(int, type.lo)), abs(cast(int, type.hi)))
    if largest > LIMIT:
        raise Unsound(
            "R208",
            span,
            f"can reach {write_number(largest, type.scale)}, "
            f"{len(str(largest))} digits with its decimals; 63 bits hold 18",
            "give the facts and parameters in it narrower bounds",
        )
    return type


def _apply(op: ArithmeticOp, a: int, b: int) -> int:
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "min":
            return min(a, b)
        case "max":
            return max(a, b)


def called(type: Type) -> str:
    """How a kind of value is called in a message."""
    if type.kind == "code":
        return f"a code of `{type.codes}`" if type.codes else "a code"
    if type.kind == "money":
        return "an amount in USD"
    if type.is_numeric:
        return f"a number of `{type.unit}`" if type.unit else "a plain number"
    return {"boolean": "a condition", "date": "a date", "text": "text"}[type.kind]
