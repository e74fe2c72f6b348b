"""Sweep one order over one or two axes: what every cell comes to, and exactly where that changes.

A cell is judged as `decide` judges the order in it. Flips are found without the cells, from the
comparisons that rest on an axis: so none between two cells is missed, not even one taken back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any, NamedTuple

from engine.axes import MAX_POLICIES, Axis, contradictions
from engine.decide import Policy, date_of, decide, prepare
from engine.diagnostics import Diagnostic, OrderRejected
from engine.evaluate import Program, judge
from engine.generate import Truth
from engine.ir import (
    And,
    Arithmetic,
    Compare,
    Expr,
    Fact,
    Member,
    Not,
    Or,
    Pair,
    Parameter,
    Regime,
    Rule,
    Status,
)
from engine.load import Rulebook
from engine.order import Order, make_order
from engine.summary import label_of
from engine.turns import Looks, comparisons, form_of, turns
from engine.values import Value, write
from engine.vocabulary import FactDefinition
from engine.words import LANGS, STATUS, worded

SCHEMA = "placet.sweep/1"
MAX_FLIPS = 10_000
_LOOKS, _LOOKS_AT_ONE = 100_000, 2_000
"""Stretches of bent comparisons that a sweep looks at: in all, and for one on one line."""
_OUTCOMES: tuple[Status, ...] = ("met", "unmet", "unknown", "not-applicable")
_SCOPE = {True: "met", False: "unmet", None: "unknown"}


def sweep(
    rulebook: Rulebook,
    regime: Regime,
    base: Order,
    policy: Policy,
    axes: Sequence[Axis],
    today: int,
) -> dict[str, Any]:
    """Judge an order in every cell of its axes. Raises `OrderRejected` where a cell is no order.

    `policy` is that of the base order; its overrides are all that were asked for, in force anyway
    or not. The answer is `placet.sweep/1`: outcomes and rules with counts, distinct reasons, for
    each cell the numbers of its outcome and its reason, and flips. Rules are counted as `decide`
    finds them, on orders out of scope too; `alone` counts orders that fail by one rule only.

    - An axis has `parameter` in place of `fact` where it varies one; `texts` where its values are
      codes or yes/no; `unit` is null where it is not the same in all cells.
    - `regime.as_of` is null where an axis chooses the day of the rules; `as_of_from` names it.
    - A flip lies between two neighbouring values of a number or date, whatever the steps of the
      axis, where outcome, scope, or failing or waiting rules differ. Lists of codes or of yes/no
      values have none, and neither has unknown: they have no neighbours.
    - `exact` is false where a comparison bends so often that some flips were only looked for
      between cells that differ; `flips_complete` is false where there are more than 10,000.
    - `only` is the selection of rules, as in a decision.
    """
    faults = list(contradictions(rulebook.vocabulary, base, axes))
    if faults:
        raise OrderRejected(faults)
    whole = _Sweep(rulebook, regime, base, policy, axes, today)
    faults += whole.crowded()
    if faults:
        raise OrderRejected(faults)
    return whole.answer()


class _Result(NamedTuple):
    """What a cell comes to; rules by number."""

    outcome: Status
    scope: Truth
    unmet: tuple[int, ...]
    unknown: tuple[int, ...]


_Step = tuple[int, int, _Result, _Result]
"""Two neighbouring values that come to something else."""


class _Sweep:
    def __init__(
        self,
        rulebook: Rulebook,
        regime: Regime,
        base: Order,
        policy: Policy,
        axes: Sequence[Axis],
        today: int,
    ) -> None:
        self.rulebook, self.regime, self.base = rulebook, regime, base
        self.axes, self.today = axes, today
        varied = [axis.name for axis in axes if axis.is_parameter]
        kept = {name: v for name, v in policy.overrides.items() if name not in varied}
        self.policy = replace(policy, overrides=kept)
        self.asked = policy.day if policy.day_from == "caller" else None
        self.freed_book, self.freed = _freed(rulebook, regime, varied)
        vocabulary = self.freed_book.vocabulary
        self.slots = [vocabulary.facts[axis.name].slot for axis in axes]
        self.turning = [comparisons(self.freed, vocabulary, axis.name) for axis in axes]
        self.changes = _changes(regime)
        self.programs: dict[int, Program] = {}
        self.movers: dict[str, None] = {}
        self.results: dict[Any, _Result] = {}
        self.looks = Looks(_LOOKS, _LOOKS_AT_ONE)
        self.exact = True

    def program(self, day: int) -> Program:
        """The program of a day; days between two changes of the rules share one."""
        stretch = bisect_right(self.changes, day)
        program = self.programs.get(stretch)
        if program is None:
            policy = replace(self.policy, day=day)
            program = self.programs[stretch] = prepare(self.freed_book, self.freed, policy)
        return program

    def cell(self, chosen: Sequence[Value]) -> tuple[list[Any], int, str]:
        """The values of the order in a cell, the day of its rules, and where that comes from."""
        stated, parameters = dict(self.base.stated), []
        for axis, value in zip(self.axes, chosen, strict=True):
            if axis.is_parameter:
                parameters.append(value)
            elif value is None:
                stated.pop(axis.name, None)
            else:
                stated[axis.name] = value
        order = make_order(self.rulebook.vocabulary, stated)
        day, source = date_of(self.regime, order, self.asked, self.today)
        if any(axis.name == source for axis in self.axes):
            self.movers[source] = None
        return [*order.values, *parameters], day, source

    def result(self, program: Program, values: Sequence[Any]) -> _Result:
        """What an order comes to."""
        outcome, scope, findings = judge(program, values)
        statuses = tuple([finding.status for finding in findings])
        result = self.results.get((outcome, scope, statuses))
        if result is None:
            unmet = tuple(n for n, status in enumerate(statuses) if status == "unmet")
            unknown = tuple(n for n, status in enumerate(statuses) if status == "unknown")
            result = _Result(outcome, scope, unmet, unknown)
            self.results[outcome, scope, statuses] = result
        return result

    def lines(self, number: int) -> Iterator[tuple[int | None, _Line]]:
        """Every line along an axis, with the number of the value at which the other axis stands."""
        if len(self.axes) == 1:
            yield None, _Line(self, number, None)
            return
        for at, other in enumerate(self.axes[1 - number].values):
            yield at, _Line(self, number, other)

    def crowded(self) -> Iterator[Diagnostic]:
        """Axes that choose the day of the rules by too many values."""
        for number, axis in enumerate(self.axes):
            if axis.type.kind != "date" or len(axis.values) <= MAX_POLICIES:
                continue
            if any(line.moves for _, line in self.lines(number)):
                yield Diagnostic(
                    "W208",
                    axis.span,
                    f"{len(axis.values):,} values of the date that chooses the rules are too many",
                    f"at most {MAX_POLICIES:,}; or choose the rules by `as_of`",
                )

    def cells(self) -> list[_Result]:
        """What every cell comes to, the first axis running fastest."""
        if len(self.axes) == 2 and self.axes[0].name in self.rulebook.vocabulary.catalogue:
            # Along a product every cell is an order of its own; across it only one fact changes.
            values = self.axes[1].values
            columns = [[line.result(value) for value in values] for _, line in self.lines(1)]
            return [result for row in zip(*columns, strict=True) for result in row]
        values = self.axes[0].values
        return [line.result(value) for _, line in self.lines(0) for value in values]

    def flips(self) -> Iterator[tuple[int, int | None, _Step]]:
        """Every flip: its axis, where the other axis stands, and the two values."""
        for number, axis in enumerate(self.axes):
            if axis.is_continuous and any(value is not None for value in axis.values):
                for at, line in self.lines(number):
                    for step in line.steps():
                        yield number, at, step

    # --- telling ---

    def answer(self) -> dict[str, Any]:
        cells = self.cells()
        head = self._head()
        reasons = {
            reason: number for number, reason in enumerate(dict.fromkeys(r[1:] for r in cells))
        }
        counts = Counter(cells)
        flips: list[dict[str, Any]] = []
        complete = True
        for number, at, step in self.flips():
            if len(flips) == MAX_FLIPS:
                complete = False
                break
            flips.append(self._flip(number, at, step))
        return {
            "schema": SCHEMA,
            **head,
            "axes": [self._axis(number) for number in range(len(self.axes))],
            "outcomes": [
                {
                    "code": self.regime.outcomes[status].code,
                    "status": status,
                    "label": label_of(self.regime, status, self.policy.only).as_json(),
                    "count": sum(n for result, n in counts.items() if result.outcome == status),
                }
                for status in _OUTCOMES
            ],
            "rules": [self._rule(n, rule, counts) for n, rule in enumerate(self.regime.rules)],
            "reasons": [
                {"unmet": list(unmet), "unknown": list(unknown), "scope": _SCOPE[scope]}
                for scope, unmet, unknown in reasons
            ],
            "outcome_of": [_OUTCOMES.index(result.outcome) for result in cells],
            "reason_of": [reasons[result[1:]] for result in cells],
            "flips": flips,
            "flips_complete": complete,
            "exact": self.exact,
            "cells": len(cells),
        }

    def _head(self) -> dict[str, Any]:
        """What a sweep says as a decision of its base order does."""
        # The value that is in force in every cell is no change.
        changed = {
            name: value
            for name, value in self.policy.overrides.items()
            if any(
                (self.regime.parameters[name].on(program.day) or (0, None))[1] != value
                for program in self.programs.values()
            )
        }
        policy = replace(self.policy, overrides=changed)
        told = decide(self.rulebook, self.regime, self.base, policy)
        stamp = dict(told["regime"])
        if self.movers:
            stamp |= {"as_of": None, "as_of_from": next(iter(self.movers))}
        varies_policy = any(axis.is_parameter for axis in self.axes)
        return {
            "regime": stamp,
            "hypothetical_policy": told["hypothetical_policy"] or varies_policy,
            "policy_changes": told["policy_changes"],
            "only": told["only"],
            "notice": told["notice"],
        }

    def _axis(self, number: int) -> dict[str, Any]:
        axis = self.axes[number]
        kind = axis.type
        told: dict[str, Any] = {
            "parameter" if axis.is_parameter else "fact": axis.name,
            "label": self.freed_book.vocabulary.facts[axis.name].label.as_json(),
            "unit": self._unit(number),
            "type": kind.kind,
            "values": [write(value, kind) for value in axis.values],
        }
        if not axis.is_continuous:
            told["texts"] = [self._text(axis, value).as_json() for value in axis.values]
        return told

    def _unit(self, number: int) -> str | None:
        """How an axis is counted: a product sold by the board counts boards."""
        vocabulary, axis = self.rulebook.vocabulary, self.axes[number]
        counted = None if axis.is_parameter else vocabulary.facts[axis.name].counted_in
        if counted is None:
            return axis.type.unit
        slot, source = vocabulary.facts[counted].slot, vocabulary.facts[counted].catalogue
        differs = any(axis.name in (counted, source) for axis in self.axes)
        lines = islice(self.lines(number), None if differs else 1)
        sold = {line.values[slot] for _, line in lines}
        units = {code if code in vocabulary.units else axis.type.unit for code in sold}
        return units.pop() if len(units) == 1 else None

    def _text(self, axis: Axis, value: Value) -> Pair:
        if value is None:
            return STATUS["unknown"]
        if isinstance(value, str):
            return self.freed_book.vocabulary.label(axis.name, value)
        return Pair(*(worded(value, axis.type, None, lang) for lang in LANGS))

    def _rule(self, number: int, rule: Rule, counts: Counter[_Result]) -> dict[str, Any]:
        failing = [(result, n) for result, n in counts.items() if number in result.unmet]
        return {
            "rule": rule.id,
            "title": rule.title.as_json(),
            "kind": rule.kind,
            "unmet": sum(n for _, n in failing),
            "unknown": sum(n for result, n in counts.items() if number in result.unknown),
            "alone": sum(
                n for result, n in failing if result.outcome == "unmet" and len(result.unmet) == 1
            ),
        }

    def _flip(self, number: int, at: int | None, step: _Step) -> dict[str, Any]:
        below, above, was, now = step
        kind = self.axes[number].type
        changed = {*was.unmet} ^ {*now.unmet} | {*was.unknown} ^ {*now.unknown}
        return {
            "axis": number,
            "at": at,
            "below": write(below, kind),
            "above": write(above, kind),
            "from": _OUTCOMES.index(was.outcome),
            "to": _OUTCOMES.index(now.outcome),
            "rules": sorted(changed),
        }


class _Line:
    """The orders along one axis while the other stands still; only one value of them changes."""

    def __init__(self, sweep: _Sweep, number: int, other: Value) -> None:
        self.sweep, self.number, self.other = sweep, number, other
        self.axis, self.slot = sweep.axes[number], sweep.slots[number]
        known = [value for value in self.axis.values if value is not None]
        self.values, self.day, source = sweep.cell(self._chosen(known[0] if known else None))
        self.moves = source == self.axis.name
        self.program = sweep.program(self.day)
        self.apart = self.axis.name in sweep.rulebook.vocabulary.catalogue

    def _chosen(self, value: Value) -> tuple[Value, ...]:
        if len(self.sweep.axes) == 1:
            return (value,)
        return (value, self.other) if self.number == 0 else (self.other, value)

    def result(self, value: Any) -> _Result:
        """What the order with a value comes to."""
        if value is None or self.apart:
            values, day, _ = self.sweep.cell(self._chosen(value))
            return self.sweep.result(self.sweep.program(day), values)
        self.values[self.slot] = value
        program = self.sweep.program(value) if self.moves else self.program
        return self.sweep.result(program, self.values)

    def steps(self) -> Iterator[_Step]:
        """Every two neighbours, from the least to the greatest value, that come to something else.

        Between two of the values looked at nothing turns, so that nothing is missed; only where a
        comparison bent too often may it, and then the halves that differ are looked at again.
        """
        looked = sorted(self._looked_at())
        if not looked:
            return
        was = self.result(looked[0])
        for below, high in pairwise(looked):
            last = self.result(high)
            while was != last:
                above = high
                while above - below > 1:
                    middle = (below + above) // 2
                    if self.result(middle) == was:
                        below = middle
                    else:
                        above = middle
                now = self.result(above)
                yield below, above, was, now
                below, was = above, now

    def _looked_at(self) -> set[int]:
        """Values on both sides of everything that turns."""
        sweep = self.sweep
        known = {value for value in self.axis.values if isinstance(value, int)}
        lo, hi = min(known), max(known)
        starts = [day for day in sweep.changes if lo < day <= hi] if self.moves else []
        looked = {day - shift for day in starts for shift in (0, 1)}
        for start, end in pairwise([lo, *starts, hi + 1]):
            program = sweep.program(start) if self.moves else self.program
            for compare in sweep.turning[self.number]:
                form = form_of(program, compare, self.axis.name, self.values)
                for turn in () if form is None else turns(form, start, end - 1, sweep.looks):
                    looked |= {turn - 1, turn}
        if sweep.looks.short:
            sweep.looks.short = sweep.exact = False
            looked |= known
        return looked


# --- rules made ready ---


def _changes(regime: Regime) -> list[int]:
    """The days on which other rules or parameter values come into force than on the day before."""
    periods = [regime.in_force, *(rule.in_force for rule in regime.rules)]
    days = {period.start for period in periods}
    days |= {period.until for period in periods if period.until is not None}
    days |= {day for parameter in regime.parameters.values() for day, _ in parameter.values}
    return sorted(days)


def _freed(rulebook: Rulebook, regime: Regime, varied: Collection[str]) -> tuple[Rulebook, Regime]:
    """The same rules with some parameters read from the order, as facts behind all others."""
    if not varied:
        return rulebook, regime
    facts = dict(rulebook.vocabulary.facts)
    for name in varied:
        parameter = regime.parameters[name]
        facts[name] = FactDefinition(
            path=name,
            slot=len(facts),
            type=parameter.type,
            label=parameter.label,
            says=None,
            yes=None,
            no=None,
            hint=None,
            held_by="nobody",
            group="",
            catalogue=None,
            column=None,
            counted_in=None,
            derived=None,
            span=parameter.span,
        )
    quantities = {
        name: replace(quantity, value=_read(quantity.value, varied))
        for name, quantity in regime.quantities.items()
    }
    rules = tuple(
        replace(
            rule,
            applies=None if rule.applies is None else _read(rule.applies, varied),
            require=_read(rule.require, varied),
        )
        for rule in regime.rules
    )
    freed = replace(regime, scope=_read(regime.scope, varied), quantities=quantities, rules=rules)
    vocabulary = replace(rulebook.vocabulary, facts=facts)
    return replace(rulebook, vocabulary=vocabulary), freed


def _read(expr: Expr, varied: Collection[str]) -> Expr:
    """An expression that reads some parameters as facts."""
    match expr:
        case Parameter() if expr.name in varied:
            return Fact(expr.name, expr.type, expr.span)
        case Arithmetic() | Compare():
            left, right = _read(expr.left, varied), _read(expr.right, varied)
            return replace(expr, left=left, right=right)
        case Member() | Not():
            return replace(expr, operand=_read(expr.operand, varied))
        case And() | Or():
            return replace(expr, operands=tuple(_read(part, varied) for part in expr.operands))
        case _:
            return expr
