"""The digest follows the meaning, the edition every text."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.digest import digest
from engine.ir import (
    And,
    Arithmetic,
    Compare,
    CompareOp,
    Constant,
    Expr,
    Member,
    Not,
    Or,
    Regime,
    type_of,
)
from engine.load import Rulebook, load
from engine.properties import RuleSet, rule_sets
from engine.values import BOOLEAN

REGIME = "h200-article"


@pytest.fixture(scope="module")
def rules(rulebook: Rulebook) -> st.SearchStrategy[RuleSet]:
    return rule_sets(rulebook)


@pytest.fixture
def edited(rulebook: Rulebook, tmp_path: Path) -> Callable[[str, str, str], tuple[bool, bool]]:
    """Edit one file and say whether digest and edition of the regime stay as they were."""
    folder = tmp_path / "rules"
    shutil.copytree(Path(__file__).parent.parent / "rules", folder)

    def edit(file: str, old: str, new: str) -> tuple[bool, bool]:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert re.search(old, text, re.MULTILINE), old
        path.write_text(re.sub(old, new, text, count=1, flags=re.MULTILINE), encoding="utf-8")
        book = load(folder, (REGIME,))
        return (
            book.digests[REGIME] == rulebook.digests[REGIME],
            book.editions[REGIME] == rulebook.editions[REGIME],
        )

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("h200-article/customer-cap.yaml", r"\Atitle", "# a comment\ntitle"),
        ("h200-article/customer-cap.yaml", r"<= cap$", "<= cap   # so it says"),
        ("h200-article/regime.yaml", r"\Z", "\n\n"),
        ("h200-article/customer-cap.yaml", r"value: 75000", "value: '75000'"),
        ("sources.yaml", r"\A", "# a comment\n"),
    ],
)
def test_a_comment_changes_neither(edited: Any, file: str, old: str, new: str) -> None:
    assert edited(file, old, new) == (True, True)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("h200-article/customer-cap.yaml", r"zh: ", "zh: 又"),
        ("h200-article/customer-cap.yaml", r"^require: (.*) <= cap", r"require: (\1)  <=  cap"),
        ("h200-article/regime.yaml", r"read_to: 2026-03-14", "read_to: 2026-03-15"),
        ("vocabulary.yaml", r"zh: 客户名称", "zh: 客户名字"),
        ("sources.yaml", r"zh: ", "zh: 又"),
        # A figure that no rule of the regime reads.
        ("codes/items.csv", r"^H200-NVL,(.*),13364,", r"H200-NVL,\1,13365,"),
    ],
)
def test_a_text_changes_the_edition_alone(edited: Any, file: str, old: str, new: str) -> None:
    assert edited(file, old, new) == (True, False)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("h200-article/regime.yaml", r"codes: \[CN, HK, MO\]", "codes: [CN, HK]"),
        ("h200-article/regime.yaml", r"round: up", "round: down"),
        ("h200-article/regime.yaml", r"^dated_by: .*", "dated_by: order.exported_on"),
        ("h200-article/regime.yaml", r"code: deny", "code: denied"),
        (
            "h200-article/regime.yaml",
            r"  - no-cancellation\n  - no-refund",
            "  - no-refund\n  - no-cancellation",
        ),
        ("h200-article/no-refund.yaml", r"^certainty: .*", "certainty: assumed"),
        ("h200-article/no-refund.yaml", r"^kind: .*", "kind: procedure"),
        ("codes/items.csv", r"^HGX-H200-4,(.*),4,board", r"HGX-H200-4,\1,5,board"),
        ("codes/countries.csv", r"^AD,.*\n", ""),
    ],
)
def test_a_change_of_meaning_changes_both(edited: Any, file: str, old: str, new: str) -> None:
    assert edited(file, old, new) == (False, False)


def _changed(expr: Expr) -> list[Expr]:
    """Every expression one change away."""
    found: list[Expr] = []
    match expr:
        case Constant(value=bool() as value):
            found.append(replace(expr, value=not value))
        case Constant(value=int() as value):
            found += [replace(expr, value=value + 1), replace(expr, value=value - 1)]
        case Constant(value=value):
            found.append(replace(expr, value=f"{value}x"))
        case Compare(op=op):
            ordered = type_of(expr.left).is_numeric
            ops: tuple[CompareOp, ...] = ("<", "<=", ">", ">=") if ordered else ("==", "!=")
            found += [replace(expr, op=other) for other in ops if other != op]
        case Arithmetic(op=op):
            found += [replace(expr, op=other) for other in ("+", "-", "min", "max") if other != op]
        case Member():
            found.append(replace(expr, negated=not expr.negated))
            found.append(replace(expr, codes=(*expr.codes, "ZZ"), list=None))
            if expr.list is None and len(expr.codes) > 1:
                found.append(replace(expr, codes=expr.codes[1:]))
        case Not():
            found.append(expr.operand)
        case And():
            found += [Or(expr.operands, expr.span), replace(expr, operands=expr.operands[:-1])]
        case Or():
            found += [And(expr.operands, expr.span), replace(expr, operands=expr.operands[1:])]
        case _:
            pass
    if isinstance(expr, Compare | Arithmetic):
        found += [replace(expr, left=inner) for inner in _changed(expr.left)]
        found += [replace(expr, right=inner) for inner in _changed(expr.right)]
    elif isinstance(expr, And | Or):
        for n, operand in enumerate(expr.operands):
            parts = expr.operands
            found += [
                replace(expr, operands=(*parts[:n], inner, *parts[n + 1 :]))
                for inner in _changed(operand)
            ]
    elif isinstance(expr, Not):
        found += [replace(expr, operand=inner) for inner in _changed(expr.operand)]
    if type_of(expr) == BOOLEAN:
        found.append(Not(expr, expr.span))
    return found


def _differs(regime: Regime, other: Regime, rulebook: Rulebook) -> bool:
    return digest(regime, rulebook.vocabulary) != digest(other, rulebook.vocabulary)


@pytest.mark.parametrize("name", ["bis-2026", "h200-article", "h200-reported", "section-232-duty"])
def test_any_single_change_of_a_condition_changes_the_digest(
    rulebook: Rulebook, name: str
) -> None:
    regime = rulebook.regimes[name]
    for expr in _changed(regime.scope):
        assert _differs(regime, replace(regime, scope=expr), rulebook), expr
    for n, rule in enumerate(regime.rules):
        others = [replace(rule, require=expr) for expr in _changed(rule.require)]
        if rule.applies is not None:
            others += [replace(rule, applies=expr) for expr in _changed(rule.applies)]
            others.append(replace(rule, applies=None))
        start, until = rule.in_force.start, rule.in_force.until
        others.append(replace(rule, in_force=replace(rule.in_force, start=start + 1)))
        others.append(
            replace(rule, in_force=replace(rule.in_force, until=(until or start + 1) + 1))
        )
        others.append(replace(rule, due="continuing" if rule.due != "continuing" else "order"))
        for other in others:
            rules = (*regime.rules[:n], other, *regime.rules[n + 1 :])
            assert _differs(regime, replace(regime, rules=rules), rulebook), other
    assert _differs(regime, replace(regime, rules=regime.rules[::-1]), rulebook)
    assert _differs(regime, replace(regime, rules=regime.rules[1:]), rulebook)
    later = replace(regime.in_force, start=regime.in_force.start + 1)
    assert _differs(regime, replace(regime, in_force=later), rulebook)
    for key, parameter in regime.parameters.items():
        day, value = parameter.values[-1]
        assert isinstance(value, int)
        for entry in ((day + 1, value), (day, value + 1)):
            changed = replace(parameter, values=(*parameter.values[:-1], entry))
            parameters = {**regime.parameters, key: changed}
            assert _differs(regime, replace(regime, parameters=parameters), rulebook)
    for key, quantity in regime.quantities.items():
        for expr in _changed(quantity.value):
            quantities = {**regime.quantities, key: replace(quantity, value=expr)}
            assert _differs(regime, replace(regime, quantities=quantities), rulebook)


@given(data=st.data())
def test_texts_of_any_rule_leave_its_digest(
    rulebook: Rulebook, rules: Any, data: st.DataObject
) -> None:
    drawn = data.draw(rules)
    retold = {
        name: {**rule, "title": {"en": "other", "zh": "其他"}, "examples": []}
        for name, rule in drawn.rules.items()
    }
    regime = drawn.parse(rulebook.vocabulary)
    other = replace(drawn, rules=retold).parse(rulebook.vocabulary)
    assert regime is not None
    assert other is not None
    assert not _differs(regime, other, rulebook)


@given(data=st.data())
def test_two_rule_sets_of_one_digest_have_the_same_conditions(
    rulebook: Rulebook, rules: Any, data: st.DataObject
) -> None:
    one, two = (data.draw(rules).parse(rulebook.vocabulary) for _ in range(2))
    conditions = [[(r.id, r.applies, r.require, r.in_force) for r in s.rules] for s in (one, two)]
    if not _differs(one, two, rulebook):
        assert conditions[0] == conditions[1]
        assert one.scope == two.scope
