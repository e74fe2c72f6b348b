"""What the JSON Schemas of several kinds of files share: texts, citations, facts, written values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from engine.ir import Pair
from engine.values import MAX_TEXT, Type
from engine.vocabulary import FactDefinition, Vocabulary
from engine.words import HELD_BY

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NOT_SAID = (
    "What a JSON Schema cannot say: that a value agrees with the catalogue row of the product, "
    "that a date exists, and that a JSON integer is not written with a fraction (1.0). "
)
LOOSE = (
    "Placet reads every scalar as text and then by its declared type. An editor reads YAML by its "
    "own rules first, so numbers, yes/no words (`NO`) and dates without quotes are accepted here. "
)
DATE: Json = {
    "type": "string",
    "format": "date",
    "pattern": "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$",
}
NAME = "^(?!(?:true|false|min|max|date|and|or|not|in)$)[a-z][a-z0-9_]*$"
ID = "^[a-z0-9]+(?:-[a-z0-9]+)*$"
_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?")
TEXT: Json = {"type": ["string", "number", "boolean"], "minLength": 1}
PAIR: Json = {
    "type": "object",
    "properties": {"en": TEXT, "zh": TEXT},
    "required": ["en", "zh"],
    "additionalProperties": False,
}
CONDITION: Json = {"type": ["string", "boolean"], "minLength": 1, "maxLength": 2000}
AMOUNT: Json = {"type": ["string", "number"], "minLength": 1, "maxLength": 2000}
SCALE: Json = {"enum": [*range(10), *(str(n) for n in range(10))]}
ONE: Json = {"type": ["string", "number", "boolean"]}

# What every key means, for people who point at it in an editor.
KEYS = {
    "title": "name, in both languages / 名称，须有中英文",
    "kind": "what kind of requirement this is / 要求的性质",
    "certainty": "how sure its source is / 来源的可靠程度",
    "due": "when it must be fulfilled / 何时须成立",
    "in_force": "days in force; `until` is the first day after / 有效期；until为失效首日",
    "known_from": "earlier dates get a hindsight caution / 早于此日的判定附事后提示",
    "parameters": "values by date that a what-if may change / 按日期取值、可作假设变更的参数",
    "applies": "the rule asks nothing unless this is true / 此条件成立时才适用本规则",
    "require": "what must be true of the order / 订单须符合的条件",
    "cite": "sources, with their words and a translation / 出处，附原文与译文",
    "settles": "what the sources leave open, and the reading / 来源未明之处与解读",
    "remarks": "sentences added to the finding when true / 条件成立时附于判断的说明",
    "cautions": "sentences shown beside the decision when true / 条件成立时随判定显示的提示",
    "obligations": "conditions that an agency attaches / 主管机关所附条件",
    "examples": "small orders with the finding each must get / 示例订单及应得判断",
    "summary": "what the rule set asks, and of what / 规则集审查的内容",
    "sources": "documents it was written from / 编写所据来源",
    "dated_by": "the date fact that chooses the rules / 用以选定规则的日期事实",
    "read_to": "how far its authors read the sources / 编者读来源至何日",
    "scope": "which orders it is about / 适用于哪些订单",
    "lists": "named lists of codes / 代码清单",
    "derive": "named quantities / 计算所得数额",
    "rules": "its rule files, in order / 规则文件，按顺序",
    "outcomes": "what each result is called and means / 各判定结果的名称与含义",
    "leaves_out": "what it does not examine / 未审查事项",
    "regime": "the rule set that decides / 所用规则集",
    "as_of": "the day whose rules apply, US Eastern / 规则基准日，按美国东部时间",
    "without": "rules left out of this analysis / 本次分析未计入的规则",
    "facts": "what is known of the order / 订单事实",
    "basis": "per fact the document it rests on / 各事实所据文件",
    "story": "what happened, in a few sentences / 情景经过",
    "expect": "the decision that should come out / 应得判定",
    "vary": "variations of the order / 情景变体",
}


def both(pair: Pair) -> str:
    """A text in both languages, as editors show it."""
    return f"{pair.en} / {pair.zh}"


def whole_file(made: Json, title: str, comment: str, definitions: Json) -> Json:
    """The schema of a kind of file."""
    head = {"$schema": DIALECT, "$comment": comment.strip(), "title": title}
    return {**head, **made, **({"$defs": definitions} if definitions else {})}


def block(
    properties: Mapping[str, Any], required: str = "", keys: Mapping[str, str] = KEYS
) -> Json:
    """A mapping that refuses unknown names; `keys` describe those that people write."""
    told = {
        name: {**part, "description": keys[name]} if name in keys else part
        for name, part in properties.items()
    }
    made: Json = {"type": "object", "properties": told, "additionalProperties": False}
    return {**made, "required": required.split()} if required else made


SAID: Json = {"anyOf": [TEXT, PAIR]}
PERIOD = block({"from": DATE, "until": DATE}, "from")


def where(name: str, value: str, then: Json) -> Json:
    """What holds where a name has a value."""
    return {"if": {"properties": {name: {"const": value}}, "required": [name]}, "then": then}


def named_by_author(item: Json) -> Json:
    """A mapping whose names are the author's own."""
    names = {"pattern": NAME}
    return {"type": "object", "propertyNames": names, "additionalProperties": item}


def list_of(item: Json) -> Json:
    """A list, which may be left empty."""
    return {"type": ["array", "null"], "items": item}


def choice(words: Sequence[str], labels: Mapping[str, Pair]) -> Json:
    """Words to choose from; editors show what each means."""
    return {"enum": list(words), "enumDescriptions": [both(labels[word]) for word in words]}


def order_parts(vocabulary: Vocabulary, loose: bool) -> Json:
    """The facts of an order, and the documents that they rest on."""
    text = written(Type("text"), vocabulary, loose)[0]
    paper = block({"document": text, "dated": DATE, "entered_by": text})
    basis = {
        "type": ["object", "null"],
        "propertyNames": {"enum": list(vocabulary.facts)},
        "additionalProperties": {"anyOf": [text, paper]},
    }
    return {"facts": {"$ref": "#/$defs/facts"}, "basis": basis}


def cited(sources: Collection[str]) -> Json:
    """One citation: the words of a source with their translation, or what it says."""
    words = dict.fromkeys(("at", "quote", "en", "zh"), TEXT)
    made = block({"source": {"enum": list(sources)}, **words, "says": SAID}, "source")
    made["anyOf"] = [{"required": ["quote"]}, {"required": ["says"]}]
    made["dependentRequired"] = {"en": ["quote"], "zh": ["quote"]}
    made["dependentSchemas"] = {"quote": {"oneOf": [{"required": ["en"]}, {"required": ["zh"]}]}}
    return made


# --- facts ---


def definitions_of(
    vocabulary: Vocabulary, loose: bool, needed: Mapping[str, Collection[str]]
) -> Json:
    """Every fact and code list once, and the ways in which facts stand in an order."""
    made: Json = {"facts": _nested(vocabulary, "")}
    for path, fact in vocabulary.facts.items():
        made[path] = _fact(fact, vocabulary, loose, needed.get(path, ()))
    for name, codes in vocabulary.lists.items():
        labels = [both(code.label) for code in codes.codes.values()]
        made[f"codes.{name}"] = {**codes_of(list(codes.codes), loose), "enumDescriptions": labels}
    return made


def _nested(vocabulary: Vocabulary, prefix: str) -> Json:
    """The facts below a prefix: by the rest of their path, or nested; each once."""
    properties: Json = {}
    once: Json = {}
    for inner in sorted(p for p in vocabulary.prefixes if p.startswith(prefix)):
        properties[inner.removeprefix(prefix)] = _nested(vocabulary, f"{inner}.")
    for path in (p for p in vocabulary.facts if p.startswith(prefix)):
        rest = path.removeprefix(prefix)
        properties[rest] = {"$ref": f"#/$defs/{path}"}
        outer, dot, name = rest.rpartition(".")
        if dot:
            once[rest] = {"properties": {outer: {"properties": {name: False}}}}
    made: Json = {"type": ["object", "null"], "properties": properties}
    return {**made, "additionalProperties": False, **({"dependentSchemas": once} if once else {})}


def _fact(
    fact: FactDefinition, vocabulary: Vocabulary, loose: bool, needed: Collection[str]
) -> Json:
    unit, held, hint = vocabulary.units.get(fact.type.unit or ""), HELD_BY[fact.held_by], fact.hint
    said = [
        Pair("computed; it cannot be stated", "计算所得，不得填写") if fact.derived else None,
        hint,
        Pair(f"in {unit.many}", f"单位：{unit.zh.strip()}") if unit else None,
        Pair("the catalogue supplies it", "可由目录提供") if fact.catalogue else None,
        Pair(f"who can change it: {held.en}", f"由谁决定：{held.zh}"),
        Pair(f"needed by {', '.join(needed)}", f"用于{'、'.join(needed)}") if needed else None,
    ]
    lines = [line for line in said if line is not None]
    told = Pair("; ".join(line.en for line in lines), "；".join(line.zh for line in lines))
    ways = [] if fact.derived else written(fact.type, vocabulary, loose)
    return {"title": both(fact.label), "description": both(told), **one_of(ways, null=True)}


# --- written values ---


def one_of(ways: list[Json], *, null: bool = False) -> Json:
    """One of some ways to write a value; null is unknown."""
    every = [*ways, {"type": "null"}] if null else ways
    return {"anyOf": every} if len(every) > 1 else every[0]


def written(type: Type, vocabulary: Vocabulary, loose: bool) -> list[Json]:
    """The ways to write a value of a type."""
    match type.kind:
        case "boolean":
            return [{"enum": [True, False, "true", "false"]}]
        case "date":
            return [DATE]
        case "text":
            kinds: Any = ["string", "number", "boolean"] if loose else "string"
            return [{"type": kinds, "maxLength": MAX_TEXT}]
        case "code":
            return [{"$ref": f"#/$defs/codes.{type.codes}"}]
        case _:
            ways = [_digits(type)]
            if type.kind == "integer" or loose:
                ways.append(_number(type))
            return ways


def codes_of(codes: Sequence[str], loose: bool) -> Json:
    """A list of codes; loosely also what YAML makes of those that look like something else."""
    made: Json = {"enum": list(codes)}
    if not loose:
        return made
    low = {code.lower() for code in codes}
    made["enum"] += [True] if low & {"y", "yes", "on", "true"} else []
    made["enum"] += [False] if low & {"n", "no", "off", "false"} else []
    if any(_NUMBER.fullmatch(code) for code in codes):
        return {"anyOf": [made, {"type": "number"}]}
    return made


def _number(type: Type) -> Json:
    """A JSON number within bounds, widened to whole numbers: no float is written here."""
    made: Json = {"type": "integer" if type.kind == "integer" else "number"}
    if type.lo is not None and type.hi is not None:
        one = 10**type.scale
        made |= {"minimum": type.lo // one, "maximum": -(-type.hi // one)}
    return made


def _digits(type: Type) -> Json:
    """A number as text, with patterns that hold it to its bounds where those are not negative."""
    one = 10**type.scale
    whole, fraction = 18, f"(?:\\.[0-9]{{1,{type.scale}}})?" if type.scale else ""
    if type.kind == "money":
        whole, fraction = 16, "(?:\\.[0-9]{2})?"
    made: Json = {"type": "string", "pattern": f"^-?[0-9]{{1,{whole}}}{fraction}$"}
    if type.lo is None or type.hi is None or type.lo < 0:
        return made
    # A bound between two whole numbers is widened to the next: patterns compare digits only.
    high = type.hi if type.hi % one == 0 else type.hi // one * one + one - 1
    made["allOf"] = [{"pattern": f"^-?{_up_to(high, one)}$"}]
    low = f"|{_up_to(type.lo - 1, one)}$" if type.lo else ""
    made["not"] = {"pattern": f"^(?:-.*[1-9]{low})"}
    return made


def _up_to(limit: int, one: int) -> str:
    """A pattern for decimals of at most a limit, of which `one` parts make a whole."""
    whole, rest = divmod(limit, one)
    if one == 1:
        return _whole_up_to(whole)
    if rest == one - 1:
        return f"{_whole_up_to(whole)}(?:\\.[0-9]+)?"
    below = f"{_whole_up_to(whole - 1)}(?:\\.[0-9]+)?|" if whole else ""
    return f"(?:{below}0*{whole}(?:\\.0+)?)"


def _whole_up_to(limit: int) -> str:
    digits = str(limit)
    ways = [f"[0-9]{{1,{len(digits) - 1}}}" if len(digits) > 1 else "0"]
    for place, digit in enumerate(digits):
        if digit > ("0" if place else "1"):
            rest = len(digits) - place - 1
            ways.append(f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{rest}}}")
    return f"0*(?:{'|'.join([*ways, digits])})"
