"""Work that children do: sweeps, drafts of rules, runs of many scenarios, trials of a policy.

Each function takes the child's service first; what it returns crosses a pipe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from api.service import Asked, RunResult, Service
from api.stories import Chosen, Saved, order_of, orders_of, read_story
from engine.decide import Decision
from engine.diagnostics import Diagnostic, OrderRejected, RulesRejected, Span, shown
from engine.ir import Pair
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
        order = Document(order_of(asked_of.data), asked_of.node, asked_of.source, asked_of.base)
        decision = service.decide(order, Asked(today))
        run: dict[str, Any] = {"title": None, "passed": None, "differences": [], "diagnostics": []}
        return {"passed": None, "runs": [{**run, "decision": decision}]}
    results = service.run(read_scenario(asked_of).runs, today)
    runs = [{**_told(result), "decision": result.decision} for result in results]
    return {"passed": all(run["passed"] for run in runs), "runs": runs}


def run_drafts(service: Service, drafts: Sequence[Saved], today: int) -> list[dict[str, Any]]:
    """Run drafts that expect something: per draft whether it passed, and what differs."""
    rows: list[dict[str, Any]] = []
    for draft in drafts:
        try:
            told = run_one(service, Document(draft.document), today)
        except OrderRejected as error:
            faults = [d.as_json() for d in error.diagnostics]
            one = {"title": None, "passed": False, "differences": [], "diagnostics": faults}
            told = {"passed": False, "runs": [one]}
        regime = draft.document.get("regime")
        rows.append({**told, "id": draft.id, "title": draft.title.as_json(), "regime": regime})
    return rows


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
    faults: list[Diagnostic] = []
    asked = Asked(today, only=words(asked_of, "only", faults), only_in=asked_of)
    if faults:
        raise OrderRejected(faults)
    return orjson.dumps(beside.sweep(order, axes, asked))


def words(document: Document, name: str, faults: list[Diagnostic]) -> tuple[str, ...]:
    """A list of texts in a request, or nothing; anything else is a fault."""
    value = document.data.get(name)
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    told = f"`{name}` is a list of texts"
    faults.append(Diagnostic("W101", document.at(name), told, 'write `["…"]`'))
    return ()


# --- what a changed policy flips ---


@dataclass(frozen=True, slots=True)
class Flip:
    """One order whose outcome the changed policy flips."""

    of: str
    title: Pair
    story: Pair | None
    """The title of its story, where it is a variation."""
    before: Decision
    after: Decision

    @property
    def value(self) -> tuple[int, Pair] | None:
        """What the order is worth, in cents and in words."""
        for figure in self.after["figures"]:
            if figure["name"] == "order.value" and figure["value"] is not None:
                cents = int(figure["value"].replace(".", ""))
                return cents, Pair(figure["text"]["en"], figure["text"]["zh"])
        return None

    @property
    def changed_rules(self) -> list[Any]:
        """The findings whose status the policy changes, as they are under it."""
        old = {f["rule"]: f["status"] for f in self.before["findings"]}
        return [f for f in self.after["findings"] if f["status"] != old[f["rule"]]]


@dataclass(frozen=True, slots=True)
class Flips:
    """What a changed policy does to the orders at hand."""

    flipped: tuple[Flip, ...]
    tried: int
    faulty: int
    """Orders that the rules do not take, so that nothing is said of them."""

    @property
    def directions(self) -> list[tuple[Decision, Decision, list[Flip], int]]:
        """For each pair of outcomes: a decision of each, the orders, and cents in all."""
        by: dict[tuple[str, str], list[Flip]] = {}
        for flip in self.flipped:
            by.setdefault((flip.before["outcome"], flip.after["outcome"]), []).append(flip)
        return [
            (f[0].before, f[0].after, f, sum(v[0] for v in (x.value for x in f) if v))
            for f in by.values()
        ]


def try_policy(
    service: Service,
    folder: Path,
    ids: Sequence[str],
    drafts: Sequence[Saved],
    regime: str,
    policy: dict[str, Any],
    today: int,
) -> Flips:
    """Decide drafts and shipped stories under the rules in force and under a changed policy.

    Orders that bring a policy of their own are left out.
    """
    flipped: list[Flip] = []
    tried = faulty = 0
    reads = [partial(orders_of, draft) for draft in drafts]
    for read in (*reads, *(partial(_story_runs, folder, id) for id in ids)):
        try:
            runs = read()
        except OrderRejected:
            faulty += 1
            continue
        for run in runs:
            if run.regime != regime or run.has_policy:
                continue
            changed = {**run.document.data, **policy}
            after_of = Document(changed, run.document.node, run.document.source)
            asked = Asked(today, changes=run.changes)
            try:
                before = service.decide(run.document, asked)
                after = service.decide(after_of, asked)
            except OrderRejected:
                faulty += 1
                continue
            tried += 1
            if before["outcome"] != after["outcome"]:
                story = None if run is runs[0] else runs[0].title
                flipped.append(Flip(run.of, run.title, story, _brief(before), _brief(after)))
    return Flips(tuple(flipped), tried, faulty)


def _story_runs(folder: Path, id: str) -> tuple[Chosen, ...]:
    return read_story(folder, id).runs


def _brief(decision: Decision) -> Decision:
    """What the table tells of a decision; the rest need not cross the pipe."""
    names = ("outcome", "status", "label", "figures")
    findings = [
        {name: finding[name] for name in ("rule", "title", "status")}
        for finding in decision["findings"]
    ]
    return {**{name: decision[name] for name in names}, "findings": findings}
