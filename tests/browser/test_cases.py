"""A case in a browser: opened, sent events, refused, banned, forked, compared; by keys, on a phone."""

from __future__ import annotations

import re
from secrets import token_hex

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import BEYOND, NAMES, SPOKEN, Lang, grave
from tests.browser.watch import Desk

STORY = "h200-article/last-twenty-thousand"

OTHERS = """document.querySelectorAll("tr[data-id], #filter option, textarea").forEach(
  (one) => one.remove())"""


def open_case(page: Page, title: str = "", of: str = STORY) -> str:
    """Open a case of a story by the form; its address."""
    page.goto(f"/cases/new?of={of}")
    if title:
        page.locator("#title").fill(title)
    page.locator("#workspace").fill(f"books {token_hex(6)}")
    page.locator("#opened-on").fill("2026-01-05")
    page.locator("form.opening button.main").click()
    page.wait_for_url(re.compile(r"/cases/c-\w{12}"))
    return page.url.partition("?")[0]


def send(page: Page, event: str, on: str, **fields: str) -> None:
    """Fill in the form of an event and record it."""
    form = page.locator(f"details.event[data-event='{event}']")
    if not form.evaluate("one => one.open"):
        form.locator("summary").click()
    form.locator("[name='field:on']").fill(on)
    for name, text in fields.items():
        control = form.locator(f"[name='field:{name}']")
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(text)
        else:
            control.fill(text)
    with page.expect_navigation():
        form.locator("button.main").click()


def stage(page: Page) -> str:
    return page.locator(".case-head .stage-name").inner_text()


@pytest.fixture
def paid(page: Page) -> Page:
    """A case whose price is paid in full, and whose order is under review."""
    open_case(page)
    send(page, "place", "2026-01-12")
    send(page, "prepay", "2026-01-14", amount="540,000,000.00")
    send(page, "apply", "2026-01-20")
    return page


def test_an_order_is_placed_paid_refused_a_refund_and_banned(paid: Page) -> None:
    page = paid
    assert stage(page) == "Under review by the US agencies"
    expect(page.locator("tr[data-figure='cash_paid']")).to_contain_text("USD 540,000,000.00")
    refund = page.locator("details[data-event='request-refund']")
    expect(refund).to_contain_text("will be refused and put on record")
    send(page, "request-refund", "2026-03-02", note="letter of 1 March")
    past = page.locator("#event-4")
    expect(past).to_contain_text(
        "The buyer asked for a refund; nothing that was paid is refunded."
    )
    expect(past.get_by_role("link", name="No refund")).to_be_visible()
    assert stage(page) == "Under review by the US agencies"
    send(page, "policy-change", "2026-04-14")
    assert stage(page) == "Barred by a change of policy"
    expect(page.locator("tr[data-figure='refundable']")).to_contain_text("USD 0.00")
    expect(page.locator("tr[data-figure='undelivered']")).to_contain_text("20,000 chips")
    expect(page.locator("details.event")).to_have_count(0)
    expect(page.locator(".chart .here")).to_contain_text("present stage")
    expect(page.locator(".timeline .mark")).to_have_count(5)
    expect(page.locator(".timeline .mark.refused")).to_have_count(1)


def test_two_futures_are_put_side_by_side(paid: Page) -> None:
    page = paid
    page.locator("#event-3 .fork summary").click()
    page.locator("#event-3 .fork input[name=title]").fill("Without a ban")
    case = page.url.partition("#")[0]
    with page.expect_navigation():
        page.locator("#event-3 .fork button").click()
    expect(page.locator("h1")).to_have_text("Without a ban")
    send(page, "deny-licence", "2026-03-01")
    page.goto(case)
    send(page, "policy-change", "2026-04-14")
    page.locator("#other").select_option(label="Without a ban (BIS denied the application)")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("h1")).to_have_text("Futures side by side")
    expect(page.locator("main")).to_contain_text("They share 3 events and part after")
    expect(page.locator(".top-line td")).to_have_text(
        ["Barred by a change of policy", "BIS denied the application"]
    )
    expect(page.locator("svg.timeline")).to_have_count(2)
    same = page.locator("tr.same").first
    expect(same).to_be_visible()
    page.get_by_label("Only rows that differ").check()
    expect(same).to_be_hidden()


def test_cases_are_chosen_in_the_list_and_compared(page: Page) -> None:
    for title in ("One of two", "Two of two"):
        open_case(page, title)
    page.goto("/cases")
    expect(page.locator("#compare")).to_be_disabled()
    for title in ("One of two", "Two of two"):
        page.get_by_role("checkbox", name=title).first.check()
    expect(page.locator("#chosen")).to_have_text("(2)")
    page.locator("#compare").click()
    expect(page.locator("main")).to_contain_text("They share no event.")


def test_a_fault_stands_beside_its_field_and_takes_the_keys(desk: Desk) -> None:
    desk.refusals = {422}
    page = desk.sit("zh")
    open_case(page)
    send(page, "place", "2026-01-12")
    send(page, "prepay", "2026-01-14", amount="很多")
    expect(page.locator("#wrong")).to_be_focused()
    amount = page.locator("#f-prepay-amount")
    expect(amount).to_have_attribute("aria-invalid", "true")
    expect(amount).to_have_value("很多")
    expect(page.locator("#f-prepay-amount-fault")).to_contain_text("无法识别")
    assert grave(page) == []
    send(page, "prepay", "2026-01-14", amount="5.4亿")
    expect(page.locator("tr[data-figure='cash_paid']")).to_contain_text("540,000,000.00美元")


def test_a_double_press_records_once(page: Page) -> None:
    open_case(page)
    form = page.locator("details.event[data-event='place']")
    form.locator("summary").click()
    form.locator("[name='field:on']").fill("2026-01-12")
    form.locator("button.main").dblclick()
    expect(page.locator(".history .past")).to_have_count(2)
    assert stage(page) == "Order placed"


def test_an_event_is_recorded_without_a_pointer(page: Page) -> None:
    open_case(page)
    place = page.locator("details.event[data-event='place']")
    while not place.locator("summary").evaluate("one => one === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(place.locator("[name='field:on']")).to_be_focused()
    place.locator("[name='field:on']").fill("2026-01-12")
    note = place.locator("[name='field:note']")
    while not note.evaluate("one => one === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type("by hand")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#event-1")).to_contain_text("by hand")
    view = page.locator(".view")
    view.focus()
    expect(view).to_be_focused()


def test_without_script_everything_is_done_all_the_same(desk: Desk) -> None:
    context = desk.browser.new_context(
        base_url=desk.place.address, java_script_enabled=False, locale="en-GB"
    )
    page = context.new_page()
    page.goto(f"/cases/new?of={STORY}")
    page.locator("#workspace").fill(f"books {token_hex(6)}")
    page.locator("#opened-on").fill("2026-01-05")
    page.locator("form.opening button.main").click()
    form = page.locator("details.event[data-event='place']")
    form.locator("summary").click()
    form.locator("[name='field:on']").fill("2026-01-12")
    form.locator("button.main").click()
    expect(page.locator(".case-head .stage-name")).to_have_text("Order placed")
    context.close()


def test_the_order_of_the_decide_page_becomes_a_case(page: Page) -> None:
    page.goto(f"/?scenario={STORY}&run=0")
    page.get_by_role("button", name="Open as a case").click()
    expect(page.locator("h1")).to_have_text("Open a case")
    expect(page.locator("#order-text")).to_have_value(re.compile("order.quantity"))
    expect(page.locator("[role=status]")).to_contain_text("fee paid so far")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_of_cases_are_whole_at_a_desk_and_on_a_phone(desk: Desk, lang: Lang) -> None:
    page = desk.sit(lang)
    case = open_case(page)
    send(page, "place", "2026-01-12")
    send(page, "request-cancellation", "2026-01-13")
    page.locator("#event-1 .fork summary").click()
    with page.expect_navigation():
        page.locator("#event-1 .fork button").click()
    fork = page.url.partition("#")[0]
    ids = [address.rpartition("/")[2] for address in (case, fork)]
    paths = [case, "/cases", f"/cases/new?of={STORY}", f"{case}/print"]
    paths += [f"/cases/compare?of={ids[0]}&of={ids[1]}", "/rules/h200-article/process"]
    for path in [*paths, "/rules/ear-750/process"]:
        page.goto(path)
        page.locator("details:not(.event)").evaluate_all("all => all.forEach(d => d.open = true)")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate(BEYOND) == 0, (path, scheme, width)
            if (lang, scheme) in (("en", "light"), ("zh", "dark")):
                assert grave(page) == [], path
        if lang == "zh":
            # What others have named, in whatever language.
            page.evaluate(OTHERS)
            spoken = [NAMES.sub("", text) for text in page.evaluate(SPOKEN)]
            spoken = [text for text in spoken if not re.search(r"books [0-9a-f]{12}|UTC", text)]
            assert [text for text in spoken if re.search("[A-Za-z]{4,}", text)] == [], path


def test_a_picture_on_a_phone_begins_where_the_case_stands(desk: Desk) -> None:
    page = desk.sit(width=390)
    open_case(page)
    send(page, "place", "2026-01-12")
    page.locator(".view").scroll_into_view_if_needed()
    inside = page.locator(".chart .here").evaluate(
        """one => {
          const [spot, view] = [one, one.closest(".view")].map(e => e.getBoundingClientRect());
          return spot.left >= view.left && spot.right <= view.right && spot.top >= view.top;
        }"""
    )
    assert inside


def test_nothing_of_a_case_stands_in_an_address_or_in_the_log(desk: Desk) -> None:
    page = desk.sit()
    open_case(page, "Zyxwv7731")
    send(page, "place", "2026-01-12", note="Qrstu4420")
    page.locator("#event-1 .fork summary").click()
    page.locator("#event-1 .fork input[name=title]").fill("Mnopq9913")
    with page.expect_navigation():
        page.locator("#event-1 .fork button").click()
    page.goto("/cases")
    page.locator("#filter [name=title]").fill("Zyxwv7731")
    with page.expect_navigation():
        page.locator("#filter button").first.click()
    expect(page.locator("tr[data-id]")).to_have_count(1)
    said = ("Zyxwv7731", "Qrstu4420", "Mnopq9913", "books")
    for request in desk.requests:
        assert not any(word in request.url for word in said), request.url
    log = desk.place.log.read_text("utf-8")
    assert not any(word in log for word in said[:3])
