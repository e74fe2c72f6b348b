"""A decision that is kept can be made again, byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from api.cli import app
from api.service import Asked, Service, read_one
from engine.load import Rulebook
from engine.order import Document, write_facts
from engine.properties import orders

RULES = Path(__file__).parent.parent / "rules"
REGIMES = ("bis-2026", "h200-article", "h200-reported", "section-232-duty")


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(RULES)


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


# What JSON strings may hold as it is, though YAML refuses it or ends a line with it.
RAW = ("\x85", "\u2028", "\u2029", "\x7f", "\x9b", "\ufeff", "\ufffe", "a\x85\u2028\ufeffz", "𠮷")


def _kept(name: str, *, escaped: bool) -> str:
    """An order of a customer of this name, as JSON."""
    order = {"regime": "h200-article", "as_of": "2026-02-01", "facts": {"customer.name": name}}
    return json.dumps(order, ensure_ascii=escaped)


@pytest.mark.parametrize("escaped", [False, True], ids=["raw", "escaped"])
@pytest.mark.parametrize("name", RAW, ids=ascii)
def test_a_name_of_rare_characters_survives_deciding_and_replaying(
    name: str, escaped: bool, service: Service
) -> None:
    read = read_one(_kept(name, escaped=escaped).encode(), "order.json")
    assert isinstance(read, Document)
    decision = service.decide(read, Asked(739_700))
    assert decision["facts"] == {"customer.name": name}
    for ascii_only in (False, True):
        written = json.dumps(decision, ensure_ascii=ascii_only).encode()
        stored = read_one(written, "decision.json")
        assert isinstance(stored, Document)
        again, differences = service.replay(stored, Asked(750_000))
        assert differences == []
        assert again["facts"] == {"customer.name": name}


@pytest.mark.parametrize("escape", [r"\ud842\udfb7", r"\uD842\uDFB7", r"\\\ud842\udfb7", "𠮷"])
def test_a_surrogate_pair_is_one_character(escape: str, service: Service) -> None:
    text = _kept("@", escaped=False).replace("@", escape)
    read = read_one(text.encode(), "order.json")
    assert isinstance(read, Document)
    name = service.decide(read, Asked(739_700))["facts"]["customer.name"]
    assert name == json.loads(f'"{escape}"')


@pytest.fixture
def stored(service: Service) -> dict[str, Any]:
    envelope = {
        "regime": "h200-article",
        "as_of": "2026-02-01",
        "facts": {"item.product": "H200-SXM", "order.quantity": "5"},
    }
    decision = service.decide(Document(envelope), Asked(739_700))
    copied: dict[str, Any] = json.loads(json.dumps(decision))
    return copied


def _without_label(d: dict[str, Any]) -> None:
    del d["label"]


def _without_a_status(d: dict[str, Any]) -> None:
    del d["findings"][0]["status"]


def _with_null(d: dict[str, Any]) -> None:
    d["note"] = None


def _with_null_inside(d: dict[str, Any]) -> None:
    d["findings"][1]["note"] = None


def _null_taken_out(d: dict[str, Any]) -> None:
    del d["remedies"]


def _last_key_first(d: dict[str, Any]) -> None:
    items = list(d.items())
    d.clear()
    d.update([items[-1], *items[:-1]])


def _other_order_inside(d: dict[str, Any]) -> None:
    d["label"] = {"zh": d["label"]["zh"], "en": d["label"]["en"]}


def _facts_in_another_order(d: dict[str, Any]) -> None:
    d["facts"] = dict(reversed(d["facts"].items()))


@pytest.mark.parametrize(
    ("altered", "at"),
    [
        (_without_label, "/label"),
        (_without_a_status, "/findings/0/status"),
        (_with_null, "/note"),
        (_with_null_inside, "/findings/1/note"),
        (_null_taken_out, "/remedies"),
        (_last_key_first, "/"),
        (_other_order_inside, "/label"),
        (_facts_in_another_order, "/facts"),
    ],
)
def test_a_key_more_or_less_or_elsewhere_is_a_difference(
    altered: Callable[[dict[str, Any]], None],
    at: str,
    stored: dict[str, Any],
    service: Service,
    tmp_path: Path,
) -> None:
    altered(stored)
    _, differences = service.replay(Document(stored), Asked(750_000))
    assert [place for place, _, _ in differences] == [at]
    file = tmp_path / "decision.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    done = CliRunner().invoke(app, ["replay", str(file), "--rules", str(RULES)])
    assert done.exit_code == 1
    assert f"  {at}\n" in done.stdout


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("policy_changes", [{"parameter": []}]),
        ("policy_changes", [{"parameter": None}]),
        ("policy_changes", [{"parameter": {"a": 1}, "to": "5"}]),
        ("policy_changes", [{"without": ["no-refund"]}]),
        ("policy_changes", [{}]),
        ("policy_changes", ["cap"]),
        ("policy_changes", {"parameter": "cap"}),
        ("only", [1]),
        ("only", [None]),
        ("only", "kind=duty"),
        ("regime", "h200-article"),
        ("facts", []),
        ("facts", None),
    ],
    ids=str,
)
def test_a_decision_of_another_shape_is_no_stored_decision(
    key: str, value: Any, stored: dict[str, Any], service: Service, tmp_path: Path
) -> None:
    file = tmp_path / "decision.json"
    file.write_text(json.dumps({**stored, key: value}), encoding="utf-8")
    done = CliRunner().invoke(app, ["replay", str(file), "--rules", str(RULES)])
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1
    assert re.findall(r"error ([A-Z][0-9]{3}):", done.stderr) == ["O303"]


def test_half_a_surrogate_pair_in_a_basis_is_told_without_a_traceback(
    stored: dict[str, Any], tmp_path: Path
) -> None:
    stored["basis"]["order.quantity"] = "\ud800"
    file = tmp_path / "decision.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    done = CliRunner().invoke(app, ["replay", str(file), "--rules", str(RULES)])
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1
    assert re.findall(r"error ([A-Z][0-9]{3}):", done.stderr) == ["O004"]


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
