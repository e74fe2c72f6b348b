"""Times as they stand in JSON, and the present one."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def moment(seconds: int) -> str:
    """A time as it stands in JSON: UTC, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> int:
    """The present second."""
    return int(time.time())
