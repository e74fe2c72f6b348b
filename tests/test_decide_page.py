"""The Decide page over plain HTTP: what is typed, what is answered, what leaves the page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.app import decide_page, telling
from api.app.decide_page import answer_to
from api.app.form import Form, form_of, read_pasted, shown, tidy
from api.keys import Role, new_key, read_keys
from engine.load import Rulebook
from engine.values import Misfit, Type, read
from tests.serving import ROOT, service
from tests.test_drafts import is_taking_in
from tests.test_house import NEVER_EN, NEVER_ZH, SPARED
from tests.test_http import SMALL

VENDOR = ROOT / "api" / "web" / "static" / "vendor"
INTEGER, MONEY, DECIMAL = Type("integer"), Type("money", 2), Type("decimal", 2)
RATIO, DATE, TEXT = Type("ratio", 4), Type("date"), Type("text")
EIGHTY = {
    "regime": "h200-article",
    "fact:item.product": "H200-SXM",
    "fact:order.destination": "CN",
    "fact:order.quantity": "8万",
    "fact:order.unit_price": "US$27,000",
    "fact:customer.units_to_date": "0",
    "as_of": "2026-02-01",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("decide")) as client:
        yield client


class _Page(HTMLParser):
    """What a test asks of a page: elements by tag, and its visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._hidden = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden += tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    def by_id(self, id: str) -> dict[str, str]:
        return next(attrs for _, attrs in self.elements if attrs.get("id") == id)

    def named(self, name: str) -> list[dict[str, str]]:
        return [attrs for _, attrs in self.elements if attrs.get("name") == name]

    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def asked(client: TestClient, form: dict[str, Any], lang: str = "en") -> tuple[Any, _Page]:
    reply = client.post("/decide/answer", data=form, headers={"Accept-Language": lang})
    assert reply.status_code == 200
    return reply, _Page(reply.text)


def state_of(page: _Page) -> Any:
    return json.loads(page.by_id("state")["data-state"])


def beside(page: _Page) -> Any:
    return json.loads(page.by_id("state")["data-beside"])


# --- what officers type ---


@pytest.mark.parametrize(
    ("typed", "type", "written"),
    [
        ("75,000", INTEGER, "75000"),
        ("7.5万", INTEGER, "75000"),
        ("7.5 萬", INTEGER, "75000"),
        ("1.2345亿", INTEGER, "123450000"),
        ("７５，０００", INTEGER, "75000"),
        (" 75 000 ", INTEGER, "75000"),
        ("80000.00", INTEGER, "80000"),
        ("−5", INTEGER, "-5"),
        ("US$27,000", MONEY, "27000.00"),
        ("＄27,000.5", MONEY, "27000.50"),
        ("2.7万美元", MONEY, "27000.00"),
        ("USD 0.01", MONEY, "0.01"),
        ("15,832", DECIMAL, "15832"),
        ("19.45", DECIMAL, "19.45"),
        ("25%", RATIO, "0.25"),
        ("２５％", RATIO, "0.25"),
        ("2026年2月1日", DATE, "2026-02-01"),
        ("2026/2/1", DATE, "2026-02-01"),
        ("", INTEGER, ""),
        ("  ", TEXT, ""),
        (" 示例云 ", TEXT, " 示例云 "),
    ],
)
def test_what_is_meant_in_one_way_is_tidied(typed: str, type: Type, written: str) -> None:
    assert tidy(typed, type) == written


@pytest.mark.parametrize(
    ("typed", "type"),
    [
        ("27k", INTEGER),
        ("1.234,5", MONEY),
        ("1,5", INTEGER),
        ("1,23,456", INTEGER),
        ("1.23456万", INTEGER),
        ("7万5千", INTEGER),
        ("75²", INTEGER),
        ("￥27,000", MONEY),
        ("EUR 27,000", MONEY),
        ("27,000.123", MONEY),
        ("$5", INTEGER),
        ("5%", INTEGER),
        ("1e5", INTEGER),
        ("02/01/2026", DATE),
    ],
)
def test_what_may_be_meant_in_two_ways_stays_and_is_a_fault(typed: str, type: Type) -> None:
    assert tidy(typed, type) == typed
    assert isinstance(read(tidy(typed, type), type), Misfit)


@given(st.integers(-(10**15), 10**15), st.sampled_from([INTEGER, MONEY, DECIMAL]))
def test_what_a_field_shows_reads_as_the_same_number(value: int, type: Type) -> None:
    written = tidy(str(value), type)
    assert tidy(shown(written, type), type) == written
    assert read(written, type) == value * 10 ** (type.scale)


# --- answers ---


def test_eighty_thousand_fail_by_five_thousand(client: TestClient) -> None:
    _, page = asked(client, EIGHTY)
    text = page.text()
    assert "Conditions not met" in text
    assert "80,000 in this order = 80,000, 5,000 over the cap of 75,000" in text
    assert "Set quantity ordered to 75,000 chips" in text
    assert "A change must be real and documented." in text
    repair = next(a for t, a in page.elements if "data-set" in a and t == "button")
    assert (repair["data-set"], repair["data-to"]) == ("order.quantity", "75000")


def test_the_notice_stands_with_the_verdict(client: TestClient) -> None:
    _, page = asked(client, EIGHTY, "zh")
    text = page.text()
    assert (
        text.index("不符合条件") < text.index("不是许可证") < text.index("单一客户累计数量上限 ")
    )
    assert "变更须真实发生并有凭证，不得以规避许可要求为目的（15 CFR 764.2(h)）。" in text


def test_the_repaired_order_no_longer_fails(client: TestClient) -> None:
    _, page = asked(client, {**EIGHTY, "fact:order.quantity": "75000"})
    assert "Cannot be decided yet" in page.text()
    assert not [a for _, a in page.elements if "data-set" in a]


def test_the_tidied_value_goes_back_into_its_field(client: TestClient) -> None:
    _, page = asked(client, EIGHTY)
    assert beside(page)["fact:order.quantity"]["value"] == "80,000"
    assert state_of(page)["facts"]["order.quantity"] == "80000"
    assert state_of(page)["facts"]["order.unit_price"] == "27000.00"


def test_boards_are_counted_in_chips_in_words(client: TestClient) -> None:
    form = {**EIGHTY, "fact:item.product": "HGX-H200-8", "fact:order.quantity": "9376"}
    _, page = asked(client, form)
    assert beside(page)["fact:order.chips"]["text"] == "9,376 boards × 8 = 75,008 chips"
    assert beside(page)["fact:order.quantity"]["unit"] == "boards"
    _, page = asked(client, form, "zh")
    assert beside(page)["fact:order.chips"]["text"] == "9,376块 × 8 = 75,008片"


def test_catalogue_values_stand_beside_empty_fields_only(client: TestClient) -> None:
    _, page = asked(client, EIGHTY)
    assert beside(page)["fact:item.tpp"] == {"supplied": "15,832 TPP", "bare": "15,832"}
    assert "fact:item.tpp" not in state_of(page)["facts"]
    _, page = asked(client, {**EIGHTY, "fact:item.tpp": "15832"})
    assert beside(page)["fact:item.tpp"] == {"value": "15,832"}


def test_a_field_that_cannot_be_read_gives_no_verdict(client: TestClient) -> None:
    reply, page = asked(client, {**EIGHTY, "fact:order.quantity": "27k"})
    assert reply.headers["HX-Reswap"] == "none"
    assert not [a for _, a in page.elements if a.get("id") in ("answer", "verdict")]
    assert "quantity ordered : cannot be read" in page.text()
    assert "fault" in beside(page)["fact:order.quantity"]
    assert state_of(page)["facts"]["order.quantity"] == "27k"


@pytest.mark.parametrize(
    ("typed", "is_large"),
    [
        ("1" * 40, True),
        ("1" + ",000" * 9, True),
        ("１" * 40, True),
        ("1" * 39 + "x", False),
        ("-" + "1" * 40, False),
        ("0" * 40, False),
        ("1.234,5", False),
    ],
)
def test_a_very_long_number_is_too_large_and_not_unreadable(
    client: TestClient, typed: str, is_large: bool
) -> None:
    _, page = asked(client, {**EIGHTY, "fact:order.quantity": typed})
    told = beside(page)["fact:order.quantity"]["fault"]
    assert told.startswith("is too large; at most ") == is_large
    _, page = asked(client, {**EIGHTY, "fact:order.quantity": typed}, "zh")
    assert ("数值过大" in beside(page)["fact:order.quantity"]["fault"]) == is_large


def test_every_faulty_field_is_told_at_once(client: TestClient) -> None:
    form = {
        **EIGHTY,
        "fact:order.quantity": "0",
        "fact:fee.paid": "1.234,5",
        "fact:order.placed_on": "?",
        "dated:fee.paid": "soon",
        "param:cap": "many",
        "as_of": "tomorrow",
    }
    _, page = asked(client, form, "zh")
    told = {name for name, here in beside(page).items() if "fault" in here}
    assert told == {
        "fact:order.quantity",
        "fact:fee.paid",
        "fact:order.placed_on",
        "dated:fee.paid",
        "param:cap",
        "as_of",
    }
    assert "须介于1与10,000,000之间" in beside(page)["fact:order.quantity"]["fault"]
    for name in told:
        assert not re.search("[A-Za-z]", beside(page)[name]["fault"])


def test_an_unticked_answer_is_unknown_not_no(client: TestClient) -> None:
    page = _Page(client.get("/").text)
    radios = page.named("fact:terms.refundable")
    assert [r["value"] for r in radios if "checked" in r] == [""]
    _, page = asked(client, {**EIGHTY, "fact:terms.refundable": ""})
    assert "terms.refundable" not in state_of(page)["facts"]
    _, page = asked(client, {**EIGHTY, "fact:terms.refundable": "false"})
    assert state_of(page)["facts"]["terms.refundable"] is False


def test_nothing_beside_a_yes_or_no_is_filled_in(client: TestClient) -> None:
    _, page = asked(client, {**EIGHTY, "fact:terms.refundable": "false"})
    assert state_of(page).get("basis") is None


def test_rule_sets_side_by_side(client: TestClient) -> None:
    form = {**EIGHTY, "also": ["bis-2026", "section-232-duty"]}
    _, page = asked(client, form)
    shows = [a["value"] for t, a in page.elements if t == "button" and a.get("name") == "show"]
    assert shows == ["bis-2026", "section-232-duty"]
    reply = client.post("/decide/workspace", data={**form, "show": "bis-2026"})
    state = state_of(_Page(reply.text))
    assert state["regimes"] == ["bis-2026", "h200-article", "section-232-duty"]
    assert state["facts"]["order.quantity"] == "80000"


def test_hypothetical_rules_are_marked_and_change_the_main_rule_set_alone(
    client: TestClient,
) -> None:
    form = {**EIGHTY, "param:cap": "10万", "also": ["h200-reported"], "as_of": "2026-06-01"}
    _, page = asked(client, form)
    assert "HYPOTHETICAL RULES" in page.text()
    assert "cap 100,000 chips instead of 75,000 chips" in page.text()
    assert "Cap per customer, H200 and MI325 together" in page.text()
    _, page = asked(client, {**EIGHTY, "param:fee_rate": "30%"})
    assert "fee rate 30 % instead of 25 %" in page.text()


def test_rules_left_out_are_named(client: TestClient) -> None:
    _, page = asked(client, {**EIGHTY, "without": "customer-cap"}, "zh")
    assert "规则经假设性变更" in page.text()
    assert "不计入：单一客户累计数量上限" in page.text()


def test_government_conditions_alone(client: TestClient) -> None:
    _, page = asked(client, {**EIGHTY, "government": "1"})
    assert "Conditions not met (of the rules judged alone)" in page.text()


def test_the_form_shows_first_what_the_rules_rest_on(client: TestClient) -> None:
    text = client.get("/").text
    who = text[text.index('id="group-who"') : text.index('id="group-what"')]
    first, _, more = who.partition('<details class="fold"')
    assert "fact:customer.units_to_date" in first
    assert "fact:customer.entity_listed" in more


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_field_of_the_form_has_a_name_and_a_note(
    client: TestClient, rulebook: Rulebook, lang: str
) -> None:
    page = _Page(client.get("/", headers={"Accept-Language": lang}).text)
    ids = {a["id"] for _, a in page.elements if "id" in a}
    labelled = {a["for"] for t, a in page.elements if t == "label" and "for" in a}
    for path, fact in rulebook.vocabulary.facts.items():
        if fact.derived is None:
            assert page.named(f"fact:{path}"), path
            assert fact.type.kind == "boolean" or f"f-{path}" in labelled
            assert f"note-fact:{path}" in ids


def test_the_chinese_page_speaks_chinese(client: TestClient) -> None:
    names = re.compile(
        r"placet|English|NVIDIA|H200|H20|HGX|DGX|SXM|NVL|PCIe|GPU|TPP|GB/s|DRAM|ECCN|BIS|IaaS|PRC"
        r"|YAML|JSON|MI\d+X?|AMD|CFR|HTSUS|FR|EAR|Truth Social|WION|NT\$|[A-Z]{1,4}\d+[A-Za-z0-9.:-]*"
        r"|\d[\w.:-]*|dd|\([a-zA-Z]+\)|[a-z0-9-]+\.(?:com|org|gov|js)|bis-2026|h200-\w+|section-232-duty"
    )
    reply = client.post("/decide/answer", data=EIGHTY, headers={"Accept-Language": "zh"})
    answer = reply.text
    answer = re.sub(r"<(figcaption|cite|blockquote)\b.*?</\1>", "", answer, flags=re.DOTALL)
    left = names.sub("", _Page(answer).text())
    assert re.findall("[A-Za-z]{3,}", left) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_word_of_the_page_speaks_as_an_authority(lang: str) -> None:
    never = NEVER_EN if lang == "en" else NEVER_ZH
    for path in (ROOT / "api/web/templates").glob("*.html"):
        if not path.name.startswith(("decide", "print")):
            continue
        pairs = re.findall(r'say\("([^"]*)", "([^"]*)"\)', path.read_text("utf-8"))
        for pair in pairs:
            text = pair[lang == "zh"]
            for spared in SPARED:
                text = text.replace(spared, "")
            assert not never.search(text), (path.name, text)


# --- nothing of an order in an address, nothing inline ---


def test_the_page_has_nothing_inline(client: TestClient) -> None:
    reply = client.get("/?scenario=h200-article/last-twenty-thousand&run=4")
    page = _Page(reply.text)
    for tag, attrs in page.elements:
        assert "style" not in attrs, (tag, attrs)
        assert not [name for name in attrs if name.startswith(("on", "hx-on"))]
        assert tag != "style"
        assert tag != "script" or attrs.get("src", "").startswith("/static/")
        assert not any("js:" in value for name, value in attrs.items() if name.startswith("hx-"))


def test_every_form_and_request_of_the_page_is_a_post(client: TestClient) -> None:
    page = _Page(client.get("/").text)
    forms = [a for t, a in page.elements if t == "form" and "action" in a]
    assert {a["method"] for a in forms} == {"post"}
    assert not [a for _, a in page.elements if "hx-get" in a]


def test_a_story_opens_with_its_variation(client: TestClient) -> None:
    page = _Page(client.get("/?scenario=h200-article/last-twenty-thousand&run=4").text)
    facts = state_of(page)["facts"]
    assert facts["order.quantity"] == "20001"
    assert facts["review.state"] == "deny"
    assert "3 of 9 conditions are not met" in page.text()
    assert page.named("document:order.quantity")[0]["value"] == "PO 2026-0117"
    page = _Page(client.get("/?scenario=h200-article/last-twenty-thousand&run=5").text)
    assert "review.state" not in state_of(page)["facts"]


def test_a_variation_that_nests_what_it_sets_leaves_the_rest_of_the_order(tmp_path: Path) -> None:
    story = """\
title: {en: Ten crates, zh: 十箱}
story: {en: Ten crates for Iceland., zh: 运往冰岛的十箱。}
regime: small
facts: {order: {crates: 10, port: IS}}
expect: {outcome: go}
vary:
- title: {en: One more, zh: 多一箱}
  set: {order: {crates: 11}}
  expect: {outcome: stay, unmet: [cap]}
- title: {en: Nothing known, zh: 一无所知}
  set: {order: null}
  expect: {outcome: incomplete}
"""
    (tmp_path / "nested.yaml").write_text(story, "utf-8")
    with service(tmp_path, replace(SMALL, scenarios=tmp_path)) as client:
        page = _Page(client.get("/?scenario=nested&run=1").text)
        assert state_of(page)["facts"] == {"order.port": "IS", "order.crates": "11"}
        page = _Page(client.get("/?scenario=nested&run=2").text)
        assert state_of(page)["facts"] == {}


def test_the_page_is_never_made_where_requests_are_taken_in(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []

    def answered(*asked: Any) -> Any:
        made.append(is_taking_in())
        return answer_to(*asked)

    monkeypatch.setattr(decide_page, "answer_to", answered)
    state = json.dumps({"regime": "h200-article", "facts": {"order.quantity": "5"}})
    client.get("/")
    for part in ("answer", "workspace", "download", "print"):
        assert client.post(f"/decide/{part}", data={"state": state}).status_code == 200
    assert made == [False] * 5


def test_a_story_or_draft_that_is_not_there_is_told(client: TestClient) -> None:
    for address in ("/?scenario=../../etc/passwd", "/?draft=d-bcdfghjkmnpq", "/?draft=x"):
        reply = client.get(address, headers={"Accept": "text/html"})
        assert reply.status_code == 404, address


def test_a_saved_draft_opens_again(client: TestClient) -> None:
    _, page = asked(client, EIGHTY)
    envelope = {**state_of(page), "title": "示例"}
    made = client.post("/v1/scenarios", json=envelope)
    assert made.status_code == 201
    page = _Page(client.get(f"/?draft={made.json()['id']}").text)
    assert state_of(page) == envelope
    assert page.by_id("workspace")["data-version"] == str(made.json()["version"])


def test_a_link_fills_the_form_and_what_no_field_holds_is_told(client: TestClient) -> None:
    state = {
        "regime": "h200-article",
        "facts": {"order": {"quantity": 20000, "colour": "red"}, "order.value": "5"},
        "parameters": {"cap": 100000, "tax": "1"},
        "basis": {"order.quantity": "PO 7"},
    }
    reply = client.post("/decide/workspace", data={"state": json.dumps(state)})
    page = _Page(reply.text)
    assert page.by_id("f-order.quantity")["value"] == "20,000"
    assert page.named("document:order.quantity")[0]["value"] == "PO 7"
    banner = re.sub(r"\s+", " ", reply.text.split('class="banner"')[1].split("</div>")[0])
    assert "tax, order.colour, order.value" in banner


@pytest.mark.parametrize(
    "state",
    [
        *("[]", "3", "{", '{"facts": 1}', '{"regime": 1, "facts": {}}'),
        *('{"regime": {"a": 1}, "facts": {}}', '{"regime": ["a"], "facts": {}}'),
    ],
)
def test_no_link_breaks_the_page(client: TestClient, state: str) -> None:
    assert client.post("/decide/workspace", data={"state": state}).status_code in (200, 400)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    )
)
def test_any_data_makes_a_form(rulebook: Rulebook, data: Any) -> None:
    form, _ = form_of({"facts": {"order.quantity": 5}, "basis": data, "without": data}, rulebook)
    assert form.facts == {"order.quantity": "5"}
    form_of(data, rulebook)


# --- from a spreadsheet ---


@pytest.mark.parametrize(
    "text",
    [
        "产品\t本单数量\t目的地\n英伟达H200 SXM\t8万\tCN",
        'product,quantity ordered,destination\nNVIDIA H200 SXM,"80,000",China',
        "item.product\tH200-SXM\n本单数量：\t80,000\nDestination\t中国",
        "product,H200-SXM\nquantity ordered,80000\ndestination,CN",
    ],
)
def test_cells_fill_the_form(rulebook: Rulebook, text: str) -> None:
    form = Form("h200-article")
    assert read_pasted(text, rulebook, form) == (3, [])
    assert form.facts == {
        "item.product": "H200-SXM",
        "order.quantity": "80000",
        "order.destination": "CN",
    }


def test_cells_that_are_not_understood_are_told_and_nothing_is_lost(rulebook: Rulebook) -> None:
    form = Form("h200-article", facts={"fee.paid": "1.00"})
    text = "colour\tred\nquantity ordered\t27k\nright to a refund\tperhaps\nfee paid so far\t\n"
    taken, strange = read_pasted(text, rulebook, form)
    assert taken == 1
    assert strange == [("colour", "red"), ("right to a refund", "perhaps")]
    assert form.facts == {"fee.paid": "1.00", "order.quantity": "27k"}


@pytest.mark.parametrize(("role", "may_save"), [("read", False), ("draft", True)])
def test_a_key_that_may_not_save_is_offered_no_saving(
    tmp_path: Path, role: Role, may_save: bool
) -> None:
    secret, line = new_key("wei", role)
    with service(tmp_path, SMALL, keys=read_keys([line])) as client:
        page = _Page(client.get("/", headers={"Authorization": f"Bearer {secret}"}).text)
        button = page.by_id("save")
        assert ("disabled" not in button) == may_save
        assert ("not save" in page.text().partition("Save draft")[2][:70]) == (not may_save)
        assert may_save or page.by_id(button["aria-describedby"])


# --- what leaves the page ---


def carried(client: TestClient) -> str:
    _, page = asked(client, {**EIGHTY, "fact:customer.name": "示例云", "document:fee.paid": "F 1"})
    return json.dumps(state_of(page))


@pytest.mark.parametrize(("lang", "begins"), [("en", "order"), ("zh", "订单")])
def test_a_download_names_no_customer(client: TestClient, lang: str, begins: str) -> None:
    reply = client.post(
        "/decide/download?as=yaml",
        data={"state": carried(client)},
        headers={"Accept-Language": lang},
    )
    named = reply.headers["Content-Disposition"]
    assert unquote(named.partition("''")[2]) == f"{begins}-h200-article-2026-02-01.yaml"
    assert 'filename="order-h200-article-2026-02-01.yaml"' in named
    assert "customer.name: 示例云" in reply.text


def test_what_is_downloaded_is_an_order_that_decides_the_same(client: TestClient) -> None:
    reply = client.post("/decide/download?as=json", data={"state": carried(client)})
    decided = client.post("/v1/decide", json=reply.json())
    assert decided.json()["outcome"] == "deny"
    assert decided.json()["facts"]["order.quantity"] == "80000"
    yaml = client.post("/decide/download?as=yaml", data={"state": carried(client)})
    kept = client.post(
        "/v1/scenarios", content=yaml.content, headers={"Content-Type": "application/yaml"}
    )
    assert kept.status_code == 201


@pytest.mark.parametrize(
    ("lang", "what_if", "verdict"),
    [
        ("en", "WHAT-IF ANALYSIS – NOT A LICENCE", "1 of 9 conditions is not met"),
        ("zh", "情景分析——不是许可证", "九项中一项不符合"),
    ],
)
def test_the_printed_page(client: TestClient, lang: str, what_if: str, verdict: str) -> None:
    reply = client.post(
        "/decide/print", data={"state": carried(client)}, headers={"Accept-Language": lang}
    )
    text = _Page(reply.text).text()
    assert text.index(what_if) < text.index(verdict)
    assert "示例云" in text
    assert "5,000" in text
    body, _, footer = reply.text.partition("<footer>")
    assert "placet" not in _Page(body).text()
    assert "placet" in footer


def printed(client: TestClient, state: dict[str, Any], lang: str) -> str:
    form = {"state": json.dumps({"regime": "h200-article", "as_of": "2026-02-01", **state})}
    reply = client.post("/decide/print", data=form, headers={"Accept-Language": lang})
    assert reply.status_code == 200
    return reply.text


ORDER = {
    "item.product": "H200-SXM",
    "order.destination": "CN",
    "order.quantity": "20001",
    "order.unit_price": "27000.00",
    "customer.units_to_date": "55000",
}


def test_rule_sets_side_by_side_are_printed_with_what_they_say(client: TestClient) -> None:
    beside = ["h200-article", "h200-reported", "section-232-duty"]
    for lang in ("en", "zh"):
        result = printed(client, {"regimes": beside, "facts": ORDER}, lang)
        result = result.partition('class="result"')[2].partition("</section>")[0]
        for id in beside[1:]:
            order = {"regime": id, "as_of": "2026-02-01", "facts": ORDER}
            decided = client.post("/v1/decide", json=order).json()
            assert decided["regime"]["title"][lang] in result
            assert f"<strong>{decided['label'][lang]}</strong>" in result
            end = decided["summary"][lang].split("(")[0][-30:]
            assert end in _Page(result).text()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_invisible_character_of_a_person_reaches_paper(client: TestClient, lang: str) -> None:
    name = "A\u202eB\u200bC"
    names = ("customer.name", "parties.purchaser", "parties.end_user")
    paper = {"document": name, "entered_by": name}
    papers = dict.fromkeys(("customer.name", "order.quantity"), paper)
    facts = {**ORDER, **dict.fromkeys(names, name)}
    text = printed(client, {"title": name, "facts": facts, "basis": papers}, lang)
    assert "\u202e" not in text
    assert "\u200b" not in text
    # Each name twice, both papers with who entered them, the title in the question and the foot.
    assert text.count(r"A\u202eB\u200bC") == 2 * len(names) + 2 * len(papers) + 2


def test_a_name_with_invisible_characters_stays_and_its_field_says_so(client: TestClient) -> None:
    for name, is_told in (("示例\u202e云", True), ("示例\x00", True), ("示例云", False)):
        _, page = asked(client, {**EIGHTY, "fact:customer.name": name}, "zh")
        here = beside(page)["fact:customer.name"]
        assert here["value"] == name
        assert ("不可见字符" in here.get("caution", "")) == is_told


def test_every_stated_fact_on_paper_says_which_document_it_rests_on(client: TestClient) -> None:
    text = printed(client, {"facts": ORDER}, "zh")
    for label in ("产品", "目的地", "本单数量"):
        row = text.partition(f"<tr><td>{label}</td>")[2].partition("</tr>")[0]
        assert "未录入凭证" in row
    paper = {"document": "PO 7", "dated": "2026-01-30"}
    state = {"facts": ORDER, "basis": {"item.product": paper}}
    row = printed(client, state, "zh").partition("<tr><td>产品</td>")[2].partition("</tr>")[0]
    assert "PO 7</bdi>，2026年1月30日" in row
    assert "未录入凭证" not in row


@pytest.mark.parametrize(("lang", "met"), [("en", "It is met where"), ("zh", "本项即符合")])
def test_of_all_repairs_only_how_many_chips_fit_is_printed(
    client: TestClient, lang: str, met: str
) -> None:
    facts = {**ORDER, "fee.paid": "1.00", "payment.prepaid": "1.00"}
    order = {"regime": "h200-article", "as_of": "2026-02-01", "facts": facts}
    findings = client.post("/v1/decide", json=order).json()["findings"]
    repairs = {f["repair"]["fact"]: f for f in findings if f["repair"]}
    assert {"order.quantity", "fee.paid"} < repairs.keys()
    assert all(met in f["text"][lang] for f in repairs.values())
    text = printed(client, {"facts": facts}, lang)
    assert text.count(met) == 1
    assert repairs["order.quantity"]["repair"]["text"][lang] in text


def test_paper_tells_when_and_where_it_was_prepared(client: TestClient) -> None:
    night = datetime(2026, 2, 1, 16, 4, 59, tzinfo=UTC)
    en, zh = telling.prepared(night, "en"), telling.prepared(night, "zh")
    assert en == "1 February 2026 16:04 UTC (11:04 US Eastern, 2 February 2026 00:04 Beijing)"
    assert zh == "2026年2月1日16:04 UTC（美国东部时间11:04，北京时间2026年2月2日00:04）"
    assert "12:04 US Eastern" in telling.prepared(night.replace(month=7), "en")
    text = printed(client, {"facts": ORDER}, "zh")
    row = text.partition(">编制</th>")[2].partition("</tr>")[0]
    assert "________" in row
    assert "127.0.0.1" in row
    assert re.search(r"[0-9]{4}年[0-9]+月[0-9]+日[0-9]{2}:[0-9]{2} UTC（美国东部时间", row)


def test_no_page_is_printed_of_what_cannot_be_read(client: TestClient) -> None:
    state = {"regime": "h200-article", "facts": {"order.quantity": "27k"}}
    reply = client.post("/decide/print", data={"state": json.dumps(state)})
    assert reply.status_code == 422


def test_reasons_as_plain_text_in_both_languages(client: TestClient) -> None:
    _, page = asked(client, EIGHTY)
    en, zh = page.by_id("state")["data-en"], page.by_id("state")["data-zh"]
    assert en.startswith("Conditions not met. 1 of 9 conditions is not met: Cap per customer.\n")
    assert "1. Cap per customer (licence condition, reported by the press): 0 chips" in en
    assert "Not a licence" in en or "not a licence" in en
    assert zh.startswith("不符合条件：九项中一项不符合（单一客户累计数量上限）。\n")
    assert "一、单一客户累计数量上限（许可条件，媒体报道）：此前累计0片" in zh
    assert "<" not in en + zh


def test_markup_in_a_name_stays_text(client: TestClient) -> None:
    name = "<script>alert(1)</script>\" onload='x'"
    state = {"regime": "h200-article", "title": name, "facts": {"customer.name": name}}
    for path in ("/decide/workspace", "/decide/print"):
        reply = client.post(path, data={"state": json.dumps(state)})
        assert reply.status_code == 200
        assert "<script>alert" not in reply.text
        assert not [a for _, a in _Page(reply.text).elements if "onload" in a]


# --- what came from elsewhere ---


def test_vendored_files_are_those_that_were_published() -> None:
    lines = (VENDOR / "CHECKSUMS").read_text("ascii").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(sums) == {p.name for p in VENDOR.iterdir()} - {"CHECKSUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_no_script_names_another_site() -> None:
    for path in (*(ROOT / "api/web/static").glob("*.js"), VENDOR / "htmx.min.js"):
        assert not re.search(r"https?://(?!www\.w3\.org)", Path(path).read_text("utf-8")), path
