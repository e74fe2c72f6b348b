"""What passes to the library and what is raised when it fails; never imports the library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.diagnostics import BackendFailure, Diagnostic, Source, Span

Pattern = Mapping[str, Any]
"""A condition on one fact, in the words of the library."""
PostedFact = dict[str, int | str]
"""A fact as posted: `sid`, `id`, int64 and the signs `t`, `f` and `u`; never text of a user."""


def failure(message: str) -> BackendFailure:
    """What is raised where the library or its use went wrong."""
    place = Span(Source("live"))
    help = "decide with the reference evaluator; the order itself is not at fault"
    return BackendFailure([Diagnostic("B001", place, " ".join(message.split()), help)])
