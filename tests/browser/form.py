"""What an officer does at the form of the Decide page."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, Response, expect

EIGHTY = {
    "item.product": "H200-SXM",
    "order.destination": "CN",
    "customer.units_to_date": "0",
    "order.quantity": "80000",
}
"""Eighty thousand for one customer, who has none yet: five thousand over the cap."""


def field(page: Page, fact: str) -> Locator:
    """The field of a fact, or the three of a yes/no."""
    return page.locator(f'[name="fact:{fact}"]')


def beside(page: Page, fact: str) -> Locator:
    """A field with what stands beside it."""
    return page.locator(f'[data-field="fact:{fact}"]')


def write(page: Page, fact: str, value: str) -> None:
    """Write into a field, leave it, and wait for the answer."""
    control = field(page, fact)
    with page.expect_response(is_answer):
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
            control.press("Tab")
    at_rest(page)


def at_rest(page: Page) -> None:
    """The answer is that of what stands in the form."""
    expect(page.locator("#answer")).not_to_have_class(re.compile("stale"))


def is_answer(response: Response) -> bool:
    """Whether this is the answer to a form."""
    return response.url.endswith(("/decide/answer", "/decide/workspace"))


def state(page: Page) -> Any:
    """What the page has understood of the form."""
    return json.loads(page.locator("#state").get_attribute("data-state") or "")


def order(page: Page, facts: dict[str, str]) -> None:
    """Write a whole order."""
    for fact, value in facts.items():
        write(page, fact, value)


def link(carried: dict[str, Any]) -> str:
    """The address that opens Decide with an order, which stands after `#`."""
    text = base64.urlsafe_b64encode(json.dumps(carried).encode()).decode("ascii")
    return f"/#d={text.rstrip('=')}"


def open_with(
    page: Page, facts: dict[str, str], regime: str = "h200-article", **more: Any
) -> None:
    """Open Decide with an order, and wait for its answer."""
    page.goto(link({"regime": regime, "as_of": "2026-02-01", "facts": facts, **more}))
    expect(page.locator("#state")).to_have_attribute("data-state", re.compile(next(iter(facts))))


def save(page: Page, title: str) -> str:
    """Save the order as a draft of that title; its id."""
    page.locator("#save").click()
    page.locator("#save-title").fill(title)
    page.locator("#save-title").press("Enter")
    expect(page.locator("#save-dialog")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/\?draft=d-\w+$"))
    return page.url.rpartition("=")[2]
