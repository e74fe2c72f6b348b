"""Draw processes as pages that people read at a terminal: stages and what leads on, clocks, totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Column
from rich.text import Text

from api.headings import WORDS, what_is_written
from api.paging import Pager, section
from api.prose import Indented, Prose, bullet, plain_table, prose
from engine.backends.text import amount_in_words, in_words
from engine.case_told import text_of
from engine.ir import Citation, Constant, Expr, Fact, Pair
from engine.parse_vocabulary import CitedSource
from engine.printing import print_expr
from engine.process import Clock, Event, Process, Stage, Transition
from engine.words import CERTAINTY, HELD_BY, days, in_lang, listed

PROCESS = "process"
"""What stands behind the id of a process whose rule set has the same id."""

_WORDS = {
    "stages": Pair("Stages, and what leads on", "各阶段及其去向"),
    "and": Pair("• also: ", "• 另有："),
    "leads on": Pair("What leads on", "去向"),
    "leads here": Pair("What leads here", "来自"),
    "begins": Pair("cases begin here", "个案自此开始"),
    "end": Pair("end", "终结"),
    "stays": Pair("the stage stays the same", "阶段不变"),
    "refused": Pair("refused, put on record", "不予办理，记录在案"),
    "over": Pair("Time is over: ", "期限届满："),
    "begin": Pair("begins a hold", "开始暂停处理"),
    "resume": Pair("ends a hold", "恢复处理"),
    "also": Pair("also while held", "暂停处理期间亦可"),
    "only": Pair("only while held", "仅限暂停处理期间"),
    "by": Pair("By: ", "由谁作出："),
    "tells": Pair("; tells: ", "；填写："),
    "optional": Pair(" (optional)", "（可不填）"),
    "ledger": Pair(" (from the customer's book)", "（取自客户台账）"),
    "if": Pair("If:", "前提："),
    "otherwise": Pair("Otherwise: ", "否则："),
    "rule": Pair("Rule: ", "所依规则："),
    "sets": Pair("Establishes: ", "确定："),
    "unknown": Pair("unknown", "未知"),
    "clocks": Pair("Clocks", "期限"),
    "calendar": Pair(
        "Calendar days. The last day is still in time; what follows from the end of a clock happens "
        "once a later day is known.",
        "均按日历日计算。最后一日仍在期限之内；期限届满的后果自次日起显现。",
    ),
    "until": Pair("until the ", "至"),
    "counts": Pair("Counts in: ", "计入的阶段："),
    "stands": Pair("Stands in: ", "暂停计算的阶段："),
    "starts": Pair("Starts on the last day of: ", "起算日为以下期限的最后一日："),
    "holdable": Pair("A hold stops it.", "暂停处理期间不计。"),
    "not holdable": Pair("A hold does not stop it.", "暂停处理期间照计。"),
    "exceeded": Pair("When the time is over: ", "期限届满："),
    "led by": Pair("What its end does", "届满的效果"),
    "totals": Pair("Sums that are checked", "经核对的合计"),
    "fields": Pair("What events tell", "事件所填内容"),
    "codes": Pair("Codes", "代码"),
    "keeps": Pair("What the events of a case say", "由个案事件录入的事实"),
    "starts with": Pair("starts with", "初始值"),
    "stated": Pair("may be stated when a case is opened", "开立个案时可填"),
    "figures": Pair("What is told of a case", "个案所示数额"),
    "at stake": Pair("at stake", "风险敞口"),
    "judged": Pair("findings", "逐项判断"),
    "by rules": Pair("at every stage, by the rule set ", "各阶段均按以下规则集判断："),
    "by none": Pair("none: this process has no rule set of its own", "无：本流程没有对应的规则集"),
    "book": Pair("book", "台账"),
    "booked": Pair(
        "chips reserved, licensed, shipped and returned are counted per customer's group",
        "按客户集团记录预留、许可证项下、已发运和退回的数量",
    ),
    "cap": Pair("; cap: ", "；上限："),
    "also cited": Pair("Its steps also cite: ", "各步骤另引："),
}
_FEW = 3
"""From more stages than that a step is told in short, in the list of all stages."""
_Trigger = tuple[str | None, str | None]


def parts_of(process: Process) -> list[str]:
    """The names under which parts of a process have pages of their own."""
    return [*process.stages, *process.clocks]


def cited_in(process: Process) -> Iterator[tuple[Citation, ...]]:
    """What each step and each clock of a process cites."""
    yield from (one.cite for one in process.transitions)
    yield from (clock.cite for clock in process.clocks.values())


@dataclass(frozen=True, slots=True)
class ProcessPager(Pager):
    """Makes the pages of processes; `verbose` unfolds what each step asks, sets and rests on."""

    verbose: bool = False

    def named(self, name: str) -> list[RenderableType] | None:
        """The page of a process, or of one of its stages or clocks."""
        processes = self.rulebook.processes
        home, _, short = name.partition("/")
        process = processes.get(home)
        if process is None:
            return None
        if not short or short == PROCESS:
            return self.process(process)
        if short in process.stages:
            return self.stage(process, process.stages[short])
        return self.clock(process, process.clocks[short]) if short in process.clocks else None

    def processes(self) -> list[RenderableType]:
        """Every process in short."""
        page: list[RenderableType] = []
        for of in self.rulebook.processes.values():
            count = len(of.stages), len(of.clocks)
            parts = (
                f"{count[0]} stages, {count[1]} clock{'' if count[1] == 1 else 's'}"
                if self.lang == "en"
                else f"{count[0]}个阶段、{count[1]}个期限"
            )
            facts = (parts, self.period(of.in_force), self.read_to(of.read_to))
            name = f"{of.id}/{PROCESS}" if of.judged else of.id
            page += [Text("")] if page else []
            page += self.in_a_list(name, of.title, facts, of.summary)
        return section(in_lang(WORDS["processes"], self.lang), page)

    def citing(self, source: CitedSource) -> list[RenderableType]:
        """The processes that cite a source, and at which places."""
        lines: list[RenderableType] = []
        for of in self.rulebook.processes.values():
            cited = [c for cite in cited_in(of) for c in cite if c.source == source.id]
            if not cited and source.id not in {named.id for named in of.sources}:
                continue
            at = "; ".join(sorted({c.at for c in cited if c.at}))
            name = f"{of.id}/{PROCESS}" if of.judged else of.id
            lines.append(bullet((name, "cyan"), f"  {self.say(of.title)}", (f"  {at}", "dim")))
        return lines

    # --- a process ---

    def process(self, of: Process) -> list[RenderableType]:
        """The whole of a process."""
        page = self._head(of, of.title, of.id)
        judged = self._w("by rules") + of.regime.id if of.judged else self._w("by none")
        rows = [
            (self.word("in force"), self.period(of.in_force)),
            (self.word("read to"), self.date(of.read_to)),
            (self._w("judged"), judged),
        ]
        if of.ledger:
            rows.append((self._w("book"), self._w("booked") + self._cap(of)))
        page += [Text(""), prose(self.say(of.summary), indent=0), Text(""), self.pairs(rows)]
        lines: list[RenderableType] = []
        for stage in of.stages.values():
            lines += [*([Text("")] if lines and not stage.end else []), *self._stage(of, stage)]
        page += section(self._w("stages"), lines)
        clocks: list[RenderableType] = [prose(self._w("calendar"), "dim")] if of.clocks else []
        for clock in of.clocks.values():
            clocks += [Text(""), *self._clock(of, clock)]
        page += section(self._w("clocks"), clocks)
        page += section(self._w("totals"), self._totals(of))
        page += section(self._w("fields"), self._fields(of))
        page += section(self._w("codes"), self._codes(of))
        page += section(self._w("keeps"), self._keeps(of))
        page += section(self._w("figures"), self._figures(of))
        leaves_out = [bullet(self.say(pair)) for pair in of.leaves_out]
        page += section(self.word("leaves_out"), leaves_out)
        every = [citation for cite in cited_in(of) for citation in cite]
        sources = self.rests_on(of.sources, every, self._w("also cited"))
        return page + section(self.word("sources"), sources)

    def stage(self, of: Process, stage: Stage) -> list[RenderableType]:
        """One stage: what leads on with its sources, what leads here, and the clocks that count."""
        page = [
            *self._head(of, stage.title, f"{of.id}/{stage.id}"),
            prose(self.say(of.title), "dim", 0),
            *self._tags(of, stage, 0),
        ]
        lines: list[RenderableType] = []
        for one in of.transitions:
            if stage.id in one.stages:
                lines += [*([Text("")] if lines else []), *self._step(of, one, whole=True)]
        page += section(self._w("leads on"), lines)
        into = [one for one in of.transitions if one.to == stage.id]
        page += section(self._w("leads here"), [*self._grouped(of, into, backwards=True)])
        clocks = [c for c in of.clocks.values() if stage.id in c.runs | c.pauses]
        told = [line for clock in clocks for line in (Text(""), *self._clock(of, clock))][1:]
        return page + section(self._w("clocks"), told)

    def clock(self, of: Process, clock: Clock) -> list[RenderableType]:
        """One clock with its sources, and what its end does."""
        page = [
            *self._head(of, clock.title, f"{of.id}/{clock.id}"),
            prose(self.say(of.title), "dim", 0),
            Text(""),
            *self._clock(of, clock)[1:],
        ]
        lines: list[RenderableType] = []
        for one in of.transitions:
            if one.after == clock.id:
                lines += [*([Text("")] if lines else []), *self._step(of, one, whole=True)]
        page += section(self._w("led by"), lines)
        return page + section(self.word("cite"), self.citations(clock.cite))

    def _cap(self, of: Process) -> str:
        """What one customer's book may hold on the day of the page."""
        found = of.regime.parameters[of.cap].on(self.day) if of.cap else None
        if found is None or of.cap is None:
            return ""
        type = of.regime.parameters[of.cap].type
        return self._w("cap") + amount_in_words(found[1], type, of.vocabulary, self.lang)

    def _w(self, name: str) -> str:
        return self.say(_WORDS[name])

    def _head(self, of: Process, title: Pair, name: str) -> list[RenderableType]:
        return [Prose(Text(self.say(title), "bold")), Text(name, "cyan")]

    # --- stages and steps ---

    def _stage(self, of: Process, stage: Stage) -> list[RenderableType]:
        mark = self.aside(self._w("begins")) if stage.id == of.start else ""
        mark = self.aside(self._w("end")) if stage.end else mark
        head = Text.assemble(
            (stage.id, "cyan"), "  ", (self.say(stage.title), "bold"), (mark, "dim")
        )
        lines: list[RenderableType] = [Prose(head, 2, 2), *self._tags(of, stage, 4)]
        steps = [one for one in of.transitions if stage.id in one.stages]
        if self.verbose:
            return [*lines, *(line for one in steps for line in self._step(of, one))]
        # What starts in many stages would hide what a stage is for.
        wide = [one for one in steps if len(one.stages) > _FEW]
        lines += self._grouped(of, [one for one in steps if one not in wide])
        told = ", ".join(dict.fromkeys(one.on or one.after or "" for one in wide))
        return [*lines, *([prose(self._w("and") + told, "dim", 4, 2)] if wide else [])]

    def _tags(self, of: Process, stage: Stage, indent: int) -> list[RenderableType]:
        """The clocks that count in a stage."""
        running = [c for c in of.clocks.values() if stage.id in c.runs]
        told = listed([f"{self.say(c.title)} ({self._limit(of, c)})" for c in running], "en")
        if self.lang == "zh":
            told = "；".join(f"{self.say(c.title)}（{self._limit(of, c)}）" for c in running)
        lead = f"{self._w('clocks')}: " if self.lang == "en" else f"{self._w('clocks')}："
        return [prose(lead + told, "dim", indent)] if running else []

    def _grouped(
        self, of: Process, steps: Sequence[Transition], backwards: bool = False
    ) -> Iterator[RenderableType]:
        """Steps of one event, or of one clock, in one line each."""
        by: dict[_Trigger, list[Transition]] = {}
        for one in steps:
            by.setdefault((one.on, one.after), []).append(one)
        for some in by.values():
            if backwards:
                starts = dict.fromkeys(id for one in some for id in one.stages)
                where = ", ".join(starts)
                yield bullet(*self._trigger(of, some[0]), (f" ← {where}", "dim"), indent=2)
            else:
                ends = dict.fromkeys(self._end(of, one) for one in some)
                where = (" / " if self.lang == "en" else "／").join(ends)
                yield bullet(*self._trigger(of, some[0]), f" → {where}", indent=4)

    def _trigger(self, of: Process, one: Transition) -> list[str | tuple[str, str]]:
        if one.after is not None:
            return [
                self._w("over"),
                self.say(of.clocks[one.after].title),
                (f"  {one.after}", "dim"),
            ]
        return [self.say(of.events[one.on or ""].title), (f"  {one.on}", "dim")]

    def _end(self, of: Process, one: Transition) -> str:
        if one.refuses is not None:
            return self._w("refused")
        told = self.say(of.stages[one.to].title) if one.to else self._w("stays")
        hold = {"begin": "begin", "end": "resume", None: ""}[one.hold]
        return told + (self.aside(self._w(hold)) if hold else "")

    def _step(self, of: Process, one: Transition, whole: bool = False) -> list[RenderableType]:
        """One step with what it asks, what it sets and how sure it is; `whole`, with its sources."""
        held = "" if one.held == "no" or one.hold == "end" else self.aside(self._w(one.held))
        head = bullet(
            *self._trigger(of, one), f" → {self._end(of, one)}", (held, "yellow"), indent=2
        )
        lines: list[RenderableType] = [head, prose(self.say(one.says), indent=4)]
        if one.on is not None:
            lines.append(prose(self._sender(of, of.events[one.on]), "dim", 4))
        if one.when is not None:
            lines.append(prose(self._w("if"), "italic", 4))
            lines += self.condition(of.regime, of.vocabulary, one.when, 6)
        if one.otherwise is not None:
            lines.append(prose(self._w("otherwise") + self.say(one.otherwise), indent=4))
        if one.refuses is not None:
            titles = {rule.id: self.say(rule.title) for rule in of.regime.rules}
            told = f"{titles[one.refuses]}{self.aside(f'{of.regime.id}/{one.refuses}')}"
            lines.append(prose(self._w("rule") + told, indent=4))
        if one.sets:
            sets = [f"{self.say(of.keeps[p].label)} = {self._set(of, p, e)}" for p, e in one.sets]
            told = ("; " if self.lang == "en" else "；").join(sets)
            lines.append(prose(self._w("sets") + told, "dim", 4))
        lines.append(self._sure(one.certainty, one.cite, 4))
        if whole or self.verbose:
            lines += self.citations(one.cite, 6)
        return lines

    def _sender(self, of: Process, event: Event) -> str:
        told = self._w("by") + self.say(HELD_BY[event.by])
        fields = [
            f"{field.name}{self._w('optional') if field.name in event.optional else ''}"
            f"{self._w('ledger') if field.supplied else ''}"
            for field in event.fields
        ]
        joined = (", " if self.lang == "en" else "、").join(fields)
        return told + (self._w("tells") + joined if fields else "")

    def _set(self, of: Process, path: str, expr: Expr) -> str:
        if isinstance(expr, Constant):
            told = text_of(of.vocabulary, expr.value, of.keeps[path].type)
            return told[self.lang] if told else self._w("unknown")
        return in_words(expr, of.regime, of.vocabulary, self.lang)

    def _sure(self, certainty: str, cite: Sequence[Citation], indent: int) -> Prose:
        """How sure something is, and where it stands: the first source of several."""
        first = cite[0]
        where = f"{first.source} {first.at or ''}".strip()
        more = f" + {len(cite) - 1}" if len(cite) > 1 else ""
        return prose(f"{self.say(CERTAINTY[certainty])} · {where}{more}", "dim", indent)

    # --- clocks ---

    def _limit(self, of: Process, clock: Clock) -> str:
        if clock.days is not None:
            return days(clock.days, self.lang)
        return self._w("until") + self.say(of.keeps[clock.until or ""].label)

    def _clock(self, of: Process, clock: Clock) -> list[RenderableType]:
        limit = f"  {self._limit(of, clock)}"
        title = (self.say(clock.title), "bold")
        lines: list[RenderableType] = [
            Prose(Text.assemble((clock.id, "cyan"), "  ", title, (limit, "bold")), 2, 2)
        ]
        facts = [self._w("counts") + self._stages(of, clock.runs)]
        facts += [self._w("stands") + self._stages(of, clock.pauses)] if clock.pauses else []
        other = of.clocks[clock.starts_at] if clock.starts_at else None
        facts += [self._w("starts") + self.say(other.title)] if other else []
        lines += [prose(fact, indent=4) for fact in facts]
        lines.append(prose(self._w("holdable" if clock.holdable else "not holdable"), indent=4))
        lines.append(prose(self._w("exceeded") + self.say(clock.exceeded), indent=4))
        lines.append(self._sure(clock.certainty, clock.cite, 4))
        return [*lines, *(self.citations(clock.cite, 6) if self.verbose else ())]

    def _stages(self, of: Process, some: frozenset[str]) -> str:
        titles = [self.say(stage.title) for stage in of.stages.values() if stage.id in some]
        if self.lang == "zh":
            return "、".join(f"“{title}”" for title in titles)
        return "; ".join(titles)

    def _totals(self, of: Process) -> list[RenderableType]:
        lines: list[RenderableType] = []
        for total in of.totals:
            parts = [of.clocks[id] for id in total.parts]
            equals = of.clocks[total.equals]
            lines.append(Prose(Text(self.say(total.title), "bold"), 2, 2))
            table = plain_table(Column(), Column(justify="right", no_wrap=True))
            for clock in parts:
                table.add_row(Prose(Text(self.say(clock.title))), str(clock.days))
            table.add_row(Text(self.say(equals.title), "bold"), Text(str(equals.days), "bold"))
            lines.append(Indented(table))
            told = " + ".join(str(clock.days) for clock in parts)
            lines.append(prose(f"{told} = {self._limit(of, equals)}", "dim"))
        return lines

    # --- what is told ---

    def _fields(self, of: Process) -> list[RenderableType]:
        """Each field of events with what is written for it."""
        fields = {field.name: field for event in of.events.values() for field in event.fields}
        if not fields:
            return []
        table = plain_table(
            Column(self.word("fact"), min_width=max(cell_len(name) for name in fields)),
            Column(self.word("type")),
        )
        for field in fields.values():
            told = what_is_written(of.vocabulary.facts[field.path], of.vocabulary, self.lang)
            told += self._w("ledger") if field.supplied else ""
            table.add_row(self.cell(field.name, field.label), Prose(Text(told)))
        return [Indented(table)]

    def _keeps(self, of: Process) -> list[RenderableType]:
        if not of.keeps:
            return []
        table = plain_table(
            Column(self.word("fact"), min_width=max(cell_len(path) for path in of.keeps)),
            Column(self._w("starts with"), max_width=28),
        )
        for path, kept in of.keeps.items():
            starts = text_of(of.vocabulary, kept.starts, kept.type)
            told = starts[self.lang] if starts else self._w("unknown")
            told += self.aside(self._w("stated")) if kept.stated else ""
            table.add_row(self.cell(path, kept.label), Prose(Text(told)))
        return [Indented(table)]

    def _figures(self, of: Process) -> list[RenderableType]:
        lines: list[RenderableType] = []
        for name, figure in of.figures.items():
            quantity = figure.quantity
            stake = self.aside(self._w("at stake")) if figure.exposure else ""
            means = ": " if self.lang == "en" else "："
            told = ""
            # A fact by itself says the same as its label.
            if not isinstance(quantity.value, Fact | Constant):
                told = means + in_words(quantity.value, of.regime, of.vocabulary, self.lang)
            label = self.say(quantity.label)
            line = Text.assemble((f"{name}  ", "cyan"), label, (stake, "dim"), told)
            lines += [Prose(line, 2, 2), prose(print_expr(quantity.value), "dim", 4)]
        return lines

    def _codes(self, of: Process) -> list[RenderableType]:
        """The code lists that only this process has, since no page of a fact shows them."""
        own = [id for id in of.vocabulary.lists if id not in self.rulebook.vocabulary.lists]
        lines: list[RenderableType] = []
        for id in own:
            rows = [(c.code, self.say(c.label)) for c in of.vocabulary.lists[id].codes.values()]
            lines += [*([Text("")] if lines else []), Text(f"  {id}", "cyan"), self.pairs(rows)]
        return lines
