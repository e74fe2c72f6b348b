"""Processes as statecharts of durable_rules: they agree with the meaning, event by event."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PROCESSES = sorted(path.parent.name for path in (ROOT / "rules").glob("*/process.yaml"))


def walk(*args: object, seconds: int = 300) -> dict[str, Any]:
    """What a child process says of a task; a crash of the library is a failure here."""
    command = [sys.executable, "-m", "tests.walking", *map(str, args)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("process", PROCESSES)
def test_chart_and_meaning_agree_on_every_event(process: str) -> None:
    told = walk("agree", process, 20260103, 700)
    assert told["differences"] == 0, told["first"]
    assert told["events"] > 2_500
    # Courses that are only taken, or only refused, would prove little.
    assert told["came_to"]["moved"] > 1_000
    assert {"guard", "stage", "end"} <= set(told["came_to"])


@pytest.mark.parametrize("process", PROCESSES)
def test_a_chart_that_remembers_goes_where_the_meaning_goes(process: str) -> None:
    assert walk("hypothesis", process, 120)["events"] > 500


@pytest.mark.parametrize("where", ["operator", "target", "order", "reference"])
def test_one_wrong_place_in_either_evaluator_is_noticed(where: str) -> None:
    assert walk("planted", where, 7, 250)["differences"] > 0


def test_memory_stays_flat_while_cases_are_walked() -> None:
    kilobytes = walk("soak", 800)["kilobytes"]
    assert kilobytes[-1] < kilobytes[2] + 8_000


def test_a_process_that_no_chart_takes_is_refused_with_its_place() -> None:
    told = walk("too_large")
    assert told["code"] == "B002"
    assert told["file"].endswith("h200-article/process.yaml")


@pytest.mark.deep
@pytest.mark.parametrize("process", PROCESSES)
def test_chart_and_meaning_agree_on_very_many_events(process: str) -> None:
    told = walk("agree", process, 99, 40_000, seconds=3_000)
    assert told["differences"] == 0, told["first"]
    assert told["events"] > 150_000
