"""A decision that is kept can be made again, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.service import Asked, Service
from engine.load import Rulebook
from engine.order import Document, write_facts
from engine.properties import orders

REGIMES = ("bis-2026", "h200-article", "h200-reported", "section-232-duty")


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(Path(__file__).parent.parent / "rules")


@pytest.fixture(scope="module")
def drawn(rulebook: Rulebook) -> Any:
    return {r: orders(rulebook, r) for r in REGIMES}


@given(data=st.data())
def test_a_stored_decision_is_made_again_byte_for_byte(
    rulebook: Rulebook, service: Service, drawn: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(REGIMES))
    regime = rulebook.regimes[name]
    order = data.draw(drawn[name])
    envelope: dict[str, Any] = {
        "regime": name,
        "facts": write_facts(rulebook.vocabulary, order.stated),
    }
    if data.draw(st.booleans()):
        envelope["as_of"] = data.draw(st.sampled_from(("2025-12-08", "2026-02-01", "2026-12-31")))
    if data.draw(st.booleans()) and "cap" in regime.parameters:
        envelope["parameters"] = {"cap": data.draw(st.integers(0, 10**6))}
    some = st.lists(st.sampled_from([r.id for r in regime.rules]), max_size=2, unique=True)
    envelope["without"] = data.draw(some)
    if order.stated:
        envelope["basis"] = {next(iter(order.stated)): "合同 <b>7</b>"}
    only = data.draw(st.sampled_from(((), ("kind=seller-term",), ("certainty>=reported",))))
    decision = service.decide(Document(envelope), Asked(739_700, only=only))
    kept = json.dumps(decision, ensure_ascii=False)
    again, differences = service.replay(Document(json.loads(kept)), Asked(750_000))
    assert differences == []
    assert json.dumps(again, ensure_ascii=False) == kept


def test_a_stored_decision_that_was_altered_shows_where(service: Service) -> None:
    envelope = {"regime": "h200-article", "as_of": "2026-02-01", "facts": {}}
    decision = service.decide(Document(envelope), Asked(739_700))
    altered = json.loads(json.dumps(decision))
    altered["outcome"] = "approve"
    altered["findings"][0]["status"] = "met"
    _, differences = service.replay(Document(altered), Asked(739_700))
    assert differences == [
        ("/outcome", "approve", "incomplete"),
        ("/findings/0/status", "met", "unknown"),
    ]
