"""What the routes share: rules, store, workers, metrics; opened and closed with the service."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import structlog

from api.app.metrics import Metrics
from api.app.sessions import Sessions
from api.casebook import Cases
from api.casework import Casework
from api.disagreements import keep
from api.fence import Fence
from api.runs import Exercised, exercised
from api.service import Asked, Service
from api.settings import Serving, Settings
from api.store import Drafts, Store
from api.stories import Story, read_stories
from api.to_date import filled
from api.worker import NoneFree, Task, TookTooLong, TookTooMuch, WorkerLost, Workers
from engine.concord import rules_apart
from engine.decide import Decision
from engine.diagnostics import Diagnostic, OrderRejected
from engine.order import (
    Document,
    order_from,
    read_envelope,
    read_parameters,
    read_without,
)
from engine.scenario import read_scenario
from engine.values import MAX_TEXT

T = TypeVar("T")
_LONGEST_RUN = 8
"""Seconds that a page waits for the scenarios of a rule set, which run once."""
_IN_LINE = 4
"""Threads in which requests wait for the fence, which serves one after the other."""


@dataclass(slots=True)
class House:
    """One running service."""

    chosen: Settings
    serving: Serving
    metrics: Metrics
    sessions: Sessions
    service: Service = field(init=False)
    workers: Workers = field(init=False)
    fence: Fence = field(init=False)
    store: Store = field(init=False)
    drafts: Drafts = field(init=False)
    casework: Casework = field(init=False)
    shipped: Mapping[str, Story] = field(init=False)
    """The shipped scenarios by id."""
    opened: bool = False
    line: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_IN_LINE))
    """Who waits for the fence; the threads of pages stay free."""
    _exercised: dict[str, Exercised] = field(default_factory=dict)
    _exercising: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Read rules and scenarios, open the store, start what runs beside; once.

        Raises `RulesRejected`, `OrderRejected` or `StoreError`.
        """
        if self.opened:
            return
        self.service = Service(self.chosen.rules)
        self.service.rulebook()
        self.service.live = self.fence = Fence(self.service.rulebook(), tell=_tell)
        self.shipped = read_stories(self.scenarios)
        self.store = Store.open(self.serving.store)
        self.drafts = Drafts(self.store)
        self.casework = Casework(self.service, Cases(self.store), self.differs)
        self.workers = Workers(self.chosen.rules, self.serving.workers)
        if self.asks_live:
            self.fence.open()
        self.opened = True

    def close(self) -> None:
        """Stop what runs beside; once."""
        if not self.opened:
            return
        self.opened = False
        self.workers.close()
        self.fence.close()
        self.line.shutdown(cancel_futures=True)
        self.store.close()

    @property
    def scenarios(self) -> Path:
        """The folder of the shipped scenarios."""
        return self.chosen.scenarios

    def today(self) -> int:
        """The present US Eastern calendar day."""
        return datetime.now(ZoneInfo("America/New_York")).date().toordinal()

    @property
    def asks_live(self) -> bool:
        """Whether orders are judged by another process too, for which the caller has to wait."""
        return self.serving.evaluator != "reference"

    def decide(self, asked_of: Document, asked: Asked) -> Decision:
        """Decide an order by the evaluators of this service. Raises `OrderRejected`.

        Raises `BackendFailure` where live alone should judge and cannot be asked.
        """
        return self.service.decide(asked_of, asked, self.serving.evaluator)

    async def in_line(self, work: Callable[..., T], *args: Any) -> T:
        """Do work that waits for the fence, while the loop serves others."""
        return await asyncio.get_running_loop().run_in_executor(self.line, partial(work, *args))

    def mend(self) -> None:
        """Replace processes that were ended while nothing was asked of them."""
        self.workers.mend()
        self.fence.mend()

    def filled(self, document: Document) -> Document:
        """A request with the chips to date that the ledger of its workspace counts, if it names one."""
        vocabulary = self.service.rulebook().vocabulary
        return filled(self.casework.cases, vocabulary, document, self.today())

    def decided(self, decisions: Sequence[Decision]) -> None:
        """Count decisions; what their orders say is logged only where that was asked for."""
        known = self.service.rulebook().regimes
        for decision in decisions:
            id = decision["regime"]["id"]
            # A draft names its outcomes as it likes: as labels they would be without number.
            by = (id, decision["outcome"]) if id in known else ("draft", decision["status"])
            self.metrics.decisions.labels(*by).inc()
            self.doubted(decision)
            if self.serving.log_contents:
                structlog.get_logger("placet").info(
                    "decided", regime=id, outcome=decision["outcome"], facts=decision["facts"]
                )

    def doubted(self, decision: Decision) -> None:
        """Count, log and keep an order on which evaluators disagree, or that one alone judged."""
        if not decision["diagnostics"]:
            return
        regime = decision["regime"]
        rules = rules_apart(decision["diagnostics"])
        if rules is None:
            self.metrics.alone.labels(regime["id"]).inc()
            return
        self.metrics.disagreements.labels(regime["id"]).inc()
        log = structlog.get_logger("placet")
        log.error(
            "evaluators disagree",
            regime=regime["id"],
            digest=regime["digest"],
            as_of=regime["as_of"],
            rules=rules,
        )
        if self.serving.disagreements is not None:
            try:
                keep(self.serving.disagreements, self.service.rulebook().vocabulary, decision)
            except OSError as error:
                log.error("disagreement not kept", why=error.strerror)

    def differs(self, process: str, event: str) -> None:
        """Count and log that two evaluators disagree on an event; what it said stays unsaid."""
        self.metrics.disagreements.labels(process).inc()
        structlog.get_logger("placet").error("evaluators disagree", process=process, sent=event)

    def aside(self, task: Task, *args: Any) -> Any:
        """Do work in a child process, within the time of a request."""
        return self.workers.ask(task, *args, seconds=self.serving.seconds)

    def exercised(self, regime: str) -> Exercised | None:
        """The runs of shipped scenarios by rule and status, worked out once; none without time."""
        if regime not in self._exercised and self._exercising.acquire(timeout=_LONGEST_RUN):
            try:
                if regime not in self._exercised:
                    self._exercised[regime] = self.workers.ask(
                        exercised, self.scenarios, regime, seconds=_LONGEST_RUN
                    )
            except (NoneFree, TookTooLong, TookTooMuch, WorkerLost):
                return None
            finally:
                self._exercising.release()
        return self._exercised.get(regime)

    def read_draft(self, document: Document) -> tuple[str, str]:
        """Check a draft before it is kept; its title and rule set. Raises `OrderRejected`.

        Its order must be readable; it need not have a title, a story or expectations.
        """
        vocabulary = self.service.rulebook().vocabulary
        faults: list[Diagnostic] = []
        envelope = read_envelope(document, vocabulary, faults)
        if envelope.is_bare:
            help = "put the facts under `facts:`, beside `regime:`"
            raise OrderRejected(
                [Diagnostic("O302", document.at(), "a draft is an envelope with `facts`", help)]
            )
        order_from(vocabulary, envelope.facts, faults)
        title = _title(document, faults)
        if envelope.regime is not None:
            try:
                _, regime = self.service.regime(envelope.regime, document.at("regime"))
                read_parameters(regime, envelope.parameters, faults)
                read_without(regime, envelope.without, faults)
            except OrderRejected as error:
                faults += error.diagnostics
        if faults:
            raise OrderRejected(faults)
        if "expect" in document.data or "vary" in document.data:
            read_scenario(document)
        return title, envelope.regime or ""


def _tell(event: str, why: str) -> None:
    """What happens to the fence, in the log."""
    level = "info" if event == "mended" else "warning"
    getattr(structlog.get_logger("placet"), level)(f"live evaluator {event}", why=why)


def _title(document: Document, faults: list[Diagnostic]) -> str:
    """The title of a draft: one text, or one in each language."""
    match document.data.get("title"):
        case None:
            return ""
        case str() as text if len(text) <= MAX_TEXT:
            return text
        case {"en": str() as en, "zh": str() as zh, **others} if (
            not others and max(len(en), len(zh)) <= MAX_TEXT
        ):
            return en if en == zh else f"{en} / {zh}"
    message = f"a title is a text of at most {MAX_TEXT} characters, or one in each language"
    faults.append(Diagnostic("O302", document.at("title"), message, "write {en: …, zh: …}"))
    return ""
