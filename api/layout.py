"""Places for boxes in layers and for the lines between them, so that no two things overlap.

Boxes stand in layers, a line's label between two layers; whatever passes a layer has a place of its
own there. The same boxes and lines always give the same places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

Size = tuple[int, int]
"""Width and height."""

_ASIDE, _BETWEEN, _LANE = 18, 22, 14
"""Room between neighbours of a layer, between layers, and for a line that only passes."""
_SWEEPS = 24


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one box to another, with the size of its label."""

    start: str
    end: str
    label: Size


@dataclass(frozen=True, slots=True)
class Route:
    """Where a line runs: points from its start to its end, and the middle of its label.

    Between the points 0 and 1, 2 and 3, … it may bend; between 1 and 2, 3 and 4, … it is straight.
    """

    points: tuple[tuple[int, int], ...]
    label: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """The upper left corner of every box, the route of every line, and the size of the sheet."""

    width: int
    height: int
    boxes: Mapping[str, tuple[int, int]]
    routes: tuple[Route, ...]


def lay_out(boxes: Mapping[str, Size], lines: Sequence[Line]) -> Layout:
    """Place boxes, those first that are named first, and route the lines from one to another."""
    sheet = _Sheet(boxes, lines)
    sheet.order()
    sheet.align()
    return sheet.placed()


@dataclass(slots=True, eq=False)
class _Spot:
    """Something that has a place in a layer: a box, a label, or a line that passes."""

    size: Size
    line: int | None
    above: list[_Spot] = field(default_factory=list)
    below: list[_Spot] = field(default_factory=list)
    rank: int = 0
    place: float = 0.0
    """How far along its layer it stands, from 0 to 1."""
    x: float = 0.0
    y: int = 0


class _Sheet:
    """The spots of a drawing in their layers."""

    def __init__(self, boxes: Mapping[str, Size], lines: Sequence[Line]) -> None:
        self.lines = lines
        self.spots = {key: _Spot(size, None) for key, size in boxes.items()}
        number = {key: at for at, key in enumerate(boxes)}
        # A line against the order of the boxes is laid as if it ran the other way.
        self.turned = [number[line.end] < number[line.start] for line in lines]
        ranks = _ranks(list(boxes), [self._ends(at) for at in range(len(lines))])
        self.layers: list[list[_Spot]] = [
            [] for _ in range(2 * max(ranks.values(), default=0) + 1)
        ]
        for key, spot in self.spots.items():
            spot.rank = 2 * ranks[key]
            self.layers[spot.rank].append(spot)
        self.chains = [self._chain(at) for at in range(len(lines))]

    def _ends(self, at: int) -> tuple[str, str]:
        line = self.lines[at]
        return (line.end, line.start) if self.turned[at] else (line.start, line.end)

    def _chain(self, at: int) -> list[_Spot]:
        """All spots of a line from above to below; its label stands beside where it starts."""
        upper, lower = (self.spots[key] for key in self._ends(at))
        labelled = lower.rank - 1 if self.turned[at] else upper.rank + 1
        chain = [upper]
        for rank in range(upper.rank + 1, lower.rank):
            size = self.lines[at].label if rank == labelled else (_LANE, 0)
            spot = _Spot(size, at, rank=rank)
            self.layers[rank].append(spot)
            chain.append(spot)
        chain.append(lower)
        for one, other in pairwise(chain):
            one.below.append(other)
            other.above.append(one)
        return chain

    # --- who stands beside whom ---

    def order(self) -> None:
        """Order each layer so that few lines cross: by the middle of neighbours, up and down."""
        self._number()
        best, least = [list(layer) for layer in self.layers], self._crossings()
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            for layer in self.layers if down else reversed(self.layers):
                layer.sort(key=lambda spot: _middle(spot.above if down else spot.below, spot))
                self._number()
            crossings = self._crossings()
            if crossings < least:
                best, least = [list(layer) for layer in self.layers], crossings
        self.layers = best
        self._number()

    def _number(self) -> None:
        for layer in self.layers:
            for number, spot in enumerate(layer):
                spot.place = (number + 0.5) / len(layer)

    def _crossings(self) -> int:
        count = 0
        for layer in self.layers:
            ends = [below.place for spot in layer for below in sorted(spot.below, key=_place)]
            count += sum(b < a for i, a in enumerate(ends) for b in ends[i + 1 :])
        return count

    # --- where exactly ---

    def align(self) -> None:
        """Move each spot as near to its neighbours as the others of its layer let it."""
        for layer in self.layers:
            edge = 0.0
            for spot in layer:
                spot.x = edge + spot.size[0] / 2
                edge += spot.size[0] + _ASIDE
        for sweep in range(_SWEEPS):
            down = sweep % 2 == 0
            last = sweep >= _SWEEPS - 4
            for layer in self.layers if down else reversed(self.layers):
                wanted = [
                    _wanted(spot, spot.above if down else spot.below, last) for spot in layer
                ]
                for spot, x in zip(layer, _apart(layer, wanted), strict=True):
                    spot.x = x
        for chain in self.chains:
            self._straighten(chain[1:-1])

    def _straighten(self, spots: Sequence[_Spot]) -> None:
        """Let a line run straight through as many layers as its neighbours leave room for."""
        run: list[_Spot] = []
        low, high = -inf, inf
        for spot in spots:
            left, right = self._room(spot)
            if run and (left > high or right < low):
                self._move(run, low, high)
                run, low, high = [], -inf, inf
            run.append(spot)
            low, high = max(low, left), min(high, right)
        self._move(run, low, high)

    @staticmethod
    def _move(run: Sequence[_Spot], low: float, high: float) -> None:
        if run:
            x = min(max(sum(spot.x for spot in run) / len(run), low), high)
            for spot in run:
                spot.x = x

    def _room(self, spot: _Spot) -> tuple[float, float]:
        """Between which places a spot may move while its neighbours stay."""
        layer = self.layers[spot.rank]
        at = layer.index(spot)
        left, right = -inf, inf
        if at:
            one = layer[at - 1]
            left = one.x + (one.size[0] + spot.size[0]) / 2 + _ASIDE
        if at + 1 < len(layer):
            one = layer[at + 1]
            right = one.x - (one.size[0] + spot.size[0]) / 2 - _ASIDE
        return min(left, spot.x), max(right, spot.x)

    def placed(self) -> Layout:
        """The sheet as a layout in whole numbers."""
        left = min(s.x - s.size[0] / 2 for layer in self.layers for s in layer)
        right = max(s.x + s.size[0] / 2 for layer in self.layers for s in layer)
        tops, y = [], 0
        for layer in self.layers:
            tops.append(y)
            y += max(spot.size[1] for spot in layer) + _BETWEEN
        bottoms = [top - _BETWEEN for top in tops[1:]] + [y - _BETWEEN]
        for rank, layer in enumerate(self.layers):
            for spot in layer:
                spot.x = round(spot.x - left)
                spot.y = (tops[rank] + bottoms[rank] - spot.size[1]) // 2
        ports = self._ports()
        return Layout(
            round(right - left),
            bottoms[-1],
            {key: (round(s.x - s.size[0] / 2), s.y) for key, s in self.spots.items()},
            tuple(self._route(at, ports, tops, bottoms) for at in range(len(self.lines))),
        )

    def _ports(self) -> dict[tuple[int, bool], int]:
        """Where each line meets its box below (`True`) and above, apart from the others."""
        found: dict[tuple[int, bool], int] = {}
        met: dict[tuple[int, bool], list[tuple[float, int]]] = {}
        for at, chain in enumerate(self.chains):
            met.setdefault((id(chain[0]), True), []).append((chain[1].x, at))
            met.setdefault((id(chain[-1]), False), []).append((chain[-2].x, at))
        for spot in self.spots.values():
            for below in (True, False):
                lines = sorted(met.get((id(spot), below), ()))
                room = spot.size[0] - 2 * _LANE
                gap = min(float(_LANE + 4), room / max(len(lines) - 1, 1))
                edge = spot.x - room / 2
                gaps = [gap] * (len(lines) - 1)
                xs = _spread([(x, 1.0) for x, _ in lines], gaps, edge, edge + room)
                for (_, at), x in zip(lines, xs, strict=True):
                    found[at, below] = round(x)
        return found

    def _route(
        self,
        at: int,
        ports: Mapping[tuple[int, bool], int],
        tops: Sequence[int],
        bottoms: Sequence[int],
    ) -> Route:
        chain = self.chains[at]
        upper, lower = chain[0], chain[-1]
        points = [(ports[at, True], upper.y + upper.size[1])]
        points.append((ports[at, True], bottoms[upper.rank]))
        label = (0, 0)
        for spot in chain[1:-1]:
            x = int(spot.x)
            points += [(x, tops[spot.rank]), (x, bottoms[spot.rank])]
            if spot.size[1]:
                label = (x, (tops[spot.rank] + bottoms[spot.rank]) // 2)
        points += [(ports[at, False], tops[lower.rank]), (ports[at, False], lower.y)]
        return Route(tuple(reversed(points)) if self.turned[at] else tuple(points), label)


def _ranks(keys: Sequence[str], ends: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The layer of each box: one below all those that lead to it."""
    leads: dict[str, list[str]] = {key: [] for key in keys}
    for upper, lower in ends:
        leads[lower].append(upper)
    ranks: dict[str, int] = {}
    for key in keys:  # lines run from earlier keys to later ones
        ranks[key] = max((ranks[other] + 1 for other in leads[key]), default=0)
    return ranks


def _place(spot: _Spot) -> float:
    return spot.place


def _middle(neighbours: Sequence[_Spot], spot: _Spot) -> float:
    if not neighbours:
        return spot.place
    return sum(one.place for one in neighbours) / len(neighbours)


def _wanted(spot: _Spot, neighbours: Sequence[_Spot], last: bool) -> tuple[float, float]:
    """Where a spot would stand, and how strongly; lines that only pass would be straight."""
    near = [*spot.above, *spot.below] if last else neighbours
    if not near:
        return spot.x, 0.2
    passes = spot.line is not None
    weights = [8.0 if passes and one.line is not None else 2.0 for one in near]
    return sum(w * one.x for w, one in zip(weights, near, strict=True)) / sum(weights), sum(
        weights
    )


def _apart(layer: Sequence[_Spot], wanted: Sequence[tuple[float, float]]) -> list[float]:
    gaps = [(a.size[0] + b.size[0]) / 2 + _ASIDE for a, b in pairwise(layer)]
    return _spread(wanted, gaps)


def _spread(
    wanted: Sequence[tuple[float, float]],
    gaps: Sequence[float],
    low: float = -inf,
    high: float = inf,
) -> list[float]:
    """The places nearest to those wanted, by weight, that keep their order, gaps and bounds.

    Least squares: neighbours that would come too near are moved together (pool adjacent violators).
    """
    offset, offsets = 0.0, [0.0]
    for gap in gaps:
        offset += gap
        offsets.append(offset)
    pools: list[list[float]] = []  # place, weight, how many
    for (x, weight), shift in zip(wanted, offsets, strict=False):
        pools.append([x - shift, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            place, weight, count = pools.pop()
            other = pools[-1]
            total = other[1] + weight
            pools[-1] = [(other[0] * other[1] + place * weight) / total, total, other[2] + count]
    high -= offset
    places = [max(low, min(pool[0], high)) for pool in pools for _ in range(int(pool[2]))]
    return [place + shift for place, shift in zip(places, offsets, strict=False)]
