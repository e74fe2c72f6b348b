"""Operators against tables written by hand, and the laws of strong Kleene logic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.ir import And, Compare, Expr, Not, Or
from engine.load import Rulebook
from engine.order import Document, read_order
from engine.properties import expressions, names_of, orders
from tests.judging import held, read_condition

FACTS = {
    "a": "terms.cancellable",
    "b": "terms.refundable",
    "c": "pledge.sealed",
    "q": "order.quantity",
    "u": "customer.units_to_date",
    "m": "fee.paid",
    "n": "payment.prepaid",
    "t": "item.tpp",
    "d": "item.performance_density",
    "x": "pledge.signed_on",
    "y": "order.placed_on",
    "k": "order.destination",
}
WORDS = {"T": True, "F": False, "_": None}


def operator_cases() -> Iterator[tuple[str, str, dict[str, Any], bool | None]]:
    """Every row of the tables: what it is called, the condition, the facts, and what it gives."""
    text = (Path(__file__).parent / "cases" / "operators.yaml").read_text(encoding="utf-8")
    for operator, group in yaml.load(text, Loader=yaml.BaseLoader).items():
        for case in group:
            whole = re.sub(r"(?<![\w.\"])([a-z])(?![\w.(])", lambda m: FACTS[m[1]], case["text"])
            rows = {"": case["gives"]} if "gives" in case else case["table"]
            for letters, gives in rows.items():
                named: dict[str, Any] = dict(case.get("given", {}))
                for name, letter in zip("abc", letters, strict=False):
                    if letter != "_":
                        named[name] = WORDS[letter]
                where = letters or " ".join(f"{k}={v}" for k, v in named.items())
                facts = {FACTS.get(name, name): value for name, value in named.items()}
                yield f"{operator}: {case['text']} [{where}]", whole, facts, WORDS[gives]


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [pytest.param(*case, id=id) for id, *case in operator_cases()],
)
def test_an_operator_gives_what_its_table_says(
    rulebook: Rulebook, text: str, facts: dict[str, Any], expected: bool | None
) -> None:
    regime = rulebook.regimes["h200-article"]
    names = names_of(rulebook.vocabulary, regime)
    order = read_order(rulebook.vocabulary, Document(facts))
    assert held(rulebook, regime, read_condition(text, names), order.stated) is expected


@pytest.fixture(scope="module")
def drawn(rulebook: Rulebook) -> Any:
    names = names_of(rulebook.vocabulary, rulebook.regimes["h200-article"])
    return expressions(names), orders(rulebook, "h200-article")


@given(data=st.data())
def test_negation_turns_and_into_or(rulebook: Rulebook, drawn: Any, data: st.DataObject) -> None:
    conditions, any_order = drawn
    a, b, order = data.draw(conditions), data.draw(conditions), data.draw(any_order)
    regime = rulebook.regimes["h200-article"]

    def holds(expr: Expr) -> bool | None:
        return held(rulebook, regime, expr, order.stated)

    span = a.span
    assert holds(Not(And((a, b), span), span)) is holds(Or((Not(a, span), Not(b, span)), span))
    assert holds(Not(Or((a, b), span), span)) is holds(And((Not(a, span), Not(b, span)), span))
    assert holds(Not(Not(a, span), span)) is holds(a)
    assert holds(And((a, b), span)) is holds(And((b, a), span))
    assert holds(Or((a, b), span)) is holds(Or((b, a), span))
    assert holds(And((a, a), span)) is holds(a)
    assert holds(Or((a, And((a, b), span)), span)) is holds(a)
    distributed = Or((And((a, b), span), And((a, Not(b, span)), span)), span)
    assert holds(And((a, Or((b, Not(b, span)), span)), span)) is holds(distributed)


@given(data=st.data())
def test_a_comparison_and_its_flip_are_opposite(
    rulebook: Rulebook, drawn: Any, data: st.DataObject
) -> None:
    conditions, any_order = drawn
    expr = data.draw(conditions.filter(lambda e: isinstance(e, Compare)))
    order = data.draw(any_order)
    flipped = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}[expr.op]
    other = Compare(flipped, expr.left, expr.right, expr.span)  # type: ignore[arg-type]
    regime = rulebook.regimes["h200-article"]
    one, two = (held(rulebook, regime, e, order.stated) for e in (expr, other))
    assert (one is None) == (two is None)
    assert one is None or one is not two
