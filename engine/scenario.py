"""Scenarios: stories with expected decisions, each with variations; read, run, compared.

A scenario is an envelope with `title`, `story` and `expect`; a variation sets or removes facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.decide import Decision
from engine.diagnostics import Diagnostic, OrderRejected, Span, nearest, shown
from engine.ir import Pair
from engine.order import Document

EXPECTED = ("outcome", "unmet", "unknown", "not_applicable")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a decision should be: its outcome, and exactly which rules fail or wait."""

    outcome: str
    rules: Mapping[str, tuple[str, ...]]
    span: Span

    def differences(self, decision: Decision) -> list[tuple[str, str, str]]:
        """What differs, as (what, expected, got); empty when all is as expected."""
        found: list[tuple[str, str, str]] = []
        if decision["outcome"] != self.outcome:
            found.append(("outcome", self.outcome, decision["outcome"]))
        for status in ("unmet", "unknown", "not_applicable"):
            if status not in self.rules and (
                status == "not_applicable" or decision["status"] == "not-applicable"
            ):
                continue
            wanted = self.rules.get(status, ())
            got = tuple(
                f["rule"] for f in decision["findings"] if f["status"] == status.replace("_", "-")
            )
            if set(wanted) != set(got):
                found.append((status, _names(wanted), _names(got)))
        return found


@dataclass(frozen=True, slots=True)
class Run:
    """One order of a scenario: the story itself, or a variation of it."""

    title: Pair
    document: Document
    changes: Document | None
    expect: Expectation


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story with its runs, the base order first."""

    title: Pair
    story: Pair
    runs: tuple[Run, ...]


def read_scenario(document: Document) -> Scenario:
    """Read a scenario. Raises `OrderRejected` with every fault of its own parts.

    Its facts are read when it runs, by the same reading as every order.
    """
    faults: list[Diagnostic] = []
    reader = _Reader(document, faults)
    data = document.data
    if not isinstance(data, dict) or "facts" not in data:
        raise OrderRejected(
            [
                Diagnostic(
                    "O302",
                    document.at(),
                    "a scenario is an envelope with `title`, `story`, `regime`, `facts`, `expect`",
                    "write these names; `placet schema --scenario` describes them",
                )
            ]
        )
    title = reader.pair("title")
    story = reader.pair("story")
    expect = reader.expectation(data.get("expect"), ("expect",))
    if "regime" not in data:
        reader.fault("O302", (), "the scenario names no regime", "add `regime: …`")
    runs: list[Run] = []
    if title and expect:
        base = {k: v for k, v in data.items() if k not in ("expect", "vary", "title", "story")}
        runs.append(Run(title, _with(document, base), None, expect))
    vary = data.get("vary")
    if vary is not None and not isinstance(vary, list):
        reader.fault("O302", ("vary",), "`vary` is a list of variations", "write `- title: …`")
        vary = None
    for number, entry in enumerate(vary or []):
        run = reader.variation(number, entry)
        if run:
            runs.append(run)
    if faults:
        raise OrderRejected(faults)
    assert title is not None
    assert story is not None
    return Scenario(title, story, tuple(runs))


def _with(document: Document, data: Any) -> Document:
    return Document(data, document.node, document.source, document.base)


@dataclass(slots=True)
class _Reader:
    document: Document
    faults: list[Diagnostic]

    def fault(self, code: str, path: tuple[str | int, ...], message: str, help: str) -> None:
        self.faults.append(Diagnostic(code, self.document.at(*path), message, help))

    def pair(self, name: str) -> Pair | None:
        return self._pair(self.document.data.get(name), (name,), name)

    def _pair(self, data: Any, path: tuple[str | int, ...], name: str) -> Pair | None:
        if (
            isinstance(data, dict)
            and set(data) == {"en", "zh"}
            and all(isinstance(v, str) and v.strip() for v in data.values())
        ):
            return Pair(data["en"], data["zh"])
        self.fault(
            "O302", path, f"`{name}` needs a text in both languages", "write {en: …, zh: …}"
        )
        return None

    def expectation(self, data: Any, path: tuple[str | int, ...]) -> Expectation | None:
        if not isinstance(data, dict) or not isinstance(data.get("outcome"), str):
            self.fault(
                "O302", path, "`expect` needs an `outcome`", "write `expect: {outcome: deny}`"
            )
            return None
        rules: dict[str, tuple[str, ...]] = {}
        for name, value in data.items():
            if name not in EXPECTED:
                self.fault(
                    "O101",
                    (*path, name),
                    f"unknown name {shown(name)} in `expect`",
                    nearest(name, EXPECTED) or f"known here: {', '.join(EXPECTED)}",
                )
            elif name != "outcome":
                if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                    self.fault("O302", (*path, name), f"`{name}` is a list of rule ids", "")
                else:
                    rules[name] = tuple(value)
        return Expectation(data["outcome"], rules, self.document.at(*path))

    def variation(self, number: int, data: Any) -> Run | None:
        here: tuple[str | int, ...] = ("vary", number)
        if not isinstance(data, dict):
            self.fault("O302", here, "a variation has `title`, `set` and `expect`", "")
            return None
        for name in data:
            if name not in ("title", "set", "as_of", "expect", "parameters", "without"):
                self.fault(
                    "O101",
                    (*here, name),
                    f"unknown name {shown(name)} in a variation",
                    "known here: title, set, as_of, parameters, without, expect",
                )
        title = self._pair(data.get("title"), (*here, "title"), "title")
        expect = self.expectation(data.get("expect"), (*here, "expect"))
        changes = data.get("set") or {}
        if not isinstance(changes, dict):
            self.fault("O302", (*here, "set"), "`set` names facts with values", "")
            return None
        if title is None or expect is None:
            return None
        varied = {
            k: v
            for k, v in self.document.data.items()
            if k not in ("expect", "vary", "title", "story")
        }
        for name in ("as_of", "parameters", "without"):
            if name in data:
                varied[name] = data[name]
        return Run(
            title,
            _with(self.document, varied),
            self.document.part(*here, "set") if changes else None,
            expect,
        )


def _names(rules: tuple[str, ...]) -> str:
    return ", ".join(rules) if rules else "none"
