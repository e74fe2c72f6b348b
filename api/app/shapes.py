"""Shapes of what the service gives of scenarios, of the rules and of itself, for `/openapi.json`.

As with decisions, they describe and nothing passes through them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.wire import DecisionWire, DiagnosticWire, Status, Text


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


_MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"


class ScenarioRow(BaseModel):
    """What a list tells of a scenario; those of a draft's version and times only if it is one."""

    id: str
    origin: Literal["draft", "shipped"]
    title: Text
    regime: str | None


class DraftRow(ScenarioRow):
    """What a list tells of a draft."""

    origin: Literal["draft"]
    version: int = Field(ge=1)
    created_at: str = Field(pattern=_MOMENT)
    created_by: str
    updated_at: str = Field(pattern=_MOMENT)
    updated_by: str


class ShippedRow(ScenarioRow):
    """What a list tells of a scenario that is shipped with the rules."""

    origin: Literal["shipped"]
    story: Text
    runs: list[Text]


class ScenarioPage(_Model):
    """Scenarios, and where the next page begins."""

    scenarios: list[DraftRow | ShippedRow]
    next: str | None


class ScenarioWire(ScenarioRow):
    """A scenario with its envelope."""

    scenario: dict[str, Any]


class RunWire(BaseModel):
    """One order of a scenario: what it came to, and what differs from what was expected."""

    title: Text | None
    passed: bool | None = Field(description="null where nothing is expected")
    differences: list[dict[str, str]]
    diagnostics: list[DiagnosticWire]
    decision: DecisionWire | None = None


class Ran(BaseModel):
    """A scenario that was run."""

    passed: bool | None = Field(description="null where nothing is expected")
    runs: list[RunWire]


class RanRow(Ran):
    """One of several scenarios that were run."""

    id: str


class RanAll(_Model):
    """Several scenarios that were run."""

    passed: bool
    scenarios: list[RanRow]


class Span(_Model):
    """Days from the first to the day before `until`."""

    from_: str = Field(alias="from")
    until: str | None


class Counted(_Model):
    """A word of a fixed set, and how many rules have it."""

    code: str
    label: Text
    count: int


class OutcomeWire(_Model):
    """A result that a rule set can come to."""

    status: Status
    code: str
    label: Text
    meaning: Text


class RegimeRow(_Model):
    """A rule set in short."""

    id: str
    title: Text
    summary: Text
    in_force: Span
    dated_by: str
    read_to: str
    digest: str
    edition: str
    outcomes: list[OutcomeWire]
    rule_count: int
    kinds: list[Counted]
    certainties: list[Counted]


class RegimeList(_Model):
    """Every rule set in short."""

    regimes: list[RegimeRow]


class Condition(_Model):
    """A condition: as written, in words, and as a tree of clauses joined by `all` and `any`."""

    code: str
    text: Text
    outline: dict[str, Any]


class RuleWire(BaseModel):
    """A rule of a rule set."""

    id: str
    title: Text
    kind: str
    certainty: str
    due: str
    in_force: Span
    in_force_as_of: bool
    applies: Condition | None
    require: Condition
    parameters: list[dict[str, Any]]
    citations: list[dict[str, Any]]
    examples: list[dict[str, Any]]


class RegimeWire(RegimeRow):
    """A rule set, whole, as it stands on a day."""

    model_config = ConfigDict(extra="allow")

    schema_: Literal["placet.regime/1"] = Field(alias="schema")
    as_of: str
    in_force_as_of: bool
    scope: Condition
    rules: list[RuleWire]
    leaves_out: list[Text]


class FactWire(BaseModel):
    """Something that can be said of an order."""

    path: str
    label: Text
    type: str
    unit: str | None
    codes: str | None
    written: Text
    group: str
    needed_by: dict[str, list[str]]


class CodeWire(_Model):
    """A code with its meaning, and what its table has beside it."""

    code: str
    label: Text
    groups: list[str]
    cells: dict[str, str]


class CodesWire(_Model):
    """A list of codes."""

    name: str
    codes: list[CodeWire]


class VocabularyWire(_Model):
    """Everything that can be said of an order."""

    schema_: Literal["placet.vocabulary/1"] = Field(alias="schema")
    groups: list[dict[str, Any]]
    units: list[dict[str, Any]]
    facts: list[FactWire]
    lists: list[CodesWire]


class FaultWire(_Model):
    """A kind of fault: what it means and how it is mended; both in Chinese, where it has them."""

    code: str
    title: str
    meaning: str
    mend: str
    zh: str


class FaultList(_Model):
    """Every kind of fault."""

    faults: list[FaultWire]


class OrderSchema(BaseModel):
    """A JSON Schema 2020-12."""

    schema_: Literal["https://json-schema.org/draft/2020-12/schema"] = Field(alias="$schema")
    title: str
    type: Literal["object"]


class Alive(_Model):
    """That the process answers."""

    status: Literal["alive"]
    version: str


class Ready(BaseModel):
    """Whether rules and store can be used."""

    status: Literal["ready", "not ready"]
    store: str
    evaluator: Literal["reference", "live", "both"]
    live: Literal["ready", "degraded", "off"]
    fence: dict[str, Any]
