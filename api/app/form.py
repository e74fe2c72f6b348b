"""The form of the Decide page: what was typed, tidied, and the envelope that it says.

Officers type `75,000`, `7.5万` or full-width digits. The form alone makes exact written values of
them; what could be meant in two ways stays as it was typed, and the engine says what is wrong.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

from api.stories import flat
from engine.load import Rulebook
from engine.source import JsonNumber
from engine.values import Type, write_number
from engine.vocabulary import FactDefinition, Vocabulary

MOST_FIELDS = 5_000
MOST_DIGITS = 15
"""Longer numbers are no amounts; a shorter one can be held."""
GOVERNMENT = ("kind=licence-condition", "kind=procedure", "kind=duty")
"""What is judged when only conditions of the US government are asked for."""
_PAPER = ("document", "dated", "entered_by")

# Full-width signs stand for their ASCII counterparts; some blanks and dashes for the plain ones.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN |= dict.fromkeys((0x3000, 0xA0, 0x2007, 0x2009, 0x202F), 0x20) | {0x2212: 0x2D}
_NUMBER = re.compile(
    r"(-?)([0-9]{1,30}|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+)"
    r"(?:\.([0-9]{1,30}))? ?([万萬亿億%]?)",
    re.ASCII,
)
_LONG = re.compile(r"[0-9][0-9, ]*(?:\.[0-9]*)?", re.ASCII)
_DOLLARS = re.compile(r"(?:US\$|USD|\$) ?(.+)|(.+?) ?(?:USD|美元)", re.ASCII | re.IGNORECASE)
_DAY = re.compile(
    r"([0-9]{4})(?:-([0-9]{1,2})-|/([0-9]{1,2})/|\.([0-9]{1,2})\.|年([0-9]{1,2})月)([0-9]{1,2})日?",
    re.ASCII,
)
_TIMES = {"万": 4, "萬": 4, "亿": 8, "億": 8}
_WRITTEN = re.compile(r"(-?)([0-9]+)(\.[0-9]+)?", re.ASCII)
_YES = ("yes", "true", "y", "1", "是", "有", "√", "✓")
_NO = ("no", "false", "n", "0", "否", "无", "×", "✗")
_OPEN = ("", "unknown", "?", "n/a", "未知", "待定", "不详", "-", "—")


def tidy(typed: str, type: Type) -> str:
    """What was typed as an exact written value of a type; anything doubtful as it was typed.

    `tidy("7.5万", Type("integer"))` is `75000`; `27k` and `1.234,5` stay.
    """
    if type.kind in ("text", "code", "boolean"):
        return typed if type.kind == "text" and typed.strip() else typed.strip()
    text = typed.translate(_PLAIN).strip()
    if type.kind == "date":
        return _day(text)
    if type.kind == "money" and (dollars := _DOLLARS.fullmatch(text)):
        text = dollars[1] or dollars[2]
    found = _NUMBER.fullmatch(text)
    if found is None or (found[4] == "%" and type.kind != "ratio"):
        return typed.strip()
    fraction = found[3] or ""
    value = int(re.sub("[, ]", "", found[2]) + fraction)
    decimals = len(fraction) + (2 if found[4] == "%" else 0)
    value *= 10 ** _TIMES.get(found[4], 0)
    while decimals and value % 10 == 0:
        value, decimals = value // 10, decimals - 1
    most = {"integer": 0, "money": 2}.get(type.kind, type.scale)
    if decimals > most:
        return typed.strip()
    value = -value if found[1] else value
    return write_number(value, decimals, 2 if type.kind == "money" else 0)


def is_too_long(typed: str) -> bool:
    """Whether what was typed is a number of more digits than any amount has."""
    text = typed.translate(_PLAIN).strip()
    whole = re.sub("[, ]", "", text.partition(".")[0]).lstrip("0")
    return _LONG.fullmatch(text) is not None and len(whole) > MOST_DIGITS


def _day(text: str) -> str:
    found = _DAY.fullmatch(text)
    if found is None:
        return text
    month = found[2] or found[3] or found[4] or found[5]
    return f"{found[1]}-{int(month):02}-{int(found[6]):02}"


def shown(written: str, type: Type) -> str:
    """A written value as it stands in its field: digits in groups, a ratio in per cent."""
    found = _WRITTEN.fullmatch(written)
    if not type.is_numeric or found is None:
        return written
    if type.kind == "ratio":
        digits = (found[3] or ".")[1:]
        value = int(found[1] + found[2] + digits)
        return f"{write_number(value * 100, len(digits))}%"
    return f"{found[1]}{int(found[2]):,}{found[3] or ''}"


@dataclass(slots=True)
class Form:
    """What an officer has typed so far; an empty field is unknown."""

    regime: str
    also: list[str] = field(default_factory=list)
    as_of: str = ""
    government: bool = False
    facts: dict[str, str] = field(default_factory=dict)
    papers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Per fact the document it rests on."""
    parameters: dict[str, str] = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    title: str = ""
    draft: str = ""
    version: str = ""

    def envelope(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """The envelope that the form says, to be decided or saved."""
        facts = {path: _said(text, vocabulary.facts[path]) for path, text in self.facts.items()}
        parts: dict[str, Any] = {
            "title": self.title,
            "regime": self.regime,
            "as_of": self.as_of,
            "parameters": self.parameters,
            "without": self.without,
            "facts": facts,
            "basis": self.papers,
        }
        return {name: part for name, part in parts.items() if part or name == "facts"}

    def state(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """The envelope with what a page asks beside it: what a link carries."""
        more: dict[str, Any] = {"regimes": [self.regime, *self.also]} if self.also else {}
        if self.government:
            more["only"] = list(GOVERNMENT)
        return {**self.envelope(vocabulary), **more}

    def only(self) -> tuple[str, ...]:
        """Which rules are judged, where it is a selection."""
        return GOVERNMENT if self.government else ()


def _said(text: str, fact: FactDefinition) -> str | bool:
    if fact.type.kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def pairs(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form as they were sent. Raises `ValueError`."""
    return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)


def read_form(sent: Iterable[tuple[str, str]], book: Rulebook) -> Form:
    """Read the fields of the page; names that no field of it has are passed over."""
    first: dict[str, str] = {}
    listed: dict[str, list[str]] = {"also": [], "without": []}
    for name, text in sent:
        if name in listed:
            listed[name].append(text)
        else:
            first.setdefault(name, text)
    form = Form(_known_regime(first.get("regime"), book))
    form.also = [id for id in book.regimes if id in listed["also"] and id != form.regime]
    show = first.get("show")
    if show is not None and show in book.regimes and show != form.regime:
        wanted = {form.regime, *form.also}
        form.regime, form.also = show, [id for id in book.regimes if id in wanted - {show}]
    regime = book.regimes[form.regime]
    form.as_of = tidy(first.get("as_of", ""), Type("date"))
    form.government = bool(first.get("government"))
    form.without = [rule.id for rule in regime.rules if rule.id in listed["without"]]
    for name in ("title", "draft", "version"):
        setattr(form, name, first.get(name, "").strip())
    for name, parameter in regime.parameters.items():
        if text := tidy(first.get(f"param:{name}", ""), parameter.type):
            form.parameters[name] = text
    for path, fact in book.vocabulary.facts.items():
        if text := tidy(first.get(f"fact:{path}", ""), fact.type):
            form.facts[path] = text
        paper = {part: first.get(f"{part}:{path}", "").strip() for part in _PAPER}
        if any(paper.values()):
            form.papers[path] = {part: text for part, text in paper.items() if text}
    return form


def _known_regime(id: Any, book: Rulebook) -> str:
    return id if isinstance(id, str) and id in book.regimes else next(iter(book.regimes))


def form_of(state: Any, book: Rulebook) -> tuple[Form, list[str]]:
    """The form that an envelope fills, and the names in it that no field can show."""
    strange: list[str] = []
    if not isinstance(state, dict):
        return Form(next(iter(book.regimes))), [str(state)[:60]]
    named = state.get("regimes")
    asked = [id for id in named if isinstance(id, str)] if isinstance(named, list) else []
    id = state.get("regime") or (asked[0] if asked else None)
    form = Form(_known_regime(id, book))
    strange += [str(i)[:60] for i in (id, *asked) if i and str(i) not in book.regimes]
    form.also = [i for i in book.regimes if i in asked and i != form.regime]
    form.as_of = str(state.get("as_of") or "")
    form.government = bool(state.get("only"))
    title = state.get("title")
    form.title = title if isinstance(title, str) else ""
    _take_rules(form, state, book, strange)
    facts = state.get("facts", {} if "regime" in state else state)
    vocabulary = book.vocabulary
    for path, value in flat(facts, vocabulary):
        fact = vocabulary.facts.get(path)
        if value is None:
            form.facts.pop(path, None)
        elif fact is None or fact.derived is not None or (text := _text(value, fact)) is None:
            strange.append(path[:60])
        else:
            form.facts[path] = text
    papers = state.get("basis")
    for path, paper in papers.items() if isinstance(papers, dict) else ():
        parts = paper if isinstance(paper, dict) else {"document": paper}
        kept = {p: str(parts[p]) for p in _PAPER if parts.get(p)}
        if path in vocabulary.facts:
            form.papers[path] = kept
        else:
            strange.append(str(path)[:60])
    return form, list(dict.fromkeys(strange))


def _take_rules(form: Form, state: Mapping[str, Any], book: Rulebook, strange: list[str]) -> None:
    """Changed parameters and rules left out, as far as the rule set knows them."""
    regime = book.regimes[form.regime]
    changed = state.get("parameters")
    for name, value in changed.items() if isinstance(changed, dict) else ():
        if name in regime.parameters and isinstance(value, str | int):
            form.parameters[name] = tidy(str(value), regime.parameters[name].type)
        else:
            strange.append(str(name)[:60])
    left = state.get("without")
    for id in left if isinstance(left, list) else [left] if left else []:
        short = str(id).removeprefix(f"{regime.id}/")
        if short in {rule.id for rule in regime.rules}:
            form.without.append(short)
        else:
            strange.append(short[:60])


def _text(value: Any, fact: FactDefinition) -> str | None:
    """A value of an envelope as its field holds it, or nothing where the field cannot."""
    if isinstance(value, bool):
        return str(value).lower() if fact.type.kind == "boolean" else None
    if not isinstance(value, str | int | JsonNumber):
        return None
    text = tidy(str(value), fact.type)
    if fact.type.kind == "boolean":
        return text if text in ("true", "false") else None
    if fact.type.kind == "date":
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            return None
    return text


# --- from a spreadsheet ---


def read_pasted(text: str, book: Rulebook, form: Form) -> tuple[int, list[tuple[str, str]]]:
    """Fill the form from cells of a spreadsheet: how many it took, and those it did not understand.

    Two rows (names, values) or two columns (name, value); names are labels in either language.
    """
    rows = [row for line in text.splitlines() if any(row := _cells(line, text))]
    names = _names(book.vocabulary)
    across = len(rows) == 2 and all(_folded(name) not in names for name in rows[1])
    if across and len(rows[1]) < len(rows[0]):
        rows[1] += [""] * (len(rows[0]) - len(rows[1]))
    cells = list(zip(*rows, strict=False)) if across else [(*row, "")[:2] for row in rows]
    taken, strange = 0, []
    if across:
        strange += [("", extra) for extra in rows[1][len(rows[0]) :] if extra]
    else:
        strange += [(row[0], extra) for row in rows for extra in row[2:] if extra]
    for name, value in cells:
        path = names.get(_folded(name))
        if path is None:
            strange.append((name, value))
            continue
        said = _meant(value, book.vocabulary.facts[path], book.vocabulary)
        if said is None:
            strange.append((name, value))
        elif said:
            form.facts[path] = said
            taken += 1
    return taken, strange


def _cells(line: str, text: str) -> list[str]:
    """The cells of a line, by tabs where the text has any, else by commas; quotes hold together."""
    row = next(csv.reader([line], delimiter="\t" if "\t" in text else ","), [])
    return [cell.strip() for cell in row]


def _folded(name: str) -> str:
    return re.sub(r"[\s:_：]+", " ", name.translate(_PLAIN)).strip().casefold()


def _names(vocabulary: Vocabulary) -> dict[str, str]:
    """What a fact may be called: its path, or its label in either language."""
    names: dict[str, str] = {}
    for path, fact in vocabulary.facts.items():
        if fact.derived is None:
            for name in (path, fact.label.en, fact.label.zh):
                names.setdefault(_folded(name), path)
    return names


def _meant(value: str, fact: FactDefinition, vocabulary: Vocabulary) -> str | None:
    """A cell as its field holds it; nothing where it cannot be understood."""
    folded = _folded(value)
    if folded in _OPEN:
        return ""
    if fact.type.kind == "boolean":
        return "true" if folded in _YES else "false" if folded in _NO else None
    if fact.type.codes is not None:
        codes = vocabulary.lists[fact.type.codes].codes.values()
        matching = [
            code.code
            for code in codes
            if folded in (_folded(code.code), _folded(code.label.en), _folded(code.label.zh))
        ]
        return matching[0] if len(matching) == 1 else None
    return _text(value, fact)
