"""A child process works within its time and memory, and is replaced when it is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api import tasks
from api.service import Service, read_request
from api.worker import (
    MOST_WAITING,
    NoneFree,
    TookTooLong,
    TookTooMuch,
    WorkerLost,
    Workers,
    WorkFailed,
)
from engine.diagnostics import OrderRejected, RulesRejected

RULES = Path(__file__).parent.parent / "rules"
LONG = 60
"""Seconds that nothing here takes."""


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    made = Workers(RULES, 1)
    yield made
    made.close()


def who(service: Service) -> int:
    return os.getpid()


def for_ever(service: Service) -> None:
    while True:
        pass


def takes(service: Service, size: int) -> int:
    return len(bytearray(size))


def gives(service: Service, size: int) -> bytearray:
    return bytearray(size)


def takes_little_by_little(service: Service) -> int:
    held = []
    while True:
        held.append(bytearray(2**20))


def ends_itself(service: Service) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fails(service: Service, secret: str) -> None:
    raise ValueError(f"cannot read {secret}")


def waits_for(service: Service, begun: Path, file: Path) -> int:
    begun.touch()
    while not file.exists():
        time.sleep(0.01)
    return os.getpid()


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that is bound to come."""
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z" and len([*Path(f"/proc/{pid}/task").iterdir()]) == 1
    except FileNotFoundError:
        return True


def test_a_piece_of_work_is_done_by_a_child(workers: Workers) -> None:
    assert workers.ask(who, seconds=LONG) not in (0, os.getpid())


def test_a_rejection_comes_back_as_it_was_raised(workers: Workers) -> None:
    draft = read_request(b'{"id": "Not An Id", "files": {}}', "request")
    with pytest.raises(OrderRejected) as raised:
        workers.ask(tasks.check, draft, seconds=LONG)
    assert {d.code for d in raised.value.diagnostics} == {"W119"}


def test_work_that_takes_too_long_is_stopped_and_the_next_is_done(workers: Workers) -> None:
    before, lost = workers.ask(who, seconds=LONG), workers.lost
    with pytest.raises(TookTooLong):
        workers.ask(for_ever, seconds=0.3)
    assert is_gone(before)
    assert workers.lost == lost + 1
    assert workers.ask(who, seconds=LONG) != before


@pytest.mark.parametrize("task", [(takes, 2**31), (takes_little_by_little,)])
def test_work_that_takes_too_much_memory_is_stopped_and_the_next_is_done(
    workers: Workers, task: tuple[Any, ...]
) -> None:
    lost = workers.lost
    with pytest.raises(TookTooMuch):
        workers.ask(*task, seconds=LONG)
    assert workers.lost == lost + 1
    assert workers.ask(takes, 2**20, seconds=LONG) == 2**20


def test_an_answer_that_is_too_large_to_be_sent_is_too_much(workers: Workers) -> None:
    with pytest.raises(TookTooMuch):
        workers.ask(gives, 600 * 2**20, seconds=LONG)
    assert workers.ask(who, seconds=LONG)


def test_a_child_that_is_killed_at_work_is_noticed_and_replaced(workers: Workers) -> None:
    lost = workers.lost
    with pytest.raises(WorkerLost):
        workers.ask(ends_itself, seconds=LONG)
    assert workers.lost == lost + 1
    assert workers.ask(who, seconds=LONG)


def test_a_child_that_was_killed_while_it_waited_is_replaced_before_it_is_asked(
    workers: Workers,
) -> None:
    lost, before = workers.lost, workers.ask(who, seconds=LONG)
    os.kill(before, signal.SIGKILL)
    until(lambda: is_gone(before))
    assert workers.ask(who, seconds=LONG) != before
    assert workers.lost == lost + 1


def test_a_child_that_was_killed_while_it_waited_is_replaced_by_mending(workers: Workers) -> None:
    lost, before = workers.lost, workers.ask(who, seconds=LONG)
    workers.mend()
    assert workers.lost == lost
    os.kill(before, signal.SIGKILL)
    until(lambda: is_gone(before))
    workers.mend()
    assert workers.lost == lost + 1
    assert workers.ask(who, seconds=LONG) != before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_child_outlives_the_signals_that_are_meant_for_its_parent(
    workers: Workers, number: signal.Signals
) -> None:
    before = workers.ask(who, seconds=LONG)
    os.kill(before, number)
    assert workers.ask(who, seconds=LONG) == before


def test_a_fault_of_ours_is_told_by_kind_and_place_without_its_values(workers: Workers) -> None:
    before = workers.ask(who, seconds=LONG)
    with pytest.raises(WorkFailed, match=r"^ValueError in fails \(tests/test_worker.py:\d+\)$"):
        workers.ask(fails, "Marked Customer", seconds=LONG)
    assert workers.ask(who, seconds=LONG) == before


def test_who_finds_every_child_busy_is_told_so_and_the_work_goes_on(
    workers: Workers, tmp_path: Path
) -> None:
    found: list[int] = []
    begun, file = tmp_path / "begun", tmp_path / "file"
    at_work = threading.Thread(
        target=lambda: found.append(workers.ask(waits_for, begun, file, seconds=LONG))
    )
    at_work.start()
    until(begun.exists)
    with pytest.raises(NoneFree):
        workers.ask(who, seconds=0.1)
    refused: list[bool] = []

    def wait() -> None:
        try:
            found.append(workers.ask(who, seconds=2 * LONG))
        except NoneFree:
            refused.append(file.exists())

    waiting = [threading.Thread(target=wait) for _ in range(MOST_WAITING + 1)]
    for thread in waiting:
        thread.start()
    until(lambda: refused == [False])
    file.touch()
    for thread in (at_work, *waiting):
        thread.join(LONG)
    assert len(found) == 1 + MOST_WAITING
    assert set(found) == {workers.ask(who, seconds=LONG)}


def test_a_child_that_cannot_begin_is_not_started_again_and_again() -> None:
    hopeless = Workers(RULES, 1, memory=2**20)
    try:
        for _ in range(20):
            with pytest.raises(NoneFree):
                hopeless.ask(who, seconds=LONG)
        hopeless.mend()
        assert hopeless.lost <= 2
    finally:
        hopeless.close()


def test_a_folder_without_rules_rejects_the_work_and_keeps_the_child(tmp_path: Path) -> None:
    empty = Workers(tmp_path, 1)
    draft = read_request(b'{"id": "mine", "files": {"regime.yaml": "title: x"}}', "request")
    try:
        before = empty.ask(who, seconds=LONG)
        with pytest.raises(RulesRejected):
            empty.ask(tasks.decide_draft, draft, [draft], None, seconds=LONG)
        assert empty.ask(who, seconds=LONG) == before
        assert empty.lost == 0
    finally:
        empty.close()


def test_a_program_that_forgets_to_close_ends_all_the_same() -> None:
    program = (
        "if __name__ == '__main__':\n"
        "    from pathlib import Path\n"
        "    from api.worker import Workers\n"
        "    Workers(Path('rules'), 1)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=RULES.parent, timeout=LONG)
    assert run.returncode == 0


def test_a_child_that_is_started_while_all_are_ended_ends_too() -> None:
    # Another thread may be about to replace a lost one; it would outlive the program.
    closing = Workers(RULES, 1)
    closing.close()
    assert is_gone(closing._start().process.pid or 0)


def test_closing_ends_the_children_those_at_work_too(tmp_path: Path) -> None:
    closing = Workers(RULES, 2)
    pids: list[int] = [closing.ask(who, seconds=LONG)]
    begun, never = tmp_path / "begun", tmp_path / "never"
    told: list[type[Exception]] = []

    def work() -> None:
        try:
            closing.ask(waits_for, begun, never, seconds=LONG)
        except (WorkerLost, TookTooLong) as error:
            told.append(type(error))

    at_work = threading.Thread(target=work)
    at_work.start()
    until(begun.exists)
    pids.append(closing.ask(who, seconds=LONG))
    closing.close()
    at_work.join(LONG)
    assert told == [WorkerLost]
    assert all(is_gone(pid) for pid in pids)
    with pytest.raises(NoneFree):
        closing.ask(who, seconds=0.1)
