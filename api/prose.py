"""Set running text at a terminal: lines break as each script does, lists hang, tables have no frames."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

NARROWEST, WIDEST = 80, 100
# A mark that may not begin a line, and one that may not end it.
_CLOSING = "〕，。；：、？！）》”’】％…,.;:?!)]}%"
_OPENING = "〔（《“‘【([{"


@dataclass(frozen=True, slots=True)
class Prose:
    """A text that breaks between words, never inside one, in either script; hangs if asked."""

    text: Text
    indent: int = 0
    hang: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        first, later = " " * self.indent, " " * (self.indent + self.hang)
        width = min(options.max_width, WIDEST) - len(later)
        for number, line in enumerate(_broken(self.text, max(8, width), self.hang)):
            yield Text.assemble(later if number else first, line, no_wrap=True, overflow="ignore")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        pieces = [cell_len(piece.strip()) for _, piece in _pieces(self.text.plain)]
        room = self.indent + self.hang
        return Measurement(max(pieces, default=0) + room, cell_len(self.text.plain) + room)


def _pieces(text: str) -> list[tuple[int, str]]:
    """What may not be broken: words with the blank behind them, single Chinese characters."""
    pieces: list[tuple[int, str]] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or _may_break(text[end - 1], text[end]):
            pieces.append((start, text[start:end]))
            start = end
    return pieces


def _may_break(before: str, after: str) -> bool:
    if after in _CLOSING or before in _OPENING or after == " ":
        return False
    if before == " ":
        return True
    if after.isdigit() and before in "年月第":
        return False
    return _is_wide(before) or (_is_wide(after) and not before.isdigit())


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _broken(text: Text, width: int, hang: int) -> list[Text]:
    """The lines of a text; the first is longer by what the others hang."""
    cuts: list[int] = []
    room, used = width + hang, 0
    for start, piece in _pieces(text.plain):
        size = cell_len(piece.rstrip())
        if used and used + size > room:
            cuts.append(start)
            room, used = width, 0
        used += cell_len(piece)
    lines = list(text.divide(cuts)) if cuts else [text.copy()]
    for line in lines:
        line.rstrip()
    return lines


def prose(text: str, style: str = "", indent: int = 2, hang: int = 0) -> Prose:
    """A text as it is set on a page."""
    return Prose(Text(text, style=style), indent, hang)


def bullet(*parts: str | tuple[str, str], indent: int = 2) -> Prose:
    """A point of a list with its text hanging."""
    return Prose(Text.assemble("• ", *parts), indent, 2)


def address(url: str, indent: int) -> Text:
    """An address is never broken: it is copied whole."""
    return Text(" " * indent + url, style="dim", no_wrap=True, overflow="ignore")


def plain_table(*columns: Column) -> Table:
    """A table without frames."""
    headed = any(str(column.header) for column in columns)
    return Table(
        *columns,
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
        show_header=headed,
        header_style="dim",
    )


@dataclass(frozen=True, slots=True)
class Indented:
    """A table set in by two, no wider than a page."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        # On a narrower terminal the lines run over: nothing is cut off.
        narrow = options.update(width=max(NARROWEST, min(options.max_width, WIDEST)) - 2)
        for line in console.render_lines(self.table, narrow, pad=False):
            text = Text("  ", no_wrap=True, overflow="ignore")
            for segment in line:
                text.append(segment.text, segment.style)
            text.rstrip()
            yield text


def terminal() -> Console:
    """Standard output for people: no markup in user text, lines that can be read and pasted."""
    return Console(
        highlight=False,
        markup=False,
        width=min(Console().width, WIDEST),
        file=cast(IO[str], _Trimmed()),
    )


class _Trimmed:
    """Standard output without blanks at the ends of lines."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return sys.stdout.write(re.sub(r"[ ]+(?=\n)", "", text))

    def flush(self) -> None:
        sys.stdout.flush()

    def isatty(self) -> bool:
        return sys.stdout.isatty()
