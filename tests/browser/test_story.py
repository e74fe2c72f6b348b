"""An officer's morning: a draft that fails, the change that mends it, the file, the colleague."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.form import EIGHTY, field, is_answer, open_with, order, save, state, write
from tests.browser.watch import Desk

NAME = "晨星测试云"
TOLD = ("80000", "80,000", "8万", "27013.57", "27,013.57", NAME)
"""What of the order must not be in an address: its quantity, its price, its customer."""


def test_eighty_thousand_fail_in_chinese_and_the_offered_change_mends_them(chinese: Page) -> None:
    page = chinese
    page.goto("/")
    order(page, {**EIGHTY, "order.quantity": "8万", "customer.name": NAME})
    cap = page.locator("#finding-customer-cap")
    expect(page.locator("#verdict")).to_contain_text(re.compile(r"不符合条件\s+九项中一项不符合"))
    expect(page.locator(".notice")).to_contain_text("不是许可证")
    expect(cap).to_contain_text("本单80,000片")
    expect(cap).to_contain_text("超出75,000片上限5,000片")
    expect(page.locator(".cap")).to_contain_text("超出5,000片")
    repair = cap.get_by_role("button")
    expect(repair).to_contain_text("75,000片")
    repair.focus()
    with page.expect_response(is_answer):
        page.keyboard.press("Enter")
    expect(cap).to_have_class(re.compile(r"\bmet\b"))
    expect(page.locator(".cap")).to_contain_text("已无余量")
    expect(page.locator("#verdict")).not_to_have_class(re.compile("unmet"))
    expect(page.locator("#verdict")).to_be_focused()
    expect(field(page, "order.quantity")).to_have_value("75,000")
    expect(page.locator("#said")).to_contain_text("已执行")


def test_a_saved_draft_opens_by_its_address_elsewhere(desk: Desk) -> None:
    page = desk.sit("zh")
    open_with(page, {**EIGHTY, "customer.name": NAME})
    expect(page.locator("#saved")).to_have_text("未保存")
    id = save(page, "晨星八万片")
    expect(page.locator("#saved")).to_contain_text("已保存")
    expect(page.locator("#named")).to_have_text("晨星八万片")
    other = desk.sit("zh")
    other.goto(f"/?draft={id}")
    expect(other.locator("#named")).to_have_text("晨星八万片")
    expect(field(other, "customer.name")).to_have_value(NAME)
    expect(field(other, "order.quantity")).to_have_value("80,000")
    expect(other.locator("#verdict")).to_contain_text("不符合条件")


def test_who_saves_second_is_told_and_loses_nothing(desk: Desk) -> None:
    first = desk.sit("zh")
    open_with(first, EIGHTY)
    id = save(first, "两人同改")
    second = desk.sit("zh")
    second.goto(f"/?draft={id}")
    write(first, "order.quantity", "7万")
    save(first, "两人同改")
    write(second, "order.quantity", "6万")
    desk.refusals = {412}
    second.locator("#save").click()
    second.locator("#save-now").click()
    expect(second.get_by_role("alert")).to_contain_text("已被他人更改")
    expect(second.locator("#save-now")).to_be_hidden()
    expect(second.locator("#save-dialog .main:visible")).to_have_text("另存为新草案")
    expect(second.locator("#save-as-new")).to_be_focused()
    second.locator("#save-as-new").click()
    expect(second.locator("#save-dialog")).to_be_hidden()
    assert second.url.rpartition("=")[2] != id
    expect(field(second, "order.quantity")).to_have_value("60,000")
    third = desk.sit("zh")
    third.goto(f"/?draft={id}")
    expect(field(third, "order.quantity")).to_have_value("70,000")


def test_who_saves_second_can_take_the_others_version(desk: Desk) -> None:
    first = desk.sit()
    open_with(first, EIGHTY)
    id = save(first, "Two of us")
    second = desk.sit()
    second.goto(f"/?draft={id}")
    write(first, "order.quantity", "70000")
    save(first, "Two of us")
    write(second, "order.quantity", "60000")
    desk.refusals = {412}
    second.locator("#save").click()
    second.locator("#save-now").click()
    second.get_by_role("link", name="Load theirs").click()
    expect(field(second, "order.quantity")).to_have_value("70,000")


def test_what_no_field_shows_of_a_draft_is_saved_along_with_its_order(desk: Desk) -> None:
    page = desk.sit()
    page.goto("/")
    title = {"en": "Eighty thousand", "zh": "八万片"}
    kept = {
        "title": title,
        "story": {"en": "A test.", "zh": "一次测试。"},
        "expect": {"outcome": "deny", "unmet": ["customer-cap"]},
        "vary": [{"title": title, "set": {"order.quantity": 1}, "expect": {"outcome": "approve"}}],
    }
    draft = {"regime": "h200-article", "facts": EIGHTY, **kept}
    id = page.request.post("/v1/scenarios", data=draft).json()["id"]
    page.goto(f"/?draft={id}")
    write(page, "order.quantity", "90000")
    page.locator("#save").click()
    page.locator("#save-now").click()
    expect(page.locator("#save-dialog")).to_be_hidden()
    saved = page.request.get(f"/v1/scenarios/{id}").json()
    assert saved["version"] == 2
    assert saved["scenario"]["facts"]["order.quantity"] == "90000"
    assert {name: saved["scenario"][name] for name in kept} == kept
    save(page, "Ninety thousand")
    saved = page.request.get(f"/v1/scenarios/{id}").json()["scenario"]
    both = {"en": "Ninety thousand", "zh": "Ninety thousand"}
    assert {name: saved[name] for name in kept} == {**kept, "title": both}


def test_a_reload_keeps_what_was_typed(page: Page) -> None:
    open_with(page, EIGHTY)
    write(page, "order.quantity", "70000")
    with page.expect_response(is_answer):
        page.reload()
    expect(field(page, "order.quantity")).to_have_value("70,000")


def test_a_draft_changed_and_not_saved_says_so_wherever_one_returns_from(desk: Desk) -> None:
    page = desk.sit("zh")
    open_with(page, EIGHTY)
    id = save(page, "改而未存")
    write(page, "order.quantity", "70000")
    expect(page.locator("#saved")).to_have_text("未保存")
    with page.expect_response(is_answer):
        page.reload()
    expect(field(page, "order.quantity")).to_have_value("70,000")
    expect(page.locator("#saved")).to_have_text("未保存")
    page.get_by_role("link", name="规则").first.click()
    page.wait_for_url("**/rules**")
    page.go_back()
    expect(field(page, "order.quantity")).to_have_value("70,000")
    expect(page.locator("#saved")).to_have_text("未保存")
    # What is stored stands in the form again: nothing is left to save.
    write(page, "order.quantity", "80000")
    expect(page.locator("#saved")).to_contain_text("已保存")
    with page.expect_response(is_answer):
        page.reload()
    expect(page.locator("#named")).to_have_text("改而未存")
    expect(page.locator("#saved")).to_have_text("已保存")
    # Somebody else saves: who has changed nothing sees it, who has changed keeps that.
    other = desk.sit("zh")
    other.goto(f"/?draft={id}")
    write(other, "order.quantity", "60000")
    save(other, "改而未存")
    page.reload()
    expect(field(page, "order.quantity")).to_have_value("60,000")
    expect(page.locator("#saved")).to_have_text("已保存")
    write(page, "order.quantity", "50000")
    write(other, "order.quantity", "40000")
    save(other, "改而未存")
    with page.expect_response(is_answer):
        page.reload()
    expect(field(page, "order.quantity")).to_have_value("50,000")
    expect(page.locator("#saved")).to_have_text("未保存")


def test_a_link_put_into_the_address_of_the_open_page_opens_there(page: Page) -> None:
    page.goto("/")
    open_with(page, EIGHTY)
    assert "#" not in page.url
    expect(page.locator("#verdict")).to_contain_text("Conditions not met")


@pytest.mark.parametrize(
    ("lang", "button", "notice", "verdict", "facts"),
    [
        ("en", "Print", "NOT A LICENCE", "Conditions not met", "Facts relied on"),
        ("zh", "打印", "不是许可证", "不符合条件", "所依据的事实"),
    ],
)
def test_the_page_to_be_filed_has_the_result_the_notice_and_the_facts(
    desk: Desk, lang: str, button: str, notice: str, verdict: str, facts: str
) -> None:
    page = desk.sit("zh" if lang == "zh" else "en")
    open_with(page, {**EIGHTY, "customer.name": NAME})
    with page.context.expect_page() as opened:
        page.get_by_role("button", name=button, exact=True).click()
    paper = opened.value
    paper.emulate_media(media="print")
    expect(paper.get_by_text(notice).first).to_be_visible()
    expect(paper.get_by_role("heading", level=1)).to_contain_text(verdict)
    expect(paper.get_by_role("heading", name=facts)).to_be_visible()
    expect(paper.get_by_text(NAME).first).to_be_visible()
    expect(paper.locator("#print")).to_be_hidden()
    # The result stands on the first page: 297 mm less the margins, at 96 to the inch.
    result = paper.locator(".result").bounding_box()
    assert result is not None
    assert result["y"] + result["height"] < 1000
    assert paper.pdf(format="A4").startswith(b"%PDF")


def test_the_desk_itself_prints_the_answer_and_no_form(page: Page) -> None:
    open_with(page, EIGHTY)
    page.emulate_media(media="print")
    expect(page.locator("#answer")).to_be_visible()
    for hidden in ("#order", ".tools", ".top", ".repair"):
        expect(page.locator(hidden)).to_be_hidden()


def test_nothing_of_an_order_stands_in_an_address_or_in_the_log(desk: Desk) -> None:
    page = desk.sit("zh")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/")
    order(page, {**EIGHTY, "customer.name": NAME, "order.unit_price": "27013.57"})
    save(page, "晨星")
    page.get_by_role("link", name="情景分析").first.click()
    page.wait_for_url("**/what-if")
    page.go_back()
    page.locator("#whatif").click()
    page.locator("#words h2").first.wait_for()
    page.go_back()
    page.locator("a.lang").click()
    expect(field(page, "customer.name")).to_have_value(NAME)
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#said")).to_have_text("Copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    address, _, carried = link.partition("#d=")
    assert address == f"{desk.place.address}/"
    assert carried

    other = desk.sit("zh")
    with other.expect_response(is_answer):
        other.goto(link)
    expect(field(other, "customer.name")).to_have_value(NAME)
    expect(field(other, "order.quantity")).to_have_value("80,000")
    expect(other.locator("#saved")).to_have_text("未保存")
    assert other.url == f"{desk.place.address}/"
    assert state(other)["facts"]["order.unit_price"] == "27013.57"

    asked = [one for one in desk.requests if "/static/" not in one.url]
    assert len(asked) > 10
    secrets = {*TOLD, *(quote(one) for one in TOLD), carried[:40]}
    for request in asked:
        carries = [request.url, *(f"{k}: {v}" for k, v in request.all_headers().items())]
        assert not [one for one in carries if any(secret in one for secret in secrets)]
    log = desk.place.log.read_text("utf-8")
    assert "request" in log
    assert not [
        one for one in (NAME, NAME.encode("unicode-escape").decode(), "27013") if one in log
    ]
