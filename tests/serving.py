"""A service for tests: in this process over a new store, or as a real server of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from fastapi.testclient import TestClient

from api.app.build import make
from api.settings import Serving, Settings

ROOT = Path(__file__).parent.parent
SHIPPED = Settings(ROOT / "rules", ROOT / "scenarios", "en")


@contextmanager
def service(folder: Path, chosen: Settings = SHIPPED, **options: Any) -> Iterator[TestClient]:
    """A service in this process, with a store in a folder."""
    serving = Serving(store=f"sqlite:///{folder / 'placet.db'}", workers=1, **options)
    with TestClient(
        make(chosen, serving), base_url="http://127.0.0.1", raise_server_exceptions=False
    ) as client:
        yield client


@contextmanager
def server(
    folder: Path, *arguments: str, **environ: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`placet serve` as a process of its own; its address once it is ready."""
    port = free_port()
    told = folder / "server.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PLACET_")}
    settled = {"PLACET_STORE": f"sqlite:///{folder / 'placet.db'}", "PLACET_WORKERS": "1"}
    with told.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api", "serve", "--port", str(port), *arguments],
            cwd=ROOT,
            env={**inherited, **settled, **environ},
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(f"the server ended: {told.read_text('utf-8')}")
            try:
                httpx2.get(f"{address}/healthz", timeout=1)
                break
            except httpx2.TransportError:
                time.sleep(0.05)
        else:
            raise RuntimeError("the server does not answer")
        yield address, process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
