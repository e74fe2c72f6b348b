"""The whole OpenAPI document holds: what it says is taken, given and refused (schemathesis)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.openapi.utils import get_openapi
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from api.app.build import make
from api.settings import Serving
from tests.serving import SHIPPED, service

OPERATIONS = [
    (path, method)
    for path, operations in get_openapi(
        title="", version="", routes=make(SHIPPED, Serving()).routes
    )["paths"].items()
    for method in operations
]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("contract")
    with service(folder, rate="1000000/second", hosts=("testserver",)) as client:
        yield schemathesis.openapi.from_asgi("/openapi.json", client.app)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_address_keeps_what_the_openapi_document_says(
    described: Any, path: str, method: str, mode: GenerationMode
) -> None:
    keeps(described[path][method], mode, 15)


@pytest.mark.deep
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_address_keeps_it_for_long(
    described: Any, path: str, method: str, mode: GenerationMode
) -> None:
    keeps(described[path][method], mode, 300)


def keeps(operation: Any, mode: GenerationMode, examples: int) -> None:
    """Send what fits an operation, or what does not, and check what comes back."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def sent(case: Any) -> None:
        case.call_and_validate()

    sent()
