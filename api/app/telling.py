"""How the Decide page tells a decision: in what order, whose conditions, how far from each limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.headings import REAL as REAL
from engine.decide import Decision
from engine.diagnostics import Diagnostic
from engine.ir import CERTAINTIES, Pair, Regime
from engine.load import Rulebook
from engine.summary import numeral
from engine.values import Misfit, Type, read
from engine.vocabulary import FactDefinition, Vocabulary
from engine.words import (
    BECAUSE,
    CERTAINTY,
    DUE,
    GRADE,
    HELD_BY,
    KIND,
    LANGS,
    STATUS,
    Lang,
    day,
    in_lang,
    the,
    worded,
)

WORDS = {
    "because": BECAUSE,
    "certainty": CERTAINTY,
    "due": DUE,
    "grade": GRADE,
    "held_by": HELD_BY,
    "kind": KIND,
    "status": STATUS,
}
"""The fixed words that templates look up."""
LATER = ("entry", "shipment")
_KINDS = ("licence-condition", "procedure", "import-gate", "duty", "seller-term")
_SIDES = (
    (Pair("Government conditions", "政府条件"), ("licence-condition", "procedure", "duty")),
    (Pair("Seller's terms", "卖方合同条款"), ("seller-term",)),
    (Pair("Importing state", "进口国准入"), ("import-gate",)),
)
_WORST = ("unmet", "unknown", "met", "not-applicable")


@dataclass(frozen=True, slots=True)
class Side:
    """The conditions of one side: their worst finding, and how many fail or wait."""

    name: Pair
    status: str
    count: int
    judged: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A cap as a bar: what was used before, what this order adds, what is left or over.

    `before`, `here`, `rest` are widths in thousandths; `limit` is where the cap stands.
    """

    used: int
    order: int
    cap: int
    before: int
    here: int
    limit: int


def by_status(decision: Decision) -> dict[str, list[dict[str, Any]]]:
    """The findings of each status; conditions of government first, surer sources first."""

    def weight(finding: Mapping[str, Any]) -> tuple[int, int]:
        return _KINDS.index(finding["kind"]), CERTAINTIES.index(finding["certainty"])

    return {
        status: sorted((f for f in decision["findings"] if f["status"] == status), key=weight)
        for status in _WORST
    }


def sides(decision: Decision) -> list[Side]:
    """Whose conditions they are, and how each side's stand."""
    told = []
    for name, kinds in _SIDES:
        found = [f for f in decision["findings"] if f["kind"] in kinds]
        judged = [f["status"] for f in found if f["because"] is None]
        if found:
            worst = min((f["status"] for f in found), key=_WORST.index)
            told.append(Side(name, worst, judged.count(worst), len(judged)))
    return told


def rest_of(text: str, label: str) -> str:
    """A summary without the label with which it begins."""
    rest = text.removeprefix(label).lstrip(" .:：。；")
    return rest[:1].upper() + rest[1:]


def cap_bar(decision: Decision) -> Bar | None:
    """The cap on a customer's chips, where a rule compares chips to date and this order with it."""
    for finding in decision["findings"]:
        facts = {row.get("fact"): row["value"] for row in finding["evidence"]}
        caps = [row["value"] for row in finding["evidence"] if row.get("parameter") == "cap"]
        used, order = facts.get("customer.units_to_date"), facts.get("order.chips")
        if finding["because"] is None and caps and caps[0] and used and order:
            return _bar(int(used), int(order), int(caps[0]))
    return None


def _bar(used: int, order: int, cap: int) -> Bar:
    whole = max(used + order, cap, 1)
    before = used * 1000 // whole
    here = (used + order) * 1000 // whole - before
    return Bar(used, order, cap, before, max(here, 3) if order else 0, cap * 1000 // whole)


def margin(finding: Mapping[str, Any], vocabulary: Vocabulary, lang: Lang) -> str:
    """How far a finding is from its limit, where it rests on one number: `5,000 chips over`."""
    found = [c for c in finding["comparisons"] if c["margin"] is not None]
    if len(found) != 1 or len(finding["comparisons"]) != 1:
        return ""
    told = found[0]
    gap = told["margin"].removeprefix("-")
    amount = amount_of(gap, told["unit"], vocabulary, lang)
    short = told["margin"].startswith("-")
    if not short and not int(gap.replace(".", "")):
        return {"en": "exactly at the limit", "zh": "恰等于限值"}[lang]
    if told["op"] in ("<", "<="):
        over = {"en": f"{amount} over", "zh": f"超出{amount}"}
        left = {"en": f"{amount} left", "zh": f"尚余{amount}"}
        return (over if short else left)[lang]
    if told["op"] in (">", ">="):
        under = {"en": f"{amount} short", "zh": f"尚差{amount}"}
        above = {"en": f"{amount} to spare", "zh": f"超出下限{amount}"}
        return (under if short else above)[lang]
    return ""


def amount_of(written: str, unit: str | None, vocabulary: Vocabulary, lang: Lang) -> str:
    """A written number with its unit as people read it."""
    whole, _, fraction = written.partition(".")
    value = int(whole + fraction)
    if unit == "USD":
        return worded(value, Type("money", len(fraction)), None, lang)
    if unit == "day":
        return f"{value:,}天" if lang == "zh" else f"{value:,} day" + ("s" if value != 1 else "")
    named = vocabulary.units.get(unit) if unit else None
    return worded(value, Type("decimal", len(fraction)), named, lang)


def when(iso: str, lang: Lang) -> str:
    """A written date as people read it."""
    return day(date.fromisoformat(iso).toordinal(), lang)


def dated_from(decision: Decision, vocabulary: Vocabulary, lang: Lang) -> str:
    """Where the day comes from whose rules apply."""
    origin = decision["regime"]["as_of_from"]
    if origin == "caller":
        return {"en": "as entered", "zh": "按所填日期"}[lang]
    if origin == "today":
        return {"en": "today", "zh": "当日"}[lang]
    label = in_lang(vocabulary.facts[origin].label, lang)
    return f"the {label}" if lang == "en" else f"取自{label}"


def asked(decision: Decision, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """The facts still needed; those of an order that fails already are not called needed."""
    titles = {f["rule"]: f["title"] for f in decision["findings"]}
    return [
        {
            **row,
            "later": row["due"] in LATER,
            "for": [titles[rule] for rule in row["needed_by"] if rule in titles],
        }
        for row in decision["missing"]
    ]


def unknown_facts(finding: Mapping[str, Any], vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """The facts of a waiting finding that nobody has entered."""
    facts = vocabulary.facts
    return [
        row
        for row in finding["evidence"]
        if row.get("fact") in facts
        and facts[row["fact"]].derived is None
        and row["value"] is None
        and facts[row["fact"]].catalogue is None
    ]


def repair_words(repair: Mapping[str, Any], vocabulary: Vocabulary, lang: Lang) -> str:
    """The button that makes a change: `Set quantity ordered to 20,000 chips`."""
    label = repair["label"][lang]
    amount = amount_of(repair["to"], repair["unit"], vocabulary, lang)
    return f"Set {label} to {amount}" if lang == "en" else f"将{label}改为{amount}"


def quoted(citation: Mapping[str, Any], lang: Lang) -> tuple[str, str]:
    """The words of a source in the reader's language, and the original where that is another."""
    words = citation.get("quote", "")
    translated = citation.get(lang)
    if translated and lang == "zh":
        # Quotation marks within quotation marks.
        translated = translated.replace("“", "‘").replace("”", "’")
    return (translated, words) if words and translated else (words, "")


def relied(decision: Decision) -> list[dict[str, Any]]:
    """What the judged rules rest on, each once, with the document behind it."""
    rows = {
        row["fact"]: row
        for finding in decision["findings"]
        if finding["because"] not in ("not-in-force", "left-out")
        for row in finding["evidence"]
        if "fact" in row and row["text"] is not None
    }
    told = []
    for path, row in rows.items():
        paper = decision["basis"].get(path) or {}
        parts = paper if isinstance(paper, dict) else {"document": paper}
        told.append({**row, "paper": parts})
    return told


# --- on paper ---

_EASTERN, _BEIJING = ZoneInfo("America/New_York"), ZoneInfo("Asia/Shanghai")


def utc(now: datetime, lang: Lang) -> str:
    """A time in UTC."""
    return f"{when(now.date().isoformat(), lang)}{' ' if lang == 'en' else ''}{now:%H:%M} UTC"


def prepared(now: datetime, lang: Lang) -> str:
    """A time in UTC, and what the clocks of both capitals show then."""
    clocks = []
    for name, zone in (
        (Pair("US Eastern", "美国东部时间"), _EASTERN),
        (Pair("Beijing", "北京时间"), _BEIJING),
    ):
        there = now.astimezone(zone)
        on = when(there.date().isoformat(), lang) if there.date() != now.date() else ""
        if lang == "en":
            clocks.append(f"{on}{' ' if on else ''}{there:%H:%M} {name.en}")
        else:
            clocks.append(f"{name.zh}{on}{there:%H:%M}")
    return (
        f"{utc(now, lang)} ({', '.join(clocks)})"
        if lang == "en"
        else f"{utc(now, lang)}（{'，'.join(clocks)}）"
    )


def filed_text(finding: Mapping[str, Any], lang: Lang) -> str:
    """The sentences of a finding without its repair, save how many chips would fit."""
    text, repair = str(finding["text"][lang]), finding["repair"]
    if repair is None or (repair["fact"] == "order.quantity" and repair["op"] == "<="):
        return text
    label, bound = repair["label"][lang], repair["text"][lang]
    if lang == "en":
        return text.replace(f" It is met where {the(label)} is {bound}.", "")
    return text.replace(f"{label}{bound}的，本项即符合。", "")


# --- as plain text ---


def reasons(decision: Decision, lang: Lang, vocabulary: Vocabulary) -> str:
    """A decision as plain text, to be put into a message."""
    en = lang == "en"
    regime, found = decision["regime"], by_status(decision)
    lines = [decision["summary"][lang], decision["notice"][lang], ""]
    as_of = when(regime["as_of"], lang)
    title = regime["title"][lang]
    lines += [
        f"Rule set: {title}; rules as of {as_of}."
        if en
        else f"规则集：{title}；规则基准日：{as_of}。"
    ]
    if decision["hypothetical_policy"]:
        lines += ["HYPOTHETICAL RULES" if en else "规则经假设性变更"]
    outside = decision["status"] == "not-applicable"
    if not outside:
        lines += _numbered(found["unmet"], "Not met" if en else "不符合的条件", lang)
        lines += _numbered(found["unknown"], "Waiting for a fact" if en else "待查明的条件", lang)
        met = [f["title"][lang] for f in found["met"]]
        if met:
            lines += [
                "",
                ("Met: " if en else "符合的条件：")
                + ("; " if en else "；").join(met)
                + ("." if en else "。"),
            ]
    for name, notes in (
        ("Still to be fulfilled" if en else "仍须履行的事项", decision["obligations"]),
        ("Cautions" if en else "提示", decision["cautions"]),
    ):
        if notes:
            lines += ["", f"{name}:" if en else f"{name}："]
            lines += [f"- {note['text'][lang]}" for note in notes]
    left = ("; " if en else "；").join(p[lang] for p in decision["leaves_out"])
    if left:
        lines += ["", f"Not examined: {left}." if en else f"未审查事项：{left}。"]
    return "\n".join(lines)


def _numbered(findings: Sequence[Mapping[str, Any]], head: str, lang: Lang) -> Iterator[str]:
    if not findings:
        return
    yield ""
    yield f"{head}:" if lang == "en" else f"{head}："
    for number, f in enumerate(findings, 1):
        kind, sure = in_lang(KIND[f["kind"]], lang), in_lang(CERTAINTY[f["certainty"]], lang)
        if lang == "en":
            yield f"{number}. {f['title']['en']} ({kind}, {sure}): {f['text']['en']}"
        else:
            ordinal = "二" if number == 2 else numeral(number)
            yield f"{ordinal}、{f['title']['zh']}（{kind}，{sure}）：{f['text']['zh']}"


# --- faults beside fields ---

_FORM = {
    "integer": Pair("write digits, such as 20,000", "须填数字，如20,000"),
    "decimal": Pair("write digits, such as 15,832", "须填数字，如15,832"),
    "money": Pair(
        "write US dollars with at most two decimals, such as 27,000.00",
        "须填美元金额，至多两位小数，如27,000.00",
    ),
    "ratio": Pair("write per cent, such as 25%", "须填百分数，如25%"),
    "date": Pair("write year, month and day, such as 2026-02-01", "须填年月日，如2026-02-01"),
    "code": Pair("choose from the list", "须从列表中选择"),
    "text": Pair("at most 500 characters", "至多500个字符"),
    "boolean": Pair("choose yes, no or unknown", "须选择是、否或未知"),
}


def fault_text(
    fault: Diagnostic, lang: Lang, type: Type | None, label: Pair | None, is_long: bool = False
) -> str:
    """A fault in an officer's words; as the engine words it where it has no field.

    `is_long` says that a number of very many digits was typed.
    """
    own = fault.zh.replace("`", "") if lang == "zh" else ""
    if type is None:
        return own or fault.message + (f" ({fault.help})" if fault.help else "")
    form = in_lang(_FORM[type.kind], lang)
    if fault.code == "O206":
        return in_lang(
            Pair(
                "differs from the catalogue's value for this product; leave this field empty, "
                "or leave the product open",
                "与所选产品的目录值不一致；本栏留空，或不选产品",
            ),
            lang,
        )
    if is_long and type.is_numeric:
        high = worded(type.hi, type, None, lang)
        return f"is too large; at most {high}" if lang == "en" else f"数值过大，至多{high}"
    if fault.code in ("O203", "O210") and type.is_numeric and "outside" in fault.message:
        low, high = (worded(bound, type, None, lang) for bound in (type.lo, type.hi))
        return f"must lie between {low} and {high}" if lang == "en" else f"须介于{low}与{high}之间"
    if fault.code in ("O202", "O203", "O204", "O210", "O212"):
        return f"cannot be read; {form}" if lang == "en" else f"无法识别；{form}"
    name = in_lang(label, lang) if label else ""
    return own or f"{name}: {fault.message}"


def written_value(value: Any, fact: FactDefinition, vocabulary: Vocabulary, lang: Lang) -> str:
    """A held value as people read it, in the unit of its type."""
    if isinstance(value, str) and fact.type.codes is not None:
        return in_lang(vocabulary.label(fact.path, value), lang)
    unit = vocabulary.units.get(fact.type.unit or "") if fact.type.unit != "USD" else None
    return worded(value, fact.type, unit, lang)


def file_name(form_regime: str, iso: str, kind: str, lang: Lang) -> str:
    """The name of a download: never a customer, never a quantity."""
    return f"{'order' if lang == 'en' else '订单'}-{form_regime}-{iso}.{kind}"


def plain_reasons(decision: Decision, book: Rulebook) -> dict[str, str]:
    """The reasons in both languages."""
    return {lang: reasons(decision, lang, book.vocabulary) for lang in LANGS}


def change_words(
    change: Mapping[str, Any], regime: Regime, vocabulary: Vocabulary, lang: Lang
) -> str:
    """A change of the rules: `cap 100,000 chips instead of 75,000 chips`."""
    label = change["label"][lang]
    if "without" in change:
        return f"left out: {label}" if lang == "en" else f"不计入：{label}"
    kind = regime.parameters[change["parameter"]].type
    unit = vocabulary.units.get(kind.unit or "") if kind.unit != "USD" else None

    def told(written: str | None) -> str:
        held = None if written is None else read(written, kind)
        if held is None or isinstance(held, Misfit):
            return {"en": "none", "zh": "无"}[lang]
        return worded(held, kind, unit, lang)

    if lang == "en":
        return f"{label} {told(change['to'])} instead of {told(change['from'])}"
    return f"{label}由{told(change['from'])}改为{told(change['to'])}"
