"""Who judges an order: the reference, the live evaluator, or both; where they differ nothing passes."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from api import disagreements
from api.cli import app
from api.fence import Fence
from api.service import Asked, Service, read_document
from api.settings import Serving, serving
from api.wire import DecisionWire
from engine.concord import Verdict
from engine.decide import Decision, Policy, prepare
from engine.diagnostics import BackendFailure, Diagnostic, Source, Span
from engine.evaluate import judge
from engine.generate import Truth
from engine.ir import Regime, Status
from engine.lifecycle import Outline
from engine.load import Rulebook
from engine.order import Document, Order
from engine.scenario import read_scenario
from tests.serving import ROOT, service

RULES = ROOT / "rules"
ASKED = Asked(739_700)
STATUSES: tuple[Status, ...] = ("met", "unmet", "unknown", "not-applicable")
ALL_MET = "scenarios/h200-article/last-twenty-thousand.yaml"


class Planted:
    """A second evaluator that finds what the reference finds, but for what a test plants."""

    def __init__(self, book: Rulebook, **statuses: Status) -> None:
        self.book = book
        self.statuses = {id.replace("_", "-"): status for id, status in statuses.items()}
        self.outcome: Status | None = None
        self.scope: Truth | str = "as it is"
        self.asked = 0
        self.is_down = False

    def verdict(self, regime: Regime, policy: Policy, order: Order) -> Verdict:
        self.asked += 1
        if self.is_down:
            raise BackendFailure([Diagnostic("B001", Span(Source("live")), "it is down")])
        found = judge(prepare(self.book, regime, policy), order.values)
        statuses = [self.statuses.get(f.rule.id, f.status) for f in found.findings]
        scope = found.scope if isinstance(self.scope, str) else self.scope
        return Verdict(self.outcome or found.status, scope, tuple(statuses))

    def walked(self, *_: object) -> Outline:
        raise NotImplementedError


@pytest.fixture
def planted(rulebook: Rulebook) -> Planted:
    """A second evaluator that finds the cap not met, whatever the order."""
    return Planted(rulebook, customer_cap="unmet")


@pytest.fixture
def doubted(rulebook: Rulebook, planted: Planted) -> Service:
    return Service(RULES, {"": rulebook}, live=planted)


def order(quantity: int = 20_000) -> Document:
    """An order of a marked customer; one of 20,000 chips meets every condition."""
    data = read_document(ROOT / ALL_MET).data
    facts = {part: dict(told) for part, told in data["facts"].items()}
    facts["customer"]["name"] = "Marked Customer"
    facts["order"]["quantity"] = quantity
    basis = {"customer.name": {"document": "Marked contract"}}
    return Document(
        {"regime": data["regime"], "as_of": data["as_of"], "facts": facts, "basis": basis}
    )


# --- both agree ---


@pytest.fixture(scope="module")
def fenced(rulebook: Rulebook) -> Iterator[Service]:
    """A service with the live evaluator behind its fence."""
    fence = Fence(rulebook)
    yield Service(RULES, {"": rulebook}, live=fence)
    fence.close()


ORDERS = [
    path
    for path in sorted((ROOT / "scenarios").rglob("*.yaml"))
    if "\nregime:" in path.read_text("utf-8")
]
"""The scenarios of orders; stories of cases name a process."""


@pytest.mark.parametrize("path", ORDERS, ids=lambda path: path.stem)
def test_both_evaluators_agree_on_every_scenario_and_say_so(fenced: Service, path: Path) -> None:
    for run in read_scenario(read_document(path)).runs:
        asked = Asked(739_700, changes=run.changes)
        alone = fenced.decide(run.document, asked)
        assert alone["engine"]["judged_by"] == ["reference"]
        for evaluator, judged_by in (("both", ["reference", "live"]), ("live", ["live"])):
            found = fenced.decide(run.document, asked, evaluator)  # type: ignore[arg-type]
            assert found["engine"].pop("judged_by") == judged_by
            assert found == {**alone, "engine": {"version": alone["engine"]["version"]}}


@pytest.mark.parametrize("evaluator", ["live", "both"])
def test_a_changed_policy_and_a_selection_are_judged_by_both(
    fenced: Service, evaluator: Any
) -> None:
    asked = Asked(739_700, parameters={"cap": "100"}, only=("kind=licence-condition",))
    here, there = fenced.decide(order(), asked), fenced.decide(order(), asked, evaluator)
    assert here["status"] == there["status"] == "unmet"
    assert there["diagnostics"] == []
    assert here["findings"] == there["findings"]


# --- the two differ ---


def test_where_evaluators_differ_nothing_is_decided(doubted: Service) -> None:
    assert doubted.decide(order(), ASKED)["outcome"] == "approve"
    found = doubted.decide(order(), ASKED, "both")
    assert (found["outcome"], found["status"]) == ("incomplete", "unknown")
    assert found["engine"]["judged_by"] == ["reference", "live"]
    (told,) = found["diagnostics"]
    assert (told["code"], told["severity"]) == ("B900", "error")
    assert told["file"] == "h200-article/customer-cap"
    assert told["message"] == "the evaluators disagree: reference `met`, live `unmet`"
    (cap,) = (f for f in found["findings"] if f["rule"] == "customer-cap")
    assert cap["status"] == "unknown"
    assert cap["text"]["en"] == (
        "The two evaluators disagree: the reference says “met”, live says “not met”."
    )
    assert cap["text"]["zh"] == (
        "两个判定程序的结果不一致：参照程序判为“符合”，另一程序判为“不符合”。"
    )
    assert cap["repair"] is None
    others = {f["status"] for f in found["findings"] if f["rule"] != "customer-cap"}
    assert others == {"met"}
    assert found["by_kind"]["licence-condition"] == "unknown"
    assert found["summary"]["en"] == (
        "Cannot be decided: two evaluators disagree. The two evaluators differ on 1 condition: "
        "Cap per customer."
    )
    assert found["summary"]["zh"] == (
        "两个判定程序的结果不一致，暂不能判定。两个程序对一项条件的判断不同（单一客户累计数量上限）。"
    )
    # No fact decides it.
    assert found["missing"] == []
    assert "disagree" in found["meaning"]["en"]
    DecisionWire.model_validate_json(json.dumps(found))


@given(data=st.data())
def test_whatever_a_second_evaluator_finds_only_agreement_decides(
    rulebook: Rulebook, data: st.DataObject
) -> None:
    regime = rulebook.regimes["h200-article"]
    second = Planted(rulebook)
    one = st.sampled_from(STATUSES)
    second.statuses = {
        rule.id: data.draw(one) for rule in regime.rules if data.draw(st.booleans())
    }
    second.outcome = data.draw(st.none() | one)
    second.scope = data.draw(st.sampled_from((True, False, None, "as it is")))
    service = Service(RULES, {"": rulebook}, live=second)
    stated = order(data.draw(st.integers(1, 100_000)))
    alone, both = service.decide(stated, ASKED), service.decide(stated, ASKED, "both")
    if both["diagnostics"]:
        assert (both["status"], both["outcome"]) == ("unknown", "incomplete")
        differ = {f["rule"] for f in both["findings"] if f["status"] == "unknown"}
        told = {d["file"].partition("/")[2] for d in both["diagnostics"]} - {""}
        assert told <= differ
    else:
        assert {**both, "engine": 0} == {**alone, "engine": 0}
    live = service.decide(stated, ASKED, "live")
    DecisionWire.model_validate_json(json.dumps(both))
    DecisionWire.model_validate_json(json.dumps(live))
    # What was told of an order on which they differ is told of no other one.
    assert service.decide(stated, ASKED) == alone


@pytest.mark.parametrize("part", ["outcome", "scope"])
def test_evaluators_that_agree_on_every_rule_may_differ_on_the_whole(
    rulebook: Rulebook, planted: Planted, doubted: Service, part: str
) -> None:
    planted.statuses = {}
    planted.outcome = "unmet" if part == "outcome" else None
    planted.scope = None if part == "scope" else "as it is"
    found = doubted.decide(order(), ASKED, "both")
    assert (found["outcome"], found["status"]) == ("incomplete", "unknown")
    assert [d["file"] for d in found["diagnostics"]] == ["h200-article"]
    assert "the outcome alone" in found["summary"]["en"]
    assert {f["status"] for f in found["findings"]} == {"met"}


def test_with_live_the_statuses_are_its_own_and_a_difference_is_told(doubted: Service) -> None:
    doubted.live.outcome = "unmet"  # type: ignore[union-attr]
    found = doubted.decide(order(), ASKED, "live")
    assert (found["outcome"], found["status"]) == ("deny", "unmet")
    assert found["engine"]["judged_by"] == ["live"]
    (told,) = found["diagnostics"]
    assert (told["code"], told["severity"]) == ("B900", "warning")
    (cap,) = (f for f in found["findings"] if f["rule"] == "customer-cap")
    assert cap["status"] == "unmet"
    assert "disagree" in cap["text"]["en"]
    assert found["label"]["en"] == "Conditions not met"
    assert "differ on 1 condition" in found["summary"]["en"]


def test_a_changed_policy_is_named_where_evaluators_differ(doubted: Service) -> None:
    asked = Asked(739_700, parameters={"cap": "100000"})
    found = doubted.decide(order(), asked, "both")
    assert found["hypothetical_policy"]
    assert "Hypothetical rules: cap 100,000 instead of 75,000." in found["summary"]["en"]


# --- live cannot be asked ---


@pytest.mark.parametrize("why", ["it is down", "there is none"])
def test_the_reference_goes_on_alone_and_says_so(
    rulebook: Rulebook, planted: Planted, why: str
) -> None:
    planted.is_down = True
    service = Service(RULES, {"": rulebook}, live=planted if why == "it is down" else None)
    found, alone = service.decide(order(), ASKED, "both"), service.decide(order(), ASKED)
    assert found["outcome"] == alone["outcome"] == "approve"
    assert found["engine"]["judged_by"] == ["reference"]
    (told,) = found["diagnostics"]
    assert (told["code"], told["severity"]) == ("B001", "warning")
    # People read it too, wherever a decision is shown.
    assert found["cautions"][-1] == {
        "rule": None,
        "text": {
            "en": "Judged once: the second evaluator could not be asked.",
            "zh": "仅由参照程序判定：另一判定程序当时无法使用。",
        },
    }
    assert found["cautions"][:-1] == alone["cautions"]
    DecisionWire.model_validate_json(json.dumps(found))
    with pytest.raises(BackendFailure):
        service.decide(order(), ASKED, "live")


# --- a stored decision is made again ---


@pytest.mark.parametrize("evaluator", ["reference", "live", "both"])
def test_a_decision_is_made_again_by_the_evaluators_that_it_names(
    fenced: Service, evaluator: Any
) -> None:
    kept = json.dumps(fenced.decide(order(), ASKED, evaluator), ensure_ascii=False)
    again, differences = fenced.replay(Document(json.loads(kept)), Asked(750_000))
    assert differences == []
    assert json.dumps(again, ensure_ascii=False) == kept


def test_what_the_reference_judged_alone_is_judged_by_it_alone_again(
    planted: Planted, doubted: Service
) -> None:
    planted.is_down = True
    kept = json.dumps(doubted.decide(order(), ASKED, "both"), ensure_ascii=False)
    planted.is_down, planted.asked = False, 0
    again, differences = doubted.replay(Document(json.loads(kept)), Asked(750_000))
    assert differences == []
    assert json.dumps(again, ensure_ascii=False) == kept
    assert planted.asked == 0


def test_a_disagreement_that_is_over_shows_as_a_difference(
    planted: Planted, doubted: Service
) -> None:
    kept = json.loads(json.dumps(doubted.decide(order(), ASKED, "both")))
    assert doubted.replay(Document(kept), ASKED)[1] == []
    planted.statuses = {}
    again, differences = doubted.replay(Document(kept), ASKED)
    assert again["outcome"] == "approve"
    assert ("/outcome", "incomplete", "approve") in differences


@pytest.mark.parametrize("names", [None, [], "live", ["live", "reference"], [["live"]], [7]])
def test_a_decision_that_names_no_evaluators_of_ours_is_judged_by_the_reference(
    planted: Planted, doubted: Service, names: Any
) -> None:
    kept = json.loads(json.dumps(doubted.decide(order(), ASKED)))
    kept["engine"]["judged_by"] = names
    again, differences = doubted.replay(Document(kept), ASKED)
    assert again["engine"]["judged_by"] == ["reference"]
    assert differences
    assert planted.asked == 0


# --- an order is kept ---


def kept_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def test_the_order_of_a_disagreement_is_kept_without_its_texts_and_papers(
    rulebook: Rulebook, doubted: Service, tmp_path: Path
) -> None:
    folder = tmp_path / "made" / "kept"
    decision = doubted.decide(order(), ASKED, "both")
    assert decision["facts"]["customer.name"] == "Marked Customer"
    written = disagreements.keep(folder, rulebook.vocabulary, decision)
    assert written is not None
    assert kept_in(folder) == [written]
    text = written.read_text("utf-8")
    assert "Marked" not in text
    assert "basis" not in text
    assert "# h200-article/customer-cap: the evaluators disagree" in text
    assert decision["regime"]["digest"] in text
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    # It is an order like any other, and shows the same again.
    again = doubted.decide(read_document(written), ASKED, "both")
    assert again["diagnostics"] == decision["diagnostics"]
    texts = {"customer.name", "customer.group"}
    assert again["facts"].items() == {
        item for item in decision["facts"].items() if item[0] not in texts
    }
    # The same order is kept once.
    assert disagreements.keep(folder, rulebook.vocabulary, decision) == written
    assert kept_in(folder) == [written]


def test_a_kept_order_has_the_policy_by_which_it_was_judged(
    rulebook: Rulebook, doubted: Service, tmp_path: Path
) -> None:
    asked = Asked(
        739_700,
        parameters={"cap": "100000"},
        without=("full-prepayment",),
        only=("kind=licence-condition",),
    )
    decision = doubted.decide(order(), asked, "both")
    written = disagreements.keep(tmp_path, rulebook.vocabulary, decision)
    assert written is not None
    again = doubted.decide(read_document(written), ASKED, "both")
    assert [f["status"] for f in again["findings"]] == [f["status"] for f in decision["findings"]]
    assert again["diagnostics"] == decision["diagnostics"]


def test_a_folder_is_given_so_many_files_and_no_more(
    rulebook: Rulebook, doubted: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disagreements, "MOST", 3)
    for quantity in range(1, 8):
        decision = doubted.decide(order(quantity), ASKED, "both")
        disagreements.keep(tmp_path, rulebook.vocabulary, decision)
    assert len(kept_in(tmp_path)) == 3


def test_a_file_that_cannot_be_finished_is_not_there(
    rulebook: Rulebook, doubted: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        disagreements.keep(tmp_path, rulebook.vocabulary, doubted.decide(order(), ASKED, "both"))
    assert kept_in(tmp_path) == []


# --- over HTTP ---


@pytest.fixture
def client(tmp_path: Path, planted: Planted) -> Iterator[TestClient]:
    """A service of both evaluators; the second is the planted one."""
    with service(tmp_path, evaluator="both", disagreements=tmp_path / "kept") as client:
        client.app.state.house.service.live = planted  # type: ignore[attr-defined]
        yield client


def test_the_service_counts_logs_and_keeps_a_disagreement_and_says_no_contents(
    client: TestClient, tmp_path: Path
) -> None:
    with structlog.testing.capture_logs() as logs:
        found: Decision = client.post("/v1/decide", json=order().data).json()
    assert found["outcome"] == "incomplete"
    (told,) = (entry for entry in logs if entry["event"] == "evaluators disagree")
    assert told == {
        "event": "evaluators disagree",
        "log_level": "error",
        "regime": "h200-article",
        "digest": found["regime"]["digest"],
        "as_of": found["regime"]["as_of"],
        "rules": ["customer-cap"],
    }
    said = json.dumps(logs, default=str)
    assert "Marked" not in said
    assert "27000" not in said
    metrics = client.get("/metrics").text
    assert 'placet_disagreements_total{rules="h200-article"} 1.0' in metrics
    (kept,) = kept_in(tmp_path / "kept")
    assert "Marked" not in kept.read_text("utf-8")


def test_a_folder_that_cannot_be_written_costs_no_answer(
    client: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("a file where a folder should be", encoding="utf-8")
    with structlog.testing.capture_logs() as logs:
        answer = client.post("/v1/decide", json=order().data)
    assert answer.json()["status"] == "unknown"
    assert [entry["event"] for entry in logs].count("disagreement not kept") == 1


def test_every_way_in_which_the_service_decides_asks_both(
    client: TestClient, planted: Planted
) -> None:
    sent = order().data
    several = {**sent, "regimes": ["h200-article", "h200-reported"]}
    del several["regime"]
    found = client.post("/v1/decide", json=several).json()["decisions"]
    assert [one["status"] for one in found] == ["unknown"] * 2
    lines = b"\n".join(orjson.dumps(sent) for _ in range(3)) + b"\nnonsense"
    answer = client.post(
        "/v1/decide/stream", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [one.get("status") for one in told] == ["unknown"] * 3 + [None]
    before = planted.asked
    page = client.get("/", params={"scenario": "h200-article/last-twenty-thousand"})
    assert planted.asked == before + 1
    assert "two evaluators disagree" in page.text
    text = client.get(
        "/", params={"scenario": "h200-article/last-twenty-thousand", "lang": "zh"}
    ).text
    assert "两个判定程序的结果不一致" in text
    planted.is_down = True
    page = client.get("/", params={"scenario": "h200-article/last-twenty-thousand", "lang": "en"})
    assert "Judged once: the second evaluator could not be asked." in page.text


def test_rules_that_a_client_brings_are_judged_by_the_reference(
    client: TestClient, planted: Planted
) -> None:
    draft = {"id": "mine", "based_on": "h200-article", "files": {}}
    sent = {**order().data, "regime": "mine", "draft": draft}
    found = client.post("/v1/decide", json=sent).json()
    assert found["engine"]["judged_by"] == ["reference"]
    assert found["outcome"] == "approve"
    assert planted.asked == 0


def test_a_service_of_live_alone_decides_nothing_without_it(
    tmp_path: Path, planted: Planted
) -> None:
    planted.statuses = {}
    with service(tmp_path, evaluator="live") as client:
        client.app.state.house.service.live = planted  # type: ignore[attr-defined]
        found = client.post("/v1/decide", json=order().data).json()
        assert found["engine"]["judged_by"] == ["live"]
        planted.is_down = True
        answer = client.post("/v1/decide", json=order().data)
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert [d["code"] for d in answer.json()["diagnostics"]] == ["B001"]
        lines = orjson.dumps(order().data)
        answer = client.post(
            "/v1/decide/stream", content=lines, headers={"Content-Type": "application/x-ndjson"}
        )
        assert answer.json()["schema"] == "placet.rejection/1"


def test_a_broken_stream_line_of_both_stays_on_its_line(client: TestClient) -> None:
    lines = orjson.dumps({**order().data, "as_of": "2026-02-30"}) + b"\n"
    lines += orjson.dumps(order().data)
    answer = client.post(
        "/v1/decide/stream", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    told = [json.loads(line)["schema"] for line in answer.text.splitlines()]
    assert told == ["placet.rejection/1", "placet.decision/1"]


# --- settings ---


def test_settings_choose_evaluators_and_a_folder() -> None:
    assert Serving().evaluator == "reference"
    assert Serving().disagreements is None
    found = serving({"PLACET_EVALUATOR": "both", "PLACET_DISAGREEMENTS": "kept"})
    assert (found.evaluator, found.disagreements) == ("both", Path("kept"))
    with pytest.raises(ValueError, match=r"^PLACET_EVALUATOR is one of: reference, live, both$"):
        serving({"PLACET_EVALUATOR": "rete"})


# --- at the command line ---


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, planted: Planted, tmp_path: Path
) -> Iterator[CliRunner]:
    """The command line, with the planted evaluator behind its fence."""
    open_ = 0

    class Fenced:
        def __init__(self, book: Rulebook) -> None:
            nonlocal open_
            open_ += 1
            self.verdict = planted.verdict

        def close(self) -> None:
            nonlocal open_
            open_ -= 1

    monkeypatch.setattr("api.fence.Fence", Fenced)
    monkeypatch.setenv("PLACET_RULES", str(RULES))
    monkeypatch.setenv("PLACET_DISAGREEMENTS", str(tmp_path / "kept"))
    yield CliRunner()
    assert open_ == 0


def decided(command: CliRunner, evaluator: str, *more: str) -> Result:
    words = ["decide", str(ROOT / ALL_MET), "--evaluator", evaluator, *more]
    return command.invoke(app, words)


def test_agreement_ends_with_0(command: CliRunner, planted: Planted) -> None:
    planted.statuses = {}
    for evaluator in ("reference", "live", "both"):
        run = decided(command, evaluator, "--format", "json")
        assert run.exit_code == 0, run.output
        assert json.loads(run.stdout)["outcome"] == "approve"


def test_a_disagreement_ends_with_3_and_its_order_is_kept(
    command: CliRunner, tmp_path: Path
) -> None:
    run = decided(command, "both", "--format", "json")
    assert run.exit_code == 3
    assert json.loads(run.stdout)["outcome"] == "incomplete"
    assert "h200-article/customer-cap: error B900" in run.stderr
    (kept,) = kept_in(tmp_path / "kept")
    again = command.invoke(app, ["decide", str(kept), "--evaluator", "both"])
    assert again.exit_code == 3
    assert "two evaluators disagree" in " ".join(again.stdout.split())


@pytest.mark.parametrize("evaluator", ["live", "both"])
def test_an_evaluator_that_cannot_be_asked_ends_with_3(
    command: CliRunner, planted: Planted, evaluator: str
) -> None:
    planted.is_down = True
    run = decided(command, evaluator, "--format", "json")
    assert run.exit_code == 3
    assert "B001" in run.stderr
    answer = json.loads(run.stdout)
    if evaluator == "live":
        assert answer["schema"] == "placet.rejection/1"
    else:
        assert answer["engine"]["judged_by"] == ["reference"]


def test_a_back_end_that_failed_outweighs_a_rejection(
    command: CliRunner, planted: Planted, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text("regime: h200-article\nfacts: {order.size: 5}\n")
    run = decided(command, "both", str(tmp_path / "bad.yaml"), "--format", "ndjson")
    assert run.exit_code == 3
    schemas = [json.loads(line)["schema"] for line in run.stdout.splitlines()]
    assert schemas == ["placet.decision/1", "placet.rejection/1"]


def test_a_replay_ends_with_0_where_it_is_the_same_and_3_where_live_cannot_be_asked(
    command: CliRunner, planted: Planted, tmp_path: Path
) -> None:
    planted.statuses = {}
    kept = tmp_path / "decision.json"
    kept.write_text(decided(command, "both", "--format", "json").stdout, encoding="utf-8")
    assert command.invoke(app, ["replay", str(kept)]).exit_code == 0
    planted.statuses = {"customer-cap": "unmet"}
    assert command.invoke(app, ["replay", str(kept)]).exit_code == 1
    planted.is_down = True
    assert command.invoke(app, ["replay", str(kept)]).exit_code == 3
    # What the reference judged alone needs no second evaluator.
    kept.write_text(decided(command, "both", "--format", "json").stdout, encoding="utf-8")
    asked = planted.asked
    assert command.invoke(app, ["replay", str(kept)]).exit_code == 0
    assert planted.asked == asked
