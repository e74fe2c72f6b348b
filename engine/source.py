"""Read YAML and JSON text into nodes that know their place.

Scalars stay text: the declared type of what they are for reads them, never YAML. Size, depth and
count are limited on the event stream, before anything is built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from engine.diagnostics import (
    Diagnostic,
    OrderRejected,
    PlacetError,
    RulesRejected,
    Source,
    Span,
    shown,
)

MAX_BYTES = 1_000_000
MAX_DEPTH = 24
MAX_NODES = 30_000

# The parser of YAML knows no surrogate pairs; JSON writes characters beyond U+FFFF so.
_SURROGATES = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
)

# What JSON strings may hold as it is, but YAML refuses or reads as the end of a line.
_UNREADABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

Data = dict[str, Any] | list[Any] | str | int | bool | None


class JsonNumber(str):
    """A JSON number with a fraction or exponent, kept as it was written."""


@dataclass(slots=True, eq=False)
class Scalar:
    """A single value as written; `data` is what it says before any type is asked."""

    text: str
    data: str | int | bool | None
    where: Span | tuple[Source, Any, Any, str]
    """The place, or the parser's marks from which it is made when somebody asks."""
    style: str

    @property
    def span(self) -> Span:
        """The place of the value."""
        if isinstance(self.where, Span):
            return self.where
        source, begin, end, pointer = self.where
        return Span(
            source, begin.line + 1, begin.column + 1, end.line + 1, end.column + 1, pointer
        )

    def part(self, start: int, end: int) -> Span:
        """Place characters of the text in the source, as closely as the style allows."""
        here = self.span
        lines = here.source.lines
        if self.style == "|":
            return _part_of_block(self, start, end)
        if here.line != here.end_line or here.line > len(lines):
            return here
        raw = lines[here.line - 1][here.column - 1 : here.end_column - 1]
        shift = 1 if self.style in "'\"" and self.style else 0
        if len(raw) != len(self.text) + 2 * shift:
            return here
        column = here.column + shift
        return Span(here.source, here.line, column + start, here.line, column + end, here.pointer)


@dataclass(slots=True, eq=False)
class Sequence:
    """A list of nodes."""

    items: list[Node]
    span: Span


@dataclass(slots=True, eq=False)
class Mapping:
    """Named nodes in the order written; every name stands once."""

    entries: dict[str, tuple[Scalar, Node]]
    span: Span

    def __iter__(self) -> Iterator[tuple[str, Scalar, Node]]:
        for name, (key, node) in self.entries.items():
            yield name, key, node

    def get(self, name: str) -> Node | None:
        """The node of a name, if there is one."""
        found = self.entries.get(name)
        return None if found is None else found[1]


Node = Scalar | Sequence | Mapping


def read_file(path: Path, family: str, name: str | None = None) -> Node | None:
    """Read a file; `None` for an empty one. Raises the family's rejection with every fault."""
    return read_text(read_bytes(path, family, name), name or str(path), family)


def read_bytes(path: Path, family: str, name: str | None = None) -> bytes:
    """Read at most one byte more than is allowed, so that no large file is ever held."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(error, name or str(path), family) from None


def unreadable(error: OSError, name: str, family: str) -> PlacetError:
    """The rejection of a file that the system does not give."""
    reason = (error.strerror or "unreadable").lower()
    help = "check the path and its permissions"
    return _rejected(family, Span(Source(name)), "001", f"cannot be read: {reason}", help)


def read_text(text: bytes | str, name: str, family: str) -> Node | None:
    """Read YAML or JSON text. `family` is the letter of the codes its faults get: R, V or O."""
    source = Source(name)
    if len(text) > MAX_BYTES:
        raise _rejected(
            family,
            Span(source),
            "002",
            f"is larger than {MAX_BYTES:,} bytes",
            "keep one document per file; orders in bulk go through `placet sweep`",
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _rejected(
                family,
                Span(source),
                "001",
                f"is not UTF-8 text (byte {error.start})",
                "save the file as UTF-8",
            ) from None
    # The parser's line ends: YAML 1.1 has three more than \n, \r\n and \r; str.splitlines still more.
    lines = tuple(re.split("\r\n|[\n\r\x85\u2028\u2029]", text))
    source = Source(name, lines)
    as_json = text.lstrip()[:1] in ("{", "[") and _is_json(text)
    if as_json:
        text = _UNREADABLE.sub(lambda m: f"\\u{ord(m[0]):04x}", _SURROGATES.sub(_joined, text))
    return _Builder(source, family, as_json).build(text)


def plain(node: Node | None) -> Any:
    """Give the data of a node without its places: dicts, lists, text, JSON's own scalars."""
    match node:
        case None:
            return None
        case Scalar():
            return node.data
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {name: plain(value) for name, _, value in node}


def as_yaml(data: Any) -> str:
    """Write data as YAML that `read_text` and people read; texts keep their lines and characters."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100, indent=2
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Never writes anchors, which the reader refuses; what looks like a number is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """In any style but this one the next-line sign would come back as a blank."""
        style = '"' if "\x85" in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.add_representer(str, _Dumper.represent_str)
_Dumper.add_representer(JsonNumber, _Dumper.represent_str)


def find(node: Node | None, path: tuple[str | int, ...], default: Span) -> Span:
    """Place a path of names and positions: the value there, or the longest part that exists."""
    here = default if node is None else node.span
    for step in path:
        match node:
            case Mapping() if isinstance(step, str) and step in node.entries:
                key, node = node.entries[step]
                # The parser points at the mapping in which a name stands.
                named = replace(key.span, pointer=node.span.pointer)
                here = node.span if isinstance(node, Scalar) and node.text else named
            case Sequence() if isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                here = node.span
            case _:
                return here
    return here


def find_key(node: Node | None, path: tuple[str | int, ...], default: Span) -> Span:
    """Place the name at a path rather than its value."""
    for step in path[:-1]:
        match node:
            case Mapping() if isinstance(step, str) and step in node.entries:
                node = node.entries[step][1]
            case Sequence() if isinstance(step, int) and step < len(node.items):
                node = node.items[step]
            case _:
                return default
    last = path[-1] if path else None
    if isinstance(node, Mapping) and isinstance(last, str) and last in node.entries:
        key, value = node.entries[last]
        # The parser points at the mapping; who reads a pointer wants to know the name.
        return replace(key.span, pointer=value.span.pointer)
    return default if node is None else node.span


def _rejected(family: str, span: Span, code: str, message: str, help: str) -> PlacetError:
    fault = Diagnostic(family + code, span, message, help)
    return OrderRejected([fault]) if family in "OW" else RulesRejected([fault])


def _is_json(text: str) -> bool:
    """Whether a text that opens like JSON is JSON; a YAML flow mapping is not."""
    try:
        json.loads(text, parse_float=str, parse_int=str, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _joined(pair: re.Match[str]) -> str:
    """Write an escaped surrogate pair as the one character that JSON means by it."""
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def refuse_constant(word: str) -> None:
    """Refuse what Python takes for JSON and nobody else does: `NaN`, `Infinity`."""
    raise ValueError(word)


class _Builder:
    """Builds nodes from the parser's events, with no recursion and no YAML typing."""

    def __init__(self, source: Source, family: str, as_json: bool) -> None:
        self.source = source
        self.family = family
        self.as_json = as_json
        self.faults: list[Diagnostic] = []

    def build(self, text: str) -> Node | None:
        # Each open collection: its start, the nodes seen so far, and its pointer.
        stack: list[tuple[Any, list[Node], str]] = []
        root: Node | None = None
        documents = count = 0
        # Only orders come over HTTP, where a pointer is what tells the place.
        pointed = self.family in "OW"
        loader = yaml.CSafeLoader(text)
        try:
            while True:
                event = loader.get_event()
                kind = type(event)
                if kind is yaml.StreamEndEvent:
                    break
                if kind is yaml.ScalarEvent:
                    node: Node = self._scalar(event, self._pointer(stack) if pointed else "")
                elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
                    self._refuse_tags(event)
                    if len(stack) >= MAX_DEPTH:
                        raise self._fault(
                            event,
                            "003",
                            f"is nested more than {MAX_DEPTH} deep",
                            "flatten the document",
                        )
                    stack.append((event, [], self._pointer(stack) if pointed else ""))
                    continue
                elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
                    node = self._collection(*stack.pop(), event)
                elif kind is yaml.AliasEvent:
                    raise self._fault(
                        event, "006", "has an alias", "write the value where it is needed"
                    )
                elif kind is yaml.DocumentStartEvent:
                    documents += 1
                    if documents > 1:
                        raise self._fault(
                            event, "006", "has a second document", "keep one document per file"
                        )
                    continue
                else:
                    continue
                count += 1
                if count > MAX_NODES:
                    raise self._fault(
                        event,
                        "002",
                        f"has more than {MAX_NODES:,} values",
                        "keep one document per file",
                    )
                if stack:
                    stack[-1][1].append(node)
                else:
                    root = node
        except yaml.YAMLError as error:
            self._broken(error)
        finally:
            loader.dispose()
        if self.faults:
            raise (OrderRejected if self.family in "OW" else RulesRejected)(self.faults)
        if isinstance(root, Scalar) and root.data is None:
            return None
        return root

    def _pointer(self, stack: list[tuple[Any, list[Node], str]]) -> str:
        if not stack:
            return ""
        start, nodes, pointer = stack[-1]
        if type(start) is yaml.SequenceStartEvent:
            return f"{pointer}/{len(nodes)}"
        if len(nodes) % 2 and isinstance(nodes[-1], Scalar):
            # A longer name is no fact's: the pointer only has to tell the place.
            step = nodes[-1].text[:64]
            return f"{pointer}/{step.replace('~', '~0').replace('/', '~1')}"
        return pointer

    def _scalar(self, event: Any, pointer: str) -> Scalar:
        if event.anchor is not None or event.tag is not None:
            self._refuse_tags(event)
        text: str = event.value
        style = event.style or ""
        if style == ">":
            raise self._fault(
                event, "006", "has a folded scalar (`>`)", "use one line, or a `|` block"
            )
        data: str | int | bool | None = text
        if not style:
            if text in ("", "~", "null"):
                data = None
            elif self.as_json:
                data = json_scalar(text)
        marks = (self.source, event.start_mark, event.end_mark, pointer)
        return Scalar(text, data, marks, style)

    def _collection(self, start: Any, nodes: list[Node], pointer: str, end: Any) -> Node:
        begin, stop = start.start_mark, end.end_mark
        span = Span(
            self.source,
            begin.line + 1,
            begin.column + 1,
            stop.line + 1,
            stop.column + 1,
            pointer,
        )
        if type(start) is yaml.SequenceStartEvent:
            return Sequence(nodes, span)
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._note(key.span, "103", "a name must be text", "write `name: value`")
            elif key.text in entries:
                first = entries[key.text][0].span
                self.faults.append(
                    Diagnostic(
                        f"{self.family}005",
                        key.span,
                        f"{shown(key.text)} stands twice",
                        "keep one of the two",
                        (("the first stands here", first),),
                    )
                )
            elif key.text == "<<" and not key.style:
                self._note(key.span, "006", "has a merge key (`<<`)", "write the entries out")
            else:
                entries[key.text] = (key, value)
        return Mapping(entries, span)

    def _refuse_tags(self, event: Any) -> None:
        if event.anchor is not None:
            raise self._fault(event, "006", "has an anchor (`&`)", "write the value out")
        if event.tag is not None:
            raise self._fault(event, "006", "has a tag (`!`)", "leave the tag out")

    def _span(self, event: Any, pointer: str = "") -> Span:
        begin, end = event.start_mark, event.end_mark
        return Span(
            self.source, begin.line + 1, begin.column + 1, end.line + 1, end.column + 1, pointer
        )

    def _note(self, span: Span, code: str, message: str, help: str) -> None:
        self.faults.append(Diagnostic(self.family + code, span, message, help))

    def _fault(self, event: Any, code: str, message: str, help: str) -> PlacetError:
        self._note(self._span(event), code, message, help)
        return (OrderRejected if self.family in "OW" else RulesRejected)(self.faults)

    def _line(self, number: int) -> str:
        return self.source.lines[number - 1] if 0 < number <= len(self.source.lines) else ""

    def _broken(self, error: yaml.YAMLError) -> None:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        if line > len(self.source.lines):  # the parser ends a last line that does not end
            line, column = len(self.source.lines), len(self.source.lines[-1]) + 1
        problem = getattr(error, "problem", None) or getattr(error, "reason", None)
        wide = next((n for n in (line, line - 1, line - 2) if "：" in self._line(n)), None)
        if wide is not None:
            column = self._line(wide).index("：") + 1
            self._note(
                Span(self.source, wide, column, wide, column + 1),
                "004",
                "is not well-formed YAML: this colon is a full-width one",
                "write `:` and a blank",
            )
            return
        self._note(
            Span(self.source, line, column, line, column + 1),
            "004",
            f"is not well-formed YAML: {problem or 'unreadable'}",
            "check indentation, quotes and brackets near this place",
        )


def json_scalar(text: str) -> str | int | bool | None:
    """What a bare word or number of JSON says; a number that is none of ours stays text."""
    if text == "true":
        return True
    if text == "false":
        return False
    # Bounded before int() is asked: a longer integer is out of every bound anyway.
    if len(text) <= 20 and text.removeprefix("-").isdigit():
        return int(text)
    return JsonNumber(text)


def _part_of_block(scalar: Scalar, start: int, end: int) -> Span:
    here = scalar.span
    lines = here.source.lines
    before = scalar.text[:start]
    row = here.line + 1 + before.count("\n")
    first = next((n for n in range(here.line, len(lines)) if lines[n].strip()), None)
    if first is None or row > len(lines):
        return here
    indent = len(lines[first]) - len(lines[first].lstrip(" "))
    column = start - (before.rfind("\n") + 1)
    width = min(end - start, len(scalar.text[start:end].split("\n")[0]))
    return Span(
        here.source, row, indent + column + 1, row, indent + column + width + 1, here.pointer
    )
