"""Draw cases and customers' books for people at a terminal, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Column
from rich.text import Text

from api.headings import COLOUR, MARK
from api.prose import Indented, bullet, plain_table, prose
from engine.diagnostics import visible
from engine.ir import Pair
from engine.process import LEDGER
from engine.words import CERTAINTY, Lang, day, in_lang

Json = dict[str, Any]

_HEADS = {
    "clocks": Pair("Clocks", "期限"),
    "next": Pair("What can happen next", "可以发生的事件"),
    "exposure": Pair("At stake", "风险敞口"),
    "figures": Pair("Figures", "数额"),
    "ledger": Pair("The customer's book", "客户台账"),
    "decision": Pair("Findings so far", "目前的判断"),
    "history": Pair("History", "办理经过"),
    "leaves_out": Pair("Not examined", "未审查事项"),
}
COUNTS = {
    "opening": Pair("before this book", "建账前累计"),
    "reserved": Pair("reserved", "已预留"),
    "licensed": Pair("under licence", "许可证项下未发运"),
    "shipped": Pair("shipped", "已发运"),
    "returned": Pair("of these returned", "其中已退回"),
    "used": Pair("used", "已占用"),
    "remaining": Pair("remaining", "余量"),
}


def case(told: Json, lang: Lang) -> RenderableType:
    """One case in reading order: where it stands, what comes, what is at stake, what happened."""
    parts: list[RenderableType] = [_head(told, lang)]
    parts += _section("exposure", _figures(told["exposure"], lang), lang)
    parts += _section("clocks", _clocks(told["deadlines"], lang), lang)
    parts += _section("next", _next(told, lang), lang)
    parts += _section("decision", _decision(told["decision"], lang), lang)
    if told["ledger"] is not None:
        parts += _section("ledger", [_book(told["ledger"], lang)], lang)
    parts += _section("history", [_event(row, lang) for row in told["history"]], lang)
    left = ("; " if lang == "en" else "；").join(p[lang] for p in told["process"]["leaves_out"])
    parts += _section("leaves_out", [prose(left, "dim", 0)] if left else [], lang)
    return Group(*parts)


def _head(told: Json, lang: Lang) -> Panel:
    stage = told["stage"]["title"][lang]
    if told["held"]:
        since = _on(told["held_since"], lang)
        stage += f" — held since {since}" if lang == "en" else f"（自{since}起暂停处理）"
    lines: list[RenderableType] = [prose(told["process"]["title"][lang], "dim", 0)]
    if told["title"]:
        lines.append(prose(visible(told["title"]), "bold", 0))
    lines.append(prose(stage, "bold cyan" if not told["stage"]["end"] else "bold", 0))
    lines.append(prose(told["notice"][lang], "italic", 0))
    if told["broken"] is not None:
        lines.append(prose(_broken(told["broken"], lang), "bold red", 0))
    as_of = _on(told["as_of"], lang)
    where = f"as of {as_of}" if lang == "en" else f"截至{as_of}"
    fork = "" if told["counted"] else (" · fork" if lang == "en" else "·另作推演")
    return Panel(
        Group(*lines),
        title=Text(f"{told['id']} · {visible(told['workspace'])}{fork} · {where}"),
        title_align="left",
        padding=(0, 1),
    )


def _broken(number: int, lang: Lang) -> str:
    if lang == "en":
        return f"The process has changed since: it no longer takes event {number}."
    return f"办理流程在此之后有变更，不再接受第{number}项事件。"


def _section(name: str, parts: Sequence[RenderableType], lang: Lang) -> list[RenderableType]:
    if not parts:
        return []
    head = Text(in_lang(_HEADS[name], lang), style="bold underline")
    return [Text(""), head, *(Padding(part, (0, 0, 0, 2)) for part in parts)]


def _on(iso_day: str, lang: Lang) -> str:
    return day(date.fromisoformat(iso_day).toordinal(), lang)


def _figures(rows: Iterable[Json], lang: Lang) -> list[RenderableType]:
    known = [row for row in rows if row["text"] is not None]
    if not known:
        return []
    table = plain_table(Column(), Column(justify="right"))
    for row in known:
        table.add_row(row["label"][lang], row["text"][lang])
    return [table]


def _clocks(rows: Iterable[Json], lang: Lang) -> list[RenderableType]:
    return [
        bullet((row["title"][lang], "bold"), _clock(row, lang), indent=0)
        for row in sorted(rows, key=lambda row: row["last"] or "9999")
    ]


def _clock(row: Json, lang: Lang) -> str:
    """How far a clock has run: day 12 of 30, until 4 February; held; over."""
    count, limit = row["counted"], row["days"]
    if lang == "en":
        of = f" of {limit}" if limit is not None else ""
        counted = f": day {count}{of}"
        if row["over"]:
            return f"{counted}, over since {_on(row['last'], lang)}. {row['exceeded']['en']}"
        if row["stopped"]:
            return f"{counted}, standing still"
        return f"{counted}, last day {_on(row['last'], lang)}"
    of = f"，共{limit}天" if limit is not None else ""
    counted = f"：第{count}天{of}"
    if row["over"]:
        return f"{counted}，{_on(row['last'], lang)}已届满。{row['exceeded']['zh']}"
    if row["stopped"]:
        return f"{counted}，暂停计算"
    return f"{counted}，{_on(row['last'], lang)}届满"


def _next(told: Json, lang: Lang) -> list[RenderableType]:
    if not told["possible"]:
        ended = {"en": "Nothing: the case has ended.", "zh": "无：个案已终结。"}
        nothing = {"en": "Nothing but the passing of time.", "zh": "无：仅待期限届满。"}
        return [prose((ended if told["stage"]["end"] else nothing)[lang], indent=0)]
    parts: list[RenderableType] = []
    for one in told["possible"]:
        fields = [f"{f['name']}{'?' if f['optional'] else ''}" for f in one["fields"]]
        told_fields = f" {', '.join(fields)}" if fields else ""
        refused = ""
        if one["refused"]:
            refused = (
                " — will be refused and put on record"
                if lang == "en"
                else "——将不予办理，并记录在案"
            )
        by = one["by_label"][lang]
        whose = f" — {by}" if lang == "en" else f"——{by}"
        parts.append(
            bullet(
                (one["title"][lang], "bold"),
                (f"  {one['event']}{told_fields}", "dim"),
                whose,
                (refused, "yellow"),
                indent=0,
            )
        )
    return parts


def _decision(decision: Json | None, lang: Lang) -> list[RenderableType]:
    if decision is None:
        return []
    status = decision["status"]
    judged = {"en": "judged by ", "zh": "判定程序："}[lang] + ", ".join(
        decision["engine"]["judged_by"]
    )
    parts: list[RenderableType] = [
        prose(f"{MARK[status]} {decision['summary'][lang]}", COLOUR[status], 0),
        prose(judged, "dim", 0),
    ]
    open_ = [f for f in decision["findings"] if f["status"] in ("unmet", "unknown")]
    for finding in sorted(open_, key=lambda f: f["status"] != "unmet"):
        mark = MARK[finding["status"]]
        parts.append(
            bullet(
                (f"{mark} {finding['title'][lang]} ", COLOUR[finding["status"]]),
                finding["text"][lang],
                indent=0,
            )
        )
    return parts


def _event(row: Json, lang: Lang) -> RenderableType:
    number = f"{row['number']:>3}" if row["number"] is not None else "  ⏱"
    told = "; " if lang == "en" else "；"
    fields = told.join(f"{f['label'][lang]} {visible(f['text'][lang])}" for f in row["fields"])
    refused = ""
    if row["refused"]:
        rule = row["refused_title"][lang]
        refused = (
            f" Refused by the rule “{rule}” ({row['refused']})."
            if lang == "en"
            else f"依规则“{rule}”（{row['refused']}）不予办理。"
        )
    certainty = in_lang(CERTAINTY[row["certainty"]], lang)
    head = Text.assemble(
        (f"{number}  {row['on']}  ", "dim"), (row["title"][lang], "bold"), f"  {fields}"
    )
    lines: list[RenderableType] = [head]
    says = f"{row['says'][lang]}{refused}"
    lines.append(prose(says, "yellow" if row["refused"] else "", 5))
    if row["note"]:
        lines.append(prose(f"“{visible(row['note'])}”", "italic", 5))
    by = ", ".join(row.get("judged_by", ()))
    source = row["citations"][0] if row["citations"] else None
    at = f" {source['at']}" if source and "at" in source else ""
    where = f"{source['source']}{at}" if source else ""
    tail = [part for part in (certainty, where, by) if part]
    lines.append(prose(" · ".join(tail), "dim", 5))
    return Group(*lines)


# --- lists and books ---


def cases(rows: Sequence[Json], lang: Lang) -> RenderableType:
    """A list of cases."""
    if not rows:
        return Text({"en": "no cases", "zh": "没有个案"}[lang])
    heads = (
        Pair("case", "个案"),
        Pair("process", "办理流程"),
        Pair("stage", "阶段"),
        Pair("workspace", "工作区"),
        Pair("customer", "客户"),
        Pair("title", "标题"),
    )
    table = plain_table(*(Column(in_lang(head, lang)) for head in heads))
    for row in rows:
        stage = row["stage"]["title"][lang] if row["stage"]["title"] else row["stage"]["id"]
        fork = "" if row["counted"] else {"en": " (fork)", "zh": "（推演）"}[lang]
        who = " / ".join(visible(part) for part in (row["customer"], row["group"]) if part)
        table.add_row(
            row["id"],
            row["process"],
            f"{stage}{fork}",
            visible(row["workspace"]),
            who,
            visible(row["title"]),
        )
    return Indented(table)


def books(rows: Sequence[Json], lang: Lang) -> RenderableType:
    """Every customer's book of a workspace."""
    if not rows:
        return Text({"en": "nothing is booked here", "zh": "此处没有台账"}[lang])
    return Group(*(_book(row, lang) for row in rows))


def _book(row: Json, lang: Lang) -> RenderableType:
    of = {
        "group": Pair("group", "集团"),
        "customer": Pair("customer", "客户"),
    }[row["of"]]
    name = f"{in_lang(of, lang)} {visible(row['name'])}"
    if not row["begun"]:
        begins = {
            "en": "begins with the first order that is placed",
            "zh": "自第一份订单下达时建账",
        }
        return Text.assemble((name, "bold"), "  ", (begins[lang], "dim"))
    table = plain_table(Column(), Column(justify="right"))
    for count in ("opening", *LEDGER, "used"):
        if row[count] or count in ("used",):
            table.add_row(in_lang(COUNTS[count], lang), f"{row[count]:,}")
    if row["cap"] is not None:
        table.add_row({"en": "cap", "zh": "上限"}[lang], f"{row['cap']:,}")
        style = "red" if row["remaining"] < 0 else "bold"
        table.add_row(
            Text(in_lang(COUNTS["remaining"], lang), style=style),
            Text(f"{row['remaining']:,}", style=style),
        )
    return Group(Text(name, style="bold"), Padding(table, (0, 0, 0, 2)))


def replayed(found: Json, lang: Lang) -> RenderableType:
    """Whether a case comes to the same when it is played again."""
    if found["same"]:
        same = {
            "en": "same: the events come to the stages that were recorded",
            "zh": "一致：重新推演所得阶段与记录相同",
        }
        return Text(same[lang])
    lines = [
        f"{row['number']}: {row['stored']} → {row['now'] or '—'}" for row in found["differences"]
    ]
    head = {"en": "different:", "zh": "不一致："}[lang]
    return Text("\n".join([head, *lines]))
