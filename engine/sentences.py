"""Put conditions with their values into clauses, whole ones in each language.

An *atom* is a comparison, membership or yes/no fact, seen through the `not`s around it. A finding
rests on some of its atoms: the false ones of a failed `and`, the true ones of a met `or`, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from engine.evaluate import Program, amount, truth
from engine.generate import Truth
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
    factors,
    type_of,
    walk,
)
from engine.values import Type, write_number
from engine.vocabulary import Unit
from engine.words import (
    Lang,
    day,
    days,
    grouped,
    in_lang,
    joined,
    listed,
    money,
    percent,
)


@dataclass(frozen=True, slots=True)
class Atom:
    """A smallest condition with whether it holds; `negated` when an odd number of `not`s surround it."""

    expr: Expr
    negated: bool
    held: Truth


@dataclass(frozen=True, slots=True)
class Scene:
    """A program and the values of one order: all that a sentence needs."""

    program: Program
    values: Any

    def truth(self, expr: Expr) -> Truth:
        """Whether a condition holds for this order."""
        return truth(self.program, expr, self.values)

    def amount(self, expr: Expr) -> Any:
        """The scaled value of a term for this order."""
        return amount(self.program, expr, self.values)

    def known(self, name: str) -> bool:
        """Whether a fact or derived quantity has a value."""
        return self.values[self.program.slots[name]] is not None

    # --- atoms ---

    def atoms(self, expr: Expr, negated: bool = False) -> Iterator[Atom]:
        """The atoms on which the truth of an expression rests."""
        match expr:
            case Not():
                yield from self.atoms(expr.operand, not negated)
            case And() | Or():
                whole = self.truth(expr)
                for operand in expr.operands:
                    if self.truth(operand) == whole:
                        yield from self.atoms(operand, negated)
            case _:
                held = self.truth(expr)
                yield Atom(expr, negated, None if held is None else held is not negated)

    def unknown_facts(self, expr: Expr) -> Iterator[str]:
        """The base facts whose answer can still change an unknown expression."""
        for atom in self.atoms(expr):
            if atom.held is None:
                yield from self._unknown_in(atom.expr)

    def _unknown_in(self, expr: Expr) -> Iterator[str]:
        for part in walk(expr):
            match part:
                case Fact() if not self.known(part.path):
                    yield self._askable(part.path)
                case Derived() if not self.known(part.name):
                    yield from self._unknown_in(self._definition(part.name))
                case _:
                    pass

    def _askable(self, path: str) -> str:
        """A fact of the catalogue is asked for as its product, unless the product is known."""
        source = self.program.vocabulary.facts[path].catalogue
        return source if source is not None and not self.known(source) else path

    def _definition(self, name: str) -> Expr:
        regime, vocabulary = self.program.regime, self.program.vocabulary
        if name in regime.quantities:
            return regime.quantities[name].value
        derived = vocabulary.facts[name].derived
        assert derived is not None
        return derived.value

    # --- amounts and names ---

    def label(self, name: str, lang: Lang) -> str:
        """How a fact, parameter or derived quantity is called."""
        regime, vocabulary = self.program.regime, self.program.vocabulary
        if name in vocabulary.facts:
            return in_lang(vocabulary.facts[name].label, lang)
        if name in regime.parameters:
            return in_lang(regime.parameters[name].label, lang)
        return in_lang(regime.quantities[name].label, lang)

    def says(self, name: str) -> Pair | None:
        """The phrase that carries the value of a fact or derived quantity, if it has one."""
        regime, vocabulary = self.program.regime, self.program.vocabulary
        if name in vocabulary.facts:
            return vocabulary.facts[name].says
        return regime.quantities[name].says if name in regime.quantities else None

    def unit(self, expr: Expr) -> Unit | None:
        """How the amount of an expression is counted; a product sold by the board counts boards."""
        vocabulary = self.program.vocabulary
        if isinstance(expr, Fact):
            counted = vocabulary.facts[expr.path].counted_in
            if counted is not None:
                code = self.values[self.program.slots[counted]]
                if code in vocabulary.units:
                    return vocabulary.units[code]
        unit = type_of(expr).unit
        return vocabulary.units.get(unit) if unit and unit != "USD" else None

    def worded(self, value: int, type: Type, unit: Unit | None, lang: Lang) -> str:
        """An amount as people read it, with its unit."""
        if type.kind == "date":
            return day(value, lang)
        if type.kind == "money":
            return money(value, type.scale, lang)
        if type.kind == "ratio":
            return percent(value, type.scale, lang)
        text = grouped(value, type.scale)
        if unit is None:
            return text
        if lang == "zh":
            return f"{text}{unit.zh}"
        return f"{text} {unit.one if abs(value) == 10**type.scale else unit.many}"

    def value_of(self, expr: Expr, lang: Lang, *, bare: bool = False) -> str:
        """The value of a term as people read it; `bare` leaves the unit out."""
        unit = None if bare else self.unit(expr)
        return self.worded(self.amount(expr), type_of(expr), unit, lang)

    def code(self, expr: Expr, code: str, lang: Lang) -> str:
        """How a code of the list of an expression is called."""
        name = type_of(expr).codes
        known = self.program.vocabulary.lists[name].codes if name else {}
        return in_lang(known[code].label, lang) if code in known else code

    # --- clauses ---

    def clause(self, atom: Atom, lang: Lang) -> str:
        """One atom with its values; the atom is known."""
        expr = atom.expr
        assert atom.held is not None
        match expr:
            case Member():
                return self._membership(expr, expr.negated is not atom.negated, atom.held, lang)
            case Compare(left=left):
                op = FLIPPED[expr.op] if atom.negated else expr.op
                kind = type_of(left)
                other = type_of(expr.right)
                if kind.kind == "code" or other.kind == "code":
                    return self._code_compared(expr, op, atom.held, lang)
                if kind.kind == "date" or other.kind == "date":
                    return self._dates(expr, op, lang)
                if kind.is_numeric:
                    return self._numbers(expr, op, lang)
                return self._yes_no(expr.left, bool(self.amount(expr.left)), lang)
            case _:
                return self._yes_no(expr, bool(self.amount(expr)), lang)

    def told(self, expr: Expr, lang: Lang, *, neutral: bool = False) -> str:
        """A condition in one sentence: the atoms it rests on, what is not recorded last.

        `neutral` states the facts of a precondition that is not fulfilled, with nothing needed.
        """
        clauses = self._clauses(expr, False, neutral, lang)
        unknown = [atom for atom in self.atoms(expr) if atom.held is None]
        names = dict.fromkeys(name for atom in unknown for name in self._unknown_in(atom.expr))
        if names:
            labels = [self.label(name, lang) for name in names]
            colon = "not recorded: " if lang == "en" else "未录入："
            clauses.append(colon + ("; " if lang == "en" else "；").join(labels))
        return joined(clauses, lang)

    def _clauses(self, expr: Expr, negated: bool, neutral: bool, lang: Lang) -> list[str]:
        match expr:
            case Not():
                return self._clauses(expr.operand, not negated, neutral, lang)
            case And() | Or():
                whole = self.truth(expr)
                deciding = [o for o in expr.operands if self.truth(o) == whole]
                if whole is None or isinstance(expr, And) is not negated:
                    told = [self._clauses(o, negated, neutral, lang) for o in deciding]
                    return [clause for clauses in told for clause in clauses]
                if whole is not negated:
                    return self._clauses(deciding[0], negated, neutral, lang)
                return self._none_of(deciding, negated, neutral, lang)
            case _:
                held = self.truth(expr)
                if held is None:
                    return []
                if neutral:
                    return [self.clause(Atom(expr, not held, True), lang)]
                return [self.clause(Atom(expr, negated, held is not negated), lang)]

    def _none_of(
        self, operands: Sequence[Expr], negated: bool, neutral: bool, lang: Lang
    ) -> list[str]:
        """Alternatives that all fail; lists that the same fact might be in become one."""
        first = operands[0]
        if (
            isinstance(first, Member)
            and not negated
            and all(isinstance(o, Member) and o.operand == first.operand for o in operands)
            and not any(isinstance(o, Member) and o.negated for o in operands)
        ):
            code = cast(str, self.amount(first.operand))
            clause = self._stated(first.operand, self.code(first.operand, code, lang), lang)
            lists = [self._listed(cast(Member, o), lang) for o in operands]
            return [clause if neutral else _needed(clause, listed(lists, lang, last="or"), lang)]
        told = [joined(self._clauses(o, negated, neutral, lang), lang) for o in operands]
        if neutral or len(told) == 1:
            return told
        if lang == "en":
            return [
                "none of these holds: " + "; ".join(f"({n}) {t}" for n, t in enumerate(told, 1))
            ]
        return ["下列各项均不成立：" + "；".join(f"（{n}）{t}" for n, t in enumerate(told, 1))]

    def _yes_no(self, expr: Expr, value: bool, lang: Lang) -> str:
        if isinstance(expr, Fact):
            fact = self.program.vocabulary.facts[expr.path]
            clause = fact.yes if value else fact.no
            if clause is not None:
                return in_lang(clause, lang)
        word = {"en": ("no", "yes"), "zh": ("否", "是")}[lang][value]
        name = expr.path if isinstance(expr, Fact) else ""
        colon = ": " if lang == "en" else "："
        return f"{self.label(name, lang)}{colon}{word}" if name else word

    def _stated(self, expr: Expr, value: str, lang: Lang) -> str:
        """A fact with its value as a clause."""
        name = (
            expr.path
            if isinstance(expr, Fact)
            else expr.name
            if isinstance(expr, Derived)
            else None
        )
        if name is None:
            return value
        says = self.says(name)
        if says is not None:
            return in_lang(says, lang).replace("{value}", value)
        label = self.label(name, lang)
        return f"{the(label)} is {value}" if lang == "en" else f"{label}为{value}"

    def _membership(self, expr: Member, negated: bool, held: bool, lang: Lang) -> str:
        code = cast(str, self.amount(expr.operand))
        clause = self._stated(expr.operand, self.code(expr.operand, code, lang), lang)
        if held:
            return clause
        label = self._listed(expr, lang)
        if negated:
            label = f"none of {label}" if lang == "en" else f"非{label}"
        return _needed(clause, label, lang)

    def _listed(self, expr: Member, lang: Lang) -> str:
        """The codes of a list as people call them."""
        if expr.list is not None:
            return in_lang(self.program.regime.lists[expr.list].label, lang)
        names = [self.code(expr.operand, c, lang) for c in expr.codes]
        if lang == "en":
            names = [f"“{name}”" for name in names]
        return listed(names, lang, last="or")

    def _code_compared(self, expr: Compare, op: CompareOp, held: bool, lang: Lang) -> str:
        subject, other = expr.left, expr.right
        if isinstance(subject, Constant):
            subject, other = other, subject
        value = self.code(subject, cast(str, self.amount(subject)), lang)
        clause = self._stated(subject, value, lang)
        if held:
            return clause
        wanted = self.code(subject, cast(str, self.amount(other)), lang)
        if lang == "en":
            wanted = f"“{wanted}”"
        if op == "!=":
            wanted = f"anything but {wanted}" if lang == "en" else f"非{wanted}"
        return _needed(clause, wanted, lang)

    def _dates(self, expr: Compare, op: CompareOp, lang: Lang) -> str:
        left, right = self.amount(expr.left), self.amount(expr.right)
        clause = self._stated(expr.left, day(left, lang), lang)
        other = day(right, lang)
        name = _name_of(expr.right)
        if name is not None:
            label = self.label(name, lang)
            if left == right:
                other = the(label) if lang == "en" else label
            else:
                other = f"{the(label)}, {other}" if lang == "en" else f"{label}{other}"
        gap = days(abs(left - right), lang)
        if lang == "en":
            if left == right:
                return f"{clause}, the same day as {other}"
            return f"{clause}, {gap} {'after' if left > right else 'before'} {other}"
        if left == right:
            return f"{clause}，与{other}同日"
        return f"{clause}，{'晚于' if left > right else '早于'}{other}{gap}"

    def _numbers(self, expr: Compare, op: CompareOp, lang: Lang) -> str:
        a, b = factors(expr.left, expr.right)
        left, right = self.amount(expr.left) * a, self.amount(expr.right) * b
        kind = type_of(expr.left)
        if kind.literal:
            kind = type_of(expr.right)
        scale = max(type_of(expr.left).scale, type_of(expr.right).scale)
        scaled = Type(kind.kind, scale, kind.unit)
        unit = self.unit(expr.left) or self.unit(expr.right)
        gap = self.worded(abs(left - right), scaled, unit if lang == "zh" else None, lang)
        here = self.total(expr.left, lang)
        if op in (">=", ">"):
            return self._at_least(expr, op, left, right, here, gap, lang)
        limit = self.noun(expr.right, lang)
        return _at_most(op, left, right, here, limit, gap, lang)

    def _at_least(
        self, expr: Compare, op: CompareOp, left: int, right: int, here: str, gap: str, lang: Lang
    ) -> str:
        need = self._need(expr.right, op, lang)
        if lang == "en":
            if left < right or (left == right and op == ">"):
                tail = f"{gap} short" if left < right else "which must be exceeded"
                return f"{need}; {here}, {tail}"
            tail = "exactly that" if left == right else f"{gap} more than needed"
            return f"{need}; {here}, {tail}"
        if left < right or (left == right and op == ">"):
            tail = f"尚差{gap}" if left < right else "须超过，等于亦不符合"
            return f"{need}；{here}，{tail}"
        tail = "恰好足额" if left == right else f"多出{gap}"
        return f"{need}；{here}，{tail}"

    def _need(self, expr: Expr, op: CompareOp, lang: Lang) -> str:
        """What a side must reach, as a clause."""
        if isinstance(expr, Constant):
            value = self.value_of(expr, lang)
            if lang == "en":
                return f"{'more than' if op == '>' else 'at least'} {value} is needed"
            return f"须{'超过' if op == '>' else '达到'}{value}"
        name = _name_of(expr)
        if name is None:
            return self.total(expr, lang)
        label, value = self.label(name, lang), self.value_of(expr, lang)
        return f"{the(label)} is {value}" if lang == "en" else f"{label}为{value}"

    def noun(self, expr: Expr, lang: Lang) -> str:
        """A limit as a noun: `the cap of 75,000`, `75,000片上限`."""
        value = self.value_of(expr, lang, bare=lang == "en")
        name = _name_of(expr)
        if isinstance(expr, Constant) or name is None:
            if isinstance(expr, Arithmetic):
                value = (
                    f"{self.term(expr, lang)} ({value})"
                    if lang == "en"
                    else (f"{self.term(expr, lang)}（{value}）")
                )
            return value
        label = self.label(name, lang)
        return f"{the(label)} of {value}" if lang == "en" else f"{value}{label}"

    def total(self, expr: Expr, lang: Lang) -> str:
        """A side as a clause: a sum with its terms, a share with its base, a fact with its value."""
        value = self.value_of(expr, lang)
        match expr:
            case Arithmetic(op="+"):
                terms = list(_terms(expr))
                worded = [
                    self._in_sum(term, lang, bare=lang == "en" and n > 0)
                    for n, term in enumerate(terms)
                ]
                if lang == "en":
                    return f"{' + '.join(worded)} = {self.value_of(expr, lang, bare=True)}"
                return f"{worded[0]}，加{'，加'.join(worded[1:])}，合计{value}"
            case Arithmetic(op="*"):
                term = self.term(expr, lang)
                return f"{term} is {value}" if lang == "en" else f"{term}为{value}"
            case Fact() | Derived():
                return self._stated(expr, value, lang)
            case Parameter():
                label = self.label(expr.name, lang)
                return f"{the(label)} is {value}" if lang == "en" else f"{label}为{value}"
            case Constant():
                return value
            case _:
                term = self.term(expr, lang)
                return f"{term} is {value}" if lang == "en" else f"{term}为{value}"

    def _in_sum(self, expr: Expr, lang: Lang, *, bare: bool) -> str:
        value = self.value_of(expr, lang, bare=bare)
        name = _name_of(expr)
        if name is None:
            return value if isinstance(expr, Constant) else self.term(expr, lang)
        says = self.says(name)
        if says is not None:
            return in_lang(says, lang).replace("{value}", value)
        label = self.label(name, lang)
        return f"{label} {value}" if lang == "en" else f"{label}{value}"

    def term(self, expr: Expr, lang: Lang) -> str:
        """An expression in words, with the values of what it names."""
        match expr:
            case Arithmetic(op="*"):
                for share, base in ((expr.left, expr.right), (expr.right, expr.left)):
                    if type_of(share).kind == "ratio" or (
                        isinstance(share, Constant)
                        and 0 < cast(int, share.value) < 10**share.type.scale
                    ):
                        return self._share(share, base, lang)
                return f"{self.term(expr.left, lang)} × {self.term(expr.right, lang)}"
            case Arithmetic(op="min" | "max"):
                both = [self.term(expr.left, lang), self.term(expr.right, lang)]
                if lang == "zh":
                    return f"{listed(both, lang)}中{'较小' if expr.op == 'min' else '较大'}者"
                word = "smaller" if expr.op == "min" else "larger"
                return f"the {word} of {listed(both, lang)}"
            case Arithmetic():
                sign = "−" if expr.op == "-" else "+"
                return f"{self.term(expr.left, lang)} {sign} {self.term(expr.right, lang)}"
            case Constant():
                return self.value_of(expr, lang)
            case _:
                name = _name_of(expr)
                value = self.value_of(expr, lang)
                label = self.label(name, lang) if name else ""
                return f"{the(label)} of {value}" if lang == "en" else f"{label}{value}"

    def _share(self, share: Expr, base: Expr, lang: Lang) -> str:
        kind = type_of(share)
        part = percent(self.amount(share), kind.scale, lang)
        whole = self.term(base, lang)
        return f"{part} of {whole}" if lang == "en" else f"{whole}的{part}"

    # --- both sides, for machines ---

    def sides(self, atom: Atom) -> dict[str, Any]:
        """Both sides of an atom with the margin: positive is room, 0 the boundary, negative short."""
        expr = atom.expr
        status = {True: "met", False: "unmet", None: "unknown"}[atom.held]
        unit: str | None = None
        margin: str | None = None
        left: str | bool | None
        right: str | bool | None
        op: str
        match expr:
            case Member():
                left, right = self.amount(expr.operand), ", ".join(expr.codes)
                op = "not in" if expr.negated is not atom.negated else "in"
            case Compare():
                op = FLIPPED[expr.op] if atom.negated else expr.op
                left, right, margin, unit = self._compared(expr, op)
            case _:
                left, op, right = self.amount(expr), "==", not atom.negated
        return {
            "left": left,
            "op": op,
            "right": right,
            "margin": margin,
            "unit": unit,
            "status": status,
        }

    def _compared(self, expr: Compare, op: CompareOp) -> tuple[Any, Any, str | None, str | None]:
        a, b = factors(expr.left, expr.right)
        left, right = self.amount(expr.left), self.amount(expr.right)
        kind, other = type_of(expr.left), type_of(expr.right)
        if kind.kind == "date":
            gap = None if left is None or right is None else _margin(left, right, op)
            return (
                _iso(left),
                _iso(right),
                None if gap is None else str(gap),
                "day",
            )
        if not kind.is_numeric:
            return left, right, None, None
        decimals = 2 if "money" in (kind.kind, other.kind) else 0
        scale = max(kind.scale, other.scale)
        left = None if left is None else left * a
        right = None if right is None else right * b
        gap = None if left is None or right is None else _margin(left, right, op)
        written = [
            None if v is None else write_number(v, scale, decimals) for v in (left, right, gap)
        ]
        return written[0], written[1], written[2], kind.unit or other.unit


def _margin(left: int, right: int, op: CompareOp) -> int:
    if op in ("<", "<="):
        return right - left
    if op in (">", ">="):
        return left - right
    return -abs(left - right) if op == "==" else abs(left - right)


def _at_most(
    op: CompareOp, left: int, right: int, here: str, limit: str, gap: str, lang: Lang
) -> str:
    if lang == "en":
        if op in ("==", "!="):
            return f"{here}, {'exactly' if left == right else 'which differs from'} {limit}"
        if left > right:
            return f"{here}, {gap} over {limit}"
        if left == right:
            if op == "<":
                return f"{here}, which is not below {limit}: reaching the limit does not pass"
            return f"{here}, exactly {limit}; nothing is left"
        return f"{here}, {gap} below {limit}"
    if op in ("==", "!="):
        return f"{here}，{'恰等于' if left == right else '不等于'}{limit}"
    if left > right:
        return f"{here}，超出{limit}{gap}"
    if left == right:
        if op == "<":
            return f"{here}，不低于{limit}（须低于，等于亦不符合）"
        return f"{here}，恰等于{limit}，已无余量"
    return f"{here}，距{limit}尚余{gap}"


def _needed(clause: str, wanted: str, lang: Lang) -> str:
    return f"{clause} (needed: {wanted})" if lang == "en" else f"{clause}（须为：{wanted}）"


def _terms(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Arithmetic) and expr.op == "+":
        yield from _terms(expr.left)
        yield from _terms(expr.right)
    else:
        yield expr


def _name_of(expr: Expr) -> str | None:
    match expr:
        case Fact():
            return expr.path
        case Derived() | Parameter():
            return expr.name
        case _:
            return None


def the(label: str) -> str:
    """A label with its article, where it takes one."""
    first = label.split(" ", 1)[0]
    return label if first in ("the", "a", "an", "China's", "whether", "total") else f"the {label}"


def _iso(value: int | None) -> str | None:
    return None if value is None else date.fromordinal(value).isoformat()
