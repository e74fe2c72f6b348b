"""The fenced process judges as the service's rules say; one that dies or hangs costs no answer."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.bench import Bench
from api.fence import Fence
from api.service import Asked, Service
from engine.concord import Verdict
from engine.decide import Policy, prepare
from engine.diagnostics import BackendFailure, OrderRejected
from engine.evaluate import judge
from engine.ir import Regime
from engine.load import Rulebook, load
from engine.order import Document, make_order
from engine.sample import orders
from engine.values import Value
from tests.fenced import (
    breaks_the_library,
    dies,
    dies_once,
    echo,
    fails,
    gives_what_cannot_be_read,
    hangs,
    hangs_once,
    is_too_large,
    registers,
    rejects,
    takes,
    waits_once,
    who,
)
from tests.serving import ROOT, server, service

LONG = 60
"""Seconds that nothing here takes."""
NOTICED = 3
"""Seconds within which a loss is noticed on a busy machine; the limit itself is one."""
POLICY = Policy(739_700, "caller", {}, ())


@pytest.fixture(scope="module")
def fence(rulebook: Rulebook) -> Iterator[Fence]:
    made = Fence(rulebook)
    yield made
    made.close()


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def quick(rulebook: Rulebook, told: list[tuple[str, str]]) -> Iterator[Fence]:
    """A fence that mends itself soon, and what it told."""
    made = Fence(rulebook, pause=0.2, tell=lambda event, why: told.append((event, why)))
    yield made
    made.close()


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z" and len([*Path(f"/proc/{pid}/task").iterdir()]) == 1
    except FileNotFoundError:
        return True


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)


# --- what it judges ---


@pytest.mark.parametrize("id", ["bis-2026", "h200-article", "h200-reported", "section-232-duty"])
def test_it_finds_what_the_reference_finds(fence: Fence, rulebook: Rulebook, id: str) -> None:
    regime = rulebook.regimes[id]
    program = prepare(rulebook, regime, POLICY)
    for order in orders(rulebook, id, seed=7, count=100):
        found = judge(program, order.values)
        verdict = Verdict(found.status, found.scope, tuple(f.status for f in found.findings))
        assert fence.verdict(regime, POLICY, order) == verdict


def test_a_changed_policy_is_judged_by_its_own_program(fence: Fence, rulebook: Rulebook) -> None:
    regime = rulebook.regimes["h200-article"]
    facts: dict[str, Value] = {
        "item.product": "H200-SXM",
        "customer.units_to_date": 0,
        "order.quantity": 75_001,
    }
    order = make_order(rulebook.vocabulary, facts)
    place = [rule.id for rule in regime.rules].index("customer-cap")

    def found(**changes: Any) -> str:
        policy = Policy(
            739_700, "caller", changes.get("overrides", {}), changes.get("without", ())
        )
        return fence.verdict(regime, policy, order).statuses[place]

    assert found() == "unmet"
    assert found(overrides={"cap": 75_001}) == "met"
    assert found(without=("customer-cap",)) == "not-applicable"


def test_a_rule_set_that_is_too_large_is_told_so_and_the_others_are_judged(
    tmp_path: Path,
) -> None:
    shutil.copytree(ROOT / "tests/small/rules", tmp_path / "rules")
    shutil.copytree(tmp_path / "rules/small", tmp_path / "rules/large")
    book = load(tmp_path / "rules")
    fence = Fence(replace(book, regimes={**book.regimes, "large": _large(book.regimes["large"])}))
    try:
        order = make_order(book.vocabulary, {"order.crates": 11, "order.port": "IS"})
        before = fence.ask(who)
        with pytest.raises(BackendFailure) as raised:
            fence.verdict(book.regimes["large"], POLICY, order)
        assert [d.code for d in raised.value.diagnostics] == ["B002"]
        assert fence.verdict(book.regimes["small"], POLICY, order).status == "unmet"
        assert fence.ask(who) == before
    finally:
        fence.close()


def _large(regime: Regime) -> Regime:
    """A regime of very many rules."""
    rules = [replace(regime.rules[0], id=f"rule-{number}") for number in range(2_100)]
    return replace(regime, rules=tuple(rules))


def test_it_judges_by_the_rules_of_the_service_not_by_those_that_lie_there_later(
    tmp_path: Path,
) -> None:
    shutil.copytree(ROOT / "tests/small/rules", tmp_path / "rules")
    book = load(tmp_path / "rules")
    shutil.rmtree(tmp_path / "rules")
    fence = Fence(book)
    try:
        order = make_order(book.vocabulary, {"order.crates": 11, "order.port": "IS"})
        found = fence.verdict(book.regimes["small"], POLICY, order)
        assert (found.status, found.statuses[0]) == ("unmet", "unmet")
    finally:
        fence.close()


def test_texts_stay_on_this_side(rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary = rulebook.vocabulary
    texts: dict[str, Value] = dict.fromkeys(
        (path for path, fact in vocabulary.facts.items() if fact.type.kind == "text"),
        "Marked Customer",
    )
    assert len(texts) > 1
    texts["order.quantity"] = 5
    order = make_order(vocabulary, texts)
    sent: list[Any] = []

    def ask(self: Fence, task: Any, *args: Any) -> Verdict:
        sent.append(args)
        return Verdict("met", True, ())

    monkeypatch.setattr(Fence, "ask", ask)
    Fence(rulebook).verdict(rulebook.regimes["h200-article"], POLICY, order)
    assert b"Marked" not in pickle.dumps(sent)
    assert 5 in sent[0][2]
    # The order itself keeps them: the decision states what the order says.
    assert "Marked Customer" in order.values


def test_every_answer_belongs_to_its_question(fence: Fence) -> None:
    wrong: list[Any] = []

    def caller(number: int) -> None:
        for turn in range(50):
            if fence.ask(echo, (number, turn)) != (number, turn):
                wrong.append((number, turn))

    callers = [threading.Thread(target=caller, args=(number,)) for number in range(16)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join(LONG)
    assert wrong == []


def test_nothing_runs_before_it_is_asked(rulebook: Rulebook) -> None:
    fence = Fence(rulebook)
    try:
        fence.mend()
        states = [fence.standing.state]
        assert fence.ask(who) != os.getpid()
        states.append(fence.standing.state)
        assert states == ["off", "ready"]
    finally:
        fence.close()


# --- a process that is lost ---


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_work_in_which_the_process_dies_is_done_once_more(
    quick: Fence, tmp_path: Path, number: int
) -> None:
    before = quick.ask(who)
    assert quick.ask(dies_once, tmp_path / "died", number) not in (before, os.getpid())
    assert is_gone(before)
    found = quick.standing
    assert (found.state, found.crashes, found.hangs, found.restarts) == ("ready", 1, 0, 1)


def test_a_process_that_hangs_is_noticed_within_its_second_and_the_work_done_once_more(
    rulebook: Rulebook, tmp_path: Path
) -> None:
    lost: list[float] = []
    fence = Fence(rulebook, tell=lambda event, why: lost.append(time.monotonic()))
    try:
        fence.open()
        begun = time.monotonic()
        assert fence.ask(hangs_once, tmp_path / "hung")
        (noticed,) = lost
        assert noticed - begun < NOTICED
        found = fence.standing
        assert (found.state, found.crashes, found.hangs, found.restarts) == ("ready", 0, 1, 1)
    finally:
        fence.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_killed_or_stopped_from_outside_at_work_is_replaced(
    quick: Fence, tmp_path: Path, number: int
) -> None:
    before, begun = quick.ask(who), tmp_path / "begun"
    found: list[int] = []
    at_work = threading.Thread(target=lambda: found.append(quick.ask(waits_once, begun)))
    at_work.start()
    until(begun.exists)
    os.kill(before, number)
    at_work.join(LONG)
    assert found[0] not in (before, os.getpid())
    assert is_gone(before)


def test_a_process_that_was_killed_while_it_waited_costs_nobody_an_answer(quick: Fence) -> None:
    before = quick.ask(who)
    os.kill(before, signal.SIGKILL)
    until(lambda: is_gone(before))
    assert quick.ask(who) != before
    assert quick.standing.crashes == 1


def test_mending_replaces_a_process_that_was_killed_while_it_waited(quick: Fence) -> None:
    before = quick.ask(who)
    quick.mend()
    assert quick.standing.crashes == 0
    os.kill(before, signal.SIGKILL)
    until(lambda: is_gone(before))
    quick.mend()
    found = quick.standing
    assert (found.state, found.crashes, found.restarts) == ("ready", 1, 1)
    assert quick.ask(who) != before
    assert quick.standing.crashes == 1


def test_a_process_that_takes_too_much_memory_is_replaced(quick: Fence) -> None:
    before = quick.ask(who)
    with pytest.raises(BackendFailure):
        quick.ask(takes, 2**31)
    assert is_gone(before)
    assert "memory" in quick.standing.reason


@pytest.mark.parametrize("task", [dies, hangs])
def test_twice_in_a_row_is_a_failure_and_the_fence_heals_by_itself(
    quick: Fence, told: list[tuple[str, str]], task: Callable[[Bench], None]
) -> None:
    quick.open()
    begun = time.monotonic()
    with pytest.raises(BackendFailure) as raised:
        quick.ask(task)
    assert {d.code for d in raised.value.diagnostics} == {"B001"}
    assert time.monotonic() - begun < 2 * NOTICED
    assert [event for event, _ in told] == ["lost", "lost", "degraded"]
    # While it is degraded nobody waits, and it says why.
    found = quick.standing
    assert (found.state, found.crashes + found.hangs, found.restarts) == ("degraded", 2, 1)
    assert found.reason
    with pytest.raises(BackendFailure, match=found.reason):
        quick.ask(who)
    until(lambda: quick.standing.state == "ready")
    assert quick.ask(who)
    assert quick.standing.reason == ""
    assert quick.standing.restarts == 2
    assert told[-1][0] == "mended"


def test_a_process_that_cannot_begin_leaves_a_degraded_fence_that_goes_on_trying(
    rulebook: Rulebook,
) -> None:
    fence = Fence(rulebook, memory=2**20, pause=0.1)
    try:
        fence.open()
        assert fence.standing.state == "degraded"
        with pytest.raises(BackendFailure, match="cannot begin"):
            fence.ask(who)
        # What kept it from beginning is over.
        fence.memory = 2**30
        until(lambda: fence.standing.state == "ready")
        assert fence.ask(who)
    finally:
        fence.close()


# --- work that fails without its process ---


def test_a_rejection_comes_through_and_leaves_the_process(fence: Fence) -> None:
    before = fence.ask(who)
    with pytest.raises(OrderRejected) as raised:
        fence.ask(rejects)
    assert [d.code for d in raised.value.diagnostics] == ["O101"]
    with pytest.raises(BackendFailure, match="too many rules"):
        fence.ask(is_too_large)
    assert fence.ask(who) == before


@pytest.mark.parametrize("task", [fails, breaks_the_library])
def test_after_a_failure_inside_the_process_goes_and_the_values_stay_unsaid(
    quick: Fence, told: list[tuple[str, str]], task: Callable[[Bench, str], None]
) -> None:
    before = quick.ask(who)
    with pytest.raises(BackendFailure) as raised:
        quick.ask(task, "Marked Customer")
    assert is_gone(before)
    assert "Marked" not in f"{raised.value} {told} {quick.standing}"


def test_an_answer_that_cannot_be_read_is_not_taken_for_the_next_one(quick: Fence) -> None:
    before = quick.ask(who)
    with pytest.raises(ValueError, match="no number"):
        quick.ask(gives_what_cannot_be_read)
    assert is_gone(before)
    assert quick.ask(echo, "mine") == "mine"


def test_large_questions_and_answers_come_through(fence: Fence) -> None:
    large = os.urandom(3_000_000)
    assert fence.ask(echo, large) == large


def test_a_question_to_a_stopped_process_is_given_up_though_the_pipe_is_full(quick: Fence) -> None:
    os.kill(quick.ask(who), signal.SIGSTOP)
    large = os.urandom(3_000_000)
    assert quick.ask(echo, large) == large
    assert quick.standing.hangs == 1


# --- recycling ---


def test_a_worn_process_works_until_a_fresh_one_has_taken_its_place(rulebook: Rulebook) -> None:
    told: list[str] = []
    fence = Fence(rulebook, most_rulesets=3, tell=lambda event, why: told.append(event))
    try:
        before = fence.ask(registers, 2)
        assert fence.ask(who) == before
        assert fence.ask(registers, 1) == before
        end = time.monotonic() + LONG
        while (now := fence.ask(who)) == before:
            assert time.monotonic() < end
        until(lambda: is_gone(before))
        found = fence.standing
        assert (found.state, found.recycled, found.crashes, found.restarts) == ("ready", 1, 0, 0)
        assert fence.ask(who) == now
        assert told == []
    finally:
        fence.close()


def test_a_process_is_recycled_after_so_much_work(rulebook: Rulebook) -> None:
    fence = Fence(rulebook, most_work=5)
    try:
        before = fence.ask(who)
        until(lambda: fence.ask(who) != before)
        assert fence.standing.recycled >= 1
        assert fence.standing.crashes == 0
    finally:
        fence.close()


# --- how it ends ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_outlives_the_signals_that_are_meant_for_its_parent(
    fence: Fence, number: signal.Signals
) -> None:
    before = fence.ask(who)
    os.kill(before, number)
    assert fence.ask(who) == before


def test_closing_ends_the_process_and_whoever_waits_for_it(
    rulebook: Rulebook, tmp_path: Path
) -> None:
    fence = Fence(rulebook, seconds=LONG)
    before, begun = fence.ask(who), tmp_path / "begun"
    told: list[str] = []

    def work() -> None:
        try:
            fence.ask(waits_once, begun)
        except BackendFailure as error:
            told.append(str(error))

    at_work = threading.Thread(target=work)
    at_work.start()
    until(begun.exists)
    fence.close()
    at_work.join(LONG)
    assert len(told) == 1
    assert is_gone(before)
    assert fence.standing.state == "off"
    with pytest.raises(BackendFailure, match="closed"):
        fence.ask(who)
    assert fence.standing.state == "off"


PROGRAM = """
if __name__ == "__main__":
    import threading, time
    from pathlib import Path
    from api.fence import Fence
    from engine.load import load
    from tests.fenced import hangs, who
    fence = Fence(load(Path("tests/small/rules")))
    print(fence.ask(who), flush=True)
"""


def test_a_program_that_forgets_to_close_ends_all_the_same() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, timeout=LONG, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    until(lambda: is_gone(int(run.stdout)))


@pytest.mark.parametrize("at_work", ["time.sleep(60)", "fence.ask(hangs)"])
def test_it_ends_with_its_parent_even_where_it_hangs(at_work: str) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", f"{PROGRAM}    {at_work}\n"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    pid = int(program.stdout.readline())
    time.sleep(0.2)
    program.kill()
    program.wait()
    program.stdout.close()
    until(lambda: is_gone(pid))


# --- the service behind it ---


def test_the_service_says_how_its_fence_stands_and_goes_on_meanwhile(tmp_path: Path) -> None:
    sent = {"regime": "h200-article", "as_of": "2026-02-01", "facts": {"order.quantity": "5"}}
    with service(tmp_path, evaluator="both") as client:
        house = client.app.state.house  # type: ignore[attr-defined]
        ready = client.get("/readyz").json()
        assert (ready["status"], ready["evaluator"], ready["live"]) == ("ready", "both", "ready")
        whole = client.post("/v1/decide", json=sent).json()
        assert whole["engine"]["judged_by"] == ["reference", "live"]

        house.fence.pause = 1.5
        with pytest.raises(BackendFailure):
            house.fence.ask(dies)
        degraded = client.get("/readyz")
        assert degraded.status_code == 200
        assert degraded.json()["status"] == "ready"
        assert degraded.json()["live"] == "degraded"
        assert degraded.json()["fence"] == {
            "reason": "its process ended",
            "crashes": 2,
            "hangs": 0,
            "restarts": 1,
            "recycled": 0,
        }
        metrics = client.get("/metrics").text
        assert 'placet_live{state="degraded"} 1.0' in metrics
        assert 'placet_live{state="ready"} 0.0' in metrics
        assert 'placet_live_events{event="crashes"} 2.0' in metrics

        alone = client.post("/v1/decide", json=sent).json()
        assert alone["engine"]["judged_by"] == ["reference"]
        assert [d["code"] for d in alone["diagnostics"]] == ["B001"]
        assert (alone["outcome"], alone["findings"]) == (whole["outcome"], whole["findings"])
        counted = 'placet_judged_alone_total{regime="h200-article"} 1.0'
        assert counted in client.get("/metrics").text

        until(lambda: client.get("/readyz").json()["live"] == "ready")
        assert client.post("/v1/decide", json=sent).json() == whole


def test_a_service_of_the_reference_alone_starts_no_second_evaluator(tmp_path: Path) -> None:
    with service(tmp_path) as client:
        assert client.get("/readyz").json()["live"] == "off"
        sent = {"regime": "h200-article", "facts": {}}
        judged = client.post("/v1/decide", json=sent).json()["engine"]["judged_by"]
        assert judged == ["reference"]
        # What asks for both gets both all the same.
        house = client.app.state.house  # type: ignore[attr-defined]
        both = house.service.decide(Document(sent), Asked(739_700), "both")
        assert both["engine"]["judged_by"] == ["reference", "live"]
        assert client.get("/readyz").json()["live"] == "ready"


def test_killing_the_process_under_load_costs_no_request_and_no_answer_is_wrong(
    tmp_path: Path,
) -> None:
    quantities = list(range(1, 400))
    with server(tmp_path, PLACET_EVALUATOR="both", PLACET_RATE="1000000/second") as (
        address,
        process,
    ):
        killed = threading.Event()

        def crashes() -> int:
            found: int = httpx2.get(f"{address}/readyz", timeout=LONG).json()["fence"]["crashes"]
            return found

        def kill() -> None:
            try:
                for count in range(3):
                    until(lambda: len(fenced_by(process.pid)) == 1)
                    os.kill(fenced_by(process.pid)[0], signal.SIGKILL)
                    until(lambda: crashes() > count)  # noqa: B023
            finally:
                killed.set()

        killer = threading.Thread(target=kill)
        killer.start()
        answers: dict[int, Any] = {}
        while not killed.is_set():
            answers |= asyncio.run(_decided(address, quantities))
        killer.join(LONG)
        until(lambda: httpx2.get(f"{address}/readyz").json()["live"] == "ready")
        assert crashes() == 3
    here = Service(ROOT / "rules")
    assert list(answers) == quantities
    for quantity, (status, answer) in answers.items():
        assert status == 200
        judged = answer["engine"]["judged_by"]
        assert judged == ["reference", "live"] or answer["diagnostics"][0]["code"] == "B001"
        expected = here.decide(Document(_asked(quantity)), Asked(739_700))
        assert (answer["outcome"], answer["findings"]) == (
            expected["outcome"],
            json.loads(json.dumps(expected["findings"])),
        )
    log = (tmp_path / "server.log").read_text("utf-8")
    assert "live evaluator lost" in log
    assert "Marked" not in log


def _asked(quantity: int) -> dict[str, Any]:
    facts = {
        "item.product": "H200-SXM",
        "customer.name": "Marked Customer",
        "customer.units_to_date": 74_800,
        "order.quantity": quantity,
    }
    return {"regime": "h200-article", "as_of": "2026-02-01", "facts": facts}


async def _decided(address: str, quantities: list[int]) -> dict[int, Any]:
    """Many orders at once: the status and the decision of each."""
    limits = httpx2.Limits(max_connections=60)
    async with httpx2.AsyncClient(timeout=LONG, limits=limits) as client:

        async def one(quantity: int) -> tuple[int, Any]:
            answer = await client.post(f"{address}/v1/decide", json=_asked(quantity))
            return answer.status_code, answer.json()

        found = await asyncio.gather(*(one(quantity) for quantity in quantities))
    return dict(zip(quantities, found, strict=True))


def fenced_by(parent: int) -> list[int]:
    """The processes of a service in which the library is loaded."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rpartition(") ")[2].split()
            if int(stat[1]) == parent and "durable_rules" in (entry / "maps").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
