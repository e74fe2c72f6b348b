"""Write the meaning of a regime as one straight Python function, so that an order is judged fast.

Only what the checked IR holds enters the text: slot numbers, integers and names made here. Codes
and rules are handed over as objects. Equal parts are computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

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
    Quantity,
    Rule,
    Status,
    factors,
    type_of,
)
from engine.values import Value

Because = Literal["condition", "not-in-force", "left-out"]
Truth = bool | None
Values = Sequence[Any]


class Finding(NamedTuple):
    """One rule on one order, with both sides of each comparison of its condition, in order.

    Sides of `applies` come before those of `require`; the two sides of a pair have one scale.
    """

    rule: Rule
    status: Status
    because: Because | None
    sides: tuple[tuple[Any, Any], ...]


class Judgement(NamedTuple):
    """The outcome of an order with all findings, in rule order."""

    status: Status
    scope: Truth
    findings: tuple[Finding, ...]


def generate(
    scope: Expr,
    steps: Sequence[tuple[Rule, Because | None]],
    slots: Mapping[str, int],
    parameters: Mapping[str, Value],
    definitions: Mapping[str, Quantity],
) -> Callable[[Values], Judgement]:
    """The function from an order's values by slot to its judgement."""
    return _Writer(slots, parameters, definitions).function(scope, steps)


class _Writer:
    def __init__(
        self,
        slots: Mapping[str, int],
        parameters: Mapping[str, Value],
        definitions: Mapping[str, Quantity],
    ) -> None:
        self.slots = slots
        self.parameters = parameters
        self.definitions = definitions
        self.lines: list[str] = []
        self.objects: dict[str, Any] = {
            "new": tuple.__new__,
            "Finding": Finding,
            "Judgement": Judgement,
        }
        self.written: dict[Any, str] = {}

    def function(
        self, scope: Expr, steps: Sequence[tuple[Rule, Because | None]]
    ) -> Callable[[Values], Judgement]:
        covered = self.truth(scope, [])
        statuses: list[str] = []
        findings: list[str] = []
        for rule, because in steps:
            if because is not None:
                fixed = Finding(rule, "not-applicable", because, ())
                findings.append(self._object(fixed))
                continue
            status, finding = self._finding(rule)
            statuses.append(status)
            findings.append(finding)
        if statuses:
            every = f"({', '.join(statuses)},)"
            self.lines += [
                f"every = {every}",
                "if 'unmet' in every: outcome = 'unmet'",
                "elif 'unknown' in every: outcome = 'unknown'",
                "elif 'met' in every: outcome = 'met'",
                "else: outcome = 'not-applicable'",
                f"if {covered} is None and outcome != 'not-applicable': outcome = 'unknown'",
                f"elif {covered} is False: outcome = 'not-applicable'",
            ]
        else:
            self.lines.append("outcome = 'not-applicable'")
        every = "".join(f"{finding}, " for finding in findings)
        self.lines.append(f"return new(Judgement, (outcome, {covered}, ({every})))")
        text = "def judged(v):\n" + "".join(f"    {line}\n" for line in self.lines)
        exec(compile(text, "<regime>", "exec"), self.objects)
        return cast(Callable[[Values], Judgement], self.objects["judged"])

    def _finding(self, rule: Rule) -> tuple[str, str]:
        sides: list[str] = []
        applies = None if rule.applies is None else self.truth(rule.applies, sides)
        require = self.truth(rule.require, sides)
        status, because = self._name("s"), "None"
        if applies is None:
            self.lines.append(
                f"{status} = 'met' if {require} else 'unknown' if {require} is None else 'unmet'"
            )
        else:
            because = self._name("b")
            self.lines += [
                f"{status} = 'not-applicable' if {applies} is False else 'met' if {require} "
                f"else 'unmet' if {applies} and {require} is False else 'unknown'",
                f"{because} = 'condition' if {applies} is False else None",
            ]
        pairs = "".join(f"{side}, " for side in sides)
        finding = f"new(Finding, ({self._object(rule)}, {status}, {because}, ({pairs})))"
        return status, finding

    def truth(self, expr: Expr, sides: list[str]) -> str:
        """Write a condition; every comparison adds its two sides, whether written before or not."""
        match expr:
            case And() | Or():
                parts = [self.truth(operand, sides) for operand in expr.operands]
                decided = "False" if isinstance(expr, And) else "True"
                other = "True" if isinstance(expr, And) else "False"
                settled = " or ".join(f"{part} is {decided}" for part in parts)
                open_ = " or ".join(f"{part} is None" for part in parts)
                return self._write(
                    expr, f"{decided} if {settled} else None if {open_} else {other}"
                )
            case Not():
                part = self.truth(expr.operand, sides)
                return self._write(expr, f"None if {part} is None else not {part}")
            case Compare():
                a, b = (1, 1)
                if type_of(expr.left).is_numeric:
                    a, b = factors(expr.left, expr.right)
                left, right = self.term(expr.left, a), self.term(expr.right, b)
                sides.append(f"({left}, {right})")
                return self._write(expr, _guarded(left, right, f"{left} {expr.op} {right}"))
            case Member():
                code = self.term(expr.operand)
                word = "not in" if expr.negated else "in"
                codes = self._object(frozenset(expr.codes))
                return self._write(expr, _guarded(code, "", f"{code} {word} {codes}"))
            case _:
                return self.term(expr)

    def term(self, expr: Expr, factor: int = 1) -> str:
        """Write a term times a factor that brings it to a common scale."""
        match expr:
            case Constant() | Parameter():
                held = expr.value if isinstance(expr, Constant) else self.parameters[expr.name]
                if isinstance(held, str):
                    return self._object(held)
                return repr(held if held is None or factor == 1 else held * factor)
            case Fact():
                whole = self._write(expr, f"v[{self.slots[expr.path]}]")
            case Derived():
                whole = self._derived(expr)
            case Arithmetic() if expr in self.written:
                whole = self.written[expr]
            case Arithmetic(op="*"):
                left, right = self.term(expr.left), self.term(expr.right)
                whole = self._write(expr, _guarded(left, right, f"{left} * {right}"))
            case Arithmetic():
                a, b = factors(expr.left, expr.right)
                left, right = self.term(expr.left, a), self.term(expr.right, b)
                made = (
                    f"{expr.op}({left}, {right})"
                    if expr.op in ("min", "max")
                    else f"{left} {expr.op} {right}"
                )
                whole = self._write(expr, _guarded(left, right, made))
            case _:
                return self.truth(expr, [])
        if factor == 1:
            return whole
        return self._write((expr, factor), _guarded(whole, "", f"{whole} * {factor}"))

    def _derived(self, expr: Derived) -> str:
        """A derived name is written once, however often it is used."""
        key = ("derived", expr.name)
        if key in self.written:
            return self.written[key]
        quantity = self.definitions[expr.name]
        made, kept = type_of(quantity.value).scale, quantity.type.scale
        if made <= kept:
            name = self.term(quantity.value, 10 ** (kept - made))
            self.written[key] = name
            return name
        value, factor = self.term(quantity.value), 10 ** (made - kept)
        rounded = f"-(-{value} // {factor})" if quantity.round == "up" else f"{value} // {factor}"
        return self._write(key, _guarded(value, "", rounded))

    def _write(self, key: Any, text: str) -> str:
        name = self.written.get(key)
        if name is None:
            name = self.written[key] = self._name("t")
            self.lines.append(f"{name} = {text}")
        return name

    def _object(self, value: Any) -> str:
        name = f"o{len(self.objects)}"
        self.objects[name] = value
        return name

    def _name(self, letter: str) -> str:
        return f"{letter}{len(self.lines)}"


def _guarded(left: str, right: str, text: str) -> str:
    """The text, or unknown where a side that can be unknown is."""
    tests = [f"{side} is None" for side in (left, right) if side[:1] in ("t", "s")]
    if "None" in (left, right):
        return "None"
    return f"None if {' or '.join(tests)} else {text}" if tests else text
