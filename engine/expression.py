"""Turn the text of a condition into typed IR.

The text is a small part of Python's expression syntax; Python's tree is only walked, never run.
Names, types, units, codes and number ranges are checked on the way, every fault with its place.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

from engine.diagnostics import Diagnostic, Span, nearest, shown
from engine.ir import (
    And,
    ArithmeticOp,
    CompareOp,
    Constant,
    Derived,
    Expr,
    Fact,
    Member,
    NamedList,
    Not,
    Or,
    Parameter,
    type_of,
)
from engine.operators import Unsound, called, combined, compared
from engine.source import Scalar
from engine.values import BOOLEAN, Kind, Type

MAX_LENGTH = 2_000
MAX_DEPTH = 40

_COMPARISONS: dict[type[ast.cmpop], CompareOp] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ARITHMETIC: dict[type[ast.operator], ArithmeticOp] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_DIGITS = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.([0-9]{1,9}))?", re.ASCII)
_DATE_CALL = re.compile(r'date\(\s*"([0-9]{4}-[0-9]{2}-[0-9]{2})"\s*\)')
_PATH = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+", re.ASCII)
# What Python's grammar reads but the rule language does not have; told before Python is asked.
_FOREIGN = re.compile(r"[^\x20-\x7e]|[#\\;`@$%^&|~?{}]|//|\*\*|\blambda\b|:=")
_MEANT = {
    "≤": "write `<=`",
    "≥": "write `>=`",
    "≠": "write `!=`",
    "×": "write `*`",
    "&": "write `and`",
    "|": "write `or`",
    "（": "write `(`",
    "）": "write `)`",
    "“": 'write `"`',
    "”": 'write `"`',
}

# Python reserves words that are good names in a fact path (`import.prc_approval`): they are lent
# a capital letter while Python reads them, which no fact path has.
_RESERVED_IN_PATH = re.compile(
    rf"\b(?:{'|'.join(keyword.kwlist)})(?=\.)|(?<=\.)(?:{'|'.join(keyword.kwlist)})\b"
)


@dataclass(frozen=True, slots=True, repr=False)
class Names:
    """Everything that an expression may speak of, with its type."""

    facts: Mapping[str, Type]
    derived: Mapping[str, Type]
    parameters: Mapping[str, Type]
    lists: Mapping[str, NamedList]
    codes: Mapping[str, frozenset[str]]


class _Refused(Exception):
    """A part that cannot be read; its fault has been noted."""


def condition(scalar: Scalar, names: Names, faults: list[Diagnostic]) -> Expr | None:
    """Read a condition; `None` when it has a fault."""
    expr = _read(scalar, names, faults)
    if expr is not None and type_of(expr).kind != "boolean":
        faults.append(
            Diagnostic(
                "R205",
                scalar.part(0, len(scalar.text)),
                f"{called(type_of(expr))} is not a condition",
                "compare it with something",
            )
        )
        return None
    return expr


def amount(scalar: Scalar, names: Names, faults: list[Diagnostic]) -> Expr | None:
    """Read a numeric expression; `None` when it has a fault."""
    expr = _read(scalar, names, faults)
    if expr is not None and not type_of(expr).is_numeric:
        faults.append(
            Diagnostic(
                "R205",
                scalar.part(0, len(scalar.text)),
                f"{called(type_of(expr))} is not an amount",
                "a derived quantity is a number or money",
            )
        )
        return None
    return expr


def term(scalar: Scalar, names: Names, faults: list[Diagnostic]) -> Expr | None:
    """Read an expression of any type; `None` when it has a fault."""
    return _read(scalar, names, faults)


def _read(scalar: Scalar, names: Names, faults: list[Diagnostic]) -> Expr | None:
    before = len(faults)
    expr = _Reader(scalar, names, faults).read()
    return expr if len(faults) == before else None


class _Reader:
    def __init__(self, scalar: Scalar, names: Names, faults: list[Diagnostic]) -> None:
        self.scalar = scalar
        self.text = scalar.text.replace("\n", " ")
        self.names = names
        self.faults = faults
        self.shift = 0

    def read(self) -> Expr | None:
        """Read the text; `None` when it has a fault, which is noted."""
        try:
            return self._expr(self._tree())
        except _Refused:
            return None

    def _tree(self) -> ast.expr:
        text = self.text
        whole = self.scalar.part(0, len(text))
        if not text.strip():
            raise self._refused("R201", whole, "the expression is empty", "write a condition")
        if len(text) > MAX_LENGTH:
            raise self._refused(
                "R203",
                self.scalar.span,
                f"the expression is longer than {MAX_LENGTH:,} characters",
                "divide it into several rules or derived quantities",
            )
        in_quotes = re.compile(r'"[^"]*"').sub(lambda m: '"' + "_" * (len(m[0]) - 2) + '"', text)
        found = _FOREIGN.search(in_quotes)
        if found:
            raise self._refused(
                "R202",
                self.scalar.part(found.start(), found.end()),
                f"{shown(found[0])} is not part of the rule language",
                _MEANT.get(found[0])
                or "use facts, numbers, codes in double quotes, and / or / not, comparisons, + - *",
            )
        depth = worst = 0
        for position, char in enumerate(in_quotes):
            depth += (char in "([") - (char in ")]")
            if depth > MAX_DEPTH:
                worst = position
                break
        if worst:
            raise self._too_deep(worst)
        self.shift = len(text) - len(text.lstrip())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                lent = _RESERVED_IN_PATH.sub(lambda m: m[0].capitalize(), text.strip())
                # Python counts bytes: characters of codes are lent a width of one.
                lent = "".join(c if c.isascii() else "_" for c in lent)
                tree = ast.parse(lent, mode="eval")
        except SyntaxError as error:
            at = self.shift + (error.offset or len(lent) + 1) - 1  # 0 is the end
            raise self._refused(
                "R201",
                self.scalar.part(at, at + 1),
                "a bracket or quote is never closed"
                if "never closed" in error.msg or "unterminated" in error.msg
                else "cannot be read here",
                "write `==` to compare"
                if re.search(r"(?<![<>=!])=(?!=)", in_quotes)
                else "check operators, quotes, brackets and leading zeros near this place",
            ) from None
        except (RecursionError, MemoryError, ValueError):
            raise self._too_deep(0) from None
        if _depth(tree.body) > MAX_DEPTH:
            raise self._too_deep(0)
        return tree.body

    def _too_deep(self, at: int) -> _Refused:
        return self._refused(
            "R203",
            self.scalar.part(at, at + 1) if at else self.scalar.part(0, len(self.text)),
            f"the expression is nested more than {MAX_DEPTH} deep",
            "divide it into several rules or derived quantities",
        )

    # --- structure ---

    def _expr(self, node: ast.expr) -> Expr:
        span = self._span(node)
        match node:
            case ast.BoolOp():
                joined = And if isinstance(node.op, ast.And) else Or
                return joined(self._conditions(node.values), span)
            case ast.UnaryOp(op=ast.Not()):
                return Not(self._conditions([node.operand])[0], span)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
                literal = self._literal(cast(ast.Constant, node.operand))
                value = -cast(int, literal.value)
                return Constant(value, replace(literal.type, lo=value, hi=value), span)
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                left, right = self._both(node.left, node.right)
                return self._sound(combined, _ARITHMETIC[type(node.op)], left, right, span)
            case ast.Compare():
                return self._comparison(node, span)
            case ast.Constant():
                return self._literal(node)
            case ast.Name():
                return self._name(node.id, span)
            case ast.Attribute():
                return self._fact(node, span)
            case ast.Call(func=ast.Name(id="min" | "max" as op), keywords=[]) if (
                len(node.args) >= 2
            ):
                if len(node.args) > MAX_DEPTH:
                    raise self._too_deep(0)
                parts = [self._expr(arg) for arg in node.args]
                result = parts[0]
                for part in parts[1:]:
                    result = self._sound(combined, op, result, part, span)
                return result
            case ast.Call(func=ast.Name(id="date")):
                written = self.text[
                    self.shift + node.col_offset : self.shift + (node.end_col_offset or 0)
                ]
                found = _DATE_CALL.fullmatch(written)
                try:
                    day = date.fromisoformat(found[1]).toordinal() if found else None
                except ValueError:
                    day = None
                if day is not None:
                    return Constant(day, Type("date", lo=day, hi=day), span)
                raise self._refused(
                    "R210", span, f"{shown(written)} is not a date", 'write date("YYYY-MM-DD")'
                )
            case ast.Call():
                raise self._refused(
                    "R202",
                    span,
                    "this call is not part of the rule language",
                    'only min(a, b), max(a, b) and date("YYYY-MM-DD") are',
                )
            case _:
                raise self._refused(
                    "R202",
                    span,
                    "this is not part of the rule language",
                    "use facts, numbers, codes, and / or / not, comparisons, + - *",
                )

    def _conditions(self, nodes: list[ast.expr]) -> tuple[Expr, ...]:
        read: list[Expr] = []
        for node in nodes:
            try:
                expr = self._expr(node)
            except _Refused:
                continue
            if type_of(expr).kind == "boolean":
                read.append(expr)
            else:
                self._fault(
                    "R205",
                    self._span(node),
                    f"{called(type_of(expr))} is not a condition",
                    "compare it with something",
                )
        if len(read) < len(nodes):
            raise _Refused
        return tuple(read)

    def _both(self, left: ast.expr, right: ast.expr) -> tuple[Expr, Expr]:
        """Read both sides, so that the faults of both are told."""
        read: list[Expr] = []
        for side in (left, right):
            with suppress(_Refused):
                read.append(self._expr(side))
        if len(read) < 2:
            raise _Refused
        return read[0], read[1]

    def _comparison(self, node: ast.Compare, span: Span) -> Expr:
        if len(node.ops) > 1:
            raise self._refused(
                "R209",
                span,
                "comparisons cannot be chained",
                "write `a < b and b < c`",
            )
        op = node.ops[0]
        if isinstance(op, ast.In | ast.NotIn):
            return self._member(node.left, node.comparators[0], isinstance(op, ast.NotIn), span)
        if type(op) not in _COMPARISONS:
            raise self._refused(
                "R202", span, "`is` is not part of the rule language", "write `==`"
            )
        left, right = self._both(node.left, node.comparators[0])
        for mine, other in ((left, type_of(right)), (right, type_of(left))):
            if isinstance(mine, Constant) and isinstance(mine.value, str) and other.codes:
                self._code(mine.value, other.codes, mine.span)
        return self._sound(compared, _COMPARISONS[type(op)], left, right, span)

    def _member(self, operand: ast.expr, listed: ast.expr, negated: bool, span: Span) -> Expr:
        subject = self._expr(operand)
        kind = type_of(subject)
        if kind.kind != "code" or kind.codes is None:
            raise self._refused(
                "R205",
                self._span(operand),
                f"{called(kind)} cannot be looked up in a list",
                "only facts with codes can",
            )
        if isinstance(listed, ast.Name):
            named = self.names.lists.get(listed.id)
            if named is None:
                raise self._unknown(listed.id, self._span(listed), self.names.lists, "list")
            if named.of != kind.codes:
                raise self._refused(
                    "R205",
                    self._span(listed),
                    f"`{named.name}` lists codes of `{named.of}`, not of `{kind.codes}`",
                    "use a list of the same codes",
                )
            return Member(subject, named.codes, named.name, negated, span)
        if not isinstance(listed, ast.List | ast.Tuple) or not listed.elts:
            raise self._refused(
                "R202",
                self._span(listed),
                "`in` needs a list of codes",
                'write `in ["CN", "HK"]` or name a list of the regime',
            )
        codes: list[str] = []
        for item in listed.elts:
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                code = cast(str, self._literal(item).value)
                self._code(code, kind.codes, self._span(item))
                codes.append(code)
            else:
                self._fault("R205", self._span(item), "only codes stand in a list", 'write `"CN"`')
        return Member(subject, tuple(codes), None, negated, span)

    # --- leaves ---

    def _literal(self, node: ast.Constant) -> Constant:
        span = self._span(node)
        start = self.shift + node.col_offset
        written = self.text[start : self.shift + (node.end_col_offset or 0)]
        if isinstance(node.value, str):
            code = written[1:-1]
            if written != f'"{code}"' or '"' in code:
                raise self._refused(
                    "R210", span, "a code stands in plain double quotes", 'write `"CN"`'
                )
            return Constant(code, Type("code", literal=True), span)
        found = _DIGITS.fullmatch(written)
        if isinstance(node.value, bool) or not found:
            raise self._refused(
                "R210",
                span,
                f"{shown(written)} is not a value of the rule language",
                "write digits with a decimal point, `true`, `false`, or a code in double quotes",
            )
        # `21000.00` says what `21000` says: a literal has no more decimals than it needs.
        scale = len((found[1] or "").rstrip("0"))
        value = int(written.partition(".")[0] + (found[1] or "")[:scale])
        kind: Kind = "decimal" if scale else "integer"
        return Constant(value, Type(kind, scale, lo=value, hi=value, literal=True), span)

    def _name(self, name: str, span: Span) -> Expr:
        if name in ("true", "false"):
            return Constant(name == "true", BOOLEAN, span)
        if name in self.names.parameters:
            return Parameter(name, self.names.parameters[name], span)
        if name in self.names.derived:
            return Derived(name, self.names.derived[name], span)
        if name in self.names.lists:
            raise self._refused("R205", span, f"`{name}` is a list", f"write `… in {name}`")
        known = [*self.names.parameters, *self.names.derived, *self.names.facts]
        raise self._unknown(name, span, known, "name")

    def _fact(self, node: ast.Attribute, span: Span) -> Expr:
        # The text as written: Python saw its own words with a capital letter.
        start = self.shift + node.col_offset
        path = self.text[start : self.shift + (node.end_col_offset or 0)]
        if not _PATH.fullmatch(path):
            raise self._refused(
                "R202", span, "this is not part of the rule language", "a fact is written a.b"
            )
        if path in self.names.derived:
            return Derived(path, self.names.derived[path], span)
        if path not in self.names.facts:
            known = [*self.names.facts, *(n for n in self.names.derived if "." in n)]
            raise self._unknown(path, span, known, "fact")
        kind = self.names.facts[path]
        if kind.kind == "text":
            raise self._refused(
                "R205", span, f"`{path}` is text, which is carried but never judged", ""
            )
        return Fact(path, kind, span)

    def _code(self, code: str, list_name: str, span: Span) -> None:
        known = self.names.codes[list_name]
        if code not in known:
            self._fault(
                "R207",
                span,
                f"unknown {list_name} code {shown(code)}",
                nearest(code, known) or f"codes of `{list_name}` stand in the vocabulary",
            )

    # --- faults ---

    def _sound(
        self,
        make: Callable[[Any, Expr, Expr, Span], Expr],
        op: str,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Expr:
        try:
            return make(op, left, right, span)
        except Unsound as fault:
            raise self._refused(fault.code, fault.span, fault.message, fault.help) from None

    def _span(self, node: ast.expr) -> Span:
        start = self.shift + node.col_offset
        return self.scalar.part(start, self.shift + (node.end_col_offset or node.col_offset + 1))

    def _fault(self, code: str, span: Span, message: str, help: str) -> None:
        self.faults.append(Diagnostic(code, span, message, help))

    def _refused(self, code: str, span: Span, message: str, help: str) -> _Refused:
        self._fault(code, span, message, help)
        return _Refused()

    def _unknown(self, name: str, span: Span, known: Iterable[str], what: str) -> _Refused:
        return self._refused(
            "R204",
            span,
            f"unknown {what} {shown(name)}",
            nearest(name, known) or "see `placet rules --facts` for what can be said",
        )


def _depth(tree: ast.expr) -> int:
    """Depth of a tree, counted without recursion."""
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        if deepest > MAX_DEPTH:
            return deepest
        level = [
            child
            for node in level
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.expr)
        ]
    return deepest
