"""Write expressions as a rule file would; reading the text again gives the same IR."""

from __future__ import annotations

from datetime import date

from engine.ir import (
    And,
    Arithmetic,
    Compare,
    Constant,
    Derived,
    Expr,
    Fact,
    Member,
    Not,
    Or,
    Parameter,
)
from engine.values import write_number

_BINDS = {"or": 1, "and": 2, "not": 3, "compare": 4, "+": 5, "-": 5, "*": 6}


def print_expr(expr: Expr) -> str:
    """Write an expression as a rule file would; reading it again gives the same IR."""
    return _print(expr, 0)


def _print(expr: Expr, outer: int) -> str:
    match expr:
        case Or() | And():
            word = "or" if isinstance(expr, Or) else "and"
            level = _BINDS[word]
            text = f" {word} ".join(_print(o, level + 1) for o in expr.operands)
        case Not():
            level = _BINDS["not"]
            text = f"not {_print(expr.operand, level)}"
        case Compare():
            level = _BINDS["compare"]
            text = f"{_print(expr.left, level + 1)} {expr.op} {_print(expr.right, level + 1)}"
        case Member():
            level = _BINDS["compare"]
            listed = expr.list or "[" + ", ".join(f'"{c}"' for c in expr.codes) + "]"
            word = "not in" if expr.negated else "in"
            text = f"{_print(expr.operand, level + 1)} {word} {listed}"
        case Arithmetic(op="min" | "max"):
            return f"{expr.op}({_print(expr.left, 0)}, {_print(expr.right, 0)})"
        case Arithmetic():
            level = _BINDS[expr.op]
            text = f"{_print(expr.left, level)} {expr.op} {_print(expr.right, level + 1)}"
        case Constant():
            return _constant(expr)
        case Fact():
            return expr.path
        case Parameter() | Derived():
            return expr.name
    return f"({text})" if level < outer else text


def _constant(expr: Constant) -> str:
    if isinstance(expr.value, bool):
        return "true" if expr.value else "false"
    if isinstance(expr.value, str):
        return f'"{expr.value}"'
    if expr.type.kind == "date":
        return f'date("{date.fromordinal(expr.value).isoformat()}")'
    return write_number(expr.value, expr.type.scale)
