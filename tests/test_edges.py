"""What the service lets in and what it does not: hosts, origins, keys, roles, rates; and its log."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.openapi.utils import get_openapi
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from api.app import guard, rates, sessions
from api.app.build import make
from api.app.sessions import Sessions
from api.keys import Key, read_keys
from api.service import Service
from api.settings import Serving
from tests.serving import SHIPPED, server, service

MARK = "Zyxwv7731"
"""A name that nothing here has of itself."""
SECRETS = {"reader": "a-reader's secret", "drafter": "d:/+=%", "odd": "schlüssel 密钥"}
KEYS = read_keys(
    f"{name} {'draft' if name == 'drafter' else 'read'} "
    f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"
    for name, secret in SECRETS.items()
)
ORDER = {
    "regime": "h200-article",
    "as_of": "2026-02-01",
    "facts": {"customer": {"name": MARK}, "order": {"quantity": 5, "destination": "CN"}},
}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("plain"), rate="1000000/second") as client:
        yield client


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("keyed")
    options: dict[str, Any] = {
        "rate": "1000000/second",
        "hosts": ("Placet.Example",),
        "keys": KEYS,
    }
    with service(folder, **options) as client:
        client.follow_redirects = False
        yield client


def bearer(name: str) -> dict[str, Any]:
    return {"authorization": b"Bearer " + SECRETS[name].encode()}


def raw(
    client: TestClient,
    *headers: tuple[bytes, bytes],
    method: str = "GET",
    path: str = "/healthz",
    version: str = "1.1",
    peer: str = "127.0.0.1",
    gone: bool = False,
) -> int:
    """The status of a request that no ordinary client sends."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": version,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": list(headers),
        "client": (peer, 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "state": {},
    }
    found: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect" if gone else "http.request", "body": b""}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]
    (status,) = found
    return status


# --- hosts and origins ---


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8000",
        "localhost",
        "LocalHost:8000",
        "[::1]",
        "[::1]:8000",
        "10.1.2.3",
        "placet.example",
        "PLACET.example:443",
    ],
)
def test_the_service_answers_under_its_own_names(keyed: TestClient, host: str) -> None:
    assert keyed.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
        "[::1].evil.example",
        "evil.example]",
        "a@localhost",
        "a@localhost:8000",
        "::1",
        ":8000",
        "1",
        "xn--4gbrim",
    ],
)
def test_a_name_pointed_at_this_machine_is_not_answered(keyed: TestClient, host: str) -> None:
    found = keyed.get("/healthz", headers={"host": host})
    assert (found.status_code, found.json()["type"]) == (421, "/v1/faults/W112")


def test_only_the_oldest_clients_may_leave_the_host_out(plain: TestClient) -> None:
    assert raw(plain, version="1.0") == 200
    assert raw(plain, version="1.1") == 400
    assert raw(plain, (b"host", b""), version="1.0") == 421


@pytest.mark.parametrize("name", guard._ONCE)
def test_a_header_that_two_could_read_differently_is_refused_twice(
    plain: TestClient, name: bytes
) -> None:
    value = b"127.0.0.1" if name == b"host" else b"same-origin"
    host = [] if name == b"host" else [(b"host", b"127.0.0.1")]
    assert raw(plain, *host, (name, value)) == 200
    assert raw(plain, *host, (name, value), (name, value)) == 400
    assert raw(plain, *host, (name, value), (b"accept", b"a"), (b"accept", b"b")) == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1"}, 200),
        ({"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "http://127.0.0.1.evil.example"}, 403),
        ({"origin": "http://localhost"}, 403),
        ({"origin": "http://127.0.0.1", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "host": "LOCALHOST", "origin": "http://localhost"}, 403),
        ({"host": "LOCALHOST:80", "origin": "http://localhost:80"}, 200),
    ],
)
def test_a_page_of_another_site_cannot_send_an_order(
    plain: TestClient, headers: dict[str, str], status: int
) -> None:
    found = plain.post("/v1/decide", json=ORDER, headers=headers)
    assert found.status_code == status
    assert status == 200 or found.json()["type"] == "/v1/faults/W104"
    form = plain.post("/enter", content="key=x", headers=FORM | headers)
    assert ("W104" in form.text) == (status == 403)


def test_a_page_of_another_site_may_not_read_an_answer(plain: TestClient) -> None:
    found = plain.get("/v1/scenarios", headers={"origin": "http://evil.example"})
    assert not [name for name in found.headers if name.startswith("access-control")]
    assert found.headers["cross-origin-resource-policy"] == "same-origin"
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    preflight = plain.options("/v1/decide", headers=asked)
    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]


# --- keys, roles, sessions ---


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/enter", "/static/base.css"])
def test_some_addresses_need_no_key(keyed: TestClient, path: str) -> None:
    assert keyed.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/scenarios", "/metrics", "/openapi.json", "/healthzz", "/enter/x", "/static", "/x"],
)
def test_every_other_address_needs_one(keyed: TestClient, path: str) -> None:
    found = keyed.get(path)
    assert (found.status_code, found.json()["type"]) == (401, "/v1/faults/W102")
    assert found.headers["www-authenticate"].startswith("Bearer")
    assert keyed.get(path, headers=bearer("reader")).status_code != 401


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("HEAD", "/"), ("POST", "/leave")])
def test_a_browser_without_a_key_is_led_to_the_door(
    keyed: TestClient, method: str, path: str
) -> None:
    found = keyed.request(method, path, headers={"accept": "text/html,*/*;q=0.8"})
    assert (found.status_code, found.headers["location"]) == (303, "/enter")
    part = {"accept": "text/html", "hx-request": "true"}
    found = keyed.request(method, path, headers=part)
    assert (found.status_code, found.headers["hx-redirect"]) == (401, "/enter")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (bearer("reader"), 200),
        (bearer("drafter"), 200),
        (bearer("odd"), 200),
        ({"authorization": b"bearer   " + SECRETS["reader"].encode()}, 200),
        ({"x-api-key": SECRETS["odd"].encode()}, 200),
        ({"authorization": b"Basic eDp5", "x-api-key": SECRETS["reader"].encode()}, 200),
        ({"authorization": b"Bearer nothing", "x-api-key": SECRETS["reader"].encode()}, 401),
        ({"authorization": b"Bearer"}, 401),
        ({"authorization": b"Bearer "}, 401),
        ({"authorization": SECRETS["reader"].encode()}, 401),
        ({"authorization": b"Bearer " + SECRETS["reader"].upper().encode()}, 401),
        ({"x-api-key": b"\xff\xfe"}, 401),
        ({"x-api-key": b"x" * 60_000}, 401),
        ({"cookie": "placet_session=nothing"}, 401),
        ({"cookie": 'placet_session="; ;;=,\x7f'}, 401),
    ],
)
def test_a_key_lets_in_by_its_secret(
    keyed: TestClient, headers: dict[str, Any], status: int
) -> None:
    assert keyed.get("/v1/scenarios", headers=headers).status_code == status


def test_a_key_that_reads_changes_no_drafts(keyed: TestClient) -> None:
    made = keyed.post("/v1/scenarios", json=ORDER, headers=bearer("drafter"))
    assert made.status_code == 201
    path, mark = made.headers["location"], {"if-match": made.headers["etag"]}
    for method, address in [
        ("POST", "/v1/scenarios"),
        ("PUT", path),
        ("DELETE", path),
        ("DELETE", f"{path}/run"),
        ("PATCH", path),
    ]:
        found = keyed.request(method, address, json=ORDER, headers=bearer("reader") | mark)
        assert (found.status_code, found.json()["type"]) == (403, "/v1/faults/W103")
        assert "may not change drafts" in found.json()["detail"]
    assert keyed.get(path, headers=bearer("reader")).status_code == 200
    assert keyed.post(f"{path}/run", headers=bearer("reader")).status_code == 200
    assert keyed.post("/v1/decide", json=ORDER, headers=bearer("reader")).status_code == 200
    assert keyed.delete(path, headers=bearer("drafter") | mark).status_code == 204


def test_where_no_key_is_asked_for_everybody_at_this_machine_may_write(plain: TestClient) -> None:
    assert plain.post("/v1/scenarios", json=ORDER).status_code == 201


def test_one_signs_in_with_a_key_and_out_again(keyed: TestClient) -> None:
    with TestClient(keyed.app, base_url="http://127.0.0.1", follow_redirects=False) as browser:
        wrong = browser.post("/enter", data={"key": "nothing"})
        assert wrong.status_code == 403
        assert "set-cookie" not in wrong.headers
        found = browser.post("/enter", data={"key": f" {SECRETS['odd']}\n"})
        assert (found.status_code, found.headers["location"]) == (303, "/")
        cookie = found.headers["set-cookie"]
        for part in (
            "HttpOnly",
            "SameSite=strict",
            f"Max-Age={sessions.SESSION_SECONDS}",
            "Path=/",
        ):
            assert part in cookie
        assert SECRETS["odd"] not in cookie
        token = browser.cookies["placet_session"]
        assert browser.get("/").status_code == 200
        own = {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1"}
        refused = browser.post("/v1/scenarios", json=ORDER, headers=own)
        assert (refused.status_code, refused.json()["type"]) == (403, "/v1/faults/W103")
        assert browser.post("/leave").headers["location"] == "/enter"
        assert "placet_session" not in browser.cookies
        stolen = {"cookie": f"placet_session={token}"}
        assert browser.get("/v1/scenarios", headers=stolen).status_code == 401


def test_a_key_that_is_too_long_is_refused_without_saying_it_again(keyed: TestClient) -> None:
    found = keyed.post("/enter", data={"key": MARK * 100})
    assert found.status_code in (400, 403)
    assert MARK not in found.text


def test_a_session_ends_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Key("li", "read", b"")
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 3)
    kept = Sessions()
    tokens = [kept.open(key) for _ in range(5)]
    assert [kept.of(token) is not None for token in tokens] == [False, False, True, True, True]
    kept.close(tokens[4])
    assert kept.of(tokens[4]) is None
    monkeypatch.setattr(sessions, "SESSION_SECONDS", -1)
    assert kept.of(kept.open(key)) is None
    assert kept.of("") is None


# --- rates ---


def test_failed_attempts_count_against_the_address_whatever_it_says_of_itself(
    tmp_path: Path,
) -> None:
    with service(tmp_path, rate="5/hour", keys=KEYS) as client:
        for number in range(5):
            forged = {"x-forwarded-for": f"10.0.0.{number}", "forwarded": f"for=10.0.0.{number}"}
            if number % 2:
                found = client.post("/enter", data={"key": "nothing"}, headers=forged)
                assert found.status_code == 403
            else:
                wrong = {"x-api-key": f"guess {number}"}
                assert client.get("/v1/scenarios", headers=wrong | forged).status_code == 401
        for forged in ({}, {"x-forwarded-for": "10.0.0.9"}, {"x-real-ip": "10.0.0.9"}):
            found = client.post("/enter", data={"key": SECRETS["reader"]}, headers=forged)
            assert (found.status_code, found.json()["type"]) == (429, "/v1/faults/W114")
            assert 0 < int(found.headers["retry-after"]) <= 3601
        for _ in range(5):
            assert client.get("/v1/scenarios", headers=bearer("reader")).status_code == 200
        assert client.get("/v1/scenarios", headers=bearer("reader")).status_code == 429
        assert client.get("/v1/scenarios", headers=bearer("drafter")).status_code == 200


def test_a_network_of_many_addresses_is_one_caller(tmp_path: Path) -> None:
    host = (b"host", b"127.0.0.1")
    with service(tmp_path, rate="3/hour") as client:
        for number in range(3):
            assert raw(client, host, peer=f"2001:db8::{number:x}:1") == 200
        assert raw(client, host, peer="2001:db8::ffff") == 429
        assert raw(client, host, peer="2001:db8:0:1::1") == 200
        assert raw(client, host, peer="::ffff:10.0.0.1") == 200
        assert raw(client, host, peer="fe80::1%eth0") == 200
        assert raw(client, host, peer="10.0.0.1") == 200


def test_counting_callers_takes_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MOST_CALLERS", 20)
    host = (b"host", b"127.0.0.1")
    with service(tmp_path, rate="15/hour") as client:
        found = [raw(client, host, peer=f"10.0.0.{number}") for number in range(100)]
        assert found[:20] == [200] * 20
        # Those beyond share one count.
        assert found[20:] == [200] * 15 + [429] * 65
        assert raw(client, host, peer="10.0.0.3") == 200


# --- answers ---


def test_every_answer_has_the_headers_that_keep_a_page_safe(
    keyed: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = bearer("reader")
    html = {"accept": "text/html"}

    def broken(*_: object) -> None:
        raise ValueError(MARK)

    answers = [
        keyed.get("/healthz"),
        keyed.head("/healthz"),
        keyed.get("/static/base.css"),
        keyed.get("/", headers=reader | html),
        keyed.get("/", headers=html),
        keyed.get("/nothing", headers=reader | html),
        keyed.get("/nothing", headers=reader),
        keyed.get("/v1/scenarios"),
        keyed.get("/healthz", headers={"host": "evil.example"}),
        keyed.post("/v1/decide", content=b"x" * 1_000_001, headers=reader),
        keyed.put("/v1/decide", headers=reader),
        keyed.post("/v1/decide", content=b"{", headers=reader),
    ]
    monkeypatch.setattr(Service, "decide", broken)
    answers.append(keyed.post("/v1/decide", json=ORDER, headers=reader))
    assert [answer.status_code for answer in answers] == [
        *(200, 200, 200, 200, 303, 404, 404, 401, 421, 413, 405, 415, 500)
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"].split("; ")
        assert policy[0] == "default-src 'none'"
        assert {"frame-ancestors 'none'", "base-uri 'none'", "script-src 'self'"} < {*policy}
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert len(answer.headers.get_list("x-request-id")) == 1
        assert len(answer.headers.get_list("cache-control")) == 1
        assert "server" not in answer.headers
    assert answers[1].headers["content-length"] == answers[0].headers["content-length"]


@pytest.mark.parametrize("path", ["/v1/decide", "/v1/decide/stream"])
def test_a_fault_of_ours_is_told_without_what_it_was_about(
    plain: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def broken(*_: object) -> None:
        raise ValueError(f"cannot decide {MARK}")

    monkeypatch.setattr(Service, "decide", broken)
    with capture_logs() as log:
        found = plain.post(path, json=ORDER)
    told = found.json()
    assert told.get("type") == "/v1/faults/W115" or told["diagnostics"][0]["code"] == "W115"
    assert MARK not in found.text
    assert "Traceback" not in found.text
    assert "test_edges" not in found.text
    (error,) = [line for line in log if line["log_level"] == "error"]
    assert "ValueError" in json.dumps(error)
    assert MARK not in json.dumps(log)
    assert path == "/v1/decide/stream" or error["at"].startswith("ValueError in ")
    assert path == "/v1/decide/stream" or error["id"] == found.headers["x-request-id"]


def test_a_caller_who_goes_away_is_no_fault_of_ours(plain: TestClient) -> None:
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    with capture_logs() as log:
        assert raw(plain, *headers, method="POST", path="/v1/decide", gone=True) == 499
    assert [line["log_level"] for line in log] == ["info"]


def test_metrics_name_routes_and_rule_sets_never_what_was_sent(plain: TestClient) -> None:
    regime = (SHIPPED.rules / "h200-article" / "regime.yaml").read_text("utf-8")
    own = {"regime.yaml": regime.replace("code: incomplete", f"code: {MARK.lower()}")}
    draft = {"id": "mine", "based_on": "h200-article", "files": own}
    found = plain.post("/v1/decide", json={**ORDER, "regime": "mine", "draft": draft})
    assert found.json()["outcome"] == MARK.lower()
    plain.post("/v1/decide", json=ORDER)
    plain.get(f"/v1/scenarios/{MARK}")
    plain.get(f"/{MARK}?{MARK}")
    text = plain.get("/metrics").text
    assert MARK.lower() not in text.lower()
    assert 'placet_decisions_total{outcome="unknown",regime="draft"} 1.0' in text
    assert 'placet_decisions_total{outcome="incomplete",regime="h200-article"} ' in text
    assert 'route="/v1/scenarios/{id:path}"' in text or 'route="/{id:path}"' in text


# --- the log ---


def everything(address: str) -> Iterator[httpx2.Response]:
    """The mark sent to every route, in every place where a request can say something."""
    app = make(SHIPPED, Serving())
    described = get_openapi(title="", version="", routes=app.routes)["paths"]
    routes = [(method.upper(), path) for path, item in described.items() for method in item]
    pages = ["/", "/rules", "/rules/facts", f"/rules/{MARK}", f"/rules/h200-article/{MARK}"]
    pages += ["/scenarios", "/scenarios/compare", "/what-if", "/what-if/order", f"/static/{MARK}"]
    posts = ["/decide/answer", "/decide/workspace", "/decide/download", "/decide/print", "/enter"]
    posts += ["/scenarios/run", "/what-if/flips", "/leave", f"/{MARK}"]
    routes += [("GET", page) for page in pages] + [("POST", page) for page in posts]
    query = "&".join(f"{name}={MARK}" for name in ("what", "of", "title", "regime", "as", "id"))
    named = ("if-match", "if-none-match", "accept-language", "x-api-key", "cookie", "user-agent")
    headers = {"accept": f"text/html, {MARK}", **dict.fromkeys(named, f"lang={MARK}")}
    bodies: list[tuple[str, bytes]] = [
        ("application/json", json.dumps(ORDER).encode()),
        ("application/json", json.dumps({**ORDER, "facts": {"order.quantity": MARK}}).encode()),
        ("application/json", json.dumps({MARK: MARK, "regime": MARK}).encode()),
        ("application/json", b'{"facts": {"customer.name": "' + MARK.encode()),
        ("application/json", b"\xff" + MARK.encode()),
        ("application/yaml", f"facts: {{customer.name: [{MARK}".encode()),
        ("application/x-ndjson", f"{json.dumps(ORDER)}\n{MARK}\n".encode()),
        ("text/plain", MARK.encode()),
        (MARK, MARK.encode()),
        (FORM["content-type"], f"key={MARK}&regime=h200-article&customer.name={MARK}".encode()),
        (f"multipart/form-data; boundary={MARK}", MARK.encode()),
    ]
    with httpx2.Client(base_url=address, timeout=60) as client:
        for method, path in routes:
            where = path.replace("{id}", MARK).replace("{", "").replace("}", "")
            yield client.request(method, where)
            yield client.request(method, f"{where}?{query}", headers=headers)
            for kind, body in bodies if method in ("POST", "PUT") and path[-4:] != "/run" else ():
                yield client.request(
                    method, where, content=body, headers={**headers, "content-type": kind}
                )
        yield client.get("/", headers={"host": MARK})
        yield client.get("/", headers={"origin": MARK})
        yield client.post("/v1/decide", json=ORDER, headers={"origin": MARK})


def test_the_log_has_nothing_of_what_requests_say(tmp_path: Path) -> None:
    with server(tmp_path, PLACET_RATE="100000/second") as (address, _):
        ids = [found.headers["x-request-id"] for found in everything(address)]
    text = (tmp_path / "server.log").read_text("utf-8")
    log = [json.loads(line) for line in text.splitlines()]
    assert len(ids) > 100
    assert {*ids} <= {line.get("id") for line in log}
    assert not [line for line in log if MARK.lower() in json.dumps(line).lower()]
    assert not [line for line in log if line["level"] == "error"]


def test_the_log_has_the_facts_of_decided_orders_where_that_was_asked_for(tmp_path: Path) -> None:
    with server(tmp_path, PLACET_LOG_CONTENTS="yes") as (address, _):
        assert httpx2.post(f"{address}/v1/decide", json=ORDER).status_code == 200
        faulty = {**ORDER, "facts": {"customer.name": "Another", "order.quantity": MARK}}
        assert httpx2.post(f"{address}/v1/decide", json=faulty).status_code == 422
    text = (tmp_path / "server.log").read_text("utf-8")
    log = [json.loads(line) for line in text.splitlines()]
    (decided,) = [line for line in log if MARK in json.dumps(line)]
    assert decided["event"] == "decided"
    assert decided["regime"] == "h200-article"
    assert decided["facts"]["order.quantity"] == "5" or decided["facts"]["order"]
