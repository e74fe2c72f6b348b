"""Hold the verdict of a second evaluator against the reference: what a decision may then say.

Nothing here judges. Where the two disagree, nothing passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from engine.diagnostics import Diagnostic, Source, Span
from engine.generate import Because, Finding, Judgement, Truth
from engine.ir import Pair, Regime, Status
from engine.words import STATUS

Evaluator = Literal["reference", "live", "both"]

LABEL = Pair("Cannot be decided: two evaluators disagree", "两个判定程序的结果不一致，暂不能判定")
MEANING = Pair(
    "Every order is judged twice, by two programs. On this one they disagree, so that nothing is "
    "decided. The order is not at fault; those who run the service have to find out why.",
    "每份订单由两个程序分别判定；本单结果不一致，故不作判定。原因不在订单，须由系统管理人查明。",
)
ALONE = Pair(
    "Judged once: the second evaluator could not be asked.",
    "仅由参照程序判定：另一判定程序当时无法使用。",
)


class Verdict(NamedTuple):
    """What an evaluator finds: the order as a whole, the scope, and every rule in rule order."""

    status: Status
    scope: Truth
    statuses: tuple[Status, ...]


@dataclass(frozen=True, slots=True)
class Concord:
    """A judgement that a decision may state, by whom it was made, and where two did not agree.

    `split` holds by its rule's id each finding on which they differ, with what live finds; it may
    be empty although they disagree, where only the outcome differs.
    """

    judgement: Judgement
    judged_by: tuple[str, ...]
    disagree: bool
    split: Mapping[str, tuple[Finding, Status]]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_alone(self) -> bool:
        """Whether the reference stands alone though a second evaluator was to judge too."""
        return bool(self.diagnostics) and not self.disagree


def weigh(
    regime: Regime, judgement: Judgement, evaluator: Evaluator, verdict: Verdict | None
) -> Concord:
    """What is stated of an order that the reference judged so, and live, where it was heard, so.

    With `both` and no verdict the reference stands alone, and says so.
    """
    if evaluator == "reference":
        return Concord(judgement, ("reference",), False, {}, ())
    if verdict is None:
        return Concord(judgement, ("reference",), False, {}, (_alone(),))
    judged_by = ("live",) if evaluator == "live" else ("reference", "live")
    if len(verdict.statuses) != len(judgement.findings):
        raise ValueError("a verdict of other rules")
    split = {
        finding.rule.id: (finding, status)
        for finding, status in zip(judgement.findings, verdict.statuses, strict=True)
        if finding.status != status
    }
    same = (judgement.status, judgement.scope) == (verdict.status, verdict.scope)
    if same and not split:
        return Concord(judgement, judged_by, False, {}, ())
    if evaluator == "live":
        stated = verdict
    else:
        statuses = tuple("unknown" if f.rule.id in split else f.status for f in judgement.findings)
        stated = Verdict("unknown", judgement.scope, statuses)
    return Concord(
        _judgement(judgement, stated),
        judged_by,
        True,
        split,
        tuple(_told(regime, judgement, verdict, split, evaluator)),
    )


def sentence_of(finding: Finding, live: Status) -> Pair:
    """What is said of a condition on which the two differ."""
    a, b = STATUS[finding.status], STATUS[live]
    return Pair(
        f"The two evaluators disagree: the reference says “{a.en}”, live says “{b.en}”.",
        f"两个判定程序的结果不一致：参照程序判为“{a.zh}”，另一程序判为“{b.zh}”。",
    )


def asked_of_stored(stored: Any) -> tuple[Evaluator, bool]:
    """By which evaluators a stored decision was to be judged, and whether live was not heard."""
    data = stored if isinstance(stored, dict) else {}
    engine, told = data.get("engine"), data.get("diagnostics")
    names = engine.get("judged_by") if isinstance(engine, dict) else None
    faults = told if isinstance(told, list) else []
    if names == ["reference"]:
        alone = any(isinstance(one, dict) and one.get("code") == "B001" for one in faults)
        return ("both", True) if alone else ("reference", False)
    if names == ["live"]:
        return "live", False
    return "both" if names == ["reference", "live"] else "reference", False


def rules_apart(diagnostics: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """The rules on which evaluators disagreed, from the diagnostics of a decision, if they did.

    There is none where only the outcome differs.
    """
    found = [told["file"] for told in diagnostics if told["code"] == "B900"]
    return [file.partition("/")[2] for file in found if "/" in file] if found else None


def _judgement(judgement: Judgement, stated: Verdict) -> Judgement:
    findings = []
    for finding, status in zip(judgement.findings, stated.statuses, strict=True):
        if finding.status != status:
            because: Because | None = "condition" if status == "not-applicable" else None
            finding = finding._replace(status=status, because=because)
        findings.append(finding)
    return Judgement(stated.status, stated.scope, tuple(findings))


def _told(
    regime: Regime,
    judgement: Judgement,
    verdict: Verdict,
    split: Mapping[str, tuple[Finding, Status]],
    evaluator: Evaluator,
) -> Iterator[Diagnostic]:
    """One fault per rule, placed at its id, which is the same wherever the rules lie."""
    severity: Literal["error", "warning"] = "error" if evaluator == "both" else "warning"
    pairs = {f"{regime.id}/{id}": (f.status, live) for id, (f, live) in split.items()}
    if not pairs:
        pairs[regime.id] = (judgement.status, verdict.status)
    for place, (reference, live) in pairs.items():
        yield Diagnostic(
            "B900",
            Span(Source(place)),
            f"the evaluators disagree: reference `{reference}`, live `{live}`",
            "report it with the order; until then take this decision as not made",
            severity=severity,
        )


def _alone() -> Diagnostic:
    return Diagnostic(
        "B001",
        Span(Source("live")),
        "the live evaluator could not be asked; the reference judged alone",
        "decide again once `/readyz` says that it is ready",
        severity="warning",
    )
