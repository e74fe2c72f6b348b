"""What somebody wrote is text everywhere: markup is shown and not obeyed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from engine.diagnostics import visible
from tests.browser.form import EIGHTY, field, open_with, save
from tests.browser.watch import Desk

NAME = "<img src=x onerror=\"document.title='obeyed'\"><b>云</b>"
TURNED = "Cloud \u202edlrow\u202c \u200bhidden\u200b"
"""Turned round by a sign that nobody sees, and parted by one that has no width."""


def harmless(page: Page, *names: str) -> None:
    """The names stand on the page, and are nothing but text."""
    text = page.locator("body").inner_text()
    for name in names:
        assert name in text
    expect(page.locator("img[src=x], main b, body > b")).to_have_count(0)
    assert "obeyed" not in page.title()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_name_of_markup_is_shown_as_it_was_written(desk: Desk, lang: str) -> None:
    page = desk.sit("zh" if lang == "zh" else "en")
    open_with(page, {**EIGHTY, "customer.name": NAME})
    expect(field(page, "customer.name")).to_have_value(NAME)
    id = save(page, NAME)
    harmless(page, NAME)
    page.reload()
    harmless(page, NAME)
    with page.context.expect_page() as opened:
        page.locator("form[action='/decide/print'] button").click()
    harmless(opened.value, NAME)
    page.goto("/scenarios")
    harmless(page, NAME)
    page.goto(f"/scenarios/compare?of={id}&of=h200-article/last-twenty-thousand")
    harmless(page, NAME)
    page.goto(f"/what-if?of={id}")
    expect(page.locator("#base")).to_contain_text(NAME)
    harmless(page, NAME)


def test_signs_that_nobody_sees_are_shown_and_do_not_reach_beyond_their_name(page: Page) -> None:
    open_with(page, {**EIGHTY, "customer.name": TURNED})
    save(page, TURNED)
    page.goto("/scenarios")
    title = page.get_by_role("link", name=visible(TURNED))
    expect(title).to_be_visible()
    assert title.evaluate("one => getComputedStyle(one).unicodeBidi").startswith("isolate")
