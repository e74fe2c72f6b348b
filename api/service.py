"""The calls that command line, HTTP and workbench share: load, read, decide, test, replay.

Nothing here prints, reads a clock or knows how it was called.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from engine.concord import Evaluator, Verdict, asked_of_stored
from engine.data import Unplaced, read_data
from engine.decide import Decider, Decision, Policy, date_of, prepare
from engine.diagnostics import (
    BackendFailure,
    Diagnostic,
    OrderRejected,
    RulesRejected,
    Source,
    Span,
    nearest,
    shown,
)
from engine.findings import Kept
from engine.ir import CERTAINTIES, KINDS_OF_RULE, Regime
from engine.load import Rulebook, load, regimes_in
from engine.order import (
    Document,
    Envelope,
    Order,
    document,
    order_from,
    read_envelope,
    read_parameters,
    read_without,
)
from engine.source import MAX_BYTES, read_bytes, read_text
from engine.values import Value

if TYPE_CHECKING:
    from engine.lifecycle import Happening, Outline, State
    from engine.process import Process
    from engine.scenario import Run, Scenario

LONGEST_LINE = MAX_BYTES + 2
"""Bytes of a line that can still be a document, with its line end."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks beyond the document: options of the command line, fields of a request."""

    today: int
    regime: str | None = None
    as_of: int | None = None
    changes: Document | None = None
    """Facts that replace those of the document; null removes one."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    without: Sequence[str] = ()
    only: Sequence[str] = ()
    day_from: str | None = None
    """Where a stored decision had its date from; a replay says the same."""
    only_in: Document | None = None
    """The request in which `only` stands, if it is no option."""
    alone: bool = False
    """Whether live could not be asked when the decision was made that is now made again."""


class Live(Protocol):
    """The second evaluator, wherever it runs."""

    def verdict(self, regime: Regime, policy: Policy, order: Order) -> Verdict:
        """What it finds on an order. Raises `BackendFailure`."""

    def walked(
        self, process: Process, order: Order, state: State, happening: Happening
    ) -> Outline:
        """What an event comes to in a case. Raises `BackendFailure`."""


@dataclass(slots=True)
class Service:
    """Rules of one folder, loaded when first needed; what was told is kept for orders to come.

    `live` judges by the regimes of `rulebook()`.
    """

    rules: Path
    _books: dict[str, Rulebook] = field(default_factory=dict)
    _deciders: dict[Any, Decider] = field(default_factory=dict)
    _kept: Kept = field(default_factory=Kept)
    _written: Kept = field(default_factory=Kept)
    live: Live | None = None

    def rulebook(self) -> Rulebook:
        """Every regime. Raises `RulesRejected`."""
        if "" not in self._books:
            self._books[""] = load(self.rules)
        return self._books[""]

    def regime(self, id: str, span: Span) -> tuple[Rulebook, Regime]:
        """One regime, with no other loaded for its sake. Raises either rejection."""
        book = self._book(id)
        if book is None:
            if regimes_in(self.rules) and id not in regimes_in(self.rules):
                raise OrderRejected([self._unknown(id, span)])
            book = self._books[id] = load(self.rules, (id,), processes=False)
        if id not in book.regimes:
            raise OrderRejected([self._unknown(id, span)])
        return book, book.regimes[id]

    def _book(self, id: str) -> Rulebook | None:
        return self._books.get("") or self._books.get(id)

    def _unknown(self, id: str, span: Span) -> Diagnostic:
        known = regimes_in(self.rules)
        return Diagnostic(
            "O208",
            span,
            f"unknown regime {shown(id)}",
            nearest(id, known) or f"known: {', '.join(known)}",
        )

    def decide(
        self, asked_of: Document, asked: Asked, evaluator: Evaluator = "reference"
    ) -> Decision:
        """Decide the order of a document. Raises `OrderRejected` with every fault of it.

        With `both` the reference goes on alone where live cannot be asked, and the decision says
        so; with `live` that raises `BackendFailure`.
        """
        try:
            book, regime = self._regime_asked(asked_of, asked)
        except OrderRejected as error:
            raise OrderRejected([*error.diagnostics, *self._also_wrong(asked_of, asked)]) from None
        faults: list[Diagnostic] = []
        envelope = read_envelope(asked_of, book.vocabulary, faults)
        order = order_from(book.vocabulary, envelope.facts, faults, asked.changes)
        policy = self._policy(regime, envelope, asked, order, faults)
        if faults:
            raise OrderRejected(faults)
        verdict = None
        if evaluator != "reference" and not asked.alone:
            verdict = self._verdict(regime, policy, order, evaluator)
        return self._decider(book, regime, policy).decide(
            order, policy.day_from, envelope.basis, evaluator=evaluator, verdict=verdict
        )

    def _verdict(
        self, regime: Regime, policy: Policy, order: Order, evaluator: Evaluator
    ) -> Verdict | None:
        try:
            if self.live is None:
                told = "there is no live evaluator here"
                raise BackendFailure([Diagnostic("B001", Span(Source("live")), told)])
            return self.live.verdict(regime, policy, order)
        except BackendFailure:
            if evaluator == "live":
                raise
            return None

    def answer(self, body: bytes, asked: Asked, name: str = "request") -> bytes:
        """Decide the order of a JSON text, and write the decision. Raises `OrderRejected`."""
        return self.written(self.decide(read_request(body, name), asked))

    def written(self, decision: Decision) -> bytes:
        """A decision as JSON; a finding that was written before is not written again."""
        # Only a service has it, and every start of the command line would wait for it.
        import orjson

        findings: list[Any] = []
        for finding in decision["findings"]:
            known = self._written.get(id(finding))
            if known is None or known[0] is not finding:
                known = (finding, orjson.Fragment(orjson.dumps(finding)))
                self._written.keep(id(finding), known)
            findings.append(known[1])
        return orjson.dumps({**decision, "findings": findings})

    def sweep(self, asked_of: Document, axes: Document, asked: Asked) -> dict[str, Any]:
        """Decide an order in every cell of one or two axes. Raises `OrderRejected`."""
        # Only a service sweeps, and every start of the command line would wait for it.
        from engine.axes import read_axes
        from engine.grid import sweep

        book, regime = self._regime_asked(asked_of, asked)
        faults: list[Diagnostic] = []
        envelope = read_envelope(asked_of, book.vocabulary, faults)
        order = order_from(book.vocabulary, envelope.facts, faults)
        policy = self._policy(regime, envelope, asked, order, faults)
        # An axis may move the day, and with it which value is in force: all changes count.
        every = read_parameters(regime, envelope.parameters, [])
        varied = read_axes(book.vocabulary, regime, axes, faults)
        if faults:
            raise OrderRejected(faults)
        return sweep(book, regime, order, replace(policy, overrides=every), varied, asked.today)

    def _also_wrong(self, asked_of: Document, asked: Asked) -> list[Diagnostic]:
        """What else is wrong with an envelope that names no rule set of ours."""
        faults: list[Diagnostic] = []
        if not isinstance(asked_of.data, dict) or "facts" not in asked_of.data:
            return faults
        try:
            vocabulary = self.rulebook().vocabulary
        except RulesRejected:
            return faults
        envelope = read_envelope(asked_of, vocabulary, faults)
        order_from(vocabulary, envelope.facts, faults, asked.changes)
        return faults

    def _regime_asked(self, asked_of: Document, asked: Asked) -> tuple[Rulebook, Regime]:
        data = asked_of.data
        if asked.regime is not None:
            return self.regime(asked.regime, Span(Source("--regime", (asked.regime,))))
        named = data.get("regime") if isinstance(data, dict) and "facts" in data else None
        if isinstance(named, str):
            book = self._book(named)
            if book is not None and named in book.regimes:
                return book, book.regimes[named]
            return self.regime(named, asked_of.at("regime"))
        known = ", ".join(regimes_in(self.rules))
        if isinstance(data, dict) and "facts" not in data and isinstance(data.get("regime"), str):
            raise OrderRejected(
                [
                    Diagnostic(
                        "O302",
                        asked_of.name_at("regime"),
                        "there is a `regime` but no `facts`",
                        "put the facts of the order under `facts:`",
                    )
                ]
            )
        raise OrderRejected(
            [
                Diagnostic(
                    "O208",
                    asked_of.at(),
                    "no regime is named",
                    f"add `regime:` beside `facts:`, or `--regime`; known: {known}",
                )
            ]
        )

    def _policy(
        self,
        regime: Regime,
        envelope: Envelope,
        asked: Asked,
        order: Order,
        faults: list[Diagnostic],
    ) -> Policy:
        day, day_from = date_of(
            regime, order, asked.as_of if asked.as_of is not None else envelope.as_of, asked.today
        )
        overrides = read_parameters(regime, envelope.parameters, faults)
        if asked.parameters:
            given = read_parameters(regime, options("--param", asked.parameters), faults)
            overrides = {**overrides, **given}
        without = read_without(regime, envelope.without, faults)
        if asked.without:
            more = read_without(regime, options("--without", list(asked.without)), faults)
            without = tuple(r.id for r in regime.rules if r.id in {*without, *more})
        # The value that is in force anyway is no change.
        changed: dict[str, Value] = {
            name: overrides[name]
            for name, parameter in regime.parameters.items()
            if name in overrides and (parameter.on(day) or (0, None))[1] != overrides[name]
        }
        return Policy(day, asked.day_from or day_from, changed, without, _only(asked, faults))

    def _decider(self, book: Rulebook, regime: Regime, policy: Policy) -> Decider:
        key = (
            regime.id,
            policy.day,
            tuple(policy.overrides.items()),
            policy.without,
            policy.only,
        )
        decider = self._deciders.get(key)
        if decider is None or decider.program.regime is not regime:
            if len(self._deciders) >= 1000:
                self._deciders.clear()
            program = prepare(book, regime, policy)
            decider = self._deciders[key] = Decider(book, program, policy, self._kept)
        return decider

    def replay(
        self, stored: Document, asked: Asked
    ) -> tuple[Decision, list[tuple[str, Any, Any]]]:
        """Decide a stored decision again: the new one, and where the two differ.

        It is judged by the evaluators that it names; where live could not be asked then, it is not
        asked now, so that the same bytes come out.
        """
        data = stored.data
        if not isinstance(data, dict) or data.get("schema") != "placet.decision/1":
            raise OrderRejected(
                [
                    Diagnostic(
                        "O303",
                        stored.at(),
                        "this is no stored decision",
                        "give what `placet decide --format json` wrote",
                    )
                ]
            )
        again = self._again(stored, asked)
        return again, list(_differences(data, again, ""))

    def _again(self, stored: Document, asked: Asked) -> Decision:
        data = stored.data
        regime, facts = data.get("regime"), data.get("facts")
        changes, only = data.get("policy_changes"), data.get("only")
        if not (
            isinstance(regime, dict)
            and isinstance(facts, dict)
            and isinstance(changes, list)
            and isinstance(only, list)
            and all(isinstance(part, str) for part in only)
            and all(isinstance(c, dict) for c in changes)
            and all(isinstance(c.get("parameter", c.get("without")), str) for c in changes)
        ):
            raise OrderRejected(
                [
                    Diagnostic(
                        "O303",
                        stored.at(),
                        "the stored decision lacks its regime, facts or policy changes",
                        "give a whole decision, unedited",
                    )
                ]
            )
        envelope = {
            "regime": regime.get("id"),
            "as_of": regime.get("as_of"),
            "facts": facts,
            "basis": data.get("basis"),
            "parameters": {c["parameter"]: c.get("to") for c in changes if "parameter" in c},
            "without": [c["without"] for c in changes if "without" in c],
        }
        evaluator, alone = asked_of_stored(data)
        return self.decide(
            Document(envelope, None, stored.at().source),
            Asked(asked.today, only=only, day_from=str(regime.get("as_of_from")), alone=alone),
            evaluator,
        )

    def run_scenarios(
        self, files: Iterable[Path], asked: Asked
    ) -> Iterator[tuple[Path, Scenario | None, list[RunResult]]]:
        """Run scenario files one after the other."""
        # Only tests need them, and every start would wait for them.
        from engine.case_story import is_case_story
        from engine.scenario import read_scenario

        self.rulebook()
        for path in files:
            try:
                document = read_document(path)
                if is_case_story(document):
                    yield (path, *self._play(document, asked))
                    continue
                scenario = read_scenario(document)
            except OrderRejected as error:
                yield path, None, [RunResult(None, None, [], error.diagnostics)]
                continue
            wanted = [
                r for r in scenario.runs if asked.regime in (None, r.document.data["regime"])
            ]
            yield path, scenario, self.run(wanted, asked.today)

    def _play(self, document: Document, asked: Asked) -> tuple[Scenario, list[RunResult]]:
        """Play a story of a case, as a scenario of one run."""
        from engine.case_story import play, read_case_story
        from engine.scenario import Expectation, Run, Scenario

        story = read_case_story(self.rulebook(), document)
        scenario = Scenario(story.title, story.story, ())
        if asked.regime not in (None, story.process.id):
            return scenario, []
        expect = Expectation(story.process.id, {}, document.at("expect"))
        run = Run(story.title, document, None, expect)
        differences = list(play(self.rulebook(), story).differences)
        return scenario, [RunResult(run, None, differences, ())]

    def run(self, runs: Iterable[Run], today: int) -> list[RunResult]:
        """Run orders of a scenario, each by its own rule set and day."""
        return [self._run(run, Asked(today)) for run in runs]

    def _run(self, run: Run, asked: Asked) -> RunResult:
        try:
            decision = self.decide(run.document, replace(asked, changes=run.changes))
        except OrderRejected as error:
            return RunResult(run, None, [("order", "accepted", "rejected")], error.diagnostics)
        return RunResult(run, decision, run.expect.differences(decision), ())


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run of a scenario: its decision and what differs from what was expected."""

    run: Run | None
    decision: Decision | None
    differences: list[tuple[str, str, str]]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def passed(self) -> bool:
        """Whether the decision is as expected."""
        return not self.differences and not self.diagnostics


def read_document(path: Path) -> Document:
    """Read an order or scenario file. Raises `OrderRejected`."""
    return read_request(read_bytes(path, "O"), str(path))


def lines_of(stream: BinaryIO, first: bytes) -> Iterator[bytes]:
    """The lines of a stream after a first piece; of one that is too long only its beginning."""
    line = first
    while line:
        if not line.endswith(b"\n") and len(line) == LONGEST_LINE:
            while (rest := stream.readline(65_536)) and not rest.endswith(b"\n"):
                pass
        yield line.removesuffix(b"\n").removesuffix(b"\r")
        line = stream.readline(LONGEST_LINE)


def read_lines(lines: Iterable[bytes], name: str) -> Iterator[Document | OrderRejected]:
    """Read one document per line of NDJSON; a bad line yields its rejection."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield read_one(line, f"{name}:{number}")


def read_one(text: bytes, name: str) -> Document | OrderRejected:
    """Read one document, or its rejection."""
    try:
        return read_request(text, name)
    except OrderRejected as error:
        return error


def read_request(text: bytes, name: str) -> Document:
    """Read one document, of JSON only its data until a place is asked. Raises `OrderRejected`."""
    try:
        return Document(read_data(text), Unplaced(text, name), Source(name))
    except ValueError:
        return document(read_text(text, name, "O"), name)


def opens_ndjson(first: bytes, name: str) -> bool:
    """Whether a first line is a whole JSON document, so that more may follow line by line."""
    if name.endswith((".ndjson", ".jsonl")):
        return True
    if name != "-" or not first.strip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def rejection(name: str, diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """A rejected input, in the place of its decision."""
    return {
        "schema": "placet.rejection/1",
        "input": name,
        "diagnostics": [d.as_json() for d in diagnostics],
    }


def options(name: str, data: Any) -> Document:
    """Data given as options rather than in a document."""
    return Document(data, None, Source(name))


def _only(asked: Asked, faults: list[Diagnostic]) -> tuple[str, ...]:
    for number, part in enumerate(asked.only):
        kind, floor = part.removeprefix("kind="), part.removeprefix("certainty>=")
        if (part != kind and kind in KINDS_OF_RULE) or (part != floor and floor in CERTAINTIES):
            continue
        known = [f"kind={k}" for k in KINDS_OF_RULE] + [f"certainty>={c}" for c in CERTAINTIES]
        faults.append(
            Diagnostic(
                "O213",
                asked.only_in.at("only", number)
                if asked.only_in is not None
                else Span(Source("--only", (part,))),
                f"{shown(part)} selects no rules",
                nearest(part, known) or f"known: {', '.join(known)}",
            )
        )
    return tuple(asked.only)


_ABSENT = object()


def _differences(stored: Any, again: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Where two decisions differ, keys that one lacks and their order included."""
    if isinstance(stored, dict) and isinstance(again, dict):
        for name in dict.fromkeys([*stored, *again]):
            here = f"{path}/{name}"
            a, b = stored.get(name, _ABSENT), again.get(name, _ABSENT)
            if a is _ABSENT or b is _ABSENT:
                yield here, "absent" if a is _ABSENT else a, "absent" if b is _ABSENT else b
            else:
                yield from _differences(a, b, here)
        if set(stored) == set(again) and list(stored) != list(again):
            yield path or "/", f"keys in the order {', '.join(stored)}", ", ".join(again)
    elif isinstance(stored, list) and isinstance(again, list) and len(stored) == len(again):
        for number, (a, b) in enumerate(zip(stored, again, strict=True)):
            yield from _differences(a, b, f"{path}/{number}")
    elif stored != again or type(stored) is not type(again):
        yield path or "/", stored, again
