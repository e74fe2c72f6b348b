"""Draw orders of a regime from a seed, fast: near its thresholds, with gaps, of every outcome.

The same seed gives the same orders. Decides nothing: `evaluate` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from random import Random

from engine.choices import Choice, Choices, Edge, bases, describe
from engine.evaluate import judge, truth
from engine.ir import STATUSES, And, Expr, Not, Or, Rule, Status
from engine.load import Rulebook
from engine.order import Order, make_order
from engine.values import Value

Stated = dict[str, Value]

_SEEDS = 48
_ROUNDS = 8
_CHANGES = (0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 5, 9)
_SHIFTS = (0, 0, -1, 1, -1000, 1000)


def orders(
    rulebook: Rulebook, regime: str, *, seed: int, count: int | None = None, day: int | None = None
) -> Iterator[Order]:
    """Draw orders that a regime finds interesting on a day; without `count`, without end.

    `orders(book, "h200-article", seed=1, count=1000)` yields approvals, denials, open and
    uncovered orders; every one could be written to a file and read again.
    """
    choices = describe(rulebook.vocabulary, rulebook.regimes[regime], day)
    return islice(_drawn(choices, Random(seed)), count)


def met_orders(choices: Choices, *, seed: int = 0, count: int = _SEEDS) -> tuple[Stated, ...]:
    """Facts that meet every rule, found from random ones; fewer where the rules leave no room.

    `met_orders(describe(vocabulary, regime), count=1)[0]` is one order that conditions approve.
    """
    search = Search(choices, Random(seed))
    found = (search.met() for _ in range(count))
    return tuple(stated for stated in found if stated is not None)


def orders_by_status(choices: Choices, *, seed: int = 0) -> Mapping[Status, tuple[Stated, ...]]:
    """Facts for every status that a decision can have: the met ones, and those changed.

    `orders_by_status(describe(vocabulary, regime))["unmet"]` are orders with one failing rule.
    """
    random = Random(seed)
    search, program = Search(choices, random), choices.program
    met = met_orders(choices, seed=seed)
    found: dict[Status, list[Stated]] = {status: [] for status in STATUSES}
    starts = met or tuple(search.filled() for _ in range(_SEEDS))
    tried = [*starts, {}]
    tried += [search.broken(random.choice(starts), rule) for rule in program.regime.rules * 3]
    for start in starts:
        outside, open_ = dict(start), dict(start)
        search.settle(outside, program.regime.scope, False)
        choices.set(open_, random.choice(list(start)), None)
        tried += [outside, open_]
    for stated in tried:
        status = judge(program, make_order(program.vocabulary, stated).values).status
        found[status].append(stated)
    return {status: tuple(facts) for status, facts in found.items()}


def _drawn(choices: Choices, random: Random) -> Iterator[Order]:
    search = Search(choices, random)
    met = [s for s in (search.met() for _ in range(_SEEDS)) if s is not None]
    met = met or [search.filled() for _ in range(_SEEDS)]
    broken = [search.broken(random.choice(met), r) for r in choices.program.regime.rules * 3]
    # Two starts in three meet every rule, and the changes below break some of them.
    starts = [*met, *met, *(random.choice(broken) for _ in met)] if broken else met
    vocabulary = choices.program.vocabulary
    deciding, others = tuple(choices.deciding.values()), tuple(choices.others.values())
    # `Random.choice` costs three times as much as an index drawn so.
    draw = random.random
    while True:
        stated = dict(starts[int(draw() * len(starts))])
        for _ in range(_CHANGES[int(draw() * len(_CHANGES))]):
            way = draw()
            if way < 0.3 and choices.edges:
                edge = choices.edges[int(draw() * len(choices.edges))]
                search.move(stated, edge)
            elif way < 0.55:
                choice = deciding[int(draw() * len(deciding))]
                choices.set(stated, choice.fact.path, None)
            else:
                choice = deciding[int(draw() * len(deciding))]
                search.state(stated, choice)
        if others and draw() < 0.3:
            search.state(stated, others[int(draw() * len(others))])
        yield make_order(vocabulary, stated)


@dataclass(frozen=True, slots=True)
class Search:
    """A seeded search for facts that make conditions true or false."""

    choices: Choices
    random: Random

    def met(self) -> Stated | None:
        """Facts on which the regime is in scope and every rule met, or `None` if none was found."""
        program = self.choices.program
        for _ in range(3):
            stated: Stated = {}
            self.settle(stated, program.regime.scope, True)
            for rule in program.regime.rules:
                if rule.applies is not None:
                    self.settle(stated, rule.applies, self.random.random() < 0.6)
            for _ in range(_ROUNDS):
                judgement = judge(program, make_order(program.vocabulary, stated).values)
                if judgement.status == "met":
                    return stated
                if judgement.scope is not True:
                    self.settle(stated, program.regime.scope, True)
                for finding in judgement.findings:
                    if finding.status in ("unmet", "unknown"):
                        self.settle(stated, finding.rule.require, True)
        return None

    def filled(self) -> Stated:
        """Facts with a value for everything that decides."""
        stated: Stated = {}
        for choice in self.choices.deciding.values():
            if not self.choices.is_supplied(choice.fact.path, stated):
                self.state(stated, choice)
        return stated

    def broken(self, stated: Stated, rule: Rule) -> Stated:
        """The facts changed so that a rule fails, as well as a few steps allow."""
        changed = dict(stated)
        if rule.applies is not None:
            self.settle(changed, rule.applies, True)
        self.settle(changed, rule.require, False)
        return changed

    def finding(self, rule: Rule, *, met: bool) -> Stated | None:
        """Few facts on which one rule is met, or unmet; `None` if none were found."""
        for _ in range(3):
            stated: Stated = {}
            for _ in range(3):
                if rule.applies is not None:
                    self.settle(stated, rule.applies, True)
                self.settle(stated, rule.require, met)
            values = self.choices.values(stated)
            applies = rule.applies is None or truth(self.choices.program, rule.applies, values)
            if applies is True and truth(self.choices.program, rule.require, values) is met:
                return stated
        return None

    def settle(self, stated: Stated, expr: Expr, wanted: bool) -> None:
        """State facts so that a condition is true or false, as well as a few steps allow."""
        if self._truth(stated, expr) is wanted:
            return
        match expr:
            case Not():
                self.settle(stated, expr.operand, not wanted)
            case And() | Or():
                if isinstance(expr, And) is wanted:
                    for operand in expr.operands:
                        self.settle(stated, operand, wanted)
                else:
                    self.settle(stated, self.random.choice(expr.operands), wanted)
            case _:
                self._settle_atom(stated, expr, wanted)

    def _settle_atom(self, stated: Stated, expr: Expr, wanted: bool) -> None:
        choices, random = self.choices, self.random
        paths = list(bases(choices.program, expr))
        for path in paths:
            source = choices.program.vocabulary.facts[path].catalogue
            if path not in stated and not choices.is_supplied(path, stated):
                # An item is named by its product rather than by its figures.
                named = source if source is not None and source not in stated else path
                self.state(stated, choices.of(named), ordinary=True)
            if path not in stated and not choices.is_supplied(path, stated):
                self.state(stated, choices.of(path), ordinary=True)
        random.shuffle(paths)
        # The fact that fewest other comparisons name disturbs least.
        paths.sort(key=lambda path: sum(edge.path == path for edge in choices.edges))
        for path in paths:
            for changed in self._tries(stated, expr, path):
                if self._truth(changed, expr) is wanted:
                    stated.clear()
                    stated.update(changed)
                    return

    def _tries(self, stated: Stated, expr: Expr, path: str) -> Iterator[Stated]:
        choices = self.choices
        if choices.is_supplied(path, stated):
            source = choices.program.vocabulary.facts[path].catalogue
            path = path if source is None else source
        choice = choices.of(path)
        near, far = list(choice.near), list(choice.far)
        self.random.shuffle(near)
        self.random.shuffle(far)
        for edge in choices.edges:
            if edge.compare is not expr or edge.path != path:
                continue
            turn = choices.turn(edge, stated)
            if turn is not None:
                width = 10**6 if choice.fact.type.is_numeric else 60
                shifts = [0, 1, -1, self.random.randrange(width), -self.random.randrange(width)]
                self.random.shuffle(shifts)
                near = [*(turn + shift for shift in shifts), turn, *near]
        for value in [*near, *far]:
            if value == stated.get(path) or not _fits(choice, value):
                continue
            changed = dict(stated)
            choices.set(changed, path, value)
            yield changed

    def move(self, stated: Stated, edge: Edge) -> None:
        """Move a fact to where its comparison turns, or one beside it."""
        turn = self.choices.turn(edge, stated)
        if turn is None:
            return
        value = turn + _SHIFTS[int(self.random.random() * len(_SHIFTS))]
        if _fits(self.choices.of(edge.path), value):
            self.choices.set(stated, edge.path, value)

    def state(self, stated: Stated, choice: Choice, *, ordinary: bool = False) -> None:
        """State one value of a fact, mostly a turning point; `ordinary` ones of any size."""
        draw, kind = self.random.random, choice.fact.type
        values = choice.far if choice.far and draw() < 0.3 else choice.near
        value = values[int(draw() * len(values))]
        if ordinary and kind.is_numeric and kind.hi is not None:
            largest = max(2, kind.hi - max(kind.lo or 0, 0))
            size = self.random.randint(1, len(str(largest)))
            value = max(kind.lo or 0, min(self.random.randrange(10**size), kind.hi))
        self.choices.set(stated, choice.fact.path, value)

    def _truth(self, stated: Stated, expr: Expr) -> bool | None:
        return truth(self.choices.program, expr, self.choices.values(stated))


def _fits(choice: Choice, value: Value) -> bool:
    kind = choice.fact.type
    if not isinstance(value, int) or not (kind.is_numeric or kind.kind == "date"):
        return True
    lo = 1 if kind.lo is None else kind.lo
    hi = 3_652_059 if kind.hi is None else kind.hi
    return lo <= value <= hi
