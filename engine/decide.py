"""Assemble a decision: the judgement of one order with evidence, sentences and provenance.

The decision is JSON-shaped data (`placet.decision/1`); the README documents it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine import __version__
from engine import summary as summaries
from engine.concord import ALONE, LABEL, MEANING, Concord, Evaluator, Verdict, sentence_of, weigh
from engine.evaluate import Program, compile_regime, derived, judge
from engine.findings import Findings, Json, Kept, Notes, Told, iso
from engine.generate import Finding, Judgement
from engine.ir import CERTAINTIES, DUES, Note, Pair, Quantity, Regime, Rule, Status
from engine.load import Rulebook
from engine.order import Order, write_facts
from engine.parse_vocabulary import base_facts
from engine.scene import Scene
from engine.values import Value, write
from engine.words import LANGS, NOTICE, worded

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
    return Decider(rulebook, ready, policy, Kept()).decide(order, policy.day_from, basis or {})


def date_of(regime: Regime, order: Order, asked: int | None, today: int) -> tuple[int, str]:
    """The day whose rules apply, and where it comes from: the caller, a fact, or today."""
    if asked is not None:
        return asked, "caller"
    for path in dict.fromkeys((regime.dated_by, "order.placed_on")):
        value = order.stated.get(path)
        if isinstance(value, int):
            return value, path
    return today, "today"


class _Whole(NamedTuple):
    """What is said of an order as a whole; it rests on the statuses of the findings."""

    label: Json
    meaning: Json
    summary: Json
    by_kind: Mapping[str, Status]
    hindsight: Json | None


class Decider:
    """Decides one order after the other under one policy; `kept` is what it told before.

    Nobody changes a decision: it has parts in common with those of other orders.
    """

    def __init__(self, rulebook: Rulebook, program: Program, policy: Policy, kept: Kept) -> None:
        regime, vocabulary = program.regime, rulebook.vocabulary
        self.rulebook = rulebook
        self.program = program
        self.policy = policy
        self.kept = kept
        self.findings = Findings(rulebook, program, policy.overrides, kept)
        self.changes = self._policy_changes()
        self.scope = self.findings.rests_on(regime.scope)
        noted = self.findings.noted
        self.cautions = noted([(n.when, _caution(None, n.text)) for n in regime.cautions])
        self.cautions_of = {
            rule.id: noted([(n.when, _caution(rule.id, n.text)) for n in rule.cautions])
            for rule in regime.rules
            if rule.cautions
        }
        self.obligations_of = {
            rule.id: noted([(n.when, _obligation(rule.id, n)) for n in rule.obligations])
            for rule in regime.rules
            if rule.obligations
        }
        own = (fact.derived for fact in vocabulary.derived if fact.derived is not None)
        self.quantities = (*own, *regime.quantities.values())
        self.leaves_out = [pair.as_json() for pair in regime.leaves_out]

    def decide(
        self,
        order: Order,
        day_from: str,
        basis: Mapping[str, Any],
        *,
        evaluator: Evaluator = "reference",
        verdict: Verdict | None = None,
    ) -> Decision:
        """Decide one order; `day_from` says where the day of the policy comes from.

        `verdict` is what live finds, where it was asked and could answer.
        """
        regime = self.program.regime
        concord = weigh(regime, judge(self.program, order.values), evaluator, verdict)
        judgement = concord.judgement
        scene = Scene(self.program, derived(self.program, order.values))
        told = [self._told(scene, order, finding, concord) for finding in judgement.findings]
        if concord.disagree:
            missing: list[Json] = []  # no fact decides an order on which evaluators disagree
            whole = self._at_odds(scene, concord)
        else:
            missing = self._missing(scene, judgement, told)
            whole = self._whole(scene, order, judgement, missing)
        cautions = self._cautions(scene, order, judgement, day_from, whole)
        if concord.is_alone:
            cautions.append(_caution(None, ALONE))
        return {
            "schema": SCHEMA,
            "outcome": regime.outcomes[judgement.status].code,
            "status": judgement.status,
            "regime": self._regime(day_from),
            "hypothetical_policy": bool(self.changes),
            "policy_changes": self.changes,
            "only": list(self.policy.only),
            "label": whole.label,
            "meaning": whole.meaning,
            "notice": NOTICE.as_json(),
            "summary": whole.summary,
            "findings": [one.finding for one in told],
            "missing": missing,
            "remedies": None,
            "by_kind": whole.by_kind,
            "obligations": self._obligations(scene, order, judgement),
            "cautions": cautions,
            "leaves_out": self.leaves_out,
            "figures": [self._figure(scene, quantity) for quantity in self.quantities],
            "facts": write_facts(self.rulebook.vocabulary, order.stated),
            "basis": dict(basis),
            "diagnostics": [fault.as_json() for fault in concord.diagnostics],
            "engine": {"version": __version__, "judged_by": list(concord.judged_by)},
        }

    def _told(self, scene: Scene, order: Order, finding: Finding, concord: Concord) -> Told:
        if finding.rule.id not in concord.split:
            return self.findings.told(scene, order, finding)
        # Evidence and both sides are those of the reference; its sentences would not fit.
        reference, live = concord.split[finding.rule.id]
        told = self.findings.told(scene, order, reference)
        said = {
            "status": finding.status,
            "because": finding.because,
            "text": sentence_of(reference, live).as_json(),
            "repair": None,
        }
        return Told({**told.finding, **said}, told.waits_for)

    # --- the order as a whole ---

    def _regime(self, day_from: str) -> Json:
        key = (self, "regime", day_from)
        known: Json | None = self.kept.get(key)
        if known is None:
            regime = self.program.regime
            known = {
                "id": regime.id,
                "title": regime.title.as_json(),
                "digest": self.rulebook.digests[regime.id],
                "edition": self.rulebook.editions[regime.id],
                "as_of": iso(self.policy.day),
                "as_of_from": day_from,
                "read_to": iso(regime.read_to),
            }
            self.kept.keep(key, known)
        return known

    def _whole(
        self, scene: Scene, order: Order, judgement: Judgement, missing: Sequence[Json]
    ) -> _Whole:
        # While scope is not certain, the summary says why.
        why = () if judgement.scope is True else map(order.stated.get, self.scope)
        statuses = tuple([(finding.status, finding.because) for finding in judgement.findings])
        facts = tuple([row["fact"] for row in missing])
        key = (self, judgement.status, judgement.scope, statuses, facts, *why)
        known: _Whole | None = self.kept.get(key)
        if known is None:
            regime, status, only = self.program.regime, judgement.status, self.policy.only
            known = _Whole(
                summaries.label_of(regime, status, only).as_json(),
                summaries.meaning_of(regime, status, only).as_json(),
                {
                    lang: summaries.summary(scene, judgement, only, self.changes, facts, lang)
                    for lang in LANGS
                },
                _by_kind(judgement),
                self._hindsight(judgement),
            )
            self.kept.keep(key, known)
        return known

    def _at_odds(self, scene: Scene, concord: Concord) -> _Whole:
        """What is said of an order on which evaluators disagree; told anew each time."""
        regime, judgement, only = self.program.regime, concord.judgement, self.policy.only
        label, meaning = LABEL, MEANING
        if concord.judged_by == ("live",):
            label = summaries.label_of(regime, judgement.status, only)
            meaning = summaries.meaning_of(regime, judgement.status, only)
        titles = [finding.rule.title for finding, _ in concord.split.values()]
        return _Whole(
            label.as_json(),
            meaning.as_json(),
            {
                lang: summaries.at_odds(scene, label, titles, only, self.changes, lang)
                for lang in LANGS
            },
            _by_kind(judgement),
            self._hindsight(judgement),
        )

    def _hindsight(self, judgement: Judgement) -> Json | None:
        judged = [f.rule for f in judgement.findings if f.because is None]
        text = summaries.hindsight(judged, self.policy.day)
        return None if text is None else _caution(None, text)

    def _policy_changes(self) -> list[Json]:
        regime = self.program.regime
        changes: list[Json] = []
        for name, value in self.policy.overrides.items():
            parameter = regime.parameters[name]
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
        titles = {rule.id: rule.title for rule in regime.rules}
        changes += [{"without": id, "label": titles[id].as_json()} for id in self.policy.without]
        return changes

    # --- what stands around the findings ---

    def _missing(self, scene: Scene, judgement: Judgement, told: Sequence[Told]) -> list[Json]:
        """Base facts whose answer can still change the outcome, in the order of the rules."""
        if judgement.status != "unknown":
            return []
        vocabulary, regime = self.rulebook.vocabulary, self.program.regime
        needed: dict[str, list[str]] = {}
        due: dict[str, str] = {}

        def need(base: str, rule: str, when: str) -> None:
            needed.setdefault(base, [])
            if rule not in needed[base]:
                needed[base].append(rule)
            if base not in due or DUES.index(when) < DUES.index(due[base]):
                due[base] = when

        if judgement.scope is None:
            first = min((rule.due for rule in regime.rules), key=DUES.index)
            for path in scene.unknown_facts(regime.scope):
                for base in base_facts(vocabulary, path):
                    need(base, "scope", first)
        if all(finding.status != "unmet" for finding in judgement.findings):
            for finding, one in zip(judgement.findings, told, strict=True):
                for base in one.waits_for:
                    need(base, finding.rule.id, finding.rule.due)
        facts = vocabulary.facts
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

    def _obligations(self, scene: Scene, order: Order, judgement: Judgement) -> list[Json]:
        if judgement.status == "not-applicable":
            return []
        return self._noted(scene, order, judgement, self.obligations_of)

    def _cautions(
        self, scene: Scene, order: Order, judgement: Judgement, day_from: str, whole: _Whole
    ) -> list[Json]:
        cautions = [*self._of_date(day_from), *self.findings.true(scene, order, self.cautions)]
        if judgement.status != "not-applicable":
            cautions += [] if whole.hindsight is None else [whole.hindsight]
            cautions += self._noted(scene, order, judgement, self.cautions_of)
        return cautions

    def _of_date(self, day_from: str) -> Sequence[Json]:
        key = (self, "dates", day_from)
        known: Sequence[Json] | None = self.kept.get(key)
        if known is None:
            regime = self.program.regime
            label = self.rulebook.vocabulary.facts[regime.dated_by].label
            dates = summaries.date_cautions(regime, label, self.policy.day, day_from)
            known = self.kept.keep(key, [_caution(*dated) for dated in dates])
        return known

    def _noted(
        self, scene: Scene, order: Order, judgement: Judgement, notes: Mapping[str, Notes[Json]]
    ) -> list[Json]:
        """The notes of judged rules that are true of an order."""
        return [
            note
            for finding in judgement.findings
            if finding.because is None and finding.rule.id in notes
            for note in self.findings.true(scene, order, notes[finding.rule.id])
        ]

    def _figure(self, scene: Scene, quantity: Quantity) -> Json:
        value = scene.values[self.program.slots[quantity.name]]
        key = (self, quantity.name, value)
        known: Json | None = self.kept.get(key)
        if known is None:
            kind, units = quantity.type, self.rulebook.vocabulary.units
            unit = units.get(kind.unit or "") if kind.unit != "USD" else None
            text = {lang: worded(value or 0, kind, unit, lang) for lang in LANGS}
            known = {
                "name": quantity.name,
                "value": write(value, kind),
                "unit": kind.unit,
                "label": quantity.label.as_json(),
                "text": None if value is None else text,
            }
            self.kept.keep(key, known)
        return known


def _by_kind(judgement: Judgement) -> dict[str, Status]:
    """The worst finding of each kind of rule; a kind without a judged rule does not apply."""
    worst: tuple[Status, ...] = ("unmet", "unknown", "met", "not-applicable")
    kinds: dict[str, Status] = {}
    for finding in judgement.findings:
        kind = finding.rule.kind
        kinds[kind] = min(kinds.get(kind, "not-applicable"), finding.status, key=worst.index)
    return kinds


def _caution(rule: str | None, text: Pair) -> Json:
    return {"rule": rule, "text": text.as_json()}


def _obligation(rule: str, note: Note) -> Json:
    return {"from": note.set_by, "rule": rule, "text": note.text.as_json()}
