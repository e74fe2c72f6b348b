"""Read JSON text for its data alone, several times as fast as with places; those come when asked.

What is read here, `source` reads the same. It has the last word on everything else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from engine.diagnostics import OrderRejected
from engine.source import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    Data,
    JsonNumber,
    Node,
    json_scalar,
    read_text,
    refuse_constant,
)


@dataclass(slots=True, eq=False)
class Unplaced:
    """A JSON text read for its data alone; places are found when somebody asks for them."""

    text: bytes
    name: str
    _node: Node | None = None

    def node(self) -> Node | None:
        """The nodes with their places; none of the rare JSON that only a JSON parser reads."""
        if self._node is None:
            try:
                self._node = read_text(self.text, self.name, "O")
            except OrderRejected:
                return None
        return self._node


def read_data(text: bytes) -> Data:
    """Read the data of a JSON text.

    Raises `ValueError` for all that is faulty or doubtful: `read_text` says what it is.
    """
    if len(text) > MAX_BYTES:
        raise ValueError("large")
    written = text.decode("utf-8-sig")
    opened = written.count("{") + written.count("[")
    if opened + written.count(",") + written.count(":") >= MAX_NODES:
        raise ValueError("many values")
    if "\\ud" in written or "\\uD" in written:
        raise ValueError("perhaps half a character")
    try:
        data = _JSON.decode(written)
    except RecursionError:
        raise ValueError("deep") from None
    if not isinstance(data, dict | list) or (opened > MAX_DEPTH and _is_deep(data)):
        raise ValueError("no collection, or a deep one")
    return cast(Data, data)


def _is_deep(data: dict[str, Any] | list[Any]) -> bool:
    level = [data]
    for _ in range(MAX_DEPTH):
        parts = (
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)
        )
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return False
    return True


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a name stands twice")
    return data


_JSON = json.JSONDecoder(
    object_pairs_hook=_single,
    parse_int=json_scalar,
    parse_float=JsonNumber,
    parse_constant=refuse_constant,
)
