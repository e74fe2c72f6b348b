"""Conditions as Rete sees them: small facts, each with rules of which exactly one fires.

A part is what one fact decides. Python reads signs and both sides of comparisons; Rete compares
and joins. What one fact cannot carry is cut into parts that are judged before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.backends.live.logic import (
    FALSE,
    SIGNS,
    TRUE,
    Is,
    Question,
    Ternary,
    TooWide,
    Way,
    atoms_of,
    conjunction,
    disjunction,
    equality,
    every,
    negation,
    opposite,
    renumbered,
    sign_of,
    some,
    ways,
)
from engine.backends.live.posting import Pattern, PostedFact, failure
from engine.evaluate import Program, amount, truth
from engine.generate import Values
from engine.ir import (
    FLIPPED,
    And,
    Compare,
    CompareOp,
    Constant,
    Expr,
    Not,
    Or,
    factors,
    type_of,
)
from engine.values import LIMIT

STEPS = 64
"""How many tests the ways to one conclusion may take; each costs some 3 kB."""
MOST_WAYS = 60
"""How many ways a part may have. The library stacks what a fact matches, at most one test of each
way, and fails above 64; ways that begin with the same comparison do not share it there."""
IN_ONE_RULE = 14
"""How many ways one Rete rule takes: the library keeps 32 signs of grouping, two for each."""

_OPS: Mapping[CompareOp, str] = {
    "<": "$lt",
    "<=": "$lte",
    ">": "$gt",
    ">=": "$gte",
    "==": "$eq",
    "!=": "$neq",
}
# What stands left of 0 where a side is unknown: one number that fails, one that holds.
_UNKNOWN: Mapping[CompareOp, tuple[int, int]] = {
    "<": (0, -1),
    "<=": (1, 0),
    ">": (0, 1),
    ">=": (-1, 0),
    "==": (1, 0),
    "!=": (0, 1),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A yes/no fact or parameter, or a membership: its sign is read before it is posted."""

    expr: Expr


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison: both sides are posted, Rete compares."""

    compare: Compare


@dataclass(frozen=True, slots=True)
class Concluded:
    """What was concluded of another part."""

    part: int


Atom = Asked | Compared | Concluded


@dataclass(frozen=True, slots=True)
class Part:
    """What one fact decides: exactly one of `conclusions`, for whatever signs its atoms have.

    `needs` are the parts judged before it, all of them; `level` counts how many in a row.
    """

    number: int
    atoms: tuple[Atom, ...]
    conclusions: tuple[tuple[str, Question], ...]
    needs: tuple[int, ...]
    level: int


class Parts:
    """The parts of several conditions, numbered from 1, as they are being cut."""

    def __init__(self) -> None:
        self.all: list[Part] = []
        self._atoms: list[Atom] = []
        self._numbers: dict[Atom, int] = {}

    def condition(self, expr: Expr) -> int:
        """The part that concludes `t`, `f` or `u` of a condition."""
        return self._conclude(self._ternary(expr))

    def finding(self, applies: Expr | None, require: Expr) -> int:
        """The part that concludes the status of a rule."""
        sides = [TRUE if applies is None else self._ternary(applies), self._ternary(require)]
        while not self._fits(found := _statuses(*sides)):
            self._cut_widest(sides)
        return self._part(found)

    def _ternary(self, expr: Expr) -> Ternary:
        match expr:
            case And():
                return self._gate(expr.operands, conjunction)
            case Or():
                return self._gate(expr.operands, disjunction)
            case Not():
                return negation(self._ternary(expr.operand))
            case Compare() if type_of(expr.left).kind == "boolean":
                sides = [self._ternary(expr.left), self._ternary(expr.right)]
                while not self._fits(_signs(alike := equality(*sides))):
                    self._cut_widest(sides)
                return alike if expr.op == "==" else negation(alike)
            case Compare():
                return self._sign(Compared(expr))
            case Constant():
                return TRUE if expr.value else FALSE
            case _:
                return self._sign(Asked(expr))

    def _gate(self, exprs: Sequence[Expr], join: Any) -> Ternary:
        operands = [self._ternary(expr) for expr in exprs]
        while not self._fits(_signs(whole := join(operands))):
            if all(_is_sign(operand) for operand in operands):
                groups = [operands[at : at + 6] for at in range(0, len(operands), 6)]
                operands = [self._cut(join(group)) for group in groups]
            else:
                self._cut_widest(operands)
        return cast(Ternary, whole)

    def _cut_widest(self, operands: list[Ternary]) -> None:
        widest = max(range(len(operands)), key=lambda at: _width(operands[at]))
        operands[widest] = self._cut(operands[widest])

    def _cut(self, operand: Ternary) -> Ternary:
        """A condition judged before, which stands as one sign in what is judged after."""
        return operand if _is_sign(operand) else self._sign(Concluded(self._conclude(operand)))

    def _sign(self, atom: Atom) -> Ternary:
        if atom not in self._numbers:
            self._numbers[atom] = len(self._atoms)
            self._atoms.append(atom)
        return sign_of(self._numbers[atom])

    def _conclude(self, condition: Ternary) -> int:
        return self._part(_signs(condition))

    def _part(self, conclusions: Mapping[str, Question]) -> int:
        atoms, placed = self._placed(conclusions)
        before = [self.all[atom.part - 1] for atom in atoms if isinstance(atom, Concluded)]
        needs = dict.fromkeys(need for part in before for need in (*part.needs, part.number))
        level = max((part.level + 1 for part in before), default=0)
        part = Part(len(self.all) + 1, atoms, tuple(placed.items()), tuple(needs), level)
        self.all.append(part)
        return part.number

    def _placed(
        self, conclusions: Mapping[str, Question]
    ) -> tuple[tuple[Atom, ...], dict[str, Question]]:
        """The atoms of a part in order of appearance, and questions about them by their place."""
        used = atoms_of(conclusions.values())
        places = {atom: place for place, atom in enumerate(used)}
        placed = {word: renumbered(asked, places) for word, asked in conclusions.items()}
        return tuple(self._atoms[atom] for atom in used), placed

    def _fits(self, conclusions: Mapping[str, Question]) -> bool:
        """Whether one fact can carry them."""
        placed = self._placed(conclusions)[1].values()
        try:
            return sum(len(ways(question, STEPS)) for question in placed) <= MOST_WAYS
        except TooWide:
            return False


def _signs(condition: Ternary) -> dict[str, Question]:
    return dict(zip(SIGNS, (condition.true, condition.false, condition.unknown), strict=True))


def _statuses(applies: Ternary, require: Ternary) -> dict[str, Question]:
    """When a rule has which status: it is unmet only where `applies` is known to be true."""
    may_apply = opposite(applies.false)
    met = every(may_apply, require.true)
    unmet = every(applies.true, require.false)
    return {
        "met": met,
        "unmet": unmet,
        "unknown": every(
            may_apply,
            opposite(require.true),
            some(opposite(applies.true), opposite(require.false)),
        ),
        "not-applicable": applies.false,
    }


def _is_sign(condition: Ternary) -> bool:
    return all(isinstance(question, bool | Is) for question in condition)


def _width(condition: Ternary) -> int:
    return 0 if _is_sign(condition) else len(atoms_of(condition))


def rete_rules(parts: Iterable[Part]) -> Iterator[tuple[Pattern, tuple[int, str]]]:
    """The Rete rules of parts, each with the part it is of and what it concludes."""
    for part in parts:
        for word, question in part.conclusions:
            found = ways(question, STEPS)
            for at in range(0, len(found), IN_ONE_RULE):
                patterns = [_pattern(part, way) for way in found[at : at + IN_ONE_RULE]]
                whole = patterns[0] if len(patterns) == 1 else {"$or": patterns}
                yield whole, (part.number, word)


def _pattern(part: Part, way: Way) -> Pattern:
    # `rule` and not `id`: a condition on `id` fires for ever.
    tests: list[Pattern] = [{"rule": part.number}]
    for test in way:
        atom = part.atoms[test.atom]
        tests.append(
            _compared(test, atom.compare.op) if isinstance(atom, Compared) else _signed(test)
        )
    return tests[0] if len(tests) == 1 else {"$and": tests}


def _signed(test: Is) -> Pattern:
    name = f"a{test.atom}"
    if len(test.signs) == 1:
        return {name: test.signs}
    return {"$neq": {name: next(sign for sign in SIGNS if sign not in test.signs)}}


def _compared(test: Is, op: CompareOp) -> Pattern:
    at = test.atom
    right = {"$m": f"r{at}"}
    match test.signs:
        case "t":
            return {_OPS[op]: {f"w{at}": right}}
        case "fu":
            return {_OPS[FLIPPED[op]]: {f"w{at}": right}}
        case "f":
            return {_OPS[FLIPPED[op]]: {f"b{at}": right}}
        case "tu":
            return {_OPS[op]: {f"b{at}": right}}
        case _:
            return {f"k{at}": "t" if test.signs == "tf" else "u"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reading:
    """What facts are made from: one order under one program, and what was concluded so far."""

    program: Program
    values: Values
    ordinals: Mapping[str, int]
    concluded: Mapping[int, str]


def posted(part: Part, sid: str, reading: Reading) -> PostedFact:
    """The fact that decides a part; `values` of the reading hold what is derived."""
    fact: PostedFact = {"sid": sid, "id": f"p{part.number}", "rule": part.number}
    for at, atom in enumerate(part.atoms):
        match atom:
            case Asked():
                held = truth(reading.program, atom.expr, reading.values)
                fact[f"a{at}"] = "u" if held is None else "t" if held else "f"
            case Concluded():
                fact[f"a{at}"] = reading.concluded[atom.part]
            case Compared():
                _post_sides(fact, at, atom.compare, reading)
    return fact


def _post_sides(fact: PostedFact, at: int, compare: Compare, reading: Reading) -> None:
    """Post the left side twice: where one is unknown, the worst fails and the best holds."""
    program, values = reading.program, reading.values
    left = amount(program, compare.left, values)
    right = amount(program, compare.right, values)
    if left is None or right is None:
        fact[f"k{at}"] = "u"
        fact[f"w{at}"], fact[f"b{at}"] = _UNKNOWN[compare.op]
        fact[f"r{at}"] = 0
        return
    kind = type_of(compare.left)
    if kind.is_numeric:
        a, b = factors(compare.left, compare.right)
        left, right = left * a, right * b
    elif kind.kind == "code":
        left, right = reading.ordinals[left], reading.ordinals[right]
    if not (-LIMIT <= left <= LIMIT and -LIMIT <= right <= LIMIT):
        raise failure("a side of a comparison has more than 63 bits")
    fact[f"k{at}"] = "t"
    fact[f"w{at}"] = fact[f"b{at}"] = left
    fact[f"r{at}"] = right
