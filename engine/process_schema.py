"""Describe process files and stories of cases as JSON Schema 2020-12, for editors.

What refers to another part of the same file (a stage, an event, a clock) is left to `placet check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.case_story import (
    AT_END,
    AT_EVENT,
    NOT_TAKEN,
    RUNS_NOT,
    STANDS,
    STOPPED,
    UNREADABLE,
)
from engine.draft import ANY
from engine.ir import CERTAINTIES, Pair
from engine.load import Rulebook
from engine.process import LEDGER, Event, Process
from engine.schema_parts import (
    AMOUNT,
    CONDITION,
    DATE,
    ID,
    KEYS,
    LOOSE,
    ONE,
    PAIR,
    PERIOD,
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
    one_of,
    where,
    whole_file,
    written,
)
from engine.values import BOOLEAN, KINDS, MAX_TEXT, Type
from engine.vocabulary import HOLDERS, Vocabulary
from engine.words import CERTAINTY, HELD_BY

# What every key means, for people who point at it in an editor.
_KEYS = {
    **KEYS,
    "in_force": "days on which cases can be opened; not from `until` on / 可开立个案的期间，不含until",
    "codes": "code lists of its own / 本流程自有的代码清单",
    "keeps": "facts that the events of a case say / 由个案事件录入的事实",
    "fields": "what events tell / 事件的栏目",
    "stages": "where a case can be; it begins in the first / 个案所处阶段，自首个阶段开始",
    "end": "nothing happens any more in this stage / 终结阶段，不再接受事件",
    "events": "what can be sent to a case, and by whom / 可录入的事件及其主体",
    "by": "who sends it / 由谁作出",
    "optional": "fields that may be left out / 可不填的栏目",
    "transitions": "what an event, or the end of a clock, does / 事件或期限届满在各阶段的效果",
    "from": "where it can be taken; `any`: all but ends / 适用的阶段；any指所有未终结阶段",
    "on": "the event that it waits for / 所待事件",
    "after": "the clock whose end it waits for / 所待届满的期限",
    "when": "it is taken only where this is true / 此条件成立时方予接受",
    "otherwise": "what a sender is told where `when` is false / when不成立时对发送者的说明",
    "to": "the stage to which it leads; without it the case stays / 转入的阶段；不填则留在原阶段",
    "set": "kept facts and their new values / 更新的事实及其新值",
    "refuse": "the rule by which it is refused and put on record / 据以不予办理并记录在案的规则",
    "hold": "begin or end of time in which clocks stand still / 暂停或恢复期限计算",
    "held": "whether it can be taken while the case is held / 暂停处理期间是否适用",
    "says": "what happened, in one sentence / 所发生之事，一句话",
    "clocks": "calendar days that are counted in some stages / 在部分阶段计算的日历日期限",
    "days": "its number of days; the last is still in time / 天数，最后一日仍在期限内",
    "until": "a kept date instead of a number of days / 以所存日期代替天数",
    "runs": "stages in which it counts / 计算期限的阶段",
    "pauses": "stages in which it stands still / 停止计算的阶段",
    "holdable": "whether a hold stops it / 暂停处理时是否停止计算",
    "starts_at": "the clock at whose end it starts / 自该期限届满时起算",
    "exceeded": "what it means that the time is over / 逾期的后果",
    "totals": "clocks whose days must add up to another's / 合计须等于另一期限的各期限",
    "figures": "amounts that are told of a case / 个案所示数额",
    "exposure": "whether it is told as what is at stake / 是否列为风险敞口",
    "ledger": "what of a case is booked to its customer / 记入客户台账的数量",
    "like": "the fact whose type it has / 与该事实类型相同",
    "starts": "its value until an event says otherwise / 事件录入之前的值",
    "stated": "whether an order may state it when its case is opened / 开立个案时可否填写",
}
# Some words mean something else in a part: `codes` of a type is one list, `clocks` of a total are parts.
_OF_PARTS = {name: told for name, told in _KEYS.items() if name not in ("codes", "from", "clocks")}
_OF_STORIES = {
    **KEYS,
    "process": "the process that the case passes / 个案所经流程",
    "opened_on": "the day on which the case is opened / 开立日期",
    "ledger": "chips to date of the customer's group / 客户集团此前累计数量",
    "events": "what happens, in the order of the dates / 按日期先后发生的事件",
    "expect": "where the case should stand / 个案应处的状态",
    "as_of": "the day of which the end is told / 所述结果的截止日",
    "stage": "the stage in which it stands / 所处阶段",
    "since": "the day on which that stage began / 该阶段起始日",
    "held": "whether it is held / 是否暂停处理",
    "deadlines": "last days of clocks / 各期限届满日",
    "figures": "amounts as they are told / 各项数额",
    "kept": "facts that events have said; null is unknown / 由事件录入的事实，null为未知",
    "not_taken": "the fault for which the event is not taken / 事件未予接受所报的错误代码",
    "refused": "the rule by which the request is refused / 据以不予办理的规则",
}
_BOOLEAN: Json = {"enum": [True, False, "true", "false"]}
_VALUE: Json = {"type": ["string", "number", "boolean"], "maxLength": 2000}
_OWN_ID: Json = {"type": "string", "pattern": ID}
_OWN_NAME: Json = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
_DAYS: Json = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 36_600}, {"type": "string"}]}


# --- process.yaml ---


def process_schema(rulebook: Rulebook) -> Json:
    """Describe `process.yaml`."""
    vocabulary, sources = rulebook.vocabulary, list(rulebook.sources)
    stages = {"anyOf": [{"enum": [ANY]}, _OWN_ID, list_of(_OWN_ID)]}
    backed = {
        "certainty": choice(CERTAINTIES, CERTAINTY),
        "cite": {"type": "array", "items": cited(sources), "minItems": 1},
    }
    stage = _block({"title": PAIR, "end": _BOOLEAN}, "title")
    names = list_of(_OWN_NAME)
    senders = [holder for holder in HOLDERS if holder != "nobody"]
    event = {"title": PAIR, "by": choice(senders, HELD_BY), "fields": names, "optional": names}
    summed = {"title": PAIR, "clocks": names, "equals": _OWN_NAME}
    total = block(summed, "title clocks equals", _OF_PARTS)
    figure = {
        **{"type": {"enum": ["integer", "money"]}, "unit": {"enum": list(vocabulary.units)}},
        **{"value": AMOUNT, "exposure": _BOOLEAN, "label": PAIR},
    }
    booked = {**dict.fromkeys(LEDGER, TEXT), "cap": TEXT}
    parts = {
        "title": PAIR,
        "summary": PAIR,
        "sources": list_of({"enum": sources}),
        "in_force": PERIOD,
        "read_to": DATE,
        "leaves_out": {"type": "array", "items": PAIR, "minItems": 1},
        "codes": _mapping(_code_list(), {"type": "string"}),
        "keeps": _keeps(vocabulary),
        "fields": _mapping(_field(vocabulary), _OWN_NAME),
        "stages": {**_mapping(stage, _OWN_ID), "minProperties": 1},
        "events": _mapping(_block(event, "title by"), _OWN_ID),
        "transitions": list_of(_transition(stages, backed)),
        "clocks": _mapping(_clock(stages, backed), _OWN_NAME),
        "totals": list_of(total),
        "figures": _mapping(_block(figure, "type value label"), _OWN_NAME),
        "ledger": _block(booked, " ".join(booked)),
    }
    needed = "title summary sources in_force read_to leaves_out stages events transitions"
    definitions = definitions_of(vocabulary, True, {})
    return whole_file(_block(parts, needed), "Process / 办理流程", LOOSE, definitions)


def _block(properties: Mapping[str, Any], required: str = "") -> Json:
    return block(properties, required, _KEYS)


def _mapping(item: Json, names: Json) -> Json:
    """A mapping whose names are the author's own."""
    return {"type": ["object", "null"], "propertyNames": names, "additionalProperties": item}


def _code_list() -> Json:
    made = block({"codes": _mapping(PAIR, {"type": "string"}), "file": TEXT}, "", _OF_PARTS)
    return {**made, "oneOf": [{"required": ["codes"]}, {"required": ["file"]}]}


def _type_parts(vocabulary: Vocabulary) -> Json:
    return {
        **{"type": {"enum": list(KINDS)}, "unit": {"enum": list(vocabulary.units)}},
        **{"scale": SCALE, "codes": TEXT, "min": AMOUNT, "max": AMOUNT, "label": PAIR},
    }


def _typed() -> list[Json]:
    """What a type asks for: a number its bounds, a code its list."""
    numbers: Json = {"properties": {"type": {"enum": ["integer", "decimal", "money"]}}}
    return [
        {"if": {**numbers, "required": ["type"]}, "then": {"required": ["min", "max"]}},
        where("type", "code", {"required": ["codes"]}),
        where("type", "decimal", {"required": ["scale"]}),
    ]


def _keeps(vocabulary: Vocabulary) -> Json:
    """Facts of the vocabulary, and facts of the case, which declare their types."""
    stated = {"stated": _BOOLEAN, "starts": ONE}
    own = block({**_type_parts(vocabulary), **stated}, "type label", _OF_PARTS)
    known = {
        path: _block({**stated, "starts": one_of(written(fact.type, vocabulary, True))})
        for path, fact in vocabulary.facts.items()
        if fact.derived is None
    }
    titled = {p: {**known[p], "title": both(vocabulary.facts[p].label)} for p in known}
    return {
        "type": ["object", "null"],
        "properties": titled,
        "patternProperties": {"^case\\.[a-z][a-z0-9_]*$": {**own, "allOf": _typed()}},
        "additionalProperties": False,
    }


def _field(vocabulary: Vocabulary) -> Json:
    parts = {**_type_parts(vocabulary), "like": {"enum": list(vocabulary.facts)}}
    made = block({**parts, "from": {"enum": ["ledger"]}}, "label", _OF_PARTS)
    made["oneOf"] = [{"required": ["type"]}, {"required": ["like"]}]
    return {**made, "allOf": _typed()}


def _transition(stages: Json, backed: Json) -> Json:
    parts = {
        **{"from": stages, "on": _OWN_ID, "after": _OWN_NAME},
        **{"when": CONDITION, "otherwise": PAIR, "to": _OWN_ID},
        "set": {"type": ["object", "null"], "additionalProperties": _VALUE},
        "refuse": _OWN_ID,
        **{"hold": {"enum": ["begin", "end"]}, "held": {"enum": ["also", "only"]}},
        **{"says": PAIR, **backed},
    }
    made = _block(parts, "from says certainty cite")
    made["oneOf"] = [{"required": ["on"]}, {"required": ["after"]}]
    # `otherwise` is told to a sender, and nobody sends the end of a clock's time.
    alone: Json = {"properties": {"otherwise": False}}
    paired: Json = {"dependentRequired": {"when": ["otherwise"], "otherwise": ["when"]}}
    made["if"], made["then"], made["else"] = {"required": ["after"]}, alone, paired
    without = dict.fromkeys(("to", "set", "hold", "after"), False)
    made["dependentSchemas"] = {"refuse": {"properties": without}}
    made["allOf"] = [where("hold", "end", {"properties": {"held": False}})]
    return made


def _clock(stages: Json, backed: Json) -> Json:
    parts = {
        **{"title": PAIR, "days": _DAYS, "until": TEXT, "runs": stages, "pauses": stages},
        **{"holdable": _BOOLEAN, "starts_at": _OWN_NAME, "exceeded": PAIR, **backed},
    }
    made = _block(parts, "title runs exceeded certainty cite")
    return {**made, "oneOf": [{"required": ["days"]}, {"required": ["until"]}]}


# --- stories of cases ---


def story_part(rulebook: Rulebook) -> Json:
    """A story of a case; it speaks of `#/$defs/facts`, which its file defines."""
    processes = rulebook.processes
    titles = [both(process.title) for process in processes.values()]
    parts = {
        **{"title": PAIR, "story": PAIR},
        "process": {"enum": list(processes), "enumDescriptions": titles},
        **{"opened_on": DATE, "facts": {"$ref": "#/$defs/facts"}, "ledger": {}},
        **{"events": {"type": "array"}, "expect": {"type": "object"}},
    }
    made = block(parts, "title story process opened_on events expect", _OF_STORIES)
    of_each = (where("process", id, _story_of(rulebook, of)) for id, of in processes.items())
    return {**made, "allOf": list(of_each)}


def _story_of(rulebook: Rulebook, of: Process) -> Json:
    supplied = [field for event in of.events.values() for field in event.fields if field.supplied]
    numbers = [one_of(_value(rulebook, of, field.type)) for field in supplied]
    ledger: Any = {"allOf": numbers} if numbers else False
    said = [{"required": [name]} for name in STANDS]
    ending = {**_expected(rulebook, of, AT_END), "anyOf": said}
    return {
        "properties": {
            "facts": {"allOf": list(_only_events_say(of))},
            "ledger": ledger,
            "events": {"items": _told(rulebook, of)},
            "expect": ending,
        }
    }


def _only_events_say(of: Process) -> Iterable[Json]:
    """That no order states what the events of its case say."""
    for path, kept in of.keeps.items():
        outer, _, name = path.partition(".")
        if not kept.stated and not path.startswith("case."):
            nothing: Json = {"type": "null"}
            yield {"properties": {path: nothing, outer: {"properties": {name: nothing}}}}


def _told(rulebook: Rulebook, of: Process) -> Json:
    """One event; one that cannot be read is a slip, unless the story is about it."""
    unreadable = {"not_taken": {"enum": list(UNREADABLE)}}
    about: Json = {"type": "object", "properties": unreadable, "required": ["not_taken"]}
    ids = {
        "enum": list(of.events),
        "enumDescriptions": [both(e.title) for e in of.events.values()],
    }
    expect = {
        "anyOf": [{"enum": list(of.stages)}, _expected(rulebook, of, AT_EVENT), {"type": "null"}]
    }
    around: Json = {
        "event": ids,
        "on": DATE,
        "note": {"type": "string", "maxLength": MAX_TEXT},
        "expect": {**expect, "description": _OF_STORIES["expect"]},
    }
    return {
        "type": "object",
        "properties": {"expect": around["expect"]},
        "if": {"properties": {"expect": about}, "required": ["expect"]},
        "else": {
            "properties": around,
            "required": ["event", "on"],
            "allOf": [
                where("event", id, _fields(rulebook, of, event, around))
                for id, event in of.events.items()
            ],
        },
    }


def _fields(rulebook: Rulebook, of: Process, event: Event, around: Json) -> Json:
    own = [field for field in event.fields if not field.supplied]
    told = {
        field.name: {
            "title": both(field.label),
            **one_of(_value(rulebook, of, field.type), null=field.name in event.optional),
        }
        for field in own
    }
    needed = " ".join(field.name for field in own if field.name not in event.optional)
    return block({**{name: {} for name in around}, **told}, needed)


def _expected(rulebook: Rulebook, of: Process, names: Iterable[str]) -> Json:
    rules = {rule.id: rule.title for rule in of.regime.rules}
    stages = {id: stage.title for id, stage in of.stages.items()}
    lasts = {id: {"title": both(clock.title)} for id, clock in of.clocks.items()}
    last = {"anyOf": [DATE, {"enum": [STOPPED, RUNS_NOT]}]}
    figures = {id: figure.quantity for id, figure in of.figures.items()}
    every: Json = {
        "as_of": DATE,
        "stage": choice(list(stages), stages),
        "since": one_of([DATE]),
        "held": _BOOLEAN,
        "deadlines": block({id: {**title, **last} for id, title in lasts.items()}),
        "figures": block({id: _known(rulebook, of, q.label, q.type) for id, q in figures.items()}),
        "kept": block({p: _known(rulebook, of, k.label, k.type) for p, k in of.keeps.items()}),
        "not_taken": {"enum": list(NOT_TAKEN)},
        "refused": choice(list(rules), rules),
    }
    return block({name: every[name] for name in names}, keys=_OF_STORIES)


def _known(rulebook: Rulebook, of: Process, label: Pair, type: Type) -> Json:
    return {"title": both(label), **one_of(_value(rulebook, of, type), null=True)}


def _value(rulebook: Rulebook, of: Process, type: Type) -> list[Json]:
    """The ways to write a value; the codes of a process's own lists stand where they are used."""
    if type.codes is not None and type.codes not in rulebook.vocabulary.lists:
        codes = of.vocabulary.lists[type.codes].codes
        labels = [both(code.label) for code in codes.values()]
        return [{**codes_of(list(codes), True), "enumDescriptions": labels}]
    return [_BOOLEAN] if type == BOOLEAN else written(type, rulebook.vocabulary, True)
