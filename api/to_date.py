"""Fill in the chips to date of an order that names a known customer and leaves the number out."""

from __future__ import annotations

from typing import Any

from api.casebook import Cases
from api.casefile import LONGEST_WORKSPACE, holder_of
from api.stories import flat
from engine.diagnostics import Diagnostic, OrderRejected
from engine.findings import iso
from engine.order import Document
from engine.vocabulary import Vocabulary

TO_DATE = "customer.units_to_date"


def filled(cases: Cases, vocabulary: Vocabulary, document: Document, today: int) -> Document:
    """A request without its `workspace`, with the number that the ledger there counts.

    The paper behind the number names the ledger, so that whoever reads the decision knows. Raises
    `OrderRejected` where the workspace is no name.
    """
    data = document.data
    if not isinstance(data, dict) or "workspace" not in data:
        return document
    name = data["workspace"]
    plain = {key: value for key, value in data.items() if key != "workspace"}
    if name is None:
        return Document(plain, document.node, document.source, document.base)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_WORKSPACE:
        told = f"`workspace` is one line of at most {LONGEST_WORKSPACE} characters"
        raise OrderRejected([Diagnostic("W101", document.at("workspace"), told, "")])
    facts = data.get("facts")
    if isinstance(facts, dict):
        number = _counted(cases, dict(flat(facts, vocabulary)), name.strip())
        if number is not None:
            basis = data.get("basis") if isinstance(data.get("basis"), dict) else {}
            paper = {"document": f"ledger of the workspace {name.strip()}", "dated": iso(today)}
            plain["facts"] = {**_without(facts), TO_DATE: str(number)}
            plain["basis"] = {**(basis or {}), TO_DATE: paper}
    return Document(plain, document.node, document.source, document.base)


def _counted(cases: Cases, facts: dict[str, Any], workspace: str) -> int | None:
    """What the book of the order's customer counts, where the order says no number itself."""
    customer, group = facts.get("customer.id"), facts.get("customer.group")
    if facts.get(TO_DATE) is not None or not isinstance(customer, str | None):
        return None
    if group is None and customer:
        group = cases.group_of(workspace, customer)
    holder = holder_of(customer, group if isinstance(group, str) else None)
    rows = cases.ledger(workspace, holder) if holder else ()
    return rows[0].used if rows and rows[0].has_book else None


def _without(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts without an empty number to date, flat or nested."""
    kept = {name: value for name, value in facts.items() if name != TO_DATE}
    customer = kept.get("customer")
    if isinstance(customer, dict):
        kept["customer"] = {k: v for k, v in customer.items() if k != "units_to_date"}
    return kept
