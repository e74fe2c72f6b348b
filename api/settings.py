"""Where the rules lie, which language people read, how the service is offered.

Decided once, from options and environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import engine
from api.keys import Key, read_keys
from engine.concord import Evaluator
from engine.source import MAX_BYTES

Language = Literal["en", "zh", "both"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Frozen settings of one run."""

    rules: Path
    scenarios: Path
    lang: Language


def settings(
    rules: Path | None, lang: Language | None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Settings from the options given, then `PLACET_RULES` and the locale, then defaults."""
    named = rules or (Path(environ["PLACET_RULES"]) if environ.get("PLACET_RULES") else None)
    return Settings(
        named or _found("rules"), _found("scenarios", beside=named), lang or _locale(environ)
    )


@dataclass(frozen=True, slots=True)
class Serving:
    """How the service is offered; times in seconds, sizes in bytes."""

    store: str = "sqlite:///placet.db"
    """Where the team's drafts are kept: a database URL."""
    keys: tuple[Key, ...] = ()
    hosts: tuple[str, ...] = ()
    """Names under which the service is reached, beside those of this machine."""
    rate: str = "6000/minute"
    """Requests of one caller, as `number/period`."""
    seconds: float = 10
    """Time for one request; a stream has it for each line."""
    largest_body: int = MAX_BYTES
    workers: int = 2
    connections: int = 1000
    head_seconds: float = 10
    """Time for a request to begin in earnest, and for a caller to go on reading an answer."""
    stop_seconds: int = 20
    """Time for requests in flight when the service is told to stop."""
    log_contents: bool = False
    """Whether the facts of decided orders are written to the log."""
    evaluator: Evaluator = "reference"
    """What judges single orders, drafts of rules aside."""
    disagreements: Path | None = None
    """Where orders are kept on which evaluators disagree."""


def serving(environ: Mapping[str, str] = os.environ) -> Serving:
    """How the service is offered, from the environment. Raises `ValueError` saying what is wrong."""
    plain = Serving()
    log = environ.get("PLACET_LOG_CONTENTS", "").lower()
    if log not in ("", "0", "1", "no", "yes", "false", "true"):
        raise ValueError("PLACET_LOG_CONTENTS is yes or no")
    evaluators = {name: name for name in get_args(Evaluator)}
    evaluator = environ.get("PLACET_EVALUATOR") or plain.evaluator
    if evaluator not in evaluators:
        raise ValueError(f"PLACET_EVALUATOR is one of: {', '.join(evaluators)}")
    return Serving(
        store=environ.get("PLACET_STORE") or plain.store,
        keys=_keys(environ),
        hosts=tuple(environ.get("PLACET_HOSTS", "").replace(",", " ").split()),
        rate=_rate(environ.get("PLACET_RATE") or plain.rate),
        seconds=_number(environ, "PLACET_SECONDS", int(plain.seconds), 1, 600),
        # Each at work holds one of the threads that the store needs too.
        workers=_number(environ, "PLACET_WORKERS", plain.workers, 1, 16),
        connections=_number(environ, "PLACET_CONNECTIONS", plain.connections, 1, 100_000),
        head_seconds=_number(environ, "PLACET_HEAD_SECONDS", int(plain.head_seconds), 1, 600),
        stop_seconds=_number(environ, "PLACET_STOP_SECONDS", plain.stop_seconds, 1, 600),
        log_contents=log in ("1", "yes", "true"),
        evaluator=evaluators[evaluator],
        disagreements=disagreements(environ),
    )


def disagreements(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where orders are kept on which evaluators disagree, if `PLACET_DISAGREEMENTS` names a folder."""
    named = environ.get("PLACET_DISAGREEMENTS")
    return Path(named) if named else None


def _keys(environ: Mapping[str, str]) -> tuple[Key, ...]:
    """The keys of the environment or of a file: where they are asked for, one is there."""
    written, file = environ.get("PLACET_KEYS", ""), environ.get("PLACET_KEYS_FILE", "")
    if written and file:
        raise ValueError("keys stand in PLACET_KEYS or in PLACET_KEYS_FILE, not in both")
    name = "PLACET_KEYS_FILE" if file else "PLACET_KEYS"
    try:
        lines = (
            Path(file).read_text("utf-8-sig").split("\n") if file else re.split("[\n;]", written)
        )
        keys = read_keys(lines)
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not keys and (written or file):
        raise ValueError(f"{name} has no key in it; make one with `placet key NAME`")
    return keys


def _rate(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,8}/(second|minute|hour|day)", text):
        raise ValueError("PLACET_RATE is a number and a period, such as 6000/minute")
    return text


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise ValueError(f"{name} is a whole number from {low} to {high}")
    return int(text)


def _found(name: str, beside: Path | None = None) -> Path:
    """The folder here, or beside the rules named, else the checkout's, else the wheel's copy."""
    package = Path(engine.__file__).parent
    here = [beside.parent / name] if beside else [Path(name)]
    for folder in (*here, package.parent / name, package / "shipped" / name):
        if folder.is_dir() and (name != "rules" or (folder / "vocabulary.yaml").is_file()):
            return folder
    return here[0]


def _locale(environ: Mapping[str, str]) -> Language:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return "zh" if environ[name].lower().startswith("zh") else "en"
    return "en"
