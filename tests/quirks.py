"""What durable_rules does, in small programs for processes of their own: many crash or hang.

Called with a program, seconds of processor time and arguments as JSON.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import random
import re
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import durable.engine
from durable.engine import Closure, Host

Data = dict[str, Any]
Action = Callable[[Closure], None]

ENOUGH = 1_000
"""Firings of one fact after which nobody waits for the last."""

OPERATORS = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "!=": "$neq"}
EVENTS = ("review", "ship", "deny", "withdraw", "amend")
MOVES = {
    "filed": {"review": "reviewed", "withdraw": "ended"},
    "reviewed": {"ship": "shipped", "deny": "ended", "withdraw": "ended"},
    "shipped": {"amend": "reviewed", "withdraw": "ended"},
    "ended": {},
}


class QuietHost(Host):  # type: ignore[misc]  # the library has no types
    """A host whose two timer threads never start."""

    def _run(self) -> None:
        pass


def say(*values: object) -> None:
    sys.stdout.write(json.dumps(values[0] if len(values) == 1 else values) + "\n")
    sys.stdout.flush()


def fault(call: Callable[..., object], *given: object) -> str:
    """Say how a call ended: `fine`, the library's error code, or what was raised."""
    try:
        call(*given)
    except Exception as raised:
        code = re.search(r"error code: (\d+)", str(raised))
        return f"error {code[1]}" if code else type(raised).__name__
    return "fine"


def nothing(_: Closure) -> None:
    pass


def adds(log: list[Any], what: object) -> Action:
    return lambda _: log.append(what)


def rule(*patterns: Data, run: Action = nothing) -> Data:
    return {"all": [{"m": {"$and": list(patterns)}}], "run": run}


def one_rule(run: Action = nothing) -> QuietHost:
    return QuietHost({"r": {"x": rule({"x": 1}, run=run)}})


def of(sid: object, name: object = "1", **fields: object) -> Data:
    return {"sid": str(sid), "id": str(name), **(fields or {"x": 1})}


def live_states(number: int, deleted: bool) -> None:
    host = one_rule()
    for made in range(number):
        if (ended := fault(host.assert_fact, "r", of(made))) != "fine":
            say(made, ended)
            return
        if deleted:
            host.delete_state("r", str(made))
    say(number, "fine")


def touch_the_refused_state(how: str) -> None:
    host = one_rule()
    for made in range(1_025):
        fault(host.assert_fact, "r", of(made))
    say("ready")
    if how == "assert":
        fault(host.assert_fact, "r", of(1_024, "2"))
    else:
        fault(host.delete_state, "r", "1024")
    say("alive")


def delete_unknown() -> None:
    host = one_rule()
    host.assert_fact("r", of("a"))
    say(fault(host.delete_state, "r", "b"))
    say(fault(host.delete_state, "r", "a"))
    say(fault(host.delete_state, "r", "a"))


def delete_without_action(used_before: bool) -> None:
    host = one_rule()
    if used_before:
        host.assert_fact("r", of("a"))
        host.delete_state("r", "a")
    say(fault(host.assert_fact, "r", of("b", x=2)))
    host.delete_state("r", "b")
    say("alive")


def threads_of(quiet: bool) -> None:
    before = threading.active_count()
    kind = QuietHost if quiet else Host
    kind({"r": {"x": rule({"x": 1})}})
    say(threading.active_count() - before)
    os._exit(0)


def batch_over_two_states(quiet: bool) -> None:
    ran: dict[str, bool] = {}

    def note(c: Closure) -> None:
        ran[c.s.sid] = threading.current_thread() is threading.main_thread()

    kind = QuietHost if quiet else Host
    host = kind({"r": {"x": rule({"x": 1}, run=note)}})
    host.assert_facts("r", [of("a"), of("b")])
    end = time.monotonic() + 10
    while not quiet and len(ran) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    say(ran)
    os._exit(0)


def dispatch(deleted: list[str]) -> None:
    """Do by hand what a timer thread does five times a second."""
    # So many rules that what a deleted state held is no small piece, which Python would use again.
    host = QuietHost({"r": {str(i): rule({"x": 1}) for i in range(200)}})
    for sid in "ab":
        host.assert_fact("r", of(sid))
    for sid in deleted:
        host.delete_state("r", sid)
    say("ready")
    host.get_ruleset("r").dispatch()
    say("alive")


def four_threads(quiet: bool, seconds: float) -> None:
    kind = QuietHost if quiet else Host
    host = kind({"r": {"x": rule({"x": 1})}})
    # Turns are shorter than a decision, so that decisions of several threads overlap.
    sys.setswitchinterval(1e-5)
    end = time.monotonic() + seconds
    counts = [0] * 4

    def decide(thread: int) -> None:
        while time.monotonic() < end:
            counts[thread] += 1
            sid = f"{thread}-{counts[thread]}"
            if fault(host.assert_facts, "r", [of(sid, name) for name in range(4)]) != "fine":
                return
            fault(host.delete_state, "r", sid)

    say("ready")
    threads = [threading.Thread(target=decide, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say(all(count > 10 for count in counts))
    os._exit(0)


def fires(cases: list[tuple[list[Data], Data]]) -> None:
    """Say for each case how often the one rule fires, or the fault."""
    for patterns, fields in cases:
        log: list[int] = []
        host = QuietHost({"r": {"only": rule(*patterns, run=adds(log, 1))}})
        ended = fault(host.assert_fact, "r", of("a", **fields))
        say(len(log) if ended in ("fine", "MessageNotHandledException") else ended)


def compares(values: list[int], with_constants: bool) -> None:
    """Say for every two values which comparisons of the first with the second fire."""
    log: list[str] = []
    for left, right in itertools.product(values, values):
        side: object = right if with_constants else {"$m": "right"}
        rules = {
            sign: rule({operator: {"left": side}}, run=adds(log, sign))
            for sign, operator in OPERATORS.items()
        }
        rules["=="] = rule({"left": side}, run=adds(log, "=="))
        log.clear()
        QuietHost({"r": rules}).assert_fact("r", of("a", left=left, right=right))
        say(left, right, sorted(log))


def batch(facts: list[Data]) -> None:
    """Say how a batch ended, what fired, and what fired once the next fact came."""
    log: list[int] = []
    host = QuietHost(
        {"r": {"x": rule({"$gte": {"x": 0}}, run=lambda c: log.append(c.m.x))}},
    )
    say(fault(host.assert_facts, "r", facts), sorted(log))
    host.assert_fact("r", of("a", "last", x=9))
    say(sorted(log))


def asserts(facts: list[Data]) -> None:
    """Assert one after the other; say how each ended, and how often rules fired in all."""
    log: list[int] = []
    host = QuietHost({"r": {"x": rule({"$gte": {"units": 0}}, run=adds(log, 1))}})
    say([fault(host.assert_fact, "r", fact) for fact in facts], len(log))


def events_and_facts() -> None:
    for how in ("post", "assert_fact"):
        log: list[str] = []
        host = QuietHost(
            {
                "r": {
                    "first": rule({"x": 1}, run=adds(log, "first")),
                    "second": rule({"x": 1}, run=adds(log, "second")),
                    "third": rule({"$gt": {"x": 0}}, run=adds(log, "third")),
                }
            }
        )
        getattr(host, how)("r", of("a"))
        say(how, log)


def action_faults() -> None:
    def unmatched(c: Closure) -> None:
        c.assert_fact({"id": "2", "y": 1})

    def observed(c: Closure) -> None:
        c.assert_fact({"id": "1", "x": 1})

    def raises(c: Closure) -> None:
        raise ValueError("of ours")

    for run in (nothing, unmatched, observed, raises):
        host = one_rule(run)
        answered = host.assert_fact("r", of("a"))
        say(run.__name__, "exception" in answered, "exception" in host.get_state("r", "a"))


def action_with_two_arguments() -> None:
    log: list[str] = []

    def note(c: Closure, name: str = "default") -> None:
        log.append(type(name).__name__)

    say(one_rule(note).assert_fact("r", of("a")), log)


def action_that_outlasts(seconds: float) -> None:
    now = durable.engine._unix_now()
    log: list[int] = []

    def lasts(c: Closure) -> None:
        log.append(1)
        durable.engine._unix_now = lambda: now + seconds

    durable.engine._unix_now = lambda: now
    say(isinstance(one_rule(lasts).assert_fact("r", of("a")), dict), len(log))


def matched(rules: dict[str, Data], log: list[int], fields: Data) -> None:
    """Register, assert one fact, say how both ended and how many rules fired."""
    hosts: list[QuietHost] = []
    say(fault(lambda: hosts.append(QuietHost({"r": rules}))))
    for host in hosts:
        say(fault(host.assert_fact, "r", of("a", **fields)), len(log))


def conditions(number: int, shape: str) -> None:
    """Have one condition a rule, all of them met by one fact."""
    log: list[int] = []
    run = adds(log, 1)
    patterns: Iterable[list[Data]]
    fields: Data = {"rule": "r", "x": number}
    match shape:
        case "fields":
            patterns = ([{f"f{i}": "t"}] for i in range(number))
            fields |= {f"f{i}": "t" for i in range(number)}
        case "values":
            patterns = ([{"$gte": {"x": i}}] for i in range(number))
        case "below a name":
            patterns = ([{"rule": "r"}, {"$gte": {"x": i}}] for i in range(number))
        case "one after the other":
            patterns = [[{"$gte": {"x": i}} for i in range(number)]]
        case "the same":
            patterns = ([{"rule": "r"}] for i in range(number))
        case "absences":
            patterns = ([{"rule": "r"}, {"$nex": {f"f{i}": 1}}] for i in range(number))
        case _:
            raise ValueError(shape)
    matched({str(i): rule(*each, run=run) for i, each in enumerate(patterns)}, log, fields)


def names(number: int, groups: int) -> None:
    """Tell rules apart by a name, of which a fact has one; optionally by a group before it."""
    log: list[int] = []
    rules = {}
    for i in range(number):
        group = [{"group": i % groups}] if groups else []
        rules[str(i)] = rule(*group, {"rule": f"n{i}"}, run=adds(log, 1))
    matched(rules, log, {"group": 0, "rule": "n0"})


def firings(patterns: list[Data]) -> None:
    count = 0

    def note(c: Closure) -> None:
        nonlocal count
        count += 1
        if count == ENOUGH:
            say(count)
            os._exit(0)

    host = QuietHost({"r": {"only": rule(*patterns, run=note)}})
    host.assert_fact("r", of("a", x=1))
    say(count)


def chart(moves: dict[str, dict[str, str]], log: list[Any], opened: bool, refused: bool) -> Data:
    """Write stages as a statechart; the first named is the first stage."""
    stages: Data = {}
    if opened:
        first = next(iter(moves))
        stages["new"] = {"open": {"to": first, "all": [{"m": {"event": "open"}}], "run": nothing}}
    for stage, exits in moves.items():
        triggers = {
            event: {"to": to, "all": [{"m": {"event": event}}], "run": adds(log, [stage, event])}
            for event, to in exits.items()
        }
        if refused:
            others = [{"$ex": {"event": 1}}, *({"$neq": {"event": event}} for event in exits)]
            triggers["refuse"] = {
                "to": stage,
                "all": [{"m": {"$and": others}}],
                "run": adds(log, [stage, "refused"]),
            }
        stages[stage] = triggers
    return {"c$state": stages}


def register_chart(opened: bool, refused: bool) -> None:
    try:
        QuietHost(chart(MOVES, [], opened, refused))
    except Exception as raised:
        say(str(raised))
    else:
        say("fine")


def follow(events: list[str], opened: bool, refused: bool) -> None:
    """Post events to one case; say after each what has happened."""
    log: list[Any] = []
    host = QuietHost(chart(MOVES, log, opened, refused))
    for name, event in enumerate(["open", *events] if opened else events):
        log.clear()
        ended = fault(host.post, "c", of("a", name, event=event))
        say(event, log if ended == "fine" else ended)


def cases(number: int, opened: bool, refused: bool) -> None:
    """Say how many of so many cases differ from a plain reading of the moves."""
    chance = random.Random(number)
    log: list[Any] = []
    host = QuietHost(chart(MOVES, log, opened, refused))
    differing = 0
    for sid in range(number):
        events = [chance.choice(EVENTS) for _ in range(chance.randint(1, 8))]
        log.clear()
        for name, event in enumerate(["open", *events] if opened else events):
            fault(host.post, "c", of(sid, name, event=event))
        host.delete_state("c", str(sid))
        differing += log != plainly(events, refused)
    say(differing)


def plainly(events: list[str], refused: bool) -> list[list[str]]:
    stage, log = next(iter(MOVES)), []
    for event in events:
        if event in MOVES[stage]:
            log.append([stage, event])
            stage = MOVES[stage][event]
        elif refused:
            log.append([stage, "refused"])
    return log


def stages_in_a_row(number: int) -> None:
    """Open a chart in which each stage takes one kind of event and refuses all others."""
    moves: dict[str, dict[str, str]] = {f"s{i}": {f"e{i}": f"s{i + 1}"} for i in range(number)}
    moves[f"s{number}"] = {}
    host = QuietHost(chart(moves, [], True, True))
    say(fault(host.post, "c", of("a", event="open")))


def memory(rulesets: int, freed: bool) -> None:
    """Say by how many bytes the process grows with so many rulesets, used and let go of."""

    def use() -> None:
        host = QuietHost({"r": {str(i): rule({"rule": i}) for i in range(100)}})
        host.assert_fact("r", of("a", rule=1))
        host.delete_state("r", "a")
        if freed:
            durable.engine.durable_rules_engine.delete_ruleset(host.get_ruleset("r")._handle)

    use()
    before = resident()
    for _ in range(rulesets):
        use()
        gc.collect()
    say(resident() - before)


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def registry() -> None:
    from durable import lang

    def declare() -> None:
        with lang.ruleset("r"):
            lang.when_all(lang.m.x == 1)(lambda c: None)

    before = threading.active_count()
    declare()
    say("declared", list(lang._rulesets), threading.active_count() - before)
    say("host", lang.get_host() is lang.get_host(), threading.active_count() - before)
    declare()
    try:
        lang.get_host()
    except Exception as raised:
        say(str(raised))
    os._exit(0)


if __name__ == "__main__":
    program, seconds, *arguments = sys.argv[1:]
    # Crashes are meant: nobody reads a core. Processor time tells a hang on a busy machine too.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_PROF, float(seconds))
    globals()[program](*map(json.loads, arguments))
