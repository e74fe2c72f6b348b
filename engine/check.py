"""Check that a parsed regime is sound: cited, dated, in both languages, and true to its examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from engine.diagnostics import Diagnostic, Span, nearest, shown
from engine.evaluate import Program, compile_regime, judge
from engine.ir import (
    Citation,
    Derived,
    Expr,
    Member,
    Note,
    Regime,
    Rule,
    children,
    walk,
)
from engine.names import inside, uses
from engine.order import Document, order_from
from engine.parse_vocabulary import CitedSource
from engine.vocabulary import Vocabulary

MAX_PARTS = 2_000
MAX_DEEP = 100
"""Parts of a condition, and parts within parts, with all that its names stand for."""


def regime_faults(
    regime: Regime, vocabulary: Vocabulary, sources: Mapping[str, CitedSource]
) -> list[Diagnostic]:
    """Every fault of a parsed regime that types alone do not show."""
    faults = _size_faults(regime, vocabulary)
    if faults:
        # Nothing that reads through names may begin on these.
        return faults
    for named in regime.sources:
        _known_source(named.id, named.span, sources, faults)
    if not regime.rules:
        faults.append(_fault("R102", regime.span, "the regime has no rule", "list at least one"))
    start = regime.in_force.start
    faults += _value_faults(regime.scope, start, "the regime comes", regime, vocabulary)
    programs: dict[int, Program] = {}
    for rule in regime.rules:
        if not rule.cite:
            faults.append(
                _fault("R301", rule.span, "the rule cites no source", "cite what it rests on")
            )
        faults += citation_faults(rule.cite, sources)
        dates = _date_faults(rule, regime, vocabulary)
        # Without a first day in force there is no day on which to judge the examples.
        faults += dates or _example_faults(rule, regime, vocabulary, programs)
    return faults + _unused(regime)


def _size_faults(regime: Regime, vocabulary: Vocabulary) -> list[Diagnostic]:
    """Conditions and quantities that are too large or too deep with what their names stand for.

    A short quantity that names another twice, which names another twice, grows without end.
    """
    sizes: dict[str, tuple[int, int]] = {}

    def size_of(expr: Expr) -> tuple[int, int]:
        parts, deep = 1, 0
        for child in children(expr):
            child_parts, child_deep = size_of(child)
            parts, deep = parts + child_parts, max(deep, child_deep)
        if isinstance(expr, Derived):
            inner_parts, inner_deep = sizes.get(expr.name, (0, 0))
            parts, deep = parts + inner_parts, deep + inner_deep
        return parts, deep + 1

    faults: list[Diagnostic] = []

    def measured(expr: Expr, span: Span, what: str) -> tuple[int, int]:
        parts, deep = size_of(expr)
        if parts > MAX_PARTS or deep > MAX_DEEP:
            message = f"{what} has too many parts, seen through the quantities that it names"
            help = f"at most {MAX_PARTS:,} parts and {MAX_DEEP} levels"
            faults.append(_fault("R203", span, message, help))
            return 0, 0
        return parts, deep

    own = (fact.derived for fact in vocabulary.derived if fact.derived is not None)
    for quantity in (*own, *regime.quantities.values()):
        sizes[quantity.name] = measured(quantity.value, quantity.span, f"`{quantity.name}`")
    measured(regime.scope, regime.scope.span, "the scope")
    for rule in regime.rules:
        for expr in (rule.applies, rule.require):
            if expr is not None:
                measured(expr, expr.span, "the condition")
    return faults


def _fault(
    code: str,
    span: Span,
    message: str,
    help: str = "",
    notes: tuple[tuple[str, Span | None], ...] = (),
) -> Diagnostic:
    return Diagnostic(code, span, message, help, notes)


def _known_source(
    id: str, span: Span, sources: Mapping[str, CitedSource], faults: list[Diagnostic]
) -> None:
    if id not in sources:
        faults.append(
            _fault(
                "R302",
                span,
                f"unknown source {shown(id)}",
                nearest(id, sources) or "sources stand in sources.yaml",
            )
        )


def citation_faults(
    cite: Iterable[Citation], sources: Mapping[str, CitedSource]
) -> list[Diagnostic]:
    """Citations of unknown sources, and translations into the source's own language."""
    faults: list[Diagnostic] = []
    for citation in cite:
        _known_source(citation.source, citation.span, sources, faults)
        source = sources.get(citation.source)
        if source is not None and citation.quote is not None and citation.translation is not None:
            faults += _translation_faults(citation, source)
    return faults


def _translation_faults(citation: Citation, source: CitedSource) -> list[Diagnostic]:
    """A translation of an English source holds Chinese characters, and the other way round."""
    chinese = any("\u4e00" <= c <= "\u9fff" for c in citation.translation or "")
    if chinese == (source.language == "en"):
        return []
    other = "zh" if source.language == "en" else "en"
    return [
        _fault(
            "R303",
            citation.span,
            f"the source is in `{source.language}`, so its words are translated into `{other}`",
            f"give the translation as `{other}`",
        )
    ]


def _date_faults(rule: Rule, regime: Regime, vocabulary: Vocabulary) -> list[Diagnostic]:
    faults: list[Diagnostic] = []
    mine, whole = rule.in_force, regime.in_force
    stop = min(mine.until or 10**7, whole.until or 10**7)
    if max(mine.start, whole.start) >= stop:
        faults.append(
            _fault(
                "R305",
                rule.span,
                "the rule is never in force while its regime is",
                "set its dates against those of the regime",
            )
        )
    elif mine.start < whole.start or (whole.until and (mine.until or 10**7) > whole.until):
        faults.append(
            _fault(
                "R304",
                rule.span,
                "the rule is in force on days on which its regime is not",
                f"the regime runs from {_iso(whole.start)}"
                + (f" until {_iso(whole.until)}" if whole.until else ""),
            )
        )
    faults += [
        fault
        for expr in (rule.applies, rule.require)
        if expr is not None
        for fault in _value_faults(expr, mine.start, f"`{rule.id}` comes", regime, vocabulary)
    ]
    return faults


def _value_faults(
    expr: Expr, start: int, who: str, regime: Regime, vocabulary: Vocabulary
) -> list[Diagnostic]:
    """Parameters, seen through what is derived, without a value on the first day in force."""
    named = inside(regime, vocabulary, expr)
    return [
        _fault(
            "R304",
            parameter.span,
            f"`{parameter.name}` has no value on {_iso(start)}, when {who} into force",
            "give a value from that day, or begin later",
        )
        for parameter in regime.parameters.values()
        if parameter.name in named and parameter.values[0][0] > start
    ]


def _example_faults(
    rule: Rule, regime: Regime, vocabulary: Vocabulary, programs: dict[int, Program]
) -> list[Diagnostic]:
    faults: list[Diagnostic] = []
    found = {example.finding for example in rule.examples}
    for status in ("met", "unmet"):
        if status not in found:
            faults.append(
                _fault(
                    "R307",
                    rule.span,
                    f"no example of the rule is `{status}`",
                    "give one on each side of its boundary",
                )
            )
    for example in rule.examples:
        bad: list[Diagnostic] = []
        order = order_from(vocabulary, Document(dict(example.given)), bad)
        if bad:
            for fault in bad:
                path = fault.span.pointer.removeprefix("/").replace("/", ".")
                name, value = example.places.get(path, (example.span, example.span))
                span = name if fault.code == "O201" else value
                faults.append(_fault("R308", span, fault.message, fault.help))
            continue
        day = rule.in_force.start if example.as_of is None else example.as_of
        if day not in programs:
            programs[day] = compile_regime(regime, vocabulary, day)
        got = next(f for f in judge(programs[day], order.values).findings if f.rule is rule).status
        if got != example.finding:
            faults.append(
                _fault(
                    "R306",
                    example.span,
                    f"the rule finds `{got}` where the example says `{example.finding}`",
                    "mend the rule or the example",
                )
            )
    return faults


def _unused(regime: Regime) -> list[Diagnostic]:
    """Warn of parameters and lists that no condition names."""
    exprs = list(_expressions(regime))
    named = {name for expr in exprs for name in uses(expr)}
    listed = {e.list for expr in exprs for e in walk(expr) if isinstance(e, Member)}
    unused = [p for p in regime.parameters.values() if p.name not in named]
    faults = [
        Diagnostic(
            "R309",
            p.span,
            f"the parameter `{p.name}` has no effect",
            "take it out or use it",
            severity="warning",
        )
        for p in unused
    ]
    faults += [
        Diagnostic(
            "R309",
            n.span,
            f"the list `{n.name}` has no effect",
            "take it out or use it",
            severity="warning",
        )
        for n in regime.lists.values()
        if n.name not in listed
    ]
    return faults


def _expressions(regime: Regime) -> list[Expr]:
    notes: list[Note] = [*regime.cautions]
    found = [regime.scope, *(q.value for q in regime.quantities.values())]
    for rule in regime.rules:
        found += [rule.require, *([rule.applies] if rule.applies else [])]
        notes += [*rule.remarks, *rule.cautions, *rule.obligations]
    return found + [note.when for note in notes]


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()
