"""What lists tell of a case and of a customer's book, as JSON-shaped data."""

from __future__ import annotations

from typing import Any

from api.casefile import BookRow, CaseEntry
from api.moments import moment
from engine.findings import iso
from engine.load import Rulebook
from engine.process import LEDGER, Process

Json = dict[str, Any]


def entry_told(book: Rulebook, entry: CaseEntry) -> Json:
    """What a list tells of a case; its stage is where its latest event has left it."""
    process = book.processes.get(entry.process)
    stage = None if process is None else process.stages.get(entry.stage)
    return {
        "id": entry.id,
        "version": entry.version,
        "workspace": entry.workspace,
        "title": entry.title,
        "process": entry.process,
        "stage": {
            "id": entry.stage,
            "title": None if stage is None else stage.title.as_json(),
            "end": entry.ended,
        },
        "customer": entry.customer or None,
        "group": entry.group or None,
        "counted": entry.counted,
        "forked_from": entry.forked_from,
        "forked_at": entry.forked_at,
        "opened_on": iso(entry.opened_on),
        "opened_at": moment(entry.created_at),
        "opened_by": entry.created_by,
        "updated_at": moment(entry.updated_at),
    }


def book_told(row: BookRow, process: Process | None, as_of: int) -> Json:
    """What a book holds, with the cap that a process sets on a day, where one is named."""
    cap = None
    if process is not None and process.cap is not None:
        dated = process.regime.parameters[process.cap].on(as_of)
        cap = None if dated is None else int(dated[1])
    kind, _, name = row.holder.partition(":")
    return {
        "of": {"g": "group", "c": "customer"}[kind],
        "name": name,
        "begun": row.has_book,
        "opening": row.opening,
        **{count: getattr(row.counts, count) for count in LEDGER},
        "used": row.used,
        "cap": cap,
        "remaining": None if cap is None else cap - row.used,
        "customers": [
            {
                "name": share.customer,
                **{count: getattr(share.counts, count) for count in LEDGER},
                "used": share.counts.used,
                "cases": share.cases,
            }
            for share in row.customers
        ],
        "cases": row.cases,
    }
