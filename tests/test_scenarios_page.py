"""The page of scenarios: lists, runs, and orders side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app.build import make
from api.service import read_document
from api.settings import Serving, settings
from engine.case_story import is_case_story

STORY = "h200-article/last-twenty-thousand"
HEADERS = {"host": "localhost"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    file = tmp_path_factory.mktemp("store") / "store.db"
    serving = replace(Serving(), store=f"sqlite:///{file}", workers=1)
    root = Path(__file__).parent.parent
    with TestClient(make(settings(root / "rules", "en", {}), serving), headers=HEADERS) as client:
        yield client


class Rows(HTMLParser):
    """The rows of a comparison by name: their mark and the texts of their cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, tuple[str, list[str]]] = {}
        self.row: list[str] | None = None
        self.cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "tr":
            self.row = None
            if name := told.get("data-name"):
                self.row = []
                self.found[name] = (told.get("class") or "", self.row)
        elif tag == "td":
            self.cell = True
            if self.row is not None:
                self.row.append("")

    def handle_endtag(self, tag: str) -> None:
        self.cell = self.cell and tag != "td"

    def handle_data(self, data: str) -> None:
        if self.row is not None and self.cell:
            self.row[-1] = f"{self.row[-1]} {data.strip()}".strip()


def order(title: Any = "A draft", **more: Any) -> dict[str, Any]:
    facts = {"item.product": "H200-SXM", "order.quantity": "100", "order.destination": "CN"}
    return {"title": title, "regime": "h200-article", "facts": facts, **more}


def kept(client: TestClient, document: dict[str, Any]) -> str:
    return str(client.post("/v1/scenarios", json=document).json()["id"])


@pytest.mark.parametrize(
    ("lang", "texts"),
    [
        ("en", ("Scenarios", "The last twenty thousand", "One chip more, paid for in full")),
        ("zh", ("情景", "最后两万片", "多订一片，款项相应付足")),
    ],
)
def test_the_page_lists_every_story_in_the_readers_language(
    client: TestClient, lang: str, texts: tuple[str, ...]
) -> None:
    page = client.get("/scenarios", params={"lang": lang})
    assert page.status_code == 200
    for text in texts:
        assert text in page.text
    folder = Path(__file__).parent.parent / "scenarios"
    files = [p for p in folder.rglob("*.yaml") if not is_case_story(read_document(p))]
    assert page.text.count('<details class="card story') == len(files)


def test_a_draft_stands_with_its_present_outcome_and_its_actions(client: TestClient) -> None:
    id = kept(client, order("Order of the morning"))
    page = client.get("/scenarios", params={"lang": "en"}).text
    (row,) = re.findall(rf'<tr class="found" data-id="{id}".*?</tr>', page, re.DOTALL)
    assert f'<a href="/?draft={id}">Order of the morning</a>' in row
    assert '<span class="status unknown">Cannot be decided yet</span>' in row
    assert 'data-version="1"' in row
    assert f'href="/v1/scenarios/{id}?as=yaml"' in row


def test_markup_in_a_title_is_shown_and_not_obeyed(client: TestClient) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'&amp;"
    id = kept(client, order(hostile))
    other = kept(client, order("</script><script>alert(2)</script>"))
    pages = [
        client.get("/scenarios").text,
        client.get("/scenarios/compare", params={"of": [id, other]}).text,
        client.get("/what-if").text,
    ]
    for page in pages:
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_a_draft_that_names_no_rule_set_is_listed_without_an_outcome(client: TestClient) -> None:
    document = order("Nothing chosen")
    del document["regime"]
    id = kept(client, document)
    page = client.get("/scenarios", params={"lang": "en"}).text
    (row,) = re.findall(rf'<tr class="found" data-id="{id}".*?</tr>', page, re.DOTALL)
    assert "no rule set chosen" in row
    assert 'name="of"' not in row


# --- running ---


def test_the_shipped_stories_of_a_rule_set_are_as_expected(client: TestClient) -> None:
    ran = client.post("/scenarios/run", params={"what": "h200-reported", "lang": "en"})
    count = len(list((Path(__file__).parent.parent / "scenarios/h200-reported").glob("*.yaml")))
    assert f'data-passed="{count}" data-failed="0"' in ran.text


def test_a_draft_that_expects_something_else_is_told_with_both(client: TestClient) -> None:
    pair = {"en": "Hoped for", "zh": "期望"}
    expects = {"outcome": "deny", "unmet": ["customer-cap"]}
    id = kept(client, order(pair, story=pair, expect=expects))
    ran = client.post("/scenarios/run", params={"what": id, "lang": "en"}).text
    assert 'data-passed="0" data-failed="1"' in ran
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', ran)
    assert ("outcome", "Conditions not met", "Cannot be decided yet") in rows
    assert ("rules not met", "Cap per customer", "none") in rows


def test_an_unknown_name_is_refused(client: TestClient) -> None:
    assert client.post("/scenarios/run", params={"what": "no-such"}).status_code == 404
    assert client.post("/scenarios/run", params={"what": "../rules"}).status_code == 404


# --- side by side ---


def compared(client: TestClient, *of: str, lang: str = "en") -> dict[str, tuple[str, list[str]]]:
    page = client.get("/scenarios/compare", params={"of": list(of), "lang": lang})
    assert page.status_code == 200
    return Rows(page.text).found


def test_exactly_the_facts_and_findings_that_differ_are_marked(client: TestClient) -> None:
    # The fifth order: a chip more, prepaid for it, the fee still that of 20,000; State says no.
    rows = compared(client, STORY, f"{STORY}@4")
    assert {name for name, (mark, _) in rows.items() if mark == "differs"} == {
        "order.quantity",
        "payment.prepaid",
        "review.state",
        "order.chips",
        "order.value",
        "fee_due",
        "order_plus_fee",
        "paid_before_delivery",
        "multi-agency-review",
        "transaction-fee",
        "customer-cap",
    }
    assert rows["order.quantity"][1] == ["20,000 chips", "20,001 chips"]
    assert rows["payment.prepaid"][1] == ["USD 540,000,000.00", "USD 540,027,000.00"]
    assert rows["review.state"][1] == ["has no objection", "recommends denial"]
    assert [cell.split()[0] for cell in rows["customer-cap"][1]] == ["met", "not"]


def test_a_finding_of_the_same_status_with_other_figures_is_marked_apart(
    client: TestClient,
) -> None:
    # Ten chips fewer, paid for: the same nine findings, three of them with other figures.
    rows = compared(client, STORY, f"{STORY}@2")
    assert {name for name, (mark, _) in rows.items() if mark == "otherwise"} == {
        "transaction-fee",
        "customer-cap",
        "full-prepayment",
    }


def test_a_fact_that_one_order_lacks_differs(client: TestClient) -> None:
    rows = compared(client, STORY, f"{STORY}@6", lang="zh")
    assert rows["customer.units_to_date"] == ("differs", ["55,000片", "未录入"])
    assert rows["customer-cap"][0] == "differs"
    assert rows["order.quantity"] == ("same", ["20,000片", "20,000片"])


def test_orders_under_different_rule_sets_keep_their_findings_apart(client: TestClient) -> None:
    rows = compared(client, STORY, "section-232-duty/mi325x-in-the-upper-band")
    assert rows["full-prepayment"][1][1] == "another rule set"
    assert rows["item.product"] == ("differs", ["NVIDIA H200 SXM", "AMD MI325X"])


@pytest.mark.parametrize(
    ("of", "status"),
    [
        ([], 400),
        ([STORY], 400),
        ([STORY, STORY], 400),
        ([STORY, f"{STORY}@1", f"{STORY}@2", f"{STORY}@3"], 400),
        ([STORY, f"{STORY}@99"], 404),
        ([STORY, f"{STORY}@²"], 404),
        ([STORY, f"{STORY}@-1"], 404),
        ([STORY, "d-222222222222"], 404),
        ([STORY, "../../rules/h200-article/regime"], 404),
    ],
)
def test_a_comparison_takes_two_or_three_orders_that_exist(
    client: TestClient, of: list[str], status: int
) -> None:
    page = client.get("/scenarios/compare", params={"of": of}, headers={"accept": "text/html"})
    assert page.status_code == status


# What U+202E turns around would read as another title.
TURNED = "\u202eevil\u2060"
SHOWN = "\\u202eevil\\u2060"


def test_what_people_wrote_is_shown_with_its_invisible_signs(client: TestClient) -> None:
    facts = {"customer.name": f"Customer {TURNED}", "item.product": "H200-SXM"}
    two = {"en": f"two {TURNED}", "zh": f"二{TURNED}"}
    expect = {"outcome": "deny", "unmet": []}
    ids = [kept(client, order(f"one {TURNED}", facts=facts))]
    story = {"story": {"en": "A story.", "zh": "一例。"}, "expect": expect}
    vary = [{"title": {"en": f"run {TURNED}", "zh": f"次{TURNED}"}, "expect": expect}]
    ids.append(kept(client, order(two, facts=facts, vary=vary, **story)))
    pages = {
        "list": client.get("/scenarios"),
        "compared": client.get("/scenarios/compare", params={"of": [ids[0], f"{ids[1]}@1"]}),
        "ran": client.post("/scenarios/run", params={"what": "drafts"}),
        "what if": client.get("/what-if"),
        "order": client.get("/what-if/order", params={"of": f"{ids[1]}@1"}),
    }
    for name, page in pages.items():
        assert page.status_code == 200, name
        told = page.json()["order"]["title"] if name == "order" else page.text
        assert not {"\u202e", "\u2060"} & set(told), name
    for name, texts in {
        "list": ("one", "two"),
        "compared": ("one", "run", "Customer"),
        "ran": ("two", "run"),
        "what if": ("one",),
        "order": (),
    }.items():
        for text in texts:
            assert f"{text} {SHOWN}" in pages[name].text, (name, text)
