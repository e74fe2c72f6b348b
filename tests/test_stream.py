"""Orders line by line: answers in order and as they come, whatever the other lines are."""

from __future__ import annotations

import http.client
import json
import select
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from tests.serving import server, service

DAY = {"regime": "h200-article", "as_of": "2026-02-01"}
LINES = {"Content-Type": "application/x-ndjson"}


def chips(quantity: int) -> bytes:
    facts = {"order.quantity": quantity, "item.product": "H200-SXM", "customer.units_to_date": 0}
    return json.dumps({**DAY, "facts": facts}).encode()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("stream"), rate="1000000/second") as client:
        yield client


def sent(client: TestClient, body: bytes | Iterable[bytes]) -> list[Any]:
    answer = client.post("/v1/decide/stream", content=body, headers=LINES)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert not answer.content or answer.content.endswith(b"\n")
    return [json.loads(line) for line in answer.content.splitlines()]


def quantity(answer: Any) -> str:
    return str(answer["facts"]["order.quantity"])


def codes(answer: Any) -> list[str]:
    assert answer["schema"] == "placet.rejection/1"
    return [one["code"] for one in answer["diagnostics"]]


def test_every_line_has_its_answer_in_order_and_a_bad_one_spoils_no_other(
    client: TestClient,
) -> None:
    lines = [
        chips(1),
        b'{"regime": "h200-article", "facts": {"order.quantity": "many"}}',
        b"",
        chips(2) + b"\r",
        b"   ",
        b"{",
        b'{"a": "\xff"}',
        b'{"regimes": ["h200-article", "bis-2026"], "facts": {}}',
        b"[]",
        b'{"draft": {"id": "x", "files": {}}, "facts": {}}',
        chips(3),
    ]
    for ending in (b"", b"\n"):
        answers = sent(client, b"\n".join(lines) + ending)
        assert len(answers) == 9  # two lines are blank
        assert [quantity(answers[n]) for n in (0, 2, 8)] == ["1", "2", "3"]
        assert [codes(answers[n]) for n in (1, 3, 4, 6, 7)] == [
            ["O202"],
            ["O004"],
            ["O001"],
            ["O208"],
            ["W119"],
        ]
        # Named by their place among all lines, blank ones too.
        assert [answers[n]["input"] for n in (1, 3)] == ["line 2", "line 6"]
        assert [one["regime"]["id"] for one in answers[5]["decisions"]] == [
            "h200-article",
            "bis-2026",
        ]


def test_a_line_is_read_whole_however_it_was_cut(client: TestClient) -> None:
    body = chips(1) + b"\n" + chips(2) + b"\n" + chips(3)
    for size in (1, 7, 100):
        pieces = (body[at : at + size] for at in range(0, len(body), size))
        assert [quantity(answer) for answer in sent(client, pieces)] == ["1", "2", "3"]


def test_of_a_line_that_is_too_long_only_its_rejection_comes(client: TestClient) -> None:
    long = b'{"regime": "' + b"x" * 2_000_000 + b'"}'
    for body in (chips(1) + b"\n" + long + b"\n" + chips(2), chips(1) + b"\n" + long):
        for pieces in ([body], [body[at : at + 50_000] for at in range(0, len(body), 50_000)]):
            first, second, *rest = sent(client, iter(pieces))
            assert quantity(first) == "1"
            assert codes(second) == ["O002"]
            assert [quantity(one) for one in rest] == (["2"] if body.endswith(b"}}") else [])


def test_nothing_is_answered_with_nothing(client: TestClient) -> None:
    assert sent(client, b"") == []
    assert sent(client, b"\n\r\n  \n") == []


# --- over a real connection ---


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    with server(tmp_path_factory.mktemp("server"), PLACET_SECONDS="2") as (address, process):
        yield address, process.pid


class Sending:
    """A request whose body is sent piece by piece."""

    def __init__(self, address: str, path: str, kind: str, length: int | None = None) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self.chunked = length is None
        self.connection.putrequest("POST", path)
        self.connection.putheader("Content-Type", kind)
        if length is None:
            self.connection.putheader("Transfer-Encoding", "chunked")
        else:
            self.connection.putheader("Content-Length", str(length))
        self.connection.endheaders()

    def send(self, piece: bytes) -> None:
        self.connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece)

    def end(self) -> None:
        self.connection.send(b"0\r\n\r\n")

    def answered(self) -> bool:
        readable, _, _ = select.select([self.connection.sock], [], [], 0)
        return bool(readable)

    def close(self) -> None:
        self.connection.close()


def test_each_line_is_answered_before_the_next_is_sent(running: tuple[str, int]) -> None:
    with closing(Sending(running[0], "/v1/decide/stream", LINES["Content-Type"])) as request:
        request.send(chips(1) + b"\n")
        answer = request.connection.getresponse()
        for number in (1, 2, 3):
            assert quantity(json.loads(answer.readline())) == str(number)
            request.send(chips(number + 1) + b"\n")
        request.end()
        assert quantity(json.loads(answer.read())) == "4"


def test_a_stream_that_falls_silent_is_ended_and_keeps_its_answers(
    running: tuple[str, int],
) -> None:
    with closing(Sending(running[0], "/v1/decide/stream", LINES["Content-Type"])) as request:
        request.send(chips(1) + b"\n" + chips(2)[:20])
        answers = [json.loads(line) for line in request.connection.getresponse()]
    assert quantity(answers[0]) == "1"
    assert codes(answers[1]) == ["W107"]
    assert len(answers) == 2


def test_a_line_that_comes_drop_by_drop_has_no_more_time_than_another(
    running: tuple[str, int],
) -> None:
    with closing(Sending(running[0], "/v1/decide/stream", LINES["Content-Type"])) as request:
        request.send(chips(1) + b"\n")
        answer = request.connection.getresponse()
        assert quantity(json.loads(answer.readline())) == "1"
        for _ in range(24):
            if request.answered():
                break
            request.send(b" ")
            time.sleep(0.25)
        assert request.answered()
        assert codes(json.loads(answer.readline())) == ["W107"]


def test_a_body_that_comes_too_slowly_is_given_up(running: tuple[str, int]) -> None:
    with closing(Sending(running[0], "/v1/decide", "application/json", 100)) as request:
        request.send(b"{")
        answer = request.connection.getresponse()
        assert answer.status == 408
        assert json.loads(answer.read())["type"] == "/v1/faults/W107"


def test_the_memory_of_the_server_does_not_grow_with_a_stream(running: tuple[str, int]) -> None:
    address, pid = running

    def resident() -> int:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096

    def through(lines: int) -> int:
        size = 0
        with closing(Sending(address, "/v1/decide/stream", LINES["Content-Type"])) as request:
            for start in range(0, lines, 100):
                request.send(b"".join(chips(n + 1) + b"\n" for n in range(100)))
                if start == 0:
                    answer = request.connection.getresponse()
                for _ in range(100):
                    line = answer.readline()
                    assert line.startswith(b'{"schema":"placet.decision/1"')
                    size += len(line)
            request.end()
            assert answer.read() == b""
        return size

    through(1000)  # what is kept of these hundred orders is kept by now
    before = resident()
    assert through(3000) > 20_000_000
    assert resident() - before < 10_000_000


@pytest.mark.parametrize("length", [100_000_000, None], ids=["told", "untold"])
def test_a_body_of_a_hundred_million_bytes_is_refused_long_before_its_end(
    running: tuple[str, int], length: int | None
) -> None:
    with closing(Sending(running[0], "/v1/decide", "application/json", length)) as request:
        count, end = 0, time.monotonic() + 20
        try:
            while not request.answered() and count < 100_000_000 and time.monotonic() < end:
                request.send(b" " * 65_536)
                count += 65_536
        except OSError:
            pass  # the server has closed its side
        answer = request.connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["type"] == "/v1/faults/W110"
    assert count < 20_000_000
