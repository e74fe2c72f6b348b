"""Put conditions with their values into clauses, whole ones in each language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, cast

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
    Parameter,
    factors,
    name_of,
    type_of,
)
from engine.scene import Atom, Scene
from engine.values import Type
from engine.words import Lang, day, days, in_lang, joined, listed, percent, the, worded

Mode = Literal["plain", "neutral", "scope"]


def clause(scene: Scene, atom: Atom, lang: Lang) -> str:
    """One atom with its values; the atom is known."""
    expr = atom.expr
    assert atom.held is not None
    match expr:
        case Member():
            return _membership(scene, expr, expr.negated is not atom.negated, atom.held, lang)
        case Compare(left=left):
            op = FLIPPED[expr.op] if atom.negated else expr.op
            kind = type_of(left)
            other = type_of(expr.right)
            if kind.kind == "code" or other.kind == "code":
                return _code_compared(scene, expr, op, atom.held, lang)
            if kind.kind == "date" or other.kind == "date":
                return _dates(scene, expr, op, lang)
            if kind.is_numeric:
                return _numbers(scene, expr, op, lang)
            sides = (expr.left, expr.right)
            told = [
                _yes_no(scene, side, bool(scene.amount(side)), lang)
                for side in sides
                if not isinstance(side, Constant)
            ]
            return joined(told, lang)
        case _:
            return _yes_no(scene, expr, bool(scene.amount(expr)), lang)


def told(scene: Scene, exprs: Sequence[Expr], lang: Lang, mode: Mode = "plain") -> str:
    """Conditions in one sentence: the atoms they rest on, what is not recorded last.

    Mode `neutral` states the facts of a precondition that is not fulfilled, with nothing
    needed; mode `scope` says what would be covered.
    """
    clauses = [c for expr in exprs for c in _clauses(scene, expr, False, mode, lang)]
    names = dict.fromkeys(
        name
        for expr in exprs
        if scene.truth(expr) is None
        for atom in scene.atoms(expr)
        if atom.held is None
        for name in scene.unknown_in(atom.expr)
    )
    if names:
        labels = [scene.label(name, lang) for name in names]
        colon = "not recorded: " if lang == "en" else "未录入："
        clauses.append(colon + ("; " if lang == "en" else "；").join(labels))
    return joined(clauses, lang)


def _clauses(scene: Scene, expr: Expr, negated: bool, mode: Mode, lang: Lang) -> list[str]:
    match expr:
        case Not():
            return _clauses(scene, expr.operand, not negated, mode, lang)
        case And() | Or():
            whole = scene.truth(expr)
            deciding = [o for o in expr.operands if scene.truth(o) == whole]
            conjunctive = isinstance(expr, And) is not negated
            if whole is None or conjunctive:
                told = [_clauses(scene, o, negated, mode, lang) for o in deciding]
                if whole is None and not conjunctive:
                    # Why the unknown matters: the alternatives that are already out.
                    out = [o for o in expr.operands if scene.truth(o) is negated]
                    told.insert(0, _none_of(scene, out, negated, "neutral", lang))
                return [clause for clauses in told for clause in clauses]
            if whole is not negated:
                first = deciding[0]
                if isinstance(first, Compare) and _is_limit(first):
                    return [_placed(scene, [first], lang)]
                return _clauses(scene, first, negated, mode, lang)
            return _none_of(scene, deciding, negated, mode, lang)
        case _:
            held = scene.truth(expr)
            if held is None:
                return []
            wanted = held is not negated
            if mode == "plain" or wanted:
                return [clause(scene, Atom(expr, negated, wanted), lang)]
            if mode == "scope" and isinstance(expr, Member) and expr.negated is negated:
                return [_outside(scene, [expr], lang)]
            return [_neutral(scene, expr, negated, lang)]


def _none_of(
    scene: Scene, operands: Sequence[Expr], negated: bool, mode: Mode, lang: Lang
) -> list[str]:
    """Alternatives that all fail, told as what is so instead.

    Lists that one fact might have been in stand together; so do the limits of one amount.
    """
    told: list[str] = []
    left = list(operands)
    while left:
        first = left.pop(0)
        if isinstance(first, Member) and first.negated is negated:
            members = [o for o in left if isinstance(o, Member) and o.operand == first.operand]
            left = [o for o in left if o not in members]
            told.append(_outside(scene, [first, *members], lang, mode))
        elif isinstance(first, Compare) and _is_limit(first):
            limits = [o for o in left if isinstance(o, Compare) and _limits_too(o, first)]
            left = [o for o in left if o not in limits]
            told.append(_placed(scene, [first, *limits], lang))
        else:
            told += _clauses(scene, first, negated, "neutral" if mode == "plain" else mode, lang)
    return told


def _is_limit(expr: Compare) -> bool:
    return type_of(expr.left).is_numeric and expr.op not in ("==", "!=")


def _limits_too(expr: Compare, first: Compare) -> bool:
    return _is_limit(expr) and expr.left == first.left


def _neutral(scene: Scene, expr: Expr, negated: bool, lang: Lang) -> str:
    """One failed atom told as what is so, with nothing needed."""
    if isinstance(expr, Compare) and _is_limit(expr):
        return _placed(scene, [expr], lang)
    return clause(scene, Atom(expr, not negated, True), lang)


def _placed(scene: Scene, limits: Sequence[Compare], lang: Lang) -> str:
    """Where an amount lies beside its limits: between two, or so much over or below each."""
    here = total(scene, limits[0].left, lang)
    sides: dict[bool | None, list[tuple[str, str]]] = {}
    for expr in limits:
        a, b = factors(expr.left, expr.right)
        left, right = scene.amount(expr.left) * a, scene.amount(expr.right) * b
        over = None if left == right else left > right
        sides.setdefault(over, []).append(
            (_gap(scene, expr, left, right, lang), noun(scene, expr.right, lang))
        )
    if len(limits) == 2 and set(sides) == {True, False}:
        low, high = sides[True][0][1], sides[False][0][1]
        if lang == "en":
            return f"{here}, between {low} and {high}"
        return f"{here}，介于{low}与{high}之间"
    told: list[str] = []
    for over, ends in sides.items():
        for gap, end in ends:
            if over is None:
                told.append(f"exactly {end}" if lang == "en" else f"恰等于{end}")
            elif lang == "en":
                told.append(f"{gap} {'over' if over else 'below'} {end}")
            else:
                told.append(f"比{end}{'多' if over else '少'}{gap}")
    return f"{here}, {listed(told, lang)}" if lang == "en" else f"{here}，{'，'.join(told)}"


def _gap(scene: Scene, expr: Compare, left: int, right: int, lang: Lang) -> str:
    kind = type_of(expr.right) if type_of(expr.left).literal else type_of(expr.left)
    scale = max(type_of(expr.left).scale, type_of(expr.right).scale)
    unit = scene.unit(expr.left) or scene.unit(expr.right)
    scaled = kind if kind.scale == scale else Type(kind.kind, scale, kind.unit)
    return worded(abs(left - right), scaled, unit if lang == "zh" else None, lang)


def _outside(scene: Scene, members: Sequence[Member], lang: Lang, mode: Mode = "scope") -> str:
    """A code with the lists that it is in none of."""
    subject = members[0].operand
    code = scene.code(subject, cast(str, scene.amount(subject)), lang)
    clause = _stated(scene, subject, code, lang)
    if mode == "neutral":
        return clause
    label = listed([_listed(scene, m, lang) for m in members], lang, last="or")
    if mode == "plain":
        return _needed(clause, label, lang)
    return f"{clause} (covered: {label})" if lang == "en" else f"{clause}（适用范围：{label}）"


def _yes_no(scene: Scene, expr: Expr, value: bool, lang: Lang) -> str:
    if isinstance(expr, Fact):
        fact = scene.program.vocabulary.facts[expr.path]
        clause = fact.yes if value else fact.no
        if clause is not None:
            return in_lang(clause, lang)
    word = {"en": ("no", "yes"), "zh": ("否", "是")}[lang][value]
    name = expr.path if isinstance(expr, Fact) else ""
    colon = ": " if lang == "en" else "："
    return f"{scene.label(name, lang)}{colon}{word}" if name else word


def _stated(scene: Scene, expr: Expr, value: str, lang: Lang) -> str:
    """A fact with its value as a clause."""
    name = (
        expr.path if isinstance(expr, Fact) else expr.name if isinstance(expr, Derived) else None
    )
    if name is None:
        return value
    says = scene.says(name)
    if says is not None:
        return in_lang(says, lang).replace("{value}", value)
    label = scene.label(name, lang)
    return f"{the(label)} is {value}" if lang == "en" else f"{label}为{value}"


def _membership(scene: Scene, expr: Member, negated: bool, held: bool, lang: Lang) -> str:
    code = cast(str, scene.amount(expr.operand))
    clause = _stated(scene, expr.operand, scene.code(expr.operand, code, lang), lang)
    if held:
        return clause
    label = _listed(scene, expr, lang)
    if negated:
        label = f"none of {label}" if lang == "en" else f"非{label}"
    return _needed(clause, label, lang)


def _listed(scene: Scene, expr: Member, lang: Lang) -> str:
    """The codes of a list as people call them."""
    if expr.list is not None:
        label = in_lang(scene.program.regime.lists[expr.list].label, lang)
        # The codes of a short list stand beside its label, which an author wrote by hand.
        if len(expr.codes) > 4:
            return label
        return (
            f"{label} [{', '.join(expr.codes)}]"
            if lang == "en"
            else f"{label}〔{'、'.join(expr.codes)}〕"
        )
    names = [scene.code(expr.operand, c, lang) for c in expr.codes]
    if lang == "en":
        names = [f"“{name}”" for name in names]
    return listed(names, lang, last="or")


def _code_compared(scene: Scene, expr: Compare, op: CompareOp, held: bool, lang: Lang) -> str:
    subject, other = expr.left, expr.right
    if isinstance(subject, Constant):
        subject, other = other, subject
    value = scene.code(subject, cast(str, scene.amount(subject)), lang)
    clause = _stated(scene, subject, value, lang)
    if held:
        return clause
    wanted = scene.code(subject, cast(str, scene.amount(other)), lang)
    if lang == "en":
        wanted = f"“{wanted}”"
    name = name_of(other)
    if name is not None:
        # The same as another fact, whose present value alone would not say why.
        label = scene.label(name, lang)
        wanted = (
            f"the same as {the(label)}, {wanted}" if lang == "en" else f"与{label}相同，即{wanted}"
        )
    if op == "!=":
        wanted = f"anything but {wanted}" if lang == "en" else f"非{wanted}"
    return _needed(clause, wanted, lang)


def _dates(scene: Scene, expr: Compare, op: CompareOp, lang: Lang) -> str:
    left, right = scene.amount(expr.left), scene.amount(expr.right)
    clause = _stated(scene, expr.left, day(left, lang), lang)
    other = day(right, lang)
    name = name_of(expr.right)
    if name is not None:
        label = scene.label(name, lang)
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


def _numbers(scene: Scene, expr: Compare, op: CompareOp, lang: Lang) -> str:
    a, b = factors(expr.left, expr.right)
    left, right = scene.amount(expr.left) * a, scene.amount(expr.right) * b
    gap = _gap(scene, expr, left, right, lang)
    here = total(scene, expr.left, lang)
    if op in (">=", ">"):
        return _at_least(scene, expr, op, left, right, here, gap, lang)
    limit = noun(scene, expr.right, lang)
    return _at_most(op, left, right, here, limit, gap, lang)


def _at_least(
    scene: Scene,
    expr: Compare,
    op: CompareOp,
    left: int,
    right: int,
    here: str,
    gap: str,
    lang: Lang,
) -> str:
    need = _need(scene, expr.right, op, lang)
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


def _need(scene: Scene, expr: Expr, op: CompareOp, lang: Lang) -> str:
    """What a side must reach, as a clause."""
    if isinstance(expr, Constant):
        value = scene.value_of(expr, lang)
        if lang == "en":
            return f"{'more than' if op == '>' else 'at least'} {value} is needed"
        return f"须{'超过' if op == '>' else '达到'}{value}"
    name = name_of(expr)
    if name is None:
        return total(scene, expr, lang)
    label, value = scene.label(name, lang), scene.value_of(expr, lang)
    return f"{the(label)} is {value}" if lang == "en" else f"{label}为{value}"


def noun(scene: Scene, expr: Expr, lang: Lang) -> str:
    """A limit as a noun: `the cap of 75,000`, `75,000片上限`."""
    value = scene.value_of(expr, lang, bare=lang == "en")
    name = name_of(expr)
    if isinstance(expr, Constant) or name is None:
        if isinstance(expr, Arithmetic):
            words = term(scene, expr, lang)
            return f"{words}, that is {value}" if lang == "en" else f"{words}（即{value}）"
        return value
    label = scene.label(name, lang)
    if lang == "en":
        return f"{the(label)} of {value}"
    return f"{value}{label}" if len(label) <= 2 else f"{label}（{value}）"


def total(scene: Scene, expr: Expr, lang: Lang) -> str:
    """A side as a clause: a sum with its terms, a share with its base, a fact with its value."""
    value = scene.value_of(expr, lang)
    match expr:
        case Arithmetic(op="+"):
            terms = list(_terms(expr))
            worded = [
                _in_sum(scene, term, lang, bare=lang == "en" and n > 0)
                for n, term in enumerate(terms)
            ]
            if lang == "en":
                return f"{' + '.join(worded)} = {scene.value_of(expr, lang, bare=True)}"
            return f"{worded[0]}，加{'，加'.join(worded[1:])}，合计{value}"
        case Arithmetic(op="*"):
            words = term(scene, expr, lang)
            return f"{words} is {value}" if lang == "en" else f"{words}为{value}"
        case Fact() | Derived():
            return _stated(scene, expr, value, lang)
        case Parameter():
            label = scene.label(expr.name, lang)
            return f"{the(label)} is {value}" if lang == "en" else f"{label}为{value}"
        case Constant():
            return value
        case _:
            words = term(scene, expr, lang)
            return f"{words} is {value}" if lang == "en" else f"{words}为{value}"


def _in_sum(scene: Scene, expr: Expr, lang: Lang, *, bare: bool) -> str:
    value = scene.value_of(expr, lang, bare=bare)
    name = name_of(expr)
    if name is None:
        return value if isinstance(expr, Constant) else term(scene, expr, lang)
    says = scene.says(name)
    if says is not None:
        return in_lang(says, lang).replace("{value}", value)
    label = scene.label(name, lang)
    return f"{label} {value}" if lang == "en" else f"{label}{value}"


def term(scene: Scene, expr: Expr, lang: Lang) -> str:
    """An expression in words, with the values of what it names."""
    match expr:
        case Arithmetic(op="*"):
            for share, base in ((expr.left, expr.right), (expr.right, expr.left)):
                if type_of(share).kind == "ratio" or (
                    isinstance(share, Constant)
                    and 0 < cast(int, share.value) < 10**share.type.scale
                ):
                    return _share(scene, share, base, lang)
            return f"{term(scene, expr.left, lang)} × {term(scene, expr.right, lang)}"
        case Arithmetic(op="min" | "max"):
            both = [term(scene, expr.left, lang), term(scene, expr.right, lang)]
            if lang == "zh":
                return f"{listed(both, lang)}中{'较小' if expr.op == 'min' else '较大'}者"
            word = "smaller" if expr.op == "min" else "larger"
            return f"the {word} of {listed(both, lang)}"
        case Arithmetic():
            sign = "−" if expr.op == "-" else "+"
            return f"{term(scene, expr.left, lang)} {sign} {term(scene, expr.right, lang)}"
        case Constant():
            return scene.value_of(expr, lang)
        case _:
            name = name_of(expr)
            value = scene.value_of(expr, lang)
            label = scene.label(name, lang) if name else ""
            return f"{the(label)} of {value}" if lang == "en" else f"{label}{value}"


def _share(scene: Scene, share: Expr, base: Expr, lang: Lang) -> str:
    kind = type_of(share)
    part = percent(scene.amount(share), kind.scale, lang)
    name = name_of(base)
    if lang == "zh" or name is None:
        whole = term(scene, base, lang)
        return f"{part} of {whole}" if lang == "en" else f"{whole}的{part}"
    return f"{part} of {the(scene.label(name, lang))} ({scene.value_of(base, lang)})"


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
