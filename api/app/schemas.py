"""The schemas that `/openapi.json` refers to: of answers from models, of orders from the rules."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import wire, wire_case
from api.app import case_schemas, shapes
from engine.ir import CERTAINTIES, KINDS_OF_RULE
from engine.load import Rulebook
from engine.schema import order_schema
from engine.vocabulary import Vocabulary

Json = dict[str, Any]


def ref(name: str) -> Json:
    """A schema by name."""
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Json = {"type": "string"}
_MODELS: tuple[type[BaseModel], ...] = (
    wire.DecisionWire,
    wire.Decisions,
    wire.Rejection,
    wire.Problem,
    wire.Checked,
    wire.SweepWire,
    shapes.DraftRow,
    shapes.ScenarioPage,
    shapes.ScenarioWire,
    shapes.Ran,
    shapes.RanAll,
    shapes.RegimeList,
    shapes.RegimeWire,
    shapes.VocabularyWire,
    shapes.FaultList,
    shapes.OrderSchema,
    wire_case.CasePage,
    wire_case.CaseWire,
    wire_case.CaseProblem,
    wire_case.LedgerWire,
    wire_case.Replayed,
    wire_case.ProcessList,
    wire_case.ProcessWire,
    shapes.Alive,
    shapes.Ready,
)


def components(book: Rulebook) -> Json:
    """Every schema that addresses refer to; those of orders are made from the rules."""
    _, described = models_json_schema(
        [(model, "serialization") for model in _MODELS],
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )
    schemas: Json = dict(described["$defs"])
    envelopes: dict[str, Json] = {}
    for id, regime in book.regimes.items():
        made = order_schema(book, regime)
        for name, schema in made["$defs"].items():
            schemas.setdefault(_named(name), _moved(schema))
        envelopes[id] = {**_moved(made["then"])["properties"], "regime": {"const": id}}
    plain = dict(next(iter(envelopes.values())))
    plain |= {"parameters": _OPEN_PARAMETERS, "without": _OPEN_WITHOUT}
    drafted = {**plain, "regime": _TEXT, "only": _ONLY, "draft": ref("DraftOfRules")}
    counted = {"workspace": _WORKSPACE}
    several = {**plain, **counted, "regimes": _regimes(book), "only": _ONLY}
    several |= {"draft": _or_null(ref("DraftOfRules"))}
    del several["regime"]
    undrafted = {"only": _ONLY, "draft": {"type": "null"}}
    axes = _axes(book.vocabulary)
    schemas["DraftOfRules"] = _draft_of_rules(book)
    schemas["Asked"] = {
        "anyOf": [
            *(
                _envelope({**parts, **undrafted, **counted}, "regime facts")
                for parts in envelopes.values()
            ),
            _envelope(several, "regimes facts"),
            _envelope({**drafted, **counted}, "regime draft facts"),
        ]
    }
    schemas["AskedSweep"] = {
        "anyOf": [
            *(
                _envelope({**parts, **undrafted, "axes": axes}, "regime axes facts")
                for parts in envelopes.values()
            ),
            _envelope({**drafted, "axes": axes}, "regime axes draft facts"),
        ]
    }
    undecided = {name: part for name, part in plain.items() if name not in ("expect", "vary")}
    undecided["regime"] = {"type": "null", "description": "Not chosen yet."}
    # Nothing to hold these against.
    undecided |= {"parameters": {}, "without": {}}
    schemas["AskedScenario"] = {
        "anyOf": [
            *(_kept(parts, "regime facts") for parts in envelopes.values()),
            _envelope({**undecided, "title": _TITLE}, "facts"),
        ]
    }
    return schemas | case_schemas.asked(book)


# --- parts of requests ---


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


_OPEN_PARAMETERS: Json = {
    "type": ["object", "null"],
    "description": "Other values for parameters of the rule set.",
    "additionalProperties": {"type": ["string", "integer", "boolean", "null"]},
}
_OPEN_WITHOUT: Json = {
    "description": "Rules left out of this analysis.",
    "anyOf": [_TEXT, {"type": "array", "items": _TEXT}, {"type": "null"}],
}
_ONLY: Json = {
    "type": ["array", "null"],
    "description": "Judge only these rules; no change of policy.",
    "items": {
        "enum": [
            *(f"kind={kind}" for kind in KINDS_OF_RULE),
            *(f"certainty>={certainty}" for certainty in CERTAINTIES),
        ]
    },
}
_WORKSPACE: Json = {
    "type": ["string", "null"],
    "minLength": 1,
    "maxLength": 60,
    "pattern": "\\S",
    "description": "The books in which the chips to date of a known customer are counted, where "
    "the order leaves that number out.",
}
_TITLE: Json = {"anyOf": [_TEXT, ref("Text"), {"type": "null"}]}
_NAMES: Json = {"type": ["array", "null"], "items": _TEXT}
_EXPECT: Json = {
    "type": "object",
    "description": "The decision that should come out: outcome, and rules that fail or wait.",
    "properties": {
        "outcome": _TEXT,
        **dict.fromkeys(("unmet", "unknown", "not_applicable"), _NAMES),
    },
    "required": ["outcome"],
    "additionalProperties": False,
}
_VARY: Json = {
    "type": ["array", "null"],
    "description": "The same order with other facts, each with what is expected of it.",
    "items": {
        "type": "object",
        "properties": {
            "title": ref("Text"),
            "set": ref("order.facts"),
            "as_of": {"type": ["string", "null"], "format": "date"},
            "parameters": _OPEN_PARAMETERS,
            "without": _OPEN_WITHOUT,
            "expect": _EXPECT,
        },
        "required": ["title", "expect"],
        "additionalProperties": False,
    },
}


def _regimes(book: Rulebook) -> Json:
    ids = {"enum": list(book.regimes)}
    told = "Rule sets; a decision comes back for each, in this order."
    return {"type": "array", "description": told, "items": ids, "minItems": 1, "maxItems": 20}


def _draft_of_rules(book: Rulebook) -> Json:
    shipped = list(book.regimes)
    return {
        "type": "object",
        "description": "A rule set for one call: texts by file name, over those it is based on.",
        "required": ["id", "files"],
        "additionalProperties": False,
        "properties": {
            "id": {
                "type": "string",
                "pattern": "^[a-z][a-z0-9-]{0,63}$",
                "not": {"enum": shipped},
            },
            "based_on": {"enum": [*shipped, None]},
            "files": {
                "type": "object",
                "description": "Null takes a file of `based_on` away.",
                "propertyNames": {"pattern": "^[a-z][a-z0-9-]{0,63}\\.yaml$"},
                "additionalProperties": {"type": ["string", "null"]},
                "maxProperties": 300,
            },
        },
        "anyOf": [
            {"properties": {"based_on": {"enum": shipped}}, "required": ["based_on"]},
            {"properties": {"files": {"minProperties": 1}}},
        ],
    }


def _axes(vocabulary: Vocabulary) -> Json:
    written: Json = {"type": ["string", "integer"]}
    stated = [
        path
        for path, fact in vocabulary.facts.items()
        if fact.derived is None and fact.type.kind != "text"
    ]
    value: Json = {"type": ["string", "integer", "boolean", "null"]}
    listed: Json = {"type": "array", "items": value, "minItems": 1}
    parts = {
        "fact": {"enum": stated},
        "parameter": _TEXT,
        "from": {**written, "description": "The first value."},
        "to": {**written, "description": "The last value; included even where no step hits it."},
        "step": {**written, "description": "From one value to the next; days between dates."},
        "count": {**written, "description": "So many values, evenly spread."},
        "values": {**listed, "description": "The values themselves; null is unknown."},
    }
    ways = [["values"], ["from", "to", "step"], ["from", "to", "count"]]
    axes = [_axis(parts, [what, *names]) for what in ("fact", "parameter") for names in ways]
    told = "What is varied. With two, the first runs fastest; at most 100,000 cells."
    several = {"type": "array", "minItems": 1, "maxItems": 2, "items": {"anyOf": axes}}
    return {**several, "description": told}


def _axis(parts: Json, names: list[str]) -> Json:
    """An axis that has some of its parts; the others are null or left out."""
    properties = {name: parts[name] if name in names else {"type": "null"} for name in parts}
    made = {"type": "object", "properties": properties, "required": names}
    return {**made, "additionalProperties": False}


def _kept(parts: Json, required: str) -> Json:
    """A scenario that is kept; one that expects something is told in full."""
    made = _envelope({**parts, "title": _TITLE, "expect": _EXPECT, "vary": _VARY}, required)
    whole = ["title", "story", "regime"]
    return {**made, "dependentRequired": {"expect": whole, "vary": ["expect"]}}


def _envelope(parts: Json, required: str) -> Json:
    return {
        "type": "object",
        "properties": parts,
        "required": required.split(),
        "additionalProperties": False,
    }


def _named(name: str) -> str:
    return f"order.{name}"


def _moved(schema: Any) -> Any:
    """A schema whose references point into the components.

    That a fact stands once, nested or by its path, is left to `/v1/regimes/{id}/schema`: makers of
    clients and of test data do not read so many `dependentSchemas`.
    """
    if isinstance(schema, dict):
        return {
            key: f"#/components/schemas/{_named(value.removeprefix('#/$defs/'))}"
            if key == "$ref" and isinstance(value, str)
            else _moved(value)
            for key, value in schema.items()
            if key != "dependentSchemas"
        }
    return [_moved(item) for item in schema] if isinstance(schema, list) else schema
