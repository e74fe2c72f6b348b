"""Read an order, or the envelope around it, from untrusted data; all faults at once.

Numbers become exact, codes are looked up, the catalogue fills in what the product says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.data import Unplaced
from engine.diagnostics import MAX_FAULTS, Diagnostic, OrderRejected, Source, Span, nearest, shown
from engine.ir import Regime
from engine.shape import COMMA
from engine.source import Node, find, find_key, plain
from engine.values import Misfit, Type, Value, read, write
from engine.vocabulary import Code, FactDefinition, Vocabulary

Steps = tuple[str | int, ...]
_DATE = Type("date")
ENVELOPE = (
    "title",
    "story",
    "regime",
    "as_of",
    "parameters",
    "without",
    "facts",
    "basis",
    "expect",
    "vary",
)
_NO_VALUES: Mapping[str, Value] = {}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Document:
    """Data that was read, and where each part of it stands."""

    data: Any
    node: Node | Unplaced | None = None
    source: Source = field(default_factory=lambda: Source("request"))
    base: Steps = ()

    def at(self, *path: str | int) -> Span:
        """The place of a value."""
        whole, node = (*self.base, *path), self._placed()
        if node is None:
            pointer = "".join(f"/{str(s).replace('~', '~0').replace('/', '~1')}" for s in whole)
            return Span(self.source, pointer=pointer)
        return find(node, whole, node.span)

    def name_at(self, *path: str | int) -> Span:
        """The place of a name."""
        node = self._placed()
        if node is None:
            return self.at(*path)
        return find_key(node, (*self.base, *path), node.span)

    def _placed(self) -> Node | None:
        return self.node.node() if isinstance(self.node, Unplaced) else self.node

    def part(self, *path: str | int) -> Document:
        """A part of the document, which keeps its place in the whole."""
        data = self.data
        for step in path:
            data = data[step]
        return Document(data, self.node, self.source, (*self.base, *path))


def document(node: Node | None, name: str) -> Document:
    """A document from what `source` read; an empty one is refused."""
    source = Source(name) if node is None else node.span.source
    if node is None:
        raise OrderRejected(
            [
                Diagnostic(
                    "O301",
                    Span(source),
                    "the document is empty",
                    "write an order, or an envelope with `facts:`",
                )
            ]
        )
    return Document(plain(node), node, source)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Order:
    """The facts of one hypothetical transaction, by path and by slot."""

    stated: Mapping[str, Value]
    supplied: Mapping[str, Value]
    values: Sequence[Value]

    def origin(self, path: str) -> str | None:
        """Where the value of a fact comes from: the order or the catalogue."""
        if path in self.stated:
            return "order"
        return "catalogue" if path in self.supplied else None


def make_order(vocabulary: Vocabulary, stated: Mapping[str, Value]) -> Order:
    """An order from already typed facts; the catalogue supplies what they leave out."""
    supplied: dict[str, Value] = {}
    for key, rows in vocabulary.catalogue.items():
        code = stated.get(key)
        for path, value in rows.get(code, _NO_VALUES).items() if isinstance(code, str) else ():
            if path not in stated:
                supplied[path] = value
    facts = vocabulary.facts
    values: list[Value] = [None] * len(facts)
    for source in (stated, supplied):
        for path, value in source.items():
            values[facts[path].slot] = value
    return Order(stated, supplied, values)


def read_order(vocabulary: Vocabulary, document: Document) -> Order:
    """Read the facts of an order. Raises `OrderRejected` with every fault."""
    faults: list[Diagnostic] = []
    order = order_from(vocabulary, document, faults)
    if faults:
        raise OrderRejected(faults)
    return order


def order_from(
    vocabulary: Vocabulary,
    document: Document,
    faults: list[Diagnostic],
    changes: Document | None = None,
) -> Order:
    """Read the facts of an order, noting faults; `changes` replace facts, or remove them if null."""
    reader = _FactReader(vocabulary, document, faults)
    if isinstance(document.data, dict):
        reader.read(document.data, "", ())
    elif document.data is not None:
        faults.append(
            Diagnostic(
                "O103",
                document.at(),
                "the facts of an order are names with values",
                "write `order: {quantity: 20000}` or `order.quantity: 20000`",
            )
        )
    if changes is not None:
        reader.replace(changes)
    return make_order(vocabulary, reader.checked())


@dataclass(slots=True)
class _FactReader:
    vocabulary: Vocabulary
    document: Document
    faults: list[Diagnostic]
    stated: dict[str, Value] = field(default_factory=dict)
    places: dict[str, tuple[Document, Steps]] = field(default_factory=dict)

    def replace(self, changes: Document) -> None:
        """Take the facts of `changes` instead of those read so far; null leaves one unknown."""
        for path in _paths(changes.data):
            below = [p for p in self.places if p == path or p.startswith(f"{path}.")]
            for known in below:
                self.stated.pop(known, None)
                self.places.pop(known, None)
        self.document = changes
        self.read(changes.data, "", ())

    def read(self, data: Mapping[str, Any], prefix: str, path: Steps) -> None:
        facts, prefixes = self.vocabulary.facts, self.vocabulary.prefixes
        for name, written in data.items():
            if len(self.faults) >= MAX_FAULTS:
                return
            fact_path = f"{prefix}{name}"
            here = (*path, name)
            fact = facts.get(fact_path)
            if fact is not None:
                self._fact(fact, written, here)
            elif fact_path in prefixes and isinstance(written, dict):
                self.read(written, fact_path + ".", here)
            elif fact_path in prefixes:
                if written is not None:
                    self._fault("O103", here, f"{shown(fact_path)} holds facts", "nest them")
            else:
                self.faults.append(
                    Diagnostic(
                        "O201",
                        self.document.name_at(*here),
                        f"unknown fact {shown(fact_path)}",
                        COMMA
                        if written is None and not name[:1].isalpha()
                        else nearest(fact_path[:64], facts)
                        or "`placet rules --facts` lists what can be said",
                    )
                )

    def _fact(self, fact: FactDefinition, written: Any, here: Steps) -> None:
        path = fact.path
        if path in self.places:
            self._fault("O207", here, f"`{path}` is stated twice", "keep one of the two")
            return
        self.places[path] = (self.document, here)
        if written is None:
            return
        if fact.derived is not None:
            self._fault(
                "O205",
                here,
                f"`{path}` is derived and cannot be stated",
                "leave it out; it is computed",
            )
            return
        value = read(written, fact.type)
        if isinstance(value, Misfit):
            self._fault(f"O{value.code}", here, _told(path, written, value), value.help)
            return
        if fact.type.codes is not None:
            known = self.vocabulary.lists[fact.type.codes].codes
            if value not in known:
                message = f"unknown code {shown(written)} for `{path}`"
                self._fault("O204", here, message, _meant(str(written), known))
                return
        self.stated[path] = value

    def checked(self) -> dict[str, Value]:
        """What was stated, held against the catalogue."""
        for key, rows in self.vocabulary.catalogue.items():
            code = self.stated.get(key)
            if not isinstance(code, str):
                continue
            for path, value in rows.get(code, _NO_VALUES).items():
                if path in self.stated and self.stated[path] != value:
                    document, steps = self.places[path]
                    self.faults.append(
                        Diagnostic(
                            "O206",
                            document.at(*steps),
                            f"`{path}` disagrees with the catalogue, which gives "
                            f"`{write(value, self.vocabulary.facts[path].type)}` for `{code}`",
                            "leave it out, or leave the product out and state the item's figures",
                        )
                    )
        return self.stated

    def _fault(self, code: str, path: Steps, message: str, help: str) -> None:
        self.faults.append(Diagnostic(code, self.document.at(*path), message, help))


def _meant(written: str, known: Mapping[str, Code]) -> str:
    """The code that was probably meant: by its beginning, its name, or its spelling."""
    wanted = written.strip().casefold()
    begun = [code for code in known if wanted and code.casefold().startswith(wanted)]
    named = [
        c.code for c in known.values() if wanted in (c.label.en.casefold(), c.label.zh.casefold())
    ]
    if found := (named or begun)[:5]:
        return f"did you mean {' or '.join(f'`{code}`' for code in found)}?"
    some = ", ".join(list(known)[:8]) + (", …" if len(known) > 8 else "")
    near = nearest(written.upper(), known) or nearest(written, known)
    return near or f"one of: {some}; leave it out while it is not known"


def _paths(facts: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _told(path: str, written: Any, misfit: Misfit) -> str:
    value = str(written).lower() if isinstance(written, bool) else written
    subject = shown(value) if isinstance(value, str | int) else "this"
    message = misfit.message
    link = "" if message.startswith(("is ", "has ")) else "does not fit: "
    return f"`{path}`: {subject} {link}{message}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Envelope:
    """An order with what is asked of it; parts that name rules are read once a regime is known."""

    regime: str | None
    as_of: int | None
    facts: Document
    parameters: Document | None
    without: Document | None
    basis: Mapping[str, Any]
    whole: Document
    is_bare: bool


def read_envelope(
    document: Document, vocabulary: Vocabulary, faults: list[Diagnostic]
) -> Envelope:
    """Read an envelope, or take a document without `facts` as the facts alone."""
    data = document.data
    if not isinstance(data, dict):
        raise OrderRejected(
            [
                Diagnostic(
                    "O103",
                    document.at(),
                    "an order is names with values",
                    "write `order: {quantity: 20000}`, or an envelope with `facts:`",
                )
            ]
        )
    if "facts" not in data:
        return Envelope(None, None, document, None, None, {}, document, True)
    for name in data:
        if name not in ENVELOPE:
            faults.append(
                Diagnostic(
                    "O101",
                    document.name_at(name),
                    f"unknown name {shown(name)} in the envelope",
                    nearest(name, ENVELOPE) or f"known here: {', '.join(ENVELOPE)}",
                )
            )
    regime = data.get("regime")
    if regime is not None and not isinstance(regime, str):
        faults.append(Diagnostic("O103", document.at("regime"), "a regime is named by its id", ""))
        regime = None
    return Envelope(
        regime,
        read_day(document, "as_of", faults),
        document.part("facts"),
        document.part("parameters") if data.get("parameters") is not None else None,
        document.part("without") if data.get("without") is not None else None,
        read_basis(document, vocabulary, faults),
        document,
        False,
    )


def read_day(document: Document, name: str, faults: list[Diagnostic]) -> int | None:
    """Read a date of an envelope."""
    written = document.data.get(name)
    if written is None:
        return None
    value = read(written, _DATE)
    if isinstance(value, Misfit):
        faults.append(
            Diagnostic(
                "O212",
                document.at(name),
                f"`{name}` {shown(written)}: {value.message}",
                value.help,
            )
        )
        return None
    return value if isinstance(value, int) else None


def read_basis(
    document: Document, vocabulary: Vocabulary, faults: list[Diagnostic]
) -> dict[str, Any]:
    """Per fact the document it rests on: carried, never judged."""
    written = document.data.get("basis")
    if written is None:
        return {}
    if not isinstance(written, dict):
        faults.append(
            Diagnostic("O103", document.at("basis"), "`basis` names facts with documents", "")
        )
        return {}
    basis: dict[str, Any] = {}
    for path, entry in written.items():
        if path not in vocabulary.facts:
            faults.append(
                Diagnostic(
                    "O201",
                    document.name_at("basis", path),
                    f"unknown fact {shown(path)}",
                    nearest(path, vocabulary.facts),
                )
            )
            continue
        parts = entry if isinstance(entry, dict) else {"document": entry}
        for name, value in parts.items():
            here = ("basis", path, name) if isinstance(entry, dict) else ("basis", path)
            if name not in ("document", "dated", "entered_by"):
                faults.append(
                    Diagnostic(
                        "O101",
                        document.name_at(*here),
                        f"unknown name {shown(name)} in `basis`",
                        "known here: document, dated, entered_by",
                    )
                )
                continue
            kind = _DATE if name == "dated" else Type("text")
            if isinstance(misfit := read(value, kind), Misfit):
                faults.append(Diagnostic("O202", document.at(*here), misfit.message, misfit.help))
        basis[path] = entry
    return basis


def read_parameters(
    regime: Regime, document: Document | None, faults: list[Diagnostic]
) -> dict[str, Value]:
    """Read changed parameter values by their declared types and bounds."""
    if document is None:
        return {}
    if not isinstance(document.data, dict):
        faults.append(
            Diagnostic("O103", document.at(), "`parameters` names values", "write `cap: 100000`")
        )
        return {}
    changed: dict[str, Value] = {}
    for name, written in document.data.items():
        if name not in regime.parameters:
            faults.append(
                Diagnostic(
                    "O209",
                    document.name_at(name),
                    f"`{regime.id}` has no parameter {shown(name)}",
                    nearest(name, regime.parameters)
                    or f"parameters: {', '.join(regime.parameters) or 'none'}",
                )
            )
            continue
        value = (
            Misfit("202", "has no value", "give one")
            if written is None
            else read(written, regime.parameters[name].type)
        )
        if isinstance(value, Misfit):
            faults.append(
                Diagnostic("O210", document.at(name), _told(name, written, value), value.help)
            )
        else:
            changed[name] = value
    return changed


def read_without(
    regime: Regime, document: Document | None, faults: list[Diagnostic]
) -> tuple[str, ...]:
    """Read the ids of rules left out, short or with their regime, in rule order."""
    if document is None:
        return ()
    written = document.data if isinstance(document.data, list) else [document.data]
    known = [rule.id for rule in regime.rules]
    named: set[str] = set()
    for position, id in enumerate(written):
        short = id.removeprefix(f"{regime.id}/") if isinstance(id, str) else id
        if short in known:
            named.add(short)
        else:
            path = (position,) if isinstance(document.data, list) else ()
            faults.append(
                Diagnostic(
                    "O211",
                    document.at(*path),
                    f"`{regime.id}` has no rule {shown(id)}",
                    nearest(str(short), known) or f"rules: {', '.join(known)}",
                )
            )
    return tuple(id for id in known if id in named)


def write_facts(vocabulary: Vocabulary, stated: Mapping[str, Value]) -> dict[str, Any]:
    """Write stated facts by path, in the order of the vocabulary."""
    facts = vocabulary.facts
    paths = sorted(stated, key=lambda path: facts[path].slot)
    return {path: write(stated[path], facts[path].type) for path in paths}
