"""The rulebook that most tests judge by, and how long hypothesis searches."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from engine.load import Rulebook, load

_UNHURRIED = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("dev", deadline=None, max_examples=60, suppress_health_check=_UNHURRIED)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=100,
    derandomize=True,
    database=None,
    suppress_health_check=_UNHURRIED,
)
settings.register_profile(
    "deep", deadline=None, max_examples=5_000, suppress_health_check=_UNHURRIED
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long versions out unless marks are chosen with `-m`."""
    if config.getoption("markexpr"):
        return
    long = [item for item in items if item.get_closest_marker("deep")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if not item.get_closest_marker("deep")]


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return load(Path(__file__).parent.parent / "rules")
