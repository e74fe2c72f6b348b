"""The strategies that authors of rules import: what they draw is sound, and shrinks to little."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from engine.check import regime_faults
from engine.choices import describe
from engine.evaluate import judge
from engine.ir import Status, type_of
from engine.load import Rulebook, load
from engine.order import Document, Order, read_order, write_facts
from engine.properties import RuleSet, expressions, names_of, orders, rule_sets, values

ROOT = Path(__file__).parent.parent
REGIMES = ("bis-2026", "h200-article", "h200-reported", "section-232-duty")
OUTCOMES = ("met", "unmet", "unknown", "not-applicable")
BRIEF = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def rules(rulebook: Rulebook) -> st.SearchStrategy[RuleSet]:
    return rule_sets(rulebook)


@given(data=st.data())
def test_drawn_rules_pass_check(rulebook: Rulebook, rules: Any, data: st.DataObject) -> None:
    regime = data.draw(rules).parse(rulebook.vocabulary)
    assert regime is not None
    faults = regime_faults(regime, rulebook.vocabulary, rulebook.sources)
    assert [fault for fault in faults if fault.severity == "error"] == []
    for rule in regime.rules:
        assert {example.finding for example in rule.examples} == {"met", "unmet"}


@BRIEF
@given(data=st.data())
def test_drawn_rules_load_from_files(
    rulebook: Rulebook, rules: Any, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    drawn = data.draw(rules)
    folder = tmp_path_factory.mktemp("rules")
    for name in ("vocabulary.yaml", "sources.yaml"):
        shutil.copy(ROOT / "rules" / name, folder)
    shutil.copytree(ROOT / "rules" / "codes", folder / "codes")
    drawn.write(folder)
    loaded = load(folder).regimes[drawn.id]
    parsed = drawn.parse(rulebook.vocabulary)
    assert parsed is not None
    assert loaded.rules == parsed.rules
    assert loaded.scope == parsed.scope


@pytest.mark.parametrize("status", OUTCOMES)
@pytest.mark.parametrize("name", REGIMES)
def test_an_order_can_be_asked_for_by_its_outcome(
    rulebook: Rulebook, name: str, status: Status
) -> None:
    regime, vocabulary = rulebook.regimes[name], rulebook.vocabulary
    program = describe(vocabulary, regime).program

    @BRIEF
    @given(orders(rulebook, name, outcome=regime.outcomes[status].code))
    def has_it(order: Order) -> None:
        assert judge(program, order.values).status == status
        read_order(vocabulary, Document(write_facts(vocabulary, order.stated)))

    has_it()


def test_a_failing_order_shrinks_to_the_facts_that_matter(rulebook: Rulebook) -> None:
    program = describe(rulebook.vocabulary, rulebook.regimes["h200-article"]).program
    order = find(
        orders(rulebook, "h200-article"),
        lambda order: judge(program, order.values).status == "unmet",
        settings=settings(max_examples=200, deadline=None, database=None, derandomize=True),
    )
    assert len(order.stated) <= 4
    assert {"item.product", "order.destination"} <= set(order.stated)


@given(data=st.data())
def test_an_expression_has_the_kind_asked_for(rulebook: Rulebook, data: st.DataObject) -> None:
    names = names_of(rulebook.vocabulary)
    assert type_of(data.draw(expressions(names))).kind == "boolean"
    assert type_of(data.draw(expressions(names, "number"))).is_numeric


def test_values_of_a_fact_reach_its_threshold(rulebook: Rulebook) -> None:
    strategy = values(rulebook, "h200-article", "customer.units_to_date")
    assert find(strategy, lambda value: value == 75_001) == 75_001


def test_only_one_module_imports_hypothesis() -> None:
    found = set()
    for path in (*ROOT.glob("engine/**/*.py"), *ROOT.glob("api/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = node.module if isinstance(node, ast.ImportFrom) else None
            several = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any((name or "").split(".")[0] == "hypothesis" for name in (named, *several)):
                found.add(path.name)
    assert found == {"properties.py"}
