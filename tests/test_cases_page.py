"""Pages of cases over plain HTTP: opened, sent events, refused, forked, put side by side, filed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.app.case_telling import Telling, number_of
from api.app.timeline import Timeline, reach, timeline
from api.keys import new_key, read_keys
from api.service import read_document
from engine.case_story import is_case_story
from engine.words import LANGS
from tests.serving import ROOT, service

STORY = "h200-article/last-twenty-thousand"
ORDER = """\
facts:
  item.product: H200-SXM
  order.quantity: 20000
  order.unit_price: "27000.00"
  order.destination: CN
  customer.id: {customer}
  customer.group: {group}
"""
PLACED = {"event": "place", "field:on": "2026-01-12"}
PAID = {"event": "prepay", "field:on": "2026-01-14", "field:amount": "5.4亿"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("cases"), rate="1000000/second") as client:
        client.follow_redirects = False
        yield client


def text_of(answer: Response) -> str:
    """What a person reads of a page."""
    told = re.sub(r"<(script|style|svg).*?</\1>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", told)))


def part(answer: Response, heading: str) -> str:
    """The text of the section that an element with this id heads."""
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}".*?</section>', answer.text, re.S)
    assert found is not None, heading
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", found[0]))).strip()


def opened(client: TestClient, **more: str) -> str:
    """The id of a new case of the H200 process, each by default in a book of its own."""
    mark = token_hex(6)
    form = {
        "process": "h200-article",
        "title": "Twenty thousand",
        "workspace": f"books-{mark}",
        "opened_on": "2026-01-05",
        "order": ORDER.format(customer=f"c-{mark}", group=f"g-{mark}"),
        **more,
    }
    answer = client.post("/cases", data=form)
    assert answer.status_code == 303, text_of(answer)
    return str(urlsplit(answer.headers["location"]).path.rpartition("/")[2])


def shown(client: TestClient, id: str, lang: str = "en", **more: str) -> Response:
    answer = client.get(f"/cases/{id}", params={"lang": lang, **more})
    assert answer.status_code == 200
    return answer


def send(client: TestClient, id: str, event: dict[str, str], **more: str) -> Response:
    """An event as its form on the page sends it."""
    return client.post(f"/cases/{id}/events", data={**hidden(client, id), **event, **more})


def hidden(client: TestClient, id: str) -> dict[str, str]:
    page = client.get(f"/cases/{id}").text
    version = re.search(r'name="version" value="(\d+)"', page)
    return {"version": version[1] if version else "0"}


def sent(client: TestClient, id: str, *events: dict[str, str]) -> None:
    for event in events:
        answer = send(client, id, event)
        assert answer.status_code == 303, text_of(answer)


# --- the opening ---


@pytest.mark.parametrize(
    ("lang", "told"),
    [("en", "events of the case will say it: BIS decision"), ("zh", "将由个案的事件确定")],
)
def test_what_events_will_say_is_left_out_of_a_story_and_named(
    client: TestClient, lang: str, told: str
) -> None:
    page = client.get("/cases/new", params={"of": STORY, "lang": lang})
    assert page.status_code == 200
    assert told in text_of(page)
    order = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.S)
    assert order is not None
    assert "order.quantity" in order[1]
    for path in ("fee.paid", "payment.prepaid", "review.state"):
        assert path not in order[1]
    assert 'value="2026-02-01"' in page.text
    assert f'<option value="{STORY}" selected>' in page.text


def test_an_order_with_what_events_say_opens_a_case_without_it(client: TestClient) -> None:
    order = 'fee.paid: "5.00"\n' + ORDER.format(customer="a", group="b").partition("\n")[2]
    order = order.replace("  ", "")
    form = {"process": "h200-article", "workspace": "left", "order": order}
    answer = client.post("/cases", data=form)
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    assert parse_qs(where.query) == {"left_out": ["fee.paid"]}
    page = client.get(answer.headers["location"], params={"left_out": "fee.paid", "lang": "en"})
    assert "events of the case say it: fee paid so far" in text_of(page)


def test_the_order_of_the_decide_page_opens_a_case(client: TestClient) -> None:
    state = {"regime": "h200-article", "title": "云", "facts": {"order.quantity": "7"}}
    state["facts"]["review.state"] = "deny"  # type: ignore[index]
    page = client.post("/cases/new", data={"state": orjson.dumps(state).decode()})
    assert page.status_code == 200
    assert 'value="云"' in page.text
    assert "order.quantity: &#39;7&#39;" in page.text
    assert "review.state" not in re.findall(r"<textarea.*?</textarea>", page.text, re.S)[0]


@pytest.mark.parametrize(
    ("order", "en", "zh"),
    [
        ("", "the document is empty", "内容为空"),
        ("[1, 2]", "the facts of an order are names with values", "事实须写作"),
        (
            "facts: {order.quantitee: 5}",
            "unknown fact order.quantitee",
            "order.quantitee：没有这一事实",
        ),
        ("facts: {order.quantity: many}", "many", "数量"),
        ("facts: {order.quantity: 5", "line 1: is not well-formed YAML", "第1行：格式有误"),
        ("- *a", "", ""),
    ],
)
def test_an_order_that_cannot_be_read_is_told_and_kept(
    client: TestClient, order: str, en: str, zh: str
) -> None:
    for lang, told in (("en", en), ("zh", zh)):
        form = {"process": "h200-article", "title": "Kept <title>", "order": order}
        answer = client.post("/cases", params={"lang": lang}, data=form)
        assert answer.status_code == 422
        assert told in text_of(answer)
        assert 'role="alert"' in answer.text
        assert "Kept &lt;title&gt;" in answer.text
        assert (order or "facts: {}") in unescape(answer.text)


def test_a_form_that_is_sent_twice_opens_one_case(client: TestClient) -> None:
    form = {"process": "ear-750", "workspace": "twice", "order": "facts: {}", "key": "k-open"}
    one, two = (client.post("/cases", data=form) for _ in range(2))
    assert one.headers["location"] == two.headers["location"]
    other = client.post("/cases", params={"lang": "zh"}, data={**form, "title": "另一个"})
    assert other.status_code == 422
    assert "此表单已开立过个案" in text_of(other)


# --- one case ---


@pytest.mark.parametrize(
    ("lang", "stage", "placing"), [("en", "Draft", "Place the order"), ("zh", "草案", "下单")]
)
def test_a_new_case_shows_its_stage_and_the_events_that_are_possible(
    client: TestClient, lang: str, stage: str, placing: str
) -> None:
    page = shown(client, opened(client), lang)
    assert f'<span class="stage-name">{stage}</span>' in page.text
    events = re.findall(r'data-event="([a-z-]+)"', page.text)
    assert events == ["place", "drop", "policy-change"]
    assert placing in part(page, "next-head")


def test_events_that_will_be_refused_are_offered_as_such(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED)
    page = shown(client, id)
    refused = re.findall(r'class="event will-refuse" data-event="([a-z-]+)"', page.text)
    assert refused == ["request-cancellation", "request-refund", "request-configuration-change"]
    assert part(page, "next-head").count("will be refused and put on record") == 3
    assert shown(client, id, "zh").text.count("将不予办理，并记录在案") == 3


def test_a_refusal_is_put_on_record_with_its_reason_and_rule(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED, PAID)
    asked = {"event": "request-refund", "field:on": "2026-02-02", "field:note": "their <letter>"}
    sent(client, id, asked)
    page = shown(client, id)
    past = part(page, "past-head")
    assert "The buyer asked for a refund; nothing that was paid is refunded." in past
    assert "their <letter>" in past
    assert '<a href="/rules/h200-article/no-refund">No refund</a>' in page.text
    assert 'class="past refused" id="event-3"' in page.text
    assert "USD 540,000,000.00" in part(page, "stake-head")
    assert re.search(r"refundable under the terms USD 0\.00", part(page, "stake-head"))


def test_faults_stand_beside_their_fields_in_the_readers_language(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED)
    bad = {"event": "prepay", "field:on": "yesterday", "field:amount": "much", "field:note": "n"}
    for lang, told in (("en", ("write digits", "write year")), ("zh", ("须填", "须填年月日"))):
        answer = client.post(f"/cases/{id}/events", params={"lang": lang}, data=bad)
        assert answer.status_code == 422
        for name, words in zip(("amount", "on"), told, strict=True):
            fault = re.search(rf'id="f-prepay-{name}-fault">(.*?)</p>', answer.text)
            assert fault is not None, name
            assert words in fault[1] or "US dollars" in fault[1]
            assert f'aria-describedby="f-prepay-{name}-fault"' in answer.text
        assert 'data-event="prepay" name="event" open' in answer.text
        assert 'value="much"' in answer.text
        assert 'value="n"' in answer.text
    lacking = client.post(f"/cases/{id}/events", params={"lang": "en"}, data={"event": "prepay"})
    assert lacking.text.count(">is needed</p>") == 2
    assert "1 event" in text_of(shown(client, id))


def test_a_guard_that_does_not_hold_is_told_by_titles(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED, {"event": "apply", "field:on": "2026-01-20"})
    far = {
        "event": "issue-licence",
        "field:on": "2026-02-20",
        "field:units": "20,001",
        "field:decision": "approve",
        "field:valid_until": "2027-02-19",
    }
    answer = client.post(f"/cases/{id}/events", params={"lang": "en"}, data=far)
    assert answer.status_code == 422
    told = part(answer, "next-head")
    assert "“BIS issues the licence” is not taken in the stage “Under review by the US" in told
    assert "`" not in told
    chinese = client.post(f"/cases/{id}/events", params={"lang": "zh"}, data=far)
    assert "“美国各部门审查中”阶段不接受事件" in text_of(chinese)
    assert "目前可能的事件：" not in text_of(chinese)
    sent(client, id, {**far, "field:units": "20,000"})
    assert "last day 19 February 2027, 364 days left" in part(shown(client, id), "clocks-head")


def test_an_order_beyond_the_cap_is_told_with_its_numbers(client: TestClient) -> None:
    id = opened(client, order=ORDER.format(customer="w", group="w").replace("20000", "80000"))
    for lang, told in (
        ("en", "would pass the cap (80,000 is more than 75,000)."),
        ("zh", "客户集团将超出累计数量上限（80,000大于75,000）。"),
    ):
        answer = client.post(f"/cases/{id}/events", params={"lang": lang}, data=PLACED)
        assert answer.status_code == 422
        assert told in part(answer, "next-head")


def test_an_event_before_the_latest_one_is_told_at_its_date(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED)
    early = {**PAID, "field:on": "2026-01-11"}
    answer = client.post(f"/cases/{id}/events", params={"lang": "zh"}, data=early)
    assert answer.status_code == 422
    assert (
        "事件日期早于最近一次事件" in re.findall(r'id="f-prepay-on-fault">(.*?)<', answer.text)[0]
    )


def test_a_second_press_of_a_button_records_nothing_more(client: TestClient) -> None:
    id = opened(client)
    form = {**PLACED, "version": "0", "key": "press"}
    answers = [client.post(f"/cases/{id}/events", data=form) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    assert "1 event" in text_of(shown(client, id))
    other = client.post(f"/cases/{id}/events", data={**PAID, "version": "0", "key": "press"})
    assert other.status_code == 422
    assert "has gone on since this page was opened" in text_of(other)


def test_who_comes_second_is_told_and_sees_the_case_as_it_stands(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED)
    late = client.post(f"/cases/{id}/events", data={**PAID, "version": "0"}, params={"lang": "zh"})
    assert late.status_code == 422
    assert "个案已有新的事件" in text_of(late)
    assert 'name="version" value="1"' in late.text
    gone = {"event": "drop", "field:on": "2026-01-13", "version": "1"}
    answer = client.post(f"/cases/{id}/events", data=gone, params={"lang": "en"})
    assert "“Drop the draft” is not possible in the stage “Order placed”" in text_of(answer)


def test_every_form_has_the_version_and_a_key_of_its_own(client: TestClient) -> None:
    page = shown(client, opened(client)).text
    keys = re.findall(r'name="key" value="([^"]+)"', page)
    assert len(keys) == len(set(keys)) == 3
    assert re.findall(r'name="version" value="(\d+)"', page) == ["0"] * 3
    again = re.findall(r'name="key" value="([^"]+)"', shown(client, opened(client)).text)
    assert not set(keys) & set(again)


def test_a_ban_after_payment_leaves_the_money_at_stake(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED, PAID, {"event": "policy-change", "field:on": "2026-04-14"})
    page = shown(client, id)
    assert 'class="stage-name ended">Barred by a change of policy' in page.text
    stake = part(page, "stake-head")
    assert "price paid in advance USD 540,000,000.00" in stake
    assert "chips undelivered 20,000 chips" in stake
    assert "the case has ended" in part(page, "next-head")
    assert "data-event=" not in page.text


def test_a_day_is_chosen_after_the_latest_event_and_not_before(client: TestClient) -> None:
    id = opened(client, process="ear-750", order="facts: {}")
    sent(client, id, {"event": "submit", "field:on": "2026-01-06", **extra(client, id, "submit")})
    sent(client, id, {"event": "register", "field:on": "2026-01-07"})
    assert "day 0 of 90" in part(shown(client, id), "clocks-head")
    later = part(shown(client, id, as_of="2026-01-20"), "clocks-head")
    assert "day 13 of 90" in later
    assert "over since 16 January 2026, 4 days ago" in later
    assert "第13天，共90天" in part(shown(client, id, "zh", as_of="2026-01-20"), "clocks-head")
    early = shown(client, id, as_of="2026-01-01")
    assert "lies before the latest event" in text_of(early)
    assert 'name="as_of" value="2026-01-07"' in early.text
    assert "This is no date" in text_of(shown(client, id, as_of="soon"))


def extra(client: TestClient, id: str, event: str) -> dict[str, str]:
    """Something for each field of an event but its date and note, whatever it is."""
    page = shown(client, id).text
    form = re.search(rf'data-event="{event}".*?</form>', page, re.S)
    assert form is not None
    filled = {}
    for name, rest in re.findall(
        r'<select id="[^"]*" name="(field:\w+)"(.*?)</select>', form[0], re.S
    ):
        filled[name] = re.findall(r'value="([^"]+)"', rest)[0]
    for name in re.findall(r'class="number"[^>]*name="(field:\w+)"', form[0]):
        filled[name] = "20,000"
    return filled


# --- two futures ---


def forked(client: TestClient, id: str, number: int, title: str) -> str:
    answer = client.post(f"/cases/{id}/fork", data={"number": str(number), "title": title})
    assert answer.status_code == 303
    return str(answer.headers["location"]).rpartition("/")[2]


def test_two_futures_part_where_they_part(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED, PAID)
    other = forked(client, id, 1, "Never paid")
    sent(client, id, {"event": "policy-change", "field:on": "2026-04-14"})
    sent(client, other, {"event": "apply", "field:on": "2026-02-01"})
    page = client.get("/cases/compare", params={"of": [id, other], "lang": "en"})
    assert page.status_code == 200
    told = text_of(page)
    assert "They share 1 event and part after: Place the order , 12 January 2026" in told
    rows = dict(re.findall(r'<tr class="(\w+)" data-name="(\w+)">', page.text)[::-1])
    differing = set(re.findall(r'<tr class="differs" data-name="([\w-]+)">', page.text))
    assert rows
    assert {"cash_paid", "reserved"} <= differing
    assert "refundable" not in differing
    assert "Forks are not counted in the customer&#39;s book" in page.text
    chinese = client.get("/cases/compare", params={"of": [id, other], "lang": "zh"})
    assert "前1项事件相同，其后走向不同：" in text_of(chinese)


def test_a_fork_says_what_it_is_and_is_found_from_its_case(client: TestClient) -> None:
    id = opened(client)
    sent(client, id, PLACED)
    other = forked(client, id, 0, "Never placed")
    page = shown(client, other)
    assert f'<a href="/cases/{id}">this case</a> from its opening' in page.text
    assert "not counted in the book" in part(page, "book-head")
    found = part(shown(client, id), "other-head")
    assert "Never placed" in found
    listed = client.get("/cases").text
    assert f'href="/cases/{other}">Never placed</a> <span class="tag">' in listed


@pytest.mark.parametrize("ids", [[], ["one"], ["one", "one"], list("abcd")])
def test_a_comparison_takes_two_or_three_cases(client: TestClient, ids: list[str]) -> None:
    found = client.get("/cases/compare", params={"of": ids}, headers={"accept": "text/html"})
    assert found.status_code == 400


# --- shipped stories ---


def test_every_shipped_story_of_a_case_is_listed_and_plays_to_its_end(client: TestClient) -> None:
    files = [read_document(path) for path in sorted((ROOT / "scenarios").rglob("*.yaml"))]
    ends = [one.data["expect"]["stage"] for one in files if is_case_story(one)]
    page = client.get("/cases", params={"lang": "en"}).text
    stories = re.findall(r'<input type="hidden" name="story" value="([^"]+)">', page)
    assert len(stories) == len(ends)
    work = client.app.state.house.casework  # type: ignore[attr-defined]
    got = []
    for id in stories:
        answer = client.post("/cases/play", data={"story": id}, params={"lang": "zh"})
        assert answer.status_code == 303
        where = urlsplit(answer.headers["location"])
        asked = parse_qs(where.query).get("as_of", ["2000-01-01"])[0]
        told = work.show(where.path.rpartition("/")[2], number_of(asked))
        got.append(told["stage"]["id"])
        assert client.get(answer.headers["location"]).status_code == 200
    assert sorted(got) == sorted(ends)


def test_a_story_that_is_none_is_not_played(client: TestClient) -> None:
    answer = client.post("/cases/play", data={"story": STORY})
    assert answer.status_code == 404


# --- the list ---


def test_the_list_is_filtered_in_a_body_and_never_in_an_address(client: TestClient) -> None:
    one = opened(client, workspace="甲方 & co", title="Zaphod")
    two = opened(client, workspace="other")
    page = client.post("/cases/list", data={"workspace": "甲方 & co"})
    assert page.status_code == 200
    assert f'data-id="{one}"' in page.text
    assert f'data-id="{two}"' not in page.text
    assert '<option selected value="甲方 &amp; co">' in page.text
    by_title = client.post("/cases/list", data={"title": "zaph"}).text
    assert re.findall(r'<tr data-id="([^"]+)">', by_title) == [one]
    assert 'method="post" action="/cases/list"' in page.text


def test_the_list_tells_stage_hold_and_the_next_deadline(client: TestClient) -> None:
    id = opened(client, process="ear-750", order="facts: {}", workspace="held")
    sent(client, id, {"event": "submit", "field:on": "2026-01-06", **extra(client, id, "submit")})
    sent(client, id, {"event": "register", "field:on": "2026-01-07"})
    page = client.post("/cases/list", data={"workspace": "held"}, params={"lang": "en"})
    assert "last day 16 January 2026, 9 days left" in text_of(page)
    sent(client, id, {"event": "hold", "field:on": "2026-01-09", **extra(client, id, "hold")})
    held = client.post("/cases/list", data={"workspace": "held", "state": "held"})
    assert re.findall(r'<tr data-id="([^"]+)">', held.text) == [id]
    assert '<span class="held">held</span>' in held.text
    assert not re.findall("<tr data-id", client.post("/cases/list", data={"workspace": "x"}).text)


def test_older_cases_follow_on_further_pages(client: TestClient) -> None:
    for number in range(53):
        opened(client, workspace="many", process="ear-750", order="facts: {}", title=f"n{number}")
    first = client.post("/cases/list", data={"workspace": "many"}).text
    after = re.search(r'name="after" value="([^"]+)"', first)
    assert after is not None
    rest = client.post("/cases/list", data={"workspace": "many", "after": after[1]}).text
    ids = re.findall(r'<tr data-id="([^"]+)">', first + rest)
    assert len(ids) == len(set(ids)) == 53


# --- who, what, and on paper ---


@pytest.mark.parametrize("lang", LANGS)
def test_markup_in_names_notes_and_titles_is_shown_and_not_obeyed(
    client: TestClient, lang: str
) -> None:
    bad = "<img src=x onerror=alert(1)>\"'\u202e"
    id = opened(client, title=bad.replace("\u202e", ""), workspace="<b>w</b>")
    sent(client, id, {**PLACED, "field:note": bad})
    pages = [shown(client, id, lang), client.get("/cases", params={"lang": lang})]
    pages += [client.get(f"/cases/{id}/print", params={"lang": lang})]
    for page in pages:
        assert "<img" not in page.text.replace('<img src="/static/', "")
        assert "<b>w" not in page.text
        assert "\u202e" not in page.text
    assert "&lt;img src=x" in pages[0].text


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("en", ("NOT A LICENCE", "Refused.", "Rule: No refund", "At stake", "Not examined")),
        ("zh", ("不是许可证", "不予办理。", "所依规则：不得退款", "风险敞口", "未审查事项")),
    ],
)
def test_the_page_to_be_filed_holds_what_happened_and_why(
    client: TestClient, lang: str, told: tuple[str, ...]
) -> None:
    id = opened(client)
    sent(client, id, PLACED, PAID, {"event": "request-refund", "field:on": "2026-02-02"})
    page = client.get(f"/cases/{id}/print", params={"lang": lang})
    assert page.status_code == 200
    for words in told:
        assert words in text_of(page)
    assert id in page.text


def test_a_key_that_only_looks_sees_no_form_and_sends_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    (looks, one), (drafts, two) = new_key("eye", "read"), new_key("hand", "draft")
    keys = read_keys([one, two])
    with service(tmp_path_factory.mktemp("keys"), keys=keys, rate="1000000/second") as client:
        client.follow_redirects = False
        client.headers["Authorization"] = f"Bearer {drafts}"
        id = opened(client)
        client.headers["Authorization"] = f"Bearer {looks}"
        page = shown(client, id)
        assert "may look, but not record events" in text_of(page)
        assert "Place the order" in text_of(page)
        assert "/events" not in page.text
        assert "/fork" not in page.text
        assert "/cases/new" not in client.get("/cases").text
        for path in (f"/cases/{id}/events", f"/cases/{id}/fork", "/cases"):
            assert client.post(path, data=PLACED).status_code == 403
        assert client.post("/cases/list", data={}).status_code == 200


@pytest.mark.parametrize("path", ["/cases/c-222222222222", "/cases/none", "/cases/none/print"])
def test_a_case_that_is_not_there_has_a_page_that_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html"}, params={"lang": "zh"})
    assert answer.status_code == 404
    assert "此处没有内容" in answer.text


# --- days to scale ---


def drawn(client: TestClient, id: str, as_of: str) -> tuple[dict[str, Any], Timeline]:
    work = client.app.state.house.casework  # type: ignore[attr-defined]
    told = work.show(id, number_of(as_of))
    return told, timeline(told, "en")


def test_bars_stand_where_their_days_are(client: TestClient) -> None:
    id = opened(client, process="ear-750", order="facts: {}", opened_on="2026-01-02")
    sent(client, id, {"event": "submit", "field:on": "2026-01-05", **extra(client, id, "submit")})
    sent(client, id, {"event": "register", "field:on": "2026-01-07"})
    sent(client, id, {"event": "refer", "field:on": "2026-01-12"})
    sent(client, id, {"event": "hold", "field:on": "2026-01-20", **extra(client, id, "hold")})
    sent(client, id, {"event": "resume", "field:on": "2026-02-03"})
    told, line = drawn(client, id, "2026-03-05")
    first, last = reach(told)
    day = (line.now - 14) / (number_of("2026-03-05") - first)

    def at(iso: str) -> int:
        return round(14 + (number_of(iso) - first) * day)

    assert last >= number_of("2026-04-21")
    stages = [row for row in line.rows if row.kind == "stage"]
    assert [row.here for row in stages] == [False, False, False, False, True]
    agencies = next(row for row in line.rows if row.label.startswith("Recommendations of the"))
    kinds = [bar.kind for bar in agencies.bars]
    assert kinds == ["counts", "stands", "counts", "over"]
    starts = [at("2026-01-12"), at("2026-01-20"), at("2026-02-03"), at("2026-02-25")]
    for bar, start in zip(agencies.bars, starts, strict=True):
        assert abs(bar.x - start) <= 2
    assert agencies.last is not None
    assert abs(agencies.last - at("2026-02-25")) <= 2
    (hold,) = line.holds
    assert abs(hold.x - at("2026-01-20")) <= 2
    assert abs(hold.x + hold.width - at("2026-02-03")) <= 2
    overall = next(row for row in line.rows if row.label.startswith("From registration"))
    assert overall.bars[-1].kind == "left"
    marks = [mark.kind for mark in line.marks]
    assert marks == ["event"] * 5 + ["lapse"]
    assert [mark.text for mark in line.marks] == ["1", "2", "3", "4", "5", ""]


def test_marks_of_one_day_stand_below_one_another(client: TestClient) -> None:
    id = opened(client)
    sent(
        client, id, PLACED, {**PAID, "field:on": "2026-01-12"}, {**PAID, "field:on": "2026-01-12"}
    )
    _, line = drawn(client, id, "2026-01-12")
    assert len({mark.x for mark in line.marks}) == 1
    assert len({mark.y for mark in line.marks}) == 3
    ticks = [tick.x for tick in line.ticks]
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("clock", "en", "zh"),
    [
        ({"counted": 12, "days": 30, "last": "2026-02-04"}, "day 12 of 30", "第12天，共30天"),
        ({"counted": 45, "days": 30, "last": "2026-01-01"}, "30 days", "30天"),
        ({"counted": 5, "days": None, "last": "2026-02-04"}, "day 5", "第5天"),
        (
            {"counted": -3, "days": 14, "last": None, "since": "2026-02-04"},
            "starts on 4 February 2026",
            "2026年2月4日起算",
        ),
    ],
)
def test_days_are_counted_in_words(clock: dict[str, Any], en: str, zh: str) -> None:
    assert (Telling("en").count(clock), Telling("zh").count(clock)) == (en, zh)


@pytest.mark.parametrize(
    ("as_of", "en", "zh"),
    [
        (
            "2026-01-20",
            "last day 4 February 2026, 15 days left",
            "2026年2月4日届满，尚余15天",
        ),
        (
            "2026-02-03",
            "last day 4 February 2026, 1 day left",
            "2026年2月4日届满，尚余1天",
        ),
        (
            "2026-02-04",
            "runs out with this day, 4 February 2026",
            "当日届满（2026年2月4日）",
        ),
        (
            "2026-02-05",
            "over since 4 February 2026, 1 day ago",
            "已于2026年2月4日届满，逾1天",
        ),
    ],
)
def test_what_is_left_of_a_deadline_is_told(as_of: str, en: str, zh: str) -> None:
    clock = {"last": "2026-02-04"}
    assert Telling("en").left(clock, as_of) == en
    assert Telling("zh").left(clock, as_of) == zh
