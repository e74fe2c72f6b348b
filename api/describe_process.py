"""Processes as JSON-shaped data: stages, events, what moves a case, its clocks and their sources.

Texts, values and citations stand as in a case and in a decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.backends.text import in_words
from engine.case_told import field_told, text_of
from engine.findings import cited, iso
from engine.ir import Citation, Constant, Expr, ParameterValues
from engine.load import Rulebook
from engine.names import inside
from engine.printing import print_expr
from engine.process import Clock, Event, Figure, Kept, Process, Total, Transition
from engine.values import Type, write
from engine.words import CERTAINTY, HELD_BY, LANGS

Json = dict[str, Any]

SCHEMA = "placet.process/1"


def processes(book: Rulebook) -> list[Json]:
    """Every process in short: `stages` and `events` by id alone."""
    return [
        _head(book, process) | {"stages": [*process.stages], "events": [*process.events]}
        for process in book.processes.values()
    ]


def process(book: Rulebook, id: str) -> Json:
    """The whole of a process. Raises `KeyError`.

    A guard (`when`) and what a transition sets have `code` and `text`; `from` lists the stages in
    which a transition can be taken, and an empty `to` is a case that stays where it is.
    """
    of = book.processes[id]
    return {
        "schema": SCHEMA,
        **_head(book, of),
        "stages": [
            {"id": stage.id, "title": stage.title.as_json(), "end": stage.end}
            for stage in of.stages.values()
        ],
        "events": [_event(of, event) for event in of.events.values()],
        "transitions": [_transition(book, of, one) for one in of.transitions],
        "clocks": [_clock(book, clock) for clock in of.clocks.values()],
        "totals": [_total(of, total) for total in of.totals],
        "keeps": [_kept(of, path, kept) for path, kept in of.keeps.items()],
        "figures": [_figure(of, figure) for figure in of.figures.values()],
        "parameters": [_parameter(of, of.regime.parameters[name]) for name in _named(of)],
        "ledger": {**of.ledger, "cap": of.cap} if of.ledger else None,
    }


def _head(book: Rulebook, of: Process) -> Json:
    return {
        "id": of.id,
        "title": of.title.as_json(),
        "summary": of.summary.as_json(),
        "in_force": {"from": iso(of.in_force.start), "until": _day(of.in_force.until)},
        "read_to": iso(of.read_to),
        "edition": book.process_editions[of.id],
        "start": of.start,
        "regime": of.id if of.judged else None,
        "sources": [source.id for source in of.sources],
        "leaves_out": [left.as_json() for left in of.leaves_out],
    }


def _event(of: Process, event: Event) -> Json:
    fields = [(field, field.name in event.optional) for field in event.fields]
    return {
        "id": event.id,
        "title": event.title.as_json(),
        "by": event.by,
        "by_label": HELD_BY[event.by].as_json(),
        "fields": [
            field_told(of, field, optional) for field, optional in fields if not field.supplied
        ],
        "from_ledger": [field.name for field in event.fields if field.supplied],
    }


def _transition(book: Rulebook, of: Process, one: Transition) -> Json:
    return {
        "number": one.number,
        "from": list(one.stages),
        "on": one.on,
        "after": one.after,
        "when": None if one.when is None else _said(of, one.when),
        "to": one.to,
        "sets": [
            {"fact": path, "label": of.keeps[path].label.as_json(), **_set(of, path, expr)}
            for path, expr in one.sets
        ],
        "refuses": one.refuses,
        "hold": one.hold,
        "held": one.held,
        "says": one.says.as_json(),
        "otherwise": None if one.otherwise is None else one.otherwise.as_json(),
        **_backed(book, one.certainty, one.cite),
    }


def _set(of: Process, path: str, expr: Expr) -> Json:
    told = _said(of, expr)
    if isinstance(expr, Constant):
        told["text"] = text_of(of.vocabulary, expr.value, of.keeps[path].type)
    return told


def _clock(book: Rulebook, clock: Clock) -> Json:
    return {
        "id": clock.id,
        "title": clock.title.as_json(),
        "days": clock.days,
        "until": clock.until,
        "runs": sorted(clock.runs),
        "pauses": sorted(clock.pauses),
        "holdable": clock.holdable,
        "starts_at": clock.starts_at,
        "exceeded": clock.exceeded.as_json(),
        **_backed(book, clock.certainty, clock.cite),
    }


def _total(of: Process, total: Total) -> Json:
    return {
        "title": total.title.as_json(),
        "parts": list(total.parts),
        "equals": total.equals,
        "days": of.clocks[total.equals].days,
    }


def _kept(of: Process, path: str, kept: Kept) -> Json:
    return {
        "fact": path,
        "label": kept.label.as_json(),
        "type": kept.type.kind,
        "unit": kept.type.unit,
        "starts": write(kept.starts, kept.type),
        "stated": kept.stated,
    }


def _figure(of: Process, figure: Figure) -> Json:
    quantity = figure.quantity
    return {
        "name": quantity.name,
        "label": quantity.label.as_json(),
        "type": quantity.type.kind,
        "unit": quantity.type.unit,
        "exposure": figure.exposure,
        "value": _said(of, quantity.value),
    }


def _parameter(of: Process, parameter: ParameterValues) -> Json:
    type: Type = parameter.type
    return {
        "name": parameter.name,
        "label": parameter.label.as_json(),
        "type": type.kind,
        "unit": type.unit,
        "values": [
            {
                "from": iso(start),
                "value": write(value, type),
                "text": text_of(of.vocabulary, value, type),
            }
            for start, value in parameter.values
        ],
    }


def _named(of: Process) -> list[str]:
    """The parameters on which a process rests, its cap included."""
    said: Iterable[Expr] = (
        *(one.when for one in of.transitions if one.when is not None),
        *(expr for one in of.transitions for _, expr in one.sets),
        *(figure.quantity.value for figure in of.figures.values()),
    )
    names = [name for expr in said for name in inside(of.regime, of.vocabulary, expr)]
    names += [of.cap] if of.cap is not None else []
    return [name for name in of.regime.parameters if name in names]


def _said(of: Process, expr: Expr) -> Json:
    text = {lang: in_words(expr, of.regime, of.vocabulary, lang) for lang in LANGS}
    return {"code": print_expr(expr), "text": text}


def _backed(book: Rulebook, certainty: str, cite: Iterable[Citation]) -> Json:
    return {
        "certainty": certainty,
        "certainty_label": CERTAINTY[certainty].as_json(),
        "citations": [cited(book.sources, citation) for citation in cite],
    }


def _day(day: int | None) -> str | None:
    return None if day is None else iso(day)
