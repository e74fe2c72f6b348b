"""The What-if page: what it hands to the browser, and which orders a changed policy flips."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import tasks
from api.app import scenarios_page
from api.app.build import make
from api.service import Service
from api.settings import Serving, settings
from api.stories import Saved
from engine.ir import Pair
from engine.load import Rulebook

ROOT = Path(__file__).parent.parent
STORY = "h200-article/last-twenty-thousand"
HEADERS = {"host": "localhost"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    file = tmp_path_factory.mktemp("store") / "store.db"
    serving = replace(Serving(), store=f"sqlite:///{file}", workers=1)
    with TestClient(make(settings(ROOT / "rules", "en", {}), serving), headers=HEADERS) as client:
        yield client


def known(client: TestClient, lang: str) -> dict[str, Any]:
    page = client.get("/what-if", params={"lang": lang})
    assert page.status_code == 200
    (text,) = re.findall(r'id="known">(.*?)</script>', page.text, re.DOTALL)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize(
    ("lang", "title", "label", "offer"),
    [
        ("en", "What if", "quantity ordered", "Start from a shipped story"),
        ("zh", "情景分析", "本单数量", "从随附情景开始"),
    ],
)
def test_the_page_speaks_the_readers_language(
    client: TestClient, lang: str, title: str, label: str, offer: str
) -> None:
    page = client.get("/what-if", params={"lang": lang}).text
    assert f"<h1>{title}</h1>" in page
    assert offer in page
    assert known(client, lang)["facts"]["order.quantity"]["label"] == label


def test_the_browser_knows_what_a_rule_set_rests_on_and_its_values_in_force(
    client: TestClient,
) -> None:
    article = known(client, "en")["regimes"]["h200-article"]
    for path in ("customer.units_to_date", "order.quantity", "item.product", "review.state"):
        assert path in article["rests_on"]
    # Nothing in the article asks how a laboratory stands, or what the customer is called.
    for path in ("lab.location", "customer.name", "order.chips"):
        assert path not in article["rests_on"]
    cap = article["parameters"]["cap"]
    assert cap["values"] == [["2025-12-08", "75000"]]
    assert (cap["lo"], cap["hi"], cap["unit"]) == ("0", "10000000", "chip")
    assert next(iter(article["rules"])) == "multi-agency-review"


def test_no_inline_style_or_script_stands_on_the_page(client: TestClient) -> None:
    page = client.get("/what-if").text
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style", page)
    for tag in re.findall(r"<script[^>]*>", page):
        assert "src=" in tag or 'type="application/json"' in tag


# --- the order that it starts from ---


def test_a_run_of_a_story_comes_as_one_order_with_its_changes_made(client: TestClient) -> None:
    found = client.get("/what-if/order", params={"of": f"{STORY}@1", "lang": "zh"}).json()
    assert found["order"]["title"] == "多订一片，款项相应付足"
    facts = found["order"]["facts"]
    assert facts["order.quantity"] == "20001"
    assert facts["fee.paid"] == "135006750.00"
    assert facts["customer.units_to_date"] == "55000"
    assert facts["customer.military_end_user"] is False
    assert (found["order"]["regime"], found["order"]["as_of"]) == ("h200-article", "2026-02-01")
    assert [one["of"] for one in found["orders"]] == [
        STORY,
        *(f"{STORY}@{n}" for n in range(1, 7)),
    ]


def test_a_run_that_leaves_a_fact_open_leaves_it_out(client: TestClient) -> None:
    found = client.get("/what-if/order", params={"of": f"{STORY}@6"}).json()
    assert "customer.units_to_date" not in found["order"]["facts"]


def test_a_run_with_a_policy_of_its_own_brings_it(client: TestClient) -> None:
    of = "h200-article/if-the-cap-moved@5"
    found = client.get("/what-if/order", params={"of": of}).json()
    assert found["order"]["parameters"] == {"cap": "100000", "fee_rate": "0.30"}


def test_a_draft_comes_as_it_was_saved(client: TestClient) -> None:
    facts = {"order": {"quantity": 7, "destination": "CN"}, "item.product": "H200-SXM"}
    id = client.post("/v1/scenarios", json={"regime": "h200-article", "facts": facts}).json()["id"]
    found = client.get("/what-if/order", params={"of": id, "lang": "zh"}).json()
    assert found["order"]["title"] == "无标题"
    assert found["order"]["facts"] == {
        "order.quantity": "7",
        "order.destination": "CN",
        "item.product": "H200-SXM",
    }


def test_an_order_that_is_not_there_is_not_found(client: TestClient) -> None:
    for of in ("d-222222222222", "h200-article/no-such", f"{STORY}@7", "../rules/vocabulary"):
        assert client.get("/what-if/order", params={"of": of}).status_code == 404


# --- what a changed policy flips ---


def flipped(client: TestClient, **policy: Any) -> set[str]:
    asked = {"regime": "h200-article", **policy}
    answer = client.post("/what-if/flips", params={"lang": "en"}, json=asked)
    assert answer.status_code == 200
    return set(re.findall(r'<tr data-of="([^"]+)"', answer.text))


# By hand: orders that fail by the cap of 75,000 alone, and their chips to date and ordered.
STOPPED_BY_THE_CAP_ALONE = {
    "after-the-first-ten-thousand@1": 10_000 + 65_001,
    "distributor-in-between": 50_000 + 30_000,
    "eighty-thousand-to-victoria-harbour": 80_000,
    "eighty-thousand-to-victoria-harbour@2": 75_001,
    "eighty-thousand-to-victoria-harbour@3": 80_000,
    "exchanged-under-warranty@1": 60_300 + 15_000,
    "exchanged-under-warranty@2": 60_001 + 15_000,
    "if-the-cap-moved": 55_000 + 25_000,
    "last-twenty-thousand@1": 55_000 + 20_001,
    "last-twenty-thousand@3": 55_001 + 20_000,
    "nine-thousand-boards": 9_376 * 8,
    "nine-thousand-boards@3": 18_751 * 4,
    "nine-thousand-boards@5": 9_376 * 8,
    "nine-thousand-boards@7": 74_993 + 8,
    "nine-thousand-boards@9": 74_995 + 8,
    "one-chip-for-the-laboratory": 75_000 + 1,
    "thirty-thousand-wanted": 55_000 + 30_000,
    "thirty-thousand-wanted@1": 55_000 + 30_000,
    "two-million-chips": 2_000_000,
    "two-million-chips@2": 75_001,
    "two-sisters-one-house": 40_000 + 40_000,
    "two-sisters-one-house@3": 40_000 + 35_001,
    "uncounted-amd-chips": 65_000 + 10_001,
    "what-was-known-in-january": 76_000,
    "what-was-known-in-january@2": 76_000,
}


def up_to(cap: int) -> set[str]:
    """The orders of the table that a cap lets through."""
    return {f"h200-article/{of}" for of, chips in STOPPED_BY_THE_CAP_ALONE.items() if chips <= cap}


@pytest.mark.parametrize("cap", [75_000, 75_001, 79_999, 80_000, 100_000])
def test_a_higher_cap_flips_the_orders_that_the_cap_alone_stopped_and_that_it_lets_through(
    client: TestClient, cap: int
) -> None:
    assert flipped(client, parameters={"cap": cap}) == up_to(cap)


def test_a_rule_left_out_flips_the_orders_that_it_alone_stopped_or_held_up(
    client: TestClient,
) -> None:
    # In these three nobody has counted the chips to date, and nothing else is open.
    held_up = {
        "h200-article/last-twenty-thousand@6",
        "h200-article/quotation-with-empty-fields@14",
        "h200-article/two-sisters-one-house@5",
    }
    assert flipped(client, without=["customer-cap"]) == up_to(10_000_000) | held_up


def test_the_teams_drafts_are_tried_as_well_and_say_what_they_are_worth(
    client: TestClient,
) -> None:
    order = client.get("/what-if/order", params={"of": f"{STORY}@1"}).json()["order"]
    draft = {**order, "title": "<b>Twenty thousand and one</b>"}
    id = client.post("/v1/scenarios", json=draft).json()["id"]
    asked = {"regime": "h200-article", "parameters": {"cap": 80000}}
    page = client.post("/what-if/flips", params={"lang": "zh"}, json=asked).text
    (row,) = re.findall(rf'<tr data-of="{id}".*?</tr>', page, re.DOTALL)
    assert "&lt;b&gt;Twenty thousand and one&lt;/b&gt;" in row
    assert "单一客户累计数量上限" in row
    assert "540,027,000.00美元" in row
    assert "规则经假设性变更" in page


def test_what_was_not_tried_is_told(
    client: TestClient, rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A draft that later rules no longer take, and a story that somebody has removed.
    draft = Saved("d-x", Pair("x", "x"), {"expect": 5, "regime": "h200-article", "facts": {}})
    service = Service(ROOT / "rules", {"": rulebook})
    asked = (ROOT, ["none/of/this"], [draft], "h200-article", {"without": ["full-prepayment"]}, 1)
    found = tasks.try_policy(service, *asked)
    assert (found.tried, found.faulty, found.flipped) == (0, 2, ())

    for number in range(2):
        order = {"title": f"one of two {number}", "regime": "h200-article", "facts": {}}
        assert client.post("/v1/scenarios", json=order).status_code == 201
    monkeypatch.setattr(scenarios_page, "MOST_DRAFTS", 1)
    policy = {"regime": "h200-article", "parameters": {"cap": 80000}}
    for path in ("/what-if/flips", "/scenarios/run"):
        page = client.post(path, params={"lang": "en", "what": "drafts"}, json=policy).text
        assert "Only the newest drafts were" in page


def test_a_fault_of_the_policy_is_told_with_its_place(client: TestClient) -> None:
    asked = {"regime": "h200-article", "parameters": {"cap": "-1"}, "without": ["no-such-rule"]}
    answer = client.post("/what-if/flips", json=asked)
    assert answer.status_code == 422
    told = {(d["code"], d["pointer"]) for d in answer.json()["diagnostics"]}
    assert told == {("O210", "/parameters/cap"), ("O211", "/without/0")}
    unknown = client.post("/what-if/flips", json={"regime": "no-such"})
    assert unknown.status_code == 422
    assert client.post("/what-if/flips", json=[]).status_code == 422


def test_drafts_of_one_name_are_told_apart_by_their_rule_sets(client: TestClient) -> None:
    for regime in ("h200-article", "bis-2026"):
        draft: dict[str, Any] = {"title": "Twice", "regime": regime, "facts": {}}
        assert client.post("/v1/scenarios", json=draft).status_code == 201
    page = client.get("/what-if", params={"lang": "en"}).text
    options = re.findall(r">(Twice[^<]*)</option>", page)
    assert len(options) == 2
    assert any("on the article" in option for option in options)
    assert any("License review policy" in option for option in options)
