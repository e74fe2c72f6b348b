"""The Scenarios page: run, import, export, compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.form import EIGHTY, open_with, save
from tests.browser.watch import Desk

BROUGHT = """\
title: {en: Brought from a file, zh: 取自文件}
story: {en: Eighty thousand chips for the Emirates., zh: 八万片运往阿联酋。}
regime: h200-article
as_of: 2026-02-01
facts: {order.quantity: 80000, customer.units_to_date: 0, item.product: H200-SXM, order.destination: AE}
expect: {outcome: not-covered}
"""


def test_every_shipped_story_passes_when_all_are_run(page: Page) -> None:
    page.goto("/scenarios")
    shipped, groups = page.locator(".story").count(), page.locator("section.stories").count()
    page.locator("#run-all").click()
    expect(page.locator("#running")).to_be_visible()
    expect(page.locator("#running")).to_be_hidden()
    ran = page.locator("#ran .ran")
    expect(ran).to_have_count(groups + 1)
    counts = ran.evaluate_all("all => all.map(one => [one.dataset.passed, one.dataset.failed])")
    assert {failed for _, failed in counts} == {"0"}
    assert sum(int(passed) for passed, _ in counts) >= shipped
    expect(ran.first.locator(".status")).to_have_text("as expected")


def test_a_file_becomes_a_draft_that_can_be_run_and_taken_away_again(
    page: Page, file_of: Callable[[str, str], Path]
) -> None:
    page.goto("/scenarios")
    page.locator("#import").set_input_files(file_of("brought.yaml", BROUGHT))
    expect(page.locator("#ran")).to_contain_text("brought.yaml: imported")
    page.get_by_role("link", name="Show the list with them").click()
    row = page.locator("tr.found", has_text="Brought from a file")
    expect(row).to_contain_text("Outside this rule set")
    row.get_by_role("button", name="Run").click()
    expect(page.locator("#ran [data-passed='1'][data-failed='0']")).to_be_visible()
    with page.expect_download() as taken:
        row.get_by_role("link", name="Export").click()
    text = Path(taken.value.path()).read_text("utf-8")
    assert "取自文件" in text
    assert "not-covered" in text
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_a_file_with_a_fault_is_refused_with_its_place(
    desk: Desk, file_of: Callable[[str, str], Path]
) -> None:
    page = desk.sit()
    page.goto("/scenarios")
    wrong = BROUGHT.replace("order.quantity", "order.quantitee")
    desk.refusals = {422}
    page.locator("#import").set_input_files(file_of("wrong.yaml", wrong))
    expect(page.locator("#ran")).to_contain_text("wrong.yaml: not imported")
    expect(page.locator("#ran li")).to_contain_text("order.quantitee")


def test_two_orders_side_by_side_mark_exactly_what_differs(chinese: Page) -> None:
    page = chinese
    open_with(page, EIGHTY)
    save(page, "并列甲")
    open_with(page, {**EIGHTY, "order.quantity": "75000"})
    save(page, "并列乙")
    page.goto("/scenarios")
    expect(page.locator("#compare")).to_be_disabled()
    for title in ("并列甲", "并列乙"):
        page.get_by_role("checkbox", name=title).check()
    page.locator("#compare").click()
    facts = page.locator("tbody.facts tr[data-name]")
    differ = page.locator("tbody.facts tr.differs")
    names = differ.evaluate_all("all => all.map(one => one.dataset.name)")
    assert "order.quantity" in names
    assert "customer.units_to_date" not in names
    assert "item.product" not in names
    expect(differ.first).to_contain_text("≠")
    same = facts.filter(has_not_text="≠").first
    expect(same).to_be_visible()
    page.get_by_label("只看不同的行").check()
    expect(same).to_be_hidden()
    expect(differ.first).to_be_visible()
    expect(page.locator("tr[data-name='customer-cap']")).to_contain_text("超出75,000片上限5,000片")


def test_what_is_looked_for_is_left_on_the_page(page: Page) -> None:
    page.goto("/scenarios")
    stories = page.locator(".story")
    before = stories.count()
    page.locator("#find").fill("johor")
    expect(stories.locator("visible=true")).not_to_have_count(before)
    expect(page.locator("[data-id='bis-2026/racks-in-johor']")).to_be_visible()
    expect(page.locator("[data-id='h200-article/last-twenty-thousand']")).to_be_hidden()
