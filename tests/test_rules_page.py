"""Pages and JSON of rule sets: everything is there in both languages, and texts never become markup."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app.rules_page import opened
from api.settings import Settings
from api.worker import NoneFree, TookTooLong, TookTooMuch, WorkerLost, Workers
from engine.fault_codes import CODES
from engine.load import Rulebook
from engine.words import LANGS, Lang, in_lang
from tests.serving import ROOT, service

REGIMES = ("bis-2026", "h200-article", "h200-reported", "section-232-duty")
IN_FORCE = "2026-06-01"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("rules"), rate="1000000/second") as served:
        yield served


def shown(client: TestClient, path: str, lang: Lang, status: int = 200) -> str:
    answer = client.get(path, params={"lang": lang})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


def words_of(html: str) -> str:
    """What a page says: its main part without markup."""
    main = html.partition("<main")[2].partition("</main>")[0]
    return unescape(re.sub(r"<[^>]*>", " ", main))


# --- pages ---


@pytest.mark.parametrize("lang", LANGS)
def test_the_list_shows_every_rule_set_with_its_outcomes(
    client: TestClient, rulebook: Rulebook, lang: Lang
) -> None:
    html = shown(client, "/rules", lang)
    for regime in rulebook.regimes.values():
        assert f'href="/rules/{regime.id}"' in html
        assert escape(in_lang(regime.title, lang)) in unescaped(html)
        for outcome in regime.outcomes.values():
            assert in_lang(outcome.label, lang) in words_of(html)
    assert 'href="/rules/facts"' in html
    assert 'href="/rules/sources"' in html


def unescaped(html: str) -> str:
    """Quotation marks as `html.escape` writes them."""
    return html.replace("&#39;", "&#x27;").replace("&#34;", "&quot;")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("id", REGIMES)
def test_the_page_of_a_rule_set_has_a_section_for_every_rule(
    client: TestClient, rulebook: Rulebook, id: str, lang: Lang
) -> None:
    html = shown(client, f"/rules/{id}", lang)
    said = words_of(html)
    regime = rulebook.regimes[id]
    assert in_lang(regime.summary, lang) in said
    for rule in regime.rules:
        assert f'id="{rule.id}"' in html
        assert f'href="/rules/{id}/{rule.id}"' in html
        assert in_lang(rule.title, lang) in said
        assert all(citation.quote is None or citation.quote in said for citation in rule.cite)
    for pair in regime.leaves_out:
        assert in_lang(pair, lang) in said
    assert len(re.findall(r' id="([^"]+)"', html)) == len(set(re.findall(r' id="([^"]+)"', html)))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("id", REGIMES)
def test_the_page_of_a_rule_tells_all_that_its_file_says(
    client: TestClient, rulebook: Rulebook, id: str, lang: Lang
) -> None:
    for rule in rulebook.regimes[id].rules:
        said = words_of(shown(client, f"/rules/{id}/{rule.id}", lang))
        told = [in_lang(rule.title, lang)]
        for citation in rule.cite:
            # Quotation marks within the marks of the page are single ones.
            translation = (citation.translation or "").replace("“", "‘").replace("”", "’")
            told += [citation.quote or "", translation]
            told += [in_lang(citation.says, lang) if citation.says else ""]
        for settled in rule.settles:
            told += [in_lang(settled.question, lang), in_lang(settled.answer, lang)]
        for note in (*rule.remarks, *rule.cautions, *rule.obligations):
            told.append(in_lang(note.text, lang))
        for text in told:
            assert text in said, f"{rule.id}: {text}"


ENGLISH = re.compile(
    r"\b(the|of|and|is|to|from|rule|rules|met|unknown|show|open|value|fact|source)\b"
)


@pytest.mark.parametrize(
    "path", ["/rules", "/rules/h200-article/customer-cap", "/rules/facts", "/rules/none"]
)
def test_a_chinese_page_has_no_english_of_its_own(client: TestClient, path: str) -> None:
    html = shown(client, path, "zh", 404 if path.endswith("none") else 200)
    body = html.partition("<body>")[2]
    # Quotations, code and names of things stand in their own language.
    body = re.sub(r"<(code|pre|blockquote)\b.*?</\1>", "", body, flags=re.DOTALL)
    body = re.sub(r'<a [^>]*hreflang="en".*?</a>', "", body, flags=re.DOTALL)
    told = unescape(re.sub(r"<[^>]*>", " ", body))
    labels = " ".join(re.findall(r'(?:aria-label|title|alt)="([^"]*)"', body))
    assert ENGLISH.findall(told + labels) == []


def test_values_are_shown_for_the_day_that_is_asked_for(client: TestClient) -> None:
    before = client.get("/rules/h200-reported/customer-cap?lang=en&as_of=2026-05-13").text
    after = client.get("/rules/h200-reported/customer-cap?lang=en&as_of=2026-05-14").text
    assert "not in force on this date" in words_of(before)
    assert "not in force on this date" not in words_of(after)
    assert "in force on 14 May 2026" in words_of(after)
    assert "in force on 13 May 2026" not in words_of(before)


def test_a_day_that_is_none_is_told_and_today_is_shown(client: TestClient) -> None:
    html = client.get("/rules/h200-article?lang=en&as_of=%3Cb%3E").text
    assert "is no date; shown for today" in words_of(html)
    assert "<b>" not in html


def test_an_example_opens_in_decide_with_its_facts_after_the_number_sign(
    client: TestClient,
) -> None:
    html = shown(client, "/rules/h200-article/customer-cap", "en")
    links = re.findall(r'href="/#d=([A-Za-z0-9_-]+)"', html)
    forms = [json.loads(base64.urlsafe_b64decode(link + "=" * (-len(link) % 4))) for link in links]
    assert {
        "regime": "h200-article",
        "as_of": "2025-12-08",
        "facts": {
            "item.product": "H200-SXM",
            "customer.units_to_date": "55000",
            "order.quantity": "20001",
        },
    } in forms
    assert len(forms) == 6


def test_an_opened_example_is_decided_as_it_says(client: TestClient) -> None:
    told = client.get("/v1/regimes/h200-article").json()
    for rule in told["rules"]:
        for example in rule["examples"]:
            encoded = opened("h200-article", example).removeprefix("/#d=")
            form = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            answer = client.post(
                "/v1/decide", content=form, headers={"content-type": "application/json"}
            )
            found = {one["rule"]: one["status"] for one in answer.json()["findings"]}
            assert found[rule["id"]] == example["finding"]


def test_a_rule_lists_the_scenarios_that_put_it_to_the_test(client: TestClient) -> None:
    html = shown(client, "/rules/h200-article/customer-cap", "en")
    unmet = html.partition('class="status unmet">not met</span> ')[2].partition("</details>")[0]
    # The story itself is met; its first variation is one chip more.
    assert "/?scenario=h200-article/last-twenty-thousand&amp;run=1" in unmet
    assert "/?scenario=h200-article/last-twenty-thousand&amp;run=0" not in unmet
    assert "One chip more, paid for in full" in words_of(html)


@pytest.mark.parametrize("reason", [NoneFree, TookTooLong, TookTooMuch, WorkerLost])
def test_a_rule_is_shown_also_while_its_scenarios_cannot_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: type[Exception]
) -> None:
    def ask(*_: Any, **__: Any) -> Any:
        raise reason

    with service(tmp_path) as client:
        monkeypatch.setattr(Workers, "ask", ask)
        html = shown(client, "/rules/h200-article/customer-cap", "en")
        assert "/?scenario=" not in html
        monkeypatch.undo()
        html = shown(client, "/rules/h200-article/customer-cap", "en")
        assert "/?scenario=h200-article/last-twenty-thousand&amp;run=1" in html


@pytest.mark.parametrize("lang", LANGS)
def test_every_fact_and_every_source_has_its_place(
    client: TestClient, rulebook: Rulebook, lang: Lang
) -> None:
    facts = shown(client, "/rules/facts", lang)
    for path, fact in rulebook.vocabulary.facts.items():
        assert f'id="{path}"' in facts
        assert in_lang(fact.label, lang) in words_of(facts)
    sources = shown(client, "/rules/sources", lang)
    for id, source in rulebook.sources.items():
        assert f'id="{id}"' in sources
        assert in_lang(source.title, lang) in words_of(sources)
    for regime in rulebook.regimes.values():
        for rule in regime.rules:
            assert f'href="/rules/{regime.id}/{rule.id}"' in sources


@pytest.mark.parametrize("lang", LANGS)
def test_pages_link_only_to_places_that_exist(client: TestClient, lang: Lang) -> None:
    pages = ["/rules", "/rules/facts", "/rules/sources", "/rules/h200-article"]
    pages += ["/rules/h200-article/customer-cap"]
    held = {path: shown(client, path, lang) for path in pages}
    links = {
        link
        for html in held.values()
        for link in re.findall(r'href="(/rules[^"?]*)', html.partition("<main")[2])
    }
    links |= {f"/rules/h200-article{a}" for a in re.findall(r'href="(#[^"]+)"', held[pages[3]])}
    for link in sorted(links):
        path, _, anchor = link.partition("#")
        if path not in held:
            held[path] = shown(client, path, lang)
        assert not anchor or f'id="{anchor}"' in held[path], link


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("path", ["/rules/h200", "/rules/h200-article/cap", "/rules/none/cap"])
def test_a_name_that_names_nothing_is_told_on_a_page(
    client: TestClient, path: str, lang: Lang
) -> None:
    html = shown(client, path, lang, 404)
    assert {"en": "Not found", "zh": "未找到"}[lang] in words_of(html)
    assert 'href="/rules/h200-article' in html


def test_texts_never_become_markup(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    file = rules / "h200-article" / "customer-cap.yaml"
    bad = "<script>alert(1)</script>"
    text = file.read_text("utf-8").replace("Cap per customer", f"Cap {bad}")
    text = text.replace("Since when?", f"Since {bad}?").replace("en: cap,", f"en: 'cap {bad}',")
    file.write_text(text, "utf-8")
    chosen = Settings(rules, ROOT / "scenarios", "en")
    with service(tmp_path, chosen) as client:
        pages = ("/rules/h200-article", "/rules/h200-article/customer-cap", "/rules/facts")
        for path in (*pages, "/rules/sources", "/rules"):
            html = shown(client, path, "en")
            assert bad not in html
            assert "<script>" not in html
        for path in pages[:2]:
            assert escape(bad) in client.get(path, params={"lang": "en"}).text


# --- JSON ---


def test_regimes_vocabulary_and_faults_are_given_as_json(
    client: TestClient, rulebook: Rulebook
) -> None:
    listed = client.get("/v1/regimes").json()["regimes"]
    assert [one["id"] for one in listed] == list(rulebook.regimes)
    for id in rulebook.regimes:
        told = client.get(f"/v1/regimes/{id}", params={"as_of": IN_FORCE}).json()
        assert (told["id"], told["as_of"]) == (id, IN_FORCE)
        schema = client.get(f"/v1/regimes/{id}/schema").json()
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    facts = client.get("/v1/vocabulary").json()["facts"]
    assert [fact["path"] for fact in facts] == list(rulebook.vocabulary.facts)
    faults = client.get("/v1/faults").json()["faults"]
    assert [fault["code"] for fault in faults] == list(CODES)
    assert client.get("/v1/faults/O204").json() == {
        "code": "O204",
        "title": CODES["O204"].title,
        "meaning": CODES["O204"].meaning,
        "mend": CODES["O204"].mend,
        "zh": CODES["O204"].zh,
    }


@pytest.mark.parametrize(
    "path",
    [
        "/v1/regimes",
        "/v1/regimes/h200-article",
        "/v1/regimes/h200-article?as_of=2026-02-01",
        "/v1/regimes/h200-article/schema",
        "/v1/vocabulary",
        "/v1/faults",
        "/v1/faults/O204",
    ],
)
def test_what_the_caller_has_already_is_not_sent_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    tag = first.headers["etag"]
    assert re.fullmatch('"[^"]+"', tag)
    assert first.headers["cache-control"] == "no-cache"
    for held in (tag, f"W/{tag}", f'"other", {tag}'):
        again = client.get(path, headers={"if-none-match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_another_day_has_another_tag(client: TestClient) -> None:
    tags = {
        client.get("/v1/regimes/h200-article", params={"as_of": day}).headers["etag"]
        for day in ("2026-02-01", "2026-02-02")
    }
    assert len(tags) == 2


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/regimes/h200-articel", "did you mean `h200-article`?"),
        ("/v1/regimes/zzz", "known: bis-2026, h200-article"),
        ("/v1/regimes/h200-articel/schema", "did you mean `h200-article`?"),
        ("/v1/faults/Z999", "known: "),
    ],
)
def test_an_unknown_name_is_a_problem_that_names_the_nearest(
    client: TestClient, path: str, named: str
) -> None:
    problem = problem_of(client, path, 404)
    assert problem["diagnostics"][0]["code"] == "W105"
    assert named in problem["detail"]


@pytest.mark.parametrize("day", ["2026-2-1", "2026-02-30", "tomorrow", "<b>"])
def test_a_day_that_is_none_is_a_problem_of_as_of(client: TestClient, day: str) -> None:
    problem = problem_of(client, f"/v1/regimes/h200-article?as_of={day}", 400)
    assert problem["diagnostics"][0]["code"] == "W101"
    assert "`as_of`" in problem["detail"]


def problem_of(client: TestClient, path: str, status: int) -> Any:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()
