"""Turn `process.yaml` into a process, every fault noted with its place.

Whether stages, events and clocks are sound together is for `check_process`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import cast

from engine.diagnostics import Diagnostic, Source, Span, nearest, shown
from engine.draft import ANY, Draft, some
from engine.expression import amount
from engine.ir import CERTAINTIES, Constant, Pair, Period, Regime, SourceName
from engine.parse_rule import read_citation
from engine.parse_transition import parse_transitions
from engine.parse_vocabulary import code_lists, declared_type, quantity_of
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
)
from engine.shape import Reader, head
from engine.source import Mapping as Entries
from engine.source import Node, Scalar, Sequence
from engine.values import BOOLEAN, Type, Value
from engine.vocabulary import HOLDERS, Vocabulary

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CASE_FACT = re.compile(r"case\.[a-z][a-z0-9_]*")
_DAYS = Type("integer", lo=1, hi=36_600)
_TYPE_KEYS = ("scale", "unit", "codes", "min", "max")
TAKEN = ("event", "on", "note")
"""What stands beside the fields of an event, so that no field has such a name."""
_CHIPS = "a ledger counts chips"

PROCESS_REQUIRED = (
    *("title", "summary", "sources", "in_force", "read_to", "leaves_out"),
    *("stages", "events", "transitions"),
)
PROCESS_OPTIONAL = ("codes", "keeps", "fields", "clocks", "totals", "figures", "ledger")
_NAMED = ("stages", "keeps", "fields", "events", "clocks")


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
    top = Reader("R", faults).mapping(node, PROCESS_REQUIRED, PROCESS_OPTIONAL)
    if top is None:
        return None
    known = {name: _names_in(top.get(name)) for name in _NAMED}
    draft = Draft(vocabulary, Reader("R", faults), known)
    process = _process(draft, id, top, regime, read_csv)
    return process if len(faults) == before else None


def _process(
    draft: Draft,
    id: str,
    top: Entries,
    own: Regime | None,
    read_csv: Callable[[str, Span], tuple[str, Source] | None],
) -> Process | None:
    """Read the whole; `own` is the rule set of its folder, where there is one."""
    reader = draft.reader
    title, summary = reader.pair(top.get("title")), reader.pair(top.get("summary"))
    in_force, read_to = reader.period(top.get("in_force")), reader.day(top.get("read_to"))
    _codes(draft, top.get("codes"), read_csv)
    _stages(draft, top.get("stages"))
    _keeps(draft, top.get("keeps"))
    _fields(draft, top.get("fields"))
    _events(draft, top.get("events"))
    _clocks(draft, top.get("clocks"))
    regime = own or _bare(id, title, summary, in_force, read_to, head(top.span))
    transitions = parse_transitions(draft, top.get("transitions"), regime)
    totals = tuple(_totals(draft, top.get("totals")))
    figures = _figures(draft, top.get("figures"), regime)
    ledger, cap = _ledger(draft, top.get("ledger"), regime)
    leaves_out = tuple(
        p for item in reader.items(top.get("leaves_out")) if (p := reader.pair(item))
    )
    if _is_empty(top.get("leaves_out")):
        help = "say what this process does not examine"
        reader.fault("102", top.entries["leaves_out"][0].span, "nothing is left out", help)
    if _is_empty(top.get("stages")):
        help = "name the stages that a case passes"
        reader.fault("102", top.entries["stages"][0].span, "the process has no stage", help)
    sources = _sources(draft, top)
    if not (title and summary and in_force and read_to and draft.stages):
        return None
    return Process(
        id,
        title,
        summary,
        sources,
        in_force,
        read_to,
        leaves_out,
        regime,
        own is not None,
        draft.vocabulary(),
        draft.keeps,
        draft.stages,
        draft.events,
        transitions,
        draft.clocks,
        totals,
        figures,
        ledger,
        cap,
        head(top.span),
    )


def _codes(
    draft: Draft,
    node: Node | None,
    read_csv: Callable[[str, Span], tuple[str, Source] | None],
) -> None:
    """Code lists; what is wrong in a table has a code of the vocabulary, as everywhere."""
    found: list[Diagnostic] = []
    before = len(draft.reader.faults)
    draft.lists = {name: (codes, ()) for name, codes in draft.base.lists.items()}
    for name, key, _ in node if isinstance(node, Entries) else ():
        if name in draft.lists:
            told = f"`{name}` is also a code list of the vocabulary"
            found.append(Diagnostic("R310", key.span, told, "choose another name"))
    draft.lists |= code_lists(node, read_csv, Reader("V", found))
    for fault in found:
        here = node is not None and fault.span.source is node.span.source
        code = f"R{fault.code[1:]}" if here else fault.code
        draft.reader.faults.append(replace(fault, code=code))
    draft.codes_at_fault = len(draft.reader.faults) > before


def _sources(draft: Draft, top: Entries) -> tuple[SourceName, ...]:
    reader = draft.reader
    return tuple(
        SourceName(id, item.span)
        for item in reader.items(top.get("sources"))
        if (id := reader.text(item))
    )


def _stages(draft: Draft, node: Node | None) -> None:
    reader = draft.reader
    for id, key, value in reader.open_mapping(node) or ():
        entry = reader.mapping(value, ("title",), ("end",))
        if entry is None or not _is_id(draft, id, key, "stage"):
            continue
        title = reader.pair(entry.get("title"))
        end = reader.value(entry.get("end"), BOOLEAN) is True
        if id == ANY:
            reader.fault("110", key.span, "`any` stands for all stages", "choose another name")
        if title:
            draft.stages[id] = Stage(id, title, end, key.span)


def _keeps(draft: Draft, node: Node | None) -> None:
    reader = draft.reader
    for path, key, value in reader.open_mapping(node) or ():
        known = draft.base.facts.get(path)
        if known is None and not _CASE_FACT.fullmatch(path):
            help = nearest(path, draft.base.facts) or "write `case.` and a name of its own"
            reader.fault("204", key.span, f"unknown fact {shown(path)}", help)
            continue
        if known is not None and known.derived is not None:
            help = "keep the facts that it is derived from"
            reader.fault("408", key.span, f"`{path}` is derived; no event says it", help)
            continue
        optional = ("starts", "stated")
        entry = (
            reader.mapping(value, ("type", "label"), (*_TYPE_KEYS, *optional))
            if known is None
            else reader.mapping(value, (), optional)
        )
        if entry is None:
            continue
        type = known.type if known else _type(draft, entry, key)
        label = known.label if known else reader.pair(entry.get("label"))
        if type is None or label is None:
            continue
        starts: Value = None
        if "starts" in entry.entries:
            starts = _value(draft, entry.get("starts"), type)
            if starts is None:
                continue
        stated = reader.value(entry.get("stated"), BOOLEAN) is True
        draft.keeps[path] = Kept(path, type, label, starts, stated, key.span)


def _value(draft: Draft, node: Node | None, type: Type) -> Value:
    """A value of a type; a code is one of its list."""
    value, codes = draft.reader.value(node, type), type.codes
    if value is None or codes is None or node is None or draft.codes_at_fault:
        return value
    known = draft.lists[codes][0].codes
    if value not in known:
        told = f"unknown {codes} code {shown(value)}"
        draft.reader.fault("207", node.span, told, nearest(str(value), known))
    return value


def _type(draft: Draft, entry: Entries, key: Scalar) -> Type | None:
    """The type that an entry declares; what it lacks has the code of what is missing in rules."""
    found: list[Diagnostic] = []
    type = declared_type(entry, key, draft.base.units, draft.lists, Reader("R", found))
    for fault in found:
        lacks = fault.code == "R204"
        draft.reader.faults.append(replace(fault, code="R102") if lacks else fault)
    return None if found else type


def _fields(draft: Draft, node: Node | None) -> None:
    reader = draft.reader
    for name, key, value in reader.open_mapping(node) or ():
        entry = reader.mapping(value, ("label",), ("type", *_TYPE_KEYS, "like", "from"))
        if entry is None or not _is_name(draft, name, key, "field"):
            continue
        if ("type" in entry.entries) == ("like" in entry.entries):
            help = "a type of its own, or the fact whose type it has"
            reader.fault("102", key.span, "a field has either a `type` or `like`", help)
            continue
        if name in TAKEN:
            reader.fault("110", key.span, f"every event has `{name}`", "choose another name")
        label = reader.pair(entry.get("label"))
        supplied = reader.word(entry.get("from"), ("ledger",)) is not None
        like = reader.text(entry.get("like"))
        if like is None:
            type = _type(draft, entry, key)
        else:
            known = draft.base.facts.get(like)
            type = None if known is None else known.type
            if known is None:
                place = cast(Scalar, entry.get("like")).span
                help = nearest(like, draft.base.facts) or "name a fact of the vocabulary"
                reader.fault("204", place, f"unknown fact {shown(like)}", help)
        if label and type:
            draft.fields[name] = Field(name, type, label, supplied, key.span)


def _events(draft: Draft, node: Node | None) -> None:
    reader = draft.reader
    for id, key, value in reader.open_mapping(node) or ():
        entry = reader.mapping(value, ("title", "by"), ("fields", "optional"))
        if entry is None or not _is_id(draft, id, key, "event"):
            continue
        before = len(reader.faults)
        title, by = reader.pair(entry.get("title")), reader.word(entry.get("by"), HOLDERS)
        needed = draft.several(entry.get("fields"), "fields", "field")
        optional = draft.several(entry.get("optional"), "fields", "field", needed)
        if by == "nobody":
            place = cast(Scalar, entry.get("by")).span
            help = "name who sends it"
            reader.fault("404", place, f"nobody can send the event `{id}`", help)
        if title and by and len(reader.faults) == before:
            both = [*needed, *optional]
            told = tuple(draft.fields[name] for name in both if name in draft.fields)
            draft.events[id] = Event(id, title, by, told, frozenset(optional), key.span)


def _clocks(draft: Draft, node: Node | None) -> None:
    reader = draft.reader
    for id, key, value in reader.open_mapping(node) or ():
        entry = reader.mapping(
            value,
            ("title", "runs", "exceeded", "certainty", "cite"),
            ("days", "until", "pauses", "holdable", "starts_at"),
        )
        if entry is None or not _is_name(draft, id, key, "clock"):
            continue
        title, exceeded = reader.pair(entry.get("title")), reader.pair(entry.get("exceeded"))
        days, until = reader.value(entry.get("days"), _DAYS), reader.text(entry.get("until"))
        if ("days" in entry.entries) == ("until" in entry.entries):
            help = "a number of days, or a kept date"
            reader.fault("408", key.span, "a clock has either `days` or `until`", help)
        kept = draft.keeps.get(until or "")
        if until and (kept.type.kind != "date" if kept else until not in draft.known["keeps"]):
            place = cast(Scalar, entry.get("until")).span
            dates = [path for path, k in draft.keeps.items() if k.type.kind == "date"]
            help = nearest(until, dates) or f"dates that are kept: {some(dates)}"
            reader.fault("401", place, f"{shown(until)} is no kept date", help)
        starts_at = draft.one(entry.get("starts_at"), draft.known["clocks"], "clock")
        if starts_at == id:
            place = cast(Scalar, entry.get("starts_at")).span
            help = "leave it out where the clock starts with its stage"
            reader.fault("408", place, "a clock does not start at its own end", help)
        certainty = reader.word(entry.get("certainty"), CERTAINTIES)
        cite = tuple(
            c for item in reader.items(entry.get("cite")) if (c := read_citation(reader, item))
        )
        runs, pauses = (
            draft.stages_in(entry.get(name), "406", "no clock runs") for name in ("runs", "pauses")
        )
        holdable = reader.value(entry.get("holdable"), BOOLEAN) is not False
        if title and exceeded and certainty:
            draft.clocks[id] = Clock(
                *(id, title, days if isinstance(days, int) else None, until),
                *(frozenset(runs), frozenset(pauses), holdable, starts_at),
                *(exceeded, cite, certainty, key.span),
            )


def _totals(draft: Draft, node: Node | None) -> Iterable[Total]:
    reader = draft.reader
    for item in reader.items(node):
        entry = reader.mapping(item, ("title", "clocks", "equals"))
        if entry is None:
            continue
        title, parts_at = reader.pair(entry.get("title")), entry.get("clocks")
        parts = draft.several(parts_at, "clocks", "clock")
        sum_at = entry.get("equals")
        equals = draft.one(sum_at, draft.known["clocks"], "clock")
        counted = [*parts.items(), *([(equals, sum_at.span)] if equals and sum_at else [])]
        for id, place in counted:
            if id in draft.clocks and draft.clocks[id].until is not None:
                told = f"`{id}` ends on a date, so that it has no number of days"
                reader.fault("405", place, told, "take it out of the total")
        if title and equals and parts_at:
            yield Total(title, tuple(parts), equals, head(parts_at.span))


def _figures(draft: Draft, node: Node | None, regime: Regime) -> dict[str, Figure]:
    reader, names = draft.reader, draft.names(regime, None)
    figures: dict[str, Figure] = {}
    for name, key, value in reader.open_mapping(node) or ():
        entry = reader.mapping(value, ("type", "value", "label"), ("unit", "exposure"))
        if entry is None or not _is_name(draft, name, key, "figure"):
            continue
        kind = reader.word(entry.get("type"), ("integer", "money"))
        label, place = reader.pair(entry.get("label")), entry.get("value")
        expr = draft.expr(amount, place, names)
        if kind is None or label is None or expr is None or place is None:
            continue
        unit = "USD" if kind == "money" else None
        if "unit" in entry.entries:
            unit = reader.word(entry.get("unit"), draft.base.units)
        type = Type("money", 2, unit) if kind == "money" else Type("integer", 0, unit)
        quantity = quantity_of(name, expr, type, None, label, None, place.span, reader)
        exposure = reader.value(entry.get("exposure"), BOOLEAN) is True
        if quantity:
            figures[name] = Figure(quantity, exposure)
    return figures


def _ledger(draft: Draft, node: Node | None, regime: Regime) -> tuple[dict[str, str], str | None]:
    reader = draft.reader
    entry = reader.mapping(node, (*LEDGER, "cap")) if node is not None else None
    if entry is None:
        return {}, None
    held: dict[str, str] = {}
    for name in LEDGER:
        node = entry.get(name)
        path = draft.one(node, draft.known["keeps"], "kept fact")
        if path is None or node is None:
            continue
        kept = draft.keeps.get(path)
        if path in held.values():
            help = "keep a fact for each"
            told = f"`{path}` is another count too, so that it would count twice"
            reader.fault("409", node.span, told, help)
        elif kept and kept.type.kind != "integer":
            reader.fault("409", node.span, f"`{path}` is no whole number", _CHIPS)
        elif kept and (kept.starts != 0 or kept.stated):
            told = f"`{path}` is booked, so it starts with 0 and no order states it"
            reader.fault("409", node.span, told, "write `starts: 0`")
        held[name] = path
    cap = draft.one(entry.get("cap"), list(regime.parameters), "parameter")
    if cap and regime.parameters[cap].type.kind != "integer":
        place = cast(Node, entry.get("cap")).span
        reader.fault("409", place, f"`{cap}` is no whole number", _CHIPS)
    return held, cap


def _is_id(draft: Draft, id: str, key: Scalar, what: str) -> bool:
    return _is(draft, bool(_ID.fullmatch(id)), id, key, what, "hyphens")


def _is_name(draft: Draft, name: str, key: Scalar, what: str) -> bool:
    return _is(draft, bool(_NAME.fullmatch(name)), name, key, what, "underscores")


def _is(draft: Draft, fits: bool, name: str, key: Scalar, what: str, joined: str) -> bool:
    if not fits:
        help = f"small letters, digits and {joined}"
        draft.reader.fault("110", key.span, f"{shown(name)} is no name of a {what}", help)
    return fits


def _bare(
    id: str,
    title: Pair | None,
    summary: Pair | None,
    in_force: Period | None,
    read_to: int | None,
    span: Span,
) -> Regime:
    """A rule set without a rule, for a process that has none of its own."""
    nothing = Pair("", "")  # only where a fault has been noted
    return Regime(
        id=id,
        title=title or nothing,
        summary=summary or nothing,
        sources=(),
        in_force=in_force or Period(1),
        dated_by="order.placed_on",
        read_to=read_to or 1,
        scope=Constant(True, BOOLEAN, span),
        lists={},
        parameters={},
        quantities={},
        rules=(),
        outcomes={},
        cautions=(),
        leaves_out=(),
        span=span,
    )


def _names_in(node: Node | None) -> Mapping[str, object]:
    return node.entries if isinstance(node, Entries) else {}


def _is_empty(node: Node | None) -> bool:
    """Whether a list or block stands there without anything in it."""
    match node:
        case Entries():
            return not node.entries
        case Sequence():
            return not node.items
        case _:
            return False
