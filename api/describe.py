"""Rule sets, rules and facts as JSON-shaped data: what HTTP gives and the workbench shows.

Texts are `{"en": …, "zh": …}`. Values are text, yes/no a JSON boolean, dates `YYYY-MM-DD`; a value
that people read has its wording beside it, as `text`. A word of a fixed set (`kind`, `held_by`, …)
stands as in a decision, with its wording as `kind_label`, `held_by_label`, ….
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from api.headings import LANGUAGE, what_is_written
from engine.backends.text import Clause, Outline, amount_in_words, in_words, outline
from engine.ir import (
    Citation,
    Example,
    Expr,
    Member,
    Note,
    Pair,
    ParameterValues,
    Period,
    Quantity,
    Regime,
    Rule,
    walk,
)
from engine.load import Rulebook
from engine.names import inside
from engine.order import Document, Order, order_from
from engine.parse_vocabulary import CitedSource
from engine.printing import print_expr
from engine.values import Type, Value, write
from engine.vocabulary import CodeList, FactDefinition, Unit, Vocabulary
from engine.words import CERTAINTY, DUE, GRADE, HELD_BY, KIND, STATUS, Lang

Json = dict[str, Any]

SCHEMA = "placet.regime/1"


def regimes(rulebook: Rulebook) -> list[Json]:
    """Every regime in short.

    Each: `id`, `title`, `summary`, `in_force` (`from`, `until`), `dated_by`, `read_to`, `digest`,
    `edition`, `outcomes`, `rule_count`, `kinds` and `certainties` (how many rules of each).
    """
    return [_head(rulebook, regime) for regime in rulebook.regimes.values()]


def regime(rulebook: Rulebook, id: str, day: int) -> Json:
    """The whole of a regime, with parameter values as they stand on a day. Raises `KeyError`.

    The keys of `regimes`, and `schema`, `as_of`, `in_force_as_of`, `scope` (a condition), `facts`
    (those that the scope rests on), `lists`, `quantities`, `parameters`, `rules`, `cautions`,
    `leaves_out`, `sources` (those named and those cited).
    A condition: `code`, `text`, `outline`: a tree of `{"text"}`, `{"all": […]}`, `{"any": […]}`.
    A parameter: `name`, `label`, `type`, `unit`, `min`, `max`, `values` (each `from`, `value`,
    `text`), `value_as_of` (one of them, or null), `used_by` (rules).
    A rule: `id`, `title`, `kind`, `certainty`, `due`, `in_force`, `in_force_as_of`, `known_from`,
    `applies` (a condition or null), `require`, `parameters`, and by name `quantities` and `lists`;
    `facts` (`path`, `label`, `group`, `held_by`, `derived`), `citations` (as in a decision, what is
    absent as null; with `language`, `read`, `note`), `settles`, `remarks`, `cautions`,
    `obligations` (`when`, `text`, `set_by`), `examples` (`given`, `finding`, `as_of`).
    """
    return _Describer(rulebook, rulebook.regimes[id], day).regime()


def vocabulary(rulebook: Rulebook) -> Json:
    """What can be said of an order.

    `groups` (`id`, `label`), `units` (`id`, `one`, `many`), `facts` (`path`, `label`, `type`,
    `written`: its form in words, `unit`, `counted_in`: the fact that names the unit, `scale`,
    `min`, `max`, `codes`: its list, `hint`, `held_by`, `group`, `derived`: its formula,
    `catalogue`: the fact whose row supplies it, `column`, `needed_by`: per regime its rules, or
    `scope`), `lists` (`name`, `codes`, each `code`, `label`, `groups`, `cells`).
    """
    known = rulebook.vocabulary
    needed = _needed_by(rulebook)
    return {
        "schema": "placet.vocabulary/1",
        "groups": [{"id": id, "label": label.as_json()} for id, label in known.groups.items()],
        "units": [_unit(id, unit) for id, unit in known.units.items()],
        "facts": [
            _fact(rulebook, fact, needed.get(fact.path, {})) for fact in known.facts.values()
        ],
        "lists": [_codes(codes) for codes in known.lists.values()],
    }


def sources(rulebook: Rulebook) -> list[Json]:
    """Every source.

    `id`, `title`, `publisher`, `date`, `language`, `grade`, `address`, `read`, `note`, `named_by`
    (regimes written from it), `cited_by` (`regime`, `rule`, `title`, `at`, `quote`).
    """
    named: dict[str, list[str]] = {}
    cited: dict[str, list[Json]] = {}
    for regime in rulebook.regimes.values():
        for source in regime.sources:
            named.setdefault(source.id, []).append(regime.id)
        for rule in regime.rules:
            for citation in rule.cite:
                entry = {"regime": regime.id, "rule": rule.id, "title": rule.title.as_json()}
                more = {"at": citation.at, "quote": citation.quote}
                cited.setdefault(citation.source, []).append(entry | more)
    return [
        {**_source(source), "named_by": named.get(id, []), "cited_by": cited.get(id, [])}
        for id, source in rulebook.sources.items()
    ]


class _Describer:
    """Describes one regime as it stands on one day."""

    def __init__(self, rulebook: Rulebook, regime: Regime, day: int) -> None:
        self.book = rulebook
        self.vocabulary = rulebook.vocabulary
        self.of = regime
        self.day = day
        self.names = {rule.id: _names(rulebook, regime, rule) for rule in regime.rules}

    def regime(self) -> Json:
        of = self.of
        cited = (citation.source for rule in of.rules for citation in rule.cite)
        sources = dict.fromkeys([*(source.id for source in of.sources), *cited])
        return {
            "schema": SCHEMA,
            **_head(self.book, of),
            "as_of": _iso(self.day),
            "in_force_as_of": of.in_force.holds(self.day),
            "scope": self.condition(of.scope),
            "facts": self.facts(inside(of, self.vocabulary, of.scope)),
            "lists": [
                {
                    "name": named.name,
                    "of": named.of,
                    "label": named.label.as_json(),
                    "codes": [
                        {"code": code, "label": _code_label(self.vocabulary, named.of, code)}
                        for code in named.codes
                    ],
                }
                for named in of.lists.values()
            ],
            "quantities": [self.quantity(quantity) for quantity in of.quantities.values()],
            "parameters": [self.parameter(entry) for entry in of.parameters.values()],
            "rules": [self.rule(rule) for rule in of.rules],
            "cautions": [self.note(note) for note in of.cautions],
            "leaves_out": [pair.as_json() for pair in of.leaves_out],
            "sources": [_source(self.book.sources[id]) for id in sources],
        }

    def rule(self, rule: Rule) -> Json:
        names = self.names[rule.id]
        lists = [
            part.list
            for expr in _conditions(rule)
            for part in walk(expr)
            if isinstance(part, Member) and part.list is not None
        ]
        return {
            "id": rule.id,
            "title": rule.title.as_json(),
            **_worded("kind", rule.kind, KIND),
            **_worded("certainty", rule.certainty, CERTAINTY),
            **_worded("due", rule.due, DUE),
            "in_force": _period(rule.in_force),
            "in_force_as_of": rule.in_force.holds(self.day),
            "known_from": _iso(rule.known_from),
            "applies": self.condition(rule.applies) if rule.applies is not None else None,
            "require": self.condition(rule.require),
            "parameters": [
                self.parameter(self.of.parameters[n]) for n in names if n in self.of.parameters
            ],
            "quantities": [name for name in names if name in self.of.quantities],
            "lists": list(dict.fromkeys(lists)),
            "facts": self.facts(names),
            "citations": [self.citation(citation) for citation in rule.cite],
            "settles": [
                {
                    "question": settled.question.as_json(),
                    "answer": settled.answer.as_json(),
                    **_worded("certainty", settled.certainty, CERTAINTY),
                }
                for settled in rule.settles
            ],
            "remarks": [self.note(note) for note in rule.remarks],
            "cautions": [self.note(note) for note in rule.cautions],
            "obligations": [self.note(note) for note in rule.obligations],
            "examples": [self.example(rule, example) for example in rule.examples],
        }

    # --- conditions and amounts ---

    def condition(self, expr: Expr) -> Json:
        en, zh = (self._outline(expr, lang) for lang in _BOTH)
        return {"code": print_expr(expr), "text": self.words(expr), "outline": _paired(en, zh)}

    def _outline(self, expr: Expr, lang: Lang) -> Outline:
        return outline(expr, self.of, self.vocabulary, lang)

    def words(self, expr: Expr) -> Json:
        return {lang: in_words(expr, self.of, self.vocabulary, lang) for lang in _BOTH}

    def note(self, note: Note) -> Json:
        told = {"when": self.condition(note.when), "text": note.text.as_json()}
        return {**told, "set_by": note.set_by}

    def quantity(self, quantity: Quantity) -> Json:
        return {
            "name": quantity.name,
            "label": quantity.label.as_json(),
            "type": quantity.type.kind,
            "unit": quantity.type.unit,
            "round": quantity.round,
            "value": {"code": print_expr(quantity.value), "text": self.words(quantity.value)},
        }

    def parameter(self, parameter: ParameterValues) -> Json:
        now = parameter.on(self.day)
        return {
            "name": parameter.name,
            "label": parameter.label.as_json(),
            **_type(parameter.type),
            "values": [self._dated(parameter, start, value) for start, value in parameter.values],
            "value_as_of": self._dated(parameter, *now) if now is not None else None,
            "used_by": [id for id, names in self.names.items() if parameter.name in names],
        }

    def _dated(self, parameter: ParameterValues, start: int, value: Value) -> Json:
        said = _said(value, parameter.type, self.vocabulary)
        return {"from": _iso(start), "value": write(value, parameter.type), "text": said}

    # --- what a rule rests on ---

    def facts(self, names: Iterable[str]) -> list[Json]:
        facts = self.vocabulary.facts
        return [
            {
                "path": name,
                "label": facts[name].label.as_json(),
                "group": facts[name].group,
                **_worded("held_by", facts[name].held_by, HELD_BY),
                "derived": facts[name].derived is not None,
            }
            for name in names
            if name in facts
        ]

    def citation(self, citation: Citation) -> Json:
        source = self.book.sources[citation.source]
        told = _source(source)
        translated = "zh" if source.language == "en" else "en"
        return {
            "source": told.pop("id"),
            **told,
            "at": citation.at,
            "quote": citation.quote,
            **{lang: citation.translation if lang == translated else None for lang in _BOTH},
            "says": citation.says.as_json() if citation.says is not None else None,
        }

    def example(self, rule: Rule, example: Example) -> Json:
        order = order_from(self.vocabulary, Document(dict(example.given)), [])
        return {
            "given": [self._given(path, value, order) for path, value in order.stated.items()],
            **_worded("finding", example.finding, STATUS),
            "as_of": _iso(rule.in_force.start if example.as_of is None else example.as_of),
        }

    def _given(self, path: str, value: Value, order: Order) -> Json:
        fact, facts = self.vocabulary.facts[path], self.vocabulary.facts
        counted = order.values[facts[fact.counted_in].slot] if fact.counted_in else None
        # What is sold by the board is counted in boards.
        unit = counted if counted in self.vocabulary.units else fact.type.unit
        kind = replace(fact.type, unit=str(unit) if unit is not None else None)
        told = {"fact": path, "label": fact.label.as_json(), "value": write(value, kind)}
        return {**told, "text": _said(value, kind, self.vocabulary)}


_BOTH: tuple[Lang, Lang] = ("en", "zh")


def _head(rulebook: Rulebook, regime: Regime) -> Json:
    return {
        "id": regime.id,
        "title": regime.title.as_json(),
        "summary": regime.summary.as_json(),
        "in_force": _period(regime.in_force),
        "dated_by": regime.dated_by,
        "read_to": _iso(regime.read_to),
        "digest": rulebook.digests[regime.id],
        "edition": rulebook.editions[regime.id],
        "outcomes": [
            {
                "status": status,
                "code": outcome.code,
                "label": outcome.label.as_json(),
                "meaning": outcome.meaning.as_json(),
            }
            for status, outcome in regime.outcomes.items()
        ],
        "rule_count": len(regime.rules),
        "kinds": _counted((rule.kind for rule in regime.rules), KIND),
        "certainties": _counted((rule.certainty for rule in regime.rules), CERTAINTY),
    }


def _counted(words: Iterable[str], labels: Mapping[str, Pair]) -> list[Json]:
    """How often each word stands, in the order of its fixed set."""
    counts = Counter(words)
    return [
        {"code": word, "label": label.as_json(), "count": counts[word]}
        for word, label in labels.items()
        if counts[word]
    ]


def _conditions(rule: Rule) -> list[Expr]:
    return [*([rule.applies] if rule.applies is not None else []), rule.require]


def _names(rulebook: Rulebook, regime: Regime, rule: Rule) -> tuple[str, ...]:
    """Every name that a rule rests on, precondition first."""
    found = [inside(regime, rulebook.vocabulary, expr) for expr in _conditions(rule)]
    return tuple(dict.fromkeys(name for names in found for name in names))


def _needed_by(rulebook: Rulebook) -> dict[str, dict[str, list[str]]]:
    """For each fact the rules of each regime that rest on it, the scope first."""
    needed: dict[str, dict[str, list[str]]] = {}
    for regime in rulebook.regimes.values():
        asked = [("scope", inside(regime, rulebook.vocabulary, regime.scope))]
        asked += [(rule.id, _names(rulebook, regime, rule)) for rule in regime.rules]
        for rule, names in asked:
            for name in names:
                needed.setdefault(name, {}).setdefault(regime.id, []).append(rule)
    return needed


def _paired(en: Outline, zh: Outline) -> Json:
    """One outline of both languages: they have the same tree, and only their clauses differ."""
    if isinstance(en, Clause) or isinstance(zh, Clause):
        assert isinstance(en, Clause)
        assert isinstance(zh, Clause)
        return {"text": {"en": en.text, "zh": zh.text}}
    parts = [_paired(*both) for both in zip(en.parts, zh.parts, strict=True)]
    return {"all" if en.every else "any": parts}


def _source(source: CitedSource) -> Json:
    return {
        "id": source.id,
        "title": source.title.as_json(),
        "publisher": source.publisher.as_json(),
        "date": _iso(source.date),
        **_worded("language", source.language, LANGUAGE),
        **_worded("grade", source.grade, GRADE),
        "address": source.address,
        "read": _iso(source.read),
        "note": source.note.as_json() if source.note is not None else None,
    }


# --- the vocabulary ---


def _unit(id: str, unit: Unit) -> Json:
    one = {"en": unit.one, "zh": unit.zh.strip()}
    return {"id": id, "one": one, "many": {"en": unit.many, "zh": unit.zh.strip()}}


def _codes(codes: CodeList) -> Json:
    return {
        "name": codes.name,
        "codes": [
            {
                "code": code.code,
                "label": code.label.as_json(),
                "groups": sorted(code.groups),
                "cells": dict(code.cells),
            }
            for code in codes.codes.values()
        ],
    }


def _fact(rulebook: Rulebook, fact: FactDefinition, needed: Mapping[str, list[str]]) -> Json:
    known = rulebook.vocabulary
    return {
        "path": fact.path,
        "label": fact.label.as_json(),
        **_type(fact.type),
        "scale": fact.type.scale,
        "codes": fact.type.codes,
        "counted_in": fact.counted_in,
        "written": {lang: what_is_written(fact, known, lang) for lang in _BOTH},
        "hint": fact.hint.as_json() if fact.hint is not None else None,
        **_worded("held_by", fact.held_by, HELD_BY),
        "group": fact.group,
        "derived": _formula(rulebook, fact.derived) if fact.derived is not None else None,
        "catalogue": fact.catalogue,
        "column": fact.column,
        "needed_by": dict(needed),
    }


def _formula(rulebook: Rulebook, quantity: Quantity) -> Json:
    # A formula of the vocabulary names no parameter or list, so any regime will do for its words.
    any_one = next(iter(rulebook.regimes.values()), None)
    said = None
    if any_one is not None:
        said = {
            lang: in_words(quantity.value, any_one, rulebook.vocabulary, lang) for lang in _BOTH
        }
    return {"code": print_expr(quantity.value), "text": said}


# --- values ---


def _iso(day: int | None) -> str | None:
    return date.fromordinal(day).isoformat() if day is not None else None


def _period(period: Period) -> Json:
    return {"from": _iso(period.start), "until": _iso(period.until)}


def _worded(name: str, word: str | None, labels: Mapping[str, Pair]) -> Json:
    """A word of a fixed set with its wording."""
    return {name: word, f"{name}_label": labels[word].as_json() if word is not None else None}


def _type(type: Type) -> Json:
    bounds = {"min": write(type.lo, type), "max": write(type.hi, type)}
    return {"type": type.kind, "unit": type.unit, **bounds}


def _said(value: Value, type: Type, vocabulary: Vocabulary) -> Json:
    """A value in words; a code by its label."""
    if type.codes is not None and isinstance(value, str):
        return _code_label(vocabulary, type.codes, value)
    return {lang: amount_in_words(value, type, vocabulary, lang) for lang in _BOTH}


def _code_label(vocabulary: Vocabulary, name: str, code: str) -> Json:
    entry = vocabulary.lists[name].codes.get(code)
    return entry.label.as_json() if entry is not None else {"en": code, "zh": code}
