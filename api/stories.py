"""Shipped stories and the team's drafts as orders: how each is named, titled and read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.service import read_document
from engine.case_story import is_case_story
from engine.diagnostics import Diagnostic, OrderRejected
from engine.ir import Pair
from engine.order import Document
from engine.scenario import Expectation, Scenario, read_scenario
from engine.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Chosen:
    """One order of a draft or story, by the id with which pages name it: `d-…`, `folder/name@2`."""

    of: str
    title: Pair
    document: Document
    changes: Document | None = None
    expect: Expectation | None = None

    @property
    def regime(self) -> str:
        """The id of the rule set that it names."""
        return str(self.document.data.get("regime") or "")

    @property
    def has_policy(self) -> bool:
        """Whether it brings changed rules of its own."""
        return any(self.document.data.get(name) for name in ("parameters", "without"))


@dataclass(frozen=True, slots=True)
class Story:
    """A shipped scenario as it was read, with its orders: the base order first."""

    id: str
    document: Document
    scenario: Scenario
    runs: tuple[Chosen, ...]

    @property
    def regime(self) -> str:
        """The id of the rule set that it names."""
        return self.runs[0].regime


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft as it crosses the pipe to a child: its id, its title and its envelope."""

    id: str
    title: Pair
    document: dict[str, Any]

    @property
    def expects(self) -> bool:
        """Whether it says what should come out."""
        return "expect" in self.document


def read_stories(folder: Path) -> dict[str, Story]:
    """Every scenario of a folder by its id, stories of cases aside.

    Raises `OrderRejected` with the faults of all files: one that was passed over would be missing
    from runs that say that all is as expected.
    """
    found: dict[str, Story] = {}
    faults: list[Diagnostic] = []
    for path in sorted(folder.rglob("*.yaml")):
        id = path.relative_to(folder).with_suffix("").as_posix()
        try:
            document = read_document(path)
            if not is_case_story(document):
                found[id] = _story(id, document)
        except OrderRejected as error:
            faults += error.diagnostics
    if faults:
        raise OrderRejected(faults)
    return found


def read_story(folder: Path, id: str) -> Story:
    """One scenario of a folder. Raises `OrderRejected`."""
    return _story(id, read_document(folder / f"{id}.yaml"))


def _story(id: str, document: Document) -> Story:
    scenario = read_scenario(document)
    return Story(id, document, scenario, _runs(id, scenario))


def orders_of(draft: Saved) -> tuple[Chosen, ...]:
    """The orders of a draft: one, or all if it expects something. Raises `OrderRejected`."""
    if draft.expects:
        return _runs(draft.id, read_scenario(Document(draft.document)))
    return (Chosen(draft.id, draft.title, Document(order_of(draft.document))),)


def order_of(draft: dict[str, Any]) -> dict[str, Any]:
    """The order of a draft that expects nothing, without what only scenarios have."""
    return {k: v for k, v in draft.items() if k not in ("title", "story", "vary")}


def envelope_of(run: Chosen, vocabulary: Vocabulary) -> dict[str, Any]:
    """The envelope of one order with its facts by path, the changes of a variation made."""
    facts = dict(flat(run.document.data.get("facts"), vocabulary))
    for path, value in flat(run.changes.data if run.changes else None, vocabulary):
        facts = {p: v for p, v in facts.items() if p != path and not p.startswith(f"{path}.")}
        if value is not None:
            facts[path] = value
    return {**run.document.data, "facts": facts}


def flat(facts: Any, vocabulary: Vocabulary, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Facts by their whole path, nested or not."""
    for name, value in facts.items() if isinstance(facts, dict) else ():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and path in vocabulary.prefixes:
            yield from flat(value, vocabulary, f"{path}.")
        else:
            yield path, value


def _runs(id: str, scenario: Scenario) -> tuple[Chosen, ...]:
    return tuple(
        Chosen(f"{id}@{number}" if number else id, r.title, r.document, r.changes, r.expect)
        for number, r in enumerate(scenario.runs)
    )
