"""How the pages of cases word what a case tells: days counted, last days, spans, who sent what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.diagnostics import Diagnostic
from engine.ir import Pair
from engine.process import Process
from engine.words import CERTAINTY, GRADE, HELD_BY, KIND, STATUS, Lang, in_lang
from engine.words import day as day_in_words
from engine.words import days as days_in_words

Json = Mapping[str, Any]

COUNTS = {
    "opening": Pair("before this book", "建账前累计"),
    "reserved": Pair("reserved, no licence yet", "已预留（尚无许可证）"),
    "licensed": Pair("under licence, not shipped", "许可证项下未发运"),
    "shipped": Pair("shipped", "已发运"),
    "returned": Pair("of these returned", "其中已退回"),
}
"""What a book counts, as people read it."""
WORDS = {
    "certainty": CERTAINTY,
    "grade": GRADE,
    "kind": KIND,
    "status": STATUS,
    "counts": COUNTS,
    "held_by": HELD_BY,
}
_NEXT = re.compile("目前可能的事件：[^。]*。")
"""What stands on the page beside the fault."""
_COMPARED = re.compile(
    r" \((-?[0-9]+(?:\.[0-9]+)?) ([<>]=?) (-?[0-9]+(?:\.[0-9]+)?) does not hold\)"
)
_UNLIKE = {
    "<=": Pair("is more than", "大于"),
    "<": Pair("is not less than", "不小于"),
    ">=": Pair("is less than", "小于"),
    ">": Pair("is not more than", "不大于"),
}
"""How two numbers stand to each other where a comparison does not hold."""
_CODE = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+)*)`")


def number_of(iso: str) -> int:
    """A date of JSON as the number of its day."""
    return date.fromisoformat(iso).toordinal()


@dataclass(frozen=True, slots=True)
class Telling:
    """Words for a case in the reader's language."""

    lang: Lang

    def on(self, iso: str) -> str:
        """A date."""
        return day_in_words(number_of(iso), self.lang)

    def at(self, moment: str) -> str:
        """A moment of JSON, in UTC to the minute."""
        blank = " " if self.lang == "en" else ""
        return f"{self.on(moment[:10])}{blank}{moment[11:16]} UTC"

    def between(self, start: str, until: str | None) -> str:
        """A span of days: both ends, or since when it lasts."""
        if until is None:
            return f"since {self.on(start)}" if self.lang == "en" else f"自{self.on(start)}起"
        if start == until:
            return self.on(start)
        if self.lang == "en":
            return f"{self.on(start)} to {self.on(until)}"
        return f"{self.on(start)}至{self.on(until)}"

    def count(self, clock: Json) -> str:
        """How far a clock has counted: `day 12 of 30`."""
        counted, limit = clock["counted"], clock["days"]
        if counted < 0:
            when = self.on(clock.get("since") or clock["from"])
            return f"starts on {when}" if self.lang == "en" else f"{when}起算"
        if limit is not None and counted > limit:
            return days_in_words(limit, self.lang)
        if self.lang == "en":
            return f"day {counted}" + (f" of {limit}" if limit is not None else "")
        return f"第{counted}天" + (f"，共{limit}天" if limit is not None else "")

    def left(self, clock: Json, as_of: str) -> str:
        """What is left of a deadline on a day, or since when it is over."""
        en = self.lang == "en"
        if clock["last"] is None:
            return "standing still" if en else "暂停计算"
        gap = number_of(clock["last"]) - number_of(as_of)
        last = self.on(clock["last"])
        if gap < 0:
            gone = days_in_words(-gap, self.lang)
            return f"over since {last}, {gone} ago" if en else f"已于{last}届满，逾{gone}"
        if gap == 0:
            return f"runs out with this day, {last}" if en else f"当日届满（{last}）"
        if en:
            return f"last day {last}, {days_in_words(gap, 'en')} left"
        return f"{last}届满，尚余{days_in_words(gap, 'zh')}"

    def run(self, clock: Json, as_of: str) -> str:
        """A run of a clock in one line, over or not."""
        told = self.count(clock)
        if clock["until"] is not None:
            ended = self.on(clock["until"])
            if clock["last"] is not None and clock["last"] < clock["until"]:
                last = self.on(clock["last"])
                told += f", over since {last}" if self.lang == "en" else f"，已于{last}届满"
            return f"{told}, ended on {ended}" if self.lang == "en" else f"{told}，于{ended}止"
        joint = ", " if self.lang == "en" else "；"
        stands = not clock["counting"] or clock["counting"][-1]["until"] is not None
        shown = {**clock, "last": None} if stands and clock["days"] is not None else clock
        return f"{told}{joint}{self.left(shown, as_of)}"

    def fields(self, row: Json) -> str:
        """What an event said, in one line."""
        told = [
            f"{f['label'][self.lang]}{self.colon}{f['text'][self.lang]}" for f in row["fields"]
        ]
        return ("; " if self.lang == "en" else "；").join(told)

    @property
    def colon(self) -> str:
        """What stands between a label and its value."""
        return ": " if self.lang == "en" else "："

    def who(self, by: str | None) -> str:
        """Who sends a kind of event; nobody sends the end of a clock."""
        if by is None:
            return "passing of time" if self.lang == "en" else "期限届满"
        return in_lang(HELD_BY[by], self.lang)

    def judges(self, judged_by: Sequence[str]) -> str:
        """Who judged: one evaluator, or two that agree."""
        if len(judged_by) > 1:
            told = Pair("judged by two evaluators, which agree", "两套判定程序分别判定，结果一致")
        else:
            told = Pair("judged by one evaluator", "由一套判定程序判定")
        return in_lang(told, self.lang)

    def papers(self, citations: Sequence[Json]) -> list[str]:
        """Who is cited, and where: each paper once."""
        joint = ", " if self.lang == "en" else "，"
        told = [
            joint.join([one["publisher"][self.lang], *([one["at"]] if "at" in one else [])])
            for one in citations
        ]
        return list(dict.fromkeys(told))

    def fault(self, fault: Diagnostic, process: Process) -> str:
        """A fault of an event in an officer's words: stages and events by their titles."""
        compared = _COMPARED.search(fault.message)
        if self.lang == "zh" and fault.zh:
            told = _NEXT.sub("", fault.zh).replace("`", "")
            return told.rstrip("。") + f"（{self._sides(compared)}）。" if compared else told
        names = {id: stage.title for id, stage in process.stages.items()}
        names |= {id: event.title for id, event in process.events.items()}

        def titled(found: re.Match[str]) -> str:
            title = names.get(found[1])
            return f"“{in_lang(title, self.lang)}”" if title else found[1]

        told = _COMPARED.sub(lambda found: f" ({self._sides(found)})", fault.message)
        told = _CODE.sub(titled, told).replace("`", "")
        return told[:1].upper() + told[1:] + ("" if told.endswith(".") else ".")

    def _sides(self, found: re.Match[str]) -> str:
        """The two numbers of a comparison that does not hold: `80,000 is more than 75,000`."""
        left, right = (_grouped(found[1]), _grouped(found[3]))
        relation = in_lang(_UNLIKE[found[2]], self.lang)
        return f"{left} {relation} {right}" if self.lang == "en" else f"{left}{relation}{right}"


def _grouped(number: str) -> str:
    whole, dot, rest = number.partition(".")
    return f"{int(whole):,}{dot}{rest}"


def soonest(deadlines: Iterable[Json]) -> list[Json]:
    """Deadlines as they fall due; those that stand still last."""
    return sorted(deadlines, key=lambda one: one["last"] or "9999")


def passed_stages(told: Json) -> list[str]:
    """The stages that a case has left behind."""
    here = told["stage"]["id"]
    return [id for id in dict.fromkeys(s["stage"] for s in told["spans"]["stages"]) if id != here]
