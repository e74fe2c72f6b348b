"""Judge single conditions by both evaluators, and whole regimes by a reading of their own.

The reading (`Plain`) knows the IR and exact fractions, and nothing of `engine.evaluate`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from engine.diagnostics import Diagnostic, Source, Span
from engine.evaluate import Program, compile_regime, derived, judge, truth
from engine.expression import Names, condition
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
    Regime,
)
from engine.load import Rulebook
from engine.order import make_order
from engine.source import Scalar
from engine.values import Type, Value
from engine.vocabulary import Vocabulary

Stated = Mapping[str, Value]
TRUTH = {"met": True, "unmet": False, "unknown": None}


def read_condition(text: str, names: Names) -> Expr:
    """The IR of a condition that has no fault."""
    faults: list[Diagnostic] = []
    scalar = Scalar(text, text, Span(Source("case", (text,))), "")
    expr = condition(scalar, names, faults)
    assert expr is not None, [fault.message for fault in faults]
    return expr


def one_rule(rulebook: Rulebook, regime: Regime, require: Expr) -> Program:
    """A program of one rule, in the words of a regime and always in scope."""
    rule = replace(regime.rules[0], applies=None, require=require)
    scope = Constant(True, Type("boolean"), regime.span)
    alone = replace(regime, rules=(rule,), scope=scope)
    return compile_regime(alone, rulebook.vocabulary, regime.read_to)


def held(rulebook: Rulebook, regime: Regime, expr: Expr, stated: Stated) -> bool | None:
    """Whether a condition holds, which both evaluators must say alike."""
    program = one_rule(rulebook, regime, expr)
    values = make_order(rulebook.vocabulary, stated).values
    fast = TRUTH[judge(program, values).findings[0].status]
    plain = truth(program, expr, derived(program, values))
    assert fast is plain
    return fast


@dataclass(frozen=True, slots=True)
class Plain:
    """One order under one regime, read in fractions: `None` is unknown."""

    vocabulary: Vocabulary
    regime: Regime
    parameters: Mapping[str, Value]
    day: int
    stated: Stated

    def outcome(self) -> tuple[str, dict[str, str]]:
        """The status of the whole and of each rule."""
        findings = {rule.id: self.finding(number) for number, rule in enumerate(self.regime.rules)}
        scope = self.value(self.regime.scope)
        judged = [status for status in findings.values() if status != "not-applicable"]
        if scope is False or not judged:
            return "not-applicable", findings
        if scope is None:
            return "unknown", findings
        if "unmet" in judged:
            return "unmet", findings
        return ("unknown" if "unknown" in judged else "met"), findings

    def finding(self, number: int) -> str:
        rule = self.regime.rules[number]
        for period in (rule.in_force, self.regime.in_force):
            if self.day < period.start or (period.until is not None and self.day >= period.until):
                return "not-applicable"
        applies = True if rule.applies is None else self.value(rule.applies)
        require = self.value(rule.require)
        if applies is False:
            return "not-applicable"
        if require is True:
            return "met"
        return "unmet" if require is False and applies is True else "unknown"

    def value(self, expr: Expr) -> Any:
        match expr:
            case Constant():
                return _exact(expr.value, expr.type)
            case Parameter():
                return _exact(self.parameters[expr.name], self.regime.parameters[expr.name].type)
            case Fact():
                return self._fact(expr.path)
            case Derived():
                quantity = self.regime.quantities.get(expr.name)
                return self._quantity(quantity or self.vocabulary.facts[expr.name].derived)
            case Not():
                inner = self.value(expr.operand)
                return None if inner is None else not inner
            case And():
                return _least([self.value(operand) for operand in expr.operands])
            case Or():
                return _most([self.value(operand) for operand in expr.operands])
            case Member():
                code = self.value(expr.operand)
                if code is None:
                    return None
                return code not in expr.codes if expr.negated else code in expr.codes
            case Compare() | Arithmetic():
                left, right = self.value(expr.left), self.value(expr.right)
                return None if left is None or right is None else _applied(expr.op, left, right)

    def _fact(self, path: str) -> Any:
        fact = self.vocabulary.facts[path]
        if path in self.stated:
            return _exact(self.stated[path], fact.type)
        row = self.vocabulary.catalogue.get(fact.catalogue or "", {})
        product = self.stated.get(fact.catalogue or "")
        supplied = row.get(product, {}) if isinstance(product, str) else {}
        return _exact(supplied.get(path), fact.type)

    def _quantity(self, quantity: Quantity | None) -> Any:
        assert quantity is not None
        value = self.value(quantity.value)
        if value is None:
            return None
        scaled = value * 10**quantity.type.scale
        whole = math.floor(scaled) if quantity.round == "down" else math.ceil(scaled)
        assert quantity.round is not None or whole == scaled
        return Fraction(whole, 10**quantity.type.scale)


def _exact(value: Value, type: Type) -> Any:
    numeric = type.kind in ("integer", "decimal", "money", "ratio")
    return Fraction(value, 10**type.scale) if numeric and isinstance(value, int) else value


def _least(values: list[Any]) -> Any:
    """False below unknown below true."""
    return min(values, key=[False, None, True].index)


def _most(values: list[Any]) -> Any:
    return max(values, key=[False, None, True].index)


def _applied(op: str, left: Any, right: Any) -> Any:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "min":
            return left if left <= right else right
        case "max":
            return left if left >= right else right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "==":
            return left == right
        case _:
            return left != right
