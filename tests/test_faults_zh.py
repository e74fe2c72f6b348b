"""Faults for those who read Chinese: every code of a request says what is wrong and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from engine.diagnostics import Diagnostic, Source, Span
from engine.fault_codes import CODES
from tests.serving import service
from tests.test_house import never_in

ZH = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("zh"), rate="1000000/second") as client:
        yield client


@pytest.mark.parametrize("code", sorted(code for code in CODES if code[0] in "BOW"))
def test_a_code_of_a_request_says_in_chinese_what_is_wrong_and_what_to_do(code: str) -> None:
    zh = CODES[code].zh
    told = re.sub(r"`[^`]*`|(?<=\d),(?=\d)", "", zh)
    first, _, rest = zh.partition("。")
    assert 4 <= len(first) <= 45
    assert rest.endswith("。")
    assert not re.search(r"[,;:?!()\"']|[a-z]{3}", told)
    assert not re.search(r"请您|您|我们|！|涉嫌|不适用|推定", told)
    assert not never_in(told, "zh", ())


def test_the_json_of_a_fault_has_both_languages_where_its_code_has_them() -> None:
    place = Span(Source("order.yaml"))
    assert Diagnostic("O203", place, "too large").as_json()["zh"] == CODES["O203"].zh
    assert "zh" not in Diagnostic("R301", place, "no source").as_json()


def test_a_problem_for_a_chinese_reader_names_the_fact_by_its_label(client: TestClient) -> None:
    order = {"regime": "h200-article", "facts": {"order": {"quantity": "a few"}}}
    answer = client.post("/v1/decide", json=order, headers=ZH)
    problem = answer.json()
    assert answer.headers["content-language"] == "zh"
    assert problem["title"] == "数值的写法不符合该事实的类型"
    assert problem["detail"] == f"本单数量：{CODES['O202'].zh}"
    assert "is not a whole number" in problem["diagnostics"][0]["message"]


def test_a_dotted_fact_is_named_by_its_label_too(client: TestClient) -> None:
    order = {"regime": "h200-article", "facts": {"order.quantity": "a few"}}
    detail = client.post("/v1/decide", json=order, headers=ZH).json()["detail"]
    assert detail.startswith("本单数量：")


def test_a_problem_at_no_fact_names_its_pointer(client: TestClient) -> None:
    order = {"regime": "h200-article", "facts": {}, "parameters": {"cup": "1"}}
    detail = client.post("/v1/decide", json=order, headers=ZH).json()["detail"]
    assert detail == f"`/parameters/cup`：{CODES['O209'].zh}"


def test_a_problem_in_yaml_names_its_line(client: TestClient) -> None:
    headers = {**ZH, "Content-Type": "application/yaml"}
    answer = client.post("/v1/scenarios", content="title: a\nfacts: [\n", headers=headers)
    assert re.match(r"第[23]行：格式有误", answer.json()["detail"])


def test_diagnostics_hold_both_languages_for_every_reader(client: TestClient) -> None:
    one, other = (
        client.get("/v1/regimes/nothing", headers=headers).json()
        for headers in ({"Accept-Language": "en"}, ZH)
    )
    assert one["diagnostics"] == other["diagnostics"]
    assert one["diagnostics"][0]["zh"] == CODES["W105"].zh
    assert (one["title"], other["title"]) == (
        "nothing there",
        "找不到所指的规则集、规则、流程、情景、个案或页面",
    )


def test_a_code_is_explained_in_chinese_by_the_service(client: TestClient) -> None:
    assert client.get("/v1/faults/W109").json()["zh"] == CODES["W109"].zh


def test_a_page_of_errors_in_chinese_holds_no_english_sentence(client: TestClient) -> None:
    answer = client.get("/?draft=d-000000000000", headers={**ZH, "Accept": "text/html"})
    main = re.sub(r"<[^>]*>", "", answer.text.partition("<main")[2].partition("</main>")[0])
    assert answer.status_code == 404
    assert "找不到" in main
    assert not re.search(r"[A-Za-z]{2}", main.partition(">")[2])


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("fact:order.quantity", "a few", "无法识别；须填数字，如20,000"),
        ("fact:order.quantity", "-1", "须介于"),
        ("as_of", "?", "无法识别；须填年月日，如2026-02-01"),
    ],
)
def test_what_is_wrong_with_a_field_is_said_in_chinese(
    client: TestClient, field: str, text: str, told: str
) -> None:
    form = {"regime": "h200-article", field: text}
    page = client.post("/decide/answer", data=form, headers=ZH).text
    assert told in page
