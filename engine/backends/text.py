"""Put conditions into words: whole phrases in English and Chinese, from labels, with no order at hand.

What a condition comes to for one order is said by `sentences`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.ir import (
    FLIPPED,
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
    Pair,
    Parameter,
    Regime,
    type_of,
)
from engine.sentences import the
from engine.values import Type, Value
from engine.vocabulary import Vocabulary
from engine.words import Lang, day, grouped, in_lang, listed, money, percent

_MIRRORED: dict[CompareOp, CompareOp] = {
    "<": ">",
    "<=": ">=",
    ">": "<",
    ">=": "<=",
    "==": "==",
    "!=": "!=",
}
_EN_NUMBER: dict[CompareOp, str] = {
    "<": "below {}",
    "<=": "at most {}",
    ">": "above {}",
    ">=": "at least {}",
    "==": "exactly {}",
    "!=": "not {}",
}
_EN_SUM: dict[CompareOp, str] = {
    **_EN_NUMBER,
    "<": "less than {}",
    ">": "more than {}",
    "!=": "an amount other than {}",
}
_EN_DATE: dict[CompareOp, str] = {
    "<": "before {}",
    "<=": "on or before {}",
    ">": "after {}",
    ">=": "on or after {}",
    "==": "the same day as {}",
    "!=": "not the same day as {}",
}
_ZH_COUNT: dict[CompareOp, str] = {
    "<": "少于{}",
    "<=": "不超过{}",
    ">": "超过{}",
    ">=": "不少于{}",
    "==": "等于{}",
    "!=": "不等于{}",
}
_ZH_MEASURE: dict[CompareOp, str] = {**_ZH_COUNT, "<": "低于{}", ">": "高于{}", ">=": "不低于{}"}
_ZH_DATE: dict[CompareOp, str] = {
    "<": "早于{}",
    "<=": "不晚于{}",
    ">": "晚于{}",
    ">=": "不早于{}",
    "==": "与{}为同一日",
    "!=": "与{}不是同一日",
}
_EXTREMES = {
    ("min", False): Pair("the smaller of {}", "{}中的较小者"),
    ("max", False): Pair("the larger of {}", "{}中的较大者"),
    ("min", True): Pair("the earlier of {}", "{}中的较早者"),
    ("max", True): Pair("the later of {}", "{}中的较晚者"),
}
_COPULA = re.compile(
    r"\b(is|are|was|were)\b(?!.*\b(?:is|are|was|were)\b.*\{value\})(?=.*\{value\})"
)
_ZH_COPULA = re.compile(r"(为：?|位于)(?=\{value\})")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which every one must hold, or one is enough."""

    every: bool
    parts: tuple[Outline, ...]


Outline = Clause | Group


def in_words(expr: Expr, regime: Regime, vocabulary: Vocabulary, lang: Lang) -> str:
    """A condition as one phrase, an amount as a noun."""
    if type_of(expr).kind != "boolean":
        return _Writer(regime, vocabulary, lang).noun(expr)
    return _run_on(outline(expr, regime, vocabulary, lang), lang)


def outline(expr: Expr, regime: Regime, vocabulary: Vocabulary, lang: Lang) -> Outline:
    """A condition as clauses and groups of clauses, so that a page may set it line by line."""
    return _Writer(regime, vocabulary, lang).outline(_tree(expr, False))


def amount_in_words(value: Value, type: Type, vocabulary: Vocabulary, lang: Lang) -> str:
    """A held value as people read it, with its unit."""
    if isinstance(value, bool):
        return {"en": ("no", "yes"), "zh": ("否", "是")}[lang][value]
    if not isinstance(value, int):
        return "" if value is None else value
    if type.kind == "date":
        return day(value, lang)
    if type.kind == "money":
        return money(value, type.scale, lang)
    if type.kind == "ratio":
        return percent(value, type.scale, lang)
    text = grouped(value, type.scale)
    unit = vocabulary.units.get(type.unit or "")
    if unit is None:
        return text
    if lang == "zh":
        return f"{text}{unit.zh}"
    return f"{text} {unit.one if abs(value) == 10**type.scale else unit.many}"


def _run_on(said: Outline, lang: Lang) -> str:
    """An outline in one line; a group inside a group stands in brackets."""
    if isinstance(said, Clause):
        return said.text
    parts = [
        _run_on(part, lang) if isinstance(part, Clause) else _bracketed(_run_on(part, lang), lang)
        for part in said.parts
    ]
    flat = [part.text for part in said.parts if isinstance(part, Clause)]
    if lang == "zh":
        mark = "；" if any(sign in text for text in flat for sign in "，；、") else "，"
        return f"{mark.join(parts[:-1])}{mark}{'且' if said.every else '或'}{parts[-1]}"
    word = "and" if said.every else "or"
    if any(sign in text for text in flat for sign in (", ", "; ", " and ", " or ")):
        return f"{'; '.join(parts[:-1])}; {word} {parts[-1]}"
    return listed(parts, lang, last="and" if said.every else "or")


def _bracketed(text: str, lang: Lang) -> str:
    return f"({text})" if lang == "en" else f"（{text}）"


@dataclass(frozen=True, slots=True)
class _Atom:
    """A smallest condition, or its opposite."""

    expr: Expr
    negated: bool


@dataclass(frozen=True, slots=True)
class _All:
    """Conditions joined by `and` (`every`) or `or`, with no `not` around them any more."""

    every: bool
    parts: tuple[_Tree, ...]


_Tree = _Atom | _All


def _tree(expr: Expr, negated: bool) -> _Tree:
    """Carry every `not` inwards to the smallest conditions; join what is joined alike."""
    match expr:
        case Not():
            return _tree(expr.operand, not negated)
        case And() | Or():
            every = isinstance(expr, And) is not negated
            parts: list[_Tree] = []
            for operand in expr.operands:
                part = _tree(operand, negated)
                same = isinstance(part, _All) and part.every == every
                parts += part.parts if isinstance(part, _All) and same else (part,)
            return _All(every, tuple(parts))
        case Compare(op="==" | "!=", left=left, right=right) if type_of(left).kind == "boolean":
            for side, other in ((left, right), (right, left)):
                if isinstance(side, Constant):
                    as_stated = (expr.op == "==") is bool(side.value)
                    return _tree(
                        other, negated is as_stated is False or negated is not (not as_stated)
                    )
        case _:
            pass
    return _Atom(expr, negated)
