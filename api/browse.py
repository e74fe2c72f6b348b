"""Draw rule sets, rules, sources and facts as pages that people read at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import typer
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.rule import Rule as Line
from rich.table import Column
from rich.text import Text

from api.browse_process import PROCESS, ProcessPager, cited_in, parts_of
from api.headings import COLOUR, LANGUAGE, MARK, WORDS, what_is_written
from api.paging import Pager, section
from api.prose import Indented, Prose, address, bullet, plain_table, prose
from engine.backends.text import amount_in_words, in_words
from engine.diagnostics import nearest, shown
from engine.ir import Expr, Member, Note, Regime, Rule, Settled, walk
from engine.load import Rulebook
from engine.names import uses
from engine.parse_vocabulary import CitedSource
from engine.printing import print_expr
from engine.vocabulary import FactDefinition
from engine.words import CERTAINTY, DUE, HELD_BY, KIND, STATUS, Lang, in_lang


def _section(name: str, parts: Sequence[RenderableType], lang: Lang) -> list[RenderableType]:
    return section(in_lang(WORDS[name], lang), parts)


# --- pages ---


def browse(
    console: Console,
    rulebook: Rulebook,
    name: str | None,
    facts: bool,
    sources: bool,
    day: int,
    langs: Sequence[Lang],
    verbose: bool = False,
) -> int:
    """Print the page of a name, or a list; 1 and the nearest name for an unknown one.

    `verbose` unfolds what every step of a process asks, sets and rests on.
    """
    pages: list[RenderableType] = []
    for lang in langs:
        pager = _Pager(rulebook, day, lang)
        if facts:
            page = pager.facts()
        elif sources:
            page = pager.sources()
        elif name is None:
            page = pager.regimes()
        else:
            found = pager.named(name) or ProcessPager(rulebook, day, lang, verbose).named(name)
            if found is None:
                typer.echo(_unknown(rulebook, name), err=True)
                return 1
            page = found
        if pages:
            pages += [Text(""), Line(style="dim"), Text("")]
        pages += page
    console.print(Group(*pages), crop=False)
    return 0


def _unknown(rulebook: Rulebook, name: str) -> str:
    homes = _homes(rulebook, name)
    if homes:
        listed = " or ".join(f"{home}/{name}" for home in homes)
        return f"{shown(name)} is a rule of several rule sets; name it as {listed}"
    home, slash, short = name.partition("/")
    rules = {r.id: [rule.id for rule in r.rules] for r in rulebook.regimes.values()}
    parts = {p.id: parts_of(p) for p in rulebook.processes.values()}
    if slash and (home in rules or home in parts):
        inside = rules.get(home, parts.get(home, []))
        what = "rule" if home in rules else "stage or clock"
        help = nearest(short, [*inside, *parts.get(home, [])])
        help = help or f"its {what.replace(' or ', 's and ')}s: {', '.join(inside)}"
        return f"{shown(home)} has no {what} called {shown(short)}; {help}"
    every = [rule for listed in rules.values() for rule in listed]
    known = [*rules, *parts, *every, *rulebook.sources, *rulebook.vocabulary.facts]
    help = nearest(name, known) or f"rule sets: {', '.join(rules)}; processes: {', '.join(parts)}"
    return f"no rule set, process, rule, source or fact is called {shown(name)}; {help}"


def _homes(rulebook: Rulebook, rule: str) -> list[str]:
    """The rule sets that have a rule of this id."""
    return [r.id for r in rulebook.regimes.values() if any(x.id == rule for x in r.rules)]


@dataclass(frozen=True, slots=True)
class _Pager(Pager):
    """Makes the pages of rule sets, rules, sources and facts."""

    def named(self, name: str) -> list[RenderableType] | None:
        """The page of a rule set, rule, source or fact."""
        book = self.rulebook
        if name in book.regimes:
            return self.regime(book.regimes[name])
        home, slash, short = name.rpartition("/")
        homes = _homes(book, short) if not slash or home in book.regimes else []
        if slash:
            homes = [id for id in homes if id == home]
        if len(homes) == 1:
            regime = book.regimes[homes[0]]
            return self.rule(regime, next(r for r in regime.rules if r.id == short))
        if name in book.sources and not homes:
            return self.source(book.sources[name])
        return self.fact(book.vocabulary.facts[name]) if name in book.vocabulary.facts else None

    # --- rule sets ---

    def regimes(self) -> list[RenderableType]:
        page: list[RenderableType] = []
        for regime in self.rulebook.regimes.values():
            count = len(regime.rules)
            rules = f"{count} rules" if self.lang == "en" else f"{count}条规则"
            facts = (rules, self.period(regime.in_force), self.read_to(regime.read_to))
            page.append(Text("") if page else Text(self.word("rule sets"), "bold underline"))
            page += self.in_a_list(regime.id, regime.title, facts, regime.summary)
        page += ProcessPager(self.rulebook, self.day, self.lang).processes()
        hint = (
            "placet rules NAME shows a rule set, a process, a rule, a source or a fact; "
            "also --facts, --sources"
            if self.lang == "en"
            else "placet rules 名称：查看规则集、办理流程、规则、来源或事实；另有 --facts、--sources"
        )
        return [*page, Text(""), prose(hint, "dim", 0)]

    def regime(self, regime: Regime) -> list[RenderableType]:
        lang = self.lang
        dated = f"{self.say(self.rulebook.vocabulary.facts[regime.dated_by].label)}"
        rows = [
            (self.word("in force"), self.period(regime.in_force)),
            (self.word("dated by"), f"{dated}{self.aside(regime.dated_by)}"),
            (self.word("read to"), self.date(regime.read_to)),
        ]
        process = self.rulebook.processes.get(regime.id)
        if process is not None:
            told = f"{self.say(process.title)}{self.aside(f'{regime.id}/{PROCESS}')}"
            rows.append((self.word("process"), told))
        page: list[RenderableType] = [
            Prose(Text(self.say(regime.title), "bold")),
            Text(regime.id, "cyan"),
            Text(""),
            prose(self.say(regime.summary), indent=0),
            Text(""),
            self.pairs(rows),
        ]
        page += _section("scope", self._condition(regime, regime.scope), lang)
        page += _section("lists", [self._listed(regime, name) for name in regime.lists], lang)
        page += _section("parameters", self._parameters(regime, list(regime.parameters)), lang)
        page += _section("quantities", self._quantities(regime, list(regime.quantities)), lang)
        page += _section("rules", [self._rule_table(regime)], lang)
        outcomes: list[RenderableType] = []
        for status, outcome in regime.outcomes.items():
            head = (f"{MARK[status]} ", COLOUR[status]), (self.say(outcome.label), "bold")
            outcomes.append(Prose(Text.assemble(*head, (f"  {outcome.code}", "dim")), 2, 2))
            outcomes.append(prose(self.say(outcome.meaning), indent=4))
        page += _section("outcomes", outcomes, lang)
        page += _section("cautions", self._notes(regime, regime.cautions), lang)
        page += _section("leaves_out", [bullet(self.say(p)) for p in regime.leaves_out], lang)
        cite = [citation for rule in regime.rules for citation in rule.cite]
        lines = self.rests_on(regime.sources, cite, self.word("also"))
        return page + _section("sources", lines, lang)

    def _rule_table(self, regime: Regime) -> Indented:
        table = plain_table(
            Column(self.word("rule"), ratio=None),
            Column(self.word("kind"), max_width=14),
            Column(self.word("certainty"), max_width=13),
            Column(self.word("due"), max_width=14),
        )
        for rule in regime.rules:
            table.add_row(
                self.cell(rule.id, rule.title),
                Prose(Text(self.say(KIND[rule.kind]))),
                Prose(Text(self.say(CERTAINTY[rule.certainty]))),
                Prose(Text(self.say(DUE[rule.due]))),
            )
        return Indented(table)

    def _listed(self, regime: Regime, name: str) -> Prose:
        named = regime.lists[name]
        some = ", ".join(named.codes[:12]) + (", …" if len(named.codes) > 12 else "")
        count = f"{len(named.codes)}: " if self.lang == "en" else f"{len(named.codes)}项："
        return bullet((f"{name}  ", "cyan"), self.say(named.label), (f"  {count}{some}", "dim"))

    def _parameters(self, regime: Regime, names: Sequence[str]) -> list[RenderableType]:
        """Each parameter with its dated values; the one in force on the day stands out."""
        if not names:
            return []
        table = plain_table(
            Column(no_wrap=True, style="cyan"),
            Column(),
            Column(self.word("value"), justify="right", no_wrap=True),
            Column(self.word("since"), no_wrap=True),
        )
        for name in names:
            parameter = regime.parameters[name]
            now = parameter.on(self.day)
            for number, (start, value) in enumerate(parameter.values):
                style = "bold" if (start, value) == now else "dim"
                amount = amount_in_words(
                    value, parameter.type, self.rulebook.vocabulary, self.lang
                )
                table.add_row(
                    "" if number else name,
                    "" if number else Prose(Text(self.say(parameter.label))),
                    Text(amount, style),
                    Text(self.date(start), style),
                )
        return [Indented(table)]

    def _quantities(self, regime: Regime, names: Sequence[str]) -> list[RenderableType]:
        lines: list[RenderableType] = []
        for name in names:
            quantity = regime.quantities[name]
            told = in_words(quantity.value, regime, self.rulebook.vocabulary, self.lang)
            means = ": " if self.lang == "en" else "："
            lines += [
                Prose(
                    Text.assemble((f"{name}  ", "cyan"), self.say(quantity.label), means, told),
                    2,
                    2,
                ),
                prose(print_expr(quantity.value), "dim", 4),
            ]
        return lines

    def _condition(self, regime: Regime, expr: Expr) -> list[RenderableType]:
        return self.condition(regime, self.rulebook.vocabulary, expr)

    def _notes(self, regime: Regime, notes: Sequence[Note]) -> list[RenderableType]:
        lines: list[RenderableType] = []
        for note in notes:
            when = in_words(note.when, regime, self.rulebook.vocabulary, self.lang)
            lead = f"If {when}:" if self.lang == "en" else f"若{when}："
            lines += [bullet((lead, "dim")), prose(self.say(note.text), indent=4)]
        return lines

    # --- a rule ---

    def rule(self, regime: Regime, rule: Rule) -> list[RenderableType]:
        lang = self.lang
        rows = [
            (self.word("kind"), self.say(KIND[rule.kind])),
            (self.word("certainty"), self.say(CERTAINTY[rule.certainty])),
            (self.word("due"), self.say(DUE[rule.due])),
            (self.word("in force"), self.period(rule.in_force)),
        ]
        if rule.known_from is not None:
            rows.append((self.word("known from"), self.date(rule.known_from)))
        page: list[RenderableType] = [
            Prose(Text(self.say(rule.title), "bold")),
            Text(f"{regime.id}/{rule.id}", "cyan"),
            prose(self.say(regime.title), "dim", 0),
            Text(""),
            self.pairs(rows),
        ]
        if rule.applies is not None:
            page += _section("applies", self._condition(regime, rule.applies), lang)
        page += _section("require", self._condition(regime, rule.require), lang)
        names = _inside(
            self.rulebook, regime, [rule.require, *([rule.applies] if rule.applies else [])]
        )
        parameters = [n for n in names if n in regime.parameters]
        page += _section("parameters", self._parameters(regime, parameters), lang)
        lists = _lists_of(rule)
        page += _section("lists", [self._listed(regime, name) for name in lists], lang)
        quantities = [n for n in names if n in regime.quantities]
        page += _section("quantities", self._quantities(regime, quantities), lang)
        facts = [
            self.rulebook.vocabulary.facts[n] for n in names if n in self.rulebook.vocabulary.facts
        ]
        page += _section("asks", [self._fact_table(facts)], lang)
        page += _section("cite", self.citations(rule.cite), lang)
        settled: list[RenderableType] = []
        for entry in rule.settles:
            settled += [*([Text("")] if settled else []), *self._settled(entry)]
        page += _section("settles", settled, lang)
        page += _section("remarks", self._notes(regime, rule.remarks), lang)
        page += _section("cautions", self._notes(regime, rule.cautions), lang)
        page += _section("obligations", self._notes(regime, rule.obligations), lang)
        return page + _section("examples", self._examples(rule), lang)

    def _settled(self, entry: Settled) -> list[RenderableType]:
        answer = Text(self.say(entry.answer))
        if entry.certainty is not None:
            answer.append(self.aside(self.say(CERTAINTY[entry.certainty])), "yellow")
        return [Prose(Text(self.say(entry.question), "bold"), 2, 2), Prose(answer, 4)]

    def _examples(self, rule: Rule) -> list[RenderableType]:
        """Examples as a table with a column per fact; as lines where that would be too wide."""
        paths = list(dict.fromkeys(path for e in rule.examples for path in e.given))
        dated = any(e.as_of is not None for e in rule.examples)
        rows: list[list[str]] = []
        for example in rule.examples:
            cells = [_written(example.given.get(path)) for path in paths]
            rows.append(
                [*cells, *([self.date(example.as_of) if example.as_of else ""] if dated else [])]
            )
        heads = [*paths, *([self.word("date")] if dated else [])]
        sizes = [
            max(cell_len(text) for text in column) + 2 for column in zip(heads, *rows, strict=True)
        ]
        wide = sum(sizes) + 18 > 78
        table = plain_table(
            Column(self.word("finding"), no_wrap=True),
            *([Column("")] if wide else [Column(head, no_wrap=True) for head in heads]),
        )
        for example, row in zip(rule.examples, rows, strict=True):
            status = Text.assemble(
                (f"{MARK[example.finding]} ", COLOUR[example.finding]),
                self.say(STATUS[example.finding]),
            )
            if wide:
                told = [f"{h}\xa0{c}" for h, c in zip(heads, row, strict=True) if c]
                table.add_row(status, Prose(Text(", ".join(told))))
            else:
                table.add_row(status, *row)
        return [Indented(table)]

    # --- sources ---

    def sources(self) -> list[RenderableType]:
        counts = self._counts()
        table = plain_table(
            Column(self.word("source")),
            Column(self.word("published"), no_wrap=True),
            Column(self.word("grade"), max_width=18),
            Column(self.word("cited"), justify="right", no_wrap=True),
        )
        for source in self.rulebook.sources.values():
            name = self.cell(source.id, source.title)
            count = str(counts.get(source.id, 0) or "–")
            table.add_row(name, self.date(source.date), Prose(Text(self.graded(source))), count)
        return [Text(self.word("sources"), "bold underline"), Indented(table)]

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for regime in self.rulebook.regimes.values():
            for rule in regime.rules:
                for id in {citation.source for citation in rule.cite}:
                    counts[id] = counts.get(id, 0) + 1
        for process in self.rulebook.processes.values():
            for cite in cited_in(process):
                for id in {citation.source for citation in cite}:
                    counts[id] = counts.get(id, 0) + 1
        return counts

    def source(self, source: CitedSource) -> list[RenderableType]:
        other: Lang = "zh" if self.lang == "en" else "en"
        rows = [
            (self.word("publisher"), self.say(source.publisher)),
            (self.word("published"), self.date(source.date)),
            (self.word("language"), self.say(LANGUAGE[source.language])),
            (self.word("grade"), self.graded(source)),
        ]
        if source.read is not None:
            rows.append((self.word("read"), self.date(source.read)))
        if source.note is not None:
            rows.append((self.word("note"), self.say(source.note)))
        page: list[RenderableType] = [
            Prose(Text(self.say(source.title), "bold")),
            Prose(Text(in_lang(source.title, other), "dim")),
            Text(source.id, "cyan"),
            Text(""),
            self.pairs(rows),
            *([address(source.address, 2)] if source.address else []),
        ]
        lines: list[RenderableType] = []
        for regime in self.rulebook.regimes.values():
            if any(named.id == source.id for named in regime.sources):
                lines.append(bullet((regime.id, "cyan"), f"  {self.say(regime.title)}"))
            for rule in regime.rules:
                for citation in (c for c in rule.cite if c.source == source.id):
                    at = f"  {citation.at}" if citation.at else ""
                    id = f"{regime.id}/{rule.id}"
                    lines.append(bullet((id, "cyan"), f"  {self.say(rule.title)}", (at, "dim")))
                    if citation.quote is not None:
                        lines.append(prose(f"“{citation.quote}”", "dim", 4, 1))
        lines += ProcessPager(self.rulebook, self.day, self.lang).citing(source)
        return page + _section("cited by", lines, self.lang)

    # --- facts ---

    def facts(self) -> list[RenderableType]:
        vocabulary = self.rulebook.vocabulary
        page: list[RenderableType] = [Text(self.word("facts"), "bold underline")]
        for group, label in vocabulary.groups.items():
            members = [fact for fact in vocabulary.facts.values() if fact.group == group]
            if members:
                page += [Text(""), Text(self.say(label), "bold"), self._fact_table(members)]
        return page

    def _fact_table(self, facts: Sequence[FactDefinition]) -> Indented:
        table = plain_table(
            Column(self.word("fact"), min_width=max(cell_len(fact.path) for fact in facts)),
            Column(self.word("type"), max_width=24),
            Column(self.word("held by"), max_width=14, overflow="fold"),
        )
        for fact in facts:
            name = self.cell(fact.path, fact.label)
            holder = self.say(HELD_BY[fact.held_by])
            table.add_row(
                name,
                Prose(Text(what_is_written(fact, self.rulebook.vocabulary, self.lang))),
                Prose(Text(holder)),
            )
        return Indented(table)

    def fact(self, fact: FactDefinition) -> list[RenderableType]:
        page: list[RenderableType] = [
            Prose(Text(self.say(fact.label), "bold")),
            Text(fact.path, "cyan"),
            Text(""),
        ]
        rows = [(self.word("type"), what_is_written(fact, self.rulebook.vocabulary, self.lang))]
        rows.append((self.word("held by"), self.say(HELD_BY[fact.held_by])))
        if fact.hint is not None:
            rows.append((self.word("note"), self.say(fact.hint)))
        page.append(self.pairs(rows))
        codes = self.rulebook.vocabulary.lists.get(fact.type.codes or "")
        if codes is not None and len(codes.codes) <= 40:
            page += [
                Text(""),
                self.pairs([(c.code, self.say(c.label)) for c in codes.codes.values()]),
            ]
        lines: list[RenderableType] = []
        for regime in self.rulebook.regimes.values():
            for rule in regime.rules:
                exprs = [rule.require, *([rule.applies] if rule.applies else [])]
                if fact.path in _inside(self.rulebook, regime, exprs):
                    id = f"{regime.id}/{rule.id}"
                    lines.append(bullet((id, "cyan"), f"  {self.say(rule.title)}"))
        return page + _section("rules", lines, self.lang)


def _inside(rulebook: Rulebook, regime: Regime, exprs: Sequence[Expr]) -> list[str]:
    """Every name in some conditions, with the names in what they are computed from."""
    found: dict[str, None] = {}
    waiting = [name for expr in exprs for name in uses(expr)]
    while waiting:
        name = waiting.pop(0)
        found[name] = None
        quantity = regime.quantities.get(name)
        if quantity is None and name in rulebook.vocabulary.facts:
            quantity = rulebook.vocabulary.facts[name].derived
        waiting += uses(quantity.value) if quantity is not None else ()
    return list(found)


def _lists_of(rule: Rule) -> list[str]:
    exprs = [rule.require, *([rule.applies] if rule.applies else [])]
    named = [e.list for expr in exprs for e in walk(expr) if isinstance(e, Member) and e.list]
    return list(dict.fromkeys(named))


def _written(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
