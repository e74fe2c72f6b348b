"""Name a regime by what it means (`digest`) and by every text it carries (`edition`).

Canonical JSON of text, integers, lists and maps only: for these it is RFC 8785.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from engine.ir import Derived, Expr, Fact, Member, Period, Quantity, Regime, type_of, walk
from engine.names import uses
from engine.printing import print_expr
from engine.values import Type
from engine.vocabulary import Vocabulary


def sha256(data: Any) -> str:
    """The digest of canonical JSON."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def digest(regime: Regime, vocabulary: Vocabulary) -> str:
    """What decides: conditions, dates, values, lists, and the vocabulary and catalogue they use."""
    return sha256(_meaning(regime, vocabulary))


def _meaning(regime: Regime, vocabulary: Vocabulary) -> dict[str, Any]:
    exprs: list[Expr] = [regime.scope, *(q.value for q in regime.quantities.values())]
    for rule in regime.rules:
        exprs += [rule.require, *([rule.applies] if rule.applies is not None else [])]
    paths = _facts_used(exprs, regime, vocabulary)
    lists = {vocabulary.facts[path].type.codes for path in paths} - {None}
    return {
        "id": regime.id,
        "in_force": _period(regime.in_force),
        "dated_by": regime.dated_by,
        "scope": print_expr(regime.scope),
        "outcomes": {status: outcome.code for status, outcome in regime.outcomes.items()},
        "lists": {
            part.list: sorted(part.codes)
            for expr in exprs
            for part in walk(expr)
            if isinstance(part, Member) and part.list
        },
        "parameters": {
            name: {"type": _type(p.type), "values": [[day, value] for day, value in p.values]}
            for name, p in regime.parameters.items()
        },
        "derive": {name: _quantity(q) for name, q in regime.quantities.items()},
        "rules": [
            {
                "id": rule.id,
                "kind": rule.kind,
                "certainty": rule.certainty,
                "due": rule.due,
                "in_force": _period(rule.in_force),
                "applies": None if rule.applies is None else print_expr(rule.applies),
                "require": print_expr(rule.require),
            }
            for rule in regime.rules
        ],
        "facts": {
            path: {
                "type": _type(fact.type),
                "from": [fact.catalogue, fact.column],
                "derived": None if fact.derived is None else _quantity(fact.derived),
                "held_by": fact.held_by,
            }
            for path in sorted(paths)
            for fact in [vocabulary.facts[path]]
        },
        "codes": {
            name: sorted(vocabulary.lists[name].codes) for name in sorted(filter(None, lists))
        },
        "catalogue": {
            key: {
                code: {path: value for path, value in row.items() if path in paths}
                for code, row in rows.items()
            }
            for key, rows in vocabulary.catalogue.items()
            if key in paths
        },
    }


def _facts_used(exprs: list[Expr], regime: Regime, vocabulary: Vocabulary) -> set[str]:
    paths = {regime.dated_by}
    for expr in exprs:
        for part in walk(expr):
            match part:
                case Fact():
                    paths.add(part.path)
                case Derived() if part.name in vocabulary.facts:
                    paths.add(part.name)
                case _:
                    pass
    for path in list(paths):
        derived = vocabulary.facts[path].derived
        if derived is not None:
            paths.update(uses(derived.value))
    paths.update(
        key for path in list(paths) if (key := vocabulary.facts[path].catalogue) is not None
    )
    return paths


def _period(period: Period) -> list[int | None]:
    return [period.start, period.until]


def _quantity(quantity: Quantity) -> dict[str, Any]:
    return {
        "value": print_expr(quantity.value),
        "type": _type(quantity.type),
        "round": quantity.round if type_of(quantity.value).scale > quantity.type.scale else None,
    }


def _type(type: Type) -> list[Any]:
    return [type.kind, type.scale, type.unit, type.codes, type.lo, type.hi]
