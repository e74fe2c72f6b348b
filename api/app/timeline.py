"""A case on a scale of days: events as marks, stages and clocks as bars, holds, the day it is told.

Only places are computed here; the template draws them, and the style sheet gives colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.app.case_telling import Telling, number_of
from api.letters import width
from engine.words import Lang

WIDTH, SIZE = 920, 12
"""Width of the picture, size of its letters."""
_EDGE, _MARK, _BAR, _ROW, _HEAD = 14, 18, 11, 36, 30
_STEPS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_MOST_TICKS = 9
_SHORT = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """Part of a row: `stage`, `counts`, `stands`, `left` (days to come) or `over`."""

    x: int
    width: int
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """A stage or a run of a clock: what is said of it above its bars."""

    kind: str
    label: str
    label_x: int
    y: int
    bars: tuple[Bar, ...]
    last: int | None
    """Where the last day stands, if it has one."""
    here: bool

    @property
    def bar_y(self) -> int:
        """The upper edge of the bars."""
        return self.y + _ROW - _BAR - 6


@dataclass(frozen=True, slots=True)
class Mark:
    """An event, or the end of a clock, by its number in the history."""

    x: int
    y: int
    text: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A day on the scale."""

    x: int
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Places on a sheet of `WIDTH` by `height`."""

    height: int
    axis: int
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...]
    holds: tuple[Bar, ...]
    now: int
    now_text: str
    now_x: int
    """Where the words for the day begin."""
    bar: int = _BAR


def reach(told: Json) -> tuple[int, int]:
    """The first and last day that a picture of a case has to show."""
    days = [number_of(told["as_of"])]
    days += [last for one in told["spans"]["clocks"] if (last := _last_day(one)) is not None]
    return number_of(told["opened_on"]), max(days)


def _last_day(clock: Json) -> int | None:
    """The last day of a clock; none where it ended before."""
    if clock["last"] is None:
        return None
    gone = clock["until"] is not None and clock["until"] < clock["last"]
    return None if gone else number_of(clock["last"])


def timeline(told: Json, lang: Lang, shown: tuple[int, int] | None = None) -> Timeline:
    """Lay out a case as `engine.case_told` gives it; on the days that are to be `shown`."""
    return _Sheet(told, lang, shown or reach(told)).laid_out()


class _Sheet:
    """The scale of one picture, and what is placed on it."""

    def __init__(self, told: Json, lang: Lang, shown: tuple[int, int]) -> None:
        self.told, self.lang, self.tell = told, lang, Telling(lang)
        self.first, last = shown
        self.days = max(last - self.first, 6)
        self.as_of = number_of(told["as_of"])

    def x(self, day: int) -> int:
        """Where a day stands."""
        return _EDGE + (day - self.first) * (WIDTH - 2 * _EDGE) // self.days

    def _span(self, start: str, until: str | None, kind: str) -> Bar:
        x = self.x(number_of(start))
        end = self.x(self.as_of if until is None else number_of(until))
        return Bar(x, max(end - x, 3), kind)

    def laid_out(self) -> Timeline:
        marks = list(self._marks())
        top = _HEAD + max((mark.y for mark in marks), default=0) + _MARK
        marks = [Mark(m.x, m.y + _HEAD, m.text, m.kind, m.label) for m in marks]
        rows = []
        for row in self._rows():
            rows.append(Row(row.kind, row.label, row.label_x, top, row.bars, row.last, row.here))
            top += _ROW
        now = self.x(self.as_of)
        words = {"en": f"as of {self.tell.on(self.told['as_of'])}"}
        words["zh"] = f"截至{self.tell.on(self.told['as_of'])}"
        return Timeline(
            top + 34,
            top + 8,
            tuple(self._ticks()),
            tuple(rows),
            tuple(marks),
            tuple(self._span(h["from"], h["until"], "hold") for h in self.told["spans"]["holds"]),
            now,
            words[self.lang],
            self._fits(words[self.lang], now - 4, 1.2),
        )

    def _fits(self, text: str, x: int, weight: float = 1.0) -> int:
        """Where a text begins so that it stays on the sheet; one of more weight is wider."""
        return max(_EDGE, min(x, int(WIDTH - _EDGE - width(text) * SIZE * weight)))

    # --- what happened ---

    def _marks(self) -> Iterator[Mark]:
        ends: list[int] = []
        for row in self.told["history"]:
            x = self.x(number_of(row["on"]))
            lane = next((n for n, end in enumerate(ends) if end <= x), len(ends))
            ends[lane:] = [x + _MARK + 2, *ends[lane + 1 :]]
            kind = "refused" if row["refused"] else "lapse" if row["clock"] else "event"
            text = str(row["number"]) if row["number"] is not None else ""
            label = f"{self.tell.on(row['on'])}{self.tell.colon}{row['title'][self.lang]}"
            yield Mark(x, lane * (_MARK + 2) + _MARK // 2, text, kind, label)

    # --- stages and clocks ---

    def _rows(self) -> Iterator[Row]:
        for one in self.told["spans"]["stages"]:
            bar = self._span(one["from"], one["until"], "stage")
            when = self.tell.between(one["from"], one["until"])
            label = f"{one['title'][self.lang]}{self.tell.colon}{when}"
            yield self._row("stage", label, (bar,), None, one["until"] is None)
        for one in self.told["spans"]["clocks"]:
            label = f"{one['title'][self.lang]}{self.tell.colon}"
            label += self.tell.run(one, self.told["as_of"])
            last = _last_day(one)
            flag = None if last is None else self.x(last)
            yield self._row("clock", label, tuple(self._bars(one)), flag, one["until"] is None)

    def _row(
        self, kind: str, label: str, bars: tuple[Bar, ...], last: int | None, here: bool
    ) -> Row:
        return Row(
            kind, label, self._fits(label, bars[0].x if bars else _EDGE), 0, bars, last, here
        )

    def _bars(self, clock: Json) -> Iterator[Bar]:
        """Days counted, days that stood, days to come, and days over the last one."""
        last = number_of(clock["last"]) if clock["last"] else None
        end = self.as_of if clock["until"] is None else number_of(clock["until"])
        at = number_of(clock["from"])
        for piece in clock["counting"]:
            start = number_of(piece["from"])
            until = end if piece["until"] is None else number_of(piece["until"])
            yield from self._piece(at, start, "stands")
            over = until if last is None else min(max(last, start), until)
            yield from self._piece(start, over, "counts")
            yield from self._piece(over, until, "over")
            at = until
        yield from self._piece(at, end, "stands")
        if last is not None and clock["until"] is None:
            yield from self._piece(max(end, at), last, "left")

    def _piece(self, start: int, until: int, kind: str) -> Iterator[Bar]:
        if until > start:
            x = self.x(start)
            yield Bar(x, max(self.x(until) - x, 2), kind)

    # --- the scale ---

    def _ticks(self) -> Iterator[Tick]:
        beyond = year = 0
        for day in self._tick_days():
            when = date.fromordinal(day)
            text, x = self._short(when, when.year != year), self.x(day)
            if x >= beyond and x + width(text) * SIZE < WIDTH:
                yield Tick(x, text)
                beyond, year = x + int(width(text) * SIZE) + 10, when.year

    def _tick_days(self) -> Iterator[int]:
        last = self.first + self.days
        for step in _STEPS:
            if self.days // step <= _MOST_TICKS:
                yield from range(self.first, last + 1, step)
                return
        yield self.first
        begun = date.fromordinal(self.first)
        months = self.days // 30
        step = next((s for s in _MONTHS if months // s <= _MOST_TICKS), _MONTHS[-1])
        month = begun.year * 12 + begun.month
        while True:
            year, rest = divmod(month, 12)
            if year > 9998 or (day := date(year, rest + 1, 1).toordinal()) > last:
                return
            if day > self.first:
                yield day
            month += step

    def _short(self, when: date, year: bool) -> str:
        if self.lang == "zh":
            return (f"{when.year}年" if year else "") + f"{when.month}月{when.day}日"
        return f"{when.day} {_SHORT[when.month - 1]}" + (f" {when.year}" if year else "")
