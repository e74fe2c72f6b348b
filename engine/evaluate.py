"""What rules mean: one order, three values, every finding with both sides of its comparisons.

This is the semantics; every other back end is tested against it. `None` is unknown throughout.
A program is a regime on one day, under one policy, turned into functions over an order's values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from engine.ir import (
    And,
    Arithmetic,
    Compare,
    CompareOp,
    Constant,
    Derived,
    Expr,
    Fact,
    Member,
    Not,
    Or,
    Parameter,
    ParameterValues,
    Quantity,
    Regime,
    Rule,
    Status,
    factors,
    type_of,
    walk,
)
from engine.values import Value
from engine.vocabulary import Vocabulary

Because = Literal["condition", "not-in-force", "left-out"]
Values = Sequence[Any]
Sides = list[tuple[Any, Any]]
Truth = bool | None
Term = Callable[[Values], Any]
Condition = Callable[[Values, Sides], Truth]

_COMPARE: dict[CompareOp, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Finding(NamedTuple):
    """One rule on one order: `sides` are both sides of each comparison of its condition, in order.

    The first of them belong to `applies`, the rest to `require`; both sides have one scale.
    """

    rule: Rule
    status: Status
    because: Because | None
    sides: Sides


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of an order with all findings, in rule order."""

    status: Status
    scope: Truth
    findings: tuple[Finding, ...]
    values: Values


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A regime as it stands on one day under one policy, ready to judge orders."""

    regime: Regime
    vocabulary: Vocabulary
    day: int
    parameters: Mapping[str, Value]
    slots: Mapping[str, int]
    derivations: tuple[tuple[int, Term], ...]
    scope: Condition
    steps: tuple[tuple[Rule, Because | None, Condition | None, Condition], ...]
    in_force: bool
    parts: dict[int, Any]
    """Functions of single expressions, made when an explanation first asks for them."""


def compile_regime(
    regime: Regime,
    vocabulary: Vocabulary,
    day: int,
    *,
    overrides: Mapping[str, Value] | None = None,
    without: Sequence[str] = (),
    selected: Callable[[Rule], bool] | None = None,
) -> Program:
    """Fix a regime to a day and a policy: other parameter values, rules left out or selected."""
    parameters = {
        name: _in_force(parameter, day, overrides or {})
        for name, parameter in regime.parameters.items()
    }
    slots = {path: fact.slot for path, fact in vocabulary.facts.items()}
    for name in regime.quantities:
        slots[name] = len(slots)
    compiler = _Compiler(slots, parameters)
    in_force = regime.in_force.holds(day)
    steps: list[tuple[Rule, Because | None, Condition | None, Condition]] = []
    for rule in regime.rules:
        because: Because | None = None
        if not (in_force and rule.in_force.holds(day)):
            because = "not-in-force"
        elif rule.id in without or (selected is not None and not selected(rule)):
            because = "left-out"
        applies = None if rule.applies is None else compiler.condition(rule.applies)
        steps.append((rule, because, applies, compiler.condition(rule.require)))
    derivations = [
        (fact.slot, compiler.quantity(fact.derived))
        for fact in vocabulary.derived
        if fact.derived is not None
    ]
    derivations += [(slots[name], compiler.quantity(q)) for name, q in regime.quantities.items()]
    return Program(
        regime,
        vocabulary,
        day,
        parameters,
        slots,
        tuple(derivations),
        compiler.condition(regime.scope),
        tuple(steps),
        in_force,
        {},
    )


def judge(program: Program, facts: Values) -> Judgement:
    """Decide one order, given its values by slot (see `order.read_order`)."""
    values = [*facts, *[None] * (len(program.slots) - len(facts))]
    for slot, derive in program.derivations:
        values[slot] = derive(values)
    scope = program.scope(values, [])
    findings: list[Finding] = []
    judged = failed = open_ = False
    for rule, because, applies, require in program.steps:
        sides: Sides = []
        if because is not None:
            findings.append(Finding(rule, "not-applicable", because, sides))
            continue
        judged = True
        status: Status
        applicable = True if applies is None else applies(values, sides)
        holds = require(values, sides)
        if applicable is False:
            findings.append(Finding(rule, "not-applicable", "condition", sides))
            continue
        if holds is True:
            status = "met"
        elif holds is False and applicable is True:
            status, failed = "unmet", True
        else:
            status, open_ = "unknown", True
        findings.append(Finding(rule, status, None, sides))
    outcome: Status
    if scope is False or not judged:
        outcome = "not-applicable"
    elif scope is None:
        outcome = "unknown"
    else:
        outcome = "unmet" if failed else "unknown" if open_ else "met"
    return Judgement(outcome, scope, tuple(findings), values)


def truth(program: Program, expr: Expr, values: Values) -> Truth:
    """Whether a condition of this regime holds for already derived values."""
    condition = program.parts.get(id(expr))
    if condition is None:
        condition = _Compiler(program.slots, program.parameters).condition(expr)
        program.parts[id(expr)] = condition
    held: Truth = condition(values, [])
    return held


def amount(program: Program, expr: Expr, values: Values) -> Any:
    """The value of a term of this regime for already derived values, scaled as its type says."""
    term = program.parts.get(-id(expr))
    if term is None:
        term = _Compiler(program.slots, program.parameters).term(expr)
        program.parts[-id(expr)] = term
    return term(values)


def _in_force(parameter: ParameterValues, day: int, overrides: Mapping[str, Value]) -> Value:
    if parameter.name in overrides:
        return overrides[parameter.name]
    dated = parameter.on(day)
    return None if dated is None else dated[1]


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Turns expressions into functions; the tables below are strong Kleene logic."""

    slots: Mapping[str, int]
    parameters: Mapping[str, Value]

    def condition(self, expr: Expr) -> Condition:
        match expr:
            case And():
                return _and(tuple(self.condition(o) for o in expr.operands))
            case Or():
                return _or(tuple(self.condition(o) for o in expr.operands))
            case Not():
                return _not(self.condition(expr.operand))
            case Compare():
                a, b = (1, 1)
                if type_of(expr.left).is_numeric:
                    a, b = factors(expr.left, expr.right)
                left, right = self.term(expr.left, a), self.term(expr.right, b)
                return _compare(_COMPARE[expr.op], left, right)
            case Member():
                return _member(self.term(expr.operand), frozenset(expr.codes), expr.negated)
            case _:
                return _alone(self.term(expr))

    def term(self, expr: Expr, factor: int = 1) -> Term:
        """The value of an expression times a factor that brings it to a common scale."""
        match expr:
            case Constant():
                return _fixed(expr.value if factor == 1 else cast(int, expr.value) * factor)
            case Parameter():
                value = self.parameters[expr.name]
                scaled = value if value is None or factor == 1 else cast(int, value) * factor
                return _fixed(scaled)
            case Fact():
                return _slot(self.slots[expr.path], factor)
            case Derived():
                return _slot(self.slots[expr.name], factor)
            case Arithmetic(op="*"):
                return _both(operator.mul, self.term(expr.left, factor), self.term(expr.right))
            case Arithmetic():
                a, b = factors(expr.left, expr.right)
                combine = {"+": operator.add, "-": operator.sub, "min": min, "max": max}[expr.op]
                left, right = self.term(expr.left, a * factor), self.term(expr.right, b * factor)
                return _both(combine, left, right)
            case _:
                condition = self.condition(expr)
                return lambda values: condition(values, [])

    def quantity(self, quantity: Quantity) -> Term:
        """A derived quantity, rounded to its own scale where it says so."""
        made, kept = type_of(quantity.value).scale, quantity.type.scale
        if made <= kept:
            return self.term(quantity.value, 10 ** (kept - made))
        return _rounded(self.term(quantity.value), 10 ** (made - kept), quantity.round == "up")


def _and(operands: tuple[Condition, ...]) -> Condition:
    def conjunction(values: Values, sides: Sides) -> Truth:
        result: Truth = True
        for operand in operands:
            held = operand(values, sides)
            if held is False:
                result = False
            elif held is None and result is True:
                result = None
        return result

    return conjunction


def _or(operands: tuple[Condition, ...]) -> Condition:
    def disjunction(values: Values, sides: Sides) -> Truth:
        result: Truth = False
        for operand in operands:
            held = operand(values, sides)
            if held is True:
                result = True
            elif held is None and result is False:
                result = None
        return result

    return disjunction


def _not(operand: Condition) -> Condition:
    def negation(values: Values, sides: Sides) -> Truth:
        held = operand(values, sides)
        return None if held is None else not held

    return negation


def _compare(compare: Callable[[Any, Any], bool], left: Term, right: Term) -> Condition:
    def comparison(values: Values, sides: Sides) -> Truth:
        a, b = left(values), right(values)
        sides.append((a, b))
        return None if a is None or b is None else compare(a, b)

    return comparison


def _member(operand: Term, codes: frozenset[str], negated: bool) -> Condition:
    def membership(values: Values, sides: Sides) -> Truth:
        code = operand(values)
        return None if code is None else (code in codes) is not negated

    return membership


def _alone(term: Term) -> Condition:
    def standing(values: Values, sides: Sides) -> Truth:
        held: Truth = term(values)
        return held

    return standing


def _fixed(value: Any) -> Term:
    return lambda values: value


def _slot(slot: int, factor: int) -> Term:
    if factor == 1:
        return operator.itemgetter(slot)

    def scaled(values: Values) -> Any:
        value = values[slot]
        return None if value is None else value * factor

    return scaled


def _both(combine: Callable[[Any, Any], Any], left: Term, right: Term) -> Term:
    def combined(values: Values) -> Any:
        a, b = left(values), right(values)
        return None if a is None or b is None else combine(a, b)

    return combined


def _rounded(term: Term, factor: int, up: bool) -> Term:
    def rounded(values: Values) -> Any:
        value = term(values)
        if value is None:
            return None
        return -(-value // factor) if up else value // factor

    return rounded


def uses(expr: Expr) -> tuple[str, ...]:
    """The facts, derived names and parameters that an expression names, each once, in order."""
    names: dict[str, None] = {}
    for part in walk(expr):
        match part:
            case Fact():
                names[part.path] = None
            case Derived() | Parameter():
                names[part.name] = None
            case _:
                pass
    return tuple(names)
