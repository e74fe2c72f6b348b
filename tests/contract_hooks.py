"""What schemathesis has to be told: how lines of JSON go out, and how they come in."""

from __future__ import annotations

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def written(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"


@schemathesis.deserializer("application/x-ndjson")
def read(context: Any, response: Any) -> str:
    return str(response.content.decode())
