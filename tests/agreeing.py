"""Judge many orders by both evaluators, in a process of its own: a crash must not take pytest down.

`python -m tests.agreeing TASK [NUMBER …]` prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle, islice, product
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, cast

from durable.engine import Ruleset
from hypothesis import HealthCheck, Phase, given, seed, settings

from engine import generate
from engine.backends.live import conditions, decisions
from engine.backends.live.cutting import MOST_PARTS
from engine.backends.live.decisions import LiveRegime, compile_live, judge_live
from engine.backends.live.host import Host
from engine.backends.live.logic import TRUE, Is, conjunction, disjunction, equality, negation
from engine.backends.live.network import Conclusion
from engine.backends.live.posting import PostedFact
from engine.choices import describe
from engine.diagnostics import BackendFailure, PlacetError
from engine.evaluate import Program, compile_regime, judge
from engine.generate import Values
from engine.ir import Compare, CompareOp, Constant, Regime, Rule
from engine.load import Rulebook, load
from engine.order import Document, make_order, read_order
from engine.properties import RuleSet, names_of, rule_sets
from engine.sample import Search, orders
from engine.values import LIMIT, Type, Value
from tests.judging import read_condition
from tests.test_kleene import operator_cases
from tests.wide_rules import wide_regimes

ROOT = Path(__file__).parent.parent
NEIGHBOURS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
NAMES = {True: "met", False: "unmet", None: "unknown"}


@dataclass(slots=True)
class Tally:
    """How many orders were judged twice, with which outcomes, and where two answers differ."""

    cases: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def judge(self, live: LiveRegime, program: Program, many: Iterable[Values]) -> None:
        """Judge orders by both and compare all that both say."""
        for values in many:
            other = judge_live(live, program, values)
            one = judge(program, values)
            said = (one.status, one.scope, tuple(finding.status for finding in one.findings))
            self.cases += 1
            self.outcomes[one.status] = self.outcomes.get(one.status, 0) + 1
            if said != tuple(other):
                self.differences.append(f"{program.regime.id}: {said} but {tuple(other)}")

    def told(self) -> dict[str, Any]:
        """The tally as data, with the first few differences in words."""
        return {
            "cases": self.cases,
            "outcomes": self.outcomes,
            "differences": len(self.differences),
            "first": self.differences[:3],
        }


def watch() -> None:
    """Let nothing into the library but names made in `engine`, int64 and signs."""
    post = Ruleset.assert_facts

    def assert_facts(ruleset: Ruleset, facts: list[dict[str, Any]]) -> Any:
        for fact in facts:
            for name, value in fact.items():
                if name in ("sid", "id"):
                    fits = type(value) is str and len(value) < 12 and value.isascii()
                else:
                    fits = value in ("t", "f", "u") or (type(value) is int and abs(value) <= LIMIT)
                assert fits, (name, value)
        return post(ruleset, facts)

    Ruleset.assert_facts = assert_facts


def shipped(book: Rulebook, number: int, each: int) -> dict[str, Any]:
    """The shipped regimes on days around every change, with other parameters and fewer rules."""
    tally, host, random = Tally(), Host[Conclusion](), Random(number)
    for regime in book.regimes.values():
        live = compile_live(host, regime, book.vocabulary)
        for day in days(regime):
            sampled = orders(book, regime.id, seed=number, count=each, day=day)
            values = [order.values for order in sampled]
            for overrides, without in policies(regime, random):
                program = compile_regime(
                    regime, book.vocabulary, day, overrides=overrides, without=without
                )
                tally.judge(live, program, values)
    return {**tally.told(), "rulesets": host.registered}


def days(regime: Regime) -> list[int]:
    """The day before and the day of every change, and one long after."""
    found = {regime.read_to, regime.read_to + 1_000}
    for period in (regime.in_force, *(rule.in_force for rule in regime.rules)):
        ends = (period.start, period.start if period.until is None else period.until)
        found |= {end - shift for end in ends for shift in (0, 1)}
    for parameter in regime.parameters.values():
        found |= {day - shift for day, _ in parameter.values for shift in (0, 1)}
    return sorted(found)


def policies(regime: Regime, random: Random) -> Iterator[tuple[dict[str, Value], tuple[str, ...]]]:
    """The rules as they stand; then with other parameters, with rules left out, with none left."""
    ids = [rule.id for rule in regime.rules]
    yield {}, ()
    overrides: dict[str, Value] = {}
    for name, parameter in regime.parameters.items():
        kind, (_, held) = parameter.type, parameter.values[-1]
        if kind.is_numeric and isinstance(held, int):
            ends = [end for end in (kind.lo, kind.hi) if end is not None]
            overrides[name] = random.choice([held + 1, held // 2, *ends])
    yield overrides, ()
    yield {}, tuple(random.sample(ids, len(ids) // 2))
    yield {}, tuple(ids)


def drawn(book: Rulebook, number: int, regimes: int, each: int) -> dict[str, Any]:
    """Rule sets as `engine.properties` draws them: dates, parameters, lists and quantities."""
    found: list[RuleSet] = []

    @seed(number)
    @settings(
        max_examples=regimes,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(rule_sets(book))
    def draw(rules: RuleSet) -> None:
        found.append(rules)

    draw()
    parsed = (rules.parse(book.vocabulary) for rules in found)
    sound = (regime for regime in parsed if regime is not None)
    return _many(book, sound, number, each)


def near(book: Rulebook, number: int, each: int, regime: Regime) -> list[Values]:
    """Orders near the thresholds of a regime."""
    alone = replace(book, regimes={regime.id: regime})
    return [order.values for order in orders(alone, regime.id, seed=number, count=each)]


def wide(book: Rulebook, number: int, regimes: int, each: int) -> dict[str, Any]:
    """Rule sets whose conditions are wide and deep."""
    return _many(book, islice(wide_regimes(book, number), regimes), number, each)


def scattered(book: Rulebook, random: Random, each: int, regime: Regime) -> list[Values]:
    """Orders with any mixture of values at which something turns: no search for better ones."""
    choices = describe(book.vocabulary, regime)
    search, found = Search(choices, random), []
    for _ in range(each):
        stated: dict[str, Value] = {}
        gaps = random.choice((0.0, 0.1, 0.4))
        for path, choice in choices.deciding.items():
            if random.random() >= gaps:
                choices.set(stated, path, random.choice(choice.near))
        for edge in random.choices(choices.edges, k=random.randrange(3)) if choices.edges else ():
            search.move(stated, edge)
        found.append(make_order(book.vocabulary, stated).values)
    return found


def _many(book: Rulebook, regimes: Iterable[Regime], number: int, each: int) -> dict[str, Any]:
    random = Random(number)
    tally, host, parts, level = Tally(), Host[Conclusion](), 0, 0
    for regime in regimes:
        live = compile_live(host, regime, book.vocabulary)
        parts = max(parts, len(live.network.parts))
        level = max(level, *(part.level for part in live.network.parts))
        sampled = scattered(book, random, each, regime)
        half = len(sampled) // 2
        ids = [rule.id for rule in regime.rules]
        for day, without, some in (
            (regime.read_to, (), sampled[:half]),
            (regime.read_to + 90, ids[::2][1:], sampled[half:]),
        ):
            program = compile_regime(regime, book.vocabulary, day, without=without)
            tally.judge(live, program, some)
    return {**tally.told(), "parts": parts, "level": level, "rulesets": host.registered}


def operators(book: Rulebook) -> dict[str, Any]:
    """The tables of operators written by hand, each condition as the only rule of a regime."""
    tally, host, regime = Tally(), Host[Conclusion](), book.regimes["h200-article"]
    names = names_of(book.vocabulary, regime)
    always = Constant(True, Type("boolean"), regime.span)
    live: dict[str, tuple[LiveRegime, Program]] = {}
    for _, text, facts, expected in operator_cases():
        if text not in live:
            rule = replace(regime.rules[0], applies=None, require=read_condition(text, names))
            alone = replace(regime, rules=(rule,), scope=always)
            live[text] = (
                compile_live(host, alone, book.vocabulary),
                compile_regime(alone, book.vocabulary, regime.read_to),
            )
        values = read_order(book.vocabulary, Document(facts)).values
        tally.judge(*live[text], [values])
        status = judge_live(*live[text], values).statuses[0]
        if status != NAMES[expected]:
            tally.differences.append(f"{text} {facts}: {status}")
    return tally.told()


def extremes(book: Rulebook) -> dict[str, Any]:
    """Every comparison of the largest and smallest numbers, and of facts at their bounds."""
    tally, host = Tally(), Host[Conclusion]()
    vast = comparisons(book, (-LIMIT, -LIMIT + 1, -1, 0, 1, LIMIT - 1, LIMIT))
    program = compile_regime(vast, book.vocabulary, vast.read_to)
    nothing = make_order(book.vocabulary, {}).values
    tally.judge(compile_live(host, vast, book.vocabulary), program, [nothing])
    for name, whole in book.regimes.items():
        live = compile_live(host, whole, book.vocabulary)
        program = compile_regime(whole, book.vocabulary, whole.read_to)
        tally.judge(live, program, at_bounds(book, name))
    return {**tally.told(), "rulesets": host.registered}


def comparisons(book: Rulebook, numbers: Sequence[int]) -> Regime:
    """A regime with a rule for each comparison of two numbers."""
    base = book.regimes["h200-article"]
    rules: list[Rule] = []
    for op, *sides in product(NEIGHBOURS, numbers, numbers):
        left, right = (Constant(n, Type("integer", lo=n, hi=n), base.span) for n in sides)
        require = Compare(cast(CompareOp, op), left, right, base.span)
        rules.append(replace(base.rules[0], id=f"c{len(rules)}", applies=None, require=require))
    always = Constant(True, Type("boolean"), base.span)
    return replace(base, rules=tuple(rules), scope=always)


def at_bounds(book: Rulebook, name: str) -> Iterator[Values]:
    """Sampled orders with each number at one of its bounds, or one beside it."""
    random = Random(name)
    kinds = {path: f.type for path, f in book.vocabulary.facts.items() if f.derived is None}
    for order in orders(book, name, seed=7, count=200):
        stated = dict(order.stated)
        for path, kind in kinds.items():
            if kind.is_numeric and kind.lo is not None and kind.hi is not None:
                ends = (kind.lo, kind.lo + 1, kind.hi - 1, kind.hi)
                stated[path] = random.choice(ends) if random.random() < 0.7 else None
        yield make_order(book.vocabulary, stated).values


IN_THE_TEXT = {
    **{f" {op} ": f" {other} " for op, other in NEIGHBOURS.items()},
    " not in o": " in o",
    "is False: outcome": "is True: outcome",
    "'unmet' in every: outcome = 'unmet'": "'unmet' in every: outcome = 'unknown'",
    "else 'unknown'": "else 'met'",
    "None if t": "False if t",
}
"""What is changed in the function that `engine.generate` writes."""


def planted(book: Rulebook, which: int) -> dict[str, Any]:
    """Faults planted one at a time, in the reference (0) or in live (1): how many orders show it.

    A fault that the library itself runs into counts as one.
    """
    bench: list[tuple[Regime, list[Values]]] = [
        (comparisons(book, (-1, 0, 1)), [make_order(book.vocabulary, {}).values])
    ]
    several = islice(wide_regimes(book, 5), 4)
    bench += [(regime, scattered(book, Random(8), 30, regime)) for regime in several]
    bench += [(regime, near(book, 9, 60, regime)) for regime in book.regimes.values()]

    def seen() -> int:
        tally, host = Tally(), Host[Conclusion]()
        for regime, values in bench:
            live = compile_live(host, regime, book.vocabulary)
            program = compile_regime(regime, book.vocabulary, regime.read_to)
            try:
                tally.judge(live, program, values)
            except BackendFailure:
                return len(tally.differences) + 1
        return len(tally.differences)

    found = {"nothing": seen()}
    for name, changes in in_reference() if which == 0 else in_live():
        kept = [(module, name, getattr(module, name, None)) for module, name, _ in changes]
        for module, attribute, changed in changes:
            setattr(module, attribute, changed)
        found[name] = seen()
        for module, attribute, before in kept:
            setattr(module, attribute, before or compile)
    return found


Changes = list[tuple[Any, str, Any]]


def in_reference() -> Iterator[tuple[str, Changes]]:
    """Other texts of the function that judges."""

    def compiled(old: str, new: str, text: str, *how: str) -> Any:
        return compile(text.replace(old, new), *how)

    for old, new in IN_THE_TEXT.items():
        yield f"{old}→{new}", [(generate, "compile", partial(compiled, old, new))]


def in_live() -> Iterator[tuple[str, Changes]]:
    """Other Rete rules."""
    compared, statuses, unknown = conditions._compared, conditions._statuses, conditions._UNKNOWN

    def other(old: str, test: Is, op: CompareOp) -> Any:
        return compared(test, cast(CompareOp, NEIGHBOURS[op]) if op == old else op)

    for op, neighbour in NEIGHBOURS.items():
        left = {**unknown, cast(CompareOp, op): unknown[cast(CompareOp, neighbour)]}
        changes = [(conditions, "_compared", partial(other, op)), (conditions, "_UNKNOWN", left)]
        yield f"{op}→{neighbour}", changes
    for name, attribute, changed in (
        ("and→or", "conjunction", disjunction),
        ("or→and", "disjunction", conjunction),
        ("not→", "negation", lambda operand: operand),
        ("equal→unequal", "equality", lambda a, b: negation(equality(a, b))),
        ("applies→", "_statuses", lambda _, require: statuses(TRUE, require)),
    ):
        yield name, [(conditions, attribute, changed)]
    swapped = {"unmet": "unknown", "unknown": "unmet"}
    outcomes = [(p, (n, swapped.get(word, word))) for p, (n, word) in decisions._outcome_rules()]
    yield "outcome", [(decisions, "_outcome_rules", lambda: outcomes)]


def edges(book: Rulebook) -> dict[str, Any]:
    """What is refused, and what is left behind."""
    host, regime = Host[Conclusion](), book.regimes["h200-article"]
    live = compile_live(host, regime, book.vocabulary)
    program = compile_regime(regime, book.vocabulary, regime.read_to)
    order = next(orders(book, regime.id, seed=1))
    values = list(order.values)
    judge_live(live, program, values)
    found: dict[str, Any] = {"states left": len(host._alive), "registered": host.registered}
    other = compile_regime(book.regimes["bis-2026"], book.vocabulary, regime.read_to)
    found["another regime"] = refused(lambda: judge_live(live, other, values))
    values[book.vocabulary.facts["payment.prepaid"].slot] = 2**64
    found["too large a number"] = refused(lambda: judge_live(live, program, values))
    found["states left then"] = len(host._alive)
    judge_live(live, program, order.values)
    first = regime.rules[0]
    rules = tuple(replace(first, id=f"r{number}") for number in range(MOST_PARTS))
    last = replace(rules[-1], span=regime.span)
    vast = replace(regime, rules=(*rules[:-1], last))
    found["too many rules"] = refused(lambda: compile_live(host, vast, book.vocabulary))
    found["registered then"] = host.registered
    name = live.network.rulesets[0]
    taken_by_none: PostedFact = {"sid": "x", "id": "x", "rule": 99}
    found["a fact that no rule takes"] = refused(lambda: host.conclude(name, "x", [taken_by_none]))
    found["after a failure"] = refused(lambda: judge_live(live, program, order.values))
    return found


def refused(call: Callable[[], object]) -> list[str]:
    """The codes and places of a refusal."""
    try:
        call()
    except PlacetError as error:
        return [f"{d.code} {Path(d.span.source.name).name} {d.message}" for d in error.diagnostics]
    except ValueError as error:
        return [str(error)]
    return []


def soak(book: Rulebook, decisions: int) -> dict[str, Any]:
    """Decide for long in one process; resident megabytes after each tenth."""
    host = Host[Conclusion]()
    bench = []
    for name, regime in book.regimes.items():
        live = compile_live(host, regime, book.vocabulary)
        program = compile_regime(regime, book.vocabulary, regime.read_to)
        bench += [(live, program, o.values) for o in orders(book, name, seed=3, count=250)]
    Random(3).shuffle(bench)
    ahead, megabytes, begun = cycle(bench), [], perf_counter()
    for _ in range(10):
        for live, program, values in islice(ahead, decisions // 10):
            judge_live(live, program, values)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        megabytes.append(round(pages * 4096 / 1e6, 2))
    took = (perf_counter() - begun) / decisions * 1e6
    return {"decisions": decisions, "megabytes": megabytes, "microseconds": round(took, 1)}


def main(arguments: Sequence[str]) -> None:
    """Run one task and print what it found."""
    task, *numbers = arguments
    book = load(ROOT / "rules")
    if task != "soak":
        watch()
    tasks = {
        "shipped": shipped,
        "drawn": drawn,
        "wide": wide,
        "operators": operators,
        "extremes": extremes,
        "planted": planted,
        "edges": edges,
        "soak": soak,
    }
    sys.stdout.write(json.dumps(cast(Any, tasks[task])(book, *map(int, numbers))) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
