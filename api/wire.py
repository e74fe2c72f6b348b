"""The decision as it leaves the house (`placet.decision/1`), described for those who receive it.

The models describe and validate; the engine makes decisions without them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["met", "unmet", "unknown", "not-applicable"]
Written = str | bool | None
"""Values are text, yes/no a JSON boolean, unknown null."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Text(_Model):
    """A text in both languages."""

    en: str
    zh: str


class RegimeStamp(_Model):
    """Which rules decided, as of which day, and how far their authors read the sources."""

    id: str
    title: Text
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    edition: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    as_of: str
    as_of_from: str
    read_to: str


class ParameterChange(_Model):
    """A parameter that this decision takes otherwise than the regime."""

    parameter: str
    from_: Written = Field(alias="from")
    to: Written
    unit: str | None
    label: Text


class RuleLeftOut(_Model):
    """A rule that this decision leaves out."""

    without: str
    label: Text


class FactRow(_Model):
    """A fact or derived quantity that a finding rests on."""

    fact: str
    value: Written
    unit: str | None
    origin: Literal["order", "catalogue", "derived"] | None
    label: Text
    text: Text | None
    row: str | None = None
    source: str | None = None


class ParameterRow(_Model):
    """A parameter that a finding rests on, with the day from which its value holds."""

    parameter: str
    value: Written
    unit: str | None
    origin: Literal["regime", "policy-change"]
    from_: str | None = Field(alias="from")


class Comparison(_Model):
    """Both sides of a comparison; margin positive is room, 0 the boundary, negative short."""

    left: Written
    op: Literal["<", "<=", ">", ">=", "==", "!=", "in", "not in"]
    right: Written
    margin: str | None
    unit: str | None
    status: Literal["met", "unmet", "unknown"]


class RepairBound(_Model):
    """The one number that would make a failed finding met."""

    fact: str
    op: Literal["<=", ">="]
    to: str
    unit: str | None
    label: Text
    text: Text


class Cited(_Model):
    """A source with its place and words; `en` or `zh` translates the quotation."""

    source: str
    title: Text
    publisher: Text
    date: str
    grade: Literal["primary", "quoted", "reported", "background"]
    address: str | None
    at: str | None = None
    quote: str | None = None
    en: str | None = None
    zh: str | None = None
    says: Text | None = None


class SettledQuestion(_Model):
    """A question that the source leaves open, and how the rule reads it."""

    question: Text
    answer: Text
    certainty: str | None


class FindingWire(_Model):
    """One rule on one order."""

    rule: str
    status: Status
    because: Literal["condition", "not-in-force", "left-out"] | None
    kind: Literal["licence-condition", "procedure", "duty", "seller-term", "import-gate"]
    certainty: Literal["published", "reported", "disputed", "assumed"]
    due: Literal["application", "order", "entry", "shipment", "continuing"]
    title: Text
    text: Text
    evidence: list[FactRow | ParameterRow]
    comparisons: list[Comparison]
    repair: RepairBound | None
    citations: list[Cited]
    settles: list[SettledQuestion]


class MissingFact(_Model):
    """A fact whose answer can still change the outcome."""

    fact: str
    label: Text
    needed_by: list[str]
    due: str
    held_by: str


class Obligation(_Model):
    """Something that an agency attached to its answer."""

    from_: str = Field(alias="from")
    rule: str
    text: Text


class Caution(_Model):
    """Something to bear in mind that decides nothing."""

    rule: str | None
    text: Text


class Figure(_Model):
    """A derived amount."""

    name: str
    value: Written
    unit: str | None
    label: Text
    text: Text | None


class EngineStamp(_Model):
    """Which engine decided, and which evaluators agreed."""

    version: str
    judged_by: list[str]


class DecisionWire(_Model):
    """A decision: outcome, findings, what is missing, and where it all comes from."""

    schema_: Literal["placet.decision/1"] = Field(alias="schema")
    outcome: str
    status: Status
    regime: RegimeStamp
    hypothetical_policy: bool
    policy_changes: list[ParameterChange | RuleLeftOut]
    only: list[str]
    label: Text
    meaning: Text
    notice: Text
    summary: Text
    findings: list[FindingWire]
    missing: list[MissingFact]
    remedies: None
    by_kind: dict[str, Status]
    obligations: list[Obligation]
    cautions: list[Caution]
    leaves_out: list[Text]
    figures: list[Figure]
    facts: dict[str, str | bool]
    basis: dict[str, Any]
    diagnostics: list[dict[str, Any]]
    engine: EngineStamp


def decision_schema() -> dict[str, Any]:
    """The JSON Schema of a decision."""
    return DecisionWire.model_json_schema(by_alias=True)


class Decisions(_Model):
    """One order under several rule sets, in the order in which they were named."""

    schema_: Literal["placet.decisions/1"] = Field(alias="schema")
    decisions: list[DecisionWire]


class Noted(BaseModel):
    """Something that a fault adds, with its place where it has one."""

    text: str


class DiagnosticWire(BaseModel):
    """A fault: what is wrong, where, and what to do."""

    code: str = Field(pattern=r"^[RVOBW][0-9]{3}$")
    severity: Literal["error", "warning"]
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    pointer: str = ""
    message: str
    help: str
    zh: str = Field("", description="What is wrong and what to do in Chinese: families O and W.")
    notes: list[Noted]


class Rejection(_Model):
    """A line of a stream that could not be decided, in the place of its decision."""

    schema_: Literal["placet.rejection/1"] = Field(alias="schema")
    input: str
    diagnostics: list[DiagnosticWire]


class Problem(_Model):
    """A problem document (RFC 9457): every fault of a request at once."""

    type: str = Field(description="Address that explains the first fault.")
    title: str
    status: int
    detail: str
    diagnostics: list[DiagnosticWire] = Field(min_length=1)


class Checked(_Model):
    """Whether a draft of rules is sound, and every fault and warning."""

    sound: bool
    diagnostics: list[DiagnosticWire]


class SweptAxis(BaseModel):
    """An axis with its values in the order of the cells; it varies a fact or a parameter."""

    fact: str | None = None
    parameter: str | None = None
    label: Text
    unit: str | None
    type: str
    values: list[Written]


class CountedOutcome(_Model):
    """An outcome of the rule set, and in how many cells it comes out."""

    code: str
    status: Status
    label: Text
    count: int


class CountedRule(_Model):
    """A rule, and in how many cells it fails, waits, or is the only one that fails."""

    rule: str
    title: Text
    kind: str
    unmet: int
    unknown: int
    alone: int


class Reason(_Model):
    """Which rules fail and which wait, by number; cells point here."""

    unmet: list[int]
    unknown: list[int]
    scope: Status


class Flip(_Model):
    """Two neighbouring values of an axis between which the answer or its reasons change."""

    axis: int
    at: int | None
    below: str
    above: str
    from_: int = Field(alias="from")
    to: int
    rules: list[int]


class SweepWire(BaseModel):
    """An order in every cell of one or two axes; with two, the first runs fastest."""

    schema_: Literal["placet.sweep/1"] = Field(alias="schema")
    regime: dict[str, Any]
    only: list[str]
    hypothetical_policy: bool
    policy_changes: list[ParameterChange | RuleLeftOut]
    notice: Text
    axes: list[SweptAxis]
    outcomes: list[CountedOutcome]
    rules: list[CountedRule]
    reasons: list[Reason]
    outcome_of: list[int]
    reason_of: list[int]
    flips: list[Flip]
    flips_complete: bool
    exact: bool
    cells: int
