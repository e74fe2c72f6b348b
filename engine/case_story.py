"""Stories of cases: an order, dated events, and where the case should stand after each and at the end.

`placet test` plays them as it runs scenarios; both lie in `scenarios/`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.case import Sent, early, linked, read_case_order, read_event, refusal
from engine.case_told import Past, rebuild, tell
from engine.diagnostics import Diagnostic, OrderRejected, nearest, shown
from engine.findings import iso
from engine.ir import Pair
from engine.lifecycle import NotTaken, Setting, advance, step
from engine.load import Rulebook
from engine.order import Document, Order, make_order
from engine.process import Process
from engine.values import BOOLEAN, Misfit, Type, Value, read, write

NAMES = ("title", "story", "process", "opened_on", "facts", "ledger", "events", "expect")
STANDS = ("stage", "since", "held", "deadlines", "figures", "kept")
"""What can be expected of a case on any day."""
AT_EVENT = ("not_taken", "refused", *STANDS)
"""What can be expected of an event, and of the case after it."""
AT_END = ("as_of", *STANDS)
"""What can be expected when the last event has been played."""
UNREADABLE = ("O202", "O203", "O204", "O404", "O405")
"""The codes of the faults of an event that cannot be read."""
NOT_TAKEN = ("O401", "O402", "O403", "O406", "O407", *UNREADABLE)
"""The codes of the faults for which an event is not taken."""
STOPPED, RUNS_NOT, UNKNOWN = "stopped", "none", "unknown"

Difference = tuple[str, str, str]
Expected = Mapping[str, str]
"""Values as they are written, by what they are of: `stage`, `deadlines overall`, `kept …`."""

_DATE = Type("date")
_NOTHING: Expected = {}


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a story; without `sent` it cannot be read, and the story says just that."""

    name: str
    document: Document
    sent: Sent | None
    fault: Diagnostic | None
    expect: Expected


@dataclass(frozen=True, slots=True)
class CaseStory:
    """A story as it was read; nothing of it has been played."""

    title: Pair
    story: Pair
    setting: Setting
    opened_on: int
    events: tuple[Told, ...]
    as_of: int | None
    """The day of which the end is told; where nothing is said, that of the latest event."""
    expect: Expected

    @property
    def process(self) -> Process:
        """The process that it plays."""
        return self.setting.process


@dataclass(frozen=True, slots=True)
class Played:
    """What playing a story came to."""

    differences: tuple[Difference, ...]
    """What differs from what it expects, as (what, expected, got)."""
    taken: frozenset[int]
    """The numbers of the transitions that were taken, ends of clocks included."""


def is_case_story(document: Document) -> bool:
    """Whether a file of `scenarios/` tells a case rather than an order."""
    return isinstance(document.data, dict) and "process" in document.data


# --- reading ---


def read_case_story(book: Rulebook, document: Document) -> CaseStory:
    """Read a story of a case, its order and its events. Raises `OrderRejected` with every fault."""
    reader = _Reader(document, [])
    reader.names((), NAMES, "a story of a case")
    title, story = reader.pair("title"), reader.pair("story")
    process = reader.process(book)
    opened_on = reader.opened_on(process)
    order = None if process is None else reader.order(book, process)
    supplied = {} if process is None else reader.supplied(process)
    listed, ending = reader.parts()
    events = () if process is None else tuple(reader.events(process, listed, supplied))
    expect = reader.expected(process, ("expect",), ending, AT_END) if ending else _NOTHING
    as_of = reader.as_of(ending, events)
    if reader.faults or not (title and story and process and opened_on and order):
        raise OrderRejected(reader.faults)
    setting = Setting(process, order)
    return CaseStory(title, story, setting, opened_on, events, as_of, expect)


Steps = tuple[str | int, ...]


@dataclass(slots=True)
class _Reader:
    """Reads the parts of one story, noting what is wrong with each."""

    document: Document
    faults: list[Diagnostic]

    def fault(self, code: str, path: Steps, message: str, help: str) -> None:
        self.faults.append(Diagnostic(code, self.document.at(*path), message, help))

    def names(self, path: Steps, known: Collection[str], where: str) -> None:
        for name in self.document.part(*path).data:
            self.known(name, known, (*path, name), f"name {shown(name)} in {where}", at_name=True)

    def known(
        self, name: Any, known: Collection[str], path: Steps, told: str, *, at_name: bool = False
    ) -> bool:
        if isinstance(name, str) and name in known:
            return True
        place = self.document.name_at(*path) if at_name else self.document.at(*path)
        help = nearest(str(name), known) or f"known here: {', '.join(known) or 'none'}"
        self.faults.append(Diagnostic("O101", place, f"unknown {told}", help))
        return False

    def pair(self, name: str) -> Pair | None:
        match self.document.data.get(name):
            case {"en": str() as en, "zh": str() as zh, **rest} if not rest and en and zh:
                return Pair(en, zh)
        help = "write {en: …, zh: …}"
        self.fault("O302", (name,), f"`{name}` needs a text in both languages", help)
        return None

    def process(self, book: Rulebook) -> Process | None:
        named = self.document.data.get("process")
        found = book.processes.get(named) if isinstance(named, str) else None
        if found is None:
            help = nearest(str(named), book.processes) or f"known: {', '.join(book.processes)}"
            self.fault("O409", ("process",), f"unknown process {shown(named)}", help)
        return found

    def opened_on(self, process: Process | None) -> int | None:
        written = self.document.data.get("opened_on")
        if written is None:
            help = "write `opened_on: YYYY-MM-DD`"
            self.fault("O302", (), "the story does not say on which day the case is opened", help)
            return None
        day = self.value(("opened_on",), _DATE)
        if not isinstance(day, int):
            return None
        if process is not None and not process.in_force.holds(day):
            told = f"`{process.id}` is not in force on {iso(day)}"
            help = f"it is in force from {iso(process.in_force.start)}"
            self.fault("O410", ("opened_on",), told, help)
        return day

    def order(self, book: Rulebook, process: Process) -> Order | None:
        if self.document.data.get("facts") is None:
            return make_order(book.vocabulary, {})
        try:
            return read_case_order(process, book.vocabulary, self.document.part("facts"))
        except OrderRejected as error:
            self.faults += error.diagnostics
            return None

    def supplied(self, process: Process) -> dict[str, Value]:
        """The fields that the ledger fills in, all from the one number that the story gives."""
        written = self.document.data.get("ledger")
        fields = {f.name: f for e in process.events.values() for f in e.fields if f.supplied}
        if written is None:
            return {}
        if not fields:
            place = self.document.name_at("ledger")
            told = f"`{process.id}` takes nothing from a ledger"
            self.faults.append(Diagnostic("O101", place, told, "leave it out"))
        return {name: self.value(("ledger",), field.type) for name, field in fields.items()}

    def parts(self) -> tuple[list[Any], dict[str, Any]]:
        """The list of events, and what is expected at the end."""
        events, ending = (self.document.data.get(name) for name in ("events", "expect"))
        if not isinstance(events, list):
            told, help = "a story of a case has `events`", "write `events: [{event: …, on: …}]`"
            self.fault("O302", ("events",) if events is not None else (), told, help)
        if not isinstance(ending, dict) or not {*ending} - {"as_of"}:
            told, help = "the story does not say where the case should end", "`expect: {stage: …}`"
            self.fault("O302", ("expect",) if ending is not None else (), told, f"write {help}")
        events = events if isinstance(events, list) else []
        return events, ending if isinstance(ending, dict) else {}

    def as_of(self, ending: Mapping[str, Any], events: Collection[Told]) -> int | None:
        day = self.value(("expect", "as_of"), _DATE) if ending.get("as_of") is not None else None
        if not isinstance(day, int):
            return None
        latest = max((one.sent.happening.day for one in events if one.sent), default=day)
        if day < latest:
            told = f"`as_of` lies before an event of {iso(latest)}"
            help = "leave it out, and the end is told of the day of the latest event"
            self.fault("O302", ("expect", "as_of"), told, help)
        return day

    def events(
        self, process: Process, listed: list[Any], supplied: Mapping[str, Value]
    ) -> Iterator[Told]:
        for number, data in enumerate(listed):
            part = self.document.part("events", number)
            expect, plain = _NOTHING, data
            if isinstance(data, dict):
                plain = {name: value for name, value in data.items() if name != "expect"}
                path = ("events", number, "expect")
                expect = self.expected(process, path, _said(data.get("expect")), AT_EVENT)
            one = Document(plain, part.node, part.source, part.base)
            sent, fault = None, None
            try:
                sent = read_event(process, one, supplied)
            except OrderRejected as error:
                by_code = {found.code: found for found in error.diagnostics}
                fault = by_code.get(expect.get("not_taken", ""))
                # An event that cannot be read is a slip of the pen, unless the story is about it.
                self.faults += error.diagnostics if fault is None else ()
            yield Told(_called(number, plain), one, sent, fault, expect)

    # --- what is expected ---

    def expected(
        self, process: Process | None, path: Steps, said: Any, names: Collection[str]
    ) -> Expected:
        """What a story expects somewhere, each value by what it is of."""
        if not isinstance(said, dict):
            told = "what is expected is a stage, or names with values"
            self.fault("O302", path, told, "write `expect: {stage: …}`")
            return _NOTHING
        made: dict[str, str] = {}
        for name, value in said.items():
            here = path if isinstance(self.document.part(*path).data, str) else (*path, name)
            if not self.known(name, names, here, f"name {shown(name)} in `expect`", at_name=True):
                continue
            if process is not None and name != "as_of":
                made |= self._wanted(process, name, value, here)
        return made

    def _wanted(self, process: Process, name: str, value: Any, path: Steps) -> Expected:
        match name:
            case "stage":
                return self._one_of(name, value, process.stages, path)
            case "refused":
                rules = [rule.id for rule in process.regime.rules]
                return self._one_of(name, value, rules, path, "rule")
            case "not_taken":
                return self._one_of(name, value, NOT_TAKEN, path, "reason not to take an event")
            case "since":
                return {name: self.written(path, _DATE)}
            case "held":
                return {name: self.written(path, BOOLEAN)}
            case "deadlines":
                return self._each(name, value, process.clocks, path, "clock", self._deadline)
            case "figures":
                types = {id: figure.quantity.type for id, figure in process.figures.items()}
            case _:
                types = {fact: kept.type for fact, kept in process.keeps.items()}
        what = "figure" if name == "figures" else "kept fact"

        def amount(at: Steps) -> str:
            return self.written(at, types[str(at[-1])], process)

        return self._each(name, value, types, path, what, amount)

    def _one_of(
        self, name: str, value: Any, known: Collection[str], path: Steps, what: str = ""
    ) -> Expected:
        told = f"{what or name} {shown(value)}"
        return {name: value} if self.known(value, known, path, told) else _NOTHING

    def _each(
        self,
        name: str,
        value: Any,
        known: Collection[str],
        path: Steps,
        what: str,
        one: Callable[[Steps], str],
    ) -> Expected:
        if not isinstance(value, dict):
            help = f"write `{name}: {{{next(iter(known), '…')}: …}}`"
            self.fault("O302", path, f"`{name}` names each {what} with its value", help)
            return _NOTHING
        told = f"{what} {{}}".format
        return {
            f"{name} {id}": one((*path, id))
            for id in value
            if self.known(id, known, (*path, id), told(shown(id)), at_name=True)
        }

    def _deadline(self, path: Steps) -> str:
        """The last day of a clock; or that it stands still, or is not running."""
        value = self.document.part(*path).data
        return str(value) if value in (STOPPED, RUNS_NOT) else self.written(path, _DATE)

    def written(self, path: Steps, type: Type, process: Process | None = None) -> str:
        """A value as it is told of a case; an empty one is unknown."""
        if self.document.part(*path).data is None:
            return UNKNOWN
        value = self.value(path, type)
        if process is not None and type.codes is not None and isinstance(value, str):
            codes = process.vocabulary.lists[type.codes].codes
            if value not in codes:
                help = nearest(value, codes) or f"one of: {', '.join(codes)}"
                self.fault("O204", path, f"unknown code {shown(value)}", help)
        return _text(write(value, type))

    def value(self, path: Steps, type: Type) -> Value:
        """A value by its type; nothing, and a fault, where it is not of it."""
        written = self.document.part(*path).data
        value = read(written, type)
        if isinstance(value, Misfit):
            told = f"`{path[-1]}`: {shown(written)} {linked(value.message)}"
            self.fault(f"O{value.code}", path, told, value.help)
            return None
        return value


def _said(expect: Any) -> Any:
    """What is expected after an event; a name alone is the stage."""
    return {"stage": expect} if isinstance(expect, str) else {} if expect is None else expect


def _called(number: int, data: Any) -> str:
    """How an event is named where something differs."""
    name, on = (data.get("event"), data.get("on")) if isinstance(data, dict) else (None, None)
    return " ".join([f"event {number + 1}:", str(name), *([f"of {on}"] if on else [])])


# --- playing ---


def play(book: Rulebook, story: CaseStory) -> Played:
    """Play a story from its beginning."""
    setting, sent = story.setting, list[Sent]()
    differences: list[Difference] = []
    past = rebuild(setting, story.opened_on, sent)
    for one in story.events:
        why = _why_not(setting, past, one)
        if why is None and one.sent is not None:
            sent.append(one.sent)
            past = rebuild(setting, story.opened_on, sent)
        differences += _at_event(one, why, past)
        stands = {name: one.expect[name] for name in one.expect if name.split()[0] in STANDS}
        if stands:
            day = past.state.day if one.sent is None else one.sent.happening.day
            told = _observed(setting, tell(book, setting, story.opened_on, sent, day))
            differences += _differ(stands, told, one.name)
    as_of = past.state.day if story.as_of is None else max(story.as_of, past.state.day)
    told = _observed(setting, tell(book, setting, story.opened_on, sent, as_of))
    differences += _differ(story.expect, told, "at the end")
    steps = [*(step for _, step in past.steps), *advance(setting, past.state, as_of).steps]
    return Played(tuple(differences), frozenset(step.transition.number for step in steps))


def _why_not(setting: Setting, past: Past, one: Told) -> Diagnostic | None:
    """Why an event is not taken, if it is not."""
    if one.sent is None:
        return one.fault
    late = early(setting, past.state, one.sent, one.document)
    if late is not None:
        return late
    found = step(setting, past.state, one.sent.happening)
    return refusal(setting, found, one.sent, one.document) if isinstance(found, NotTaken) else None


def _at_event(one: Told, why: Diagnostic | None, past: Past) -> Iterator[Difference]:
    """Whether an event was taken, and whether it was refused, as the story expects."""
    wanted = one.expect.get("not_taken")
    if (why.code if why else None) != wanted:
        got = "taken" if why is None else f"{why.code}: {why.message}"
        yield one.name, f"not taken ({wanted})" if wanted else "taken", got
    if why is not None:
        return
    refused, wanted = past.steps[-1][1].transition.refuses, one.expect.get("refused")
    if refused != wanted:
        yield f"{one.name}, refused by", wanted or "no rule", refused or "no rule"


def _observed(setting: Setting, told: Mapping[str, Any]) -> dict[str, str]:
    """Where a case stands, each value by what it is of."""
    running = {one["clock"]: one["last"] or STOPPED for one in told["deadlines"]}
    amounts = {one["name"]: one["value"] for one in (*told["exposure"], *told["figures"])}
    return {
        "stage": told["stage"]["id"],
        "since": told["spans"]["stages"][-1]["from"],
        "held": _text(told["held"]),
        **{f"deadlines {id}": running.get(id, RUNS_NOT) for id in setting.process.clocks},
        **{f"figures {name}": _text(value) for name, value in amounts.items()},
        **{f"kept {one['fact']}": _text(one["value"]) for one in told["kept"]},
    }


def _differ(wanted: Expected, got: Mapping[str, str], when: str) -> Iterator[Difference]:
    for what, value in wanted.items():
        if got[what] != value:
            yield f"{when}, {what}", value, got[what]


def _text(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return UNKNOWN if value is None else value
