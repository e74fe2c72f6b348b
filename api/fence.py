"""The fence around the live back end: a process of its own does its work, one piece at a time.

The library in it may crash or hang. Then the process is ended and replaced, and the work is done
once more. If that fails too the fence is degraded: it says so and mends itself in the background.
"""

from __future__ import annotations

import atexit
import pickle
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from api.bench import counted, judge, open_bench, walk
from api.worker import Child, Task, TookTooLong, TookTooMuch, WorkerLost, WorkFailed
from engine.concord import Verdict
from engine.decide import Policy
from engine.diagnostics import BackendFailure, Diagnostic, PlacetError, Source, Span
from engine.ir import Regime
from engine.lifecycle import Happening, Outline, State
from engine.load import Rulebook
from engine.order import Order
from engine.process import Process
from engine.values import Value

MEMORY = 2**30
"""Bytes of address space that the process may take; one that has judged takes some 100 MB."""
SECONDS = 1.0
"""Time for one piece of work, once the process has begun; an order takes a thousandth of it."""
BEGIN = 15.0
"""Seconds in which a process reads the rules and loads the library; half a one is usual."""
PAUSE = 3.0
"""Seconds between two attempts to mend a degraded fence."""
MOST_RULESETS = 500
"""Rulesets that a process registers, once begun, before it is recycled: none is ever freed."""
MOST_WORK = 200_000
"""Pieces of work that a process does before it is recycled: so many were tried in one."""
_LATE = "its process did not answer in time"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a fence stands, and what happened to its processes so far."""

    state: Literal["ready", "degraded", "off"]
    reason: str
    """Why it is degraded."""
    crashes: int
    """How often the process ended, could not begin, or the library in it failed."""
    hangs: int
    restarts: int
    recycled: int

    def counts(self) -> dict[str, int]:
        """What happened, by name."""
        names = ("crashes", "hangs", "restarts", "recycled")
        return {name: getattr(self, name) for name in names}


def _nobody(event: str, why: str) -> None:
    pass


class Fence:
    """One process that works by the rules of a service; it is started when it is first needed.

    `tell` hears what happens to the process and why, never what the work was about.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        *,
        tell: Callable[[str, str], None] = _nobody,
        seconds: float = SECONDS,
        pause: float = PAUSE,
        most_rulesets: int = MOST_RULESETS,
        most_work: int = MOST_WORK,
        memory: int = MEMORY,
    ) -> None:
        self.rulebook = rulebook
        self.tell = tell
        self.seconds = seconds
        self.pause = pause
        self.most_rulesets = most_rulesets
        self.most_work = most_work
        self.memory = memory
        facts = rulebook.vocabulary.facts.values()
        self._texts = tuple(fact.slot for fact in facts if fact.type.kind == "text")
        self._book = b""
        self._child: Child | None = None
        self._all: set[Child] = set()
        self._started = False
        self._reason = ""
        self._lost = False
        self._recycling = False
        self._done = 0
        self._crashes = self._hangs = self._restarts = self._recycled = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        # At the end of a program others would wait for the process, which is deaf to signals.
        atexit.register(self.close)

    @property
    def standing(self) -> Standing:
        """How the fence stands at this moment."""
        state: Literal["ready", "degraded", "off"] = "off"
        if self._started and not self._closed.is_set():
            state = "degraded" if self._reason else "ready"
        counts = (self._crashes, self._hangs, self._restarts, self._recycled)
        return Standing(state, self._reason, *counts)

    def open(self) -> None:
        """Start the process before it is needed; one that cannot begin leaves a degraded fence."""
        with self._lock:
            if self._child is None and not self._reason:
                self._begin()

    def close(self) -> None:
        """End all processes, one at work included."""
        self._closed.set()
        atexit.unregister(self.close)
        for child in list(self._all):
            self._end(child)

    def verdict(self, regime: Regime, policy: Policy, order: Order) -> Verdict:
        """What the live back end finds on an order. Raises `BackendFailure`.

        Texts are never judged, and what somebody wrote has no business in the library.
        """
        values: list[Value] = list(order.values)
        for slot in self._texts:
            values[slot] = None
        return Verdict(*self.ask(judge, regime.id, policy, values))

    def walked(
        self, process: Process, order: Order, state: State, happening: Happening
    ) -> Outline:
        """What an event comes to in a case. Raises `BackendFailure`."""
        # Texts are never judged, and what somebody wrote has no business in the library.
        facts = process.vocabulary.facts

        def bare(values: Mapping[str, Value], prefix: str = "") -> dict[str, Value]:
            kinds = ((name, facts[prefix + name].type.kind) for name in values)
            return {name: values[name] for name, kind in kinds if kind != "text"}

        stated = bare(order.stated)
        state = replace(state, kept={**dict.fromkeys(state.kept), **bare(state.kept)})
        fields = {**dict.fromkeys(happening.fields), **bare(happening.fields, "event.")}
        told = replace(happening, fields=fields)
        found: Outline = self.ask(walk, process.id, stated, state, told)
        return found

    def ask(self, task: Task, *args: Any) -> Any:
        """Do a piece of work behind the fence: `task(bench, *args)`.

        Raises the rejection that it raised, or `BackendFailure` where it could not be done.
        """
        with self._lock:
            why = ""
            for _ in range(2):
                child = self._child or self._begin()
                if child is None:
                    break
                work = (task, args, self.seconds)
                try:
                    result, rulesets = child.ask(counted, work, time.monotonic() + self.seconds)
                except TookTooLong:
                    why = _LATE
                except WorkerLost:
                    why = "its process ended"
                except TookTooMuch:
                    why = "its process took too much memory"
                except WorkFailed as error:
                    why = f"its work failed: {error}"
                except PlacetError as error:
                    # After this one the library answers no more; its message may hold values.
                    if error.diagnostics[0].code != "B001":
                        raise
                    why = "the library failed"
                except BaseException:
                    # An answer that nobody fetched would be taken for the one to the next question.
                    self._let_go(child)
                    raise
                else:
                    self._recycle_where_worn(child, rulesets)
                    return result
                self._count_loss(child, why)
            if why and not self._reason:
                self._degrade(why)
            raise _failure("it is closed" if self._closed.is_set() else self._reason)

    def mend(self) -> None:
        """Replace a process that was ended while nothing was asked of it."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._child is not None and not self._child.process.is_alive():
                self._count_loss(self._child, "its process ended")
                self._begin()
        finally:
            self._lock.release()

    # --- with the lock held ---

    def _begin(self) -> Child | None:
        """A process ready for work, unless the fence is or gets degraded."""
        if self._reason or self._closed.is_set():
            return None
        self._child = self._begun()
        self._done = 0
        if self._child is None:
            self._degrade("its process cannot begin")
        return self._child

    def _count_loss(self, child: Child, why: str) -> None:
        if not self._closed.is_set():
            self._hangs += why == _LATE
            self._crashes += why != _LATE
            self.tell("lost", why)
        self._let_go(child)

    def _let_go(self, child: Child) -> None:
        self._child = None
        self._lost = True
        self._end(child)

    def _degrade(self, why: str) -> None:
        if not self._closed.is_set():
            self._reason = why
            self.tell("degraded", why)
            threading.Thread(target=self._heal, daemon=True).start()

    def _recycle_where_worn(self, child: Child, rulesets: int) -> None:
        self._done += 1
        worn = rulesets >= self.most_rulesets or self._done >= self.most_work
        if worn and not self._recycling:
            self._recycling = True
            threading.Thread(target=self._recycle, args=(child,), daemon=True).start()

    # --- without the lock, which nobody waits for while a process begins ---

    def _heal(self) -> None:
        """Start a process again and again, with pauses, until one begins."""
        while not self._closed.wait(self.pause):
            child = self._begun()
            if child is not None:
                with self._lock:
                    self._child, self._done, self._reason = child, 0, ""
                self.tell("mended", "")
                return

    def _recycle(self, worn: Child) -> None:
        """Put a fresh process in the place of a worn one, which works until the other has begun."""
        fresh = self._begun()
        if fresh is None:
            self._closed.wait(self.pause)
        else:
            with self._lock:
                taken = self._child is worn
                if taken:
                    self._child, self._done = fresh, 0
                    self._recycled += 1
            self._end(worn if taken else fresh)
        self._recycling = False

    def _begun(self) -> Child | None:
        """A new process that is ready for work, or none."""
        self._started = True
        self._book = self._book or pickle.dumps(self.rulebook, pickle.HIGHEST_PROTOCOL)
        try:
            child = Child(self.memory, open_bench, self._book)
        except OSError:
            return None
        self._all.add(child)
        self._restarts += self._lost
        self._lost = False
        if child.has_begun(0 if self._closed.is_set() else BEGIN):
            child.limit(self.seconds)
            return child
        self._lost = True
        self._crashes += not self._closed.is_set()
        self._end(child)
        return None

    def _end(self, child: Child) -> None:
        child.end()
        self._all.discard(child)


def _failure(why: str) -> BackendFailure:
    place = Span(Source("live"))
    help = "try again after a moment; `--evaluator reference` needs no second evaluator"
    return BackendFailure(
        [Diagnostic("B001", place, f"the live evaluator could not be asked: {why}", help)]
    )
