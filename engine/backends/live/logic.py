"""Questions about signs, and the ways to a yes, of which at most one holds at a time.

A sign is `t`, `f` or `u` for unknown. Knows neither rules nor orders nor Rete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

SIGNS = "tfu"


@dataclass(frozen=True, slots=True)
class Is:
    """Whether the sign of an atom is one of `signs`: one or two of them, in the order `tfu`."""

    atom: int
    signs: str


@dataclass(frozen=True, slots=True)
class Every:
    """Whether all of several questions have a yes."""

    parts: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Whether one of several questions has a yes."""

    parts: tuple[Question, ...]


Question = bool | Is | Every | Some
Way = tuple[Is, ...]
"""What each of several atoms must be; atoms that are not named may be anything."""


class Ternary(NamedTuple):
    """When a three-valued condition is true and when it is false; else it is unknown."""

    true: Question
    false: Question

    @property
    def unknown(self) -> Question:
        """When it is neither."""
        return every(opposite(self.true), opposite(self.false))


TRUE, FALSE = Ternary(True, False), Ternary(False, True)


class TooWide(Exception):
    """A question with more ways than one fact should carry."""


def every(*questions: Question) -> Question:
    """Yes where all are."""
    return _joined(questions, Every, True)


def some(*questions: Question) -> Question:
    """Yes where one is."""
    return _joined(questions, Some, False)


def _joined(
    questions: Iterable[Question], kind: type[Every] | type[Some], neutral: bool
) -> Question:
    parts: dict[Question, None] = {}
    for question in questions:
        if question is (not neutral):
            return question
        if isinstance(question, kind):
            parts.update(dict.fromkeys(question.parts))
        elif question is not neutral:
            parts[question] = None
    if len(parts) < 2:
        return next(iter(parts), neutral)
    return kind(tuple(parts))


def opposite(question: Question) -> Question:
    """Yes where the question has a no."""
    match question:
        case bool():
            return not question
        case Is():
            return Is(question.atom, "".join(s for s in SIGNS if s not in question.signs))
        case Every():
            return some(*(opposite(part) for part in question.parts))
        case Some():
            return every(*(opposite(part) for part in question.parts))


def sign_of(atom: int) -> Ternary:
    """The condition that an atom itself is."""
    return Ternary(Is(atom, "t"), Is(atom, "f"))


def conjunction(operands: Sequence[Ternary]) -> Ternary:
    """Strong Kleene `and`."""
    return Ternary(every(*(o.true for o in operands)), some(*(o.false for o in operands)))


def disjunction(operands: Sequence[Ternary]) -> Ternary:
    """Strong Kleene `or`."""
    return Ternary(some(*(o.true for o in operands)), every(*(o.false for o in operands)))


def negation(operand: Ternary) -> Ternary:
    """Strong Kleene `not`."""
    return Ternary(operand.false, operand.true)


def equality(a: Ternary, b: Ternary) -> Ternary:
    """Whether two conditions are alike; unknown where one of them is."""
    alike = some(every(a.true, b.true), every(a.false, b.false))
    return Ternary(alike, some(every(a.true, b.false), every(a.false, b.true)))


def atoms_of(questions: Iterable[Question]) -> tuple[int, ...]:
    """The atoms that questions ask about, each once, in order of appearance."""
    found: dict[int, None] = {}
    for question in questions:
        found.update(dict.fromkeys(_atoms(question)))
    return tuple(found)


def _atoms(question: Question) -> Iterator[int]:
    match question:
        case Is():
            yield question.atom
        case Every() | Some():
            for part in question.parts:
                yield from _atoms(part)
        case _:
            pass


def ways(question: Question, limit: int) -> list[Way]:
    """Every way to a yes: no two hold at once, and one holds wherever the answer is yes.

    Atoms are asked in the order of their numbers.
    Raises `TooWide` where more than `limit` steps are needed to find them.
    """
    found: list[Way] = []
    steps = 0
    ahead: list[tuple[Question, Way]] = [(question, ())]
    while ahead:
        rest, way = ahead.pop()
        if isinstance(rest, bool):
            if rest:
                found.append(way)
            continue
        steps += 1
        if steps > limit:
            raise TooWide
        atom = min(_atoms(rest))
        # Signs after which the same is left to ask are one branch.
        after: dict[Question, str] = {}
        for sign in SIGNS:
            left = _given(rest, atom, sign)
            after[left] = after.get(left, "") + sign
        for left, signs in after.items():
            ahead.append((left, way if signs == SIGNS else (*way, Is(atom, signs))))
    return found


def _given(question: Question, atom: int, sign: str) -> Question:
    """What is left to ask once the sign of an atom is known."""
    match question:
        case Is():
            return sign in question.signs if question.atom == atom else question
        case Every():
            return every(*(_given(part, atom, sign) for part in question.parts))
        case Some():
            return some(*(_given(part, atom, sign) for part in question.parts))
        case _:
            return question


def renumbered(question: Question, numbers: Mapping[int, int]) -> Question:
    """The same question about atoms of other numbers."""
    match question:
        case Is():
            return Is(numbers[question.atom], question.signs)
        case bool():
            return question
        case _:
            return type(question)(tuple(renumbered(part, numbers) for part in question.parts))
