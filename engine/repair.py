"""The one number that would make a failed rule met: its bound, verified on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.evaluate import Program, judge
from engine.generate import Finding
from engine.ir import And, Arithmetic, Compare, Derived, Expr, Fact, Rule, children, walk
from engine.names import definition, inside, uses
from engine.scene import Scene
from engine.values import write
from engine.vocabulary import FactDefinition
from engine.words import LANGS, Lang, in_lang, the, worded

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
            "unit": scene.unit_code(self.fact),
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
        value = worded(self.to, self.fact.type, scene.unit_of(self.fact), lang)
        if lang == "en":
            return f"{'at most' if self.op == '<=' else 'at least'} {value}"
        return f"{'不超过' if self.op == '<=' else '不少于'}{value}"


def repair_of(
    program: Program,
    rule: Rule,
    values: Any,
    candidates: Sequence[FactDefinition] | None = None,
) -> Repair | None:
    """The repair of a failed rule, where one number that a party may change suffices."""
    for fact in repairable(program, rule) if candidates is None else candidates:
        now, lo, hi = values[fact.slot], fact.type.lo, fact.type.hi
        if not isinstance(now, int) or lo is None or hi is None:
            continue
        trial = _Trial(program, rule, list(values[: len(program.vocabulary.facts)]), fact.slot)
        for far in (lo, hi):
            finding = trial.finding(far)
            if finding.status == "met":
                bound = trial.boundary(now, far, finding)
                return Repair(fact, "<=" if far == lo else ">=", bound)
    return None


def repairable(program: Program, rule: Rule) -> tuple[FactDefinition, ...]:
    """The facts of which one bound can make a rule met, in the order in which they are tried."""
    facts = _candidates(program, rule)
    return tuple(fact for fact in facts if _turns_once(program, rule, fact.path))


def _candidates(program: Program, rule: Rule) -> Iterator[FactDefinition]:
    """Numbers of the rule that a party may change, those named directly first."""
    facts = program.vocabulary.facts
    everything = inside(program.regime, program.vocabulary, rule.require)
    for name in dict.fromkeys([*uses(rule.require), *everything]):
        fact = facts.get(name)
        if fact and fact.derived is None and fact.type.is_numeric and fact.held_by in CHANGEABLE:
            yield fact


def _turns_once(program: Program, rule: Rule, path: str) -> bool:
    """Whether the rule holds on one stretch of the fact's values, so that halving finds its end.

    So it is where the fact stands once, in a sum or a product with other facts, in comparisons
    joined by `and` alone or in one comparison only.
    """
    if rule.applies is not None and _touches(program, rule.applies, path):
        return False
    atoms = [
        e for e in walk(rule.require) if isinstance(e, Compare) and _touches(program, e, path)
    ]
    joined = rule.require.operands if isinstance(rule.require, And) else (rule.require,)
    if len(atoms) != 1 and not all(atom in joined for atom in atoms):
        return False
    return bool(atoms) and all(
        atom.op not in ("==", "!=") and _times(program, atom, path) == 1 for atom in atoms
    )


def _times(program: Program, expr: Expr, path: str) -> int:
    """How often a fact stands in an expression, seen through what is derived.

    A minimum or maximum bends, so a fact in one counts twice.
    """
    count = 0
    ahead: list[Expr] = [expr]
    while ahead and count < 2:
        part = ahead.pop()
        match part:
            case Fact():
                count += part.path == path
            case Derived():
                quantity = definition(program.regime, program.vocabulary, part.name)
                if quantity is not None and _touches(program, quantity.value, path):
                    ahead.append(quantity.value)
            case Arithmetic(op="min" | "max") if _touches(program, part, path):
                count += 2
            case _:
                ahead += children(part)
    return count


def _touches(program: Program, expr: Expr, path: str) -> bool:
    return path in inside(program.regime, program.vocabulary, expr)


@dataclass(slots=True, eq=False, repr=False)
class _Trial:
    """One rule on one order, of which one fact is changed."""

    program: Program
    rule: Rule
    values: list[Any]
    slot: int

    def finding(self, value: int) -> Finding:
        self.values[self.slot] = value
        findings = judge(self.program, self.values).findings
        return next(finding for finding in findings if finding.rule is self.rule)

    def boundary(self, failing: int, passing: int, passed: Finding) -> int:
        """The last value that passes, from a passing one towards a failing one."""
        for guess in self._crossings(failing, passing, passed):
            # Right or wrong, a guess only narrows the stretch that is halved.
            if min(failing, passing) < guess < max(failing, passing):
                failing, passing = self._narrowed(failing, passing, guess)
        while abs(failing - passing) > 1:
            failing, passing = self._narrowed(failing, passing, (failing + passing) // 2)
        return passing

    def _narrowed(self, failing: int, passing: int, value: int) -> tuple[int, int]:
        held = self.finding(value).status == "met"
        return (failing, value) if held else (value, passing)

    def _crossings(self, failing: int, passing: int, passed: Finding) -> Iterator[int]:
        """Where the sides of each comparison cross if they run straight, with the neighbours."""
        failed = self.finding(failing)
        for (a, b), (c, d) in zip(failed.sides, passed.sides, strict=True):
            if not all(isinstance(side, int) for side in (a, b, c, d)):
                continue
            before, after = a - b, c - d
            if before * after <= 0 and before != after:
                crossing = failing + (passing - failing) * before // (before - after)
                yield from (crossing, crossing - 1, crossing + 1)
