"""Work for the fenced process in tests; it imports little, for it is imported within its second."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

from api.bench import Bench
from engine.diagnostics import BackendFailure, Diagnostic, OrderRejected, Source, Span

LONG = 60


def who(bench: Bench) -> int:
    return os.getpid()


def echo(bench: Bench, said: Any) -> Any:
    return said


def dies(bench: Bench, number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)


def dies_once(bench: Bench, file: Path, number: int) -> int:
    if not file.exists():
        file.touch()
        os.kill(os.getpid(), number)
    return os.getpid()


def hangs(bench: Bench) -> None:
    # A search that takes longer than the sun lasts, in C, with the interpreter locked.
    re.match(r"(a|a)*b", "a" * 100)


def hangs_once(bench: Bench, file: Path) -> int:
    if not file.exists():
        file.touch()
        hangs(bench)
    return os.getpid()


def waits_once(bench: Bench, file: Path) -> int:
    if not file.exists():
        file.touch()
        time.sleep(LONG)
    return os.getpid()


def takes(bench: Bench, size: int) -> int:
    return len(bytearray(size))


def fails(bench: Bench, secret: str) -> None:
    raise ValueError(f"cannot read {secret}")


def rejects(bench: Bench) -> None:
    raise OrderRejected([Diagnostic("O101", Span(Source("request")), "unknown name")])


def breaks_the_library(bench: Bench, secret: str) -> None:
    raise BackendFailure([Diagnostic("B001", Span(Source("live")), f"bad fact {secret}")])


def is_too_large(bench: Bench) -> None:
    raise BackendFailure([Diagnostic("B002", Span(Source("live")), "too many rules")])


def registers(bench: Bench, count: int) -> int:
    bench.host.registered += count
    return os.getpid()


class Unreadable:
    """It can be sent, and not be read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def gives_what_cannot_be_read(bench: Bench) -> Unreadable:
    return Unreadable()
