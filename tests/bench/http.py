"""Requests a second of `/v1/decide` beside a bare FastAPI service, and of the stream; prints only.

All are one process behind the same server software on this machine, asked in turns by the same
client; where both evaluators judge, the second one is a process of its own. The orders differ from
request to request: a series of quantities, as a what-if sends them, and sampled orders of every
kind.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2

from api.service import Service
from engine.order import write_facts
from engine.sample import orders
from tests.serving import ROOT, free_port, server

CALLERS = 8
SECONDS = 2
ROUNDS = 5
STREAMED = 4_000
BASE: dict[str, Any] = {
    "regime": "h200-article",
    "as_of": "2026-02-01",
    "facts": {
        "order": {
            "placed_on": "2026-01-20",
            "quantity": 20000,
            "unit_price": "27000.00",
            "export_from": "US",
            "destination": "CN",
            "transaction": "export",
        },
        "item": {"product": "H200-SXM"},
        "customer": {
            "name": "Example Cloud",
            "headquarters": "CN",
            "units_to_date": 55000,
            "military_end_user": False,
        },
        "end_use": {"category": "civil"},
        "pledge": {"submitted": True, "non_military": True, "signed_on": "2026-01-10"},
        "review": {"commerce": "approve", "state": "no-objection", "defense": "approve"},
        "fee": {"paid": "135000000.00"},
        "payment": {"prepaid": "540000000.00"},
        "terms": {"cancellable": False, "refundable": False, "configuration_changeable": False},
    },
}


def main() -> None:
    """Measure and print."""
    series = [_quantity(n) for n in range(1, 20_001)]
    sampled = _sampled(5_000)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Path(folder)
        (place / "both").mkdir()
        ours, _ = stack.enter_context(
            server(place, PLACET_RATE="100000000/second", PLACET_WORKERS="1")
        )
        twice, _ = stack.enter_context(
            server(
                place / "both",
                PLACET_RATE="100000000/second",
                PLACET_WORKERS="1",
                PLACET_EVALUATOR="both",
            )
        )
        answer = httpx2.post(f"{ours}/v1/decide", content=series[0], headers=_JSON).content
        (place / "answer.json").write_bytes(answer)
        bare = stack.enter_context(_bare(place / "answer.json"))
        print(f"an answer has {len(answer):,} bytes; {CALLERS} callers, {ROUNDS} rounds in turns")
        floor: list[float] = []
        for name, bodies in (("quantities", series), ("sampled", sampled), ("one", series[:1])):
            mine, both, theirs = [], [], []
            for _ in range(ROUNDS):
                theirs.append(asyncio.run(_asked(bare, bodies)))
                mine.append(asyncio.run(_asked(ours, bodies)))
                both.append(asyncio.run(_asked(twice, bodies)))
            floor += mine if name == "quantities" else []
            print(f"bare FastAPI                       {statistics.median(theirs):8,.0f} a second")
            for judged_by, rates, goal in (("reference", mine, 0.5), ("both", both, 0.2)):
                ratio = statistics.median(a / b for a, b in zip(rates, theirs, strict=True))
                print(
                    f"/v1/decide, {name:10}, {judged_by:9} {statistics.median(rates):9,.0f} a "
                    f"second; {ratio:.2f} × bare (goal {goal})"
                )
        one = statistics.median(_one_by_one(ours, series) for _ in range(ROUNDS))
        many = statistics.median(floor)
        flow = statistics.median(_streamed(ours, series[:STREAMED]) for _ in range(ROUNDS))
        print(
            f"/v1/decide/stream      {flow:8,.0f} orders a second; {flow / one:.1f} × one caller's "
            f"single calls ({one:,.0f}), {flow / many:.1f} × {CALLERS} callers' (goal 4)"
        )
        slow = statistics.median(_streamed(twice, series[:STREAMED]) for _ in range(ROUNDS))
        print(f"/v1/decide/stream, both {slow:7,.0f} orders a second")


_JSON = {"Content-Type": "application/json"}


def _quantity(quantity: int) -> bytes:
    facts = {**BASE["facts"], "order": {**BASE["facts"]["order"], "quantity": quantity}}
    return json.dumps({**BASE, "facts": facts}, ensure_ascii=False).encode()


def _sampled(count: int) -> list[bytes]:
    book = Service(ROOT / "rules").rulebook()
    kinds = book.vocabulary.facts
    bodies = []
    for id in book.regimes:
        for order in orders(book, id, seed=1, count=count // len(book.regimes)):
            judged = {p: v for p, v in order.stated.items() if kinds[p].type.kind != "text"}
            facts = write_facts(book.vocabulary, judged)
            bodies.append(
                json.dumps({"regime": id, "as_of": "2026-03-02", "facts": facts}).encode()
            )
    return bodies


@contextmanager
def _bare(answer: Path) -> Iterator[str]:
    port = free_port()
    command = "-m uvicorn tests.bench.bare:app --log-level warning --no-access-log --port"
    process = subprocess.Popen(
        [sys.executable, *command.split(), str(port)],
        cwd=ROOT,
        env={**os.environ, "BARE_ANSWER": str(answer)},
    )
    try:
        for _ in range(200):
            try:
                httpx2.get(f"http://127.0.0.1:{port}/", timeout=1)
                break
            except httpx2.TransportError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def _asked(address: str, bodies: Sequence[bytes]) -> float:
    """Requests a second of a few callers that each wait for their answer; no client library."""
    host, _, port = address.removeprefix("http://").partition(":")
    waiting = cycle(_head(host, body) + body for body in bodies)
    end = time.perf_counter() + SECONDS
    done = 0

    async def caller() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(host, int(port), limit=2**22)
        while time.perf_counter() < end:
            writer.write(next(waiting))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            done += 1
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return done / (time.perf_counter() - begun)


def _head(host: str, body: bytes) -> bytes:
    return (
        f"POST /v1/decide HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()


def _one_by_one(address: str, bodies: Sequence[bytes]) -> float:
    """Requests a second of one program that calls as programs do, with a client library."""
    with httpx2.Client(headers=_JSON) as client:
        begun = time.perf_counter()
        for body in bodies[:500]:
            client.post(f"{address}/v1/decide", content=body)
        return 500 / (time.perf_counter() - begun)


def _streamed(address: str, bodies: Sequence[bytes]) -> float:
    """Orders a second of one stream, every answer read to its end."""
    headers = {"Content-Type": "application/x-ndjson"}
    lines = 0
    begun = time.perf_counter()
    with httpx2.stream(
        "POST", f"{address}/v1/decide/stream", content=b"\n".join(bodies), headers=headers
    ) as answer:
        for piece in answer.iter_bytes():
            lines += piece.count(b"\n")
    if lines != len(bodies):
        raise RuntimeError(f"{lines} answers to {len(bodies)} orders")
    return lines / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
