"""Draw decisions, scenario runs and rules for people at a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from api.headings import COLOUR, MARK, REAL
from api.prose import Prose, bullet, prose
from engine.decide import Decision
from engine.diagnostics import visible
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
    day,
    in_lang,
)

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
_ORIGIN = {
    "order": Pair("stated in the order", "订单所填"),
    "catalogue": Pair("from the catalogue", "取自目录"),
    "derived": Pair("computed", "计算所得"),
}
_SCOPE = {"en": "whether the rules cover the order", "zh": "是否在适用范围内"}


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
            [_finding(f, n, lang, verbose) for n, f in enumerate(failed, 1)],
            lang,
        )
        parts += _section(
            "open",
            [_finding(f, n, lang, verbose) for n, f in enumerate(by_status["unknown"], 1)],
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
    parts += _section("leaves_out", [prose(left, "dim", 0)], lang)
    return Group(*parts)


def _verdict(data: Decision, lang: Lang) -> Panel:
    status = data["status"]
    colour = COLOUR[status]
    regime = data["regime"]
    lines: list[RenderableType] = [prose(regime["title"][lang], "dim", 0)]
    lines += [prose(data["summary"][lang], f"bold {colour}", 0)]
    if data["hypothetical_policy"]:
        word = "HYPOTHETICAL RULES" if lang == "en" else "规则经假设性变更"
        lines.insert(0, Text(word, style="bold magenta"))
    lines.append(prose(data["notice"][lang], "italic", 0))
    as_of = day(date.fromisoformat(regime["as_of"]).toordinal(), lang)
    dated = f"rules as of {as_of}" if lang == "en" else f"规则基准日{as_of}"
    return Panel(
        Group(*lines),
        title=Text(f"{MARK[status]} {regime['id']} · {dated}", style=colour),
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


def _finding(
    finding: dict[str, Any], number: int, lang: Lang, verbose: bool = False
) -> RenderableType:
    kind = in_lang(KIND[finding["kind"]], lang)
    certainty = in_lang(CERTAINTY[finding["certainty"]], lang)
    mark = Text(f"{MARK[finding['status']]} ", style=COLOUR[finding["status"]])
    head = Text.assemble(
        f"{number}. ",
        mark,
        (finding["title"][lang], "bold"),
        (f"  {kind}{' · ' if lang == 'en' else '，'}{certainty}", "dim"),
    )
    body: list[RenderableType] = [prose(finding["text"][lang], indent=0)]
    cited = finding["citations"] if verbose else finding["citations"][:1]
    body += [_citation(source, lang) for source in cited]
    return Group(head, *(Padding(part, (0, 0, 0, 3)) for part in body))


def _citation(cited: dict[str, Any], lang: Lang) -> RenderableType:
    """The source's words in the reader's language, then who says so, where and when."""
    told = cited.get("says", {}).get(lang, "")
    if "quote" in cited:
        told = f"“{cited.get(lang, cited['quote'])}”"
    parts = [
        cited["publisher"][lang],
        *([cited["at"]] if "at" in cited else []),
        day(date.fromisoformat(cited["date"]).toordinal(), lang),
        in_lang(GRADE[cited["grade"]], lang),
    ]
    if lang == "en":
        return prose(f"{told} — {', '.join(parts)} [{cited['source']}]", "dim", 0)
    return prose(f"{told}——{'，'.join(parts)}〔{cited['source']}〕", "dim", 0)


def _missing(data: Decision, lang: Lang) -> list[RenderableType]:
    """Missing facts by when they fall due, with who can say."""
    titles = {f["rule"]: f["title"][lang] for f in data["findings"]}
    parts: list[RenderableType] = []
    for due in DUES:
        rows = [m for m in data["missing"] if m["due"] == due]
        if not rows:
            continue
        when = in_lang(DUE[due], lang)
        heading = f"Needed {when}:" if lang == "en" else f"{when}需要："
        parts.append(Text(heading, style="italic"))
        for row in rows:
            holder = "" if row["held_by"] == "nobody" else in_lang(HELD_BY[row["held_by"]], lang)
            needed = [_SCOPE[lang] if r == "scope" else f"“{titles[r]}”" for r in row["needed_by"]]
            rules = ("; " if lang == "en" else "；").join(needed)
            parts.append(
                bullet(
                    (row["label"][lang], "bold"),
                    (f"  {row['fact']}", "dim"),
                    _whose(holder, rules, lang),
                    indent=0,
                )
            )
    return parts


def _whose(holder: str, rules: str, lang: Lang) -> str:
    """Who can say, and which conditions wait for it."""
    if lang == "en":
        return f" — {holder}; for {rules}" if holder else f" — for {rules}"
    return f"——{holder}；涉及：{rules}" if holder else f"——涉及：{rules}"


def _changes(failed: list[dict[str, Any]], lang: Lang) -> list[RenderableType]:
    """The single numbers that would mend, and what no number of the order can."""
    repaired = [f for f in failed if f["repair"] is not None]
    parts: list[RenderableType] = []
    for f in repaired:
        label, bound = f["repair"]["label"][lang], f["repair"]["text"][lang]
        if lang == "en":
            told = f"{label} {bound}: meets “{f['title']['en']}”"
        else:
            told = f"{label}{bound}，即符合“{f['title']['zh']}”"
        parts.append(bullet(told, indent=0))
    titles = [f["title"][lang] for f in failed if f["repair"] is None]
    if titles:
        if lang == "en":
            parts.append(
                bullet(f"No single number of the order mends: {'; '.join(titles)}", indent=0)
            )
        else:
            told = f"改变订单的任何一项数值均不能使其符合：{'；'.join(titles)}"
            parts.append(bullet(told, indent=0))
    if repaired:
        parts.append(prose(in_lang(REAL, lang), "dim", 0))
    return parts


def _notes(notes: list[dict[str, Any]], lang: Lang) -> list[RenderableType]:
    return [bullet(note["text"][lang], indent=0) for note in notes]


def _figures(data: Decision, lang: Lang) -> list[RenderableType]:
    rows = [f for f in data["figures"] if f["value"] is not None]
    if not rows:
        return []
    table = Table.grid(padding=(0, 3))
    table.add_column()
    table.add_column(justify="right")
    for row in rows:
        table.add_row(row["label"][lang], row["text"][lang])
    return [table]


def _folded(
    name: str, findings: list[dict[str, Any]], lang: Lang, verbose: bool
) -> list[RenderableType]:
    if not findings:
        return []
    if verbose:
        return _section(
            name, [_finding(f, n, lang, verbose) for n, f in enumerate(findings, 1)], lang
        )
    hint = " (-v shows why)" if lang == "en" else "（-v 查看理由）"
    parts: list[RenderableType] = []
    for because in dict.fromkeys(f["because"] for f in findings):
        alike = [f["title"][lang] for f in findings if f["because"] == because]
        titles = ("; " if lang == "en" else "；").join(alike)
        if because is None:
            count = f"{len(alike)}: " if lang == "en" else f"{len(alike)}项："
        else:
            why = in_lang(BECAUSE[because], lang)
            count = f"{len(alike)}, {why}: " if lang == "en" else f"{len(alike)}项，{why}："
        parts.append(Prose(Text.assemble(count, titles, (hint, "dim"))))
    return _section(name, parts, lang)


def _relied(data: Decision, lang: Lang) -> list[RenderableType]:
    """What the judged rules rest on, with its origin or the document behind it."""
    rows = {
        row["fact"]: row
        for finding in data["findings"]
        if finding["because"] not in ("not-in-force", "left-out")
        for row in finding["evidence"]
        if "fact" in row and row["text"] is not None
    }
    table = Table.grid(padding=(0, 3))
    for path, row in rows.items():
        basis = data["basis"].get(path)
        paper = basis.get("document", "") if isinstance(basis, dict) else basis or ""
        dated = basis.get("dated", "") if isinstance(basis, dict) else ""
        where = visible(f"{paper} {dated}".strip()) or in_lang(_ORIGIN[row["origin"]], lang)
        table.add_row(
            prose(row["label"][lang], indent=0), row["text"][lang], prose(where, "dim", 0)
        )
    stamp = [f"digest {data['regime']['digest']}", f"edition {data['regime']['edition']}"]
    stamp.append(f"placet {data['engine']['version']}")
    return [table, Text("\n".join(stamp), style="dim")]


def print_decision(console: Console, data: Decision, langs: Sequence[Lang], verbose: bool) -> None:
    """Print a decision in each language asked for."""
    for number, lang in enumerate(langs):
        if number:
            console.print()
        console.print(decision(data, lang, verbose=verbose))
