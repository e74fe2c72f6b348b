"""Read the axes of a sweep from untrusted data: what each varies, and its values; all faults at once.

How many values an axis has is computed before any is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from engine.diagnostics import MAX_FAULTS, Diagnostic, Span, nearest, shown
from engine.ir import Regime
from engine.order import Document, Order, Steps
from engine.values import Misfit, Type, Value, read, write
from engine.vocabulary import Vocabulary

MAX_CELLS = 100_000
MAX_POLICIES = 1_000
"""Values of an axis that changes the rules: of a parameter, or of the date that chooses them."""

_FORMS = ({"values"}, {"from", "to", "step"}, {"from", "to", "count"})
_NAMES = ("fact", "parameter", "from", "to", "step", "count", "values")


@dataclass(frozen=True, slots=True)
class Axis:
    """A fact or parameter that a sweep varies, with its values in the order of the cells."""

    name: str
    is_parameter: bool
    type: Type
    values: tuple[Value, ...]
    span: Span

    @property
    def is_continuous(self) -> bool:
        """Whether there are values between two others: so it is with numbers and dates."""
        return self.type.is_numeric or self.type.kind == "date"


def read_axes(
    vocabulary: Vocabulary, regime: Regime, document: Document, faults: list[Diagnostic]
) -> tuple[Axis, ...]:
    """Read the `axes` of a request, noting faults; no list is made longer than a sweep may be."""
    return _AxisReader(vocabulary, regime, document, faults).axes()


@dataclass(frozen=True, slots=True)
class _AxisReader:
    vocabulary: Vocabulary
    regime: Regime
    document: Document
    faults: list[Diagnostic]

    def axes(self) -> tuple[Axis, ...]:
        data = self.document.data
        if not isinstance(data, list) or not 1 <= len(data) <= 2:
            self._fault("W201", (), "a sweep has one axis or two", 'write `"axes": [{…}]`')
            return ()
        read_ones = [self._axis(entry, (number,)) for number, entry in enumerate(data)]
        axes = tuple(axis for axis in read_ones if axis is not None)
        if len({axis.name for axis in axes}) < len(axes):
            what = f"both axes vary `{axes[0].name}`"
            self._fault("W210", (1,), what, "vary something else, or leave one axis out")
        elif prod(len(axis.values) for axis in axes) > MAX_CELLS:
            told = f"{len(axes[0].values):,} × {len(axes[1].values):,} cells are too many"
            self._fault("W208", (), told, f"at most {MAX_CELLS:,}: take larger steps")
        return axes

    def _axis(self, entry: Any, here: Steps) -> Axis | None:
        if not isinstance(entry, dict):
            help = 'write `{"fact": "order.quantity", "from": "1", "to": "100", "step": "1"}`'
            self._fault("W201", here, "an axis names what it varies, with its values", help)
            return None
        for name in entry:
            if name not in _NAMES:
                help = nearest(str(name), _NAMES) or f"known here: {', '.join(_NAMES)}"
                self._fault("W202", (*here, name), f"unknown name {shown(name)} in an axis", help)
        subject = self._subject(entry, here)
        form = {name for name in _NAMES[2:] if entry.get(name) is not None}
        if form not in _FORMS:
            self._fault(
                "W206",
                here,
                "it is not clear which values the axis has",
                "give `values`, or `from` and `to` with either `step` or `count`",
            )
            return None
        if subject is None:
            return None
        name, is_parameter, kind = subject
        axis = Axis(name, is_parameter, kind, (), self.document.at(*here))
        values = (
            self._listed(axis, entry["values"], (*here, "values"))
            if "values" in form
            else self._spread(axis, entry, here)
        )
        if is_parameter and len(values) > MAX_POLICIES:
            told = f"{len(values):,} values of a parameter are too many"
            self._fault("W208", here, told, f"at most {MAX_POLICIES:,}")
        return replace(axis, values=values) if values else None

    def _subject(self, entry: Mapping[str, Any], here: Steps) -> tuple[str, bool, Type] | None:
        named = [kind for kind in ("fact", "parameter") if entry.get(kind) is not None]
        if len(named) != 1:
            self._fault("W203", here, "an axis varies one fact or one parameter", "name it")
            return None
        (kind,), name = named, entry[named[0]]
        here = (*here, kind)
        known: Mapping[str, Any] = (
            self.vocabulary.facts if kind == "fact" else self.regime.parameters
        )
        if not isinstance(name, str):
            self._fault("W203", here, f"a {kind} is named by text", 'such as `"order.quantity"`')
            return None
        if name not in known:
            help = nearest(name[:64], known)
            if kind == "parameter":
                help = help or f"parameters: {', '.join(known) or 'none'}"
            self._fault("W204", here, f"unknown {kind} {shown(name)}", help)
            return None
        if kind == "fact" and self.vocabulary.facts[name].derived is not None:
            told = f"`{name}` is derived and cannot be varied"
            self._fault("W205", here, told, "vary the facts from which it is computed")
            return None
        if known[name].type.kind == "text":
            self._fault("W205", here, f"`{name}` is text, which no rule judges", "vary another")
            return None
        return name, kind == "parameter", known[name].type

    def _listed(self, axis: Axis, written: Any, here: Steps) -> tuple[Value, ...]:
        if not isinstance(written, list) or not written:
            self._fault("W206", here, "`values` is a list of values", 'such as `["CN", "HK"]`')
            return ()
        if not self._is_bounded(len(written), here):
            return ()
        values: dict[Value, None] = {}
        for number, entry in enumerate(written):
            if len(self.faults) >= MAX_FAULTS:
                return ()
            value = None
            if entry is not None or axis.is_parameter:
                value = self._value(axis.type, entry, (*here, number))
                if value is None:
                    continue
            if value in values:
                told = f"{shown(write(value, axis.type))} stands twice"
                self._fault("W210", (*here, number), told, "list each value once")
            values[value] = None
        return tuple(values)

    def _spread(self, axis: Axis, entry: Mapping[str, Any], here: Steps) -> tuple[Value, ...]:
        kind = axis.type
        if not axis.is_continuous:
            told = f"`{axis.name}` has no values from one to another"
            self._fault("W206", here, told, "list them as `values`")
            return ()
        by = "count" if entry.get("count") is not None else "step"
        lo, hi = (self._number(kind, entry[name], (*here, name)) for name in ("from", "to"))
        # A step is written as the fact is, and dates step in days.
        counted = by == "count" or kind.kind == "date"
        step = Type("integer") if counted else Type(kind.kind, kind.scale)
        size = self._number(step, entry[by], (*here, by))
        if lo is None or hi is None or size is None:
            return ()
        if lo >= hi:
            help = "exchange the two; a single value is listed as `values`"
            self._fault("W209", (*here, "to"), "`to` does not lie after `from`", help)
            return ()
        if size < (2 if by == "count" else 1):
            help = "give 2 or more" if by == "count" else "give more than nothing"
            self._fault("W209", (*here, by), f"`{by}` is too small", help)
            return ()
        if by == "step":
            count = -((lo - hi) // size) + 1
            return (*range(lo, hi, size), hi) if self._is_bounded(count, (*here, by)) else ()
        if size > hi - lo + 1:
            told = f"there are only {hi - lo + 1:,} values from `from` to `to`"
            self._fault("W209", (*here, by), told, f"count at most {hi - lo + 1:,}")
            return ()
        if not self._is_bounded(size, (*here, by)):
            return ()
        return tuple(lo + (hi - lo) * number // (size - 1) for number in range(size))

    def _number(self, kind: Type, written: Any, here: Steps) -> int | None:
        value = self._value(kind, written, here)
        return value if isinstance(value, int) else None

    def _value(self, kind: Type, written: Any, here: Steps) -> Value:
        """A value of a type; nothing where it has a fault."""
        value = (
            Misfit("202", "has no value", "give one") if written is None else read(written, kind)
        )
        if isinstance(value, Misfit):
            told = shown(written) if isinstance(written, str | int) else "this"
            self._fault("W207", here, f"{told}: {value.message}", value.help)
            return None
        if kind.codes is not None and value not in self.vocabulary.lists[kind.codes].codes:
            help = nearest(str(value).upper(), self.vocabulary.lists[kind.codes].codes)
            self._fault("W207", here, f"unknown code {shown(written)}", help)
            return None
        return value

    def _is_bounded(self, count: int, here: Steps) -> bool:
        if count > MAX_CELLS:
            told = f"{count:,} values are too many"
            self._fault("W208", here, told, f"at most {MAX_CELLS:,}: take larger steps")
        return count <= MAX_CELLS

    def _fault(self, code: str, path: Steps, message: str, help: str) -> None:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Diagnostic(code, self.document.at(*path), message, help))


def contradictions(
    vocabulary: Vocabulary, base: Order, axes: Sequence[Axis]
) -> Iterator[Diagnostic]:
    """Cells that name a product and state another figure than its row of the catalogue has.

    One fault for each figure, which names the first few of its values.
    """
    varied = {axis.name: axis for axis in axes if not axis.is_parameter}
    for key, rows in vocabulary.catalogue.items():
        products = _values(varied, base, key)
        for path in dict.fromkeys(path for row in rows.values() for path in row):
            if key not in varied and path not in varied:
                continue
            kind = vocabulary.facts[path].type
            stated = [value for value in _values(varied, base, path) if value is not None]
            against = [
                f"{shown(write(value, kind))} for `{product}`, "
                f"which has {shown(write(row[path], kind))}"
                for product in products
                if isinstance(product, str) and path in (row := rows.get(product, {}))
                for value in stated
                if value != row[path]
            ]
            if against:
                more = f", and {len(against) - 5:,} more" if len(against) > 5 else ""
                yield Diagnostic(
                    "W211",
                    (varied.get(path) or varied[key]).span,
                    f"`{path}` disagrees with the catalogue: {'; '.join(against[:5])}{more}",
                    f"leave `{path}` to the catalogue, or leave `{key}` out and state the item's "
                    "figures",
                )


def _values(varied: Mapping[str, Axis], base: Order, path: str) -> tuple[Value, ...]:
    return varied[path].values if path in varied else (base.stated.get(path),)
