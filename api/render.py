"""Draw decisions, scenario runs and rules for people at a terminal, in English or Chinese."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from engine.decide import Decision
from engine.ir import CERTAINTIES, DUES, Pair
from engine.words import (
    BECAUSE,
    CERTAINTY,
    DUE,
    GRADE,
    HELD_BY,
    KIND,
    STATUS,
    Lang,
    grouped,
    in_lang,
    money,
)

_COLOUR = {"met": "green", "unmet": "red", "unknown": "yellow", "not-applicable": "cyan"}
_MARK = {"met": "✓", "unmet": "✗", "unknown": "?", "not-applicable": "–"}
_HEADS = {
    "stops": Pair("What stops it", "不符合的条件"),
    "so_far": Pair("Not met so far", "目前不符合的条件"),
    "missing": Pair("Still needed", "尚需信息"),
    "open": Pair("Waiting for a fact", "待查明的条件"),
    "changes": Pair("What would change it", "调整方案"),
    "obligations": Pair("What remains to be fulfilled", "仍须履行的事项"),
    "cautions": Pair("Cautions", "提示"),
    "figures": Pair("Figures", "数额"),
    "met": Pair("Met", "符合的条件"),
    "aside": Pair("Not judged", "未判断的条件"),
    "leaves_out": Pair("Not examined", "未审查事项"),
    "relied": Pair("Facts relied on", "所依据的事实"),
}
_SCOPE = {"en": "whether the rules cover the order", "zh": "是否适用"}
_REAL = Pair(
    "A change must be real and documented; acts done with intent to evade the EAR are "
    "prohibited (15 CFR 764.2(h)).",
    "变更须真实发生并有凭证；以逃避《出口管理条例》为目的的行为被禁止（15 CFR 764.2(h)）。",
)


class Prose:
    """Running text that wraps as its language does: Chinese between characters, by cells."""

    def __init__(self, text: str | Text, lang: Lang, style: str = "") -> None:
        self.text = Text(text, style=style) if isinstance(text, str) else text
        self.lang = lang

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.lang == "en":
            yield self.text
            return
        for line in self.text.divide(_breaks(self.text.plain, options.max_width)):
            line.rstrip()
            yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(
            min(20, options.max_width), min(cell_len(self.text.plain), options.max_width)
        )


_NO_START = "，。；：、！？）》”’」%…"
_NO_END = "（《“‘「"


def _breaks(text: str, width: int) -> list[int]:
    """Where lines of Chinese text begin: never with closing marks, never inside a number or word."""
    pieces = [
        m.span()
        for m in re.finditer(r"(?:\d{1,4}[年月日])+|[\x21-\x7e]+[片天]? ?|.", text, re.DOTALL)
    ]
    breaks: list[int] = []
    used = 0
    for number, (start, end) in enumerate(pieces):
        size = cell_len(text[start:end].rstrip() or text[start:end])
        # A closing mark after this piece must still fit on its line.
        ahead = number + 1
        while ahead < len(pieces) and text[pieces[ahead][0]] in _NO_START:
            size += cell_len(text[slice(*pieces[ahead])])
            ahead += 1
        if text[start] in _NO_END and ahead < len(pieces):
            size += cell_len(text[slice(*pieces[ahead])].rstrip())
        free = text[start] not in _NO_START and (start == 0 or text[start - 1] not in _NO_END)
        if used and used + size > width and free:
            breaks.append(start)
            used = 0
        used += cell_len(text[start:end])
    return breaks


def bullet(text: str | Text, lang: Lang, style: str = "") -> RenderableType:
    """A point of a list with its text hanging."""
    return _hanging("•", text, lang, style)


def _hanging(mark: str, text: str | Text, lang: Lang, style: str = "") -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.expand = True
    grid.add_row(Text(mark), Prose(text, lang, style))
    return grid


def decision(data: Decision, lang: Lang, *, verbose: bool = False) -> RenderableType:
    """One decision in reading order: verdict, what stops it, what is missing, the rest folded."""
    parts: list[RenderableType] = [_verdict(data, lang)]
    outside = data["status"] == "not-applicable"
    by_status = {
        status: [f for f in data["findings"] if f["status"] == status] for status in STATUS
    }
    if not outside:
        failed = sorted(by_status["unmet"], key=_gravity)
        open_ = data["status"] == "unknown"
        parts += _section(
            "so_far" if open_ else "stops",
            [_finding(f, n, lang) for n, f in enumerate(failed, 1)],
            lang,
        )
        parts += _section(
            "open",
            [_finding(f, n, lang) for n, f in enumerate(by_status["unknown"], 1)],
            lang,
        )
        parts += _section("missing", _missing(data, lang), lang)
        parts += _section("changes", _changes(failed, lang), lang)
        parts += _section("obligations", _notes(data["obligations"], lang), lang)
    parts += _section("cautions", _notes(data["cautions"], lang), lang)
    if not outside or verbose:
        parts += _section("figures", _figures(data, lang), lang)
        parts += _folded("met", by_status["met"], lang, verbose)
        aside = by_status["not-applicable"] + (by_status["unmet"] + by_status["unknown"]) * outside
        parts += _folded("aside", aside, lang, verbose)
    if verbose:
        parts += _section("relied", _relied(data, lang), lang)
    left = ("; " if lang == "en" else "；").join(p[lang] for p in data["leaves_out"])
    parts += _section("leaves_out", [Prose(left, lang, "dim")], lang)
    return Group(*parts)


def _verdict(data: Decision, lang: Lang) -> Panel:
    status = data["status"]
    colour = _COLOUR[status]
    regime = data["regime"]
    lines: list[RenderableType] = [Prose(regime["title"][lang], lang, "dim")]
    lines += [Prose(data["summary"][lang], lang, f"bold {colour}")]
    if data["hypothetical_policy"]:
        word = "HYPOTHETICAL RULES" if lang == "en" else "规则经假设性变更"
        lines.insert(0, Text(word, style="bold magenta"))
    lines.append(Prose(data["notice"][lang], lang, "italic"))
    dated = "rules as of" if lang == "en" else "规则基准日"
    return Panel(
        Group(*lines),
        title=Text(f"{_MARK[status]} {regime['id']} · {dated} {regime['as_of']}", style=colour),
        title_align="left",
        border_style=colour,
        padding=(0, 1),
    )


def _section(name: str, parts: Sequence[RenderableType], lang: Lang) -> list[RenderableType]:
    if not parts:
        return []
    head = Text(in_lang(_HEADS[name], lang), style="bold underline")
    return [Text(""), head, *(Padding(part, (0, 0, 0, 2)) for part in parts)]


def _gravity(finding: dict[str, Any]) -> tuple[int, int]:
    """Government conditions before the seller's terms, surer sources first."""
    order = ("licence-condition", "procedure", "import-gate", "duty", "seller-term")
    return order.index(finding["kind"]), CERTAINTIES.index(finding["certainty"])


def _finding(finding: dict[str, Any], number: int, lang: Lang) -> RenderableType:
    kind = in_lang(KIND[finding["kind"]], lang)
    certainty = in_lang(CERTAINTY[finding["certainty"]], lang)
    mark = Text(f"{_MARK[finding['status']]} ", style=_COLOUR[finding["status"]])
    head = Text.assemble(
        f"{number}. ",
        mark,
        (finding["title"][lang], "bold"),
        (f"  {kind}{' · ' if lang == 'en' else '，'}{certainty}", "dim"),
    )
    body: list[RenderableType] = [Prose(finding["text"][lang], lang)]
    if finding["citations"]:
        body.append(_citation(finding["citations"][0], lang))
    return Group(head, *(Padding(part, (0, 0, 0, 3)) for part in body))


def _citation(cited: dict[str, Any], lang: Lang) -> RenderableType:
    """The source's words in the reader's language, then who says so, where and when."""
    told = cited.get("says", {}).get(lang, "")
    if "quote" in cited:
        told = f"“{cited.get(lang, cited['quote'])}”"
    parts = [
        cited["publisher"][lang],
        *([cited["at"]] if "at" in cited else []),
        cited["date"],
        in_lang(GRADE[cited["grade"]], lang),
    ]
    if lang == "en":
        return Prose(f"{told} — {', '.join(parts)} [{cited['source']}]", lang, "dim")
    return Prose(f"{told}——{'，'.join(parts)}〔{cited['source']}〕", lang, "dim")


def _missing(data: Decision, lang: Lang) -> list[RenderableType]:
    """Missing facts by when they fall due, with who can say."""
    parts: list[RenderableType] = []
    for due in DUES:
        rows = [m for m in data["missing"] if m["due"] == due]
        if not rows:
            continue
        when = in_lang(DUE[due], lang)
        heading = f"Needed {when}:" if lang == "en" else f"{when}需要："
        parts.append(Text(heading, style="italic"))
        for row in rows:
            holder = in_lang(HELD_BY[row["held_by"]], lang)
            rules = ", ".join(_SCOPE[lang] if r == "scope" else r for r in row["needed_by"])
            parts.append(
                bullet(
                    Text.assemble(
                        (row["label"][lang], "bold"),
                        (f"  {row['fact']}", "dim"),
                        f" — {holder} · {rules}" if lang == "en" else f"——{holder}（{rules}）",
                    ),
                    lang,
                )
            )
    return parts


def _changes(failed: list[dict[str, Any]], lang: Lang) -> list[RenderableType]:
    repaired = [f for f in failed if f["repair"] is not None]
    if not repaired:
        return []
    parts: list[RenderableType] = []
    for f in repaired:
        repair = f["repair"]
        bound = {"<=": ("at most", "至多"), ">=": ("at least", "至少")}[repair["op"]]
        label, amount = repair["label"][lang], _amount(repair["to"], repair["unit"], lang)
        if lang == "en":
            told = f"{label} {bound[0]} {amount}: meets “{f['title']['en']}”"
        else:
            told = f"{label}{bound[1]}{amount}：即符合“{f['title']['zh']}”"
        parts.append(bullet(told, lang))
    rest = len(failed) - len(repaired)
    if rest:
        titles = [f["title"][lang] for f in failed if f["repair"] is None]
        if lang == "en":
            parts.append(bullet(f"No single number mends: {'; '.join(titles)}", lang))
        else:
            parts.append(bullet(f"无法仅凭一个数额符合：{'；'.join(titles)}", lang))
    if repaired:
        parts.append(Prose(in_lang(_REAL, lang), lang, "dim"))
    return parts


def _amount(value: str, unit: str | None, lang: Lang) -> str:
    if unit == "USD":
        return money(int(value.replace(".", "")), 2, lang)
    whole, dot, fraction = value.partition(".")
    text = f"{grouped(int(whole), 0)}{dot}{fraction}"
    return text


def _notes(notes: list[dict[str, Any]], lang: Lang) -> list[RenderableType]:
    return [bullet(note["text"][lang], lang) for note in notes]


def _figures(data: Decision, lang: Lang) -> list[RenderableType]:
    rows = [f for f in data["figures"] if f["value"] is not None]
    if not rows:
        return []
    table = Table.grid(padding=(0, 3))
    table.add_column()
    table.add_column(justify="right")
    for row in rows:
        table.add_row(row["label"][lang], _amount(row["value"], row["unit"], lang))
    return [table]


def _folded(
    name: str, findings: list[dict[str, Any]], lang: Lang, verbose: bool
) -> list[RenderableType]:
    if not findings:
        return []
    if verbose:
        return _section(name, [_finding(f, n, lang) for n, f in enumerate(findings, 1)], lang)
    titles = ("; " if lang == "en" else "；").join(_titled(f, lang) for f in findings)
    hint = " (-v shows why)" if lang == "en" else "（-v 查看理由）"
    count = f"{len(findings)}: " if lang == "en" else f"{len(findings)}项："
    return _section(name, [Prose(Text.assemble(count, titles, (hint, "dim")), lang)], lang)


def _titled(finding: dict[str, Any], lang: Lang) -> str:
    title: str = finding["title"][lang]
    if finding["because"] is None:
        return title
    because = in_lang(BECAUSE[finding["because"]], lang)
    return f"{title} ({because})" if lang == "en" else f"{title}（{because}）"


def _relied(data: Decision, lang: Lang) -> list[RenderableType]:
    table = Table.grid(padding=(0, 3))
    for path, value in data["facts"].items():
        shown = (
            {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
        )
        basis = data["basis"].get(path)
        paper = basis.get("document", "") if isinstance(basis, dict) else basis or ""
        dated = basis.get("dated", "") if isinstance(basis, dict) else ""
        table.add_row(path, str(shown), f"{paper} {dated}".strip())
    digest = Text(f"{data['regime']['digest']} · placet {data['engine']['version']}", style="dim")
    return [table, digest]


def print_decision(console: Console, data: Decision, langs: Sequence[Lang], verbose: bool) -> None:
    """Print a decision in each language asked for."""
    for number, lang in enumerate(langs):
        if number:
            console.print()
        console.print(decision(data, lang, verbose=verbose))
