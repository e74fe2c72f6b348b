"""What is known of a process while it is read: the names that its parts declare, and their use.

A name is known whatever is wrong with what it names, so that no fault is told twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engine.diagnostics import MAX_FAULTS, Diagnostic, Span, nearest, shown
from engine.expression import Names
from engine.ir import Expr, Pair, Regime
from engine.parse_vocabulary import Lists
from engine.process import Clock, Event, Field, Kept, Stage
from engine.shape import Reader
from engine.source import Node, Scalar
from engine.values import Type
from engine.vocabulary import FactDefinition, Vocabulary

COUNTED = Type("integer", unit="day", lo=0, hi=4_000_000)
_DATE = Type("date")
_ON_LABEL = Pair("date of the event", "事件日期")
ON = "event.on"
"""The date of an event, which every event has."""
ANY = "any"
"""Instead of a list of stages: every stage that is no end."""


@dataclass
class Draft:
    """One process while it is being read."""

    base: Vocabulary
    reader: Reader
    known: Mapping[str, Collection[str]]
    """The names that each part of the file declares."""
    lists: Lists = field(default_factory=dict)
    codes_at_fault: bool = False
    keeps: dict[str, Kept] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)

    # --- names of the parts ---

    def one(self, node: Node | None, known: Collection[str], what: str) -> str | None:
        """A name that is known."""
        name = self.reader.text(node)
        if name is None or node is None or name in known:
            return name
        few = len(self.reader.faults) <= MAX_FAULTS  # to look for the nearest takes its time
        help = (nearest(name, known) if few else "") or f"known here: {some(known)}"
        self.reader.fault("401", node.span, f"unknown {what} {shown(name)}", help)
        return None

    def several(
        self, node: Node | None, part: str, what: str, before: Collection[str] = ()
    ) -> dict[str, Span]:
        """Names of a part in a list, or one alone, with their places; each once."""
        alone = isinstance(node, Scalar) and node.data is not None
        found: dict[str, Span] = {}
        for item in [node] if node is not None and alone else self.reader.items(node):
            name = self.one(item, self.known[part], what)
            if name is None:
                continue
            if name in found or name in before:
                self.reader.fault("310", item.span, f"`{name}` stands twice", "keep one")
            found[name] = item.span
        return found

    def stages_in(self, node: Node | None, code: str, told: str) -> tuple[str, ...]:
        """Stages that are no end: in one that is, `told` holds."""
        if isinstance(node, Scalar) and node.text == ANY:
            return tuple(id for id, stage in self.stages.items() if not stage.end)
        found = self.several(node, "stages", "stage")
        for id, place in found.items():
            if id in self.stages and self.stages[id].end:
                self.reader.fault(code, place, f"`{id}` is an end, where {told}", "take it out")
        return tuple(found)

    # --- what expressions say ---

    def expr(
        self,
        read: Callable[[Scalar, Names, list[Diagnostic]], Expr | None],
        node: Node | None,
        names: Names,
    ) -> Expr | None:
        """Read an expression; what is declared with a fault is not at fault where it is used."""
        scalar = self.reader.scalar(node)
        if scalar is None:
            return None
        found: list[Diagnostic] = []
        expr = read(scalar, names, found)
        for fault in found:
            declared = fault.code == "R204" and fault.message in self._unread
            if not declared and not (fault.code == "R207" and self.codes_at_fault):
                self.reader.faults.append(fault)
        return expr

    @cached_property
    def _unread(self) -> frozenset[str]:
        """What is said of names that are declared, with a fault, where they are used."""
        known = self.known
        names = [path for path in known["keeps"] if path not in self.keeps]
        names += [f"event.{name}" for name in known["fields"] if name not in self.fields]
        names += [f"clock.{id}" for id in known["clocks"] if id not in self.clocks]
        return frozenset(f"unknown fact {shown(name)}" for name in names)

    def names(self, regime: Regime, told: Iterable[Field] | None) -> Names:
        """What an expression may speak of; of fields those that its own event tells."""
        facts = self.base.facts
        plain = {path: fact.type for path, fact in facts.items() if fact.derived is None}
        plain |= {kept.path: kept.type for kept in self.keeps.values()}
        plain |= {clock.path: COUNTED for clock in self.clocks.values()}
        plain |= {} if told is None else {ON: _DATE, **{f.path: f.type for f in told}}
        derived = {path: fact.type for path, fact in facts.items() if fact.derived is not None}
        derived |= {name: quantity.type for name, quantity in regime.quantities.items()}
        return Names(
            plain,
            derived,
            {name: parameter.type for name, parameter in regime.parameters.items()},
            regime.lists,
            {name: frozenset(codes.codes) for name, (codes, _) in self.lists.items()},
        )

    def vocabulary(self) -> Vocabulary:
        """The vocabulary of the rules with what only this process speaks of."""
        facts = dict(self.base.facts)
        own = [(k.path, k.type, k.label, k.span) for k in self.keeps.values()]
        own += [(f.path, f.type, f.label, f.span) for f in self.fields.values()]
        own += [(c.path, COUNTED, c.title, c.span) for c in self.clocks.values()]
        own += [(ON, _DATE, _ON_LABEL, event.span) for event in self.events.values()]
        for path, type, label, span in own:
            if path not in facts:
                facts[path] = _extra(path, len(facts), type, label, span)
        return Vocabulary(
            facts,
            {name: codes for name, (codes, _) in self.lists.items()},
            self.base.units,
            self.base.groups,
            self.base.catalogue,
        )


def some(names: Iterable[str]) -> str:
    """A few names, for a help."""
    return ", ".join([*names][:20]) or "none"


def _extra(path: str, slot: int, type: Type, label: Pair, span: Span) -> FactDefinition:
    """A fact that only a process speaks of."""
    nothing: tuple[None, ...] = (None,) * 4
    says, yes, no, hint = nothing
    return FactDefinition(
        *(path, slot, type, label, says, yes, no, hint, "nobody", ""),
        *(None, None, None, None, span),
    )
