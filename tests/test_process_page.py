"""The page of a process: every stage, clock and transition with its source, and its pictures to take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from engine.load import Rulebook
from engine.words import LANGS, Lang, in_lang
from tests.serving import ROOT, service

PROCESSES = sorted(path.parent.name for path in (ROOT / "rules").glob("*/process.yaml"))
BOTH = [(id, lang) for id in PROCESSES for lang in LANGS]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("process")) as client:
        yield client


def read(client: TestClient, id: str, lang: str) -> str:
    answer = client.get(f"/rules/{id}/process", params={"lang": lang})
    assert answer.status_code == 200
    return unescape(answer.text)


@pytest.mark.parametrize(("id", "lang"), BOTH)
def test_the_page_says_everything_of_a_process(
    client: TestClient, rulebook: Rulebook, id: str, lang: Lang
) -> None:
    page, process = read(client, id, lang), rulebook.processes[id]
    for text in (process.title, process.summary, *process.leaves_out):
        assert in_lang(text, lang) in page
    for stage in process.stages.values():
        assert f"<li>{in_lang(stage.title, lang)} <code" in page
    for event in process.events.values():
        assert f"<strong>{in_lang(event.title, lang)}</strong>" in page
    for number, taken in enumerate(process.transitions):
        found = re.search(rf'id="transition-{taken.number}".*?</article>', page, re.S)
        assert found is not None, number
        assert in_lang(taken.says, lang) in found[0]
        assert found[0].count('<figure class="cited">') == len(taken.cite)
    for clock in process.clocks.values():
        found = re.search(rf'id="clock-{clock.id}".*?</article>', page, re.S)
        assert found is not None
        assert in_lang(clock.exceeded, lang) in found[0]
        assert found[0].count('<figure class="cited">') == len(clock.cite)


@pytest.mark.parametrize("lang", LANGS)
def test_totals_are_written_out(client: TestClient, rulebook: Rulebook, lang: Lang) -> None:
    process = rulebook.processes["ear-750"]
    page = read(client, "ear-750", lang)
    assert process.totals
    for total in process.totals:
        parts = [process.clocks[id].days for id in total.parts]
        days = process.clocks[total.equals].days
        assert sum(part or 0 for part in parts) == days
        assert f"{' + '.join(map(str, parts))} = {days}" in page


def test_a_refusal_names_its_rule_by_its_title(client: TestClient) -> None:
    assert '<a href="/rules/h200-article/no-refund">No refund</a>' in read(
        client, "h200-article", "en"
    )


@pytest.mark.parametrize(("id", "lang"), BOTH)
def test_pictures_can_be_taken_away(client: TestClient, id: str, lang: str) -> None:
    for kind, begins in (("svg", "<svg xmlns"), ("mmd", "stateDiagram-v2"), ("dot", "digraph")):
        answer = client.get(f"/rules/{id}/process.{kind}", params={"lang": lang})
        assert answer.status_code == 200
        assert answer.text.startswith(begins)
        assert f'filename="{id}-{lang}.{kind}"' in answer.headers["content-disposition"]
        if kind == "svg":
            ElementTree.fromstring(answer.text)


@pytest.mark.parametrize("path", ["bis-2026/process", "ear-75/process", "ear-750/process.exe"])
def test_what_is_no_process_leads_to_those_that_are(client: TestClient, path: str) -> None:
    answer = client.get(f"/rules/{path}", params={"lang": "en"})
    assert answer.status_code == 404
    assert "There is no such process." in answer.text
    assert "/rules/ear-750/process" in answer.text


@pytest.mark.parametrize(("lang", "heading"), [("en", "Processes"), ("zh", "办理流程")])
def test_the_rules_list_processes_of_their_own_too(
    client: TestClient, lang: str, heading: str
) -> None:
    page = client.get("/rules", params={"lang": lang}).text
    assert f"<h2>{heading}</h2>" in page
    for id in PROCESSES:
        assert f'href="/rules/{id}/process"' in page
    regime = client.get("/rules/h200-article", params={"lang": lang}).text
    assert 'href="/rules/h200-article/process"' in regime
    assert "/process" not in client.get("/rules/bis-2026").text


def test_no_page_draws_what_the_policy_of_pages_forbids(client: TestClient) -> None:
    for id in PROCESSES:
        page = client.get(f"/rules/{id}/process").text
        assert " style=" not in page
        assert "<style" not in page
    static = Path(ROOT / "api" / "web" / "templates")
    for name in ("case.html", "case_parts.html", "cases.html", "process.html"):
        assert " style=" not in (static / name).read_text("utf-8")
