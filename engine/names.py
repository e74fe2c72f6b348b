"""What a name stands for, followed down to the facts and parameters it rests on."""

from __future__ import annotations

from collections.abc import Iterable

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


def rests_on(regime: Regime, vocabulary: Vocabulary, exprs: Iterable[Expr]) -> tuple[str, ...]:
    """The base facts that settle all that can be said of expressions.

    Besides the facts inside them: what chooses their units, the product that supplies them, and
    the other cells of its row, by which a missing product is told from an item without one.
    """
    facts = vocabulary.facts
    found: dict[str, None] = {}
    products: set[str] = set()
    ahead = [name for expr in exprs for name in inside(regime, vocabulary, expr)]
    while ahead:
        fact = facts.get(ahead.pop())
        if fact is None or fact.path in found:
            continue
        found[fact.path] = None
        if fact.derived is not None:
            ahead += inside(regime, vocabulary, fact.derived.value)
        if fact.counted_in is not None:
            ahead.append(fact.counted_in)
        if fact.catalogue is not None and fact.catalogue not in products:
            products.add(fact.catalogue)
            ahead.append(fact.catalogue)
            ahead += (other.path for other in facts.values() if other.catalogue == fact.catalogue)
    return tuple(path for path in found if facts[path].derived is None)
