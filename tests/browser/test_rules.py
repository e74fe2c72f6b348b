"""The Rules pages: the picture of facts and rules, and the day as of which they are read."""

from __future__ import annotations

import base64
import json
import re

from playwright.sync_api import Page, expect

from tests.browser.form import state

CAP = "[data-key='rule:customer-cap']"
QUANTITY = "[data-key='fact:order.quantity']"


def lines(page: Page) -> set[tuple[str, str]]:
    """The lines of the picture that are lit: fact and rule."""
    found = page.locator(".picture path.lit").evaluate_all(
        "all => all.map(one => [one.dataset.fact, one.dataset.rule])"
    )
    return {(fact, rule) for fact, rule in found}


def test_pointing_at_a_rule_lights_its_lines_alone(page: Page) -> None:
    page.goto("/rules/h200-article")
    picture = page.locator("svg.picture")
    expect(picture).to_be_visible()
    assert lines(page) == set()
    page.locator(CAP).hover()
    expect(page.locator(QUANTITY)).to_have_class("fact lit")
    lit = lines(page)
    assert {rule for _, rule in lit} == {"customer-cap"}
    assert ("customer.units_to_date", "customer-cap") in lit
    page.locator("h1").hover()
    expect(picture.locator(".lit")).to_have_count(0)


def test_stepping_to_a_fact_lights_its_lines_alone(chinese: Page) -> None:
    chinese.goto("/rules/h200-article")
    chinese.locator(QUANTITY).focus()
    expect(chinese.locator(CAP)).to_have_class("rule lit")
    assert {fact for fact, _ in lines(chinese)} == {"order.quantity"}
    chinese.locator(CAP).focus()
    chinese.keyboard.press("Enter")
    expect(chinese).to_have_url(re.compile("#customer-cap$"))
    expect(chinese.locator("#customer-cap")).to_be_in_viewport()


def test_another_day_shows_the_values_and_rules_of_that_day(page: Page) -> None:
    page.goto("/rules/h200-article")
    fee = page.locator("#parameters tr.now", has_text="25 %")
    expect(fee).to_contain_text("in force")
    page.locator("[name=as_of]").fill("2025-12-01")
    page.locator("[name=as_of]").press("Enter")
    expect(page).to_have_url(re.compile("as_of=2025-12-01$"))
    expect(page.locator("#parameters")).to_be_visible()
    expect(fee).to_have_count(0)


def test_an_example_of_a_rule_opens_in_decide(page: Page) -> None:
    page.goto("/rules/h200-article/customer-cap")
    example = page.locator("a[href^='/#d=']").first
    carried = (example.get_attribute("href") or "").partition("#d=")[2]
    given = json.loads(base64.urlsafe_b64decode(carried + "=="))["facts"]
    example.click()
    expect(page.locator("#state")).to_have_attribute("data-state", re.compile(next(iter(given))))
    assert state(page)["facts"].keys() == given.keys()
