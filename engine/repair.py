"""The one number that would make a failed rule met: its bound, verified on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from engine.evaluate import Program, judge, uses
from engine.generate import Truth
from engine.ir import Arithmetic, Compare, Expr, Fact, Rule, walk
from engine.scene import Scene
from engine.values import write
from engine.vocabulary import FactDefinition
from engine.words import LANGS, Lang, in_lang, the

CHANGEABLE = frozenset({"buyer", "seller", "exporter", "consignee"})
"""Who can lawfully change a number of an order; never a matter of fact, never an agency."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A fact, and the bound within which the rule would be met."""

    fact: FactDefinition
    op: Literal["<=", ">="]
    to: int

    def as_json(self, scene: Scene) -> dict[str, Any]:
        """The repair as it stands in a decision."""
        bounds = {lang: self._bound(scene, lang) for lang in LANGS}
        return {
            "fact": self.fact.path,
            "op": self.op,
            "to": write(self.to, self.fact.type),
            "unit": self.fact.type.unit,
            "label": self.fact.label.as_json(),
            "text": bounds,
        }

    def sentence(self, scene: Scene, lang: Lang) -> str:
        """The bound in a sentence."""
        label, bound = in_lang(self.fact.label, lang), self._bound(scene, lang)
        if lang == "en":
            return f"It is met where {the(label)} is {bound}."
        return f"{label}{bound}的，本项即符合。"

    def _bound(self, scene: Scene, lang: Lang) -> str:
        """`at most 20,000 chips`, `不超过20,000片`."""
        expr = Fact(self.fact.path, self.fact.type, self.fact.span)
        value = scene.worded(self.to, self.fact.type, scene.unit(expr), lang)
        if lang == "en":
            return f"{'at most' if self.op == '<=' else 'at least'} {value}"
        return f"{'不超过' if self.op == '<=' else '不少于'}{value}"


def repair_of(program: Program, rule: Rule, values: Any) -> Repair | None:
    """The repair of a failed rule, where one number that a party may change suffices."""
    for fact in _candidates(program, rule):
        now = values[fact.slot]
        if not isinstance(now, int) or not _is_affine(program, rule, fact.path):
            continue
        lo, hi = fact.type.lo, fact.type.hi
        if lo is None or hi is None:
            continue
        for far, op in ((lo, "<="), (hi, ">=")):
            if _holds(program, rule, values, fact.slot, far) is True:
                bound = _boundary(program, rule, values, fact.slot, now, far)
                return Repair(fact, "<=" if op == "<=" else ">=", bound)
    return None


def _candidates(program: Program, rule: Rule) -> Iterator[FactDefinition]:
    """Numbers of the rule that a party may change, those named directly first."""
    facts = program.vocabulary.facts
    named = uses(rule.require)
    inside = [n for name in named for n in _inside(program, name)]
    for name in dict.fromkeys([*(n for n in named if n in facts), *inside]):
        fact = facts[name]
        if fact.derived is None and fact.type.is_numeric and fact.held_by in CHANGEABLE:
            yield fact


def _inside(program: Program, name: str) -> list[str]:
    facts, quantities = program.vocabulary.facts, program.regime.quantities
    quantity = quantities.get(name) or (facts[name].derived if name in facts else None)
    if quantity is None:
        return [name] if name in facts else []
    return [inner for part in uses(quantity.value) for inner in _inside(program, part)]


def _is_affine(program: Program, rule: Rule, path: str) -> bool:
    """Whether the fact stands in one comparison only, never multiplied by itself.

    Then the rule turns at one point as the fact moves, and halving the distance finds it.
    """
    whole = [rule.require, *([rule.applies] if rule.applies is not None else [])]
    atoms = [e for expr in whole for e in walk(expr) if isinstance(e, Compare)]
    touching = [a for a in atoms if _touches(program, a, path)]
    if len(touching) != 1:
        return False
    products = [e for e in walk(touching[0]) if isinstance(e, Arithmetic) and e.op == "*"]
    return not any(
        _touches(program, p.left, path) and _touches(program, p.right, path) for p in products
    )


def _touches(program: Program, expr: Expr, path: str) -> bool:
    return any(path in (name, *_inside(program, name)) for name in uses(expr))


def _boundary(
    program: Program, rule: Rule, values: Any, slot: int, failing: int, passing: int
) -> int:
    while abs(failing - passing) > 1:
        middle = (failing + passing) // 2
        if _holds(program, rule, values, slot, middle) is True:
            passing = middle
        else:
            failing = middle
    return passing


def _holds(program: Program, rule: Rule, values: Any, slot: int, value: int) -> Truth:
    changed = list(values[: len(program.vocabulary.facts)])
    changed[slot] = value
    for finding in judge(program, changed).findings:
        if finding.rule is rule:
            return finding.status == "met"
    return None
