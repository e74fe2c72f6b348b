"""Describe orders, scenarios, rules, regimes and processes as JSON Schema 2020-12.

A schema accepts what the readers of this package accept, as far as JSON Schema can say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.ir import CERTAINTIES, DUES, KINDS_OF_RULE, STATUSES, Expr, Regime
from engine.load import Rulebook
from engine.names import uses
from engine.process_schema import story_part
from engine.schema_parts import (
    AMOUNT,
    CONDITION,
    DATE,
    DIALECT,
    ID,
    LOOSE,
    NOT_SAID,
    ONE,
    PAIR,
    PERIOD,
    SAID,
    SCALE,
    TEXT,
    Json,
    block,
    both,
    choice,
    cited,
    codes_of,
    definitions_of,
    list_of,
    named_by_author,
    one_of,
    order_parts,
    where,
    whole_file,
    written,
)
from engine.values import KINDS, Type
from engine.vocabulary import Vocabulary
from engine.words import CERTAINTY, DUE, KIND, STATUS


def order_schema(rulebook: Rulebook, regime: Regime) -> Json:
    """Describe an order for a regime: the facts alone, or an envelope with `facts`."""
    vocabulary = rulebook.vocabulary
    parts = {
        # Of a scenario's own parts nothing is asked when its order is decided.
        **{name: {} for name in ("title", "story", "expect", "vary")},
        "regime": {"enum": [regime.id, None]},
        **_asked(regime, vocabulary, False),
        **order_parts(vocabulary, False),
    }
    return {
        "$schema": DIALECT,
        "$comment": NOT_SAID + "Null, or no value, is unknown.",
        "title": both(regime.title),
        "type": "object",
        "if": {"required": ["facts"]},
        "then": block(parts, "facts"),
        "else": {"$ref": "#/$defs/facts"},
        "$defs": definitions_of(vocabulary, False, _needed_by(regime, vocabulary)),
    }


def value_schema(type: Type, vocabulary: Vocabulary) -> Json:
    """Describe one value as it is written in JSON."""
    return one_of(written(type, vocabulary, False))


def scenario_schema(rulebook: Rulebook) -> Json:
    """Describe the files of `scenarios/`: a scenario, or a story of a case, which names a process."""
    made = {
        "type": "object",
        "if": {"required": ["process"]},
        "then": story_part(rulebook),
        "else": _scenario(rulebook),
    }
    definitions = definitions_of(rulebook.vocabulary, True, {})
    return whole_file(made, "Scenario / 情景", NOT_SAID + LOOSE, definitions)


def _scenario(rulebook: Rulebook) -> Json:
    vocabulary = rulebook.vocabulary
    of_regime: Json = {
        "parameters": {},
        "without": {},
        "expect": {},
        "as_of": one_of([DATE], null=True),
    }
    varied = {"title": PAIR, "set": {"$ref": "#/$defs/facts"}, **of_regime}
    parts = {
        **{"title": PAIR, "story": PAIR, "regime": {"enum": list(rulebook.regimes)}},
        **of_regime,
        **order_parts(vocabulary, True),
        "vary": list_of(block(varied, "title expect")),
    }
    made = block(parts, "title story regime facts expect")
    made["allOf"] = [
        where("regime", regime.id, _of_regime(regime, vocabulary))
        for regime in rulebook.regimes.values()
    ]
    return made


def rule_schema(rulebook: Rulebook) -> Json:
    """Describe rule files."""
    vocabulary = rulebook.vocabulary
    certainty, finding = choice(CERTAINTIES, CERTAINTY), choice(STATUSES, STATUS)
    answered = {"question": SAID, "answer": SAID, "certainty": certainty}
    example = {"given": {"$ref": "#/$defs/facts"}, "finding": finding, "as_of": DATE}
    both_sides = [
        {"contains": {"properties": {"finding": {"const": status}}, "required": ["finding"]}}
        for status in ("met", "unmet")
    ]
    shown = block(example, "given finding")
    parts = {
        "title": PAIR,
        "kind": choice(KINDS_OF_RULE, KIND),
        "certainty": certainty,
        "due": choice(DUES, DUE),
        "in_force": PERIOD,
        "known_from": DATE,
        "parameters": _declared_parameters(vocabulary),
        "applies": CONDITION,
        "require": CONDITION,
        "cite": {"type": "array", "items": cited(rulebook.sources), "minItems": 1},
        "settles": list_of(block(answered, "question answer")),
        "remarks": _notes(),
        "cautions": _notes(),
        "obligations": _notes({"from": {"enum": list(vocabulary.facts)}}),
        "examples": {"type": "array", "items": shown, "allOf": both_sides},
    }
    made = block(parts, "title kind certainty due in_force require cite examples")
    return whole_file(made, "Rule / 规则", LOOSE, definitions_of(vocabulary, True, {}))


def regime_schema(rulebook: Rulebook) -> Json:
    """Describe `regime.yaml`."""
    vocabulary = rulebook.vocabulary
    lists = {"enum": list(vocabulary.lists)}
    codes = {"of": lists, "codes": list_of(ONE), "group": TEXT, "label": PAIR}
    named = block(codes, "of label")
    named["oneOf"] = [{"required": ["codes"]}, {"required": ["group"]}]
    named["allOf"] = [
        where("of", name, {"properties": {"codes": {"items": codes_of(list(of.codes), True)}}})
        for name, of in vocabulary.lists.items()
    ]
    quantity = {
        **{"type": {"enum": ["integer", "decimal", "money", "ratio"]}, "value": AMOUNT},
        **{"unit": {"enum": list(vocabulary.units)}, "scale": SCALE},
        **{"label": PAIR, "says": PAIR, "round": {"enum": ["up", "down"]}},
    }
    outcome = block({"code": TEXT, "label": PAIR, "meaning": PAIR}, "code label meaning")
    dates = [path for path, fact in vocabulary.facts.items() if fact.type.kind == "date"]
    id = {"type": "string", "pattern": ID}
    parts = {
        "title": PAIR,
        "summary": PAIR,
        "sources": list_of({"enum": list(rulebook.sources)}),
        "in_force": PERIOD,
        "dated_by": {"enum": dates},
        "read_to": DATE,
        "scope": CONDITION,
        "lists": named_by_author(named),
        "parameters": _declared_parameters(vocabulary),
        "derive": named_by_author(block(quantity, "type value label")),
        "rules": {"type": "array", "items": id, "minItems": 1, "uniqueItems": True},
        "outcomes": block(dict.fromkeys(STATUSES, outcome), " ".join(STATUSES)),
        "cautions": _notes(),
        "leaves_out": list_of(PAIR),
    }
    required = "title summary sources in_force dated_by read_to scope rules outcomes leaves_out"
    return whole_file(block(parts, required), "Rule set / 规则集", LOOSE, {})


# --- parts ---


def _notes(more: Mapping[str, Any] | None = None) -> Json:
    parts = {**(more or {}), "when": CONDITION, "en": TEXT, "zh": TEXT}
    return list_of(block(parts, " ".join(parts)))


def _declared_parameters(vocabulary: Vocabulary) -> Json:
    dated = block({"from": DATE, "value": ONE}, "from value")
    parameter = {
        "type": {"enum": [kind for kind in KINDS if kind not in ("text", "code")]},
        **{"unit": {"enum": list(vocabulary.units)}, "scale": SCALE},
        **{"min": AMOUNT, "max": AMOUNT, "label": PAIR},
        "values": {"type": "array", "items": dated, "minItems": 1},
    }
    return named_by_author(block(parameter, "type values"))


def _of_regime(regime: Regime, vocabulary: Vocabulary) -> Json:
    """What a scenario says of its own regime: parameters, rules, outcomes."""
    named = {"type": "array", "items": {"enum": [rule.id for rule in regime.rules]}}
    outcomes = {outcome.code: outcome.label for outcome in regime.outcomes.values()}
    expected = {
        "outcome": choice(tuple(outcomes), outcomes),
        **dict.fromkeys(("unmet", "unknown", "not_applicable"), named),
    }
    parts = {**_asked(regime, vocabulary, True), "expect": block(expected, "outcome")}
    return {"properties": {**parts, "vary": {"items": {"properties": parts}}}}


def _asked(regime: Regime, vocabulary: Vocabulary, loose: bool) -> Json:
    """What an envelope asks of a regime: a day, other parameter values, rules left out."""
    changed = {
        name: {"title": both(p.label), **one_of(written(p.type, vocabulary, loose))}
        for name, p in regime.parameters.items()
    }
    rules = [rule.id for rule in regime.rules]
    ids = {"enum": [*rules, *(f"{regime.id}/{rule}" for rule in rules)]}
    return {
        "as_of": one_of([DATE], null=True),
        "parameters": one_of([block(changed)], null=True),
        "without": {"anyOf": [ids, {"type": "array", "items": ids}, {"type": "null"}]},
    }


def _needed_by(regime: Regime, vocabulary: Vocabulary) -> dict[str, list[str]]:
    """The rules, and the scope, that rest on each fact."""
    needed: dict[str, list[str]] = {}
    asked: list[tuple[str, Expr | None]] = [("scope", regime.scope)]
    asked += [(rule.id, e) for rule in regime.rules for e in (rule.applies, rule.require)]
    for rule, expr in asked:
        waiting = list(uses(expr)) if expr is not None else []
        while waiting:
            name = waiting.pop()
            fact = vocabulary.facts.get(name)
            quantity = regime.quantities.get(name) or (fact.derived if fact else None)
            waiting += uses(quantity.value) if quantity is not None else ()
            if fact is not None and rule not in needed.setdefault(name, []):
                needed[name].append(rule)
                waiting += [fact.catalogue] if fact.catalogue is not None else []
    return needed
