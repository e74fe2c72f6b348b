"""Turn the files of a regime into rules and a regime, every fault noted with its place.

Whether the rules are sound as a set is for `check`.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from typing import cast

from engine.diagnostics import MAX_FAULTS, Diagnostic, Source, Span, nearest, shown
from engine.expression import Names, amount
from engine.ir import (
    STATUSES,
    NamedList,
    Outcome,
    Pair,
    ParameterValues,
    Quantity,
    Regime,
    SourceName,
    Status,
    type_of,
)
from engine.parse_rule import RULE_OPTIONAL, RULE_REQUIRED, parse_rule, read_condition, read_notes
from engine.parse_vocabulary import quantity_of
from engine.shape import Reader, head
from engine.source import Mapping, Node, Scalar
from engine.values import KINDS, Kind, Type
from engine.vocabulary import Vocabulary

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = frozenset({"true", "false", "min", "max", "date", *keyword.kwlist})
_DEFAULT_BOUNDS = {"integer": (0, 10**7), "decimal": (0, 10**7), "money": (0, 10**13)}


def parse_regime(
    id: str,
    node: Node | None,
    files: MappingOf[str, Node | None],
    vocabulary: Vocabulary,
    home: Source,
    faults: list[Diagnostic],
) -> Regime | None:
    """Read a regime from `regime.yaml` (`node`) and its rule files by rule id."""
    before = len(faults)
    draft = _Draft(id, vocabulary, Reader("R", faults))
    regime = draft.regime(node, files, home)
    return regime if len(faults) == before else None


@dataclass(slots=True)
class _Draft:
    """One regime while it is being read."""

    id: str
    vocabulary: Vocabulary
    reader: Reader

    def regime(
        self, node: Node | None, files: MappingOf[str, Node | None], home: Source
    ) -> Regime | None:
        reader = self.reader
        top = reader.mapping(
            node if node is not None else Scalar("", None, Span(home), ""),
            (
                "title",
                "summary",
                "sources",
                "in_force",
                "dated_by",
                "read_to",
                "scope",
                "rules",
                "outcomes",
                "leaves_out",
            ),
            ("lists", "parameters", "derive", "cautions"),
        )
        if top is None:
            return None
        lists = self._lists(top.get("lists"))
        parameters = self._parameters(top.get("parameters"))
        rules = self._listed(top.get("rules"), files)
        tops: dict[str, Mapping] = {}
        for name, rule_node in rules.items():
            rule_top = reader.mapping(rule_node, RULE_REQUIRED, RULE_OPTIONAL)
            if rule_top is None:
                continue
            tops[name] = rule_top
            for parameter in self._parameters(rule_top.get("parameters")).values():
                other = parameters.setdefault(parameter.name, parameter)
                if other is not parameter:
                    reader.fault(
                        "310",
                        parameter.span,
                        f"the parameter `{parameter.name}` is named twice in this regime",
                        "rename one, or move it to regime.yaml",
                        (("the other stands here", other.span),),
                    )
        for named in lists.values():
            if named.name in parameters:
                reader.fault(
                    "310",
                    named.span,
                    f"`{named.name}` is also the name of a parameter",
                    "rename one",
                    (("the parameter stands here", parameters[named.name].span),),
                )
        names = self._names(lists, parameters)
        quantities = self._quantities(top.get("derive"), names)
        names = replace(
            names,
            derived={**names.derived, **{q.name: q.type for q in quantities.values()}},
        )
        read = [parse_rule(name, rule_top, names, reader) for name, rule_top in tops.items()]
        dated_by = reader.text(top.get("dated_by"))
        if dated_by and (
            dated_by not in self.vocabulary.facts
            or self.vocabulary.facts[dated_by].type.kind != "date"
        ):
            reader.fault(
                "204",
                cast(Scalar, top.get("dated_by")).span,
                f"{shown(dated_by)} is no date fact",
                nearest(dated_by, self.vocabulary.facts),
            )
        title, summary = reader.pair(top.get("title")), reader.pair(top.get("summary"))
        in_force, read_to = reader.period(top.get("in_force")), reader.day(top.get("read_to"))
        scope = read_condition(top.get("scope"), names, reader)
        outcomes = self._outcomes(top.get("outcomes"))
        cautions = read_notes(top.get("cautions"), names, reader)
        leaves_out = tuple(
            p for item in reader.items(top.get("leaves_out")) if (p := reader.pair(item))
        )
        if "leaves_out" in top.entries and not leaves_out:
            reader.fault(
                "102",
                top.entries["leaves_out"][0].span,
                "nothing is left out",
                "say what these rules do not examine",
            )
        sources = tuple(
            SourceName(id, item.span)
            for item in reader.items(top.get("sources"))
            if (id := reader.text(item))
        )
        if not (title and summary and in_force and read_to and scope and dated_by and outcomes):
            return None
        return Regime(
            self.id,
            title,
            summary,
            sources,
            in_force,
            dated_by,
            read_to,
            scope,
            lists,
            parameters,
            quantities,
            tuple(rule for rule in read if rule),
            outcomes,
            cautions,
            leaves_out,
            head(top.span),
        )

    # --- the parts of a regime ---

    def _names(
        self, lists: MappingOf[str, NamedList], parameters: MappingOf[str, ParameterValues]
    ) -> Names:
        facts = self.vocabulary.facts
        return Names(
            {p: f.type for p, f in facts.items() if f.derived is None},
            {p: f.type for p, f in facts.items() if f.derived is not None},
            {name: parameter.type for name, parameter in parameters.items()},
            lists,
            {name: frozenset(codes.codes) for name, codes in self.vocabulary.lists.items()},
        )

    def _listed(
        self, node: Node | None, files: MappingOf[str, Node | None]
    ) -> dict[str, Node | None]:
        """The rule files in the order that the regime lists them; both sides complete."""
        reader = self.reader
        listed: dict[str, Node | None] = {}
        for item in reader.items(node):
            name = reader.text(item)
            if name is None or len(reader.faults) > MAX_FAULTS:
                continue
            if not _ID.fullmatch(name):
                reader.fault(
                    "110",
                    item.span,
                    f"{shown(name)} is not a rule id",
                    "small letters, digits and hyphens, the same as the file name",
                )
            elif name in listed:
                reader.fault("310", item.span, f"the rule `{name}` is listed twice", "keep one")
            elif name not in files:
                reader.fault(
                    "109",
                    item.span,
                    f"there is no file `{name}.yaml` beside this regime",
                    nearest(name, files) or "write the file or take the line out",
                )
            else:
                listed[name] = files[name]
        for name, file in files.items():
            if name not in listed and node is not None:
                place = file.span if file is not None else node.span
                reader.fault(
                    "109",
                    head(place),
                    f"the rule `{name}` is not listed in regime.yaml",
                    "add it to `rules:`, in the order in which it should be read",
                )
        return listed

    def _lists(self, node: Node | None) -> dict[str, NamedList]:
        reader = self.reader
        lists: dict[str, NamedList] = {}
        for name, key, value in reader.open_mapping(node) or ():
            entry = reader.mapping(value, ("of", "label"), ("codes", "group"))
            if entry is None or not self._is_name(name, key):
                continue
            of = reader.word(entry.get("of"), self.vocabulary.lists)
            label = reader.pair(entry.get("label"))
            if of is None or label is None:
                continue
            known = self.vocabulary.lists[of]
            codes: tuple[str, ...] = ()
            group = entry.get("group")
            if ("codes" in entry.entries) == (group is not None):
                reader.fault("102", key.span, "a list has either `codes` or a `group`", "")
            if group is not None:
                wanted = reader.text(group)
                codes = known.in_group(wanted) if wanted else ()
                if wanted and not codes:
                    every = sorted({g for code in known.codes.values() for g in code.groups})
                    reader.fault(
                        "207",
                        group.span,
                        f"no code of `{of}` is in the group {shown(wanted)}",
                        nearest(wanted, every) or f"groups: {', '.join(every)}",
                    )
            named = dict.fromkeys(codes)
            for item in reader.items(entry.get("codes")):
                code = reader.text(item)
                if code is None or len(reader.faults) > MAX_FAULTS:
                    continue
                if code not in known.codes:
                    reader.fault(
                        "207",
                        item.span,
                        f"unknown {of} code {shown(code)}",
                        nearest(code, known.codes),
                    )
                if code in named:
                    reader.fault(
                        "310", item.span, f"the code {shown(code)} stands twice", "keep one"
                    )
                named[code] = None
            codes = tuple(named)
            if "codes" in entry.entries and not codes:
                reader.fault("102", key.span, "the list names no code", "name at least one")
            lists[name] = NamedList(name, of, codes, label, key.span)
        return lists

    def _parameters(self, node: Node | None) -> dict[str, ParameterValues]:
        parameters: dict[str, ParameterValues] = {}
        for name, key, value in self.reader.open_mapping(node) or ():
            if self._is_name(name, key):
                parameter = self._parameter(name, key, value)
                if parameter:
                    parameters[name] = parameter
        return parameters

    def _parameter(self, name: str, key: Scalar, value: Node) -> ParameterValues | None:
        reader = self.reader
        entry = reader.mapping(value, ("type", "values"), ("unit", "scale", "min", "max", "label"))
        if entry is None:
            return None
        kind = cast(
            Kind | None,
            reader.word(entry.get("type"), [k for k in KINDS if k not in ("text", "code")]),
        )
        if kind is None:
            return None
        scale = {"money": 2, "ratio": 3}.get(kind, 0)
        if kind == "decimal":
            places = reader.value(entry.get("scale"), Type("integer", lo=0, hi=9))
            scale = places if isinstance(places, int) else 2
        unit = "USD" if kind == "money" else None
        if "unit" in entry.entries:
            unit = reader.word(entry.get("unit"), self.vocabulary.units)
        free = Type(kind, scale, unit)
        low, high = _DEFAULT_BOUNDS.get(kind, (0, 1))
        lo, hi = reader.value(entry.get("min"), free), reader.value(entry.get("max"), free)
        bounded = free
        if free.is_numeric:
            bounded = replace(
                free,
                lo=lo if isinstance(lo, int) else low * 10**scale,
                hi=hi if isinstance(hi, int) else high * 10**scale,
            )
            if cast(int, bounded.lo) > cast(int, bounded.hi):
                reader.fault(
                    "304", key.span, f"`{name}` has its `min` above its `max`", "swap them"
                )
                bounded = replace(bounded, lo=bounded.hi, hi=bounded.lo)
        values: list[tuple[int, bool | int | str]] = []
        for item in reader.items(entry.get("values")):
            dated = reader.mapping(item, ("from", "value"))
            if dated is None:
                continue
            start, amount_ = (
                reader.day(dated.get("from")),
                reader.value(dated.get("value"), bounded),
            )
            if start is not None and amount_ is not None:
                if values and start <= values[-1][0]:
                    reader.fault(
                        "304",
                        head(item.span),
                        f"the values of `{name}` are not in the order of their dates",
                        "write the earliest first, each date once",
                    )
                values.append((start, amount_))
        if not values and not reader.items(entry.get("values")):
            reader.fault("102", key.span, f"`{name}` has no value", "give one with its date")
        label = reader.pair(entry.get("label")) or Pair(name.replace("_", " "), name)
        return ParameterValues(name, bounded, label, tuple(values), key.span)

    def _quantities(self, node: Node | None, names: Names) -> dict[str, Quantity]:
        reader = self.reader
        quantities: dict[str, Quantity] = {}
        for name, key, value in reader.open_mapping(node) or ():
            entry = reader.mapping(
                value, ("type", "value", "label"), ("unit", "scale", "round", "says")
            )
            if entry is None or not self._is_name(name, key):
                continue
            if name in names.parameters or name in names.lists:
                other = "parameter" if name in names.parameters else "list"
                reader.fault(
                    "310", key.span, f"`{name}` is also the name of a {other}", "rename one"
                )
            kind = cast(
                Kind | None,
                reader.word(entry.get("type"), ("integer", "decimal", "money", "ratio")),
            )
            label, scalar = reader.pair(entry.get("label")), reader.scalar(entry.get("value"))
            if kind is None or label is None or scalar is None:
                continue
            # A quantity may use those above it: no cycle can be written.
            above = {n: q.type for n, q in quantities.items()}
            expr = amount(
                scalar, replace(names, derived={**names.derived, **above}), reader.faults
            )
            if expr is None:
                continue
            scale = {"money": 2, "ratio": 3}.get(kind, 0)
            if kind == "decimal":
                places = reader.value(entry.get("scale"), Type("integer", lo=0, hi=9))
                scale = places if isinstance(places, int) else type_of(expr).scale
            unit = "USD" if kind == "money" else None
            if "unit" in entry.entries:
                unit = reader.word(entry.get("unit"), self.vocabulary.units)
            round = reader.word(entry.get("round"), ("up", "down"))
            quantity = quantity_of(
                name,
                expr,
                Type(kind, scale, unit),
                round,
                label,
                reader.pair(entry.get("says")),
                scalar.span,
                reader,
            )
            if quantity:
                quantities[name] = quantity
        return quantities

    def _outcomes(self, node: Node | None) -> dict[Status, Outcome] | None:
        reader = self.reader
        top = reader.mapping(node, STATUSES) if node is not None else None
        if top is None:
            return None
        outcomes: dict[Status, Outcome] = {}
        codes: dict[str, Span] = {}
        for status in STATUSES:
            part = top.get(status)
            entry = reader.mapping(part, ("code", "label", "meaning")) if part else None
            if entry is None:
                continue
            code = reader.text(entry.get("code"))
            label, meaning = reader.pair(entry.get("label")), reader.pair(entry.get("meaning"))
            if code in codes:
                reader.fault(
                    "310",
                    cast(Scalar, entry.get("code")).span,
                    f"two statuses have the outcome {shown(code)}",
                    "each outcome has its own code",
                )
            if code and label and meaning:
                codes[code] = entry.span
                outcomes[status] = Outcome(code, label, meaning)
        return outcomes if len(outcomes) == len(STATUSES) else None

    def _is_name(self, name: str, key: Scalar) -> bool:
        if _NAME.fullmatch(name) and name not in _RESERVED:
            return True
        self.reader.fault(
            "110",
            key.span,
            f"{shown(name)} cannot be a name in rules",
            "small letters, digits and underscores; not a word of the rule language",
        )
        return False
