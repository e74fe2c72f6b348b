"""The form never says more than was typed, and the answer never less than it knows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.form import (
    EIGHTY,
    at_rest,
    beside,
    field,
    is_answer,
    open_with,
    order,
    state,
    write,
)
from tests.browser.watch import Desk


def test_every_yes_or_no_has_three_positions_and_begins_unknown(page: Page) -> None:
    page.goto("/")
    groups = page.locator("#order fieldset.three")
    found = groups.evaluate_all(
        """all => all.map(group => [
          [...group.querySelectorAll("input")].map(one => one.value).join(),
          group.querySelector("input:checked")?.value,
        ])"""
    )
    assert len(found) > 10
    assert {tuple(one) for one in found} == {("true,false,", "")}
    expect(groups.first).to_contain_text(re.compile(r"yes\s+no\s+unknown"))
    assert state(page)["facts"] == {}


def test_an_empty_field_is_unknown_and_never_zero(page: Page) -> None:
    page.goto("/")
    order(page, EIGHTY)
    write(page, "customer.units_to_date", "")
    assert "customer.units_to_date" not in state(page)["facts"]
    expect(page.locator("#verdict")).to_contain_text("Cannot be decided yet")
    expect(page.locator(".needed [data-to-field='customer.units_to_date']")).to_be_visible()
    write(page, "customer.units_to_date", "0")
    assert state(page)["facts"]["customer.units_to_date"] == "0"
    expect(page.locator("#verdict")).to_contain_text("Conditions not met")


def test_yes_no_and_unknown_are_three_answers(page: Page) -> None:
    page.goto("/")
    radios = beside(page, "terms.refundable")
    for choice, said in [("no", False), ("yes", True), ("unknown", None)]:
        with page.expect_response(is_answer):
            radios.get_by_label(choice, exact=True).check()
        at_rest(page)
        assert state(page)["facts"].get("terms.refundable") is said


def test_a_value_counts_when_its_field_is_left_and_not_before(desk: Desk) -> None:
    page = desk.sit()
    page.goto("/")
    order(page, EIGHTY)
    asked = len(desk.requests)
    quantity, answer = field(page, "order.quantity"), page.locator("#answer")
    quantity.focus()
    quantity.press("End")
    for _ in range(4):
        quantity.press("Backspace")
    quantity.press_sequentially("1")
    # Half typed: the answer of before stays, greyed and named so, and nothing was asked.
    expect(answer).to_have_class(re.compile("stale"))
    expect(page.get_by_text("being changed: this answer is from before")).to_be_visible()
    expect(page.locator("#verdict")).to_contain_text("Conditions not met")
    assert len(desk.requests) == asked
    with page.expect_response(is_answer):
        quantity.press("Tab")
    at_rest(page)
    expect(page.locator("#verdict")).to_contain_text("Cannot be decided yet")
    assert len(desk.requests) == asked + 1


def test_a_field_that_is_left_as_it_was_asks_nothing(desk: Desk) -> None:
    page = desk.sit()
    page.goto("/")
    order(page, EIGHTY)
    asked = len(desk.requests)
    quantity = field(page, "order.quantity")
    quantity.focus()
    quantity.press("End")
    quantity.press("1")
    expect(page.locator("#answer")).to_have_class(re.compile("stale"))
    quantity.press("Backspace")
    quantity.press("Tab")
    at_rest(page)
    assert len(desk.requests) == asked


def test_a_fault_stands_beside_its_field_and_there_is_no_verdict(page: Page) -> None:
    page.goto("/")
    order(page, EIGHTY)
    field(page, "order.quantity").fill("27k")
    with page.expect_response(is_answer):
        field(page, "order.quantity").press("Tab")
    box = beside(page, "order.quantity")
    expect(box.locator("[data-fault]")).to_be_visible()
    expect(box.locator("[data-fault]")).to_contain_text("cannot be read")
    expect(field(page, "order.quantity")).to_have_attribute("aria-invalid", "true")
    expect(field(page, "order.quantity")).to_have_value("27k")
    expect(page.locator("#answer")).to_have_class(re.compile("stale"))
    trouble = page.get_by_role("alert").filter(has_text="One field cannot be read")
    expect(trouble).to_contain_text("There is no verdict")
    trouble.get_by_role("link").click()
    expect(field(page, "order.quantity")).to_be_focused()
    write(page, "order.quantity", "75000")
    expect(box.locator("[data-fault]")).to_be_hidden()
    expect(trouble).to_have_count(0)


@pytest.mark.parametrize(
    ("fact", "typed", "shown", "held"),
    [
        ("order.quantity", "7.5万", "75,000", "75000"),
        ("order.quantity", "７５，０００", "75,000", "75000"),
        ("order.unit_price", "2.7万美元", "27,000.00", "27000.00"),
    ],
)
def test_a_chinese_number_is_read(
    chinese: Page, fact: str, typed: str, shown: str, held: str
) -> None:
    chinese.goto("/")
    write(chinese, fact, typed)
    expect(field(chinese, fact)).to_have_value(shown)
    assert state(chinese)["facts"][fact] == held


def test_a_value_of_the_catalogue_stays_marked_as_such(page: Page) -> None:
    page.goto("/")
    order(page, EIGHTY)
    tpp = beside(page, "item.tpp")
    page.locator("details:has([name='fact:item.tpp'])").evaluate_all(
        "all => all.forEach(one => one.open = true)"
    )
    expect(tpp.locator("[data-supplied]")).to_have_text(
        re.compile(r"from the catalogue:\s+15,832 TPP")
    )
    expect(field(page, "item.tpp")).to_have_value("")
    write(page, "order.unit_price", "27000")
    expect(field(page, "item.tpp")).to_have_value("")
    assert "item.tpp" not in state(page)["facts"]
    write(page, "item.tpp", "15,832")
    expect(tpp.locator("[data-supplied]")).to_be_hidden()
    assert state(page)["facts"]["item.tpp"] == "15832"


def test_a_row_of_a_spreadsheet_fills_the_form(chinese: Page) -> None:
    chinese.goto("/")
    chinese.get_by_role("button", name="从电子表格粘贴").click()
    cells = "产品\t本单数量\t目的地\n英伟达H200 SXM\t8万\tCN"
    chinese.get_by_role("textbox", name="单元格").fill(cells)
    with chinese.expect_response(is_answer):
        chinese.get_by_role("button", name="填入表单").click()
    expect(chinese.locator(".pasted")).to_contain_text("已填入3个栏目")
    expect(field(chinese, "order.quantity")).to_have_value("80,000")
    expect(field(chinese, "item.product")).to_have_value("H200-SXM")


def test_a_service_that_is_gone_is_told_and_what_was_typed_stays(desk: Desk) -> None:
    page = desk.sit()
    page.goto("/")
    order(page, EIGHTY)
    page.route("**/decide/answer", lambda route: route.fulfill(status=503, body="{}"))
    desk.refusals = {503}
    with page.expect_response(is_answer):
        field(page, "order.quantity").fill("70000")
        field(page, "order.quantity").press("Tab")
    expect(page.locator("#said")).to_contain_text("The service does not answer")
    expect(field(page, "order.quantity")).to_have_value("70000")
    expect(page.locator("#answer")).to_have_class(re.compile("stale"))
    page.unroute("**/decide/answer")
    write(page, "order.quantity", "75000")
    expect(page.locator("#said")).to_be_empty()


def test_on_a_phone_the_answer_is_a_bar_that_leads_to_it(desk: Desk) -> None:
    page = desk.sit(width=390)
    open_with(page, EIGHTY)
    bar, answer = page.locator("#bar"), page.locator("#answer")
    page.locator("#group-money").scroll_into_view_if_needed()
    expect(bar).to_be_in_viewport()
    expect(bar).to_contain_text("Conditions not met")
    expect(answer).not_to_be_in_viewport()
    bar.click()
    expect(page.locator("#verdict")).to_be_in_viewport()
    expect(answer).to_be_focused()
