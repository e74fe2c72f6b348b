"""What can be said of an order: facts, code lists, units, and the catalogue that supplies facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engine.diagnostics import Span
from engine.ir import Pair, Quantity
from engine.values import Type, Value

HOLDERS = (
    "buyer",
    "seller",
    "exporter",
    "agency",
    "customs",
    "consignee",
    "lab",
    "manufacturer",
    "importing-state",
    "nobody",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """How an amount is worded: `20,000 chips`, `20,000片`."""

    one: str
    many: str
    zh: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Code:
    """One entry of a code list: its names, its groups, and the further cells of its row."""

    code: str
    label: Pair
    groups: frozenset[str]
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CodeList:
    """A list of codes in the order of its file."""

    name: str
    codes: Mapping[str, Code]

    def in_group(self, group: str) -> tuple[str, ...]:
        """The codes of a group, in the order of the list."""
        return tuple(code.code for code in self.codes.values() if group in code.groups)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FactDefinition:
    """One fact: its place in an order (`slot`), its type, and how people speak of it."""

    path: str
    slot: int
    type: Type
    label: Pair
    says: Pair | None
    yes: Pair | None
    no: Pair | None
    hint: Pair | None
    held_by: str
    group: str
    catalogue: str | None
    column: str | None
    counted_in: str | None
    derived: Quantity | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Vocabulary:
    """Every fact by its path, in slot order, with the lists and units they use."""

    facts: Mapping[str, FactDefinition]
    lists: Mapping[str, CodeList]
    units: Mapping[str, Unit]
    groups: Mapping[str, Pair]
    catalogue: Mapping[str, Mapping[str, Mapping[str, Value]]]
    """For each fact that names a row: code → fact path → value that the row supplies."""

    @cached_property
    def derived(self) -> tuple[FactDefinition, ...]:
        """The facts that are computed from others."""
        return tuple(fact for fact in self.facts.values() if fact.derived is not None)

    @cached_property
    def prefixes(self) -> frozenset[str]:
        """The names under which facts are nested: `order`, `item`, …"""
        parts = (path.split(".") for path in self.facts)
        return frozenset(".".join(p[:n]) for p in parts for n in range(1, len(p)))

    def label(self, path: str, code: str) -> Pair:
        """How the code of a fact is called."""
        name = self.facts[path].type.codes
        entry = self.lists[name].codes.get(code) if name else None
        return entry.label if entry else Pair(code, code)
