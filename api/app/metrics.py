"""Counters and clocks for Prometheus; each service has its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from api.fence import Standing

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What the service counts; labels come from routes and rules, never from what orders say."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "placet_requests", "Requests", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "placet_request_seconds",
            "Seconds per request",
            ["route"],
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self.decisions = Counter(
            "placet_decisions", "Decisions", ["regime", "outcome"], registry=self.registry
        )
        self.disagreements = Counter(
            "placet_disagreements",
            "Orders and events on which two evaluators disagreed",
            ["rules"],
            registry=self.registry,
        )
        self.alone = Counter(
            "placet_judged_alone",
            "Orders judged by the reference alone: live could not be asked",
            ["regime"],
            registry=self.registry,
        )
        self.lost = Gauge(
            "placet_workers_lost", "Worker processes stopped or lost", registry=self.registry
        )
        self.live = Gauge(
            "placet_live",
            "The live evaluator: 1 in the state that it is in",
            ["state"],
            registry=self.registry,
        )
        self.live_events = Gauge(
            "placet_live_events",
            "What happened to processes of the live evaluator",
            ["event"],
            registry=self.registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.requests.labels(method, route, status).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self, lost: int, fence: Standing) -> bytes:
        """Everything counted, in the text format of Prometheus."""
        self.lost.set(lost)
        for state in ("ready", "degraded", "off"):
            self.live.labels(state).set(state == fence.state)
        for event, count in fence.counts().items():
            self.live_events.labels(event).set(count)
        return generate_latest(self.registry)
