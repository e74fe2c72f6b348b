"""What a name stands for, followed down to the facts and parameters it rests on."""

from __future__ import annotations

from engine.ir import Derived, Expr, Fact, Parameter, Quantity, Regime, walk
from engine.vocabulary import Vocabulary


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


def definition(regime: Regime, vocabulary: Vocabulary, name: str) -> Quantity | None:
    """The quantity that a derived name stands for; nothing for a fact or parameter."""
    if name in regime.quantities:
        return regime.quantities[name]
    return vocabulary.facts[name].derived if name in vocabulary.facts else None


def inside(regime: Regime, vocabulary: Vocabulary, expr: Expr) -> tuple[str, ...]:
    """Every name that an expression rests on, seen through what is derived, each once.

    A name stands before those that it is derived from.
    """
    found: dict[str, None] = {}
    ahead = list(reversed(uses(expr)))
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found[name] = None
        quantity = definition(regime, vocabulary, name)
        if quantity is not None:
            ahead += reversed(uses(quantity.value))
    return tuple(found)
