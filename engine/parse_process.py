"""Turn `process.yaml` into a process, every fault noted with its place.

Whether stages, events and clocks are sound together is for `check_process`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from engine.diagnostics import Diagnostic, Source, Span, nearest, shown
from engine.expression import Names, amount, condition, term
from engine.ir import CERTAINTIES, Constant, Expr, Pair, Regime, SourceName, type_of
from engine.parse_rule import read_citation
from engine.parse_vocabulary import Lists, code_lists, declared_type, quantity_of
from engine.process import (
    LEDGER,
    Clock,
    Event,
    Field,
    Figure,
    Kept,
    Process,
    Stage,
    Total,
    Transition,
)
from engine.shape import Reader, head
from engine.source import Mapping as Entries
from engine.source import Node, Scalar
from engine.values import BOOLEAN, Type, Value
from engine.vocabulary import HOLDERS, FactDefinition, Vocabulary

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CASE_FACT = re.compile(r"case\.[a-z][a-z0-9_]*")
_DAYS = Type("integer", lo=1, hi=36_600)
_COUNTED = Type("integer", unit="day", lo=0, hi=4_000_000)
_DATE = Type("date")
_ON_LABEL = Pair("date of the event", "事件日期")
_TYPE_KEYS = ("type", "scale", "unit", "codes", "min", "max")
ON = "event.on"
"""The date of an event, which every event has."""
TAKEN = ("event", "on", "note")
"""What stands beside the fields of an event, so that no field has such a name."""
ANY = "any"
"""Instead of a list of stages: every stage that is no end."""

_NEEDED = (
    *("title", "summary", "sources", "in_force", "read_to", "leaves_out"),
    *("stages", "events", "transitions"),
)
_OPTIONAL = ("codes", "keeps", "fields", "clocks", "totals", "figures", "ledger")


def parse_process(
    id: str,
    node: Node,
    vocabulary: Vocabulary,
    regime: Regime | None,
    read_csv: Callable[[str, Span], tuple[str, Source] | None],
    faults: list[Diagnostic],
) -> Process | None:
    """Read `process.yaml`; `regime` is the rule set of its folder, where there is one."""
    before = len(faults)
    process = _Draft(id, vocabulary, regime, Reader("R", faults)).process(node, read_csv)
    return process if len(faults) == before else None


@dataclass(slots=True)
class _Draft:
    """One process while it is being read."""

    id: str
    base: Vocabulary
    regime: Regime | None
    reader: Reader
    lists: Lists = field(default_factory=dict)
    keeps: dict[str, Kept] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)

    def process(
        self, node: Node, read_csv: Callable[[str, Span], tuple[str, Source] | None]
    ) -> Process | None:
        reader = self.reader
        top = reader.mapping(node, _NEEDED, _OPTIONAL)
        if top is None:
            return None
        self.lists = {name: (codes, ()) for name, codes in self.base.lists.items()}
        self.lists |= code_lists(top.get("codes"), read_csv, reader)
        # Stages and clocks name one another, so the names of all are read before their contents.
        self._stages(top.get("stages"))
        self._keeps(top.get("keeps"))
        self._fields(top.get("fields"))
        self._events(top.get("events"))
        self._clocks(top.get("clocks"))
        regime = self.regime or self._bare(top)
        if regime is None:
            return None
        transitions = self._transitions(top.get("transitions"), regime)
        totals = self._totals(top.get("totals"))
        figures = self._figures(top.get("figures"), regime)
        ledger, cap = self._ledger(top.get("ledger"), regime)
        title, summary = reader.pair(top.get("title")), reader.pair(top.get("summary"))
        in_force, read_to = reader.period(top.get("in_force")), reader.day(top.get("read_to"))
        leaves_out = tuple(
            p for item in reader.items(top.get("leaves_out")) if (p := reader.pair(item))
        )
        sources = self._sources(top)
        if not (title and summary and in_force and read_to and self.stages):
            return None
        return Process(
            self.id,
            title,
            summary,
            sources,
            in_force,
            read_to,
            leaves_out,
            regime,
            self.regime is not None,
            self._vocabulary(),
            self.keeps,
            self.stages,
            self.events,
            tuple(transitions),
            self.clocks,
            tuple(totals),
            figures,
            ledger,
            cap,
            head(top.span),
        )

    # --- what stands around ---

    def _bare(self, top: Entries) -> Regime | None:
        """A rule set without a rule, for a process that has none of its own."""
        reader = Reader(self.reader.family, [])
        title, summary = reader.pair(top.get("title")), reader.pair(top.get("summary"))
        in_force, read_to = reader.period(top.get("in_force")), reader.day(top.get("read_to"))
        if not (title and summary and in_force and read_to):
            self._stated_again(top)
            return None
        always = Constant(True, BOOLEAN, head(top.span))
        return Regime(
            *(self.id, title, summary, (), in_force, "order.placed_on", read_to, always),
            *({}, {}, {}, (), {}, (), (), head(top.span)),
        )

    def _stated_again(self, top: Entries) -> None:
        """Note what is wrong with the head, which nobody else reads where it has a fault."""
        self.reader.pair(top.get("title"))
        self.reader.pair(top.get("summary"))
        self.reader.period(top.get("in_force"))
        self.reader.day(top.get("read_to"))

    def _sources(self, top: Entries) -> tuple[SourceName, ...]:
        reader = self.reader
        return tuple(
            SourceName(id, item.span)
            for item in reader.items(top.get("sources"))
            if (id := reader.text(item))
        )

    def _vocabulary(self) -> Vocabulary:
        """The vocabulary of the rules with what only this process speaks of."""
        facts = dict(self.base.facts)
        own = [(k.path, k.type, k.label, k.span) for k in self.keeps.values()]
        own += [(f.path, f.type, f.label, f.span) for f in self.fields.values()]
        own += [(c.path, _COUNTED, c.title, c.span) for c in self.clocks.values()]
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

    def _names(self, regime: Regime, event: Event | None) -> Names:
        """What an expression may speak of; of fields those of its own event alone."""
        facts = self.base.facts
        plain = {path: fact.type for path, fact in facts.items() if fact.derived is None}
        plain |= {kept.path: kept.type for kept in self.keeps.values()}
        plain |= {clock.path: _COUNTED for clock in self.clocks.values()}
        plain |= {ON: _DATE, **{f.path: f.type for f in event.fields}} if event else {}
        derived = {path: fact.type for path, fact in facts.items() if fact.derived is not None}
        derived |= {name: quantity.type for name, quantity in regime.quantities.items()}
        return Names(
            plain,
            derived,
            {name: parameter.type for name, parameter in regime.parameters.items()},
            regime.lists,
            {name: frozenset(codes.codes) for name, (codes, _) in self.lists.items()},
        )

    # --- stages, facts, events ---

    def _stages(self, node: Node | None) -> None:
        reader = self.reader
        for id, key, value in reader.open_mapping(node) or ():
            entry = reader.mapping(value, ("title",), ("end",))
            if entry is None or not self._is_id(id, key, "stage"):
                continue
            title = reader.pair(entry.get("title"))
            end = reader.value(entry.get("end"), BOOLEAN) is True
            if id == ANY:
                reader.fault("110", key.span, "`any` stands for all stages", "choose another name")
            if title:
                self.stages[id] = Stage(id, title, end, key.span)

    def _keeps(self, node: Node | None) -> None:
        reader = self.reader
        for path, key, value in reader.open_mapping(node) or ():
            known = self.base.facts.get(path)
            optional = ("starts", "stated")
            entry = (
                reader.mapping(value, ("type", "label"), (*_TYPE_KEYS, *optional))
                if known is None
                else reader.mapping(value, (), optional)
            )
            if entry is None:
                continue
            if known is None and not _CASE_FACT.fullmatch(path):
                help = nearest(path, self.base.facts) or "write `case.` and a name of its own"
                reader.fault("204", key.span, f"unknown fact {shown(path)}", help)
                continue
            if known is not None and known.derived is not None:
                reader.fault("408", key.span, f"`{path}` is derived; no event says it", "")
                continue
            type, label = (known.type, known.label) if known else self._declared(entry, key)
            if type is None or label is None:
                continue
            starts: Value = None
            if "starts" in entry.entries:
                starts = reader.value(entry.get("starts"), type)
            stated = reader.value(entry.get("stated"), BOOLEAN) is True
            self.keeps[path] = Kept(path, type, label, starts, stated, key.span)

    def _declared(self, entry: Entries, key: Scalar) -> tuple[Type | None, Pair | None]:
        type = declared_type(entry, key, self.base.units, self.lists, self.reader)
        return type, self.reader.pair(entry.get("label"))

    def _fields(self, node: Node | None) -> None:
        reader = self.reader
        for name, key, value in reader.open_mapping(node) or ():
            entry = reader.mapping(value, ("label",), (*_TYPE_KEYS, "like", "from"))
            if entry is None or not self._is_name(name, key, "field"):
                continue
            if name in TAKEN:
                reader.fault("110", key.span, f"every event has `{name}`", "choose another name")
            label = reader.pair(entry.get("label"))
            supplied = reader.word(entry.get("from"), ("ledger",)) is not None
            like = reader.text(entry.get("like"))
            if like is None:
                type = declared_type(entry, key, self.base.units, self.lists, reader)
            else:
                known = self.base.facts.get(like)
                type = None if known is None else known.type
                if known is None:
                    place = cast(Scalar, entry.get("like")).span
                    help = nearest(like, self.base.facts)
                    reader.fault("204", place, f"unknown fact {shown(like)}", help)
            if label and type:
                self.fields[name] = Field(name, type, label, supplied, key.span)

    def _events(self, node: Node | None) -> None:
        reader = self.reader
        for id, key, value in reader.open_mapping(node) or ():
            entry = reader.mapping(value, ("title", "by"), ("fields", "optional"))
            if entry is None or not self._is_id(id, key, "event"):
                continue
            title, by = reader.pair(entry.get("title")), reader.word(entry.get("by"), HOLDERS)
            needed = list(self._known(entry.get("fields"), self.fields, "field"))
            optional = list(self._known(entry.get("optional"), self.fields, "field"))
            if by == "nobody":
                place = cast(Scalar, entry.get("by")).span
                help = "name who sends it"
                reader.fault("404", place, f"nobody can send the event `{id}`", help)
            if title and by:
                told = tuple(self.fields[name] for name in dict.fromkeys([*needed, *optional]))
                self.events[id] = Event(id, title, by, told, frozenset(optional), key.span)

    def _clocks(self, node: Node | None) -> None:
        reader = self.reader
        known = [id for id, _, _ in reader.open_mapping(node) or ()]
        for id, key, value in reader.open_mapping(node) or ():
            entry = reader.mapping(
                value,
                ("title", "runs", "exceeded", "certainty", "cite"),
                ("days", "until", "pauses", "holdable", "starts_at"),
            )
            if entry is None or not self._is_name(id, key, "clock"):
                continue
            title, exceeded = reader.pair(entry.get("title")), reader.pair(entry.get("exceeded"))
            days, until = reader.value(entry.get("days"), _DAYS), reader.text(entry.get("until"))
            if ("days" in entry.entries) == ("until" in entry.entries):
                help = "a number of days, or a kept date"
                reader.fault("408", key.span, "a clock has either `days` or `until`", help)
            if until and (until not in self.keeps or self.keeps[until].type.kind != "date"):
                place = cast(Scalar, entry.get("until")).span
                help = nearest(until, self.keeps)
                reader.fault("401", place, f"{shown(until)} is no kept date", help)
            starts_at = reader.text(entry.get("starts_at"))
            if starts_at and (starts_at not in known or starts_at == id):
                place = cast(Scalar, entry.get("starts_at")).span
                reader.fault("401", place, f"unknown clock {shown(starts_at)}", nearest(id, known))
            certainty = reader.word(entry.get("certainty"), CERTAINTIES)
            cite = tuple(
                c for item in reader.items(entry.get("cite")) if (c := read_citation(reader, item))
            )
            runs = self._known_stages(entry.get("runs"))
            pauses = self._known_stages(entry.get("pauses"))
            holdable = reader.value(entry.get("holdable"), BOOLEAN) is not False
            if title and exceeded and certainty:
                self.clocks[id] = Clock(
                    *(id, title, days if isinstance(days, int) else None, until),
                    *(frozenset(runs), frozenset(pauses), holdable, starts_at),
                    *(exceeded, cite, certainty, key.span),
                )

    # --- transitions ---

    def _transitions(self, node: Node | None, regime: Regime) -> list[Transition]:
        made: list[Transition] = []
        for item in self.reader.items(node):
            transition = self._transition(len(made), item, regime)
            if transition is not None:
                made.append(transition)
        return made

    def _transition(self, number: int, node: Node, regime: Regime) -> Transition | None:
        reader = self.reader
        entry = reader.mapping(
            node,
            ("from", "says", "certainty", "cite"),
            ("on", "after", "when", "otherwise", "to", "set", "refuse", "hold", "held"),
        )
        if entry is None:
            return None
        place = head(node.span)
        stages = self._known_stages(entry.get("from"))
        on = self._one(entry.get("on"), self.events, "event")
        after = self._one(entry.get("after"), self.clocks, "clock")
        to = self._one(entry.get("to"), self.stages, "stage")
        if ("on" in entry.entries) == ("after" in entry.entries):
            help = "an event moves a case, or the end of a clock's time"
            reader.fault("408", place, "a transition has either `on` or `after`", help)
        event = self.events.get(on) if on else None
        names = self._names(regime, event)
        when_at = reader.scalar(entry.get("when"))
        when = condition(when_at, names, reader.faults) if when_at else None
        says, otherwise = reader.pair(entry.get("says")), reader.pair(entry.get("otherwise"))
        if on and ("when" in entry.entries) != ("otherwise" in entry.entries):
            help = "`otherwise` tells a sender why the event is not taken"
            reader.fault("408", place, "`when` and `otherwise` stand together", help)
        hold = reader.word(entry.get("hold"), ("begin", "end"))
        held = reader.word(entry.get("held"), ("also", "only"))
        refuses = reader.text(entry.get("refuse"))
        known = [rule.id for rule in regime.rules]
        if refuses and refuses not in known:
            span = cast(Scalar, entry.get("refuse")).span
            reader.fault("401", span, f"unknown rule {shown(refuses)}", nearest(refuses, known))
        if refuses and any(name in entry.entries for name in ("to", "set", "hold", "after")):
            help = "it is put on record and changes nothing else"
            reader.fault("408", place, "what is refused has no effect", help)
        if to is not None and to in stages:
            help = "leave `to` out where the case stays"
            reader.fault("408", place, f"`{to}` leads to itself", help)
        sets = tuple(self._sets(entry.get("set"), names))
        certainty = reader.word(entry.get("certainty"), CERTAINTIES)
        cite = tuple(
            c for item in reader.items(entry.get("cite")) if (c := read_citation(reader, item))
        )
        if not (says and certainty and (on or after)):
            return None
        return Transition(
            *(number, tuple(stages), on, after, when, to, sets, refuses),
            cast(Literal["begin", "end"] | None, hold),
            "only" if hold == "end" else cast(Literal["also", "only"] | None, held) or "no",
            *(says, otherwise, cite, certainty, place),
        )

    def _sets(self, node: Node | None, names: Names) -> Iterable[tuple[str, Expr]]:
        reader = self.reader
        for path, key, value in reader.open_mapping(node) or ():
            kept = self.keeps.get(path)
            scalar = reader.scalar(value)
            if kept is None:
                help = nearest(path, self.keeps) or "add it to `keeps`"
                reader.fault("401", key.span, f"the process does not keep {shown(path)}", help)
                continue
            expr = term(scalar, names, reader.faults) if scalar else None
            if expr is None or scalar is None:
                continue
            misfit = self._misfit(expr, kept.type)
            if misfit:
                reader.fault("409", scalar.span, f"`{path}` {misfit}", "give a value of its type")
            else:
                yield path, expr

    def _misfit(self, expr: Expr, wanted: Type) -> str:
        """Why a value cannot be kept as what it is set to, or nothing."""
        made = type_of(expr)
        if wanted.kind == "code":
            codes = self.lists[wanted.codes or ""][0].codes
            if isinstance(expr, Constant) and made.kind == "code":
                return "" if expr.value in codes else f"has no code {shown(str(expr.value))}"
            return "" if made.codes == wanted.codes else f"takes a code of `{wanted.codes}`"
        if wanted.is_numeric and made.is_numeric:
            if made.unit != wanted.unit and not made.literal:
                return f"is in `{wanted.unit}`, not in `{made.unit or 'plain numbers'}`"
            return "" if made.scale <= wanted.scale else f"keeps {wanted.scale} decimals"
        return "" if made.kind == wanted.kind else f"is {wanted.kind}, not {made.kind}"

    # --- what is told of a case ---

    def _totals(self, node: Node | None) -> Iterable[Total]:
        reader = self.reader
        for item in reader.items(node):
            entry = reader.mapping(item, ("title", "clocks", "equals"))
            if entry is None:
                continue
            title = reader.pair(entry.get("title"))
            parts = list(self._known(entry.get("clocks"), self.clocks, "clock"))
            equals = self._one(entry.get("equals"), self.clocks, "clock")
            if title and equals:
                place = cast(Node, entry.get("clocks")).span
                yield Total(title, tuple(parts), equals, place)

    def _figures(self, node: Node | None, regime: Regime) -> dict[str, Figure]:
        reader, names = self.reader, self._names(regime, None)
        figures: dict[str, Figure] = {}
        for name, key, value in reader.open_mapping(node) or ():
            entry = reader.mapping(value, ("type", "value", "label"), ("unit", "exposure"))
            if entry is None or not self._is_name(name, key, "figure"):
                continue
            kind = reader.word(entry.get("type"), ("integer", "money"))
            label, scalar = reader.pair(entry.get("label")), reader.scalar(entry.get("value"))
            expr = amount(scalar, names, reader.faults) if scalar else None
            if kind is None or label is None or expr is None or scalar is None:
                continue
            unit = "USD" if kind == "money" else None
            if "unit" in entry.entries:
                unit = reader.word(entry.get("unit"), self.base.units)
            type = Type("money", 2, unit) if kind == "money" else Type("integer", 0, unit)
            quantity = quantity_of(name, expr, type, None, label, None, scalar.span, reader)
            exposure = reader.value(entry.get("exposure"), BOOLEAN) is True
            if quantity:
                figures[name] = Figure(quantity, exposure)
        return figures

    def _ledger(self, node: Node | None, regime: Regime) -> tuple[dict[str, str], str | None]:
        reader = self.reader
        entry = reader.mapping(node, (*LEDGER, "cap")) if node is not None else None
        if entry is None:
            return {}, None
        held = {name: self._one(entry.get(name), self.keeps, "kept fact") for name in LEDGER}
        for name, path in held.items():
            if path and self.keeps[path].type.kind != "integer":
                place = cast(Scalar, entry.get(name)).span
                reader.fault("409", place, f"`{path}` is no whole number", "a ledger counts chips")
        cap = self._one(entry.get("cap"), regime.parameters, "parameter")
        return {name: path for name, path in held.items() if path}, cap

    # --- names ---

    def _known_stages(self, node: Node | None) -> list[str]:
        if isinstance(node, Scalar) and node.text == ANY:
            return [id for id, stage in self.stages.items() if not stage.end]
        return list(self._known(node, self.stages, "stage"))

    def _known(self, node: Node | None, known: Mapping[str, object], what: str) -> Iterable[str]:
        """Names in a list, or one alone; each once."""
        items = [node] if isinstance(node, Scalar) and node.data is not None else None
        found: dict[str, None] = {}
        for item in items if items is not None else self.reader.items(node):
            name = self._one(item, known, what)
            if name in found:
                self.reader.fault("310", item.span, f"`{name}` stands twice", "keep one")
            elif name is not None:
                found[name] = None
        return found

    def _one(self, node: Node | None, known: Mapping[str, object], what: str) -> str | None:
        name = self.reader.text(node)
        if name is None or node is None or name in known:
            return name
        help = nearest(name, known) or f"known here: {', '.join(list(known)[:20]) or 'none'}"
        self.reader.fault("401", node.span, f"unknown {what} {shown(name)}", help)
        return None

    def _is_id(self, id: str, key: Scalar, what: str) -> bool:
        return self._is(bool(_ID.fullmatch(id)), id, key, what, "hyphens")

    def _is_name(self, name: str, key: Scalar, what: str) -> bool:
        return self._is(bool(_NAME.fullmatch(name)), name, key, what, "underscores")

    def _is(self, fits: bool, name: str, key: Scalar, what: str, joined: str) -> bool:
        if not fits:
            help = f"small letters, digits and {joined}"
            self.reader.fault("110", key.span, f"{shown(name)} is no name of a {what}", help)
        return fits


def _extra(path: str, slot: int, type: Type, label: Pair, span: Span) -> FactDefinition:
    """A fact that only a process speaks of."""
    nothing: tuple[None, ...] = (None,) * 4
    says, yes, no, hint = nothing
    return FactDefinition(
        *(path, slot, type, label, says, yes, no, hint, "nobody", ""),
        *(None, None, None, None, span),
    )
