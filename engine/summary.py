"""What is said of a decision as a whole: the verdict in a sentence or two, cautions about dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.evaluate import Judgement
from engine.ir import Pair, Regime, Rule
from engine.sentences import Scene
from engine.words import (
    BECAUSE,
    CERTAINTY,
    KIND,
    Lang,
    day,
    grouped,
    in_lang,
    joined,
    sentence,
)

_GOVERNMENT = ("licence-condition", "procedure", "duty", "import-gate")
_NUMERALS = "零一二三四五六七八九十"


def summary(
    scene: Scene,
    judgement: Judgement,
    only: Sequence[str],
    changes: Sequence[Mapping[str, Any]],
    lang: Lang,
) -> str:
    """The verdict with its count, whose conditions failed, and what was changed or selected."""
    label = in_lang(scene.program.regime.outcomes[judgement.status].label, lang)
    parts = [_verdict(scene, judgement, label, lang)]
    if judgement.status == "unmet":
        parts.append(_whose(judgement, lang))
    parts += [_only(only, lang), _changes(changes, lang)]
    return (" " if lang == "en" else "").join(part for part in parts if part)


def _verdict(scene: Scene, judgement: Judgement, label: str, lang: Lang) -> str:
    judged = [f for f in judgement.findings if f.because is None]
    met = sum(f.status == "met" for f in judged)
    unmet = sum(f.status == "unmet" for f in judged)
    unknown = sum(f.status == "unknown" for f in judged)
    total = len(judged)
    en = lang == "en"
    match judgement.status:
        case "not-applicable":
            return _outside(scene, judgement, label, lang)
        case "met":
            if en:
                return f"{label}: {met} of {total}."
            return f"{label}：{numeral(total)}项均符合。"
        case "unmet":
            titles = [in_lang(f.rule.title, lang) for f in judged if f.status == "unmet"]
            if en:
                verb = "is" if unmet == 1 else "are"
                return (
                    f"{label}. {unmet} of {total} conditions {verb} not met: {'; '.join(titles)}."
                )
            return (
                f"{label}：{numeral(total)}项中{numeral(unmet)}项不符合（{'、'.join(titles)}）。"
            )
        case _:
            if en:
                start = "Nothing has failed" if not unmet else f"{unmet} not met"
                scope = (
                    " Whether this rule set covers the order is itself open."
                    if judgement.scope is None
                    else ""
                )
                await_ = "awaits" if unknown == 1 else "await"
                return (
                    f"{label}. {start}: {met} of {total} conditions are met, "
                    f"{unknown} {await_} a fact.{scope}"
                )
            start = "目前没有不符合的条件" if not unmet else f"{numeral(unmet)}项不符合"
            scope = "本规则集是否适用于该订单，亦待查明。" if judgement.scope is None else ""
            return (
                f"{label}。{start}：{numeral(total)}项中{numeral(met)}项符合，"
                f"{numeral(unknown)}项待查明。{scope}"
            )


def _outside(scene: Scene, judgement: Judgement, label: str, lang: Lang) -> str:
    regime = scene.program.regime
    en = lang == "en"
    if judgement.scope is False:
        reason = joined(scene.clauses(list(scene.atoms(regime.scope)), lang), lang)
    elif not scene.program.in_force:
        start = day(regime.in_force.start, lang)
        here = day(scene.program.day, lang)
        reason = (
            f"the rule set is not in force on {here}; it begins on {start}"
            if en
            else f"本规则集于{start}起适用，{here}不在其列"
        )
    else:
        reason = "no rule is left to judge" if en else "没有可供判断的规则"
    tail = (
        "This rule set says nothing about this order. A licence may still be required."
        if en
        else "本规则集对该订单不作任何判断。该订单仍可能需要许可证。"
    )
    if en:
        return f"{label}: {reason}. {tail}"
    return f"{label}：{sentence(reason, lang)}{tail}"


def _whose(judgement: Judgement, lang: Lang) -> str:
    """Say it when only a seller's terms, or only disputed ones, stand in the way."""
    failed = [f.rule for f in judgement.findings if f.status == "unmet"]
    open_ = any(f.status == "unknown" for f in judgement.findings)
    en = lang == "en"
    if all(rule.kind == "seller-term" for rule in failed):
        if open_:
            return (
                "Of the conditions known so far, only the seller's own terms are not met."
                if en
                else "就已知事实而言，仅卖方合同条款不符合。"
            )
        return (
            "No government condition is failed; only the seller's own terms are."
            if en
            else "政府所设条件均符合，仅卖方合同条款不符合。"
        )
    if all(rule.certainty == "disputed" for rule in failed):
        return (
            "Only conditions whose sources are disputed stand in the way."
            if en
            else "不符合的仅为来源存在争议的条件。"
        )
    return ""


def _only(only: Sequence[str], lang: Lang) -> str:
    if not only:
        return ""
    parts: list[str] = []
    for part in only:
        if part.startswith("kind="):
            parts.append(in_lang(KIND[part.removeprefix("kind=")], lang))
        else:
            word = in_lang(CERTAINTY[part.removeprefix("certainty>=")], lang)
            parts.append(f"{word} or surer" if lang == "en" else f"确定程度不低于“{word}”")
    if lang == "en":
        return f"Only these rules were judged: {', '.join(parts)}."
    return f"仅判断下列规则：{'、'.join(parts)}。"


def _changes(changes: Sequence[Mapping[str, Any]], lang: Lang) -> str:
    if not changes:
        return ""
    parts: list[str] = []
    for change in changes:
        label = change["label"][lang]
        if "without" in change:
            parts.append(f"without “{label}”" if lang == "en" else f"不计“{label}”")
            continue
        old, new = _shown(change["from"]), _shown(change["to"])
        if lang == "en":
            parts.append(f"{label} {new} instead of {old}")
        else:
            parts.append(f"{label}由{old}改为{new}")
    if lang == "en":
        return f"Hypothetical rules: {'; '.join(parts)}."
    return f"规则经假设性变更：{'；'.join(parts)}。"


def _shown(value: object) -> str:
    text = str(value)
    whole, dot, fraction = text.partition(".")
    return f"{grouped(int(whole), 0)}{dot}{fraction}" if whole.lstrip("-").isdigit() else text


def numeral(count: int) -> str:
    """A small count as Chinese prose writes it: 九, 十二, 二十."""
    if count == 2:
        return "两"
    if count <= 10:
        return _NUMERALS[count]
    tens, ones = divmod(count, 10)
    if tens >= 10:
        return str(count)
    return (_NUMERALS[tens] if tens > 1 else "") + "十" + (_NUMERALS[ones] if ones else "")


def set_aside(rule: Rule, because: str | None, today: int, lang: Lang) -> str:
    """Why a rule was not judged."""
    if because == "not-in-force":
        start = day(rule.in_force.start, lang)
        here = day(today, lang)
        if today < rule.in_force.start:
            return (
                f"Not in force on {here}; it comes into force on {start}."
                if lang == "en"
                else f"{here}尚未生效，自{start}起适用。"
            )
        return f"No longer in force on {here}." if lang == "en" else f"{here}已不再适用。"
    return sentence(in_lang(BECAUSE["left-out"], lang), lang)


def not_concerned(lang: Lang) -> str:
    """The opening of a finding whose precondition is not fulfilled."""
    return "Does not apply." if lang == "en" else "不涉及。"


def date_cautions(regime: Regime, today: int, day_from: str) -> list[tuple[str | None, Pair]]:
    """Cautions about the day: beyond what was read, or not the day that dates the regime."""
    cautions: list[tuple[str | None, Pair]] = []
    if today > regime.read_to:
        en, zh = day(regime.read_to, "en"), day(regime.read_to, "zh")
        cautions.append(
            (
                None,
                Pair(
                    f"The sources were read only to {en}; later changes are not in this rule set.",
                    f"来源仅查阅至{zh}，其后的变化未列入本规则集。",
                ),
            )
        )
    if day_from not in ("caller", regime.dated_by):
        en, zh = day(today, "en"), day(today, "zh")
        origin = (
            Pair("today's date was used", "按当日日期判断")
            if day_from == "today"
            else Pair(f"the order date, {en}, was used", f"按下单日{zh}判断")
        )
        cautions.append(
            (
                None,
                Pair(
                    f"The date that decides which rules apply ({regime.dated_by}) is not recorded; "
                    f"{origin.en}.",
                    f"未录入决定适用规则的日期（{regime.dated_by}），{origin.zh}。",
                ),
            )
        )
    return cautions


def hindsight(rule: Rule, today: int) -> Pair | None:
    """A caution where a rule is applied to a day on which nobody knew of it yet."""
    if rule.known_from is None or today >= rule.known_from:
        return None
    return Pair(
        f"Hindsight: on {day(today, 'en')} “{rule.title.en}” had not been reported "
        f"(first known {day(rule.known_from, 'en')}).",
        f"事后信息：{day(today, 'zh')}时，“{rule.title.zh}”尚未见报道"
        f"（最早见于{day(rule.known_from, 'zh')}）。",
    )
