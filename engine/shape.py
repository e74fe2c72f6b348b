"""Read the shape of a document: its names, texts, words and dates, every fault noted with its place.

What a document means is for the passes that use this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from engine.diagnostics import Diagnostic, Span, nearest, shown
from engine.ir import Pair, Period
from engine.source import Mapping, Node, Scalar, Sequence
from engine.values import Misfit, Type, Value
from engine.values import read as read_value

_DATE = Type("date")
MAX_UNKNOWN = 50
"""Unknown names told per mapping; more are those of another kind of document."""
COMMA = "a comma ends an unquoted text inside { }: put quotes round the text"


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads nodes of one family of files; faults go to `faults`, and what has one reads as None."""

    family: str
    faults: list[Diagnostic]

    def fault(
        self,
        code: str,
        span: Span,
        message: str,
        help: str = "",
        notes: tuple[tuple[str, Span | None], ...] = (),
    ) -> None:
        """Note an error."""
        self.faults.append(Diagnostic(self.family + code, span, message, help, notes))

    def mapping(
        self, node: Node | None, required: Collection[str], optional: Collection[str] = ()
    ) -> Mapping | None:
        """A mapping with every required name and none but those known."""
        if not isinstance(node, Mapping):
            self.shape(node, "names with values")
            return None
        unknown = 0
        for name, key, value in node:
            if name not in required and name not in optional:
                unknown += 1
                if unknown > MAX_UNKNOWN:
                    break
                known = [*required, *optional]
                cut = isinstance(value, Scalar) and value.data is None and value.style == ""
                self.fault(
                    "101",
                    key.span,
                    f"unknown name {shown(name)}",
                    nearest(name, known) or (COMMA if cut else f"known here: {', '.join(known)}"),
                )
        for name in required:
            if name not in node.entries:
                self.fault(
                    "102", head(node.span), f"`{name}` is missing", f"add a line `{name}: …`"
                )
        return node

    def open_mapping(self, node: Node | None) -> Mapping | None:
        """A mapping whose names are the author's own; nothing where the node is absent."""
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.shape(node, "names with values")
            return None
        return node

    def items(self, node: Node | None) -> list[Node]:
        """The items of a list; none where it is absent."""
        if node is None or (isinstance(node, Scalar) and node.data is None):
            return []
        if not isinstance(node, Sequence):
            self.shape(node, "a list")
            return []
        return node.items

    def text(self, node: Node | None) -> str | None:
        """A text of at least one character."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or not node.text.strip():
            self.shape(node, "text")
            return None
        return node.text

    def scalar(self, node: Node | None) -> Scalar | None:
        """A single value, unread."""
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.shape(node, "a single value")
            return None
        return node

    def pair(self, node: Node | None) -> Pair | None:
        """A text in English and Chinese."""
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.fault(
                "107", node.span, "this text stands in one language", "write {en: …, zh: …}"
            )
            return None
        for name, key, _ in node:
            if name not in ("en", "zh"):
                self.fault(
                    "101",
                    key.span,
                    f"unknown name {shown(name)}",
                    COMMA,
                )
        both: list[str | None] = []
        for language in ("en", "zh"):
            if language not in node.entries:
                self.fault(
                    "107", head(node.span), f"the text lacks `{language}`", "write both languages"
                )
                both.append(None)
            else:
                both.append(self.text(node.get(language)))
        en, zh = both
        return Pair(en, zh) if en is not None and zh is not None else None

    def pair_or_text(self, node: Node | None) -> Pair | None:
        """A pair, or one text that then stands for both."""
        if isinstance(node, Scalar):
            text = self.text(node)
            return None if text is None else Pair(text, text)
        return self.pair(node)

    def word(self, node: Node | None, words: Iterable[str]) -> str | None:
        """One of the words known here."""
        text = self.text(node)
        known = list(words)
        if text is None or node is None or text in known:
            return text
        self.fault(
            "104",
            node.span,
            f"{shown(text)} is not one of the words known here",
            nearest(text, known) or f"known here: {', '.join(known)}",
        )
        return None

    def day(self, node: Node | None) -> int | None:
        """A date as its day number."""
        value = self.value(node, _DATE)
        return value if isinstance(value, int) else None

    def value(self, node: Node | None, type: Type) -> Value:
        """A value of a declared type."""
        scalar = self.scalar(node)
        if scalar is None:
            return None
        if scalar.data is None:
            self.shape(scalar, "a value")
            return None
        value = read_value(scalar.data, type)
        if isinstance(value, Misfit):
            self.fault("106", scalar.span, f"{shown(scalar.text)} {_fitted(value)}", value.help)
            return None
        return value

    def period(self, node: Node | None) -> Period | None:
        """`from` and perhaps `until`, the first day no longer in force."""
        mapping = self.mapping(node, ("from",), ("until",)) if node is not None else None
        if mapping is None:
            return None
        start, until = self.day(mapping.get("from")), self.day(mapping.get("until"))
        if start is None:
            return None
        if until is not None and until <= start:
            stop = mapping.get("until")
            self.fault(
                "304",
                stop.span if stop else mapping.span,
                "`until` is not after `from`",
                "`until` is the first day no longer in force",
            )
        return Period(start, until)

    def shape(self, node: Node | None, wanted: str) -> None:
        """Note that something else should stand here."""
        if node is not None:
            self.fault("103", head(node.span), f"{wanted} should stand here", "")


def head(span: Span) -> Span:
    """The first line of a place, so that a fault about a whole block underlines its start."""
    if span.line == span.end_line:
        return span
    lines = span.source.lines
    width = len(lines[span.line - 1]) if span.line <= len(lines) else span.column
    return Span(span.source, span.line, span.column, span.line, width + 1, span.pointer)


def _fitted(misfit: Misfit) -> str:
    message = misfit.message
    return message if message.startswith(("is ", "has ")) else f"does not fit: {message}"
