"""Drafts of scenarios over HTTP: kept as they were sent, changed by one editor at a time."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app.build import make
from api.cli import app as command_line
from api.service import read_document
from api.settings import Serving
from api.store import Store
from engine.diagnostics import OrderRejected
from engine.order import document
from engine.source import as_yaml, read_text
from tests.serving import ROOT, service
from tests.test_http import SMALL, told

SCENARIOS = [
    path
    for path in sorted((ROOT / "scenarios").rglob("*.yaml"))
    if "\nregime:" in path.read_text("utf-8")
]
"""The scenarios of orders; stories of cases name a process."""
YAML = {"Content-Type": "application/yaml"}
EXPECTED = {
    "title": {"en": "Ten crates", "zh": "十箱"},
    "story": {"en": "Ten crates for Iceland.", "zh": "运往冰岛的十箱。"},
    "regime": "small",
    "facts": {"order": {"crates": 10, "port": "IS", "placed_on": "2026-02-01"}},
    "expect": {"outcome": "go"},
    "vary": [
        {
            "title": {"en": "One more", "zh": "多一箱"},
            "set": {"order.crates": 11},
            "expect": {"outcome": "stay", "unmet": ["cap"]},
        }
    ],
}
STRANGE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE scenario; --",
    "{{ 7 * 7 }} {% raw %} ${jndi:x}",
    "\u202eright to left\u202c and \u200bnothing\ufeff",
    "\U0001f600 \U00020000 \u4e2d\u6587",
    "null",
    "NO",
    "0x1F: 5_000 # no comment",
    "a\nb\r\nc\td  ",
    "nul\x00 and \x1b[31m",
    "line\u2028and\x85next",
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("drafts"), SMALL, rate="1000000/second") as client:
        yield client


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("shipped"), rate="1000000/second") as client:
        yield client


def keep(client: TestClient, data: Any, **headers: str) -> Any:
    made = client.post("/v1/scenarios", json=data, headers=headers)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/v1/scenarios/{made.json()['id']}"
    return made


def exported(client: TestClient, address: str) -> Any:
    answer = client.get(address, headers={"Accept": "application/yaml"})
    assert answer.headers["content-type"].startswith("application/yaml")
    return document(read_text(answer.content, "exported", "O"), "exported").data


def test_a_draft_is_kept_read_changed_and_removed(small: TestClient) -> None:
    made = keep(small, {"title": "mine", "regime": "small", "facts": {}})
    address = made.headers["location"]
    row = made.json()
    assert (row["origin"], row["version"], row["regime"]) == ("draft", 1, "small")
    assert row["title"] == {"en": "mine", "zh": "mine"}
    assert row["created_at"] == row["updated_at"]

    read = small.get(address)
    assert read.json() == {**row, "scenario": {"title": "mine", "regime": "small", "facts": {}}}
    assert read.headers["etag"] == made.headers["etag"] == '"1"'
    again = small.get(address, headers={"If-None-Match": '"1"'})
    assert (again.status_code, again.content) == (304, b"")

    changed = small.put(address, json=EXPECTED, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert small.get(address).json()["scenario"] == EXPECTED
    assert small.delete(address, headers={"If-Match": '"2"'}).status_code == 204
    told(small.get(address), 404, "W105")


def test_of_two_editors_the_second_is_told_and_loses_nothing(small: TestClient) -> None:
    address = keep(small, {"facts": {}}).headers["location"]
    first = {"title": "first", "facts": {}}
    assert small.put(address, json=first, headers={"If-Match": '"1"'}).status_code == 200
    late = small.put(address, json={"facts": {}}, headers={"If-Match": '"1"'})
    told(late, 412, "W109")
    assert late.headers["etag"] == '"2"'
    assert small.get(address).json()["scenario"] == first
    told(small.delete(address, headers={"If-Match": '"1"'}), 412, "W109")
    for mark in ('"x"', "*", '"1", "2"', '"-1"', "9" * 30):
        refused = small.put(address, json={"facts": {}}, headers={"If-Match": mark})
        told(refused, 412, "W109")
        assert refused.headers["etag"] == '"2"'
    told(small.put(address, json={"facts": {}}), 428, "W113")
    assert small.get(address).json()["version"] == 2


@pytest.mark.parametrize(
    "id",
    [
        "d-bcdfghjkmnpq",
        "d-",
        "small/none",
        "small%2Fnone",
        "..%2F..%2Frules%2Fsources",
        "small/../../rules/small/cap",
        "d-' OR 1=1 --",
        "%00",
        "%F0%9F%98%80",
        "run",
    ],
)
def test_an_id_that_names_nothing_is_not_there_for_any_method(small: TestClient, id: str) -> None:
    seen = {"If-Match": '"1"'}
    address = f"/v1/scenarios/{id}"
    if id != "run":  # that all are run is another address
        told(small.get(address), 404, "W105")
        told(small.put(address, json={"facts": {}}, headers=seen), 404, "W105")
        told(small.delete(address, headers=seen), 404, "W105")
    told(small.post(f"{address}/run"), 404, "W105")


def test_what_is_no_scenario_is_refused_with_its_place(small: TestClient) -> None:
    def refused(data: Any, code: str, pointer: str) -> None:
        told(small.post("/v1/scenarios", json=data), 422, code, pointer)

    refused({"order.crates": 5}, "O302", "")
    refused({"facts": {"order.crate": 5}}, "O201", "/facts/order.crate")
    refused({"title": 5, "facts": {}}, "O302", "/title")
    refused({"title": {"en": "alone"}, "facts": {}}, "O302", "/title")
    refused({"regime": "none", "facts": {}}, "O208", "/regime")
    refused(
        {"regime": "small", "parameters": {"cap": "many"}, "facts": {}}, "O210", "/parameters/cap"
    )
    refused({**EXPECTED, "expect": {}}, "O302", "/expect")
    refused({"facts": {}, "owner": "me"}, "O101", "/owner")


@pytest.mark.parametrize("long", ["x" * 501, {"en": "x", "zh": "长" * 501}])
def test_a_title_that_no_list_could_show_is_refused(small: TestClient, long: Any) -> None:
    sent = {"title": long, "regime": "small", "facts": {}}
    found = small.post("/v1/scenarios", json=sent)
    assert found.status_code == 422
    [fault] = found.json()["diagnostics"]
    assert (fault["code"], fault["pointer"]) == ("O302", "/title")
    just = "x" * 500 if isinstance(long, str) else {"en": "x", "zh": "长" * 500}
    assert small.post("/v1/scenarios", json={**sent, "title": just}).status_code == 201


@pytest.mark.parametrize("text", STRANGE)
def test_any_text_comes_back_as_it_was_sent_and_is_never_markup(
    small: TestClient, text: str
) -> None:
    data = {
        "title": {"en": text, "zh": text},
        "story": {"en": text, "zh": text},
        "regime": "small",
        "facts": {"order": {"note": text, "crates": "10"}},
        "basis": {"order.crates": text},
        "expect": {"outcome": "go"},
    }
    for escaped in (True, False):
        sent = json.dumps(data, ensure_ascii=escaped).encode()
        made = small.post(
            "/v1/scenarios", content=sent, headers={"Content-Type": "application/json"}
        )
        assert made.status_code == 201, made.text
        address = made.headers["location"]
        assert small.get(address).json()["scenario"] == data
        assert exported(small, address) == data
    ran = small.post(f"{address}/run").json()
    assert ran["runs"][0]["decision"]["facts"]["order.note"] == text
    for page in ("/scenarios", "/"):
        assert "<script>alert" not in small.get(page).text
    listed = small.get("/v1/scenarios", params={"title": text[:40]}).json()["scenarios"]
    assert made.json()["id"] in [row["id"] for row in listed]


def test_half_a_character_is_refused(small: TestClient) -> None:
    for name in ("title", "story"):
        sent = b'{"facts": {}, "%s": "\\ud800"}' % name.encode()
        answer = small.post(
            "/v1/scenarios", content=sent, headers={"Content-Type": "application/json"}
        )
        told(answer, 400, "O004")


def test_a_list_is_turned_page_by_page_newest_first(small: TestClient) -> None:
    made = [keep(small, {"title": f"paging {n}", "facts": {}}).json()["id"] for n in range(5)]
    found: list[str] = []
    after = None
    for _ in range(3):
        params = {"limit": "2", "title": "PAGING", "origin": "draft"}
        if after is not None:
            params["after"] = after
        page = small.get("/v1/scenarios", params=params).json()
        found += [row["id"] for row in page["scenarios"]]
        after = page["next"]
    assert after is None
    assert len(found) == 5
    assert set(found) == set(made)
    told(small.get("/v1/scenarios?after=nowhere"), 404, "W105")


def test_shipped_scenarios_are_listed_with_the_drafts_and_apart(small: TestClient) -> None:
    keep(small, {"regime": "small", "facts": {}})
    (row,) = small.get("/v1/scenarios?origin=shipped").json()["scenarios"]
    assert (row["id"], row["origin"], row["regime"]) == ("small/eleven-crates", "shipped", "small")
    every = small.get("/v1/scenarios?regime=small").json()["scenarios"]
    assert {one["origin"] for one in every} == {"draft", "shipped"}
    assert small.get("/v1/scenarios?regime=none").json() == {"scenarios": [], "next": None}


def test_a_draft_that_expects_something_says_what_holds_here_and_on_the_command_line(
    small: TestClient, tmp_path: Path
) -> None:
    wrong = {**EXPECTED, "vary": [{**EXPECTED["vary"][0], "expect": {"outcome": "go"}}]}  # type: ignore[index]
    for data, passed in ((EXPECTED, True), (wrong, False)):
        address = keep(small, data).headers["location"]
        ran = small.post(f"{address}/run").json()
        assert ran["passed"] is passed
        assert [run["decision"]["outcome"] for run in ran["runs"]] == ["go", "stay"]
        file = tmp_path / "exported.yaml"
        file.write_bytes(small.get(f"{address}?as=yaml").content)
        arguments = ["test", str(file), "--rules", str(SMALL.rules)]
        assert CliRunner().invoke(command_line, arguments).exit_code == (0 if passed else 1)


def test_a_draft_that_expects_nothing_is_decided_and_neither_passes_nor_fails(
    small: TestClient,
) -> None:
    order = {"regime": "small", "facts": {"order.crates": 11}}
    address = keep(small, order).headers["location"]
    ran = small.post(f"{address}/run").json()
    (run,) = ran["runs"]
    assert (ran["passed"], run["passed"], run["decision"]["outcome"]) == (None, None, "stay")
    page = small.post("/scenarios/run", params={"what": address.rpartition("/")[2]}).text
    assert 'data-passed="0" data-failed="0"' in page


def test_an_exported_draft_can_be_decided(small: TestClient) -> None:
    address = keep(small, {"regime": "small", "facts": {"order.crates": 11}}).headers["location"]
    decided = small.post("/v1/decide", json=exported(small, address)).json()
    assert decided["outcome"] == "stay"


def test_an_exported_draft_is_titled_in_both_languages_as_scenario_files_are(
    small: TestClient,
) -> None:
    draft = {"regime": "small", "facts": {}, "title": "Ten: crates"}
    data = exported(small, keep(small, draft).headers["location"])
    assert data == {**draft, "title": {"en": "Ten: crates", "zh": "Ten: crates"}}
    assert next(iter(data)) == "title"
    untitled = {"regime": "small", "facts": {}}
    assert exported(small, keep(small, untitled).headers["location"]) == untitled


def test_numbers_come_back_as_they_were_written(small: TestClient) -> None:
    numbers = '{"half": 1.50, "tiny": 1e-7, "long": 123456789012345678901234567890, "whole": 7}'
    sent = f'{{"title": "numbers", "story": {numbers}, "facts": {{}}}}'
    made = small.post("/v1/scenarios", content=sent, headers={"Content-Type": "application/json"})
    address = made.headers["location"]
    read = json.loads(small.get(address).content, parse_float=Decimal)
    assert read["scenario"] == json.loads(sent, parse_float=Decimal)
    assert str(read["scenario"]["story"]["half"]) == "1.50"
    # What YAML writes is text to us, and says the same digits.
    story = exported(small, address)["story"]
    assert {name: str(value) for name, value in story.items()} == {
        "half": "1.50",
        "tiny": "1e-7",
        "long": "123456789012345678901234567890",
        "whole": "7",
    }


def test_the_database_is_never_asked_where_requests_are_taken_in(
    small: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = keep(small, {"title": "elsewhere", "regime": "small", "facts": {}}).json()["id"]
    asked: list[bool] = []

    def connected(store: Store) -> Any:
        asked.append(is_taking_in())
        return reading(store)

    reading = Store.reading
    monkeypatch.setattr(Store, "reading", connected)
    address = f"/v1/scenarios/{id}"
    for mark in ('"x"', '"2"'):
        small.delete(address, headers={"If-Match": mark})
        small.put(address, json={"facts": {}}, headers={"If-Match": mark})
    for page in (address, f"{address}?as=yaml", "/v1/scenarios", "/scenarios", f"/?draft={id}"):
        assert small.get(page).status_code == 200
    assert small.post("/scenarios/run?what=drafts").status_code == 200
    assert small.post("/what-if/flips", json={"regime": "small"}).status_code == 200
    assert len(asked) > 8
    assert not any(asked)


def is_taking_in() -> bool:
    """Whether this is the thread that takes in the requests of everybody."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_a_service_does_not_start_over_a_scenario_that_cannot_be_read(tmp_path: Path) -> None:
    shutil.copytree(SMALL.scenarios, tmp_path / "scenarios")
    (tmp_path / "scenarios" / "broken.yaml").write_text("facts: {}\nexpect: {outcome: go}\n")
    (tmp_path / "scenarios" / "worse.yaml").write_text("facts: [\n")
    house = make(replace(SMALL, scenarios=tmp_path / "scenarios"), Serving()).state.house
    with pytest.raises(OrderRejected) as raised:
        house.open()
    files = {Path(fault.span.source.name).name for fault in raised.value.diagnostics}
    assert files == {"broken.yaml", "worse.yaml"}


def test_the_shipped_scenarios_are_run_together_and_one_by_one(small: TestClient) -> None:
    every = small.post("/v1/scenarios/run").json()
    assert every["passed"] is True
    assert [row["id"] for row in every["scenarios"]] == ["small/eleven-crates"]
    one = small.post("/v1/scenarios/small/eleven-crates/run").json()
    assert [run["decision"]["outcome"] for run in one["runs"]] == ["stay"]
    told(small.post("/v1/scenarios/run?regime=none"), 404, "W105")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_shipped_scenario_can_be_imported_and_exported(
    shipped: TestClient, path: Path
) -> None:
    data = read_document(path).data
    id = path.relative_to(ROOT / "scenarios").with_suffix("").as_posix()
    assert shipped.get(f"/v1/scenarios/{id}").json()["scenario"] == data
    assert shipped.get(f"/v1/scenarios/{id}?as=yaml").content == path.read_bytes()
    made = shipped.post("/v1/scenarios", content=path.read_bytes(), headers=YAML)
    assert made.status_code == 201, made.text
    assert exported(shipped, made.headers["location"]) == data
    assert as_yaml(data) == shipped.get(f"{made.headers['location']}?as=yaml").text


def test_all_shipped_scenarios_pass_over_http(shipped: TestClient) -> None:
    ran = shipped.post("/v1/scenarios/run?regime=section-232-duty").json()
    assert ran["passed"] is True
    assert len(ran["scenarios"]) == 12
