"""How many requests each caller may send: counted in stretches of time, in this process."""

from __future__ import annotations

import time

PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
MOST_CALLERS = 10_000
"""Callers that are counted one by one; those beyond share one count."""


class Rates:
    """The requests of each caller since the present stretch of time began."""

    def __init__(self, rate: str) -> None:
        """`rate` is `number/period`."""
        number, _, period = rate.partition("/")
        self.most = int(number)
        self.seconds = PERIODS[period]
        self.ends = 0.0
        self.counts: dict[str, int] = {}

    def wait(self, caller: str) -> int:
        """Count a request; 0, or the seconds after which this caller may send another."""
        now = time.monotonic()
        if now >= self.ends:
            self.ends = now + self.seconds
            self.counts.clear()
        if caller not in self.counts and len(self.counts) >= MOST_CALLERS:
            caller = "others"
        count = self.counts[caller] = self.counts.get(caller, 0) + 1
        return 0 if count <= self.most else int(self.ends - now) + 1
