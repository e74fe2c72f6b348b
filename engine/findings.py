"""Tell the findings of one program: evidence, sentences, comparisons, the repair; told ones are kept.

What a finding says rests on few facts: those inside its rule, and those that choose their units or
fill their catalogue row. Orders that state the same of these get the same finding, told once. What
was told belongs to all of them: nobody changes a part of a decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar, cast

from engine import summary as summaries
from engine.evaluate import Program
from engine.generate import Finding
from engine.ir import And, Citation, Expr, Pair, Rule
from engine.load import Rulebook
from engine.names import inside, rests_on
from engine.order import Order
from engine.parse_vocabulary import CitedSource, base_facts
from engine.repair import Repair, repair_of, repairable
from engine.scene import Atom, Scene
from engine.sentences import told
from engine.values import Value, write
from engine.vocabulary import FactDefinition
from engine.words import LANGS, Lang, in_lang, sentence, worded

Json = dict[str, Any]
T = TypeVar("T")


class Kept(dict[Any, Any]):
    """What was told before, by all that it rests on; emptied when it is full."""

    most = 4_000

    def keep(self, key: Any, told: Any) -> Any:
        """Keep what was told, and give it back."""
        if len(self) >= self.most:
            self.clear()
        self[key] = told
        return told


class Told(NamedTuple):
    """A finding as it stands in a decision, and the base facts for which it waits."""

    finding: Json
    waits_for: tuple[str, ...]


@dataclass(slots=True, eq=False, repr=False)
class Notes(Generic[T]):
    """What is said when its condition is true, and the facts on which that rests."""

    rests_on: tuple[str, ...]
    notes: Sequence[tuple[Expr, T]]


@dataclass(slots=True, eq=False, repr=False)
class _Script:
    """What is the same whenever a rule is told, and the facts on which the rest rests."""

    rests_on: tuple[str, ...]
    evidence: tuple[str, ...]
    remarks: Notes[Pair]
    citations: Sequence[Json]
    settles: Sequence[Json]


class Findings:
    """The findings of one program, told for one order after the other."""

    def __init__(
        self, rulebook: Rulebook, program: Program, changed: Mapping[str, Value], kept: Kept
    ) -> None:
        self.rulebook = rulebook
        self.program = program
        self.changed = changed
        self.kept = kept
        self.scripts = {rule.id: self._script(rule) for rule in program.regime.rules}

    def told(self, scene: Scene, order: Order, finding: Finding) -> Told:
        """Tell a finding, or give what was told of the same facts before."""
        script = self.scripts[finding.rule.id]
        key = (script, *map(order.stated.get, script.rests_on))
        known: Told | None = self.kept.get(key)
        if known is None:
            rule = finding.rule
            waits_for = self._waits_for(scene, rule) if finding.status == "unknown" else ()
            known = Told(self._finding(scene, order, finding, script), waits_for)
            self.kept.keep(key, known)
        return known

    def noted(self, notes: Sequence[tuple[Expr, T]]) -> Notes[T]:
        """Notes to be asked of many orders."""
        return Notes(self.rests_on(*(when for when, _ in notes)), notes)

    def true(self, scene: Scene, order: Order, notes: Notes[T]) -> Sequence[T]:
        """The notes that are true of an order."""
        key = (notes, *map(order.stated.get, notes.rests_on))
        known: Sequence[T] | None = self.kept.get(key)
        if known is None:
            known = tuple(note for when, note in notes.notes if scene.truth(when) is True)
            self.kept.keep(key, known)
        return known

    def rests_on(self, *exprs: Expr) -> tuple[str, ...]:
        """The facts that an order states to settle all that is said of conditions."""
        return rests_on(self.program.regime, self.rulebook.vocabulary, exprs)

    # --- what never changes ---

    def _script(self, rule: Rule) -> _Script:
        regime, vocabulary = self.program.regime, self.rulebook.vocabulary
        whole = (
            rule.require if rule.applies is None else And((rule.applies, rule.require), rule.span)
        )
        citations, settles = self._sourced(rule)
        return _Script(
            self.rests_on(whole, *(note.when for note in rule.remarks)),
            # Every fact and parameter that a rule names, with what they are derived from.
            inside(regime, vocabulary, whole),
            self.noted([(note.when, note.text) for note in rule.remarks]),
            citations,
            settles,
        )

    def _sourced(self, rule: Rule) -> tuple[Sequence[Json], Sequence[Json]]:
        """Citations and readings of a rule, the same on every day and under every policy."""
        key = (self.program.regime, rule.id)
        known: tuple[Sequence[Json], Sequence[Json]] | None = self.kept.get(key)
        if known is None:
            settles = [
                {
                    "question": s.question.as_json(),
                    "answer": s.answer.as_json(),
                    "certainty": s.certainty,
                }
                for s in rule.settles
            ]
            known = self.kept.keep(
                key, ([cited(self.rulebook.sources, c) for c in rule.cite], settles)
            )
        return known

    # --- one finding ---

    def _finding(self, scene: Scene, order: Order, finding: Finding, script: _Script) -> Json:
        rule = finding.rule
        atoms = (
            [] if finding.because in ("not-in-force", "left-out") else self._atoms(scene, finding)
        )
        remarks = self.true(scene, order, script.remarks)
        repair = self._repair(rule, scene) if finding.status == "unmet" else None
        return {
            "rule": rule.id,
            "status": finding.status,
            "because": finding.because,
            "kind": rule.kind,
            "certainty": rule.certainty,
            "due": rule.due,
            "title": rule.title.as_json(),
            "text": {lang: self._text(scene, finding, repair, remarks, lang) for lang in LANGS},
            "evidence": [self._row(scene, order, name) for name in script.evidence],
            "comparisons": [scene.sides(atom) for atom in atoms],
            "repair": None if repair is None else repair.as_json(scene),
            "citations": script.citations,
            "settles": script.settles,
        }

    def _repair(self, rule: Rule, scene: Scene) -> Repair | None:
        key = (self, "repair", rule.id)
        facts: tuple[FactDefinition, ...] | None = self.kept.get(key)
        if facts is None:
            facts = self.kept.keep(key, repairable(self.program, rule))
        return repair_of(self.program, rule, scene.values, facts)

    def _atoms(self, scene: Scene, finding: Finding) -> list[Atom]:
        """The atoms on which a finding rests."""
        rule = finding.rule
        applicable = True if rule.applies is None else scene.truth(rule.applies)
        if finding.because == "condition":
            assert rule.applies is not None
            return list(scene.atoms(rule.applies))
        found: list[Atom] = []
        if rule.applies is not None and applicable is None and finding.status != "met":
            found += scene.atoms(rule.applies)
        if scene.truth(rule.require) is not None or finding.status == "unknown":
            found += scene.atoms(rule.require)
        if finding.status == "unknown":
            return [atom for atom in found if atom.held is None] or found
        return found

    def _text(
        self,
        scene: Scene,
        finding: Finding,
        repair: Repair | None,
        remarks: Sequence[Pair],
        lang: Lang,
    ) -> str:
        rule = finding.rule
        if finding.because in ("not-in-force", "left-out"):
            return summaries.set_aside(rule, finding.because, self.program.day, lang)
        if finding.because == "condition":
            assert rule.applies is not None
            because = told(scene, [rule.applies], lang, "neutral")
            parts = [summaries.not_concerned(lang), sentence(because, lang)]
        else:
            exprs = [rule.require]
            if finding.status == "unknown" and rule.applies is not None:
                exprs = [e for e in (rule.applies, rule.require) if scene.truth(e) is not True]
            parts = [sentence(told(scene, exprs, lang), lang)]
        if repair is not None:
            parts.append(repair.sentence(scene, lang))
        parts += [sentence(in_lang(remark, lang), lang) for remark in remarks]
        return (" " if lang == "en" else "").join(part for part in parts if part)

    def _waits_for(self, scene: Scene, rule: Rule) -> tuple[str, ...]:
        exprs = (e for e in (rule.applies, rule.require) if e is not None)
        open_ = (e for e in exprs if scene.truth(e) is None)
        paths = (path for expr in open_ for path in scene.unknown_facts(expr))
        bases = (base for path in paths for base in base_facts(self.rulebook.vocabulary, path))
        return tuple(dict.fromkeys(bases))

    # --- evidence ---

    def _row(self, scene: Scene, order: Order, name: str) -> Json:
        """A row of evidence; the same row of another finding or order is told once."""
        fact = self.rulebook.vocabulary.facts.get(name)
        if fact is None:
            slot = self.program.slots.get(name)
            key: Any = (self, name, None if slot is None else scene.values[slot])
        else:
            stated, chosen, source = order.stated, fact.counted_in, fact.catalogue
            key = (
                fact,
                scene.values[fact.slot],
                chosen and scene.values[self.program.slots[chosen]],
                name in stated,
                source and stated.get(source),
            )
        row: Json | None = self.kept.get(key)
        if row is None:
            row = self._fact(scene, order, fact) if fact else self._own(scene, name)
            self.kept.keep(key, row)
        return row

    def _own(self, scene: Scene, name: str) -> Json:
        """A parameter or derived quantity of the regime."""
        regime = self.program.regime
        if name in regime.parameters:
            parameter = regime.parameters[name]
            dated = parameter.on(self.program.day)
            changed = name in self.changed
            return {
                "parameter": name,
                "value": write(self.program.parameters[name], parameter.type),
                "unit": parameter.type.unit,
                "origin": "policy-change" if changed else "regime",
                "from": None if changed or dated is None else iso(dated[0]),
            }
        quantity, value = regime.quantities[name], scene.values[self.program.slots[name]]
        return {
            "fact": name,
            "value": write(value, quantity.type),
            "unit": quantity.type.unit,
            "origin": "derived",
            "label": quantity.label.as_json(),
            "text": None
            if value is None
            else {lang: worded(value, quantity.type, None, lang) for lang in LANGS},
        }

    def _fact(self, scene: Scene, order: Order, fact: FactDefinition) -> Json:
        vocabulary, value = self.rulebook.vocabulary, scene.values[fact.slot]
        origin = "derived" if fact.derived is not None else order.origin(fact.path)
        row: Json = {
            "fact": fact.path,
            "value": write(value, fact.type),
            "unit": scene.unit_code(fact) if fact.derived is None else fact.type.unit,
            "origin": origin,
            "label": fact.label.as_json(),
            "text": None
            if value is None
            else {lang: scene.stated(fact, value, lang) for lang in LANGS},
        }
        if origin == "catalogue" and fact.catalogue is not None:
            product = cast(str, order.stated[fact.catalogue])
            codes = vocabulary.facts[fact.catalogue].type.codes or ""
            row["row"] = product
            row["source"] = vocabulary.lists[codes].codes[product].cells.get("source", "")
        return row


def iso(day: int) -> str:
    """A day as it stands in JSON."""
    return date.fromordinal(day).isoformat()


def cited(sources: Mapping[str, CitedSource], citation: Citation) -> Json:
    """A citation with what is known of its source, as JSON."""
    source = sources[citation.source]
    told: Json = {
        "source": citation.source,
        "title": source.title.as_json(),
        "publisher": source.publisher.as_json(),
        "date": iso(source.date),
        "grade": source.grade,
        "address": source.address,
    }
    if citation.at is not None:
        told["at"] = citation.at
    if citation.quote is not None:
        told["quote"] = citation.quote
        told["zh" if source.language == "en" else "en"] = citation.translation
    if citation.says is not None:
        told["says"] = citation.says.as_json()
    return told
