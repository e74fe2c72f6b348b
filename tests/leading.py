"""Lead a case through a process by a reading of its own, day by day; and a small process of all kinds.

The reading (`Led`) is written from what `engine.process` and `engine.lifecycle` say in words. It knows
the data of a process and exact fractions (`tests.judging.Plain`), and nothing of how they compute:
it counts days one at a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from engine.load import Rulebook, load
from engine.process import Process, Transition
from engine.source import as_yaml, plain, read_file
from engine.values import Value
from tests.judging import Plain

BASE = Path(__file__).parent / "bad_rules" / "base"
ERRAND = Path(__file__).parent / "cases" / "errand.yaml"


@dataclass
class Counted:
    """A clock in days: how many were counted up to today, and whether today's is."""

    days: int
    stands: bool = False
    spent: bool = False


@dataclass
class Led:
    """A case of a process, led by hand."""

    process: Process
    stated: Mapping[str, Value]
    day: int
    stage: str = ""
    held: bool = False
    kept: dict[str, Value] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    clocks: dict[str, Counted] = field(default_factory=dict)

    @classmethod
    def opened(cls, process: Process, stated: Mapping[str, Value], day: int) -> Led:
        led = cls(process, stated, day, next(iter(process.stages)))
        for path, fact in process.keeps.items():
            value = stated.get(path)
            led.kept[path] = fact.starts if value is None else value
            if value is not None:
                led.told.add(path)
        led._enter(led.stage)
        return led

    def send(self, event: str, day: int, fields: Mapping[str, Value]) -> tuple[str, list[Any]]:
        """What an event comes to: `taken`, or why not, with the day and number of every step."""
        before = deepcopy({k: v for k, v in vars(self).items() if k not in ("process", "stated")})
        steps = self.pass_to(day)
        why = self._take(event, fields, steps)
        if why != "taken":
            vars(self).update(before)
            return why, []
        return why, steps

    def pass_to(self, day: int) -> list[Any]:
        """Let days pass. Whatever ends with a day happens before the next one dawns.

        What was over before it began to run happens at once.
        """
        steps: list[Any] = []
        while self.day < day:
            self._settle(self.day, steps)
            self.day += 1
            for count in self.clocks.values():
                count.days += not count.stands
        self._settle(day - 1, steps)
        return steps

    def _settle(self, day: int, steps: list[Any]) -> None:
        while (over := self._over(day)) is not None:
            self._lapse(over, steps)

    def last(self, id: str) -> int | None:
        """The last day of a clock that is in time."""
        clock, count = self.process.clocks[id], self.clocks[id]
        if clock.until is not None:
            until = self.kept[clock.until]
            return None if until is None else int(until)
        assert clock.days is not None
        return None if count.stands else self.day + clock.days - count.days

    def _over(self, day: int) -> str | None:
        """The clock whose last day is a day or before it, the earliest first."""
        ends = [
            (last, id) for id in self.process.clocks if (last := self._unspent(id)) is not None
        ]
        found = [(last, id) for last, id in ends if last <= day]
        return min(found, key=lambda one: one[0])[1] if found else None

    def _unspent(self, id: str) -> int | None:
        return self.last(id) if id in self.clocks and not self.clocks[id].spent else None

    def _lapse(self, clock: str, steps: list[Any]) -> None:
        self.clocks[clock].spent = True
        chosen = self._first([t for t in self._open() if t.after == clock], {})
        if isinstance(chosen, Transition) and not self._effect(chosen, {}):
            steps.append((self.day, chosen.number))

    def _take(self, event: str, fields: Mapping[str, Value], steps: list[Any]) -> str:
        if self.process.stages[self.stage].end:
            return "end"
        known = [t for t in self._open() if t.on == event]
        if not known:
            return "stage"
        told = {**{f"event.{name}": value for name, value in fields.items()}, "event.on": self.day}
        chosen = self._first(known, told)
        if not isinstance(chosen, Transition):
            return "unknown" if chosen is None else "guard"
        if self._effect(chosen, told):
            return "bounds"
        steps.append((self.day, chosen.number))
        return "taken"

    def _open(self) -> list[Transition]:
        fits = ("only", "also") if self.held else ("no", "also")
        here = [t for t in self.process.transitions if self.stage in t.stages]
        return [t for t in here if t.held in fits]

    def _first(
        self, known: list[Transition], told: Mapping[str, Value]
    ) -> Transition | bool | None:
        """The first whose guard holds; nothing where one before it is unknown."""
        for transition in known:
            holds = True if transition.when is None else self._value(transition.when, told)
            if holds is None:
                return None
            if holds:
                return transition
        return False

    def _value(self, expr: Any, told: Mapping[str, Value]) -> Any:
        counts = {f"clock.{id}": max(0, count.days) for id, count in self.clocks.items()}
        regime = self.process.regime
        known = {**self.stated, **self.kept, **told, **counts}
        dated = {
            name: [value for start, value in parameter.values if start <= self.day][-1:]
            for name, parameter in regime.parameters.items()
        }
        parameters = {name: found[0] if found else None for name, found in dated.items()}
        return Plain(self.process.vocabulary, regime, parameters, self.day, known).value(expr)

    def _effect(self, taken: Transition, told: Mapping[str, Value]) -> bool:
        """Do what a transition says, all at once; nothing where a bound would be passed."""
        if taken.refuses is not None:
            return False
        new: dict[str, Value] = {}
        for path, expr in taken.sets:
            kind, value = self.process.keeps[path].type, self._value(expr, told)
            if isinstance(value, Fraction):
                scaled = value * 10**kind.scale
                assert scaled.denominator == 1
                value = int(scaled)
                if (kind.lo is not None and value < kind.lo) or (
                    kind.hi is not None and value > kind.hi
                ):
                    return True
            new[path] = value
        self.kept |= new
        self.told |= set(new)
        if taken.to is not None:
            self.stage, self.held = taken.to, False
            self._enter(taken.to)
        if taken.hold is not None:
            self.held = taken.hold == "begin"
        self._stand()
        return False

    def _enter(self, stage: str) -> None:
        """Begin, keep or forget the clocks of a stage."""
        before = self.clocks
        self.clocks = {}
        for id, clock in self.process.clocks.items():
            if id in before and stage in clock.runs | clock.pauses:
                self.clocks[id] = before[id]
            elif stage in clock.runs:
                self.clocks[id] = Counted(self.day - self._start(clock.starts_at, before))
        self._stand()

    def _start(self, other: str | None, before: dict[str, Counted]) -> int:
        if other is None or other not in before:
            return self.day
        now, self.clocks = self.clocks, before
        last = self.last(other)
        self.clocks = now
        return self.day if last is None else last

    def _stand(self) -> None:
        for id, count in self.clocks.items():
            clock = self.process.clocks[id]
            count.stands = self.stage in clock.pauses or (self.held and clock.holdable)


_PAIR = {"en": "so", "zh": "如此"}
_HEAD = {
    "title": _PAIR,
    "summary": _PAIR,
    "sources": ["article"],
    "in_force": {"from": "2026-01-01"},
    "read_to": "2026-06-01",
    "leaves_out": [_PAIR],
}
_CITED = {"certainty": "assumed", "cite": [{"source": "article", "says": "so it is read"}]}


def worded(parts: Mapping[str, Any]) -> dict[str, Any]:
    """A process as its file has it, from one without the words that people read."""
    clocks = {id: {**clock, **_CITED} for id, clock in parts.get("clocks", {}).items()}
    transitions = [
        {
            **one,
            "says": _PAIR,
            **_CITED,
            **({"otherwise": _PAIR} if {"on", "when"} <= {*one} else {}),
        }
        for one in parts["transitions"]
    ]
    known = {path for path in parts.get("keeps", {}) if not path.startswith("case.")}
    return {
        **_HEAD,
        **parts,
        "codes": {
            name: {"codes": dict.fromkeys(codes, _PAIR)}
            for name, codes in parts.get("codes", {}).items()
        },
        "keeps": {
            path: kept if path in known else {**kept, "label": _PAIR}
            for path, kept in parts.get("keeps", {}).items()
        },
        "fields": _each(parts.get("fields"), label=_PAIR),
        "stages": _each(parts["stages"], title=_PAIR),
        "events": _each(parts["events"], title=_PAIR, by="buyer"),
        "clocks": _each(clocks, title=_PAIR, exceeded=_PAIR),
        "transitions": transitions,
        "totals": [{**total, "title": _PAIR} for total in parts.get("totals", [])],
        "figures": _each(parts.get("figures"), label=_PAIR),
    }


def _each(parts: Mapping[str, Any] | None, **words: Any) -> dict[str, Any]:
    return {name: {**words, **part} for name, part in (parts or {}).items()}


def errand() -> Any:
    """The parts of the small process, to be changed where a test needs another."""
    return plain(read_file(ERRAND, "R"))


def small_book(folder: Path, parts: Mapping[str, Any] | None = None) -> Rulebook:
    """A small folder of rules with a process, loaded."""
    shutil.copytree(BASE, folder, dirs_exist_ok=True)
    text = as_yaml(worded(errand() if parts is None else parts))
    (folder / "chips" / "process.yaml").write_text(text, encoding="utf-8")
    return load(folder)
