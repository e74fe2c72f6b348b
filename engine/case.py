"""Read what is done to a case from untrusted data, and say why an event is not taken.

The words of a refusal name the stage and the events that are possible there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.diagnostics import Diagnostic, OrderRejected, Span, nearest, shown
from engine.evaluate import Program
from engine.ir import Pair
from engine.lifecycle import Happening, NotTaken, Setting, State, possible
from engine.names import inside
from engine.order import Document, Order, order_from
from engine.parse_process import TAKEN
from engine.process import Event, Field, Process, Transition
from engine.scene import Scene
from engine.values import MAX_TEXT, Misfit, Type, Value, read, write
from engine.vocabulary import Vocabulary
from engine.words import Lang, day, in_lang, listed

_DATE = Type("date")


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as somebody sent it, with a note that is carried and never judged."""

    happening: Happening
    note: str


def read_case_order(process: Process, vocabulary: Vocabulary, document: Document) -> Order:
    """Read the facts with which a case is opened. Raises `OrderRejected` with every fault."""
    faults: list[Diagnostic] = []
    order = order_from(vocabulary, document, faults)
    for path in order.stated:
        kept = process.keeps.get(path)
        if kept is not None and not kept.stated:
            told = f"`{path}` comes from the events of the case"
            help = "leave it out; an event will say it"
            faults.append(Diagnostic("O408", place_of(document, path), told, help))
    if faults:
        raise OrderRejected(faults)
    return order


def place_of(document: Document, path: str) -> Span:
    """Where a fact of an order stands, written flat or nested."""
    data: Any = document.data
    steps: list[str] = []
    rest = path
    while isinstance(data, dict) and rest:
        name = next((n for n in data if rest == n or rest.startswith(f"{n}.")), None)
        if name is None:
            break
        steps.append(name)
        data, rest = data[name], rest[len(name) + 1 :]
    return document.at(*steps)


def read_event(process: Process, document: Document, supplied: Mapping[str, Value]) -> Sent:
    """Read an event: `{event, on, …fields, note}`. Raises `OrderRejected` with every fault.

    `supplied` are fields that the ledger fills in.
    """
    data = document.data
    if not isinstance(data, dict):
        help = 'write `{"event": …, "on": "YYYY-MM-DD"}` with its fields'
        raise OrderRejected([Diagnostic("O103", document.at(), "an event has names", help)])
    faults: list[Diagnostic] = []
    event = _event(process, document, faults)
    on = _day(document, faults)
    note = data.get("note")
    if note is not None and not (isinstance(note, str) and len(note) <= MAX_TEXT):
        told = f"a note is a text of at most {MAX_TEXT} characters"
        faults.append(Diagnostic("O405", document.at("note"), told, ""))
    fields = {} if event is None else _fields(process, event, document, supplied, faults)
    if faults or event is None or on is None:
        raise OrderRejected(faults)
    return Sent(Happening(event.id, on, fields), note or "")


def _event(process: Process, document: Document, faults: list[Diagnostic]) -> Event | None:
    name = document.data.get("event")
    if name is None:
        help = f"one of: {', '.join(process.events)}"
        faults.append(Diagnostic("O404", document.at(), "no `event` is named", help))
        return None
    event = process.events.get(name) if isinstance(name, str) else None
    if event is None:
        help = nearest(str(name), process.events) or f"one of: {', '.join(process.events)}"
        told = f"`{process.id}` has no event {shown(name)}"
        faults.append(Diagnostic("O404", document.at("event"), told, help))
    return event


def _day(document: Document, faults: list[Diagnostic]) -> int | None:
    written = document.data.get("on")
    if written is None:
        help = "write `on: YYYY-MM-DD`: time comes from the dates of events alone"
        faults.append(Diagnostic("O405", document.at(), "the event has no date", help))
        return None
    value = read(written, _DATE)
    if isinstance(value, Misfit):
        told = f"`on`: {shown(written)} {value.message}"
        faults.append(Diagnostic("O202", document.at("on"), told, value.help))
        return None
    return value if isinstance(value, int) else None


def _fields(
    process: Process,
    event: Event,
    document: Document,
    supplied: Mapping[str, Value],
    faults: list[Diagnostic],
) -> dict[str, Value]:
    data = document.data
    known = {field.name: field for field in event.fields if not field.supplied}
    for name in data:
        if name in known or name in TAKEN:
            continue
        theirs = any(f.name == name and f.supplied for f in event.fields)
        told = (
            f"`{name}` comes from the ledger"
            if theirs
            else f"the event `{event.id}` has no field {shown(name)}"
        )
        help = (
            "leave it out"
            if theirs
            else nearest(name, known) or f"fields: {', '.join(known) or 'none'}"
        )
        faults.append(Diagnostic("O405", document.name_at(name), told, help))
    fields: dict[str, Value] = {f.name: supplied.get(f.name) for f in event.fields if f.supplied}
    for name, field in known.items():
        if data.get(name) is None:
            if name not in event.optional:
                told = f"the event `{event.id}` lacks `{name}`: {field.label.en}"
                zh = f"事件“{event.title.zh}”缺少“{field.label.zh}”。"
                faults.append(Diagnostic("O405", document.at(), told, _form(field), said_zh=zh))
            fields[name] = None
        else:
            fields[name] = _value(process, field, document, faults)
    return fields


def _form(field: Field) -> str:
    return f"add `{field.name}` ({field.type.kind})"


def _value(process: Process, field: Field, document: Document, faults: list[Diagnostic]) -> Value:
    written = document.data[field.name]
    value = read(written, field.type)
    if isinstance(value, Misfit):
        told = f"`{field.name}`: {shown(written)} {linked(value.message)}"
        faults.append(Diagnostic(f"O{value.code}", document.at(field.name), told, value.help))
        return None
    if field.type.codes is not None:
        codes = process.vocabulary.lists[field.type.codes].codes
        if value not in codes:
            told = f"unknown code {shown(written)} for `{field.name}`"
            some = ", ".join(list(codes)[:12])
            help = nearest(str(written), codes) or f"one of: {some}"
            faults.append(Diagnostic("O204", document.at(field.name), told, help))
            return None
    return value


def linked(message: str) -> str:
    """What is wrong with a value, as it goes on behind the value."""
    return message if message.startswith(("is ", "has ")) else f"does not fit: {message}"


# --- why an event is not taken ---


def early(setting: Setting, state: State, sent: Sent, document: Document) -> Diagnostic | None:
    """The fault of an event that is dated before the latest one, if it is."""
    if sent.happening.day >= state.day:
        return None
    told = f"the event is dated before the latest one, of {_iso(state.day)}"
    zh = f"事件日期早于最近一次事件（{day(state.day, 'zh')}）。事件须按日期先后录入。"
    help = "events stand in the order of their dates; fork the case to play another course"
    return Diagnostic("O403", document.at("on"), told, help, said_zh=zh)


def whereabouts(setting: Setting, state: State, on: int) -> Pair:
    """The stage in which a case stands on a day, and the events that are possible there."""
    stage = setting.process.stages[state.stage]
    where = f"the case stands in {_where(state)}; {_next_en(setting, state, on)}"
    held = "，暂停处理中" if state.held else ""
    return Pair(where, f"个案现处“{stage.title.zh}”阶段{held}。{_next_zh(setting, state, on)}")


def _where(state: State) -> str:
    return f"`{state.stage}`{' (held)' if state.held else ''}"


def _next_en(setting: Setting, state: State, on: int) -> str:
    events = [one.event.id for one in possible(setting, state, on)]
    return f"possible here: {', '.join(events)}" if events else "nothing is possible"


def _next_zh(setting: Setting, state: State, on: int) -> str:
    events = [f"“{one.event.title.zh}”" for one in possible(setting, state, on)]
    return f"目前可能的事件：{'、'.join(events) or '无'}。"


def refusal(setting: Setting, found: NotTaken, sent: Sent, document: Document) -> Diagnostic:
    """Why an event is not taken, where the case stands, and what is possible there."""
    process, happening, state = setting.process, sent.happening, found.state
    event = process.events[happening.event]
    stage = process.stages[state.stage]
    where = _where(state)
    where_zh = f"“{stage.title.zh}”阶段{'（暂停处理中）' if state.held else ''}"
    help = _next_en(setting, state, happening.day)
    zh_next = _next_zh(setting, state, happening.day)
    moment = setting.moment(state, happening.day, {**happening.fields, "on": happening.day})
    scene = Scene(moment.program, moment.values)
    match found.why:
        case "end":
            code, told = "O401", f"the case has ended in {where}, where no event is taken"
            zh = f"个案已在{where_zh}终结，不再接受事件。"
            help, zh_next = "fork the case to play another course", ""
        case "stage":
            code, told = "O401", f"the event `{event.id}` is not possible in the stage {where}"
            zh = f"{where_zh}不接受事件“{event.title.zh}”。"
        case "guard":
            why = _otherwise(found.failed, "en")
            compared = _compared(scene, found.failed)
            code = "O402"
            told = f"`{event.id}` is not taken in the stage {where}: {why}{compared}"
            zh = f"{where_zh}不接受事件“{event.title.zh}”：{_otherwise(found.failed, 'zh')}。"
        case "unknown":
            waits = [_label(setting, path) for path in _unknown(scene, found.failed[0])]
            code = "O406"
            told = (
                f"whether `{event.id}` is taken in the stage {where} cannot be told yet; not "
                f"known: {listed([w.en for w in waits], 'en')}"
            )
            zh = (
                f"尚不能确定{where_zh}是否接受事件“{event.title.zh}”，待查明："
                f"{listed([w.zh for w in waits], 'zh')}。"
            )
        case "bounds":
            labels = [process.keeps[path].label for path in found.beyond]
            code = "O407"
            told = f"`{event.id}` would carry {listed([p.en for p in labels], 'en')} beyond its bounds"
            zh = f"事件“{event.title.zh}”将使{listed([p.zh for p in labels], 'zh')}超出允许范围。"
    return Diagnostic(code, document.at("event"), told, help, said_zh=zh + zh_next)


def _otherwise(failed: Iterable[Transition], lang: Lang) -> str:
    told = dict.fromkeys(
        in_lang(t.otherwise, lang).rstrip(".。") for t in failed if t.otherwise is not None
    )
    return ("; " if lang == "en" else "；").join(told)


def _compared(scene: Scene, failed: Sequence[Transition]) -> str:
    """The numbers that do not hold, where one guard stands in the way."""
    if len(failed) != 1 or failed[0].when is None:
        return ""
    sides = [scene.sides(atom) for atom in scene.atoms(failed[0].when)]
    told = [f"{s['left']} {s['op']} {s['right']}" for s in sides if s["margin"] is not None]
    return f" ({'; '.join(told)} does not hold)" if told else ""


def _unknown(scene: Scene, transition: Transition) -> list[str]:
    """The names without a value on which a guard waits."""
    program: Program = scene.program
    if transition.when is None:
        return []
    named = inside(program.regime, program.vocabulary, transition.when)
    facts = program.vocabulary.facts
    return [
        path
        for path in named
        if path in facts and facts[path].derived is None and not scene.known(path)
    ]


def _label(setting: Setting, path: str) -> Pair:
    return setting.process.vocabulary.facts[path].label


def _iso(number: int) -> str:
    return str(write(number, _DATE))
