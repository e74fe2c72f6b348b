"""What rules mean: one order, three values, every finding with both sides of its comparisons.

This is the semantics; every other back end is tested against it. `None` is unknown throughout.
`truth` and `amount` are the meaning read off the page; `judge` runs the same meaning as straight
Python written once per regime, day and policy (`generate`), and tests hold the two together.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.generate import Because, Judgement, Truth, Values, generate
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
    factors,
    type_of,
)
from engine.values import Value
from engine.vocabulary import Vocabulary

_COMPARE: dict[CompareOp, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "min": min,
    "max": max,
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Program:
    """A regime as it stands on one day under one policy, ready to judge orders."""

    regime: Regime
    vocabulary: Vocabulary
    day: int
    parameters: Mapping[str, Value]
    slots: Mapping[str, int]
    in_force: bool
    run: Callable[[Values], Judgement]
    aside: tuple[Because | None, ...] = ()
    """Why a rule is not judged at all, in rule order; `None` where it is judged."""


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
        name: _on(parameter, day, overrides or {}) for name, parameter in regime.parameters.items()
    }
    slots = {path: fact.slot for path, fact in vocabulary.facts.items()}
    for name in regime.quantities:
        slots[name] = len(slots)
    in_force = regime.in_force.holds(day)
    steps: list[tuple[Rule, Because | None]] = []
    for rule in regime.rules:
        if not (in_force and rule.in_force.holds(day)):
            steps.append((rule, "not-in-force"))
        elif rule.id in without or (selected is not None and not selected(rule)):
            steps.append((rule, "left-out"))
        else:
            steps.append((rule, None))
    definitions = {
        **{f.path: f.derived for f in vocabulary.derived if f.derived is not None},
        **regime.quantities,
    }
    run = generate(regime.scope, steps, slots, parameters, definitions)
    aside = tuple(because for _, because in steps)
    return Program(regime, vocabulary, day, parameters, slots, in_force, run, aside)


def judge(program: Program, facts: Values) -> Judgement:
    """Decide one order, given its values by slot (see `order.Order.values`)."""
    return program.run(facts)


def derived(program: Program, facts: Values) -> list[Any]:
    """The values of an order with every derived quantity filled in, by slot."""
    values = [*facts, *[None] * (len(program.slots) - len(facts))]
    for fact in program.vocabulary.derived:
        if fact.derived is not None:
            values[fact.slot] = _quantity(program, fact.derived, values)
    for name, quantity in program.regime.quantities.items():
        values[program.slots[name]] = _quantity(program, quantity, values)
    return values


def truth(program: Program, expr: Expr, values: Values) -> Truth:
    """Whether a condition holds for derived values: strong Kleene logic."""
    match expr:
        case Compare():
            left, right = amount(program, expr.left, values), amount(program, expr.right, values)
            if left is None or right is None:
                return None
            if type_of(expr.left).is_numeric:
                a, b = factors(expr.left, expr.right)
                left, right = left * a, right * b
            return _COMPARE[expr.op](left, right)
        case Member():
            code = amount(program, expr.operand, values)
            return None if code is None else (code in expr.codes) is not expr.negated
        case And():
            held = [truth(program, operand, values) for operand in expr.operands]
            return False if False in held else None if None in held else True
        case Or():
            held = [truth(program, operand, values) for operand in expr.operands]
            return True if True in held else None if None in held else False
        case Not():
            inner = truth(program, expr.operand, values)
            return None if inner is None else not inner
        case _:
            return cast(Truth, amount(program, expr, values))


def amount(program: Program, expr: Expr, values: Values) -> Any:
    """The value of a term for derived values, scaled as its type says; unknown if a part is."""
    match expr:
        case Fact():
            return values[program.slots[expr.path]]
        case Derived():
            return values[program.slots[expr.name]]
        case Constant():
            return expr.value
        case Parameter():
            return program.parameters[expr.name]
        case Arithmetic():
            left, right = amount(program, expr.left, values), amount(program, expr.right, values)
            if left is None or right is None:
                return None
            a, b = (1, 1) if expr.op == "*" else factors(expr.left, expr.right)
            return _ARITHMETIC[expr.op](left * a, right * b)
        case _:
            return truth(program, expr, values)


def _quantity(program: Program, quantity: Quantity, values: Values) -> Any:
    value = amount(program, quantity.value, values)
    if value is None:
        return None
    made, kept = type_of(quantity.value).scale, quantity.type.scale
    if made <= kept:
        return value * 10 ** (kept - made)
    factor = 10 ** (made - kept)
    return -(-value // factor) if quantity.round == "up" else value // factor


def _on(parameter: ParameterValues, day: int, overrides: Mapping[str, Value]) -> Value:
    if parameter.name in overrides:
        return overrides[parameter.name]
    dated = parameter.on(day)
    return None if dated is None else dated[1]
