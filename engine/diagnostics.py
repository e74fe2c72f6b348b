"""One kind of fault: a located `Diagnostic`; collected, sorted, and told in four ways.

Nothing here decides what is wrong; the passes that read and check do.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal
from urllib.parse import quote

Severity = Literal["error", "warning"]
MAX_FAULTS = 100
"""More faults than that are those of another kind of document."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text that was read: its name as the user knows it, and its lines."""

    name: str
    lines: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a source: 1-based lines and columns, counted in characters, end exclusive."""

    source: Source
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    pointer: str = field(default="", compare=False)

    def as_json(self) -> dict[str, Any]:
        """The place as JSON, with a pointer where the text was JSON."""
        place: dict[str, Any] = {
            "file": self.source.name,
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "end_column": self.end_column,
        }
        if self.pointer:
            place["pointer"] = self.pointer
        return place


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A fault: what is wrong, where, and what to do about it."""

    code: str
    span: Span
    message: str
    help: str = ""
    notes: tuple[tuple[str, Span | None], ...] = ()
    severity: Severity = "error"
    said_zh: str = ""
    """Its own Chinese, where that says more than its code does."""

    @property
    def zh(self) -> str:
        """What is wrong and what to do in Chinese, where it or its code says so; else nothing."""
        from engine.fault_codes import CODES

        return self.said_zh or (CODES[self.code].zh if self.code in CODES else "")

    def as_json(self) -> dict[str, Any]:
        """The fault as JSON; with its code's Chinese, where there is any."""
        return {
            "code": self.code,
            "severity": self.severity,
            **self.span.as_json(),
            "message": self.message,
            "help": self.help,
            **({"zh": self.zh} if self.zh else {}),
            "notes": [
                {"text": text, **({} if span is None else span.as_json())}
                for text, span in self.notes
            ],
        }


class PlacetError(Exception):
    """The root of what placet itself raises; anything else is a bug."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = ordered(diagnostics)
        if not self.diagnostics:
            raise ValueError("a rejection names at least one fault")
        super().__init__("; ".join(f"{d.code} {d.message}" for d in self.diagnostics))


class RulesRejected(PlacetError):
    """Rules, vocabulary or sources that cannot be used."""


class OrderRejected(PlacetError):
    """An order, scenario or request that cannot be read."""


class BackendFailure(PlacetError):
    """A back end that failed, or cannot express a regime; nothing is said of the order."""


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by file, place and code; say each fault once."""
    return tuple(
        sorted(
            dict.fromkeys(diagnostics),
            key=lambda d: (
                d.span.source.name,
                d.span.line,
                d.span.column,
                d.code,
                d.message,
            ),
        )
    )


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is an error rather than a warning."""
    return any(d.severity == "error" for d in diagnostics)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say the nearest known name as help, or nothing where none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def visible(text: str) -> str:
    """User text made safe to print: no control, direction or other invisible characters."""
    return "".join(
        c if c.isprintable() and unicodedata.category(c) != "Cf" else f"\\u{ord(c):04x}"
        for c in text
    )


def shown(value: object, limit: int = 60) -> str:
    """Quote user text in a message: one line, bounded, invisible characters made visible."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    clean = visible(text[: limit + 1])
    return f"`{clean[:limit]}…`" if len(text) > limit else f"`{clean}`"


# --- telling ---


def as_text(diagnostics: Sequence[Diagnostic]) -> str:
    """Tell faults to people: place, message, the line with the faulty part underlined, help."""
    return "\n\n".join(_told(d) for d in diagnostics)


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Tell faults as one JSON list."""
    return json.dumps([d.as_json() for d in diagnostics], ensure_ascii=False, indent=2)


def as_github(diagnostics: Sequence[Diagnostic]) -> str:
    """Tell faults as workflow commands that annotate a change on GitHub."""
    return "\n".join(
        f"::{d.severity} file={_escaped(d.span.source.name, True)},line={d.span.line},"
        f"col={d.span.column},endLine={d.span.end_line},endColumn={d.span.end_column},"
        f"title={d.code}::{_escaped(d.message + (f' ({d.help})' if d.help else ''))}"
        for d in diagnostics
    )


def as_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """Tell faults as SARIF 2.1.0, which code-scanning pages read."""
    from engine.fault_codes import CODES

    codes = sorted({d.code for d in diagnostics})
    report = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "placet",
                        "rules": [
                            {
                                "id": code,
                                "shortDescription": {"text": CODES[code].title},
                                "help": {"text": CODES[code].mend},
                            }
                            for code in codes
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": d.code,
                        "level": d.severity,
                        "message": {"text": d.message + (f" ({d.help})" if d.help else "")},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": quote(d.span.source.name)},
                                    "region": {
                                        "startLine": d.span.line,
                                        "startColumn": d.span.column,
                                        "endLine": d.span.end_line,
                                        "endColumn": d.span.end_column,
                                    },
                                }
                            }
                        ],
                    }
                    for d in diagnostics
                ],
            }
        ],
    }
    return json.dumps(report, ensure_ascii=False, indent=2)


def _told(fault: Diagnostic) -> str:
    span = fault.span
    place = f"{visible(span.source.name)}:{span.line}:{span.column}"
    told = [f"{place}: {fault.severity} {fault.code}: {fault.message}"]
    told += _underlined(span)
    if fault.help:
        told.append(f"  help: {fault.help}")
    for text, noted in fault.notes:
        where = f" ({visible(noted.source.name)}:{noted.line}:{noted.column})" if noted else ""
        told.append(f"  note: {text}{where}")
    return "\n".join(told)


def _underlined(span: Span, width: int = 100) -> list[str]:
    if not 1 <= span.line <= len(span.source.lines):
        return []
    line = span.source.lines[span.line - 1]
    start = span.column - 1
    stop = span.end_column - 1 if span.end_line == span.line else len(line)
    cut = max(0, start - width // 2)
    stop = min(max(stop, start + 1), cut + width)
    text = "".join(c if c.isprintable() else " " for c in line[cut : cut + width])
    before = "…" if cut else ""
    after = "…" if len(line) > cut + width else ""
    number = f"{span.line:>5}"
    pad = _cells(before + text[: start - cut])
    carets = max(1, _cells(text[start - cut : stop - cut]))
    return [f"{number} | {before}{text}{after}", f"      | {' ' * pad}{'^' * carets}"]


def _cells(text: str) -> int:
    """How many terminal cells a text takes: wide East Asian characters take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _escaped(text: str, in_property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text
