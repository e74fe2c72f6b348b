"""What is done with cases: open, send an event, show, fork, replay; and what a customer's book holds.

The calls that command line, HTTP and workbench share. Whether an event is taken is decided inside
the store's transaction, so that nobody else can place an order on the same book meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from api.case_lists import book_told, entry_told
from api.case_opening import other_group, process_of, read_opening
from api.casebook import Cases
from api.casefile import (
    Appended,
    CaseEntry,
    Counts,
    KeyUsed,
    LedgerView,
    OtherGroup,
    Standing,
    StoredCase,
    Taken,
)
from api.moments import moment
from api.service import Asked, Service
from api.store import Changed
from api.stories import flat
from api.to_date import TO_DATE
from engine.case import Sent, early, read_case_order, read_event, refusal, whereabouts
from engine.case_told import clocks, order_of, rebuild, stand, tell
from engine.concord import Evaluator
from engine.diagnostics import (
    BackendFailure,
    Diagnostic,
    OrderRejected,
    Source,
    Span,
)
from engine.lifecycle import (
    Happening,
    NotTaken,
    Setting,
    State,
    advance,
    outline,
    step,
)
from engine.load import Rulebook
from engine.order import Document, write_facts
from engine.process import LEDGER, Process
from engine.values import Type, Value, read
from engine.words import NOTICE

SCHEMA = "placet.case/1"

_SAY_WHERE = ("O401", "O402", "O406", "O407", "O413")
"""Faults of events whose words name the stage already."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that was opened; `known` if its key had opened it before."""

    id: str
    known: bool


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a case stands in its process, and the stages in which it has been before."""

    process: Process
    stage: str
    held: bool
    passed: tuple[str, ...]


class NotSent(OrderRejected):
    """An event that was not taken, and where the case stands: its history is as it was."""

    def __init__(self, diagnostics: Iterable[Diagnostic], case: Json) -> None:
        super().__init__(diagnostics)
        self.case = case


@dataclass(frozen=True, slots=True)
class Casework:
    """Cases of a store under the rules of a service.

    Every event and every decision of a case is judged twice where the service has a second
    evaluator; `differs` hears of a process on which the two did not agree, never what the event said.
    """

    service: Service
    cases: Cases
    differs: Callable[[str, str], None]

    @property
    def book(self) -> Rulebook:
        """The rules."""
        return self.service.rulebook()

    def process(self, id: str, place: Span) -> Process:
        """A process by its id. Raises `OrderRejected`."""
        return process_of(self.book, id, place)

    # --- what is done ---

    def open(self, document: Document, *, today: int, at: int, by: str, key: str | None) -> Opened:
        """Open a case. Raises `OrderRejected` with every fault, or a `StoreError`."""
        wanted = read_opening(self.book, document, today)
        known = None if key is None else self.cases.opened(wanted.workspace, key)
        process, stated = wanted.process, wanted.order.stated
        opened_on = wanted.opened_on
        if known is not None and not wanted.is_dated:
            # Who asks again after midnight means the day on which the case was opened.
            opened_on = known.opened_on
        try:
            entry = self.cases.open(
                workspace=wanted.workspace,
                process=process.id,
                edition=self.book.process_editions[process.id],
                title=wanted.title,
                customer=str(stated.get("customer.id") or ""),
                group=str(stated.get("customer.group") or ""),
                opened_on=opened_on,
                document={"facts": write_facts(self.book.vocabulary, stated), **wanted.carried},
                at=at,
                by=by,
                key=key,
                stage=process.start,
                booked=bool(process.ledger),
            )
        except KeyUsed:
            told = "another case was opened with the same key"
            fault = Diagnostic("W120", document.at(), told, "open each case with its own key")
            raise OrderRejected([fault]) from None
        except OtherGroup as error:
            raise OrderRejected([other_group(document, error.group)]) from None
        return Opened(entry.id, known is not None)

    def send(
        self,
        id: str,
        document: Document,
        *,
        version: int | None,
        key: str | None,
        at: int,
        by: str,
    ) -> Appended:
        """Send an event to a case. Raises `NotSent` where it is not taken, or a `StoreError`.

        An event that its key has sent before is answered as it was then, whatever the version.
        """

        def take(stored: StoredCase, ledger: LedgerView) -> Taken:
            return self._take(stored, ledger, document)

        event = document.data if isinstance(document.data, dict) else {}
        try:
            return self.cases.append(
                id, version=version, key=key, event=event, at=at, by=by, take=take
            )
        except Changed as error:
            told = f"the case is at version {error.version} by now, not {version}"
            help = "look at it again, and send its version with the event"
            faults = [Diagnostic("W109", document.at(), told, help)]
        except KeyUsed:
            told = "another event was sent to this case with the same key"
            faults = [Diagnostic("W120", document.at(), told, "send each event with its own key")]
        except OrderRejected as error:
            faults = list(error.diagnostics)
        raise self._not_sent(self.cases.get(id), document, faults)

    def _not_sent(
        self, stored: StoredCase, document: Document, faults: list[Diagnostic]
    ) -> NotSent:
        """The refusal of an event, with where the case stands on its day."""
        setting, sent = self._setting(stored), self._sent(stored)
        past = rebuild(setting, stored.entry.opened_on, sent)
        on = document.data.get("on") if isinstance(document.data, dict) else None
        day = read(on, Type("date")) if isinstance(on, str) else None
        day = max(past.state.day, day if isinstance(day, int) else 0)
        state = advance(setting, past.state, day).state
        if past.broken is None and faults[0].code not in _SAY_WHERE:
            first, where = faults[0], whereabouts(setting, state, day)
            notes = (*first.notes, (where.en, None))
            faults[0] = replace(first, notes=notes, said_zh=first.zh + where.zh)
        case: Json = {"id": stored.entry.id, "version": stored.entry.version}
        case |= stand(setting, state, day)
        if past.broken is not None:
            case["possible"] = []
        return NotSent(faults, case)

    def _take(self, stored: StoredCase, ledger: LedgerView, document: Document) -> Taken:
        setting, sent = self._setting(stored), self._sent(stored)
        process = setting.process
        past = rebuild(setting, stored.entry.opened_on, sent)
        if past.broken is not None:
            told = f"the process has changed: it no longer takes event {past.broken[0]}"
            help = "replay the case to see where it stops; open a new one to go on"
            raise OrderRejected([Diagnostic("O413", document.at(), told, help)])
        named = document.data.get("event") if isinstance(document.data, dict) else None
        event = process.events.get(named) if isinstance(named, str) else None
        books = event is not None and any(field.supplied for field in event.fields)
        supplied: dict[str, Value] = {}
        opening = None
        if event is not None and books:
            number, opening = _to_date(setting, ledger, document)
            supplied = {field.name: number for field in event.fields if field.supplied}
        one = read_event(process, document, supplied)
        late = early(setting, past.state, one, document)
        if late is not None:
            raise OrderRejected([late])
        found = step(setting, past.state, one.happening)
        judged_by = self._judged(setting, past.state, one.happening, found, document)
        if isinstance(found, NotTaken):
            raise OrderRejected([refusal(setting, found, one, document)])
        state = found.state
        counts = _counts(process, state)
        return Taken(
            stage=state.stage,
            ended=process.stages[state.stage].end,
            counts=counts,
            supplied=dict(supplied),
            judged_by=judged_by,
            opening=opening,
        )

    def _judged(
        self,
        setting: Setting,
        state: State,
        happening: Happening,
        found: Any,
        document: Document,
    ) -> tuple[str, ...]:
        """Who judged an event. Raises `OrderRejected` where two evaluators disagree."""
        live = self.service.live
        if live is None:
            return ("reference",)
        process = setting.process
        try:
            walked = live.walked(process, setting.order, state, happening)
        except BackendFailure:
            return ("reference",)
        if walked != outline(found):
            self.differs(process.id, happening.event)
            told = f"two evaluators disagree on `{happening.event}` in `{state.stage}`"
            help = "nothing was recorded; those who run the service have to find out why"
            raise OrderRejected([Diagnostic("B900", document.at(), told, help)])
        return ("reference", "live")

    def fork(self, id: str, version: int, *, title: str, at: int, by: str, place: Span) -> str:
        """Begin another course of a case after an event; its id.

        Raises `OrderRejected` where the case has not that many events, or a `StoreError`.
        """
        last = self.cases.get(id).entry.version
        if not 0 <= version <= last:
            told = f"the case has no event of number {version}, its latest is number {last}"
            help = "a fork begins after one of them, or at 0 with the opening"
            raise OrderRejected([Diagnostic("O414", place, told, help)])
        return self.cases.fork(id, version, title=title, at=at, by=by).id

    def without_said(
        self, process: Process | None, facts: Any
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """The facts of an order that events will say, and the order without them."""
        flat_facts = dict(flat(facts, self.book.vocabulary))
        keeps = {} if process is None else process.keeps
        said = tuple(path for path in flat_facts if path in keeps and not keeps[path].stated)
        return said, {path: value for path, value in flat_facts.items() if path not in said}

    # --- what is told ---

    def show(self, id: str, as_of: int | None = None) -> Json:
        """A case as it stands on a day, or with its latest event. Raises a `StoreError`."""
        return self.told(self.cases.get(id), as_of)

    def stood(self, id: str, as_of: int | None = None) -> Stood:
        """Where a case stands on a day, or with its latest event. Raises a `StoreError`."""
        stored = self.cases.get(id)
        setting = self._setting(stored)
        past = rebuild(setting, stored.entry.opened_on, self._sent(stored))
        moved = advance(setting, past.state, max(as_of or 0, past.state.day))
        steps = [*(one for _, one in past.steps), *moved.steps]
        passed = dict.fromkeys(one.before for one in steps if one.before != moved.state.stage)
        return Stood(setting.process, moved.state.stage, moved.state.held, tuple(passed))

    def row(self, entry: CaseEntry) -> Json:
        """What a list tells of a case."""
        return entry_told(self.book, entry)

    def outlook(self, id: str, as_of: int) -> Json:
        """Where a case stands on a day, or with its latest event if that is later, and its clocks.

        For lists: no findings, no history. Raises a `StoreError`, or `OrderRejected`.
        """
        stored = self.cases.get(id)
        setting, sent = self._setting(stored), self._sent(stored)
        past = rebuild(setting, stored.entry.opened_on, sent)
        day = max(as_of, past.state.day)
        state = advance(setting, past.state, day).state
        return stand(setting, state, day) | {"deadlines": clocks(self.book, setting, state, day)}

    def told(self, stored: StoredCase, as_of: int | None = None) -> Json:
        """A stored case as JSON."""
        entry, setting, sent = stored.entry, self._setting(stored), self._sent(stored)
        process = setting.process
        past = rebuild(setting, entry.opened_on, sent)
        day = max([entry.opened_on, *(one.happening.day for one in sent), as_of or 0])
        told = tell(self.book, setting, entry.opened_on, sent, day, past)
        events = stored.events
        for row in told["history"]:
            if row["number"] is not None:
                event = events[row["number"] - 1]
                row |= {"sent_at": moment(event.at), "sent_by": event.by}
                row["judged_by"] = list(event.judged_by)
        return {
            "schema": SCHEMA,
            "id": entry.id,
            "version": entry.version,
            "workspace": entry.workspace,
            "title": entry.title,
            "story": stored.document.get("story", ""),
            "notice": NOTICE.as_json(),
            "process": {
                "id": process.id,
                "title": process.title.as_json(),
                "edition": entry.edition,
                "is_current": entry.edition == self.book.process_editions[process.id],
                "leaves_out": [pair.as_json() for pair in process.leaves_out],
            },
            "customer": entry.customer or None,
            "group": entry.group or None,
            "forked_from": entry.forked_from,
            "forked_at": entry.forked_at,
            "counted": entry.counted,
            "opened_at": moment(entry.created_at),
            "opened_by": entry.created_by,
            **told,
            "facts": write_facts(self.book.vocabulary, setting.order.stated),
            "basis": stored.document.get("basis", {}),
            "decision": self._decision(stored, setting, past.state, day),
            "ledger": self._ledger_of(stored, process, day),
        }

    def _decision(
        self, stored: StoredCase, setting: Setting, state: State, day: int
    ) -> Json | None:
        """The findings so far: the case's order, with what its events have said."""
        process = setting.process
        if not process.judged:
            return None
        state = advance(setting, state, max(day, state.day)).state
        order = order_of(setting, self.book.vocabulary, state)
        facts = dict(order.stated)
        if facts.get(TO_DATE) is None and stored.entry.holder:
            ledger = self.cases.view(stored.entry.id)
            facts[TO_DATE] = ledger.used if ledger.has_book else None
        data = {
            "regime": process.id,
            "facts": write_facts(self.book.vocabulary, facts),
            "basis": stored.document.get("basis"),
        }
        document = Document(data, None, Source("case"))
        evaluator: Evaluator = "both" if self.service.live is not None else "reference"
        return self.service.decide(document, Asked(day), evaluator)

    def _ledger_of(self, stored: StoredCase, process: Process, day: int) -> Json | None:
        if not stored.entry.holder:
            return None
        rows = self.cases.ledger(stored.entry.workspace, stored.entry.holder)
        return book_told(rows[0], process, day) if rows else None

    def ledger(self, workspace: str, process: Process | None, as_of: int) -> list[Json]:
        """Every book of a workspace, with the cap that a process sets, where one is named."""
        return [book_told(row, process, as_of) for row in self.cases.ledger(workspace)]

    def replay(self, id: str) -> Json:
        """Play a case again from its events: what differs from what was recorded then."""
        stored = self.cases.get(id)
        entry, setting, sent = stored.entry, self._setting(stored), self._sent(stored)
        past = rebuild(setting, entry.opened_on, sent)
        after = {number: one.after for number, one in past.steps if number is not None}
        edition = self.book.process_editions[entry.process]
        differs = [
            {"number": event.number, "stored": event.stage, "now": after.get(event.number)}
            for event in stored.events
            if event.stage != after.get(event.number)
        ]
        return {
            "id": entry.id,
            "version": entry.version,
            "edition": {"stored": entry.edition, "now": edition},
            "same": not differs,
            "differences": differs,
        }

    # --- a case as it was stored ---

    def _setting(self, stored: StoredCase) -> Setting:
        process = self.book.processes.get(stored.entry.process)
        if process is None:
            raise _of_earlier("its process is not among the rules")
        document = Document(stored.document["facts"], None, Source("case"))
        try:
            return Setting(process, read_case_order(process, self.book.vocabulary, document))
        except OrderRejected as error:
            raise _of_earlier(f"its order can no longer be read: {error}") from None

    def _sent(self, stored: StoredCase) -> list[Sent]:
        process = self.book.processes[stored.entry.process]
        try:
            return [
                read_event(process, Document(one.event, None, Source("case")), one.supplied)
                for one in stored.events
            ]
        except OrderRejected as error:
            raise _of_earlier(f"its events can no longer be read: {error}") from None

    def standing(self, stored: StoredCase) -> Standing:
        """What the events of a case come to. Raises `ValueError` where one is no longer taken."""
        setting, sent = self._setting(stored), self._sent(stored)
        past = rebuild(setting, stored.entry.opened_on, sent)
        if past.broken is not None:
            raise ValueError(f"event {past.broken[0]} of case {stored.entry.id} is not taken")
        stage = setting.process.stages[past.state.stage]
        return Standing(stage.id, stage.end, _counts(setting.process, past.state))


def _of_earlier(told: str) -> OrderRejected:
    help = "open a new case to go on"
    place = Span(Source("case"))
    told = f"the case was opened under another process: {told}"
    return OrderRejected([Diagnostic("O413", place, told, help)])


def _counts(process: Process, state: State) -> Counts:
    found = {name: state.kept[path] for name, path in process.ledger.items()}
    return Counts(**{name: int(found.get(name) or 0) for name in LEDGER})


def _to_date(setting: Setting, ledger: LedgerView, document: Document) -> tuple[int, int | None]:
    """The chips to date that the ledger fills in, and the opening of a book that begins here."""
    stated = setting.order.stated.get(TO_DATE)
    if not ledger.holder:
        help = "open the case with `customer.id`"
        raise OrderRejected(
            [Diagnostic("O412", document.at(), "the order names no customer to book to", help)]
        )
    if not ledger.has_book:
        opening = stated if isinstance(stated, int) else 0
        return opening, opening
    if stated is not None and stated != ledger.used:
        told = f"the order states {stated} chips to date, the ledger counts {ledger.used}"
        zh = f"订单所填此前累计{stated:,}片，台账为{ledger.used:,}片。"
        help = "open a case that leaves `customer.units_to_date` out, or use another workspace"
        raise OrderRejected([Diagnostic("O411", document.at(), told, help, said_zh=zh)])
    return ledger.used, None
