"""The live back end agrees with the reference on every finding, or says that it failed.

durable_rules may take its process down and frees no ruleset: it works in children (`agreeing`).
"""

from __future__ import annotations

import json
import operator
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.backends.live.conditions import (
    IN_ONE_RULE,
    MOST_WAYS,
    Compared,
    Part,
    Parts,
    rete_rules,
)
from engine.backends.live.cutting import cut
from engine.backends.live.logic import SIGNS, Is, every, opposite, some, ways
from engine.ir import STATUSES, CompareOp
from engine.load import Rulebook
from tests.judging import read_condition
from tests.wide_rules import wide_regimes, writer

ROOT = Path(__file__).parent.parent
MILLION = 1_000_000


def told(task: str, *numbers: int, seconds: int = 300) -> dict[str, Any]:
    """What a child found."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.agreeing", task, *map(str, numbers)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    found: dict[str, Any] = json.loads(child.stdout)
    return found


# --- both evaluators say the same ---


@pytest.mark.parametrize(
    ("task", "numbers", "cases"),
    [
        ("drawn", (2, 100, 60), 6_000),
        ("wide", (3, 60, 60), 3_600),
        ("wide", (4, 60, 100), 6_000),
        ("extremes", (), 800),
        ("operators", (), 200),
    ],
)
def test_both_evaluators_agree(task: str, numbers: tuple[int, ...], cases: int) -> None:
    found = told(task, *numbers)
    assert found["differences"] == 0, found["first"]
    assert found["cases"] >= cases
    assert {"met", "unmet", "unknown"} <= set(found["outcomes"])
    if task == "wide":
        # Conditions that one fact cannot carry are among them.
        assert found["level"] >= 2


def test_both_agree_on_shipped_rules_which_are_registered_once_for_every_day_and_policy() -> None:
    found = told("shipped", 1, 60)
    assert found["differences"] == 0, found["first"]
    assert found["cases"] >= 5_000
    assert set(found["outcomes"]) == set(STATUSES)
    assert found["rulesets"] == 4


@pytest.mark.parametrize("which", [0, 1], ids=["reference", "live"])
def test_a_planted_fault_is_noticed(which: int) -> None:
    found = told("planted", which)
    assert found.pop("nothing") == 0
    assert len(found) > 10
    assert [name for name, differences in found.items() if not differences] == []


@pytest.mark.deep
@pytest.mark.parametrize("task", ["drawn", "wide"])
def test_both_evaluators_agree_on_a_million_orders(task: str) -> None:
    cases = 0
    for number in range(MILLION // 2 // 20_000):
        found = told(task, 1_000 + number, 200, 100, seconds=3_600)
        assert found["differences"] == 0, (number, found["first"])
        cases += found["cases"]
    assert cases == MILLION // 2


# --- what is refused, and what is left behind ---


def test_what_cannot_be_judged_is_refused_and_nothing_is_left_behind() -> None:
    assert told("edges") == {
        "states left": 0,
        "registered": 1,
        "another regime": ["a program of another regime"],
        "too large a number": ["B001 live a side of a comparison has more than 63 bits"],
        "states left then": 0,
        "too many rules": [
            "B002 regime.yaml up to this rule the rule set takes more than 2,000 facts"
        ],
        "registered then": 1,
        "a fact that no rule takes": [
            "B001 live facts were not taken: MessageNotHandledException"
        ],
        "after a failure": ["B001 live the back end failed before: its process was not ended"],
    }


def grows(found: Mapping[str, Any]) -> float:
    """Megabytes that a process took after the first fifth of its decisions."""
    megabytes = found["megabytes"]
    return float(max(megabytes[2:]) - max(megabytes[:2]))


def test_memory_stays_flat_over_many_decisions() -> None:
    assert grows(told("soak", 20_000)) < 3


@pytest.mark.deep
def test_memory_stays_flat_over_a_million_decisions() -> None:
    assert grows(told("soak", MILLION, seconds=7_200)) < 3


def test_the_library_is_never_imported_here() -> None:
    assert "durable" not in sys.modules
    assert "durable_rules_engine" not in sys.modules


# --- how facts and rules are made, without the library ---


@pytest.fixture(scope="module")
def parts(rulebook: Rulebook) -> tuple[Part, ...]:
    """The parts of every shipped rule, and of many wide ones."""
    found: list[Part] = []
    for regime in (*rulebook.regimes.values(), *islice(wide_regimes(rulebook, 11), 40)):
        found += cut(regime).parts
    return tuple(found)


def test_exactly_one_rule_takes_a_fact_whatever_it_holds(parts: tuple[Part, ...]) -> None:
    random = Random(1)
    for part in parts:
        rules = list(rete_rules([part]))
        for fact in facts(part, random):
            taken = [word for pattern, (_, word) in rules for _ in range(matches(pattern, fact))]
            assert len(taken) == 1, (part, fact, taken)


def facts(part: Part, random: Random) -> Iterator[dict[str, int | str]]:
    """Facts of a part with every mixture of signs, or with many of them."""
    mixtures: Any = product(SIGNS, repeat=len(part.atoms))
    if len(part.atoms) > 3:
        mixtures = ([random.choice(SIGNS) for _ in part.atoms] for _ in range(40))
    for signs in mixtures:
        fact: dict[str, int | str] = {"rule": part.number}
        for at, (atom, sign) in enumerate(zip(part.atoms, signs, strict=True)):
            if isinstance(atom, Compared):
                fact |= sides(at, atom.compare.op, sign)
            else:
                fact[f"a{at}"] = sign
        yield fact


def sides(at: int, op: CompareOp, sign: str) -> dict[str, int | str]:
    """Both sides of a comparison that holds, fails or is unknown, the right one being 0."""
    holds, fails = HOLDS[op]
    worst, best = {"t": (holds, holds), "f": (fails, fails), "u": (fails, holds)}[sign]
    return {f"k{at}": "u" if sign == "u" else "t", f"w{at}": worst, f"b{at}": best, f"r{at}": 0}


HOLDS: dict[CompareOp, tuple[int, int]] = {
    "<": (-1, 0),
    "<=": (0, 1),
    ">": (1, 0),
    ">=": (0, -1),
    "==": (0, 1),
    "!=": (1, 0),
}


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$lt": operator.lt,
    "$lte": operator.le,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$eq": operator.eq,
    "$neq": operator.ne,
}


def matches(pattern: Mapping[str, Any], fact: Mapping[str, Any]) -> int:
    """How often a pattern takes a fact: once for each alternative that is true."""
    ((name, asked),) = pattern.items()
    match name:
        case "$and":
            return min(matches(part, fact) for part in asked)
        case "$or":
            return sum(matches(part, fact) for part in asked)
        case "$lt" | "$lte" | "$gt" | "$gte" | "$eq" | "$neq":
            ((field, wanted),) = asked.items()
        case _:
            field, wanted, name = name, asked, "$eq"
    left, right = fact[field], fact[wanted["$m"]] if isinstance(wanted, dict) else wanted
    return int(OPERATORS[name](left, right))


def test_a_part_stays_within_what_the_library_holds(parts: tuple[Part, ...]) -> None:
    widest = 0
    for part in parts:
        rules = [pattern for pattern, _ in rete_rules([part])]
        alternatives = [len(pattern.get("$or", [0])) for pattern in rules]
        assert max(alternatives) <= IN_ONE_RULE
        assert sum(alternatives) <= MOST_WAYS
        widest = max(widest, sum(alternatives))
    assert widest > MOST_WAYS // 2


def test_conditions_name_nothing_but_the_number_of_a_part(parts: tuple[Part, ...]) -> None:
    for part in parts:
        for pattern, _ in rete_rules([part]):
            ways = pattern.get("$or", [pattern])
            first = [way.get("$and", [way])[0] for way in ways]
            assert all(test == {"rule": part.number} for test in first)
            text = json.dumps(pattern)
            assert '"id"' not in text
            assert '"sid"' not in text


def test_a_condition_of_many_operands_takes_parts_of_its_own(rulebook: Rulebook) -> None:
    pen = writer(rulebook, Random(2))
    texts = [f"order.quantity > {number}" for number in range(40)]
    made = Parts()
    whole = made.condition(read_condition(" or ".join(texts), pen.names))
    part = made.all[whole - 1]
    assert part.level >= 1
    assert set(part.needs) == set(range(1, whole))
    assert sum(isinstance(atom, Compared) for one in made.all for atom in one.atoms) == 40


def test_the_ways_to_a_yes_exclude_one_another_and_miss_none() -> None:
    random = Random(3)
    for _ in range(300):
        question = drawn_question(random, 3)
        found = ways(question, 10_000)
        for signs in product(SIGNS, repeat=4):
            taken = sum(all(signs[test.atom] in test.signs for test in way) for way in found)
            assert taken == answer(question, signs)
            assert answer(opposite(question), signs) is not answer(question, signs)


def drawn_question(random: Random, depth: int) -> Any:
    if depth == 0 or random.random() < 0.2:
        return Is(random.randrange(4), random.choice(("t", "f", "u", "tf", "tu", "fu")))
    parts = [drawn_question(random, depth - 1) for _ in range(random.randint(1, 3))]
    return random.choice((every, some))(*parts)


def answer(question: Any, signs: tuple[str, ...]) -> bool:
    match question:
        case bool():
            return question
        case Is():
            return signs[question.atom] in question.signs
        case _:
            answers = [answer(part, signs) for part in question.parts]
            return all(answers) if type(question).__name__ == "Every" else any(answers)


def test_names_of_facts_differ_in_the_hash_by_which_the_library_knows_them() -> None:
    names = ["outcome", *(f"p{number}" for number in range(1, 2_200))]
    fields = ["sid", "id", "rule", "scope", "unmet", "unknown", "met", "$s", "$forward"]
    fields += [f"{letter}{at}" for letter in "akwbr" for at in range(64)]
    for distinct in (names, fields):
        assert len({fnv(name) for name in distinct}) == len(distinct)


def fnv(text: str) -> int:
    found = 0x811C9DC5
    for byte in text.encode():
        found = (found ^ byte) * 16777619 & 0xFFFFFFFF
    return found
