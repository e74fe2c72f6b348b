"""Run the service with uvicorn: where it may listen, how it stops, what it logs."""

from __future__ import annotations

import ipaddress
import json
import logging
import resource
import signal
import socket
import sys
from typing import Any, TextIO, cast

import structlog
import uvicorn

from api.app.answers import written
from api.app.build import make
from api.app.connection import protocol
from api.settings import Serving, Settings
from api.worker import place_of

_SPARE = 200
"""Files that the process opens beside its connections."""
_BACKLOG = 512


def serve(chosen: Settings, serving: Serving, host: str, port: int) -> None:
    """Serve until told to stop.

    Raises `ValueError` where it must not listen, `OSError` where it cannot, `RulesRejected` or
    `StoreError` where it has nothing to serve.
    """
    with listen(host, port, bool(serving.keys)) as listening:
        make_room(serving.connections)
        tell_logs()
        app = make(chosen, serving)
        house = app.state.house
        try:
            house.open()
            server = uvicorn.Server(
                uvicorn.Config(
                    app,
                    http=protocol(serving),
                    ws="none",
                    lifespan="on",
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    proxy_headers=False,
                    backlog=_BACKLOG,
                    timeout_graceful_shutdown=serving.stop_seconds,
                )
            )

            def stop(*_: object) -> None:
                server.should_exit = True

            # uvicorn has its own handlers while it serves, and then sends itself the signal again:
            # it was heard, and whoever stops the service reads 0.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, stop)
            structlog.get_logger("placet").info(
                "serving", address=address_of(listening), keys=len(serving.keys)
            )
            server.run([listening])
        finally:
            house.close()


def listen(host: str, port: int, has_keys: bool) -> socket.socket:
    """A socket that listens; other machines may reach it only where keys are asked for.

    Raises `ValueError` or `OSError`.
    """
    found = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    family, _, _, _, place = found[0]
    if not has_keys and not ipaddress.ip_address(str(place[0]).partition("%")[0]).is_loopback:
        raise ValueError(
            f"{host or 'this address'} can be reached from other machines, and no API key is "
            "configured: make one with `placet key NAME`, and name it in PLACET_KEYS or "
            "PLACET_KEYS_FILE"
        )
    return socket.create_server(place, family=family, backlog=_BACKLOG)


def address_of(listening: socket.socket) -> str:
    """The address to open in a browser on this machine."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_room(connections: int) -> None:
    """Let the process hold so many connections. Raises `ValueError` where the machine does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _SPARE + _BACKLOG
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if wanted < connections + _SPARE:
        raise ValueError(
            f"PLACET_CONNECTIONS is {connections}, and a process here may open {hard} files: "
            f"ask for at most {max(0, hard - _SPARE)}, or raise the limit (`ulimit -n`)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def tell_logs() -> None:
    """One JSON object per line on standard error, or plain lines where a person looks on."""
    watched = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(
                fmt="%H:%M:%S" if watched else "iso", utc=not watched
            ),
            structlog.dev.ConsoleRenderer()
            if watched
            else structlog.processors.JSONRenderer(as_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Standard())),
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(True)
    logging.root.handlers = [_Forward()]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)


def as_line(event: Any, **_: Any) -> str:
    """An event of the log as one line of JSON."""
    try:
        return written(event).decode()
    except TypeError:  # half a character, such as of a strange file name
        return json.dumps(event, default=str)


class _Standard:
    """Standard error as it is when a line is written."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Forward(logging.Handler):
    """Logs of libraries as lines of ours; where one may quote what a request said, only its place."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        spoken = record.name == "uvicorn.error"
        structlog.get_logger("placet").log(
            record.levelno,
            record.getMessage().strip() if spoken else f"message of {record.name}",
            **({} if error is None else {"at": place_of(error)}),
        )
