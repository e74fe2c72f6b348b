"""What is done with a case when two evaluators agree, disagree, or one is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from api.casebook import Cases
from api.casework import Casework
from api.fence import Fence
from api.service import Service
from api.store import Store
from engine.concord import Verdict
from engine.decide import Policy
from engine.diagnostics import BackendFailure, Diagnostic, OrderRejected, Source, Span
from engine.ir import Regime
from engine.lifecycle import Happening, Outline, State
from engine.order import Document, Order
from engine.process import Process
from tests.databases import sqlite

ROOT = Path(__file__).parent.parent
FACTS = {
    "item.product": "H200-SXM",
    "order.quantity": "20000",
    "order.unit_price": "27000.00",
    "order.destination": "CN",
    "customer.id": "C-1007",
    "customer.name": "A secret name",
    "customer.group": "A secret house",
}


@dataclass(slots=True)
class Second:
    """A second evaluator that says what it is told to say."""

    says: Outline | None

    def verdict(self, regime: Regime, policy: Policy, order: Order) -> Verdict:
        raise gone()

    def walked(
        self, process: Process, order: Order, state: State, happening: Happening
    ) -> Outline:
        if self.says is None:
            raise gone()
        return self.says


def gone() -> BackendFailure:
    return BackendFailure([Diagnostic("B001", Span(Source("live")), "gone")])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(sqlite(tmp_path / "cases.db"))) as store:
        yield store


@pytest.fixture
def heard() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def work(store: Store, heard: list[tuple[str, str]]) -> Casework:
    service = Service(ROOT / "rules")
    return Casework(service, Cases(store), lambda *said: heard.append(said))


def opened(work: Casework, **more: str) -> str:
    document = Document({"process": "h200-article", "facts": {**FACTS, **more}})
    return work.open(document, today=739_636, at=1, by="lin", key=None).id


def place(work: Casework, id: str) -> dict[str, Any]:
    event = Document({"event": "place", "on": "2026-01-20"})
    appended = work.send(id, event, version=None, key=None, at=2, by="lin")
    told: dict[str, Any] = work.told(appended.case)
    return told


def test_the_reference_goes_on_alone_where_the_other_cannot_be_asked(work: Casework) -> None:
    work.service.live = Second(None)
    told = place(work, opened(work))
    assert told["stage"]["id"] == "placed"
    assert told["history"][0]["judged_by"] == ["reference"]
    assert told["decision"]["engine"]["judged_by"] == ["reference"]
    assert told["decision"]["diagnostics"][0]["code"] == "B001"


@pytest.mark.parametrize(
    "said",
    [
        ("moved", "dropped", False, ((739_636, 1),)),
        ("moved", "placed", True, ((739_636, 0),)),
        ("guard", "draft", False, ()),
    ],
)
def test_an_event_on_which_the_two_disagree_is_not_recorded(
    work: Casework, heard: list[tuple[str, str]], said: Outline
) -> None:
    id = opened(work)
    work.service.live = Second(said)
    with pytest.raises(OrderRejected) as refused:
        place(work, id)
    assert refused.value.diagnostics[0].code == "B900"
    assert heard == [("h200-article", "place")]
    work.service.live = None
    told = work.show(id)
    assert (told["version"], told["stage"]["id"], told["history"]) == (0, "draft", [])


def test_both_agree_on_a_case_and_no_text_reaches_the_library(
    work: Casework, monkeypatch: pytest.MonkeyPatch
) -> None:
    fence = Fence(work.book)
    asked: list[Any] = []
    ask = Fence.ask

    def spied(self: Fence, task: Any, *args: Any) -> Any:
        asked.append(args)
        return ask(self, task, *args)

    monkeypatch.setattr(Fence, "ask", spied)
    work.service.live = fence
    try:
        told = place(work, opened(work))
    finally:
        fence.close()
    assert told["history"][0]["judged_by"] == ["reference", "live"]
    assert told["decision"]["engine"]["judged_by"] == ["reference", "live"]
    assert len(asked) >= 2
    assert "secret" not in repr(asked)


def test_an_order_of_another_house_for_a_known_customer_is_refused(work: Casework) -> None:
    place(work, opened(work))
    with pytest.raises(OrderRejected) as refused:
        opened(work, **{"customer.group": "Another house"})
    assert refused.value.diagnostics[0].code == "O411"


def test_a_customer_who_is_known_takes_the_group_along(work: Casework) -> None:
    place(work, opened(work))
    facts = {name: value for name, value in FACTS.items() if name != "customer.group"}
    document = Document({"process": "h200-article", "facts": facts})
    second = work.open(document, today=739_636, at=3, by="wu", key=None).id
    assert work.show(second)["ledger"]["name"] == "A secret house"
    for _ in range(2):
        place(work, second)
        second = work.open(document, today=739_636, at=3, by="wu", key=None).id
    # Three orders hold 60,000 of the 75,000; a fourth of 20,000 does not fit.
    with pytest.raises(OrderRejected) as refused:
        place(work, second)
    assert refused.value.diagnostics[0].code == "O402"


def test_a_case_whose_process_changed_takes_nothing_more(work: Casework) -> None:
    id = opened(work)
    place(work, id)
    process = work.book.processes["h200-article"]
    narrower = replace(process, transitions=process.transitions[1:])
    work.book.processes["h200-article"] = narrower  # type: ignore[index]
    with pytest.raises(OrderRejected) as refused:
        work.send(
            id,
            Document({"event": "apply", "on": "2026-01-21"}),
            version=None,
            key=None,
            at=4,
            by="lin",
        )
    assert refused.value.diagnostics[0].code == "O413"
    assert work.replay(id)["same"] is False
    assert work.show(id)["broken"] == 1
