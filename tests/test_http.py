"""Orders over HTTP: decisions as everywhere else, requests refused in one way, lines in a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from typer.testing import CliRunner

from api.cli import app as command_line
from api.keys import new_key, read_keys
from api.service import Asked, Service, read_document
from api.settings import Settings
from api.store import Drafts, StoreError
from api.worker import NoneFree, TookTooLong
from engine.fault_codes import CODES
from engine.load import load
from engine.order import Document, Order, order_from, write_facts
from engine.properties import orders
from engine.scenario import read_scenario
from tests.serving import ROOT, SHIPPED, service

SCENARIOS = [
    path
    for path in sorted((ROOT / "scenarios").rglob("*.yaml"))
    if "\nregime:" in path.read_text("utf-8")
]
"""The scenarios of orders; stories of cases name a process."""
SMALL = Settings(ROOT / "tests/small/rules", ROOT / "tests/small/scenarios", "en")
BOOK = load(SHIPPED.rules)
CRATES = {"regime": "small", "facts": {"order": {"crates": 11, "port": "IS"}}}
"""One crate more than the cap of ten; a seal is asked for in Norway alone."""
CHIPS = {
    "regime": "h200-article",
    "as_of": "2026-02-01",
    "facts": {"order.quantity": 75001, "item.product": "H200-SXM", "customer.units_to_date": 0},
}
"""One chip more than the article's cap of 75,000."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("http"), rate="1000000/second") as client:
        yield client


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("small"), SMALL, rate="1000000/second") as client:
        yield client


def told(answer: Any, status: int, code: str, pointer: str = "") -> dict[str, Any]:
    """The first fault of a problem document, after everything that every one of them has."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"/v1/faults/{code}"
    assert problem["title"] == CODES[code].title
    assert "Traceback" not in answer.text
    first: dict[str, Any] = problem["diagnostics"][0]
    assert (first["code"], first.get("pointer", "")) == (code, pointer)
    assert first["message"] in problem["detail"]
    return first


# --- decisions ---


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_order_of_a_scenario_is_decided_over_http_as_it_is_here(
    client: TestClient, path: Path
) -> None:
    house = client.app.state.house  # type: ignore[attr-defined]
    for run in read_scenario(read_document(path)).runs:
        here = house.service.decide(run.document, Asked(house.today(), changes=run.changes))
        envelope = run.document.data
        facts = Document(envelope["facts"])
        order = order_from(BOOK.vocabulary, facts, [], run.changes)
        sent = {**envelope, "facts": write_facts(BOOK.vocabulary, order.stated)}
        assert client.post("/v1/decide", json=sent).content == orjson.dumps(here)


@settings(max_examples=50)
@given(order=orders(BOOK, "h200-article"))
def test_any_order_is_decided_over_http_as_it_is_here(order: Order) -> None:
    assert _HTTP is not None
    facts = write_facts(BOOK.vocabulary, order.stated)
    sent = {"regime": "h200-article", "as_of": "2026-02-01", "facts": facts}
    here = Service(SHIPPED.rules, {"": BOOK}).decide(Document(sent), Asked(1))
    assert _HTTP.post("/v1/decide", json=sent).content == orjson.dumps(here)


_HTTP: TestClient | None = None


@pytest.fixture(autouse=True, scope="module")
def _shared(client: TestClient) -> Iterator[None]:
    # Hypothesis takes no fixtures that it would have to make again for every example.
    global _HTTP
    _HTTP = client
    yield
    _HTTP = None


@pytest.mark.parametrize("path", SCENARIOS[::12], ids=lambda path: path.stem)
def test_the_command_line_and_http_give_the_same_decision(
    client: TestClient, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("PLACET_RULES", raising=False)
    data = read_document(path).data
    sent = json.dumps({name: data[name] for name in ("regime", "as_of", "facts") if name in data})
    printed = CliRunner().invoke(command_line, ["decide", "-", "--format", "json"], input=sent)
    answered = client.post(
        "/v1/decide", content=sent, headers={"Content-Type": "application/json"}
    )
    assert answered.json() == json.loads(printed.stdout)


def test_several_rule_sets_answer_in_the_order_in_which_they_are_named(client: TestClient) -> None:
    named = ["section-232-duty", "h200-article", "bis-2026"]
    sent = {"regimes": named, "facts": CHIPS["facts"]}
    answer = client.post("/v1/decide", json=sent).json()
    assert answer["schema"] == "placet.decisions/1"
    assert [decision["regime"]["id"] for decision in answer["decisions"]] == named
    alone = client.post("/v1/decide", json={"regime": "bis-2026", "facts": CHIPS["facts"]})
    assert answer["decisions"][2] == alone.json()


def test_only_judges_the_rules_that_are_chosen(client: TestClient) -> None:
    sent = {**CHIPS, "only": ["kind=procedure"]}
    decision = client.post("/v1/decide", json=sent).json()
    judged = [one for one in decision["findings"] if one["because"] != "left-out"]
    assert {one["kind"] for one in judged} == {"procedure"}
    assert decision["only"] == ["kind=procedure"]
    assert not decision["hypothetical_policy"]
    # The cap, which fails, is a condition of the licence.
    assert decision["status"] == "unknown"


def test_a_decision_has_both_languages_whatever_the_reader_prefers(client: TestClient) -> None:
    answers = [
        client.post("/v1/decide", json=CHIPS, headers={"Accept-Language": asked}).content
        for asked in ("en", "zh-CN", "fr")
    ]
    assert answers[0] == answers[1] == answers[2]
    assert set(json.loads(answers[0])["summary"]) == {"en", "zh"}


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("zh", "zh"),
        ("zh-Hans-CN,en;q=0.5", "zh"),
        ("en,zh", "en"),
        ("zh;q=0.3,en;q=0.7", "en"),
        ("de", "en"),
        ("zh;q=x", "en"),
        ("", "en"),
    ],
)
def test_a_problem_says_its_language(client: TestClient, asked: str, given: str) -> None:
    answer = client.get("/v1/nothing", headers={"Accept-Language": asked})
    assert answer.headers["content-language"] == given
    assert "Accept-Language" in answer.headers["vary"]


# --- requests that are refused ---

_LONG = "x" * 1_000_001


@pytest.mark.parametrize(
    ("sent", "status", "code", "pointer"),
    [
        ({"regime": "h200-article", "regimes": ["bis-2026"], "facts": {}}, 400, "W101", "/regimes"),
        ({"regimes": ["bis-2026"] * 21, "facts": {}}, 400, "W101", "/regimes"),
        ({"regimes": [], "facts": {}}, 400, "W101", "/regimes"),
        ({"regimes": "bis-2026", "facts": {}}, 400, "W101", "/regimes"),
        ({"regimes": ["bis-2026", 7], "facts": {}}, 400, "W101", "/regimes"),
        ({"regimes": ["bis-2026", "bis-2062"], "facts": {}}, 422, "O208", "/regimes/1"),
        ({**CHIPS, "only": "kind=procedure"}, 400, "W101", "/only"),
        ({**CHIPS, "only": [True]}, 400, "W101", "/only"),
        ({**CHIPS, "draft": "mine"}, 422, "W119", "/draft"),
        ({**CHIPS, "draft": {"id": "h200-article", "files": {"a.yaml": ""}}}, 422, "W119", "/draft/id"),
        ({**CHIPS, "regime": "h200"}, 422, "O208", "/regime"),
        ({**CHIPS, "regime": 5}, 422, "O208", ""),
        ({**CHIPS, "as_of": "2026-02-30"}, 422, "O212", "/as_of"),
        ({**CHIPS, "facts": {"order.quantity": "many"}}, 422, "O202", "/facts/order.quantity"),
        ({**CHIPS, "facts": {"order": {"quantity": -1}}}, 422, "O203", "/facts/order/quantity"),
        ({**CHIPS, "facts": {"order.price": 1}}, 422, "O201", "/facts/order.price"),
        ({**CHIPS, "parameters": {"gap": 1}}, 422, "O209", "/parameters/gap"),
        ({**CHIPS, "without": ["no-such"]}, 422, "O211", "/without/0"),
        ({"order.quantity": 5}, 422, "O208", ""),
        ([CHIPS], 422, "O208", ""),
        ("an order", 422, "O208", ""),
    ],
)  # fmt: skip
def test_a_request_that_says_something_wrong_is_told_where(
    client: TestClient, sent: Any, status: int, code: str, pointer: str
) -> None:
    told(client.post("/v1/decide", json=sent), status, code, pointer)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "O301"),
        (b"  \n", 400, "O301"),
        (b"null", 400, "O301"),
        (b"{", 400, "O004"),
        (b"regime: h200-article\nfacts: {}", 400, "O004"),
        (b"{'regime': 'h200-article'}", 400, "O004"),
        (b'{"facts": {"order.quantity": NaN}}', 400, "O004"),
        (b'{"facts": {"order.quantity": -Infinity}}', 400, "O004"),
        (b'{"facts": {"customer.name": "\\ud800"}}', 400, "O004"),
        (b'{"facts": {}, "facts": {}}', 400, "O005"),
        (b'{"regime": "\xff"}', 400, "O001"),
        (b"[" * 5000 + b"]" * 5000, 400, "O003"),
        (b'{"a":' * 200_000, 400, "O003"),
        (b'{"regime": "h200-article", "facts": {"order.unit_price": 27000.5}}', 422, "O202"),
        (b'{"regime": "h200-article", "facts": {"order.quantity": 1e9999}}', 422, "O202"),
        (b'{"regime": "h200-article", "facts": {"order.quantity": %s}}' % (b"9" * 9999), 422, "O202"),
        (b'{"regime": "%s"}' % (b"x" * 1_000_000), 413, "W110"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(
    client: TestClient, body: bytes, status: int, code: str
) -> None:
    answer = client.post("/v1/decide", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (status, f"/v1/faults/{code}")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["\U0001f600", "\U00020000\u4e2d", "\u202eabc\u200b", "\u0000"])
def test_any_character_may_stand_in_an_order_escaped_or_not(client: TestClient, name: str) -> None:
    sent = {**CHIPS, "facts": {"customer.name": name}}
    for escaped in (True, False):
        body = json.dumps(sent, ensure_ascii=escaped).encode()
        answer = client.post(
            "/v1/decide", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.json()["facts"]["customer.name"] == name


def test_faults_come_all_at_once(client: TestClient) -> None:
    sent = {**CHIPS, "as_of": "soon", "facts": {"order.quantity": "x", "order.destination": "XX"}}
    found = client.post("/v1/decide", json=sent).json()["diagnostics"]
    assert {one["code"] for one in found} == {"O202", "O204", "O212"}


# --- every fault of a request itself ---


def _slow(client: TestClient, error: Exception, patch: pytest.MonkeyPatch) -> Any:
    def ask(*_: Any, **__: Any) -> None:
        raise error

    house = client.app.state.house  # type: ignore[attr-defined]
    patch.setattr(type(house.workers), "ask", ask)
    return client.post("/v1/check", json={"id": "mine", "files": {}})


def test_what_a_request_does_wrong_has_its_code_and_status(
    small: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = small.app.state.house  # type: ignore[attr-defined]
    made = small.post("/v1/scenarios", json=CRATES)
    draft, seen = made.headers["location"], {"If-Match": made.headers["etag"]}
    old = {"If-Match": '"7"'}

    told(small.get("/v1/scenarios?limit=0"), 400, "W101")
    told(small.get("/v1/scenarios?origin=mine"), 400, "W101")
    told(small.get("/v1/regimes/small?as_of=tomorrow"), 400, "W101")
    told(
        small.post("/v1/check", json={}, headers={"Origin": "http://elsewhere.test"}), 403, "W104"
    )
    told(small.post("/v1/check", json={}, headers={"Sec-Fetch-Site": "cross-site"}), 403, "W104")
    for nothing in ("/v1/", "/v1/regimes/none", "/v1/faults/X999", "/v1/scenarios/d-none"):
        told(small.get(nothing), 404, "W105")
    answer = small.delete("/v1/decide")
    told(answer, 405, "W106")
    assert answer.headers["allow"] == "POST"
    assert small.patch("/v1/scenarios").headers["allow"] == "GET, HEAD, POST"
    assert small.patch(draft).headers["allow"] == "GET, HEAD, PUT, DELETE"
    assert small.put(f"{draft}/run").headers["allow"] == "POST"
    assert small.post("/static/base.css").headers["allow"] == "GET, HEAD"
    shipped = "/v1/scenarios/small/eleven-crates"
    told(small.put(shipped, json=CRATES, headers=seen), 409, "W108")
    told(small.delete(shipped, headers=seen), 409, "W108")
    answer = small.put(draft, json=CRATES, headers=old)
    told(answer, 412, "W109")
    assert answer.headers["etag"] == '"1"'
    told(small.post("/v1/decide", content=b" " * 1_000_001, headers=_JSON), 413, "W110")
    told(small.post("/v1/decide", content=b"{}"), 415, "W111")
    told(
        small.post("/v1/decide", content=b"{}", headers={"Content-Type": "text/plain"}),
        415,
        "W111",
    )
    told(
        small.post("/v1/decide/stream", content=b"{}", headers={"Content-Type": "text/csv"}),
        415,
        "W111",
    )
    told(small.get("/v1/regimes", headers={"Host": "elsewhere.test"}), 421, "W112")
    told(small.put(draft, json=CRATES), 428, "W113")
    told(small.delete(draft), 428, "W113")
    told(small.post("/v1/check", json={"id": "A", "files": {"a.yaml": "x"}}), 422, "W119", "/id")

    with monkeypatch.context() as patch:
        told(_slow(small, TookTooLong(), patch), 503, "W116")
        answer = _slow(small, NoneFree(), patch)
        told(answer, 503, "W117")
        assert answer.headers["retry-after"].isdigit()
    with monkeypatch.context() as patch:
        patch.setattr(house, "drafts", Drafts(house.store, most=1))
        told(small.post("/v1/scenarios", json=CRATES), 507, "W118")
    with monkeypatch.context() as patch:
        patch.setattr(Drafts, "page", _raising(StoreError("the database says: no")))
        answer = small.get("/v1/scenarios")
        told(answer, 503, "W117")
        assert "database says" not in answer.text
    with monkeypatch.context() as patch:
        patch.setattr(Service, "decide", _raising(RuntimeError("Example Cloud")))
        told(small.post("/v1/decide", json=CRATES), 500, "W115")
        assert "Example Cloud" not in small.post("/v1/decide", json=CRATES).text
    assert small.delete(draft, headers=seen).status_code == 204


_JSON = {"Content-Type": "application/json"}


def _raising(error: Exception) -> Any:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    return broken


def test_a_service_with_keys_asks_for_one_and_holds_it_to_its_role(tmp_path: Path) -> None:
    secret, line = new_key("reader", "read")
    with service(tmp_path, SMALL, keys=read_keys([line]), rate="5/hour") as client:
        answer = client.get("/v1/regimes")
        told(answer, 401, "W102")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        with_key = {"Authorization": f"Bearer {secret}"}
        assert client.post("/v1/decide", json=CRATES, headers=with_key).status_code == 200
        told(client.post("/v1/scenarios", json=CRATES, headers=with_key), 403, "W103")
        for _ in range(3):
            client.get("/v1/regimes", headers=with_key)
        answer = client.get("/v1/regimes", headers=with_key)
        told(answer, 429, "W114")
        assert 0 < int(answer.headers["retry-after"]) <= 3601


def test_every_fault_has_a_page_that_explains_it(small: TestClient) -> None:
    listed = small.get("/v1/faults").json()["faults"]
    assert [one["code"] for one in listed] == list(CODES)
    for one in listed:
        assert small.get(f"/v1/faults/{one['code']}").json() == one
        assert all(one[name] for name in ("title", "meaning", "mend"))


@pytest.mark.parametrize(
    "address",
    ["/v1/regimes", "/v1/regimes/small", "/v1/regimes/small/schema", "/v1/vocabulary", "/v1/faults"],
)  # fmt: skip
def test_what_is_unchanged_is_not_sent_again(small: TestClient, address: str) -> None:
    first = small.get(address)
    again = small.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = small.get(address, headers={"If-None-Match": '"other"'})
    assert other.content == first.content


# --- rules of the caller's own, for one call ---


def changed_cap() -> dict[str, Any]:
    """The cap of the small rules at twenty crates, its examples moved along."""
    text = (SMALL.rules / "small" / "cap.yaml").read_text("utf-8")
    text = text.replace("crates: 10}", "crates: 20}").replace("crates: 11}", "crates: 21}")
    changed = text.replace("value: 10", "value: 20")
    return {"id": "wider", "based_on": "small", "files": {"cap.yaml": changed}}


def _decided(client: TestClient, sent: Mapping[str, Any]) -> str:
    return str(client.post("/v1/decide", json=sent).json()["outcome"])


def test_a_draft_of_rules_decides_one_call_and_is_gone(small: TestClient) -> None:
    assert _decided(small, CRATES) == "stay"
    sent = {**CRATES, "regime": "wider", "draft": changed_cap()}
    assert _decided(small, sent) == "go"
    told(small.post("/v1/decide", json={**CRATES, "regime": "wider"}), 422, "O208", "/regime")
    both = {"regimes": ["small", "wider"], "facts": CRATES["facts"], "draft": changed_cap()}
    answer = small.post("/v1/decide", json=both).json()
    assert [one["outcome"] for one in answer["decisions"]] == ["stay", "go"]
    assert _decided(small, CRATES) == "stay"
    assert [one["id"] for one in small.get("/v1/regimes").json()["regimes"]] == ["small"]


def test_a_draft_of_rules_leaves_out_the_files_that_are_null(small: TestClient) -> None:
    regime = (SMALL.rules / "small" / "regime.yaml").read_text("utf-8")
    without_seal = regime.replace("rules: [cap, seal]", "rules: [cap]")
    draft = {
        "id": "unsealed",
        "based_on": "small",
        "files": {"regime.yaml": without_seal, "seal.yaml": None},
    }
    assert small.post("/v1/check", json=draft).json() == {"sound": True, "diagnostics": []}
    sent = {**CRATES, "regime": "unsealed", "draft": draft}
    findings = small.post("/v1/decide", json=sent).json()["findings"]
    assert [finding["rule"] for finding in findings] == ["cap"]


def test_a_faulty_draft_of_rules_is_told_where_in_which_file(small: TestClient) -> None:
    draft = changed_cap()
    draft["files"]["cap.yaml"] = draft["files"]["cap.yaml"].replace(
        "order.crates <=", "order.crate <="
    )
    answer = small.post("/v1/check", json=draft).json()
    assert not answer["sound"]
    (first, *_) = answer["diagnostics"]
    # Line 14 of the file, after `require: `.
    assert (first["file"], first["line"], first["column"]) == ("wider/cap.yaml", 14, 10)
    assert first["code"].startswith("R")
    refused = small.post("/v1/decide", json={**CRATES, "regime": "wider", "draft": draft})
    assert refused.status_code == 422
    assert refused.json()["diagnostics"][0] == first


@pytest.mark.parametrize(
    ("draft", "pointer"),
    [
        ([], ""),
        ({}, ""),
        ({"id": "Wider", "files": {"a.yaml": ""}}, "/id"),
        ({"id": "small", "based_on": "small", "files": {}}, "/id"),
        ({"id": "wider", "based_on": "smaller", "files": {}}, "/based_on"),
        ({"id": "wider", "files": {}}, "/files"),
        ({"id": "wider", "based_on": "small", "files": {"../a.yaml": ""}}, "/files/..~1a.yaml"),
        ({"id": "wider", "based_on": "small", "files": {"a.yaml": 5}}, "/files/a.yaml"),
        ({"id": "wider", "based_on": "small", "files": {}, "file": ""}, "/file"),
    ],
)
def test_what_is_no_draft_of_rules_is_told_where(
    small: TestClient, draft: Any, pointer: str
) -> None:
    answer = small.post("/v1/check", json=draft)
    assert answer.status_code == 422
    found = answer.json()["diagnostics"]
    assert all(one["code"] == "W119" for one in found)
    assert pointer in [one.get("pointer", "") for one in found]
