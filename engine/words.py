"""Fixed words in English and Chinese, and how numbers, dates and lists are written in each.

Two languages with the same digit groups need no locale database; see CONTRIBUTING.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from engine.ir import Pair
from engine.values import Type, Value, write_number
from engine.vocabulary import Unit

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = ("en", "zh")

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

NOTICE = Pair(
    "What-if analysis; decision support, not legal advice; not a licence, not an authorisation "
    "to export. Only BIS can issue a licence.",
    "情景分析，仅供决策参考，不构成法律意见；不是许可证，不构成出口授权。"
    "许可证只能由美国商务部工业与安全局签发。",
)

STATUS = {
    "met": Pair("met", "符合"),
    "unmet": Pair("not met", "不符合"),
    "unknown": Pair("unknown", "待查明"),
    "not-applicable": Pair("does not apply", "不涉及"),
}
BECAUSE = {
    "condition": Pair("its precondition is not fulfilled", "前提未成立"),
    "not-in-force": Pair("not in force on this date", "当日尚未生效或已失效"),
    "left-out": Pair("left out of this analysis", "本次分析未计入"),
}
KIND = {
    "licence-condition": Pair("licence condition", "许可条件"),
    "procedure": Pair("procedure", "审批程序"),
    "duty": Pair("duty", "关税"),
    "seller-term": Pair("seller's contract term", "卖方合同条款"),
    "import-gate": Pair("import permission of the destination", "进口国准入"),
}
CERTAINTY = {
    "published": Pair("published law", "已公布法规"),
    "reported": Pair("reported by the press", "媒体报道"),
    "disputed": Pair("disputed", "存在争议"),
    "assumed": Pair("assumed by this rule set", "本规则集设定"),
}
HELD_BY = {
    "buyer": Pair("buyer", "买方"),
    "seller": Pair("seller", "卖方"),
    "exporter": Pair("exporter (applicant)", "出口商（申请人）"),
    "agency": Pair("US agency", "美国主管机关"),
    "customs": Pair("customs", "海关"),
    "consignee": Pair("consignee", "收货人"),
    "lab": Pair("testing laboratory", "检测实验室"),
    "manufacturer": Pair("manufacturer", "制造商"),
    "importing-state": Pair("importing state", "进口国主管机关"),
    "nobody": Pair("a matter of fact", "客观事实，不可更改"),
}
DUE = {
    "application": Pair("at the licence application", "申请许可证时"),
    "order": Pair("at the order", "下单时"),
    "entry": Pair("at entry into the United States", "进入美国时"),
    "shipment": Pair("before shipment", "发货前"),
    "continuing": Pair("at all times", "全程"),
}
GRADE = {
    "primary": Pair("primary text", "原始文本"),
    "quoted": Pair("primary text as quoted by others", "他人转引的原始文本"),
    "reported": Pair("report", "报道"),
    "background": Pair("background", "背景资料"),
}


def in_lang(pair: Pair, lang: Lang) -> str:
    """The text of one language."""
    return pair.en if lang == "en" else pair.zh


def grouped(value: int, scale: int, decimals: int = 0) -> str:
    """A scaled number with comma groups, as both languages write it."""
    if not scale and not decimals:
        return f"{value:,}"
    whole, dot, fraction = write_number(value, scale, decimals).partition(".")
    sign = "-" if whole == "-0" else ""
    return f"{sign}{int(whole):,}{dot}{fraction}"


def percent(value: int, scale: int, lang: Lang) -> str:
    """A ratio as per cent: `25 %`, `25%`."""
    text = write_number(value * 100, scale)
    return f"{text} %" if lang == "en" else f"{text}%"


def money(value: int, scale: int, lang: Lang) -> str:
    """An amount in US dollars: `USD 6,750.00`, `6,750.00美元`."""
    text = (
        f"{value // 100:,}.{value % 100:02d}" if scale == 2 <= value else grouped(value, scale, 2)
    )
    return f"USD {text}" if lang == "en" else f"{text}美元"


def day(value: int, lang: Lang) -> str:
    """A date: `1 February 2026`, `2026年2月1日`."""
    when = date.fromordinal(value)
    if lang == "en":
        return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"
    return f"{when.year}年{when.month}月{when.day}日"


def days(count: int, lang: Lang) -> str:
    """A number of days."""
    if lang == "zh":
        return f"{count:,}天"
    return f"{count:,} day" + ("" if count == 1 else "s")


def listed(parts: Sequence[str], lang: Lang, *, last: Literal["and", "or"] = "and") -> str:
    """A list in running text: `A, B and C`, `A、B和C`."""
    if len(parts) < 2:
        return "".join(parts)
    if lang == "en":
        return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
    return "、".join(parts[:-1]) + ("和" if last == "and" else "或") + parts[-1]


def sentence(text: str, lang: Lang) -> str:
    """A clause as a sentence: first letter raised, full stop at the end."""
    if not text:
        return text
    if lang == "zh":
        return text if text.endswith(("。", "！", "？")) else text + "。"
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def joined(clauses: Sequence[str], lang: Lang) -> str:
    """Clauses of one finding in one sentence."""
    return ("; " if lang == "en" else "；").join(dict.fromkeys(clauses))


def the(label: str) -> str:
    """A label with its article, where it takes one."""
    first = label.split(" ", 1)[0]
    return label if first in ("the", "a", "an", "China's", "whether", "total") else f"the {label}"


def worded(value: Value, type: Type, unit: Unit | None, lang: Lang) -> str:
    """A held value as people read it: yes or no, a date, an amount with its unit."""
    if isinstance(value, bool):
        return {"en": ("no", "yes"), "zh": ("否", "是")}[lang][value]
    if not isinstance(value, int):
        return "" if value is None else value
    if type.kind == "date":
        return day(value, lang)
    if type.kind == "money":
        return money(value, type.scale, lang)
    if type.kind == "ratio":
        return percent(value, type.scale, lang)
    text = grouped(value, type.scale)
    if unit is None:
        return text
    if lang == "zh":
        return f"{text}{unit.zh}"
    return f"{text} {unit.one if abs(value) == 10**type.scale else unit.many}"
