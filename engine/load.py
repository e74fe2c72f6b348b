"""Load a folder of rules into a rulebook, or reject it with every fault it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.check import regime_faults
from engine.check_process import process_faults
from engine.diagnostics import (
    Diagnostic,
    PlacetError,
    RulesRejected,
    Source,
    Span,
    has_errors,
    ordered,
    shown,
)
from engine.digest import digest, sha256
from engine.ir import Regime
from engine.parse import parse_regime
from engine.parse_process import parse_process
from engine.parse_vocabulary import CitedSource, parse_sources, parse_vocabulary
from engine.process import Process
from engine.source import Node, plain, read_bytes, read_text
from engine.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rulebook:
    """Checked regimes with the vocabulary and sources they share."""

    vocabulary: Vocabulary
    sources: Mapping[str, CitedSource]
    regimes: Mapping[str, Regime]
    digests: Mapping[str, str]
    editions: Mapping[str, str]
    warnings: tuple[Diagnostic, ...]
    processes: Mapping[str, Process] = field(default_factory=dict)
    process_editions: Mapping[str, str] = field(default_factory=dict)


def load(folder: Path, only: Collection[str] | None = None, *, processes: bool = True) -> Rulebook:
    """Load every regime and process of a folder, or those named. Raises `RulesRejected`.

    Without `processes` none is read: a single order needs none.
    """
    if not folder.is_dir():
        span = Span(Source(str(folder)))
        raise RulesRejected(
            [Diagnostic("R001", span, "is no folder of rules", "name one with `--rules`")]
        )
    return _Loader(folder, processes=processes).load(only)


def load_draft(
    folder: Path, id: str, files: Mapping[str, str | None], based_on: str | None = None
) -> Rulebook:
    """Load one regime from texts by file name, with the vocabulary and sources of a folder.

    Files of the regime it is based on are taken where none is given; null takes one away.
    Raises `RulesRejected`.
    """
    return _Loader(folder, id, files, based_on, processes=False).load((id,))


def regimes_in(folder: Path) -> tuple[str, ...]:
    """The ids of the regimes in a folder."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/regime.yaml")))


def processes_in(folder: Path) -> tuple[str, ...]:
    """The ids of the processes in a folder."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/process.yaml")))


class _Loader:
    def __init__(
        self,
        folder: Path,
        draft: str | None = None,
        files: Mapping[str, str | None] | None = None,
        based_on: str | None = None,
        *,
        processes: bool,
    ) -> None:
        self.folder = folder
        self.draft = draft
        self.files = files or {}
        self.based_on = based_on
        self.processes = processes
        self.faults: list[Diagnostic] = []
        self.tables: dict[str, str] = {}

    def load(self, only: Collection[str] | None) -> Rulebook:
        vocabulary_node = self._read("vocabulary.yaml", "V")
        sources_node = self._read("sources.yaml", "V")
        vocabulary = (
            parse_vocabulary(vocabulary_node, self._table, self.faults)
            if vocabulary_node is not None
            else None
        )
        sources = parse_sources(sources_node, self.faults) if sources_node is not None else {}
        if vocabulary is None or has_errors(self.faults):
            raise RulesRejected(self.faults)
        shared = [plain(vocabulary_node), plain(sources_node), self.tables]
        known = regimes_in(self.folder) if self.draft is None else (self.draft,)
        regimes: dict[str, Regime] = {}
        digests: dict[str, str] = {}
        editions: dict[str, str] = {}
        for id in known:
            if only is not None and id not in only:
                continue
            before = len(self.faults)
            top, files = self._regime_files(id)
            if top is None:
                continue
            home = Source(self._name(id, "regime.yaml"))
            regime = parse_regime(id, top, files, vocabulary, home, self.faults)
            # A regime of which a file could not be read would show faults that it has not.
            if regime is None or has_errors(self.faults[before:]):
                continue
            found = regime_faults(regime, vocabulary, sources)
            self.faults += found
            if not has_errors(found):
                regimes[id] = regime
                digests[id] = digest(regime, vocabulary)
                texts = {name: plain(node) for name, node in files.items()}
                editions[id] = sha256([digests[id], shared, plain(top), texts])
        processes: dict[str, Process] = {}
        process_editions: dict[str, str] = {}
        for id in processes_in(self.folder) if self.processes else ():
            # A process of a rule set that has a fault would show faults that it has not.
            if (only is not None and id not in only) or (id in known and id not in regimes):
                continue
            node = self._read(f"{id}/process.yaml", "R")
            if node is None:
                continue
            process = parse_process(
                id, node, vocabulary, regimes.get(id), self._table, self.faults
            )
            found = [] if process is None else process_faults(process, sources)
            self.faults += found
            if process is not None and not has_errors(found):
                processes[id] = process
                process_editions[id] = sha256([editions.get(id), shared, plain(node)])
        if has_errors(self.faults):
            raise RulesRejected(self.faults)
        warnings = ordered(self.faults)
        return Rulebook(
            *(vocabulary, sources, regimes, digests, editions, warnings),
            *(processes, process_editions),
        )

    def _regime_files(self, id: str) -> tuple[Node | None, dict[str, Node | None]]:
        home = id if id != self.draft else self.based_on
        found = {} if home is None else {p.name: p for p in (self.folder / home).glob("*.yaml")}
        files: dict[str, Node | None] = {}
        for name in sorted({*found, *self.files}):
            if name in ("regime.yaml", "process.yaml") or self.files.get(name, "") is None:
                continue
            files[name.removesuffix(".yaml")] = self._rule_file(id, home, name)
        return self._rule_file(id, home, "regime.yaml"), files

    def _rule_file(self, id: str, home: str | None, name: str) -> Node | None:
        text = self.files.get(name)
        if text is None:
            return self._read(f"{home or id}/{name}", "R")
        try:
            node = read_text(text, f"{id}/{name}", "R")
        except PlacetError as error:
            self.faults += error.diagnostics
            return None
        return self._not_empty(node, f"{id}/{name}", "R")

    def _name(self, *parts: str) -> str:
        """A file as whoever wrote it knows it."""
        file = "/".join(parts)
        return file if parts[0] == self.draft else str(self.folder / file)

    def _read(self, file: str, family: str) -> Node | None:
        try:
            path = self.folder / file
            node = read_text(read_bytes(path, family), self._name(file), family)
        except PlacetError as error:
            self.faults += error.diagnostics
            return None
        return self._not_empty(node, self._name(file), family)

    def _not_empty(self, node: Node | None, name: str, family: str) -> Node | None:
        if node is None:
            place = Span(Source(name))
            self.faults.append(Diagnostic(f"{family}102", place, "the file is empty", "write it"))
        return node

    def _table(self, file: str, span: Span) -> tuple[str, Source] | None:
        """Fetch a code list's file, which lies inside the folder."""
        if "\0" in file or not file.endswith(".csv"):
            self.faults.append(
                Diagnostic(
                    "V201", span, f"{shown(file)} is no CSV file", "name one inside the rules"
                )
            )
            return None
        path = self.folder / file
        if not path.resolve().is_relative_to(self.folder.resolve()):
            self.faults.append(
                Diagnostic("V201", span, f"{shown(file)} lies outside the rules", "move it inside")
            )
            return None
        try:
            text = read_bytes(path, "V", self._name(file)).decode("utf-8-sig")
        except PlacetError as error:
            self.faults += [
                Diagnostic("V001", span, f"{shown(file)} {d.message}", d.help)
                for d in error.diagnostics
            ]
            return None
        except UnicodeDecodeError:
            self.faults.append(
                Diagnostic("V001", span, f"{shown(file)} is not UTF-8 text", "save it as UTF-8")
            )
            return None
        self.tables[file] = text
        return text, Source(self._name(file), tuple(text.splitlines()))
