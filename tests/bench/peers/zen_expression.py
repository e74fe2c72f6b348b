"""ZEN's bare expression language, without its rules engine: seven truth values in one list.

It is the fastest thing in the package and names no condition; we put the names back by position.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import zen

from tests.bench.contest import Reader
from tests.bench.peers.zen_engine import CONDITIONS_IN_ZEN


def prepare() -> Reader:
    """Compile one list expression, reused for every order."""
    listed = ", ".join(f"({condition})" for condition in CONDITIONS_IN_ZEN.values())
    expression = zen.compile_expression(f"[{listed}]")
    return lambda order: partial(_failed, expression.evaluate, json.dumps(asdict(order)).encode())


def _failed(evaluate: Callable[[bytes], list[bool]], context: bytes) -> frozenset[str]:
    answers = zip(CONDITIONS_IN_ZEN, evaluate(context), strict=True)
    return frozenset(name for name, met in answers if not met)
