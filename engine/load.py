"""Load a folder of rules into a rulebook, or reject it with every fault it has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.check import regime_faults
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
from engine.parse_vocabulary import CitedSource, parse_sources, parse_vocabulary
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


def load(folder: Path, only: Collection[str] | None = None) -> Rulebook:
    """Load every regime of a folder, or those named. Raises `RulesRejected`."""
    if not folder.is_dir():
        span = Span(Source(str(folder)))
        raise RulesRejected(
            [Diagnostic("R001", span, "is no folder of rules", "name one with `--rules`")]
        )
    return _Loader(folder).load(only)


def regimes_in(folder: Path) -> tuple[str, ...]:
    """The ids of the regimes in a folder."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/regime.yaml")))


class _Loader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        known = regimes_in(self.folder)
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
            home = Source(self._name(f"{id}/regime.yaml"))
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
        if has_errors(self.faults):
            raise RulesRejected(self.faults)
        return Rulebook(vocabulary, sources, regimes, digests, editions, ordered(self.faults))

    def _regime_files(self, id: str) -> tuple[Node | None, dict[str, Node | None]]:
        files: dict[str, Node | None] = {}
        for path in sorted((self.folder / id).glob("*.yaml")):
            if path.name not in ("regime.yaml", "process.yaml"):
                files[path.stem] = self._read(f"{id}/{path.name}", "R")
        return self._read(f"{id}/regime.yaml", "R"), files

    def _name(self, file: str) -> str:
        return str(self.folder / file)

    def _read(self, file: str, family: str) -> Node | None:
        try:
            path = self.folder / file
            node = read_text(read_bytes(path, family), self._name(file), family)
        except PlacetError as error:
            self.faults += error.diagnostics
            return None
        if node is None:
            self.faults.append(
                Diagnostic(
                    f"{family}102", Span(Source(self._name(file))), "the file is empty", "write it"
                )
            )
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
