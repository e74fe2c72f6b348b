"""A desk at which pages are opened, and which writes down what goes wrong on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

REFUSED = "Failed to load resource: the server responded with a status of "
"""What Chromium writes of every answer of 400 and above, those that a test is about included."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server answers, and where it writes its log."""

    address: str
    log: Path


@dataclass
class Desk:
    """Opens pages, each in a context of its own, and collects their requests and complaints."""

    browser: Browser
    place: Place
    patience: int
    requests: list[Request] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refusals: set[int] = field(default_factory=set)
    """Statuses of 400 and above that a test is about."""
    _contexts: list[BrowserContext] = field(default_factory=list)

    def sit(
        self,
        lang: Literal["en", "zh"] = "en",
        scheme: Literal["light", "dark"] = "light",
        width: int = 1280,
    ) -> Page:
        """A page of a new context: no cookie, nothing kept, in somebody's language."""
        context = self.browser.new_context(
            base_url=self.place.address,
            locale={"en": "en-GB", "zh": "zh-CN"}[lang],
            color_scheme=scheme,
            viewport={"width": width, "height": 900},
            timezone_id="Asia/Shanghai",
        )
        context.set_default_timeout(self.patience)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.wrong.append(f"page error: {error.error}"))
        context.on("request", self._asked)
        context.on("requestfailed", self._failed)
        self._contexts.append(context)
        return context.new_page()

    def close(self) -> None:
        """Close all contexts; what they had left to complain of arrives before."""
        for context in self._contexts:
            context.close()

    def _said(self, message: ConsoleMessage) -> None:
        text = message.text
        if not any(text.startswith(f"{REFUSED}{status} ") for status in self.refusals):
            self.wrong.append(f"console: {text}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request)
        parts = urlsplit(request.url)
        if parts.scheme != "data" and f"{parts.scheme}://{parts.netloc}" != self.place.address:
            self.wrong.append(f"another place: {request.url}")

    def _failed(self, request: Request) -> None:
        # Who leaves a page, or keeps a file, ends what was on its way.
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"failed: {request.method} {request.url} {request.failure}")
