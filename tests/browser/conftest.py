"""A browser at a server of its own; whatever a page complains of fails its test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.watch import Desk, Place
from tests.serving import server

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000
"""Milliseconds that anything awaited may take; machines that test are busy."""


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser; it ends with these tests, because its event loop is in the way of others."""
    found = shutil.which("chromium")
    if found is None:
        reason = "there is no `chromium` on the path"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server, as `placet serve` gives one, with an empty store."""
    folder = tmp_path_factory.mktemp("place")
    with server(folder) as (address, _):
        yield Place(address, folder / "server.log")


@pytest.fixture
def desk(chromium: Browser, place: Place) -> Iterator[Desk]:
    """Opens pages, each as somebody who was never here before; nothing may go wrong on them."""
    desk = Desk(chromium, place, PATIENCE)
    yield desk
    desk.close()
    for draft in httpx2.get(f"{place.address}/v1/scenarios?origin=draft").json()["scenarios"]:
        version = {"If-Match": f'"{draft["version"]}"'}
        httpx2.delete(f"{place.address}/v1/scenarios/{draft['id']}", headers=version)
    assert desk.wrong == []


@pytest.fixture
def page(desk: Desk) -> Page:
    """The browser of an English-speaking officer."""
    return desk.sit()


@pytest.fixture
def chinese(desk: Desk) -> Page:
    """The browser of a Chinese-speaking officer."""
    return desk.sit(lang="zh")


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[str, str], Path]:
    """A file with a text in it, to be given to a page."""

    def made(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return made
