"""Sweeps over HTTP: every cell as if it were decided alone, and every fault of an axis told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.serving import service
from tests.test_http import CRATES, SMALL, changed_cap, told

NINE_TO_TWELVE = {"fact": "order.crates", "from": "9", "to": 12, "step": "1"}
PORTS = {"fact": "order.port", "values": ["IS", "NO"]}
MET, UNMET, UNKNOWN = 0, 1, 2


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("sweep"), SMALL, rate="1000000/second") as client:
        yield client


def swept(client: TestClient, *axes: Any, **more: Any) -> Any:
    answer = client.post("/v1/sweep", json={**CRATES, "axes": list(axes), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def flips(found: Any) -> list[tuple[Any, ...]]:
    return [
        tuple(flip[name] for name in ("axis", "at", "below", "above")) for flip in found["flips"]
    ]


@pytest.mark.parametrize("path", ["/v1/sweep", "/v1/decide"])
def test_a_selection_that_selects_nothing_is_told_at_its_place(
    client: TestClient, path: str
) -> None:
    axes = {"axes": [{"fact": "order.crates", "values": [1]}]} if path == "/v1/sweep" else {}
    asked = {"regime": "small", "facts": {}, "only": ["kind=duty", "kind=dutty"], **axes}
    told(client.post(path, json=asked), 422, "O213", "/only/1")


def test_the_cap_is_passed_between_ten_and_eleven(client: TestClient) -> None:
    found = swept(client, NINE_TO_TWELVE)
    assert found["schema"] == "placet.sweep/1"
    assert found["axes"][0]["values"] == ["9", "10", "11", "12"]
    assert found["outcome_of"] == [MET, MET, UNMET, UNMET]
    assert [(one["code"], one["count"]) for one in found["outcomes"]] == [
        ("go", 2),
        ("stay", 2),
        ("incomplete", 0),
        ("not-covered", 0),
    ]
    assert flips(found) == [(0, None, "10", "11")]
    assert found["cells"] == 4
    assert found["exact"] is True


def test_of_two_axes_the_first_runs_fastest(client: TestClient) -> None:
    found = swept(client, NINE_TO_TWELVE, PORTS)
    # For Norway a seal is asked for, of which nothing is said.
    assert found["outcome_of"] == [MET, MET, UNMET, UNMET, UNKNOWN, UNKNOWN, UNMET, UNMET]
    along_crates = [flip for flip in flips(found) if flip[0] == 0]
    assert along_crates == [(0, 0, "10", "11"), (0, 1, "10", "11")]


def test_each_cell_is_what_its_order_gets_alone(client: TestClient) -> None:
    found = swept(client, NINE_TO_TWELVE, PORTS)
    codes = [one["code"] for one in found["outcomes"]]
    cells = [(crates, port) for port in ("IS", "NO") for crates in (9, 10, 11, 12)]
    for (crates, port), outcome in zip(cells, found["outcome_of"], strict=True):
        sent = {"regime": "small", "facts": {"order.crates": crates, "order.port": port}}
        assert client.post("/v1/decide", json=sent).json()["outcome"] == codes[outcome]


def test_a_parameter_is_varied_and_the_result_is_hypothetical(client: TestClient) -> None:
    found = swept(client, {"parameter": "cap", "values": ["10", "11"]})
    assert found["outcome_of"] == [UNMET, MET]
    assert found["hypothetical_policy"] is True
    assert swept(client, NINE_TO_TWELVE)["hypothetical_policy"] is False


def test_a_draft_of_rules_is_swept_for_one_call(client: TestClient) -> None:
    axis = {"fact": "order.crates", "from": 15, "to": 25, "count": 3}
    found = swept(client, axis, regime="wider", draft=changed_cap())
    assert found["axes"][0]["values"] == ["15", "20", "25"]
    assert flips(found) == [(0, None, "20", "21")]
    assert swept(client, NINE_TO_TWELVE)["outcome_of"] == [MET, MET, UNMET, UNMET]


@pytest.mark.parametrize(
    ("axes", "code", "pointer"),
    [
        (None, "W201", ""),
        ([], "W201", "/axes"),
        ([PORTS, PORTS, PORTS], "W201", "/axes"),
        (["order.port"], "W201", "/axes/0"),
        ([{**PORTS, "form": 1}], "W202", "/axes/0/form"),
        ([{"values": ["1"]}], "W203", "/axes/0"),
        ([{**PORTS, "parameter": "cap"}], "W203", "/axes/0"),
        ([{"fact": 7, "values": ["1"]}], "W203", "/axes/0/fact"),
        ([{"fact": "order.crate", "values": ["1"]}], "W204", "/axes/0/fact"),
        ([{"parameter": "gap", "values": ["1"]}], "W204", "/axes/0/parameter"),
        ([{"fact": "order.note", "values": ["a"]}], "W205", "/axes/0/fact"),
        ([{"fact": "order.crates", "from": 1, "to": 5}], "W206", "/axes/0"),
        ([{"fact": "order.port", "from": "IS", "to": "NO", "count": 2}], "W206", "/axes/0"),
        ([{"fact": "order.port", "values": ["IS", "XX"]}], "W207", "/axes/0/values/1"),
        ([{"parameter": "cap", "values": [None]}], "W207", "/axes/0/values/0"),
        ([{"fact": "order.price", "from": "1", "to": "2", "step": "x"}], "W207", "/axes/0/step"),
        ([{"fact": "order.price", "from": "0", "to": "9000", "step": "0.01"}], "W208", "/axes/0/step"),
        ([{"fact": "order.crates", "from": 5, "to": 5, "step": 1}], "W209", "/axes/0/to"),
        ([{"fact": "order.crates", "from": 1, "to": 5, "count": 1}], "W209", "/axes/0/count"),
        ([PORTS, PORTS], "W210", "/axes/1"),
        ([{"fact": "order.port", "values": ["IS", "IS"]}], "W210", "/axes/0/values/1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_axis_is_told_where(
    client: TestClient, axes: Any, code: str, pointer: str
) -> None:
    sent = {**CRATES, "axes": axes} if axes is not None else CRATES
    told(client.post("/v1/sweep", json=sent), 422, code, pointer)


def test_too_many_cells_are_refused_before_any_is_decided(client: TestClient) -> None:
    dense = {"fact": "order.price", "from": "0", "to": "999", "step": "1"}
    long = {"fact": "order.crates", "from": 0, "to": 1000, "step": 1}
    told(client.post("/v1/sweep", json={**CRATES, "axes": [dense, long]}), 422, "W208", "/axes")
