"""Cut a regime into parts, or say at which rule it is too large; never imports the library."""

from __future__ import annotations

from dataclasses import dataclass

from engine.backends.live.conditions import Part, Parts
from engine.diagnostics import BackendFailure, Diagnostic
from engine.ir import Regime

MOST_PARTS = 2_000
"""A ruleset is never freed: more facts than that are too many for one process."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CutRegime:
    """The parts of a regime by their numbers from 1, and which decide its scope and each rule."""

    parts: tuple[Part, ...]
    scope: int
    rules: tuple[int, ...]


def cut(regime: Regime) -> CutRegime:
    """Cut a regime into parts. Raises `BackendFailure` (B002) where they are too many."""
    parts = Parts()
    scope = parts.condition(regime.scope)
    rules: list[int] = []
    for rule in regime.rules:
        rules.append(parts.finding(rule.applies, rule.require))
        if len(parts.all) > MOST_PARTS:
            message = f"up to this rule the rule set takes more than {MOST_PARTS:,} facts"
            help = "make two rule sets of it, or decide by the reference evaluator alone"
            raise BackendFailure([Diagnostic("B002", rule.span, message, help)])
    return CutRegime(tuple(parts.all), scope, tuple(rules))
