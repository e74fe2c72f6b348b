"""Headings, small words and marks of what is shown of rules, at a terminal and in the workbench."""

from __future__ import annotations

import re

from engine.backends.text import amount_in_words
from engine.ir import Pair, Period
from engine.printing import print_expr
from engine.vocabulary import FactDefinition, Vocabulary
from engine.words import Lang, in_lang
from engine.words import day as day_in_words

WORDS = {
    "rule sets": Pair("Rule sets", "规则集"),
    "process": Pair("process", "办理流程"),
    "processes": Pair("Processes", "办理流程"),
    "rule": Pair("rule", "规则"),
    "rules": Pair("Rules", "规则"),
    "scope": Pair("Scope", "适用范围"),
    "lists": Pair("Lists", "清单"),
    "parameters": Pair("Parameters", "参数"),
    "quantities": Pair("Quantities computed", "计算所得数额"),
    "outcomes": Pair("Outcomes", "判定结果"),
    "cautions": Pair("Cautions", "提示"),
    "obligations": Pair("Conditions set by agencies", "主管机关所附条件"),
    "leaves_out": Pair("Not examined", "未审查事项"),
    "sources": Pair("Sources", "来源"),
    "source": Pair("source", "来源"),
    "kind": Pair("kind", "性质"),
    "certainty": Pair("how sure", "依据"),
    "due": Pair("due", "何时须成立"),
    "in force": Pair("in force", "有效期"),
    "known from": Pair("first known", "最早见于报道"),
    "dated by": Pair("dated by", "基准日取自"),
    "read to": Pair("sources read to", "来源核对至"),
    "applies": Pair("Applies if", "适用前提"),
    "require": Pair("Condition", "条件"),
    "asks": Pair("Facts it rests on", "所据事实"),
    "cite": Pair("Where it comes from", "出处"),
    "settles": Pair(
        "What the sources leave open, and how it is read here", "来源未明之处与本规则集的解读"
    ),
    "remarks": Pair("Remarks", "附注"),
    "examples": Pair("Examples", "示例"),
    "facts": Pair("What can be said of an order", "订单可填事实"),
    "cited by": Pair("Cited by", "引用此来源之处"),
    "language": Pair("language", "语言"),
    "published": Pair("dated", "日期"),
    "grade": Pair("grade", "性质"),
    "read": Pair("read", "阅读日"),
    "publisher": Pair("publisher", "发布者"),
    "note": Pair("note", "说明"),
    "all": Pair("all of these:", "以下各项同时成立："),
    "any": Pair("at least one of these:", "以下至少一项成立："),
    "value": Pair("value", "数值"),
    "since": Pair("since", "起始日"),
    "fact": Pair("fact", "事实"),
    "type": Pair("what is written", "填写内容"),
    "held by": Pair("who can change it", "由谁决定"),
    "finding": Pair("finding", "判断"),
    "date": Pair("dated", "日期"),
    "cited": Pair("cited", "引用"),
    "also": Pair("Also cited by its rules: ", "规则另引："),
}
LANGUAGE = {"en": Pair("English", "英文"), "zh": Pair("Chinese", "中文")}
TYPE = {
    "boolean": Pair("yes or no", "是或否"),
    "integer": Pair("whole number", "整数"),
    "decimal": Pair("number", "数值"),
    "money": Pair("US dollars", "美元金额"),
    "ratio": Pair("ratio", "比率"),
    "date": Pair("date", "日期"),
    "code": Pair("code", "代码"),
    "text": Pair("text, carried and never judged", "文字，仅记录，不作判断"),
}
REAL = Pair(
    "A change must be real and documented. It must not be made to avoid a licence requirement "
    "(15 CFR 764.2(h)).",
    "变更须真实发生并有凭证，不得以规避许可要求为目的（15 CFR 764.2(h)）。",
)
"""What stands under every repair."""
MARK = {"met": "✓", "unmet": "✗", "unknown": "?", "not-applicable": "–"}
COLOUR = {"met": "green", "unmet": "red", "unknown": "yellow", "not-applicable": "cyan"}


def period_in_words(period: Period, lang: Lang) -> str:
    """From when, and to when, something is in force."""
    start = day_in_words(period.start, lang)
    end = day_in_words(period.until - 1, lang) if period.until else None
    if lang == "zh":
        return f"自{start}起" + (f"，至{end}止" if end else "")
    return f"from {start}" + (f" to {end}" if end else "")


def what_is_written(fact: FactDefinition, vocabulary: Vocabulary, lang: Lang) -> str:
    """What is written for a fact: its type, unit, bounds or codes."""
    kind, en = fact.type, lang == "en"
    if fact.derived is not None:
        return ("computed: " if en else "计算所得：") + print_expr(fact.derived.value)
    told = in_lang(TYPE[kind.kind], lang)
    if kind.codes is not None:
        codes = list(vocabulary.lists[kind.codes].codes)
        some = ", ".join(codes[:6]) + (", …" if len(codes) > 6 else "")
        count = f"one of {len(codes)}: " if en else f"{len(codes)}项取一："
        told = count + some
    elif kind.is_numeric and kind.lo is not None and kind.hi is not None:
        low, high = (
            amount_in_words(bound, kind, vocabulary, lang) for bound in (kind.lo, kind.hi)
        )
        high = _unitless(high) if kind.kind == "money" else high
        high = _unitless(high) if fact.counted_in is not None else high
        told += f", {_unitless(low)} to {high}" if en else f"，{_unitless(low)}至{high}"
    if fact.catalogue is not None:
        told += "; the catalogue supplies it" if en else "；目录可提供"
    return told


def _unitless(amount: str) -> str:
    """The lower end of a range without its unit, which stands at the upper end."""
    found = re.search(r"-?[0-9][0-9,.]*", amount)
    return found[0] if found else amount
