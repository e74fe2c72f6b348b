"""A real server: slow, greedy and silent callers, lost workers, the end of the service."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.app.serve import as_line
from tests.serving import ROOT, server

LONG = 60
"""Seconds that nothing here takes."""
SLOW = 2
CONNECTIONS = 200
ORDER = {
    "regime": "h200-article",
    "as_of": "2026-02-01",
    "facts": {"item": {"product": "H200-SXM"}, "order": {"quantity": 5, "destination": "CN"}},
}


WIDE = """\
title: {{en: Wide, zh: 宽}}
kind: licence-condition
certainty: assumed
due: order
in_force: {{from: 2025-12-08}}
require: {condition}
cite: [{{source: article, says: {{en: Nothing., zh: 无。}}}}]
examples:
  - {{given: {{customer.units_to_date: 75000}}, finding: met}}
  - {{given: {{customer.units_to_date: 80000}}, finding: unmet}}
"""


def bomb() -> dict[str, str]:
    """A draft that is sound and within every limit, and very wide."""
    regime = (ROOT / "rules" / "h200-article" / "regime.yaml").read_text("utf-8")
    files: dict[str, str] = {}
    for number in range(200):
        parts = (f"customer.units_to_date <= {75_000 + 20 * number + n}" for n in range(20))
        condition = " and ".join(("customer.units_to_date <= 75000", *parts))
        files[f"wide-{number}.yaml"] = WIDE.format(condition=condition)
    names = "".join(f"  - {name.removesuffix('.yaml')}\n" for name in files)
    files["regime.yaml"] = regime.replace("rules:\n", f"rules:\n{names}")
    return files


def sweep(**draft: Any) -> dict[str, Any]:
    count = 300 if draft else 10
    axis = {"fact": "payment.prepaid", "from": "0", "to": "1000000", "count": count}
    whole = {**ORDER, "axes": [axis, {**axis, "fact": "order.quantity", "from": "1"}]}
    return {**whole, "regime": "bomb", "draft": draft} if draft else whole


ENDLESS = sweep(id="bomb", based_on="h200-article", files=bomb())


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that is bound to come."""
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def children(pid: int) -> set[int]:
    """The processes of a server that work for it."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            command = path.with_name("cmdline").read_bytes()
            if int(parent) == pid and state != "Z" and b"spawn_main" in command:
                found.add(int(path.parent.name))
    return found


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def memory(pid: int) -> int:
    """The most bytes that a process ever held."""
    (line,) = [
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) * 1024


def connect(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=LONG)


def answer(address: str, *pieces: bytes) -> bytes:
    """Everything that a server says to what is sent, until it closes."""
    said = b""
    with closing(connect(address)) as line:
        with suppress(ConnectionError):
            for piece in pieces:
                line.sendall(piece)
        with suppress(ConnectionError):
            while piece := line.recv(65_536):
                said += piece
    return said


def head(method: str = "POST", path: str = "/v1/decide", **headers: Any) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def is_closed(line: socket.socket) -> bool:
    """Whether the other side has ended, without reading what it said."""
    poll = select.poll()
    poll.register(line, select.POLLRDHUP)
    return bool(poll.poll(0))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A server with little room and little patience; its address and process."""
    limits = {
        "PLACET_CONNECTIONS": str(CONNECTIONS),
        "PLACET_HEAD_SECONDS": str(SLOW),
        "PLACET_SECONDS": str(SLOW),
        "PLACET_RATE": "1000000/second",
    }
    with server(tmp_path_factory.mktemp("small"), **limits) as (address, process):
        yield address, process.pid


# --- callers ---


def test_two_thousand_slow_callers_neither_stop_the_others_nor_stay(
    small: tuple[str, int],
) -> None:
    address, pid = small
    before = memory(pid)
    beginnings = [
        b"",
        b"\r\n",
        b"POST /v1/dec",
        head()[:-2],
        head(content_length=1000),
        head(content_length=1000) + b'{"regime": ',
        head(transfer_encoding="chunked") + b"ff\r\n{",
        head(path="/v1/decide/stream", content_length=1000),
        head(path="/enter", content_length=1000),
    ]
    with ExitStack() as stack:
        slow = []
        for number in range(2000):
            line = stack.enter_context(closing(connect(address)))
            with suppress(ConnectionError):
                line.sendall(beginnings[number % len(beginnings)])
            slow.append(line)
            if number % 100 == 99:
                assert httpx2.post(f"{address}/v1/decide", json=ORDER).status_code == 200
        assert sum(not is_closed(line) for line in slow) <= CONNECTIONS
        assert memory(pid) - before < 50_000_000
        until(lambda: all(is_closed(line) for line in slow))
    assert httpx2.post(f"{address}/v1/decide", json=ORDER).status_code == 200


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n",
        head("GET", "/healthz") + b"\r\n\r\n",
        head("GET", "/healthz") + b"GET /",
        head("GET", "/healthz", content_length=1000) + b"{",
        head("POST", "/nothing/here", content_length=1000) + b"{",
    ],
)
def test_a_caller_who_goes_on_too_slowly_is_left(small: tuple[str, int], beginning: bytes) -> None:
    with closing(connect(small[0])) as line:
        line.sendall(beginning)

        def is_left() -> bool:
            with suppress(ConnectionError):
                # What keeps other services waiting for good: now and then a little more.
                line.sendall(b"\r\n" if beginning.strip() == b"" else b"x")
            return is_closed(line)

        until(is_left)


@pytest.mark.parametrize("path", ["/v1/decide", "/v1/sweep", "/v1/check", "/v1/scenarios"])
def test_a_body_that_comes_too_slowly_is_told_so(small: tuple[str, int], path: str) -> None:
    said = answer(small[0], head(path=path, content_length=1000) + b'{"regime"')
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'"type":"/v1/faults/W107"' in said


def test_a_stream_in_which_nothing_comes_ends_with_what_was_decided(
    small: tuple[str, int],
) -> None:
    line = json.dumps(ORDER).encode()
    said = answer(
        small[0],
        head(path="/v1/decide/stream", content_length=100_000, connection="close"),
        line + b"\n",
    )
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b'"schema":"placet.decision/1"' in said
    assert b'"code":"W107"' in said


def sockets(pid: int) -> int:
    found = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found += os.readlink(file).startswith("socket:")
    return found


def test_a_caller_who_never_reads_is_left(small: tuple[str, int]) -> None:
    address, pid = small
    until(lambda: sockets(pid) < 20)
    before, held = sockets(pid), memory(pid)
    with ExitStack() as stack:
        for _ in range(20):
            line = stack.enter_context(closing(socket.socket()))
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", int(address.rpartition(":")[2])))
            # More than what a system keeps for a program.
            line.sendall(head("GET", "/openapi.json") * 16)
        until(lambda: sockets(pid) >= before + 20)
        assert httpx2.get(f"{address}/healthz").status_code == 200
        until(lambda: sockets(pid) <= before)
    assert memory(pid) - held < 50_000_000


def test_a_caller_who_reads_in_time_gets_everything(small: tuple[str, int]) -> None:
    with closing(connect(small[0])) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        line.sendall(head("GET", "/openapi.json") * 11)
        line.sendall(head("GET", "/openapi.json", connection="close"))
        said = b""
        while piece := line.recv(65_536):
            said += piece
    assert said.count(b"HTTP/1.1 200 ") == 12
    assert said.endswith(b"}")


def test_a_stream_may_be_longer_than_any_body(small: tuple[str, int]) -> None:
    line = json.dumps(ORDER).encode() + b" " * 2_000 + b"\n"
    many = 2_000_000 // len(line)
    found = httpx2.post(
        f"{small[0]}/v1/decide/stream",
        content=line * many,
        headers={"content-type": "application/x-ndjson"},
        timeout=LONG,
    )
    assert found.status_code == 200
    assert found.text.count('"schema":"placet.decision/1"') == many


def test_a_head_without_end_is_refused(small: tuple[str, int]) -> None:
    address, pid = small
    before = memory(pid)
    for endless in (b"GET /" + b"x" * 2**20, head()[:-2] + b"x-more: " + b"x" * 2**20):
        said = answer(address, *([endless] * 30))
        assert said == b"" or said.startswith(b"HTTP/1.1 400 ")
    many = b"".join(b"x-%d: y\r\n" % number for number in range(100_000))
    said = answer(address, head()[:-2], *([many] * 20))
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ")
    assert memory(pid) - before < 50_000_000
    assert httpx2.get(f"{address}/healthz").status_code == 200


def test_a_few_requests_may_be_sent_ahead_and_a_flood_of_them_ends_the_connection(
    small: tuple[str, int],
) -> None:
    address, pid = small
    few = [head("GET", "/healthz")] * 7 + [head("GET", "/healthz", connection="close")]
    assert answer(address, b"".join(few)).count(b"HTTP/1.1 200 ") == 8
    before = memory(pid)
    flood = b"GET / HTTP/1.1\r\n\r\n" * 10_000
    for _ in range(20):
        assert answer(address, flood).count(b"HTTP/1.1 ") < 100
    assert memory(pid) - before < 50_000_000
    assert httpx2.get(f"{address}/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/v1/decide", "/v1/check", "/v1/scenarios", "/decide/answer"])
@pytest.mark.parametrize("told", [True, False])
def test_a_body_of_a_hundred_megabytes_is_refused_and_not_kept(
    small: tuple[str, int], path: str, told: bool
) -> None:
    address, pid = small
    before = memory(pid)
    size = 100_000_000
    with closing(connect(address)) as line:
        length = {"content_length": size} if told else {"transfer_encoding": "chunked"}
        kind = "application/x-www-form-urlencoded" if path == "/decide/answer" else None
        first = head(path=path, **length)
        line.sendall(first.replace(b"application/json", kind.encode()) if kind else first)
        piece = b"x" * 100_000 if told else b"186A0\r\n" + b"x" * 100_000 + b"\r\n"
        with suppress(ConnectionError):
            for _ in range(size // 100_000):
                line.sendall(piece)
        said = line.recv(65_536)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b'"type":"/v1/faults/W110"' in said
    assert b"content-security-policy" in said
    assert memory(pid) - before < 20_000_000


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET http://evil.example/healthz HTTP/1.1", "host: 127.0.0.1\r\n", 200),
        ("GET http://127.0.0.1/healthz HTTP/1.1", "host: evil.example\r\n", 421),
        ("GET http://evil.example HTTP/1.1", "host: 127.0.0.1\r\n", 400),
        ("GET /healthz HTTP/1.0", "", 200),
        ("GET /healthz HTTP/1.0", "host: evil.example\r\n", 421),
        ("GET /healthz HTTP/1.1", "", 400),
        ("GET /healthz HTTP/1.1", "host:\r\n", 421),
        ("GET /healthz HTTP/1.1", "host: 127.0.0.1\r\nhost: 127.0.0.1\r\n", 400),
        ("HEAD /healthz HTTP/1.1", "host: 127.0.0.1\r\n", 200),
        ("OPTIONS /healthz HTTP/1.1", "host: 127.0.0.1\r\n", 405),
        ("OPTIONS * HTTP/1.1", "host: 127.0.0.1\r\n", 404),
        ("TRACE /healthz HTTP/1.1", "host: 127.0.0.1\r\n", 405),
        ("CONNECT evil.example:443 HTTP/1.1", "host: 127.0.0.1\r\n", 400),
        ("BREW /healthz HTTP/1.1", "host: 127.0.0.1\r\n", 400),
        ("GET /healthz HTTP/9.9", "host: 127.0.0.1\r\n", 400),
        ("GET /%00 HTTP/1.1", "host: 127.0.0.1\r\n", 404),
        ("GET /static/../../keys.py HTTP/1.1", "host: 127.0.0.1\r\n", 404),
        ("GET /static/%2e%2e/%2e%2e/keys.py HTTP/1.1", "host: 127.0.0.1\r\n", 404),
        (
            "GET /healthz HTTP/1.1",
            "host: 127.0.0.1\r\nconnection: close, upgrade\r\nupgrade: websocket\r\n",
            200,
        ),
        (
            "POST /v1/decide HTTP/1.1",
            "host: 127.0.0.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n",
            400,
        ),
        ("POST /v1/decide HTTP/1.1", "host: 127.0.0.1\r\ncontent-length: -1\r\n", 400),
        (
            "POST /v1/decide HTTP/1.1",
            "host: 127.0.0.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n",
            400,
        ),
    ],
)
def test_odd_requests_are_answered_in_one_way(
    small: tuple[str, int], request_line: str, headers: str, status: int
) -> None:
    ending = "" if "connection:" in headers else "connection: close\r\n"
    said = answer(small[0], f"{request_line}\r\n{headers}{ending}\r\n".encode())
    assert said.startswith(f"HTTP/1.1 {status} ".encode())
    assert said.count(b"HTTP/1.1 ") == 1
    if request_line.startswith("HEAD"):
        assert said.endswith(b"\r\n\r\n")


# --- work beside ---


def test_a_draft_of_endless_work_is_stopped_and_the_next_is_decided(
    small: tuple[str, int],
) -> None:
    address, _ = small
    found = httpx2.post(f"{address}/v1/sweep", json=ENDLESS, timeout=LONG)
    assert (found.status_code, found.json()["type"]) == (503, "/v1/faults/W116")
    assert httpx2.post(f"{address}/v1/decide", json=ORDER).status_code == 200
    draft = {"id": "mine", "based_on": "h200-article", "files": {}}
    mine = {**ORDER, "regime": "mine", "draft": draft}

    def is_decided() -> bool:
        found = httpx2.post(f"{address}/v1/decide", json=mine, timeout=LONG)
        assert found.status_code == 200 or found.json()["type"] == "/v1/faults/W117"
        return found.status_code == 200

    until(is_decided)


def test_who_finds_all_workers_busy_is_told_when_to_come_again(
    small: tuple[str, int],
) -> None:
    address, _ = small
    told: list[httpx2.Response] = []

    def send() -> None:
        told.append(httpx2.post(f"{address}/v1/sweep", json=ENDLESS, timeout=LONG))

    sending = [threading.Thread(target=send) for _ in range(25)]
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join(LONG)
    kinds = {found.json()["type"] for found in told}
    assert {found.status_code for found in told} == {503}
    assert kinds <= {"/v1/faults/W116", "/v1/faults/W117"}
    busy = [found for found in told if found.json()["type"] == "/v1/faults/W117"]
    assert busy
    assert all(int(found.headers["retry-after"]) > 0 for found in busy)


def test_a_killed_worker_is_noticed_told_and_replaced(small: tuple[str, int]) -> None:
    address, pid = small

    def lost() -> int:
        count: int = httpx2.get(f"{address}/readyz").json()["workers"]["lost"]
        text = httpx2.get(f"{address}/metrics").text
        assert f"placet_workers_lost {float(count)}" in text
        return count

    def is_swept() -> bool:
        return httpx2.post(f"{address}/v1/sweep", json=sweep(), timeout=LONG).status_code == 200

    until(is_swept)
    before = lost()
    (idle,) = children(pid)
    os.kill(idle, signal.SIGKILL)
    until(lambda: lost() == before + 1)
    until(is_swept)
    assert idle not in children(pid)


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A server that lets work take long, with workers that have begun."""
    folder = tmp_path_factory.mktemp("patient")
    with server(folder, PLACET_SECONDS="600", PLACET_WORKERS="2") as (address, process):
        for _ in range(2):
            assert httpx2.post(f"{address}/v1/sweep", json=sweep(), timeout=LONG).is_success
        yield address, process.pid


@contextmanager
def at_work(address: str, pid: int) -> Iterator[tuple[socket.socket, int]]:
    """A request that is answered by nobody for long, and the worker that has it."""
    before = {child: ticks(child) for child in children(pid)}
    body = json.dumps(ENDLESS).encode()
    with closing(connect(address)) as line:
        line.sendall(head(path="/v1/sweep", content_length=len(body)) + body)
        until(lambda: any(ticks(child) > before[child] + 50 for child in before))
        yield line, max(before, key=lambda child: ticks(child) - before[child])


def ticks(pid: int) -> int:
    """How long a process has worked."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


def test_a_worker_that_is_killed_at_work_is_told_to_who_asked(patient: tuple[str, int]) -> None:
    address, pid = patient
    with at_work(address, pid) as (line, worker):
        os.kill(worker, signal.SIGKILL)
        said = line.recv(65_536)
        if said.endswith(b"\r\n\r\n"):  # the head may come alone
            said += line.recv(65_536)
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b'"type":"/v1/faults/W117"' in said
    assert b"\r\nretry-after: " in said
    assert httpx2.get(f"{address}/readyz").json()["workers"] == {"count": 2, "lost": 1}
    for _ in range(2):
        assert httpx2.post(f"{address}/v1/sweep", json=sweep(), timeout=LONG).is_success


def test_no_child_outlives_a_server_that_is_killed(patient: tuple[str, int]) -> None:
    address, pid = patient
    of_server = children(pid)
    assert len(of_server) == 2
    with at_work(address, pid):
        os.kill(pid, signal.SIGKILL)
        until(lambda: not any(lives(child) for child in of_server))


# --- the end ---


@contextmanager
def begun(address: str, path: str = "/v1/decide", **headers: Any) -> Iterator[socket.socket]:
    """A request whose body the service waits for."""
    with closing(connect(address)) as line:
        line.sendall(head(path=path, expect="100-continue", **headers))
        assert line.recv(1024).startswith((b"HTTP/1.1 100 ", b"HTTP/1.1 200 "))
        yield line


def refuses(address: str) -> bool:
    try:
        connect(address).close()
    except ConnectionError:
        return True
    return False


def lines_of(log: Path) -> list[dict[str, Any]]:
    """A log; every line of it is one JSON object."""
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_finishes_before_the_service_stops(
    tmp_path: Path, number: signal.Signals
) -> None:
    body = json.dumps(sweep()).encode()
    with (
        server(tmp_path, PLACET_SECONDS="60") as (address, process),
        begun(address, "/v1/sweep", content_length=len(body)) as line,
    ):
        of_server = children(process.pid)
        for pid in (process.pid, *of_server):  # as a terminal or an init system may do
            os.kill(pid, number)
        until(lambda: refuses(address))
        assert process.poll() is None
        line.sendall(body)
        said = b""
        while piece := line.recv(65_536):
            said += piece
        assert said.startswith(b"HTTP/1.1 200 ")
        assert json.loads(said.partition(b"\r\n\r\n")[2])["schema"] == "placet.sweep/1"
        assert process.wait(LONG) == 0
        assert not any(lives(pid) for pid in of_server)
    log = lines_of(tmp_path / "server.log")
    assert [line["status"] for line in log if line.get("route") == "/v1/sweep"] == [200]
    assert not [line for line in log if line["level"] in ("warning", "error")]


def test_a_stream_without_end_does_not_keep_the_service(tmp_path: Path) -> None:
    order = json.dumps(ORDER).encode() + b"\n"
    piece = b"%x\r\n%s\r\n" % (len(order), order)
    with (
        server(tmp_path, PLACET_STOP_SECONDS="1") as (address, process),
        begun(address, "/v1/decide/stream", transfer_encoding="chunked") as line,
    ):
        process.terminate()
        with suppress(ConnectionError):
            while process.poll() is None:
                line.sendall(piece)
                while select.select([line], [], [], 0)[0] and line.recv(65_536):
                    pass
        assert process.wait(LONG) == 0


def test_a_log_line_is_written_even_where_it_holds_half_a_character() -> None:
    line = as_line({"event": "store failed", "told": "no such file: \ud800"})
    assert json.loads(line) == {"event": "store failed", "told": "no such file: \ud800"}
