"""Work that children do: sweeps, drafts of rules, runs of many scenarios.

Each function takes the child's service first; what it returns crosses a pipe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.service import Asked, RunResult, Service
from engine.decide import Decision
from engine.diagnostics import Diagnostic, OrderRejected, RulesRejected, Span, shown
from engine.load import Rulebook, load_draft, regimes_in
from engine.order import Document
from engine.scenario import read_scenario

MAX_FILES = 300
_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")
_FILE = re.compile(r"[a-z][a-z0-9-]{0,63}\.yaml")


@dataclass(frozen=True, slots=True)
class Draft:
    """A regime that a request brings along: texts by file name, and what it is based on."""

    id: str
    files: Mapping[str, str | None]
    based_on: str | None


def check(service: Service, asked_of: Document) -> Sequence[Diagnostic]:
    """Every fault of a draft of rules, warnings included; none if it is sound."""
    draft = read_draft(service, asked_of)
    try:
        return load_draft(service.rules, draft.id, draft.files, draft.based_on).warnings
    except RulesRejected as error:
        return error.diagnostics


def decide_draft(
    service: Service, draft: Document, orders: Sequence[Document], asked: Asked
) -> list[Decision]:
    """Decide orders with a draft of rules beside the shipped ones."""
    beside = _beside(service, draft)
    return [beside.decide(order, asked) for order in orders]


def read_draft(service: Service, asked_of: Document) -> Draft:
    """Read a draft of rules from a request. Raises `OrderRejected` with every fault."""
    faults: list[Diagnostic] = []

    def fault(span: Span, message: str, help: str = "") -> None:
        faults.append(Diagnostic("W119", span, message, help))

    data = asked_of.data
    if not isinstance(data, dict):
        shape = '`{"id": …, "based_on": …, "files": {"regime.yaml": …}}`'
        raise OrderRejected(
            [Diagnostic("W119", asked_of.at(), "a draft of rules is an object", f"write {shape}")]
        )
    for name in data:
        if name not in ("id", "based_on", "files"):
            fault(asked_of.name_at(name), f"unknown name {shown(name)}", "id, based_on, files")
    known = regimes_in(service.rules)
    id, based_on, files = data.get("id"), data.get("based_on"), data.get("files")
    if not isinstance(id, str) or not _ID.fullmatch(id):
        fault(asked_of.at("id"), "a draft has an id of small letters, digits and hyphens")
    elif id in known:
        fault(asked_of.at("id"), f"{shown(id)} is a shipped rule set", "choose another id")
    if based_on is not None and based_on not in known:
        fault(
            asked_of.at("based_on"),
            f"unknown regime {shown(based_on)}",
            f"known: {', '.join(known)}",
        )
    if not isinstance(files, dict) or not (files or based_on):
        fault(asked_of.at("files"), "`files` names rule files with their texts")
        files = {}
    if len(files) > MAX_FILES:
        fault(asked_of.at("files"), f"a draft has at most {MAX_FILES} files")
        files = {}
    for name, text in files.items():
        if not _FILE.fullmatch(name):
            fault(asked_of.name_at("files", name), f"{shown(name)} is no name of a rule file")
        if not isinstance(text, str | None):
            fault(asked_of.at("files", name), "a file is text, or null to take one away")
    if faults:
        raise OrderRejected(faults)
    assert isinstance(id, str)
    return Draft(id, files, based_on)


def _beside(service: Service, asked_of: Document) -> Service:
    """The shipped rules with a draft beside them, for one request."""
    draft = read_draft(service, asked_of)
    made = load_draft(service.rules, draft.id, draft.files, draft.based_on)
    book = service.rulebook()
    joined = Rulebook(
        book.vocabulary,
        book.sources,
        {**book.regimes, **made.regimes},
        {**book.digests, **made.digests},
        {**book.editions, **made.editions},
        made.warnings,
    )
    return Service(service.rules, {"": joined})


def run_files(
    service: Service, folder: Path, ids: Sequence[str], today: int
) -> list[dict[str, Any]]:
    """Run scenario files: per file whether it passed, and what differs where it did not."""
    rows: list[dict[str, Any]] = []
    files = [folder / f"{id}.yaml" for id in ids]
    for id, (_, _, results) in zip(ids, service.run_scenarios(files, Asked(today)), strict=True):
        runs = [_told(result) for result in results]
        rows.append({"id": id, "passed": all(run["passed"] for run in runs), "runs": runs})
    return rows


def run_one(service: Service, asked_of: Document, today: int) -> dict[str, Any]:
    """Run one scenario, or decide a draft that expects nothing yet; with the decisions."""
    if "expect" not in asked_of.data:
        plain = {k: v for k, v in asked_of.data.items() if k not in ("title", "story", "vary")}
        order = Document(plain, asked_of.node, asked_of.source, asked_of.base)
        decision = service.decide(order, Asked(today))
        run: dict[str, Any] = {"title": None, "passed": True, "differences": [], "diagnostics": []}
        return {"passed": True, "runs": [{**run, "decision": decision}]}
    results = service.run(read_scenario(asked_of).runs, today)
    runs = [{**_told(result), "decision": result.decision} for result in results]
    return {"passed": all(run["passed"] for run in runs), "runs": runs}


def _told(result: RunResult) -> dict[str, Any]:
    return {
        "title": None if result.run is None else result.run.title.as_json(),
        "passed": result.passed,
        "differences": [
            {"what": what, "expected": expected, "got": got}
            for what, expected, got in result.differences
        ],
        "diagnostics": [d.as_json() for d in result.diagnostics],
        "outcome": None if result.decision is None else result.decision["outcome"],
        "status": None if result.decision is None else result.decision["status"],
        "label": None if result.decision is None else result.decision["label"],
    }


def sweep(service: Service, asked_of: Document, today: int) -> bytes:
    """Sweep an order over its axes, with a draft of rules where one comes along; JSON bytes."""
    import orjson

    data = asked_of.data
    if not isinstance(data, dict):
        raise OrderRejected([Diagnostic("W201", asked_of.at(), "a sweep is an envelope", "")])
    beside = service
    if data.get("draft") is not None:
        beside = _beside(service, asked_of.part("draft"))
    plain = {name: value for name, value in data.items() if name not in ("axes", "only", "draft")}
    place = (asked_of.node, asked_of.source)
    axes = Document(data.get("axes"), *place, (*asked_of.base, "axes"))
    order = Document(plain, *place, asked_of.base)
    asked = Asked(today, only=words(asked_of, "only"))
    return orjson.dumps(beside.sweep(order, axes, asked))


def words(document: Document, name: str) -> tuple[str, ...]:
    """A list of texts in a request, or nothing. Raises `OrderRejected` for anything else."""
    value = document.data.get(name)
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise OrderRejected(
        [Diagnostic("W101", document.at(name), f"`{name}` is a list of texts", 'write ["…"]')]
    )
