"""Conditions survive being written and read again."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.choices import deciding_exprs
from engine.diagnostics import Diagnostic, Source, Span
from engine.expression import Names, amount
from engine.ir import Expr, Member, walk
from engine.load import Rulebook
from engine.printing import print_expr
from engine.properties import expression_texts, names_of
from engine.source import Scalar
from tests.judging import read_condition

REGIMES = ("h200-article", "bis-2026")
NamesOf = Callable[[str], Names]


@pytest.fixture(scope="module")
def names(rulebook: Rulebook) -> NamesOf:
    known = {r: names_of(rulebook.vocabulary, rulebook.regimes[r]) for r in REGIMES}
    return lambda regime: known[regime]


@pytest.fixture(scope="module")
def texts(names: NamesOf) -> Any:
    return {
        (regime, kind): expression_texts(names(regime), kind)
        for regime in REGIMES
        for kind in ("boolean", "number")
    }


def _read_amount(text: str, names: Names) -> Expr:
    faults: list[Diagnostic] = []
    expr = amount(Scalar(text, text, Span(Source("case")), ""), names, faults)
    assert expr is not None, [fault.message for fault in faults]
    return expr


def _survives(data: st.DataObject, names: NamesOf, texts: Any) -> None:
    regime = data.draw(st.sampled_from(REGIMES))
    for kind, read in (("boolean", read_condition), ("number", _read_amount)):
        text = data.draw(texts[regime, kind])
        expr = read(text, names(regime))
        written = print_expr(expr)
        assert read(written, names(regime)) == expr
        assert print_expr(read(written, names(regime))) == written
        if not any(isinstance(part, Member) for part in walk(expr)):
            assert _tree(written) == _tree(text)


def _tree(text: str) -> str:
    """What Python's own grammar makes of a text, which knows nothing of our printing."""
    # One fact path holds a word that Python keeps for itself.
    tree = ast.parse(text.replace("import.", "imports."), mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            node.value = float(node.value)
    return ast.dump(tree)


@given(data=st.data())
def test_what_is_written_reads_as_it_was(names: NamesOf, texts: Any, data: st.DataObject) -> None:
    _survives(data, names, texts)


@pytest.mark.deep
@settings(settings.get_profile("deep"))
@given(data=st.data())
def test_what_is_written_reads_as_it_was_many_times(
    names: NamesOf, texts: Any, data: st.DataObject
) -> None:
    _survives(data, names, texts)


def test_every_shipped_condition_reads_as_it_was(rulebook: Rulebook) -> None:
    for regime in rulebook.regimes.values():
        known = names_of(rulebook.vocabulary, regime)
        for expr in deciding_exprs(regime):
            assert read_condition(print_expr(expr), known) == expr


@pytest.mark.parametrize(
    "text",
    [
        "item.performance_density >= 5.9200",
        "item.tpp < 21000.00",
        "item.tpp - (item.tpp - 1) - 1 == 0",
        "(item.tpp + 1) * 2 == item.tpp * 2 + 2",
        "not (lab.revoked and lab.named) == lab.revoked",
        "(lab.revoked or lab.named) and not (lab.revoked or not lab.named)",
        'order.destination in ["CN", "HK"] and not order.destination in ["CN"]',
        "(lab.revoked and lab.named) and lab.revoked",
        "(lab.revoked == lab.named) == lab.revoked",
        "order.quantity * -3 - -3 < -1",
        "max(order.quantity, 3, min(order.quantity, 7)) == 7",
        'import.prc_approval == "approved"',
    ],
)
def test_a_hard_text_reads_as_it_was(names: NamesOf, text: str) -> None:
    expr = read_condition(text, names("bis-2026"))
    assert read_condition(print_expr(expr), names("bis-2026")) == expr
