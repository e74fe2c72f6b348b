"""A picture of a rule set: facts on the left, rules on the right, a line where one feeds the other.

Only places are computed here; the template draws them, and the style sheet gives colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.letters import broken
from engine.words import Lang

WIDTH, BOX, LINE, SIZE = 940, 300, 17, 13
"""Width of the picture and of a box, height of a line of text, size of its letters."""
_PAD, _GAP, _HEAD = 7, 8, 26


@dataclass(frozen=True, slots=True)
class Box:
    """A fact or rule with its place and its label in lines."""

    key: str
    """`fact:…` or `rule:…`; the scope is `rule:scope`."""
    href: str
    label: str
    lines: tuple[str, ...]
    x: int
    y: int
    height: int

    @property
    def middle(self) -> int:
        """Where lines meet the box."""
        return self.y + self.height // 2

    @property
    def baselines(self) -> list[tuple[int, str]]:
        """Where each line of the label stands."""
        return [(self.y + _PAD + LINE * n + SIZE, text) for n, text in enumerate(self.lines)]


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from a fact to a rule that rests on it, as an SVG path."""

    fact: str
    rule: str
    path: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The name of a group of facts."""

    text: str
    y: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes, lines and headings on a sheet of `WIDTH` by `height`."""

    height: int
    headings: tuple[Heading, ...]
    facts: tuple[Box, ...]
    rules: tuple[Box, ...]
    edges: tuple[Edge, ...]


def picture(regime: dict[str, Any], vocabulary: dict[str, Any], lang: Lang) -> Picture:
    """Lay out a regime as `describe` gives it. What is derived is shown as what it rests on."""
    scope = {"en": "Scope", "zh": "适用范围"}
    asked = [("scope", scope, regime["facts"])]
    asked += [(rule["id"], rule["title"], rule["facts"]) for rule in regime["rules"]]
    feeds = [
        (fact["path"], rule) for rule, _, facts in asked for fact in facts if not fact["derived"]
    ]
    used = {path for path, _ in feeds}
    left: list[_Item] = []
    for group in vocabulary["groups"]:
        members = [
            f for f in vocabulary["facts"] if f["group"] == group["id"] and f["path"] in used
        ]
        left += [_Item("", "", group["label"][lang])] if members else []
        left += [
            _Item(f"fact:{fact['path']}", f"/rules/facts#{fact['path']}", fact["label"][lang])
            for fact in members
        ]
    right = [_Item(f"rule:{id}", f"#{id}", title[lang]) for id, title, _ in asked]
    height = max(_height(left), _height(right))
    headings, facts = _column(left, 0, height)
    _, rules = _column(right, WIDTH - BOX, height)
    places = {box.key: box for box in (*facts, *rules)}
    edges = [
        Edge(path, rule, _curve(places[f"fact:{path}"], places[f"rule:{rule}"]))
        for path, rule in feeds
    ]
    return Picture(height, tuple(headings), tuple(facts), tuple(rules), tuple(edges))


@dataclass(frozen=True, slots=True)
class _Item:
    """One entry of a column; a heading has no key."""

    key: str
    href: str
    label: str

    @property
    def lines(self) -> tuple[str, ...]:
        return broken(self.label, (BOX - 2 * _PAD) / SIZE)

    @property
    def height(self) -> int:
        return LINE * len(self.lines) + 2 * _PAD if self.key else _HEAD


def _height(items: Sequence[_Item]) -> int:
    return sum(item.height + _GAP for item in items) + _GAP


def _column(items: Sequence[_Item], x: int, height: int) -> tuple[list[Heading], list[Box]]:
    """Items from top to bottom; what room is left goes between them."""
    spare = height - _height(items)
    headings: list[Heading] = []
    boxes: list[Box] = []
    used = _GAP
    for number, item in enumerate(items):
        y = used + spare * (2 * number + 1) // (2 * len(items))
        if item.key:
            boxes.append(Box(item.key, item.href, item.label, item.lines, x, y, item.height))
        else:
            headings.append(Heading(item.label, y + _HEAD - _PAD))
        used += item.height + _GAP
    return headings, boxes


def _curve(fact: Box, rule: Box) -> str:
    start, end = fact.x + BOX, rule.x
    middle = (start + end) // 2
    return (
        f"M{start} {fact.middle}C{middle} {fact.middle} {middle} {rule.middle} {end} {rule.middle}"
    )
