"""The rulebook that most tests judge by, and how long hypothesis searches."""

import os
from dataclasses import fields
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


def pytest_configure(config: pytest.Config) -> None:
    """Let a failing property name its arguments, large as a rulebook is."""
    config.addinivalue_line("filterwarnings", "ignore:Generating overly large repr")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long versions out unless marks are chosen with `-m`."""
    if config.getoption("markexpr"):
        return
    long = [item for item in items if item.get_closest_marker("deep")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if not item.get_closest_marker("deep")]


class Shipped(Rulebook):
    """The shipped rules; a failing property names them in a word and not in twelve megabytes."""

    def __repr__(self) -> str:
        return "rulebook"


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    book = load(Path(__file__).parent.parent / "rules")
    return Shipped(*(getattr(book, field.name) for field in fields(book)))
