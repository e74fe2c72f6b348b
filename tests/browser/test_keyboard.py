"""Everything is reached, answered and opened without a pointer."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.form import EIGHTY, at_rest, field, is_answer, open_with, state

REGION = """() => {
  const at = document.activeElement;
  const found = at.closest(".skip, .top, .tools, #order, #answer, .foot");
  return found ? found.id || found.className.split(" ")[0] : at.id;
}"""


def test_the_first_step_skips_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#save")).to_be_focused()


def test_steps_lead_from_the_head_over_the_form_to_the_offered_change(page: Page) -> None:
    open_with(page, EIGHTY)
    seen: list[str] = []
    for _ in range(400):
        page.keyboard.press("Tab")
        region = page.evaluate(REGION)
        if not seen or seen[-1] != region:
            seen.append(region)
        if region == "answer":
            break
    assert seen == ["skip", "top", "tools", "order", "answer"]
    repair = page.locator(".repair")
    while not repair.evaluate("one => one === document.activeElement"):
        page.keyboard.press("Tab")
        assert page.evaluate(REGION) == "answer"
    with page.expect_response(is_answer):
        page.keyboard.press("Enter")
    expect(field(page, "order.quantity")).to_have_value("75,000")
    expect(page.locator("#verdict")).to_be_focused()


def test_yes_and_no_are_chosen_by_arrows(page: Page) -> None:
    page.goto("/")
    page.locator("[id='f-terms.refundable']").focus()
    for key, said in [("ArrowLeft", False), ("ArrowLeft", True), ("ArrowLeft", None)]:
        with page.expect_response(is_answer):
            page.keyboard.press(key)
        at_rest(page)
        assert state(page)["facts"].get("terms.refundable") is said
    expect(page.locator("[id='f-terms.refundable']")).to_be_focused()


def test_a_missing_fact_of_the_answer_leads_to_its_field(page: Page) -> None:
    open_with(page, {**EIGHTY, "order.quantity": "75000"})
    needed = page.locator(".needed [data-to-field='review.state']")
    needed.focus()
    page.keyboard.press("Enter")
    expect(field(page, "review.state")).to_be_focused()


def test_a_dialog_takes_the_keys_and_gives_them_back(page: Page) -> None:
    page.goto("/")
    page.locator("#save").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#save-title")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#save-said")).to_have_text("A title is needed.")
    page.keyboard.press("Escape")
    expect(page.locator("#save-dialog")).to_be_hidden()
    expect(page.locator("#save")).to_be_focused()


def test_the_map_is_walked_by_arrows_and_enter_opens_the_cell(page: Page) -> None:
    page.goto("/what-if?of=h200-article/last-twenty-thousand")
    offer = page.locator("#offers button").nth(1)
    offer.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_contain_text(" and ")
    page.locator("#picture").focus()
    said = page.locator("#said")
    for key in ("ArrowRight", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowUp"):
        before = said.inner_text()
        page.keyboard.press(key)
        expect(said).not_to_have_text(before)
    quantity, to_date = re.findall(r": ([\d,]+) chips", said.inner_text())
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_be_visible()
    expect(field(page, "order.quantity")).to_have_value(quantity)
    expect(field(page, "customer.units_to_date")).to_have_value(to_date)
