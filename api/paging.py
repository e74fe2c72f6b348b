"""What the pages of rules and of processes at a terminal share: words, names, conditions, citations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Column
from rich.text import Text

from api.headings import WORDS, period_in_words
from api.prose import Indented, Prose, address, bullet, plain_table, prose
from engine.backends.text import Clause, Outline, outline
from engine.ir import Citation, Expr, Pair, Period, Regime, SourceName
from engine.load import Rulebook
from engine.parse_vocabulary import CitedSource
from engine.printing import print_expr
from engine.vocabulary import Vocabulary
from engine.words import GRADE, Lang, in_lang
from engine.words import day as day_in_words

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|(?<=。)")


def section(head: str, parts: Sequence[RenderableType]) -> list[RenderableType]:
    """A part of a page under its heading; nothing where it is empty."""
    return [Text(""), Text(head, style="bold underline"), *parts] if parts else []


def first_sentence(text: str) -> str:
    """The beginning of a text, for a list."""
    return _SENTENCE.split(text, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Pager:
    """Makes pages in one language, with parameter values as they stand on one day."""

    rulebook: Rulebook
    day: int
    lang: Lang

    # --- words ---

    def say(self, pair: Pair) -> str:
        """A text in the language of the page."""
        return in_lang(pair, self.lang)

    def word(self, name: str) -> str:
        """A heading or small word."""
        return self.say(WORDS[name])

    def date(self, day: int) -> str:
        """A day as people read it."""
        return day_in_words(day, self.lang)

    def period(self, period: Period) -> str:
        """From when, and to when, something is in force."""
        return period_in_words(period, self.lang)

    def aside(self, text: str) -> str:
        """A text in brackets, behind another."""
        return f" ({text})" if self.lang == "en" else f"（{text}）"

    def pairs(self, rows: Sequence[tuple[str, str]]) -> Indented:
        """Names with values, the values hanging beside."""
        table = plain_table(Column(no_wrap=True, style="dim"), Column())
        for name, value in rows:
            table.add_row(name, Prose(Text(value)))
        return Indented(table)

    def cell(self, id: str, name: Pair) -> Group:
        """A name as it is typed, with what it is called."""
        return Group(Text(id, "cyan", no_wrap=True), Prose(Text(self.say(name))))

    def in_a_list(
        self, id: str, title: Pair, facts: Sequence[str], summary: Pair
    ) -> list[RenderableType]:
        """A rule set or process among others: its name, its dates, its first sentence."""
        mark = " · " if self.lang == "en" else "，"
        return [
            Text.assemble("  ", (id, "bold cyan")),
            Prose(Text(self.say(title), "bold"), 4),
            prose(mark.join(facts), "dim", 4),
            prose(first_sentence(self.say(summary)), "", 4),
        ]

    def read_to(self, day: int) -> str:
        """How far the sources were read, in a line of facts."""
        told = f"{self.word('read to')} {self.date(day)}"
        return told if self.lang == "en" else told.replace(" ", "")

    # --- conditions ---

    def condition(
        self, regime: Regime, vocabulary: Vocabulary, expr: Expr, indent: int = 2
    ) -> list[RenderableType]:
        """A condition in words, line by line where it has parts, then as the rule file has it."""
        said = outline(expr, regime, vocabulary, self.lang)
        return [*self._outlined(said, indent), prose(print_expr(expr), "dim", indent, 2)]

    def _outlined(self, said: Outline, indent: int) -> list[RenderableType]:
        if isinstance(said, Clause):
            return [prose(said.text, indent=indent)]
        lines: list[RenderableType] = [
            prose(self.word("all" if said.every else "any"), "italic", indent)
        ]
        for part in said.parts:
            if isinstance(part, Clause):
                lines.append(bullet(part.text, indent=indent + 2))
            else:
                inner = self._outlined(part, indent + 4)
                head = Text(self.word("all" if part.every else "any"), style="italic")
                lines += [Prose(Text.assemble("• ", head), indent + 2, 2), *inner[1:]]
        return lines

    # --- sources ---

    def citation(self, citation: Citation, indent: int = 2) -> list[RenderableType]:
        """A source with its words, their translation, and what it says."""
        source = self.rulebook.sources[citation.source]
        where = f", {citation.at}" if self.lang == "en" else f"，{citation.at}"
        head = Text.assemble(
            (citation.source, "cyan"),
            (where if citation.at else "", ""),
            (self.aside(self.graded(source)), "dim"),
        )
        inner = indent + 2
        lines: list[RenderableType] = [Prose(head, indent, 2)]
        if citation.quote is not None:
            lines.append(prose(f"“{citation.quote}”", indent=inner, hang=1))
            same = source.language == self.lang
            style = "dim" if same else "italic"
            lines.append(prose(f"“{citation.translation}”", style, inner, 1))
        if citation.says is not None:
            lines.append(prose(self.say(citation.says), indent=inner))
        lines.append(prose(self.called(source), "dim", inner))
        return [*lines, *([address(source.address, inner)] if source.address else [])]

    def citations(self, cite: Sequence[Citation], indent: int = 2) -> list[RenderableType]:
        """Several citations, set apart."""
        lines: list[RenderableType] = []
        for citation in cite:
            lines += [*([Text("")] if lines else []), *self.citation(citation, indent)]
        return lines

    def rests_on(
        self, sources: Sequence[SourceName], cite: Sequence[Citation], also: str
    ) -> list[RenderableType]:
        """The documents that something was written from, and what its parts cite besides."""
        lines: list[RenderableType] = []
        for named in sources:
            source = self.rulebook.sources[named.id]
            lines += [Text(f"  {source.id}", "cyan"), prose(self.called(source), indent=4)]
        known = {named.id for named in sources}
        others = ", ".join(dict.fromkeys(c.source for c in cite if c.source not in known))
        return [*lines, *([prose(also + others, "dim")] if others else [])]

    def called(self, source: CitedSource) -> str:
        """The title of a source, with its publisher and its date."""
        publisher, day = self.say(source.publisher), self.date(source.date)
        return self.say(source.title) + (
            f" ({publisher}, {day})" if self.lang == "en" else f"（{publisher}，{day}）"
        )

    def graded(self, source: CitedSource) -> str:
        """What kind of source it is."""
        return self.say(GRADE[source.grade])
