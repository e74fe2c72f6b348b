"""The What-if page: the picture, what it tells, what a changed policy flips."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.form import field, is_answer, link

CAP = re.compile("Not met: .*Cap per customer")
STORY = "h200-article/last-twenty-thousand"
COLOURS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const key = data.slice(at, at + 4).join();
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return [...found.values()].filter(n => n * 100 > canvas.width * canvas.height).length;
}"""
"""How many colours fill more than a hundredth of the picture."""


def is_map(response: Response) -> bool:
    """Whether this is the answer to a question with two axes."""
    asked = response.request.post_data_json
    return response.url.endswith("/v1/sweep") and asked is not None and len(asked["axes"]) == 2


def drawn(page: Page) -> None:
    """The map of quantity and units to date of the story, drawn."""
    page.goto(f"/what-if?of={STORY}")
    with page.expect_response(is_map):
        page.locator("#offers button").nth(1).click()
    for side in ("x", "y"):
        page.locator(f"#{side} [data-part=count]").fill("100")
    with page.expect_response(is_map) as swept:
        page.locator("#draw").click()
    assert swept.value.json()["cells"] == 100 * 100
    expect(page.locator("#answer")).not_to_have_class(re.compile("stale"))
    expect(page.locator("#title")).to_contain_text(re.compile(" and |和"))


def test_ten_thousand_cells_are_drawn_and_their_lines_told_in_words(page: Page) -> None:
    drawn(page)
    canvas = page.locator("#picture canvas").first
    expect(canvas).to_be_visible()
    assert canvas.evaluate(COLOURS) >= 3
    expect(page.locator("#legend li").first).to_be_visible()
    # Whatever the units to date, their sum with the order flips at the cap.
    words = page.locator("#words")
    expect(words.get_by_role("heading", name="Lines of change")).to_be_visible()
    row = words.get_by_role("row").filter(has_text="Cap per customer").first
    below, above, to_date = (
        int(number.replace(",", ""))
        for number in re.findall(r"\d[\d,]*", row.get_by_role("cell").nth(1).inner_text())
    )
    assert (below + to_date, above + to_date) == (75_000, 75_001)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_is_drawn_in_light_and_in_dark(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    drawn(page)
    assert page.locator("#picture canvas").first.evaluate(COLOURS) >= 3


def test_pointing_at_a_cell_tells_its_values_and_its_reason(page: Page) -> None:
    drawn(page)
    over = page.locator("#picture .u-over")
    box = over.bounding_box()
    assert box is not None
    over.hover(position={"x": box["width"] - 5, "y": 5})
    tip = page.locator("#picture .tip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text(re.compile(r"[\d,]+ chips[\s\S]+[\d,]+ chips"))
    expect(tip).to_contain_text(CAP)
    over.hover(position={"x": 5, "y": box["height"] - 5})
    expect(tip).not_to_contain_text(CAP)


def test_a_click_opens_the_cell_in_decide(page: Page) -> None:
    drawn(page)
    over = page.locator("#picture .u-over")
    box = over.bounding_box()
    assert box is not None
    # In the middle of a cell, not between two.
    x, y = box["width"] * 0.505, box["height"] * 0.505
    over.hover(position={"x": x, "y": y})
    told = page.locator("#picture .tip").inner_text()
    quantity, to_date = re.findall(r"([\d,]+) chips", told)[:2]
    with page.expect_response(is_answer):
        over.click(position={"x": x, "y": y})
    expect(field(page, "order.quantity")).to_have_value(quantity)
    expect(field(page, "customer.units_to_date")).to_have_value(to_date)
    expect(field(page, "item.product")).to_have_value("H200-SXM")


def test_a_changed_parameter_is_marked_and_tells_what_it_flips(page: Page) -> None:
    drawn(page)
    expect(page.locator("#hypothetical")).to_be_hidden()
    page.locator("#policy > summary").click()
    page.get_by_label("cap", exact=False).and_(page.locator("[name=cap]")).fill("100,000")
    expect(page.locator("#answer")).to_have_class(re.compile("stale"))
    page.locator("#draw").click()
    banner = page.locator("#hypothetical")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("Hypothetical policy")
    expect(banner).to_contain_text("100,000 chips")
    expect(page.locator("#title")).to_contain_text("Hypothetical policy")
    expect(page.locator("#words")).to_contain_text("What the changed policy flips")
    flipped = page.locator("#flipped [data-flipped]")
    expect(flipped).to_be_visible()
    assert int(flipped.get_attribute("data-flipped") or 0) > 0
    expect(flipped.get_by_role("row").nth(1)).to_contain_text("Cap per customer")


def test_a_value_that_is_none_is_told_beside_its_axis(page: Page) -> None:
    page.goto(f"/what-if?of={STORY}")
    page.locator("#words h2").first.wait_for()
    page.locator("#x [data-part=from]").fill("many")
    page.locator("#draw").click()
    expect(page.locator("#x .fault")).to_be_visible()
    expect(page.locator("#x [data-part=from]")).to_be_focused()


def test_products_stand_side_by_side_under_the_rule_sets(chinese: Page) -> None:
    chinese.goto(f"/what-if?of={STORY}")
    chinese.locator("#words h2").first.wait_for()
    chinese.get_by_role("button", name="比较产品").click()
    table = chinese.locator("#compared table")
    expect(table).to_be_visible()
    expect(table.get_by_role("columnheader")).to_have_count(5)
    expect(table.get_by_role("row").filter(has_text="▶")).to_contain_text("H200")


def test_products_are_judged_under_the_changed_policy_where_a_rule_set_has_it(page: Page) -> None:
    page.goto(f"/what-if?of={STORY}@1")
    page.locator("#words h2").first.wait_for()
    page.get_by_role("button", name="Compare products").click()
    heads = page.locator("#compared").get_by_role("columnheader")
    expect(heads).to_have_count(5)
    titles = heads.all_inner_texts()
    place = next(n for n, title in enumerate(titles) if "on the article's terms" in title)
    # The product heads its row, and is no cell.
    column = page.locator("#compared tr", has_text="▶").get_by_role("cell").nth(place - 1)
    expect(column).to_contain_text("Cap per customer")
    expect(page.locator("#hypothetical")).to_be_hidden()
    page.locator("#policy > summary").click()
    page.locator("[name=cap]").fill("100,000")
    page.get_by_role("button", name="Compare products").click()
    # The order has 75,001 chips in all: one over the cap in force, none over the changed one.
    expect(column).not_to_contain_text("Cap per customer")
    banner = page.locator("#hypothetical")
    expect(banner).to_contain_text("100,000 chips")
    expect(banner).to_contain_text(
        re.compile("Judged under the rules in force.*: .*Import duty on certain advanced chips")
    )
    # Both rule sets of the H200 have a cap, the two others none.
    changed = heads.filter(has_text=re.compile("(100,000 chips)"))
    expect(changed).to_have_text([re.compile("H200")] * 2)
    expect(heads.filter(has_text="(in force)")).to_have_count(2)
    expect(page.locator("#compared h2")).to_contain_text("Hypothetical policy")


def test_a_rule_counts_in_those_cells_alone_whose_outcome_rests_on_it(page: Page) -> None:
    # The order fails by the cap and by nothing else, wherever it goes within the rule set.
    page.goto(f"/what-if?of={STORY}@1")
    page.locator("#words h2").first.wait_for()
    page.get_by_role("button", name="destination", exact=False).last.click()
    expect(page.locator("#title")).to_contain_text("destination")
    tables = page.locator("#words table")
    failing = tables.nth(-2).get_by_role("row").filter(has_text="Conditions not met")
    cells = failing.get_by_role("cell").inner_text()
    row = tables.last.get_by_role("row").filter(has_text="Cap per customer")
    assert int(cells) > 0
    assert tables.nth(-2).get_by_role("row").filter(has_text="Outside").count() == 1
    assert row.get_by_role("cell").all_inner_texts() == [cells, cells, "0"]
    expect(tables.last.get_by_role("row")).to_have_count(2)
    expect(page.locator("#words")).to_contain_text("Alone: the cells in which no other rule fails")


def test_the_points_of_an_axis_are_round_until_somebody_chooses_others(page: Page) -> None:
    page.goto(f"/what-if?of={STORY}")
    page.locator("#words h2").first.wait_for()
    part = {name: page.locator(f"#x [data-part={name}]") for name in ("from", "to", "count")}
    part["to"].fill("100,000")
    part["to"].press("Tab")
    expect(part["count"]).to_have_value("201")
    with page.expect_response("**/v1/sweep") as swept:
        page.locator("#draw").click()
    values = [int(value) for value in swept.value.json()["axes"][0]["values"]]
    assert values == [1, *range(500, 100_001, 500)]
    with page.expect_response(is_map) as swept:
        page.locator("#offers button").nth(1).click()
    first, second = (axis["values"] for axis in swept.value.json()["axes"])
    assert {int(value) % 500 for value in first[1:]} == {0}
    assert {int(value) % 1_000 for value in second} == {0}
    assert len(first) * len(second) <= 101 * 101
    part["count"].fill("7")
    part["to"].fill("50,000")
    part["to"].press("Tab")
    expect(part["count"]).to_have_value("7")


def test_a_name_that_turns_its_letters_around_is_shown_as_it_is(page: Page) -> None:
    order = {"regime": "h200-article", "facts": {"customer.name": "Good \u202eevil\u2060"}}
    page.goto(link(order).replace("/#", "/what-if#"))
    expect(page.locator("#base")).to_contain_text("Good \\u202eevil\\u2060")
