"""The schemas of what is asked of cases, made from the processes."""

from __future__ import annotations

from typing import Any

from api.casefile import LONGEST_WORKSPACE
from engine.load import Rulebook
from engine.process import Event, Field, Process
from engine.schema import value_schema
from engine.values import MAX_TEXT

Json = dict[str, Any]

_DAY: Json = {
    "type": "string",
    "format": "date",
    "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
}
_NOTE: Json = {"type": ["string", "null"], "description": "Carried along.", "maxLength": MAX_TEXT}
_NULL: list[Json] = [{"type": "null"}]


def asked(book: Rulebook) -> dict[str, Json]:
    """The schemas of a case to be opened, of an event, and of a fork."""
    events: dict[str, list[tuple[Process, Event]]] = {}
    for process in book.processes.values():
        for event in process.events.values():
            events.setdefault(event.id, []).append((process, event))
    said = [_event(id, found) for id, found in events.items()]
    return {
        "AskedCase": _case(list(book.processes)),
        "AskedEvent": {"anyOf": said} if said else {"type": "object"},
        "AskedFork": _fork(),
        "WantedCases": _wanted(),
    }


def _line(told: str, longest: int = MAX_TEXT) -> Json:
    return {"type": ["string", "null"], "description": told, "maxLength": longest}


def _wanted() -> Json:
    names = ("workspace", "customer", "group", "process", "stage")
    told = {name: _line(f"The {name} of the cases.") for name in names}
    return {
        "type": "object",
        "description": "Which cases are looked for; what is left out may be anything.",
        "properties": {
            **told,
            "title": _line("A part of the title."),
            "open": {
                "type": ["boolean", "null"],
                "description": "Only open, or only ended, cases.",
            },
            "after": _line("The place in the list that `next` named.", 100),
            "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
        },
        "additionalProperties": False,
    }


def _case(processes: list[str]) -> Json:
    named: Json = {"enum": processes} if processes else {"type": "string"}
    return {
        "type": "object",
        "description": "What a case is opened with; facts that events say are left out.",
        "properties": {
            "process": named,
            "workspace": _line(
                "The books in which it is kept; else `default`.", LONGEST_WORKSPACE
            ),
            "title": _line("What lists call it."),
            "opened_on": {"anyOf": [_DAY, {"type": "null"}], "description": "Else today."},
            "facts": {"$ref": "#/components/schemas/order.facts"},
            "basis": {"type": ["object", "null"], "description": "Per fact its document."},
            "story": _line("Carried along, never judged."),
        },
        "required": ["process", "facts"],
        "additionalProperties": False,
    }


def _event(id: str, found: list[tuple[Process, Event]]) -> Json:
    """An event by its id, with what it tells in every process that has it."""
    fields: dict[str, list[Json]] = {}
    always = set.intersection(*({f.name for f in event.fields} for _, event in found))
    for process, event in found:
        always -= event.optional
        for field in event.fields:
            if field.supplied:
                always.discard(field.name)
                continue
            said = _value(process, field)
            ways = fields.setdefault(field.name, [])
            ways += [
                way for way in (said, *_NULL[: field.name in event.optional]) if way not in ways
            ]
    told = {name: ways[0] if len(ways) == 1 else {"anyOf": ways} for name, ways in fields.items()}
    return {
        "type": "object",
        "title": id,
        "properties": {"event": {"const": id}, "on": _DAY, **told, "note": _NOTE},
        "required": ["event", "on", *sorted(always)],
        "additionalProperties": False,
    }


def _value(process: Process, field: Field) -> Json:
    """A value of a field; each process has code lists of its own."""
    codes = field.type.codes
    if codes is not None:
        return {"enum": list(process.vocabulary.lists[codes].codes)}
    return value_schema(field.type, process.vocabulary)


def _fork() -> Json:
    told = "After which event it begins; 0 is the opening."
    return {
        "type": "object",
        "properties": {
            "version": {"type": "integer", "minimum": 0, "maximum": 9999, "description": told},
            "title": _line("What lists call it."),
        },
        "required": ["version"],
        "additionalProperties": False,
    }
