"""Child processes for work that may take long: each does one piece at a time and can be stopped.

A sweep, a draft of rules or a run of all scenarios never holds up the decisions of others, and
nothing that a request sends can run longer or take more memory than it may.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import queue
import resource
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from api.service import Service
from engine.diagnostics import PlacetError

MEMORY = 2**30
"""Bytes of address space that a child may take; one that has read the rules takes some 40 MB."""
MOST_WAITING = 16
"""Callers that wait for a child; each holds a thread."""
PAUSE = 5
"""Seconds before a child that could not even begin is started again."""

_CONTEXT = multiprocessing.get_context("spawn")
_STARTING = threading.Lock()
_NO_MEMORY = 12
"""How a child ends that would need more memory."""


class TookTooLong(Exception):
    """The work was stopped when its time was over."""


class TookTooMuch(Exception):
    """The work was stopped when it would have taken more memory than it may."""


class NoneFree(Exception):
    """Every child was busy for as long as the caller could wait."""


class WorkerLost(Exception):
    """The child was ended from outside while it worked."""


class WorkFailed(Exception):
    """A fault of ours in the work: its kind and place, never its values, which may be an order's."""


Task = Callable[..., Any]
"""A function of a module: first it is given what the child made ready; its result can be pickled."""


@dataclass(slots=True)
class Workers:
    """A few children that have read the rules already."""

    rules: Path
    count: int = 2
    memory: int = MEMORY
    lost: int = 0
    """How many children were stopped or ended by themselves."""
    _free: queue.Queue[Child] = field(default_factory=queue.Queue)
    _all: set[Child] = field(default_factory=set)
    _waiting: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(MOST_WAITING)
    )
    _closed: bool = False

    def __post_init__(self) -> None:
        # At the end of a program others would wait for the children, which are deaf to signals.
        atexit.register(self.close)
        for _ in range(self.count):
            self._free.put(self._start())

    def ask(self, task: Task, *args: Any, seconds: float) -> Any:
        """Do a piece of work. Raises the rejection that it raised, or why it was not finished."""
        end = time.monotonic() + seconds
        child = self._take(seconds / 2)
        try:
            child = self._alive(child)
            return child.ask(task, args, end)
        except (TookTooLong, TookTooMuch, WorkerLost):
            child.end()
            with suppress(NoneFree):
                child = self._alive(child)
            raise
        finally:
            self._free.put(child)

    def mend(self) -> None:
        """Replace children that were ended while nothing was asked of them."""
        for _ in range(self.count):
            try:
                child = self._free.get_nowait()
            except queue.Empty:
                return
            try:
                child = self._alive(child)
            except NoneFree:
                pass
            finally:
                self._free.put(child)

    def close(self) -> None:
        """End all children, those at work included."""
        self._closed = True
        atexit.unregister(self.close)
        for child in list(self._all):
            child.end()

    def _take(self, seconds: float) -> Child:
        """A free child; half the time is left for the work itself."""
        if not self._waiting.acquire(blocking=False):
            raise NoneFree
        try:
            return self._free.get(timeout=seconds)
        except queue.Empty:
            raise NoneFree from None
        finally:
            self._waiting.release()

    def _alive(self, child: Child) -> Child:
        """The child, or one in its place if it has ended; one that cannot begin has to wait."""
        if child.process.is_alive():
            return child
        hopeless = not child.has_begun(0) and time.monotonic() < child.started + PAUSE
        if self._closed or hopeless:
            raise NoneFree
        self.lost += 1
        self._all.discard(child)
        return self._start()

    def _start(self) -> Child:
        child = Child(self.memory, _service, self.rules)
        self._all.add(child)
        if self._closed:  # in the meantime, by a thread that did not see this one
            child.end()
        return child


class Child:
    """A process that does one piece of work at a time, and can be ended.

    In it `prepare` makes what its tasks are given first, before anything is asked of it.
    """

    def __init__(self, memory: int, prepare: Callable[..., Any], *args: Any) -> None:
        self.pipe, theirs = _CONTEXT.Pipe()
        self.started = time.monotonic()
        self.begun = False
        self.is_limited = False
        self.process = _CONTEXT.Process(
            target=_work, args=(theirs, memory, prepare, args), daemon=True
        )
        # The first start of a process is not safe in several threads at once. Ctrl-C at a terminal
        # and the signal to stop may reach the children too, which are the parent's to end: they
        # start with these blocked, so that requests in flight finish.
        with _STARTING:
            # It starts with the first child otherwise, and takes the block away again.
            resource_tracker.ensure_running()
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
            try:
                self.process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def has_begun(self, seconds: float) -> bool:
        """Whether it is ready for work; waits so long for it. Raises nothing."""
        with suppress(EOFError, OSError):
            if not self.begun and self.pipe.poll(seconds):
                self.pipe.recv()
                self.begun = True
        return self.begun

    def ask(self, task: Task, args: tuple[Any, ...], end: float) -> Any:
        """Let it work until a moment. Raises what the work raised, or why it was not finished.

        A pipe whose owner limits the time of each reading and writing is not asked beforehand.
        """
        if not self.has_begun(max(0.0, end - time.monotonic())):
            raise NoneFree
        try:
            self.pipe.send((task, args))
            if not self.is_limited and not self.pipe.poll(max(0.0, end - time.monotonic())):
                raise TookTooLong
            kind, result = self.pipe.recv()
        except BlockingIOError:
            raise TookTooLong from None
        except (EOFError, OSError):
            self.process.join(1)
            raise (TookTooMuch if self.process.exitcode == _NO_MEMORY else WorkerLost) from None
        if kind == "done":
            return result
        if kind == "told":
            raise result[0](result[1])
        raise WorkFailed(result)

    def limit(self, seconds: float) -> None:
        """Let no single reading or writing wait longer: it may hang in the midst of either."""
        time_limit = struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))
        pipe = socket.socket(fileno=self.pipe.fileno())
        try:
            for way in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
                pipe.setsockopt(socket.SOL_SOCKET, way, time_limit)
        finally:
            pipe.detach()
        self.is_limited = True

    def end(self) -> None:
        """End it at once, whatever it does."""
        self.process.kill()
        self.process.join()


def _service(rules: Path) -> Service:
    """What tasks of the service are given: a service that has read the rules, if they are sound."""
    service = Service(rules)
    with suppress(PlacetError):
        service.rulebook()
    return service


def _work(
    pipe: Connection, memory: int, prepare: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    """Work until the parent is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    ready = prepare(*args)
    said: tuple[str, Any] = ("begun", None)
    try:
        while True:
            pipe.send(said)
            task, given = pipe.recv()
            said = _done(task, ready, given)
    except (EOFError, OSError):
        pass
    except MemoryError:  # by what was asked or answered: the work itself tells it below
        os._exit(_NO_MEMORY)


def _done(task: Task, ready: Any, args: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "done", task(ready, *args)
    except PlacetError as error:
        return "told", (type(error), error.diagnostics)
    except MemoryError:
        os._exit(_NO_MEMORY)
    except Exception as error:
        return "failed", place_of(error)


def place_of(error: BaseException) -> str:
    """What failed and where, without values: they may be those of an order."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return type(error).__name__
    code = place.tb_frame.f_code
    file = "/".join(Path(code.co_filename).parts[-2:])
    return f"{type(error).__name__} in {code.co_qualname} ({file}:{place.tb_lineno})"


def _end_with_parent() -> None:
    """End even in the middle of work when the parent is gone: nobody would stop it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
