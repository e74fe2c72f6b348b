"""What is said of a decision as a whole: the verdict in a sentence or two, cautions about dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.generate import Judgement
from engine.ir import Pair, ParameterValues, Regime, Rule, Status
from engine.scene import Scene
from engine.sentences import told
from engine.words import (
    BECAUSE,
    CERTAINTY,
    KIND,
    Lang,
    day,
    in_lang,
    listed,
    sentence,
    worded,
)

_GOVERNMENT = ("licence-condition", "procedure", "duty", "import-gate")
_NUMERALS = "零一二三四五六七八九十"


def summary(
    scene: Scene,
    judgement: Judgement,
    only: Sequence[str],
    changes: Sequence[Mapping[str, Any]],
    missing: Sequence[str],
    lang: Lang,
) -> str:
    """The verdict with its count, whose conditions failed, and what was changed or selected."""
    label = in_lang(label_of(scene.program.regime, judgement.status, only), lang)
    parts = [_verdict(scene, judgement, label, lang)]
    if judgement.status == "unmet":
        parts.append(_whose(judgement, lang))
    parts.append(_enough(scene, missing, lang))
    parts += [_only(only, lang), _changes(scene, changes, lang)]
    return (" " if lang == "en" else "").join(part for part in parts if part)


def at_odds(
    scene: Scene,
    label: Pair,
    titles: Sequence[Pair],
    only: Sequence[str],
    changes: Sequence[Mapping[str, Any]],
    lang: Lang,
) -> str:
    """The verdict where two evaluators disagree, and on which conditions; on none, as a whole."""
    named = "; ".join(t.en for t in titles) if lang == "en" else "；".join(t.zh for t in titles)
    count = len(titles)
    if lang == "en":
        on = "the outcome alone"
        if titles:
            on = f"{count} condition{'s' if count > 1 else ''}: {named}"
        parts = [f"{label.en}. The two evaluators differ on {on}."]
    elif titles:
        parts = [f"{label.zh}。两个程序对{numeral(count)}项条件的判断不同（{named}）。"]
    else:
        parts = [f"{label.zh}。两个程序对各项条件的判断相同，总体结论不同。"]
    parts += [_only(only, lang), _changes(scene, changes, lang)]
    return (" " if lang == "en" else "").join(part for part in parts if part)


def label_of(regime: Regime, status: Status, only: Sequence[str]) -> Pair:
    """The label of an outcome; a selection of rules never reads as the whole."""
    label = regime.outcomes[status].label
    if not only:
        return label
    return Pair(f"{label.en} (of the rules judged alone)", f"{label.zh}（仅就所判断的规则而言）")


def meaning_of(regime: Regime, status: Status, only: Sequence[str]) -> Pair:
    """What an outcome means; of a selection only that it is one."""
    if not only:
        return regime.outcomes[status].meaning
    return Pair(
        "Only selected rules were judged; nothing is said of the others, nor of the order as a whole.",
        "仅判断了所选规则，对其余规则及订单整体不作任何判断。",
    )


def _verdict(scene: Scene, judgement: Judgement, label: str, lang: Lang) -> str:
    judged = [f for f in judgement.findings if f.because is None]
    total = len(judged)
    met = sum(f.status == "met" for f in judged)
    failed = [in_lang(f.rule.title, lang) for f in judged if f.status == "unmet"]
    en = lang == "en"
    match judgement.status:
        case "not-applicable":
            return _outside(scene, judgement, label, lang)
        case "met":
            if en:
                return f"{label}: {met} of {total}."
            return f"{label}：{_shares([(met, '符合')], total)}。"
        case "unmet":
            if en:
                verb = "is" if len(failed) == 1 else "are"
                count = f"{len(failed)} of {total} conditions {verb} not met"
                if len(failed) == total > 1:
                    count = f"None of the {total} conditions is met"
                return f"{label}. {count}: {'; '.join(failed)}."
            count = f"{numeral(total)}项中{numeral(len(failed))}项不符合"
            if len(failed) == total:
                count = _shares([(total, "不符合")], total)
            return f"{label}：{count}（{'；'.join(failed)}）。"
        case _:
            return _open(scene, judgement, label, lang)


def _open(scene: Scene, judgement: Judgement, label: str, lang: Lang) -> str:
    """The verdict while something is unknown: what is counted so far, and whether scope is open."""
    judged = [f for f in judgement.findings if f.because is None]
    total = len(judged)
    counts = {s: sum(f.status == s for f in judged) for s in ("met", "unmet", "unknown")}
    en = lang == "en"
    scope = ""
    if judgement.scope is None:
        missing = told(scene, [scene.program.regime.scope], lang)
        scope = (
            f" Whether this rule set covers the order is itself open ({missing})."
            if en
            else f"本规则集是否适用于该订单亦待查明（{missing}）。"
        )
    if en:
        counted = [
            f"{counts['met']} of {total} conditions met" if counts["met"] else "",
            f"{counts['unmet']} not met" if counts["unmet"] else "",
            f"{counts['unknown']} waiting for a fact" if counts["unknown"] else "",
        ]
        start = "" if counts["unmet"] else "Nothing has failed: "
        return f"{label}. {start}{', '.join(t for t in counted if t)}.{scope}"
    parts = [(counts["met"], "符合"), (counts["unmet"], "不符合"), (counts["unknown"], "待查明")]
    start = "" if counts["unmet"] else "目前没有不符合的条件："
    return f"{label}。{start}{_shares(parts, total)}。{scope}"


def _shares(parts: Sequence[tuple[int, str]], total: int) -> str:
    """`九项中七项符合，两项待查明`, `九项均不符合`."""
    told = [(count, what) for count, what in parts if count]
    if len(told) == 1:
        return f"{numeral(total)}项均{told[0][1]}" if total > 1 else f"一项{told[0][1]}"
    return f"{numeral(total)}项中" + "，".join(f"{numeral(n)}项{what}" for n, what in told)


def _outside(scene: Scene, judgement: Judgement, label: str, lang: Lang) -> str:
    regime = scene.program.regime
    en = lang == "en"
    if judgement.scope is False:
        reason = told(scene, [regime.scope], lang, "scope")
    elif not scene.program.in_force:
        period, here = regime.in_force, day(scene.program.day, lang)
        edge = day(period.start, lang)
        ended = period.until is not None and scene.program.day >= period.until
        if period.until is not None and ended:
            edge = day(period.until, lang)
        if en:
            verb = "ended" if ended else "begins"
            reason = f"the rule set is not in force on {here}; it {verb} on {edge}"
        else:
            verb = "起不再适用" if ended else "起适用"
            reason = f"本规则集自{edge}{verb}，{here}不在其列"
    else:
        label_ = "no rule is left to judge" if en else "没有可供判断的规则"
        return f"{label}: {label_}." if en else f"{label}：{label_}。"
    tail = in_lang(regime.outcomes["not-applicable"].meaning, lang)
    if en:
        return f"{label}: {reason}. {tail}"
    return f"{label}：{sentence(reason, lang)}{tail}"


def _whose(judgement: Judgement, lang: Lang) -> str:
    """Say it when only a seller's terms, or only disputed ones, stand in the way."""
    judged = [f.rule for f in judgement.findings if f.because is None]
    failed = [f.rule for f in judgement.findings if f.status == "unmet"]
    whole = not any(f.because == "left-out" for f in judgement.findings)
    if not (whole and any(rule.kind in _GOVERNMENT for rule in judged)):
        return ""
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
            "None of the government's conditions fails; only the seller's own terms are not met."
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


def _enough(scene: Scene, missing: Sequence[str], lang: Lang) -> str:
    """Say that the missing facts decide the order; a missing product may leave figures open."""
    if not missing or any(path in scene.program.vocabulary.catalogue for path in missing):
        return ""
    count = len(missing)
    if lang == "zh":
        return f"查明尚缺的{numeral(count)}项信息后即可判定，无须其他信息。"
    if count == 1:
        return "The one fact still missing decides it; no other is needed."
    return f"The {count} facts still missing decide it; no other is needed."


def _only(only: Sequence[str], lang: Lang) -> str:
    """Which rules were selected: one of the kinds, and each of the certainties."""
    if not only:
        return ""
    kinds = [in_lang(KIND[o.removeprefix("kind=")], lang) for o in only if o.startswith("kind=")]
    floors = [
        in_lang(CERTAINTY[o.removeprefix("certainty>=")], lang)
        for o in only
        if o.startswith("certainty>=")
    ]
    if lang == "en":
        parts = (
            [f"of the kind {listed([f'“{k}”' for k in kinds], lang, last='or')}"] if kinds else []
        )
        parts += [f"as sure as “{floor}” or surer" for floor in floors]
        return f"Only rules {' and '.join(parts)} were judged."
    parts = [f"性质为{'或'.join(f'“{k}”' for k in kinds)}"] if kinds else []
    parts += [f"依据不弱于“{floor}”" for floor in floors]
    return f"仅判断{'且'.join(parts)}的规则。"


def _changes(scene: Scene, changes: Sequence[Mapping[str, Any]], lang: Lang) -> str:
    if not changes:
        return ""
    parts: list[str] = []
    en = lang == "en"
    for change in changes:
        label = change["label"][lang]
        if "without" in change:
            parts.append(f"without “{label}”" if en else f"不计“{label}”")
            continue
        parameter = scene.program.regime.parameters[change["parameter"]]
        new = _amount(scene, scene.program.parameters[parameter.name], parameter, lang)
        dated = parameter.on(scene.program.day)
        old = _amount(scene, None if dated is None else dated[1], parameter, lang)
        parts.append(f"{label} {new} instead of {old}" if en else f"{label}由{old}改为{new}")
    if en:
        return f"Hypothetical rules: {'; '.join(parts)}."
    return f"规则经假设性变更：{'；'.join(parts)}。"


def _amount(scene: Scene, value: object, parameter: ParameterValues, lang: Lang) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        unit = scene.program.vocabulary.units.get(parameter.type.unit or "")
        return worded(value, parameter.type, unit if lang == "zh" else None, lang)
    if value is None:
        return "none" if lang == "en" else "无"
    return str(value)


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


def date_cautions(
    regime: Regime, dated_by: Pair, today: int, day_from: str
) -> list[tuple[str | None, Pair]]:
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
                    f"The date that decides which rules apply ({dated_by.en}) is not recorded; "
                    f"{origin.en}.",
                    f"未录入决定适用规则的日期（{dated_by.zh}），{origin.zh}。",
                ),
            )
        )
    return cautions


def hindsight(rules: Sequence[Rule], today: int) -> Pair | None:
    """A caution where rules are applied to a day on which nobody knew of them yet."""
    later = [(r, r.known_from) for r in rules if r.known_from is not None and today < r.known_from]
    if not later:
        return None
    en = "; ".join(f"“{rule.title.en}” (first known {day(known, 'en')})" for rule, known in later)
    zh = "；".join(f"“{rule.title.zh}”（最早见于{day(known, 'zh')}）" for rule, known in later)
    return Pair(
        f"Hindsight: not yet reported on {day(today, 'en')}: {en}.",
        f"事后信息：{day(today, 'zh')}时尚未见报道：{zh}。",
    )
