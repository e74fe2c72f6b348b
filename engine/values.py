"""Exact values: what each type accepts as written, how it is held, and how it is written again.

Held: booleans as bool; integers, decimals, money and ratios as scaled int; dates as day numbers;
codes and text as str; unknown as None. No float enters or leaves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from engine.source import JsonNumber

Kind = Literal["boolean", "integer", "decimal", "money", "ratio", "date", "code", "text"]
KINDS: tuple[Kind, ...] = (
    "boolean",
    "integer",
    "decimal",
    "money",
    "ratio",
    "date",
    "code",
    "text",
)
NUMERIC = frozenset({"integer", "decimal", "money", "ratio"})
LIMIT = 2**63 - 1
MAX_TEXT = 500

Value = bool | int | str | None

_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.([0-9]{1,9}))?", re.ASCII)
_MONEY = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{2})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Type:
    """What a fact, parameter or expression can be; `lo` and `hi` are scaled and inclusive."""

    kind: Kind
    scale: int = 0
    unit: str | None = None
    codes: str | None = None
    lo: int | None = None
    hi: int | None = None
    literal: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether it is a number or money."""
        return self.kind in NUMERIC


BOOLEAN = Type("boolean")


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a written value is not one of its type: codes 202 wrong form, 203 out of bounds."""

    code: str
    message: str
    help: str


def read(written: object, type: Type) -> Value | Misfit:
    """Read a written value by its declared type; codes are not looked up here."""
    if type.kind == "boolean":
        if isinstance(written, bool):
            return written
        if written in ("true", "false"):
            return written == "true"
        return Misfit("202", "a yes/no value is `true` or `false`", "leave it out when unknown")
    if type.kind == "code" and written.__class__ is str:
        return written
    if isinstance(written, bool):
        return Misfit(
            "202", f"{_article(type.kind)} cannot be `{str(written).lower()}`", _form(type)
        )
    if isinstance(written, JsonNumber) and type.kind == "integer":
        return Misfit("202", "is not a whole number", _form(type))
    if isinstance(written, JsonNumber) or (isinstance(written, int) and type.kind != "integer"):
        return Misfit(
            "202",
            f"a JSON number is not exact enough for {_article(type.kind)}",
            f"write it as text, {_form(type)}",
        )
    if isinstance(written, int):
        return _bounded(written, type)
    if not isinstance(written, str):
        return Misfit("202", f"{_article(type.kind)} is a single value", _form(type))
    return _read_text(written, type)


def _read_text(text: str, type: Type) -> Value | Misfit:
    match type.kind:
        case "integer":
            if _INTEGER.fullmatch(text):
                return _bounded(int(text), type)
        case "money":
            if _MONEY.fullmatch(text):
                return _bounded(_scaled(text, 2), type)
        case "decimal" | "ratio":
            found = _DECIMAL.fullmatch(text)
            if found:
                if len(found[1] or "") > type.scale:
                    return Misfit("202", f"has more than {type.scale} decimals", _form(type))
                return _bounded(_scaled(text, type.scale), type)
        case "date":
            if _DATE.fullmatch(text):
                try:
                    return date.fromisoformat(text).toordinal()
                except ValueError:
                    return Misfit("202", "this date does not exist", "check month and day")
        case "text":
            if len(text) <= MAX_TEXT:
                return text
            return Misfit("203", f"is longer than {MAX_TEXT} characters", "shorten it")
        case "code":
            return text
    return Misfit("202", f"is not {_article(type.kind)}", _form(type))


def _bounded(value: int, type: Type) -> int | Misfit:
    if (type.lo is not None and value < type.lo) or (type.hi is not None and value > type.hi):
        low, high = write(type.lo, type), write(type.hi, type)
        return Misfit("203", f"is outside {low} to {high}", "check the unit and the number")
    return value


def _scaled(text: str, scale: int) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(scale, "0"))


def write(value: Value, type: Type) -> str | bool | None:
    """Write a held value as it stands in JSON: text, except yes/no and unknown."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value
    if type.kind == "date":
        return date.fromordinal(value).isoformat()
    return write_number(value, type.scale, 2 if type.kind == "money" else 0)


def write_number(value: int, scale: int, decimals: int = 0) -> str:
    """Write a scaled integer with no more decimals than it needs, and at least `decimals`."""
    if not scale and not decimals:
        return str(value)
    digits = str(abs(value)).rjust(scale + 1, "0")
    whole, fraction = (digits[:-scale], digits[-scale:]) if scale else (digits, "")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def _article(kind: str) -> str:
    return {
        "integer": "a whole number",
        "decimal": "a decimal number",
        "money": "an amount of money",
        "ratio": "a ratio",
        "date": "a date",
        "code": "a code",
        "text": "text",
    }.get(kind, kind)


def _form(type: Type) -> str:
    return {
        "boolean": "write `true` or `false`",
        "integer": "write digits only, such as 20000",
        "decimal": f"write digits and at most {type.scale} decimals, such as 15832",
        "money": "US dollars with two decimals or none, such as 540000000.00",
        "ratio": "a number from 0 to 1, such as 0.25",
        "date": "write YYYY-MM-DD",
        "code": "write one code from the list",
        "text": "write it as text",
    }[type.kind]
