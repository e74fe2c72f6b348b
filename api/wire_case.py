"""Cases, processes and books as they leave the house, described for those who receive them.

As with decisions, the models describe and validate; nothing passes through them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.wire import Cited, DecisionWire, Problem, Text, Written

Certainty = Literal["published", "reported", "disputed", "assumed"]
_MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"
_DAY = r"^\d{4}-\d{2}-\d{2}$"
_EDITION = r"^sha256:[0-9a-f]{64}$"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Code(_Model):
    """A code that a field can hold."""

    code: str
    label: Text


class FieldWire(_Model):
    """What an event tells: a field to fill in."""

    name: str
    label: Text
    type: str
    unit: str | None
    unit_label: Text | None
    min: Written
    max: Written
    codes: list[Code]
    optional: bool


class StageWire(_Model):
    """Where a case can be; in one that is an end nothing happens any more."""

    id: str
    title: Text | None
    end: bool


class StageOfProcess(StageWire):
    """A stage as its process has it."""

    title: Text


# --- cases ---


class Possible(_Model):
    """An event that the stage takes; one that is `refused` only goes on record."""

    event: str
    title: Text
    refused: bool


class PossibleWire(Possible):
    """An event that the stage takes, with what it has to tell."""

    by: str
    by_label: Text
    fields: list[FieldWire]


class CaseStand(_Model):
    """Where a case stands that did not take an event; its history is as it was."""

    id: str
    version: int
    as_of: str
    stage: StageWire
    held: bool
    possible: list[Possible]


class CaseProblem(Problem):
    """A problem document of a request about a case."""

    case: CaseStand | None = None


class CaseRow(_Model):
    """What a list tells of a case: its stage is where its latest event has left it."""

    id: str
    version: int = Field(ge=0, description="How many events it has.")
    workspace: str
    title: str
    process: str
    stage: StageWire
    customer: str | None
    group: str | None
    counted: bool = Field(description="Whether it stands in a book: forks do not.")
    forked_from: str | None
    forked_at: int | None
    opened_on: str = Field(pattern=_DAY)
    opened_at: str = Field(pattern=_MOMENT)
    opened_by: str
    updated_at: str = Field(pattern=_MOMENT)


class CasePage(_Model):
    """Cases, and where the next page begins."""

    cases: list[CaseRow]
    next: str | None


class CaseProcess(_Model):
    """The process of a case, and whether it is still as it was when the case was opened."""

    id: str
    title: Text
    edition: str = Field(pattern=_EDITION)
    is_current: bool
    leaves_out: list[Text]


class DeadlineWire(_Model):
    """A running clock: days that count so far, and the last day that is in time."""

    clock: str
    title: Text
    since: str
    days: int | None
    counted: int
    last: str | None = Field(description="null while it stands still, or its date is unknown")
    stopped: bool
    over: bool
    exceeded: Text
    certainty: Certainty
    citations: list[Cited]


class CaseFigure(_Model):
    """An amount of a case; an exposure is what is at stake."""

    name: str
    label: Text
    value: Written
    unit: str | None
    text: Text | None
    exposure: bool


class KeptWire(_Model):
    """What the events of a case have said so far; where not `told`, what it starts with."""

    fact: str
    label: Text
    value: Written
    text: Text | None
    told: bool


class ToldField(_Model):
    """What an event told."""

    name: str
    label: Text
    value: Written
    text: Text | None


class PastWire(_Model):
    """What an event did, or the end of a clock, which has no number and nobody sent."""

    number: int | None
    on: str
    event: str | None
    clock: str | None
    title: Text
    by: str | None
    fields: list[ToldField]
    note: str
    before: str
    after: str
    held: bool
    refused: str | None = Field(description="The rule that stands against what was asked.")
    refused_title: Text | None
    says: Text
    certainty: Certainty
    citations: list[Cited]
    sent_at: str | None = None
    sent_by: str | None = None
    judged_by: list[str] | None = None


class Share(_Model):
    """What the cases of one customer hold in a book."""

    name: str
    reserved: int
    licensed: int
    shipped: int
    returned: int
    used: int
    cases: int


class BookWire(_Model):
    """The book of a group, or of a customer who has none: what counts, and what remains."""

    of: Literal["group", "customer"]
    name: str
    begun: bool
    opening: int
    reserved: int
    licensed: int
    shipped: int
    returned: int
    used: int
    cap: int | None
    remaining: int | None
    customers: list[Share]
    cases: int


class CaseWire(BaseModel):
    """A case as it stands on a day: everything is made again from its events."""

    schema_: Literal["placet.case/1"] = Field(alias="schema")
    id: str
    version: int = Field(ge=0, description="How many events it has.")
    workspace: str
    title: str
    story: str
    notice: Text
    process: CaseProcess
    customer: str | None
    group: str | None
    forked_from: str | None
    forked_at: int | None
    counted: bool
    opened_at: str = Field(pattern=_MOMENT)
    opened_by: str
    as_of: str
    opened_on: str
    stage: StageOfProcess
    held: bool
    held_since: str | None
    possible: list[PossibleWire]
    deadlines: list[DeadlineWire]
    exposure: list[CaseFigure]
    figures: list[CaseFigure]
    kept: list[KeptWire]
    counts: dict[str, int | None]
    history: list[PastWire]
    spans: dict[str, Any]
    broken: int | None = Field(description="The event that the process no longer takes.")
    facts: dict[str, str | bool]
    basis: dict[str, Any]
    decision: DecisionWire | None
    ledger: BookWire | None


class LedgerWire(_Model):
    """The books of a workspace."""

    workspace: str
    process: str | None
    books: list[BookWire]


class Replayed(_Model):
    """A case that was played again."""

    id: str
    version: int
    edition: dict[Literal["stored", "now"], str]
    same: bool
    differences: list[dict[str, Any]]


# --- processes ---


class InForce(_Model):
    """Days from the first to the day before `until`."""

    from_: str = Field(alias="from")
    until: str | None


class Said(_Model):
    """A condition or an amount: as written, and in words."""

    code: str
    text: Text


class _ProcessHead(_Model):
    id: str
    title: Text
    summary: Text
    in_force: InForce
    read_to: str
    edition: str = Field(pattern=_EDITION)
    start: str
    regime: str | None = Field(description="The rule set that decides its orders, if one does.")
    sources: list[str]
    leaves_out: list[Text]


class ProcessRow(_ProcessHead):
    """A process in short."""

    stages: list[str]
    events: list[str]


class ProcessList(_Model):
    """Every process in short."""

    processes: list[ProcessRow]


class EventWire(_Model):
    """A kind of event: who sends it, what it tells, and what of it the books fill in."""

    id: str
    title: Text
    by: str
    by_label: Text
    fields: list[FieldWire]
    from_ledger: list[str]


class Sets(Said):
    """What a transition puts into a kept fact."""

    fact: str
    label: Text


class TransitionWire(_Model):
    """What an event, or the end of a clock, does in some stages; without `to` the case stays."""

    number: int
    from_: list[str] = Field(alias="from")
    on: str | None
    after: str | None
    when: Said | None
    to: str | None
    sets: list[Sets]
    refuses: str | None
    hold: Literal["begin", "end"] | None
    held: Literal["no", "also", "only"]
    says: Text
    otherwise: Text | None
    certainty: Certainty
    certainty_label: Text
    citations: list[Cited]


class ClockWire(_Model):
    """Calendar days that are counted in some stages, or until a date."""

    id: str
    title: Text
    days: int | None
    until: str | None
    runs: list[str]
    pauses: list[str]
    holdable: bool
    starts_at: str | None
    exceeded: Text
    certainty: Certainty
    certainty_label: Text
    citations: list[Cited]


class TotalWire(_Model):
    """Clocks whose days add up to those of another."""

    title: Text
    parts: list[str]
    equals: str
    days: int | None


class KeepsWire(_Model):
    """A fact that events say; one that is `stated` may stand in the order too."""

    fact: str
    label: Text
    type: str
    unit: str | None
    starts: Written
    stated: bool


class FigureOfProcess(_Model):
    """An amount that is told of a case."""

    name: str
    label: Text
    type: str
    unit: str | None
    exposure: bool
    value: Said


class DatedValue(_Model):
    """A value with the day from which it holds."""

    from_: str = Field(alias="from")
    value: Written
    text: Text | None


class ParameterOfProcess(_Model):
    """A parameter on which a process rests."""

    name: str
    label: Text
    type: str
    unit: str | None
    values: list[DatedValue]


class ProcessWire(_ProcessHead):
    """A process, whole."""

    schema_: Literal["placet.process/1"] = Field(alias="schema")
    stages: list[StageOfProcess]
    events: list[EventWire]
    transitions: list[TransitionWire]
    clocks: list[ClockWire]
    totals: list[TotalWire]
    keeps: list[KeepsWire]
    figures: list[FigureOfProcess]
    parameters: list[ParameterOfProcess]
    ledger: dict[str, str | None] | None
