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
    name_of,
    type_of,
)
from engine.values import Type, Value
from engine.vocabulary import Vocabulary
from engine.words import Lang, grouped, in_lang, listed, percent, the, worded

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
_NEGATIVE = ("no ", "non", "not ", "不", "非", "无", "未")


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
    """A held value as people read it, with the unit of its type."""
    return worded(value, type, vocabulary.units.get(type.unit or ""), lang)


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
        if len(parts) == 2:
            return f"{parts[0]}, {word} {parts[1]}"
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
                    return _tree(other, negated is as_stated)
        case _:
            pass
    return _Atom(expr, negated)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes in one language with the labels of a regime and its vocabulary."""

    regime: Regime
    vocabulary: Vocabulary
    lang: Lang

    # --- conditions ---

    def outline(self, tree: _Tree) -> Outline:
        if isinstance(tree, _Atom):
            return Clause(self._clause([tree], True))
        parts: list[Outline] = []
        run: list[_Atom] = []
        for part in tree.parts:
            if isinstance(part, _Atom) and run and _shares(run[-1], part, tree.every):
                run.append(part)
                continue
            if run:
                parts.append(Clause(self._clause(run, tree.every)))
            run = [part] if isinstance(part, _Atom) else []
            if isinstance(part, _All):
                parts.append(self.outline(part))
        if run:
            parts.append(Clause(self._clause(run, tree.every)))
        return parts[0] if len(parts) == 1 else Group(tree.every, tuple(parts))

    def _clause(self, atoms: Sequence[_Atom], every: bool) -> str:
        """One condition, or several about one thing in one clause."""
        expr = atoms[0].expr
        coded = _coded(expr)
        if coded is not None:
            names = [name for atom in atoms for name in self._codes(atom.expr, coded)]
            return self._membership(coded, _is_denied(atoms[0]), names)
        if isinstance(expr, Compare):
            return self._compared(atoms, every)
        return self._yes_no(atoms[0])

    def _yes_no(self, atom: _Atom) -> str:
        en, expr, holds = self.lang == "en", atom.expr, not atom.negated
        match expr:
            case Fact():
                fact = self.vocabulary.facts[expr.path]
                clause = fact.yes if holds else fact.no
                if clause is not None:
                    return in_lang(clause, self.lang)
                return self._answered(expr, holds)
            case Constant():
                always = expr.value is holds
                return (
                    ("always" if always else "never")
                    if en
                    else ("始终成立" if always else "始终不成立")
                )
            case _:
                return self._answered(expr, holds)

    def _answered(self, expr: Expr, holds: bool) -> str:
        answer = amount_in_words(holds, type_of(expr), self.vocabulary, self.lang)
        if self.lang == "en":
            return f"the answer to “{_bare(self.noun(expr))}” is {answer}"
        return f"“{self.noun(expr)}”为{answer}"

    def _membership(self, operand: Expr, denied: bool, names: Sequence[str]) -> str:
        """A code fact and the codes that it has, or has not."""
        en = self.lang == "en"
        fact = self.vocabulary.facts.get(name_of(operand) or "")
        label = self.noun(operand)
        # A fact that only a process speaks of has no clause that its codes would fit into.
        one_of = self._or(names, quoted=fact is not None and not fact.group)
        template = f"{label} is {{value}}" if en else f"{label}为{{value}}"
        if fact is not None and fact.says is not None:
            template = in_lang(fact.says, self.lang)
        if denied:
            # "not non-military" is read wrongly; in quotes it is a name.
            plain = not any(name.startswith(_NEGATIVE) for name in names)
            opposite = _denied(template, self.lang) if plain else None
            if opposite is None:
                one_of = self._or(names, quoted=True)
                return f"{label} is not {one_of}" if en else f"{label}不是{one_of}"
            template = opposite
        return template.replace("{value}", one_of)

    def _or(self, names: Sequence[str], *, quoted: bool) -> str:
        """One of some names; in quotes, each is held together."""
        if quoted:
            return listed([f"“{name}”" for name in names], self.lang, last="or")
        inner = any(sign in name for name in names for sign in (", ", " or "))
        return ", or ".join(names) if inner else listed(names, self.lang, last="or")

    def _codes(self, expr: Expr, operand: Expr) -> list[str]:
        """What a membership or comparison asks for, in words."""
        if isinstance(expr, Member):
            if expr.list is not None:
                return [in_lang(self.regime.lists[expr.list].label, self.lang)]
            return [self._code(operand, c) for c in expr.codes]
        assert isinstance(expr, Compare)
        wanted = expr.right if isinstance(expr.right, Constant) else expr.left
        return [self._code(operand, str(wanted.value))] if isinstance(wanted, Constant) else [""]

    def _code(self, operand: Expr, code: str) -> str:
        codes = self.vocabulary.lists.get(type_of(operand).codes or "")
        known = codes.codes if codes is not None else {}
        return in_lang(known[code].label, self.lang) if code in known else code

    def _compared(self, atoms: Sequence[_Atom], every: bool) -> str:
        sides = [_sides(atom) for atom in atoms]
        left, op, right = sides[0]
        kind = type_of(left).kind
        if kind == "boolean":
            return self._alike(left, right, op == "==")
        if kind == "code":
            return self._same_code(left, right, op == "==")
        subject = self._subject(left)
        tails = [self._tail(op, left, right) for _, op, right in sides]
        joint = (" and " if every else " or ") if self.lang == "en" else "且" if every else "或"
        return f"{subject}{joint.join(tails)}"

    def _subject(self, left: Expr) -> str:
        """A side with its verb, where the language has one."""
        noun = self.noun(left)
        if self.lang == "zh":
            return noun
        terms = _terms(left, "+")
        if len(terms) > 1:
            said = listed([self.noun(t, type_of(left)) for t in terms], "en")
            return f"{said} together come to "
        head = _bare(noun).split(" ", 2)[:2]
        plurals = {unit.many for unit in self.vocabulary.units.values() if unit.many != unit.one}
        return f"{noun} {'are' if plurals.intersection(head) else 'is'} "

    def _tail(self, op: CompareOp, left: Expr, right: Expr) -> str:
        if isinstance(right, Constant) and right.value == 0 and op == "==":
            return "zero" if self.lang == "en" else "为零"
        kind = type_of(left)
        if kind.kind == "date":
            fixed = isinstance(right, Constant) and op in ("==", "!=")
            if fixed:
                verb = (
                    ("" if op == "==" else "not ")
                    if self.lang == "en"
                    else ("为" if op == "==" else "不是")
                )
                return f"{verb}{self.noun(right)}"
            words = _EN_DATE if self.lang == "en" else _ZH_DATE
        elif self.lang == "en":
            words = _EN_SUM if len(_terms(left, "+")) > 1 else _EN_NUMBER
        else:
            words = _ZH_COUNT if kind.kind in ("integer", "money") else _ZH_MEASURE
        return words[op].format(self.noun(right, kind))

    def _alike(self, left: Expr, right: Expr, same: bool) -> str:
        both = [_run_on(self.outline(_tree(side, False)), self.lang) for side in (left, right)]
        if self.lang == "en":
            how = "both hold or neither does" if same else "one holds and the other does not"
            return f"of “{both[0]}” and “{both[1]}” {how}"
        return f"“{both[0]}”与“{both[1]}”{'同时成立或同时不成立' if same else '仅有一项成立'}"

    def _same_code(self, left: Expr, right: Expr, same: bool) -> str:
        one, other = self.noun(left), self.noun(right)
        if self.lang == "en":
            return f"{one} is {'the same as' if same else 'other than'} {other}"
        return f"{one}与{other}{'相同' if same else '不同'}"

    # --- amounts ---

    def noun(self, expr: Expr, like: Type | None = None) -> str:
        """An amount or fact as a noun; `like` lends a written number its unit."""
        en = self.lang == "en"
        match expr:
            case Constant():
                return self._constant(expr, like)
            case Arithmetic(op="+"):
                terms = [self.noun(t, expr.type) for t in _terms(expr, "+")]
                if en:
                    return f"the sum of {listed(terms, 'en')}"
                return f"{_with(terms)}之和"
            case Arithmetic(op="-"):
                both = [self._part(side, expr.type) for side in (expr.left, expr.right)]
                return f"{both[0]} less {both[1]}" if en else f"{both[0]}减去{both[1]}的差"
            case Arithmetic(op="*"):
                return self._product(expr)
            case Arithmetic(op="min" | "max"):
                terms = [self.noun(t, expr.type) for t in _terms(expr, expr.op)]
                pattern = _EXTREMES[expr.op, expr.type.kind == "date"]
                if en:
                    return pattern.en.format(listed(terms, "en"))
                return pattern.zh.format(_with(terms))
            case Fact() | Derived() | Parameter():
                label = self._label(expr)
                return the(label) if en else label
            case _:
                return _run_on(self.outline(_tree(expr, False)), self.lang)

    def _product(self, expr: Arithmetic) -> str:
        for share, base in ((expr.left, expr.right), (expr.right, expr.left)):
            if isinstance(share, Constant):
                value, scale = int(share.value), share.type.scale
                whole = self._part(base, None)
                if 0 < value < 10**scale:
                    part = percent(value, scale, self.lang)
                    return f"{part} of {whole}" if self.lang == "en" else f"{whole}的{part}"
                times = grouped(value, scale)
                return f"{times} times {whole}" if self.lang == "en" else f"{whole}的{times}倍"
        left, right = expr.left, expr.right
        if type_of(left).kind == "ratio":
            left, right = right, left
        both = [self._part(left, None), self._part(right, None)]
        return " times ".join(both) if self.lang == "en" else "×".join(both)

    def _part(self, expr: Expr, like: Type | None) -> str:
        """A side of a product or difference; what is composed stands in brackets."""
        noun = self.noun(expr, like)
        return _bracketed(noun, self.lang) if isinstance(expr, Arithmetic) else noun

    def _constant(self, expr: Constant, like: Type | None) -> str:
        kind = expr.type
        if like is not None and like.is_numeric and kind.is_numeric:
            name = (
                "ratio" if like.kind == "ratio" else "money" if like.kind == "money" else kind.kind
            )
            kind = Type(name, kind.scale, like.unit)
        return amount_in_words(expr.value, kind, self.vocabulary, self.lang)

    def _label(self, expr: Fact | Derived | Parameter) -> str:
        name = name_of(expr)
        assert name is not None
        if isinstance(expr, Parameter):
            return in_lang(self.regime.parameters[name].label, self.lang)
        if name in self.vocabulary.facts:
            return in_lang(self.vocabulary.facts[name].label, self.lang)
        return in_lang(self.regime.quantities[name].label, self.lang)


def _shares(one: _Atom, other: _Atom, every: bool) -> bool:
    """Whether two conditions side by side are about one thing and read as one clause."""
    first, second = _coded(one.expr), _coded(other.expr)
    if first is not None or second is not None:
        # "A or B" is said of what is one of them, and of what is none of them.
        return first == second and _is_denied(one) == _is_denied(other) == every
    if not (isinstance(one.expr, Compare) and isinstance(other.expr, Compare)):
        return False
    left, right = _sides(one)[0], _sides(other)[0]
    return left == right and type_of(left).kind not in ("boolean", "code")


def _coded(expr: Expr) -> Expr | None:
    """The code fact that a membership, or a comparison with a written code, is about."""
    if isinstance(expr, Member):
        return expr.operand
    if isinstance(expr, Compare):
        for side, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if isinstance(other, Constant) and isinstance(other.value, str):
                return side
    return None


def _is_denied(atom: _Atom) -> bool:
    expr = atom.expr
    denied = (
        expr.negated
        if isinstance(expr, Member)
        else (isinstance(expr, Compare) and expr.op == "!=")
    )
    return denied is not atom.negated


def _sides(atom: _Atom) -> tuple[Expr, CompareOp, Expr]:
    """A comparison with its subject first; a written value is never the subject."""
    expr = atom.expr
    assert isinstance(expr, Compare)
    op = FLIPPED[expr.op] if atom.negated else expr.op
    if isinstance(expr.left, Constant):
        return expr.right, _MIRRORED[op], expr.left
    return expr.left, op, expr.right


def _terms(expr: Expr, op: str) -> list[Expr]:
    """The terms of a sum, or of a minimum or maximum, however it is bracketed."""
    if isinstance(expr, Arithmetic) and expr.op == op:
        return [*_terms(expr.left, op), *_terms(expr.right, op)]
    return [expr]


def _denied(template: str, lang: Lang) -> str | None:
    """A phrase that says the opposite, where its verb can be found before the value."""
    if lang == "en":
        found = list(_COPULA.finditer(template))
        if not found:
            return None
        end = found[-1].end()
        return f"{template[:end]} not{template[end:]}"
    verb = _ZH_COPULA.search(template)
    if verb is None:
        return None
    word = "不位于" if verb[1] == "位于" else verb[1].replace("为", "不是")
    return f"{template[: verb.start()]}{word}{template[verb.end() :]}"


def _with(terms: Sequence[str]) -> str:
    """`A与B`, `A、B与C`: a list whose last joint is not taken for that of a clause."""
    return f"{'、'.join(terms[:-1])}与{terms[-1]}"


def _bare(noun: str) -> str:
    return noun.removeprefix("the ")
