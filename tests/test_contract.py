"""The OpenAPI document holds: it is well made, and what it says is taken, given and refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from api.app.case_examples import CASE
from engine.load import load
from engine.schema import order_schema
from tests.serving import ROOT, SHIPPED, server, service

SMALL = ROOT / "tests" / "small" / "rules"


# --- the document ---


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("contract")) as client:
        yield client


@pytest.fixture(scope="module")
def document(client: TestClient) -> Any:
    return client.get("/openapi.json").json()


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def parts(data: Any) -> Iterator[Any]:
    yield data
    below = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    for part in below:
        yield from parts(part)


def test_the_document_is_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    assert not [error.message for error in Draft202012Validator(OPENAPI_31).iter_errors(document)]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(document: Any) -> None:
    named = {part["$ref"] for part in parts(document) if isinstance(part, dict) and "$ref" in part}
    assert "#/components/schemas/DecisionWire" in named
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert named <= known


def test_every_schema_is_used_or_named(document: Any) -> None:
    written = str(document)
    for name in document["components"]["schemas"]:
        assert f"/{name}'" in written or f"`{name}`" in written, name


def test_every_operation_has_a_short_name_a_summary_and_a_tag(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in document["tags"]}
    for _, _, operation in operations(document):
        assert re.fullmatch("[a-z_]{4,16}", operation["operationId"])
        assert operation["summary"]
        assert operation["description"]
        assert len(operation["tags"]) == 1
        assert set(operation["tags"]) <= tags


def test_every_fault_of_an_operation_is_a_problem_document(document: Any) -> None:
    for path, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and (path, status) != ("/readyz", "503"):
                assert list(answer["content"]) == ["application/problem+json"], (path, status)
        assert {"421", "429"} <= set(operation["responses"])


def test_every_address_of_the_service_is_in_the_document(
    client: TestClient, document: Any
) -> None:
    for path in ("/v1/decide", "/v1/check", "/v1/sweep", "/v1/decide/stream"):
        assert set(document["paths"][path]) == {"post"}
    assert set(document["paths"]["/v1/scenarios/{id}"]) == {"get", "put", "delete"}
    assert not [path for path in document["paths"] if path.startswith("/scenarios")]


def test_orders_are_described_as_the_rules_have_it(document: Any) -> None:
    book = load(SHIPPED.rules)
    asked = document["components"]["schemas"]["Asked"]["anyOf"]
    for id, regime in book.regimes.items():
        (branch,) = [one for one in asked if one["properties"].get("regime") == {"const": id}]
        own = order_schema(book, regime)["then"]["properties"]
        assert branch["properties"]["parameters"] == own["parameters"]
        assert branch["properties"]["without"] == own["without"]
    for fact in book.vocabulary.facts:
        assert f"order.{fact}" in document["components"]["schemas"]


def _examples(document: Any) -> Iterator[tuple[str, str, str, str, Any]]:
    for path, method, operation in operations(document):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            for name, example in content.get("examples", {}).items():
                yield method, path, kind, name, example["value"]


def test_every_example_works_when_it_is_sent(client: TestClient, document: Any) -> None:
    kept = client.post("/v1/scenarios", json={"facts": {}})
    sent = []
    for method, path, kind, name, value in _examples(document):
        seen = kept
        if path.startswith("/v1/cases/"):
            seen = client.post("/v1/cases", json=CASE)
        answer = client.request(
            method,
            path.replace("{id}", seen.json()["id"]),
            json=value,  # JSON is YAML too
            headers={"Content-Type": kind, "If-Match": seen.headers["etag"]},
        )
        assert answer.status_code in (200, 201), (path, name, answer.text)
        if method == "put":
            kept = client.get(f"/v1/scenarios/{kept.json()['id']}")
        sent.append((path, name))
    assert len(sent) >= 10
    assert {path for path, _ in sent} >= {"/v1/decide", "/v1/check", "/v1/sweep", "/v1/scenarios"}
    assert {name for path, name in sent if path.startswith("/v1/cases")} >= {"order", "place"}


# --- the service behind it ---


def keeps(folder: Path, *options: str, **environ: str) -> None:
    """Let schemathesis try a server of its own; what it says is the message of a failure."""
    with server(folder, PLACET_RATE="1000000/second", **environ) as (address, _):
        tried = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
                *("--config-file", "tests/contract.toml"),
                *("run", f"{address}/openapi.json", "--checks", "all"),
                *options,
            ],
            cwd=ROOT,
            env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)},
            capture_output=True,
            text=True,
        )
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert re.search(r"Selected: (\d+)/\d+\s+Tested: \1\s", tried.stdout), tried.stdout


def test_the_service_keeps_the_document_in_examples_drawn_requests_and_sequences(
    tmp_path: Path,
) -> None:
    phases = ("--phases", "examples,fuzzing,stateful")
    keeps(tmp_path, *phases, "--max-examples", "15", "--seed", "1")


def test_the_service_keeps_the_document_at_every_edge_of_small_rules(tmp_path: Path) -> None:
    # Every fact of the shipped rules has its edges too: those are tried by the long version.
    keeps(tmp_path, "--phases", "coverage", "--seed", "1", PLACET_RULES=str(SMALL))


@pytest.mark.deep
def test_the_service_keeps_the_document_at_every_edge_of_the_shipped_rules(
    tmp_path: Path,
) -> None:
    # Orders to decide have the same facts; but drafts of rules come with them, loaded each time.
    keeps(tmp_path, "--phases", "coverage", "--include-operation-id", "add_scenario")


@pytest.mark.deep
def test_the_service_keeps_the_document_for_long(tmp_path: Path) -> None:
    keeps(tmp_path, "--phases", "examples,fuzzing,stateful", "--max-examples", "300")
