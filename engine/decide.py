"""Assemble a decision: the judgement of one order with evidence, sentences and provenance.

The decision is JSON-shaped data (`placet.decision/1`); the README documents it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from engine import __version__
from engine import summary as summaries
from engine.evaluate import Program, compile_regime, derived, judge
from engine.generate import Finding, Judgement
from engine.ir import CERTAINTIES, DUES, And, Citation, Fact, Note, Pair, Regime, Rule, Status
from engine.load import Rulebook
from engine.names import inside
from engine.order import Order, write_facts
from engine.parse_vocabulary import base_facts
from engine.repair import Repair, repair_of
from engine.scene import Atom, Scene
from engine.sentences import told
from engine.values import Value, write
from engine.words import LANGS, NOTICE, Lang, in_lang, sentence, worded

SCHEMA = "placet.decision/1"
Decision = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """Which rules an order is judged by: the day, changed parameters, rules left out or selected."""

    day: int
    day_from: str
    overrides: Mapping[str, Value]
    without: tuple[str, ...]
    only: tuple[str, ...] = ()

    def selects(self, rule: Rule) -> bool:
        """Whether `--only` keeps a rule: `kind=…` keeps that kind, `certainty>=…` that or surer."""
        kinds = [o.removeprefix("kind=") for o in self.only if o.startswith("kind=")]
        floors = [o.removeprefix("certainty>=") for o in self.only if o.startswith("certainty>=")]
        sure = all(CERTAINTIES.index(rule.certainty) <= CERTAINTIES.index(f) for f in floors)
        return sure and (not kinds or rule.kind in kinds)


def prepare(rulebook: Rulebook, regime: Regime, policy: Policy) -> Program:
    """The program of a regime under a policy; many orders may be judged by it."""
    return compile_regime(
        regime,
        rulebook.vocabulary,
        policy.day,
        overrides=policy.overrides,
        without=policy.without,
        selected=policy.selects if policy.only else None,
    )


def decide(
    rulebook: Rulebook,
    regime: Regime,
    order: Order,
    policy: Policy,
    *,
    program: Program | None = None,
    basis: Mapping[str, Any] | None = None,
) -> Decision:
    """Decide one order. `program`, where given, is `prepare` of the same policy."""
    ready = prepare(rulebook, regime, policy) if program is None else program
    judgement = judge(ready, order.values)
    return _Teller(rulebook, regime, order, policy, ready, judgement).decision(basis or {})


def date_of(regime: Regime, order: Order, asked: int | None, today: int) -> tuple[int, str]:
    """The day whose rules apply, and where it comes from: the caller, a fact, or today."""
    if asked is not None:
        return asked, "caller"
    for path in dict.fromkeys((regime.dated_by, "order.placed_on")):
        value = order.stated.get(path)
        if isinstance(value, int):
            return value, path
    return today, "today"


class _Teller:
    def __init__(
        self,
        rulebook: Rulebook,
        regime: Regime,
        order: Order,
        policy: Policy,
        program: Program,
        judgement: Judgement,
    ) -> None:
        self.rulebook = rulebook
        self.regime = regime
        self.order = order
        self.policy = policy
        self.program = program
        self.judgement = judgement
        self.values = derived(program, order.values)
        self.scene = Scene(program, self.values)

    def decision(self, basis: Mapping[str, Any]) -> Decision:
        regime, judgement = self.regime, self.judgement
        outcome = regime.outcomes[judgement.status]
        findings = [self._finding(finding) for finding in judgement.findings]
        changes = self._policy_changes()
        missing = self._missing()
        texts = {
            lang: summaries.summary(
                self.scene,
                judgement,
                self.policy.only,
                changes,
                [m["fact"] for m in missing],
                lang,
            )
            for lang in LANGS
        }
        return {
            "schema": SCHEMA,
            "outcome": outcome.code,
            "status": judgement.status,
            "regime": {
                "id": regime.id,
                "title": regime.title.as_json(),
                "digest": self.rulebook.digests[regime.id],
                "edition": self.rulebook.editions[regime.id],
                "as_of": _iso(self.policy.day),
                "as_of_from": self.policy.day_from,
                "read_to": _iso(regime.read_to),
            },
            "hypothetical_policy": bool(changes),
            "policy_changes": changes,
            "only": list(self.policy.only),
            "label": summaries.label_of(regime, judgement.status, self.policy.only).as_json(),
            "meaning": summaries.meaning_of(regime, judgement.status, self.policy.only).as_json(),
            "notice": NOTICE.as_json(),
            "summary": texts,
            "findings": findings,
            "missing": missing,
            "remedies": None,
            "by_kind": self._by_kind(),
            "obligations": self._obligations(),
            "cautions": self._cautions(),
            "leaves_out": [pair.as_json() for pair in regime.leaves_out],
            "figures": self._figures(),
            "facts": write_facts(self.rulebook.vocabulary, self.order.stated),
            "basis": dict(basis),
            "diagnostics": [],
            "engine": {"version": __version__, "judged_by": ["reference"]},
        }

    # --- findings ---

    def _finding(self, finding: Finding) -> dict[str, Any]:
        rule = finding.rule
        atoms = [] if finding.because in ("not-in-force", "left-out") else self._atoms(finding)
        repair = (
            repair_of(self.program, rule, self.values) if (finding.status == "unmet") else None
        )
        return {
            "rule": rule.id,
            "status": finding.status,
            "because": finding.because,
            "kind": rule.kind,
            "certainty": rule.certainty,
            "due": rule.due,
            "title": rule.title.as_json(),
            "text": {lang: self._text(finding, repair, lang) for lang in LANGS},
            "evidence": self._evidence(rule),
            "comparisons": [self.scene.sides(atom) for atom in atoms],
            "repair": None if repair is None else repair.as_json(self.scene),
            "citations": [self._citation(c) for c in rule.cite],
            "settles": [
                {
                    "question": s.question.as_json(),
                    "answer": s.answer.as_json(),
                    "certainty": s.certainty,
                }
                for s in rule.settles
            ],
        }

    def _atoms(self, finding: Finding) -> list[Atom]:
        """The atoms on which a finding rests."""
        rule, scene = finding.rule, self.scene
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

    def _text(self, finding: Finding, repair: Repair | None, lang: Lang) -> str:
        rule, scene = finding.rule, self.scene
        if finding.because in ("not-in-force", "left-out"):
            return summaries.set_aside(rule, finding.because, self.policy.day, lang)
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
        parts += [
            sentence(in_lang(note.text, lang), lang)
            for note in rule.remarks
            if scene.truth(note.when) is True
        ]
        return (" " if lang == "en" else "").join(part for part in parts if part)

    def _evidence(self, rule: Rule) -> list[dict[str, Any]]:
        """Every fact and parameter that a rule names, with what they are derived from."""
        whole = (
            rule.require if rule.applies is None else And((rule.applies, rule.require), rule.span)
        )
        names = inside(self.regime, self.rulebook.vocabulary, whole)
        return [self._row(name) for name in names]

    def _row(self, name: str) -> dict[str, Any]:
        vocabulary, regime = self.rulebook.vocabulary, self.regime
        if name in regime.parameters:
            parameter = regime.parameters[name]
            dated = parameter.on(self.policy.day)
            changed = name in self.policy.overrides
            return {
                "parameter": name,
                "value": write(self.program.parameters[name], parameter.type),
                "unit": parameter.type.unit,
                "origin": "policy-change" if changed else "regime",
                "from": None if changed or dated is None else _iso(dated[0]),
            }
        value = self.values[self.program.slots[name]]
        if name in regime.quantities:
            quantity = regime.quantities[name]
            words = (
                None
                if value is None
                else {lang: worded(value, quantity.type, None, lang) for lang in LANGS}
            )
            return {
                "fact": name,
                "value": write(value, quantity.type),
                "unit": quantity.type.unit,
                "origin": "derived",
                "label": quantity.label.as_json(),
                "text": words,
            }
        fact = vocabulary.facts[name]
        origin = "derived" if fact.derived is not None else self.order.origin(name)
        expr = Fact(name, fact.type, fact.span)
        row: dict[str, Any] = {
            "fact": name,
            "value": write(value, fact.type),
            "unit": self.scene.unit_code(expr) if fact.derived is None else fact.type.unit,
            "origin": origin,
            "label": fact.label.as_json(),
            "text": None
            if value is None
            else {g: self.scene.stated(fact, value, g) for g in LANGS},
        }
        if origin == "catalogue" and fact.catalogue is not None:
            product = cast(str, self.order.stated[fact.catalogue])
            codes = vocabulary.facts[fact.catalogue].type.codes or ""
            row["row"] = product
            row["source"] = vocabulary.lists[codes].codes[product].cells.get("source", "")
        return row

    def _citation(self, citation: Citation) -> dict[str, Any]:
        source = self.rulebook.sources[citation.source]
        told: dict[str, Any] = {
            "source": citation.source,
            "title": source.title.as_json(),
            "publisher": source.publisher.as_json(),
            "date": _iso(source.date),
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

    # --- what stands around the findings ---

    def _missing(self) -> list[dict[str, Any]]:
        """Base facts whose answer can still change the outcome, in the order of the rules."""
        if self.judgement.status != "unknown":
            return []
        needed: dict[str, list[str]] = {}
        due: dict[str, str] = {}

        def need(path: str, rule: str, when: str) -> None:
            for base in base_facts(self.rulebook.vocabulary, path):
                needed.setdefault(base, [])
                if rule not in needed[base]:
                    needed[base].append(rule)
                if base not in due or DUES.index(when) < DUES.index(due[base]):
                    due[base] = when

        if self.judgement.scope is None:
            for path in self.scene.unknown_facts(self.regime.scope):
                need(path, "scope", min((r.due for r in self.regime.rules), key=DUES.index))
        failed = any(f.status == "unmet" for f in self.judgement.findings)
        for finding in self.judgement.findings if not failed else ():
            if finding.status != "unknown":
                continue
            rule = finding.rule
            for expr in (rule.applies, rule.require):
                if expr is not None and self.scene.truth(expr) is None:
                    for path in self.scene.unknown_facts(expr):
                        need(path, rule.id, rule.due)
        facts = self.rulebook.vocabulary.facts
        return [
            {
                "fact": path,
                "label": facts[path].label.as_json(),
                "needed_by": rules,
                "due": due[path],
                "held_by": facts[path].held_by,
            }
            for path, rules in needed.items()
        ]

    def _by_kind(self) -> dict[str, Status]:
        """The worst finding of each kind of rule; a kind without a judged rule does not apply."""
        worst: tuple[Status, ...] = ("unmet", "unknown", "met", "not-applicable")
        kinds: dict[str, Status] = {}
        for finding in self.judgement.findings:
            kind = finding.rule.kind
            kinds[kind] = min(kinds.get(kind, "not-applicable"), finding.status, key=worst.index)
        return kinds

    def _obligations(self) -> list[dict[str, Any]]:
        if self.judgement.status == "not-applicable":
            return []
        return [
            {"from": note.set_by, "rule": finding.rule.id, "text": note.text.as_json()}
            for finding in self.judgement.findings
            if finding.because is None
            for note in finding.rule.obligations
            if self.scene.truth(note.when) is True
        ]

    def _cautions(self) -> list[dict[str, Any]]:
        cautions: list[tuple[str | None, Pair]] = summaries.date_cautions(
            self.regime,
            self.rulebook.vocabulary.facts[self.regime.dated_by].label,
            self.policy.day,
            self.policy.day_from,
        )
        cautions += [(None, note.text) for note in self._true(self.regime.cautions)]
        if self.judgement.status != "not-applicable":
            judged = [f.rule for f in self.judgement.findings if f.because is None]
            hindsight = summaries.hindsight(judged, self.policy.day)
            cautions += [(None, hindsight)] if hindsight else []
            cautions += [
                (rule.id, note.text) for rule in judged for note in self._true(rule.cautions)
            ]
        return [{"rule": rule, "text": text.as_json()} for rule, text in cautions]

    def _true(self, notes: Sequence[Note]) -> list[Note]:
        return [note for note in notes if self.scene.truth(note.when) is True]

    def _figures(self) -> list[dict[str, Any]]:
        vocabulary = self.rulebook.vocabulary
        quantities = [f.derived for f in vocabulary.derived if f.derived is not None]
        quantities += self.regime.quantities.values()
        figures: list[dict[str, Any]] = []
        for q in quantities:
            value = self.values[self.program.slots[q.name]]
            unit = vocabulary.units.get(q.type.unit or "") if q.type.unit != "USD" else None
            text = {lang: worded(value or 0, q.type, unit, lang) for lang in LANGS}
            figures.append(
                {
                    "name": q.name,
                    "value": write(value, q.type),
                    "unit": q.type.unit,
                    "label": q.label.as_json(),
                    "text": None if value is None else text,
                }
            )
        return figures

    def _policy_changes(self) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = []
        for name, value in self.policy.overrides.items():
            parameter = self.regime.parameters[name]
            dated = parameter.on(self.policy.day)
            was = None if dated is None else dated[1]
            changes.append(
                {
                    "parameter": name,
                    "from": write(was, parameter.type),
                    "to": write(value, parameter.type),
                    "unit": parameter.type.unit,
                    "label": parameter.label.as_json(),
                }
            )
        titles = {rule.id: rule.title for rule in self.regime.rules}
        changes += [{"without": id, "label": titles[id].as_json()} for id in self.policy.without]
        return changes


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()
