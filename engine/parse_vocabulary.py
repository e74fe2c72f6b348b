"""Turn `vocabulary.yaml` and its code lists into a `Vocabulary`, and `sources.yaml` into sources."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from engine.diagnostics import Diagnostic, Source, Span, nearest, shown
from engine.expression import Names, amount
from engine.ir import Expr, Fact, Pair, Quantity, type_of, walk
from engine.shape import Reader, head
from engine.source import Mapping as Entries
from engine.source import Node, Scalar
from engine.values import KINDS, LIMIT, Kind, Misfit, Type, Value
from engine.values import read as read_value
from engine.vocabulary import HOLDERS, Code, CodeList, FactDefinition, Unit, Vocabulary

_PATH = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_FIXED_SCALE = {"money": 2, "ratio": 3}
_GRADES = ("primary", "quoted", "reported", "background")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CitedSource:
    """A document that rules cite."""

    id: str
    title: Pair
    publisher: Pair
    date: int
    language: Literal["en", "zh"]
    grade: str
    address: str | None
    read: int | None
    note: Pair | None


def parse_vocabulary(
    node: Node | None,
    read_csv: Callable[[str, Span], tuple[str, Source] | None],
    faults: list[Diagnostic],
) -> Vocabulary | None:
    """Read the vocabulary; `read_csv` fetches a code list's file, or notes why it cannot."""
    reader = Reader("V", faults)
    before = len(faults)
    top = reader.mapping(node, ("units", "groups", "codes", "facts"))
    if top is None:
        return None
    units = _units(top.get("units"), reader)
    groups = {
        name: reader.pair(value) or Pair(name, name)
        for name, _, value in (reader.open_mapping(top.get("groups")) or ())
    }
    lists = code_lists(top.get("codes"), read_csv, reader)
    facts = _facts(top.get("facts"), units, groups, lists, reader)
    if len(faults) > before:
        return None
    _derive(top.get("facts"), facts, lists, reader)
    catalogue = _catalogue(facts, lists, reader)
    if len(faults) > before:
        return None
    return Vocabulary(
        facts,
        {name: codes for name, (codes, _) in lists.items()},
        units,
        groups,
        catalogue,
    )


def parse_sources(node: Node | None, faults: list[Diagnostic]) -> dict[str, CitedSource]:
    """Read the documents that rules may cite."""
    reader = Reader("V", faults)
    sources: dict[str, CitedSource] = {}
    for id, _, value in reader.open_mapping(node) or ():
        entry = reader.mapping(
            value,
            ("title", "publisher", "date", "language", "grade"),
            ("address", "read", "note"),
        )
        if entry is None:
            continue
        title, publisher = reader.pair(entry.get("title")), reader.pair(entry.get("publisher"))
        day = reader.day(entry.get("date"))
        language = reader.word(entry.get("language"), ("en", "zh"))
        grade = reader.word(entry.get("grade"), _GRADES)
        address = reader.text(entry.get("address"))
        read, note = reader.day(entry.get("read")), reader.pair(entry.get("note"))
        if title and publisher and day and language and grade:
            sources[id] = CitedSource(
                id,
                title,
                publisher,
                day,
                cast(Literal["en", "zh"], language),
                grade,
                address,
                read,
                note,
            )
    return sources


def _units(node: Node | None, reader: Reader) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for name, _, value in reader.open_mapping(node) or ():
        units[name] = Unit(name, name, name)  # known by name, whatever is wrong with it
        entry = reader.mapping(value, ("en", "zh"), ("plural",))
        if entry is None:
            continue
        en, zh = reader.text(entry.get("en")), reader.text(entry.get("zh"))
        if en and zh:
            units[name] = Unit(en, reader.text(entry.get("plural")) or en, zh)
    return units


Lists = dict[str, tuple[CodeList, tuple[str, ...]]]
"""Code lists with the names of their further columns."""


def code_lists(
    node: Node | None,
    read_csv: Callable[[str, Span], tuple[str, Source] | None],
    reader: Reader,
) -> Lists:
    """Every code list with the names of its columns."""
    lists: Lists = {}
    for name, key, value in reader.open_mapping(node) or ():
        lists[name] = (CodeList(name, {}), ())  # known by name, whatever is wrong with it
        entry = reader.mapping(value, (), ("file", "codes"))
        if entry is None:
            continue
        if ("file" in entry.entries) == ("codes" in entry.entries):
            reader.fault(
                "102", key.span, "a code list has either a `file` or `codes`", "write one of them"
            )
        elif "file" in entry.entries:
            file = reader.text(entry.get("file"))
            found = read_csv(file, cast(Scalar, entry.get("file")).span) if file else None
            if found:
                lists[name] = _csv_list(name, *found, reader)
        else:
            codes = {
                code: Code(code, pair, frozenset(), {})
                for code, _, label in reader.open_mapping(entry.get("codes")) or ()
                if (pair := reader.pair(label))
            }
            lists[name] = (CodeList(name, codes), ())
    return lists


def _csv_list(
    name: str, text: str, source: Source, reader: Reader
) -> tuple[CodeList, tuple[str, ...]]:
    rows = csv.reader(io.StringIO(text), strict=True)
    codes: dict[str, Code] = {}
    columns: tuple[str, ...] = ()
    try:
        columns = tuple(next(rows, ()))
        if columns[:4] != ("code", "en", "zh", "groups"):
            reader.fault(
                "201",
                _row(source, 1),
                "a code list begins with the columns code,en,zh,groups",
                "name the columns in this order",
            )
            return CodeList(name, {}), ()
        for row in rows:
            span = _row(source, rows.line_num)
            if len(row) != len(columns):
                reader.fault(
                    "201",
                    span,
                    f"has {len(row)} cells where the header has {len(columns)}",
                    "quote cells that contain a comma",
                )
            elif not all(row[:3]):
                reader.fault("107", span, "a code needs itself and a name in both languages", "")
            elif row[0] in codes:
                reader.fault("203", span, f"the code {shown(row[0])} stands twice", "keep one")
            else:
                cells = dict(zip(columns[4:], row[4:], strict=True))
                codes[row[0]] = Code(
                    row[0], Pair(row[1], row[2]), frozenset(row[3].split()), cells
                )
    except csv.Error as error:
        reader.fault("201", _row(source, rows.line_num), f"is not CSV: {error}", "")
    return CodeList(name, codes), columns[4:]


def _row(source: Source, line: int) -> Span:
    width = len(source.lines[line - 1]) if 0 < line <= len(source.lines) else 1
    return Span(source, max(1, line), 1, max(1, line), width + 1)


def _facts(
    node: Node | None,
    units: Mapping[str, Unit],
    groups: Mapping[str, Pair],
    lists: Lists,
    reader: Reader,
) -> dict[str, FactDefinition]:
    facts: dict[str, FactDefinition] = {}
    for path, key, value in reader.open_mapping(node) or ():
        if not _PATH.fullmatch(path):
            reader.fault(
                "202", key.span, f"{shown(path)} is not a fact path", "write a.b in small letters"
            )
            continue
        fact = _fact(path, len(facts), key, value, units, groups, lists, reader)
        if fact:
            facts[path] = fact
    for path in facts:
        words = path.split(".")
        outers = (".".join(words[:n]) for n in range(1, len(words)))
        outer = next((outer for outer in outers if outer in facts), None)
        if outer is not None:
            reader.fault(
                "203",
                facts[path].span,
                f"`{path}` stands inside the fact `{outer}`, which then could not be nested",
                "rename one of them",
            )
    for fact in facts.values():
        for link, what in ((fact.catalogue, "from"), (fact.counted_in, "counted_in")):
            if link and (link not in facts or facts[link].type.kind != "code"):
                reader.fault(
                    "204",
                    fact.span,
                    f"`{what}` names no code fact: {shown(link)}",
                    nearest(link, facts),
                )
    return facts


def _fact(
    path: str,
    slot: int,
    key: Scalar,
    value: Node,
    units: Mapping[str, Unit],
    groups: Mapping[str, Pair],
    lists: Lists,
    reader: Reader,
) -> FactDefinition | None:
    entry = reader.mapping(
        value,
        ("type", "label", "held_by", "group"),
        (
            "scale",
            "unit",
            "codes",
            "min",
            "max",
            "says",
            "yes",
            "no",
            "hint",
            "from",
            "column",
            "counted_in",
            "derived",
            "round",
        ),
    )
    if entry is None:
        return None
    type = declared_type(entry, key, units, lists, reader)
    label, hint = reader.pair(entry.get("label")), reader.pair(entry.get("hint"))
    says = reader.pair(entry.get("says"))
    yes, no = reader.pair(entry.get("yes")), reader.pair(entry.get("no"))
    held_by = reader.word(entry.get("held_by"), HOLDERS)
    group = reader.word(entry.get("group"), groups)
    if says and ("{value}" not in says.en or "{value}" not in says.zh):
        reader.fault(
            "205", head(cast(Entries, entry.get("says")).span), "`says` has no `{value}`", ""
        )
    if type and type.kind == "boolean" and "derived" not in entry.entries and not (yes and no):
        reader.fault(
            "205",
            key.span,
            f"the yes/no fact `{path}` lacks its clauses `yes` and `no`",
            "write both as whole clauses",
        )
    catalogue, column = reader.text(entry.get("from")), reader.text(entry.get("column"))
    if bool(catalogue) != bool(column):
        reader.fault("102", key.span, "`from` and `column` stand together", "write both")
    if not (type and label and held_by and group):
        return None
    return FactDefinition(
        path,
        slot,
        type,
        label,
        says,
        yes,
        no,
        hint,
        held_by,
        group,
        catalogue,
        column,
        reader.text(entry.get("counted_in")),
        None,
        key.span,
    )


def declared_type(
    entry: Entries, key: Scalar, units: Mapping[str, Unit], lists: Lists, reader: Reader
) -> Type | None:
    """The type that an entry declares by `type`, `scale`, `unit`, `codes`, `min` and `max`."""
    kind = cast(Kind | None, reader.word(entry.get("type"), KINDS))
    if kind is None:
        return None
    scale = _FIXED_SCALE.get(kind, 0)
    if kind == "decimal":
        places = reader.value(entry.get("scale"), Type("integer", lo=0, hi=9))
        if not isinstance(places, int):
            reader.fault("204", key.span, "a decimal needs its `scale`", "add `scale: 2`")
            return None
        scale = places
    unit = "USD" if kind == "money" else None
    if "unit" in entry.entries and kind in ("integer", "decimal"):
        unit = reader.word(entry.get("unit"), units)
    codes = None
    if kind == "code":
        codes = reader.word(entry.get("codes"), lists)
        if codes is None:
            if "codes" not in entry.entries:
                reader.fault("204", key.span, "a code fact names its list in `codes`", "")
            return None
    type = Type(kind, scale, unit, codes)
    if kind == "ratio":
        type = replace(type, lo=0, hi=1000)
    if kind in ("integer", "decimal", "money", "ratio", "date"):
        free = replace(type, lo=None, hi=None)
        lo, hi = reader.value(entry.get("min"), free), reader.value(entry.get("max"), free)
        if isinstance(lo, int) and isinstance(hi, int) and -LIMIT <= lo <= hi <= LIMIT:
            type = replace(type, lo=lo, hi=hi)
        elif kind in ("integer", "decimal", "money") or lo is not None or hi is not None:
            reader.fault(
                "204",
                key.span,
                "a number needs `min` and `max`, in this order and within 63 bits",
                "choose bounds that no real order passes",
            )
            return None
    return type


def _derive(
    node: Node | None, facts: dict[str, FactDefinition], lists: Lists, reader: Reader
) -> None:
    """Read the expressions of derived facts, which may use plain facts only."""
    assert isinstance(node, Entries)
    derived = [
        path
        for path, _, value in node
        if isinstance(value, Entries) and "derived" in value.entries
    ]
    names = Names(
        {path: fact.type for path, fact in facts.items() if path not in derived},
        {},
        {},
        {},
        {name: frozenset(codes.codes) for name, (codes, _) in lists.items()},
    )
    for path in derived:
        entry = node.get(path)
        assert isinstance(entry, Entries)
        scalar = reader.scalar(entry.get("derived"))
        round = reader.word(entry.get("round"), ("up", "down"))
        expr = amount(scalar, names, reader.faults) if scalar else None
        fact = facts[path]
        if not fact.type.is_numeric:
            reader.fault(
                "204", fact.span, f"a derived fact is a number or money, not {fact.type.kind}", ""
            )
            continue
        if expr is None or scalar is None:
            continue
        quantity = quantity_of(
            path, expr, fact.type, round, fact.label, fact.says, scalar.span, reader
        )
        if quantity:
            facts[path] = replace(fact, derived=quantity)


def quantity_of(
    name: str,
    value: Expr,
    type: Type,
    round: str | None,
    label: Pair,
    says: Pair | None,
    span: Span,
    reader: Reader,
) -> Quantity | None:
    """A derived quantity whose value fits its declared type: same unit, bounds, stated rounding."""
    made = type_of(value)
    if made.unit != type.unit and not made.literal:
        reader.fault(
            "206",
            span,
            f"gives `{made.unit or 'a plain number'}` where `{type.unit or 'a plain number'}` "
            "is declared",
            "declare the unit that the expression gives",
        )
        return None
    if made.scale > type.scale and round is None:
        reader.fault(
            "211",
            span,
            f"has {made.scale} decimals where {type.scale} are kept",
            "say `round: up` or `round: down`",
        )
        return None
    factor = 10 ** abs(type.scale - made.scale)
    lo, hi = cast(int, made.lo), cast(int, made.hi)
    if made.scale > type.scale:
        lo, hi = lo // factor, -(-hi // factor)
    else:
        lo, hi = lo * factor, hi * factor
    if max(abs(lo), abs(hi)) > LIMIT:
        reader.fault(
            "208",
            span,
            f"can reach {len(str(max(abs(lo), abs(hi))))} digits with its decimals; 63 bits hold 18",
            "keep fewer decimals, or give the facts in it narrower bounds",
        )
        return None
    if type.lo is not None and type.hi is not None and (lo < type.lo or hi > type.hi):
        low, high = (
            f"{lo // 10**type.scale:,}",
            f"{-(-hi // 10**type.scale):,}",
        )
        reader.fault(
            "208",
            span,
            f"runs from {low} to {high}, beyond the bounds declared",
            "widen `min` and `max`",
        )
        return None
    bounded = replace(type, lo=lo, hi=hi) if type.lo is None else type
    return Quantity(
        name, value, bounded, cast(Literal["up", "down"] | None, round), label, says, span
    )


def _catalogue(
    facts: Mapping[str, FactDefinition], lists: Lists, reader: Reader
) -> dict[str, dict[str, dict[str, Value]]]:
    """What each row of a catalogue supplies, read by the types of the facts."""
    supplied: dict[str, dict[str, dict[str, Value]]] = {}
    for fact in facts.values():
        if not fact.catalogue or not fact.column:
            continue
        name = facts[fact.catalogue].type.codes
        codes, columns = lists[name] if name else (CodeList("", {}), ())
        if fact.column not in columns:
            reader.fault(
                "201",
                fact.span,
                f"the list `{name}` has no column {shown(fact.column)}",
                nearest(fact.column, columns) or f"columns: {', '.join(columns)}",
            )
            continue
        rows = supplied.setdefault(fact.catalogue, {})
        for code in codes.codes.values():
            cell = code.cells[fact.column].strip()
            if not cell:
                continue
            value = read_value(cell, fact.type)
            known = lists[fact.type.codes][0].codes if fact.type.codes else None
            if isinstance(value, Misfit) or (known is not None and value not in known):
                reader.fault(
                    "206",
                    fact.span,
                    f"{shown(cell)} in the row `{code.code}` is no value of `{fact.path}`",
                    value.help if isinstance(value, Misfit) else "use a code of its list",
                )
            else:
                rows.setdefault(code.code, {})[fact.path] = value
    return supplied


def base_facts(vocabulary: Vocabulary, path: str) -> tuple[str, ...]:
    """The facts that an order states to give this one: itself, or what it is derived from."""
    fact = vocabulary.facts[path]
    if fact.derived is None:
        return (path,)
    return tuple(dict.fromkeys(e.path for e in walk(fact.derived.value) if isinstance(e, Fact)))
