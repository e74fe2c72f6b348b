"""Tell a case as JSON: where it stands, what can happen next, its clocks, what is at stake, its past.

Everything is rebuilt from the day it was opened and its events; nothing is kept between two tellings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.case import Sent
from engine.findings import cited, iso
from engine.ir import Pair
from engine.lifecycle import (
    Deadline,
    NotTaken,
    Possible,
    Setting,
    State,
    Step,
    advance,
    begin,
    deadlines,
    possible,
    step,
)
from engine.load import Rulebook
from engine.order import Order, make_order
from engine.process import Field, Figure, Process, Stage
from engine.spans import Run, Span, spans
from engine.values import Type, Value, write
from engine.vocabulary import Vocabulary
from engine.words import HELD_BY, LANGS, worded

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """A case rebuilt: its state, and for each step what it did, with the number of its event."""

    state: State
    steps: tuple[tuple[int | None, Step], ...]
    broken: tuple[int, NotTaken] | None = None
    """The event that the process, as it is now, no longer takes; what follows was not played."""


def rebuild(setting: Setting, opened_on: int, sent: Sequence[Sent]) -> Past:
    """Play the events of a case from its beginning."""
    state = begin(setting, opened_on)
    steps: list[tuple[int | None, Step]] = []
    for number, one in enumerate(sent, 1):
        moved = step(setting, state, one.happening)
        if isinstance(moved, NotTaken):
            return Past(state, tuple(steps), (number, moved))
        state = moved.state
        *clocks, last = moved.steps
        steps += [(None, lapse) for lapse in clocks]
        steps.append((number, last))
    return Past(state, tuple(steps))


def order_of(setting: Setting, vocabulary: Vocabulary, state: State) -> Order:
    """The order of a case with what its events have said, to be decided as any other."""
    said = {
        path: value
        for path, value in state.kept.items()
        if path in state.told and path in vocabulary.facts and value is not None
    }
    return make_order(vocabulary, {**setting.order.stated, **said})


def tell(
    book: Rulebook,
    setting: Setting,
    opened_on: int,
    sent: Sequence[Sent],
    as_of: int,
    past: Past | None = None,
) -> Json:
    """What a case comes to on a day: that of its latest event, or a later one.

    `past`, where given, is what `rebuild` makes of the events.
    """
    past = past or rebuild(setting, opened_on, sent)
    as_of = max(as_of, past.state.day)
    moved = advance(setting, past.state, as_of)
    state = moved.state
    steps = (*past.steps, *((None, lapse) for lapse in moved.steps))
    process = setting.process
    stage = process.stages[state.stage]
    figures = [_figure(setting, state, as_of, f) for f in process.figures.values()]
    return {
        "as_of": iso(as_of),
        "opened_on": iso(opened_on),
        "stage": _stage(stage),
        "held": state.held,
        "held_since": iso(_held_since(steps)) if state.held else None,
        "possible": [_possible(setting, one) for one in possible(setting, state, as_of)],
        "deadlines": clocks(book, setting, state, as_of),
        "exposure": [told for told in figures if told["exposure"]],
        "figures": [told for told in figures if not told["exposure"]],
        "kept": [_kept(setting, path, state) for path in process.keeps],
        "counts": {name: state.kept[path] for name, path in process.ledger.items()},
        "history": [_past_step(book, setting, number, one, sent) for number, one in steps],
        "spans": _spans(setting, opened_on, sent, as_of),
        "broken": None if past.broken is None else past.broken[0],
    }


def stand(setting: Setting, state: State, day: int) -> Json:
    """Where a case stands on a day and what is possible there, in short."""
    return {
        "as_of": iso(day),
        "stage": _stage(setting.process.stages[state.stage]),
        "held": state.held,
        "possible": [
            {"event": one.event.id, "title": one.event.title.as_json(), "refused": one.refused}
            for one in possible(setting, state, day)
        ],
    }


def clocks(book: Rulebook, setting: Setting, state: State, day: int) -> list[Json]:
    """The clocks that run on a day, in the order of the process."""
    return [_deadline(book, one) for one in deadlines(setting.process, state, day)]


def _held_since(steps: Sequence[tuple[int | None, Step]]) -> int:
    begun = [one.day for _, one in steps if one.transition.hold == "begin"]
    return begun[-1]


def _stage(stage: Stage) -> Json:
    return {"id": stage.id, "title": stage.title.as_json(), "end": stage.end}


def _possible(setting: Setting, one: Possible) -> Json:
    event = one.event
    return {
        "event": event.id,
        "title": event.title.as_json(),
        "by": event.by,
        "by_label": HELD_BY[event.by].as_json(),
        "refused": one.refused,
        "fields": [
            field_told(setting.process, field, field.name in event.optional)
            for field in event.fields
            if not field.supplied
        ],
    }


def field_told(process: Process, field: Field, optional: bool) -> Json:
    """What a field of an event is, for whoever fills it in."""
    vocabulary, type = process.vocabulary, field.type
    codes = vocabulary.lists[type.codes].codes if type.codes else {}
    unit = vocabulary.units.get(type.unit) if type.unit and type.unit != "USD" else None
    return {
        "name": field.name,
        "label": field.label.as_json(),
        "type": type.kind,
        "unit": type.unit,
        "unit_label": None if unit is None else {"en": unit.many, "zh": unit.zh},
        "min": write(type.lo, type),
        "max": write(type.hi, type),
        "codes": [{"code": c.code, "label": c.label.as_json()} for c in codes.values()],
        "optional": optional,
    }


def _deadline(book: Rulebook, one: Deadline) -> Json:
    clock = one.clock
    return {
        "clock": clock.id,
        "title": clock.title.as_json(),
        "since": iso(one.since),
        "days": clock.days,
        "counted": one.counted,
        "last": None if one.last is None else iso(one.last),
        "stopped": one.last is None,
        "over": one.over,
        "exceeded": clock.exceeded.as_json(),
        "certainty": clock.certainty,
        "citations": [cited(book.sources, c) for c in clock.cite],
    }


def _spans(setting: Setting, opened_on: int, sent: Sequence[Sent], as_of: int) -> Json:
    found = spans(setting, opened_on, [one.happening for one in sent], as_of)
    stages = setting.process.stages
    return {
        "stages": [
            {"stage": one.name, "title": stages[one.name].title.as_json(), **_from(one)}
            for one in found.stages
        ],
        "holds": [_from(one) for one in found.holds],
        "clocks": [_run(setting.process, one) for one in found.clocks],
    }


def _from(span: Span | Run) -> Json:
    return {"from": iso(span.start), "until": None if span.until is None else iso(span.until)}


def _run(process: Process, one: Run) -> Json:
    clock = process.clocks[one.clock]
    return {
        "clock": one.clock,
        "title": clock.title.as_json(),
        **_from(one),
        "counting": [_from(piece) for piece in one.counting],
        "days": clock.days,
        "counted": one.counted,
        "last": None if one.last is None else iso(one.last),
    }


def _figure(setting: Setting, state: State, day: int, figure: Figure) -> Json:
    quantity = figure.quantity
    moment = setting.moment(state, day, {})
    value = moment.value(quantity.value, quantity.type)
    return {
        "name": quantity.name,
        "label": quantity.label.as_json(),
        "value": write(value, quantity.type),
        "unit": quantity.type.unit,
        "text": text_of(setting.process.vocabulary, value, quantity.type),
        "exposure": figure.exposure,
    }


def _kept(setting: Setting, path: str, state: State) -> Json:
    kept = setting.process.keeps[path]
    value = state.kept[path]
    return {
        "fact": path,
        "label": kept.label.as_json(),
        "value": write(value, kept.type),
        "text": text_of(setting.process.vocabulary, value, kept.type),
        "told": path in state.told,
    }


def text_of(vocabulary: Vocabulary, value: Value, type: Type) -> dict[str, str] | None:
    """A value as people read it in both languages; nothing where it is unknown."""
    if value is None:
        return None
    if isinstance(value, str) and type.codes:
        known = vocabulary.lists[type.codes].codes.get(value)
        return (known.label if known else Pair(value, value)).as_json()
    unit = vocabulary.units.get(type.unit) if type.unit and type.unit != "USD" else None
    return {lang: worded(value, type, unit, lang) for lang in LANGS}


def _past_step(
    book: Rulebook, setting: Setting, number: int | None, one: Step, sent: Sequence[Sent]
) -> Json:
    process, taken = setting.process, one.transition
    event = process.events[taken.on] if taken.on else None
    clock = process.clocks[taken.after] if taken.after else None
    said = sent[number - 1] if number is not None else None
    return {
        "number": number,
        "on": iso(one.day),
        "event": None if event is None else event.id,
        "clock": None if clock is None else clock.id,
        "title": (event or clock).title.as_json(),  # type: ignore[union-attr]
        "by": None if event is None else event.by,
        "fields": [] if said is None else _fields(setting, said.happening.fields),
        "note": "" if said is None else said.note,
        "before": one.before,
        "after": one.after,
        "held": one.held,
        "refused": taken.refuses,
        "refused_title": _title_of(setting, taken.refuses),
        "says": taken.says.as_json(),
        "certainty": taken.certainty,
        "citations": [cited(book.sources, c) for c in taken.cite],
    }


def _title_of(setting: Setting, rule: str | None) -> Json | None:
    titles = {one.id: one.title.as_json() for one in setting.process.regime.rules}
    return None if rule is None else titles[rule]


def _fields(setting: Setting, fields: Mapping[str, Value]) -> list[Json]:
    facts = setting.process.vocabulary.facts
    return [
        {
            "name": name,
            "label": facts[f"event.{name}"].label.as_json(),
            "value": write(value, facts[f"event.{name}"].type),
            "text": text_of(setting.process.vocabulary, value, facts[f"event.{name}"].type),
        }
        for name, value in fields.items()
        if value is not None
    ]
