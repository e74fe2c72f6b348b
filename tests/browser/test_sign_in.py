"""The door, where keys are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from api.keys import new_key
from tests.browser.conftest import PATIENCE
from tests.browser.form import EIGHTY, open_with, save
from tests.browser.watch import Desk, Place
from tests.serving import server

LOOKS, READ = new_key("wei", "read")
WRITES, DRAFT = new_key("lin", "draft")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server with two keys."""
    folder = tmp_path_factory.mktemp("guarded")
    with server(folder, PLACET_KEYS=f"{READ};{DRAFT}") as (address, _):
        yield Place(address, folder / "server.log")


@pytest.fixture
def desk(chromium: Browser, guarded: Place) -> Iterator[Desk]:
    """A desk before the door."""
    desk = Desk(chromium, guarded, PATIENCE)
    yield desk
    desk.close()
    assert desk.wrong == []


def enter(page: Page, secret: str) -> None:
    """Come to the door by another page's address, and sign in."""
    page.goto("/")
    expect(page).to_have_url(re.compile("/enter$"))
    page.locator("#key").fill(secret)
    page.locator("#key").press("Enter")


def test_a_wrong_key_is_told_and_a_right_one_opens(desk: Desk) -> None:
    page = desk.sit("zh")
    desk.refusals = {403}
    enter(page, WRITES[:-1])
    expect(page.get_by_role("alert")).to_contain_text("密钥无效")
    expect(page.locator("#key")).to_have_value("")
    page.locator("#key").fill(f" {WRITES} ")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("判定订单")
    open_with(page, EIGHTY)
    save(page, "有密钥者")


def test_the_browser_keeps_a_token_and_not_the_key(desk: Desk) -> None:
    page = desk.sit()
    enter(page, WRITES)
    expect(page.get_by_role("heading", level=1)).to_have_text("Decide an order")
    kept = {one["name"]: one for one in page.context.cookies()}
    assert kept["placet_session"]["httpOnly"]
    assert WRITES not in str(kept)
    assert not [one for one in desk.requests if WRITES in one.url]
    assert WRITES not in desk.place.log.read_text("utf-8")


def test_who_has_signed_out_stands_before_the_door_again(desk: Desk) -> None:
    page = desk.sit()
    enter(page, WRITES)
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/enter$"))
    page.goto("/scenarios")
    expect(page).to_have_url(re.compile("/enter[?]next=/scenarios$"))


def test_who_has_signed_in_comes_where_he_was_going(desk: Desk) -> None:
    page = desk.sit()
    desk.refusals = {403}
    page.goto("/what-if?of=h200-article/last-twenty-thousand")
    for secret in (WRITES[:-1], WRITES):
        page.locator("#key").fill(secret)
        page.locator("#key").press("Enter")
    expect(page).to_have_url(re.compile("/what-if[?]of=h200-article(/|%2F)last-twenty-thousand$"))
    expect(page.locator("#title")).to_contain_text("on the article's terms")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//127.0.0.2/x",
        "https://127.0.0.2/",
        "/\\127.0.0.2/",
        "/\t/127.0.0.2/",
        "\\\\127.0.0.2",
        "x",
    ],
)
def test_no_address_leads_from_the_door_to_another_site(desk: Desk, elsewhere: str) -> None:
    page = desk.sit()
    page.goto(f"/enter?next={quote(elsewhere, safe='')}")
    page.locator("#key").fill(WRITES)
    page.locator("#key").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Decide an order")
    expect(page).to_have_url(f"{desk.place.address}/")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_key_to_look_decides_and_is_told_that_it_may_not_save(desk: Desk, lang: str) -> None:
    page = desk.sit("zh" if lang == "zh" else "en")
    enter(page, LOOKS)
    page.locator("#verdict").wait_for()
    open_with(page, EIGHTY)
    expect(page.locator("#verdict")).to_contain_text(
        "不符合条件" if lang == "zh" else "Conditions not met"
    )
    expect(page.locator("#save")).to_be_disabled()
    expect(page.locator("#save")).to_have_accessible_description(
        "此密钥仅可查阅和判定，不能保存。"
        if lang == "zh"
        else "Your key may look and decide, but not save."
    )
