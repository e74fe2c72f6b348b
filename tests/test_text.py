"""Conditions in words: every kind of expression, in both languages, with labels of a small world."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.backends.text import Clause, Group, amount_in_words, in_words, outline
from engine.diagnostics import Diagnostic, Source, Span
from engine.expression import Names, amount, condition
from engine.ir import Expr, Regime
from engine.load import Rulebook, load
from engine.source import Scalar
from engine.values import Type
from engine.words import LANGS

# ruff: noqa: E501

VOCABULARY = """
units:
  chip: {en: chip, plural: chips, zh: 片}
  TPP: {en: TPP, zh: " TPP"}
  USD: {en: USD, zh: 美元}
groups:
  what: {en: What, zh: 物项}
codes:
  place:
    codes:
      CN: {en: China, zh: 中国}
      JP: {en: Japan, zh: 日本}
      NO: {en: Norway, zh: 挪威}
  answer:
    codes:
      yes: {en: has no objection, zh: 无异议}
      deny: {en: recommends denial, zh: 建议拒绝}
  use:
    codes:
      civil: {en: non-military, zh: 非军事}
      military: {en: military, zh: 军事}
facts:
  order.quantity:
    {type: integer, unit: chip, min: 0, max: 1000, label: {en: chips ordered, zh: 本单数量}, held_by: buyer, group: what}
  order.past:
    {type: integer, unit: chip, min: 0, max: 1000, label: {en: chips to date, zh: 此前累计数量}, held_by: buyer, group: what}
  order.price:
    {type: money, min: 0, max: 1000, label: {en: price, zh: 单价}, held_by: buyer, group: what}
  order.paid:
    {type: money, min: 0, max: 1000000, label: {en: amount paid, zh: 已付金额}, held_by: buyer, group: what}
  order.value:
    {type: money, derived: order.quantity * order.price, min: 0, max: 1000000, label: {en: order value, zh: 订单金额}, held_by: nobody, group: what}
  order.placed_on: {type: date, label: {en: order date, zh: 下单日}, held_by: buyer, group: what}
  order.signed_on: {type: date, label: {en: signing date, zh: 签署日}, held_by: buyer, group: what}
  order.share: {type: ratio, label: {en: share, zh: 比例}, held_by: buyer, group: what}
  item.tpp:
    {type: decimal, scale: 2, unit: TPP, min: 0, max: 100000, label: {en: total performance, zh: 总性能}, held_by: nobody, group: what}
  item.density:
    {type: decimal, scale: 2, min: 0, max: 100, label: {en: density, zh: 密度}, held_by: nobody, group: what}
  pledge.signed:
    type: boolean
    label: {en: signing of the pledge, zh: 承诺是否签署}
    yes: {en: the pledge is signed, zh: 承诺已签署}
    no: {en: the pledge is not signed, zh: 承诺未签署}
    held_by: buyer
    group: what
  pledge.sealed:
    type: boolean
    label: {en: seal on the pledge, zh: 承诺是否盖章}
    yes: {en: the pledge is sealed, zh: 承诺已盖章}
    no: {en: the pledge is not sealed, zh: 承诺未盖章}
    held_by: buyer
    group: what
  order.destination:
    {type: code, codes: place, label: {en: destination, zh: 目的地}, says: {en: "the goods go to {value}", zh: "货物运往{value}"}, held_by: nobody, group: what}
  customer.country:
    {type: code, codes: place, label: {en: customer's country, zh: 客户所在地}, says: {en: "the customer is in {value}", zh: "客户位于{value}"}, held_by: nobody, group: what}
  customer.parent:
    {type: code, codes: place, label: {en: parent's country, zh: 母公司所在地}, held_by: nobody, group: what}
  review.state:
    {type: code, codes: answer, label: {en: "State's answer", zh: 美国国务院的意见}, says: {en: "State {value}", zh: "美国国务院{value}"}, held_by: agency, group: what}
  use.category:
    {type: code, codes: use, label: {en: end use, zh: 最终用途}, says: {en: "the end use is {value}", zh: "最终用途为{value}"}, held_by: nobody, group: what}
"""

SOURCES = """
paper: {title: {en: A paper, zh: 文件}, publisher: {en: Us, zh: 本处}, date: 2026-01-01, language: en, grade: primary}
"""

REGIME = """
title: {en: A regime, zh: 规则集}
summary: {en: Nothing., zh: 无。}
sources: [paper]
in_force: {from: 2026-01-01}
dated_by: order.placed_on
read_to: 2026-01-01
scope: order.destination in far
lists:
  far: {of: place, codes: [CN, JP], label: {en: "China or Japan", zh: 中国或日本}}
  north: {of: place, codes: [NO], label: {en: the north, zh: 北方}}
parameters:
  cap: {type: integer, unit: chip, label: {en: cap, zh: 上限}, values: [{from: 2026-01-01, value: 5}]}
  rate: {type: ratio, label: {en: rate, zh: 费率}, values: [{from: 2026-01-01, value: "0.25"}]}
  strict: {type: boolean, label: {en: strictness, zh: 从严}, values: [{from: 2026-01-01, value: true}]}
derive:
  fee_due: {type: money, round: up, value: rate * order.value, label: {en: fee due, zh: 应缴费用}}
rules: [only]
outcomes:
  met: {code: a, label: {en: A, zh: 甲}, meaning: {en: A., zh: 甲。}}
  unmet: {code: b, label: {en: B, zh: 乙}, meaning: {en: B., zh: 乙。}}
  unknown: {code: c, label: {en: C, zh: 丙}, meaning: {en: C., zh: 丙。}}
  not-applicable: {code: d, label: {en: D, zh: 丁}, meaning: {en: D., zh: 丁。}}
leaves_out: [{en: the rest, zh: 其余}]
"""

RULE = """
title: {en: A rule, zh: 规则}
kind: procedure
certainty: published
due: order
in_force: {from: 2026-01-01}
require: pledge.signed
cite: [{source: paper, says: {en: Sign it., zh: 须签署。}}]
examples:
  - {given: {pledge.signed: true}, finding: met}
  - {given: {pledge.signed: false}, finding: unmet}
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "small").mkdir()
    for name, text in (
        ("vocabulary.yaml", VOCABULARY),
        ("sources.yaml", SOURCES),
        ("small/regime.yaml", REGIME),
        ("small/only.yaml", RULE),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    return load(folder)


def _read(book: Rulebook, text: str, *, as_amount: bool = False) -> tuple[Expr, Regime]:
    regime, facts = book.regimes["small"], book.vocabulary.facts
    names = Names(
        {path: fact.type for path, fact in facts.items() if fact.derived is None},
        {
            **{path: fact.type for path, fact in facts.items() if fact.derived is not None},
            **{name: quantity.type for name, quantity in regime.quantities.items()},
        },
        {name: parameter.type for name, parameter in regime.parameters.items()},
        regime.lists,
        {name: frozenset(codes.codes) for name, codes in book.vocabulary.lists.items()},
    )
    faults: list[Diagnostic] = []
    scalar = Scalar(text, text, Span(Source("test", (text,)), 1, 1, 1, len(text) + 1), "")
    expr = (amount if as_amount else condition)(scalar, names, faults)
    assert expr is not None, faults
    return expr, regime


CONDITIONS = {
    # Constant
    "true": ("always", "始终成立"),
    "false": ("never", "始终不成立"),
    # Fact
    "pledge.signed": ("the pledge is signed", "承诺已签署"),
    # Parameter
    "strict": ("the answer to “strictness” is yes", "“从严”为是"),
    # Not
    "not pledge.signed": ("the pledge is not signed", "承诺未签署"),
    "not not pledge.signed": ("the pledge is signed", "承诺已签署"),
    "not (order.quantity <= cap)": ("the chips ordered are above the cap", "本单数量超过上限"),
    "not (pledge.signed and pledge.sealed)": (
        "the pledge is not signed or the pledge is not sealed",
        "承诺未签署，或承诺未盖章",
    ),
    "not (pledge.signed or pledge.sealed)": (
        "the pledge is not signed and the pledge is not sealed",
        "承诺未签署，且承诺未盖章",
    ),
    # Compare: yes and no
    "pledge.signed == true": ("the pledge is signed", "承诺已签署"),
    "pledge.signed != true": ("the pledge is not signed", "承诺未签署"),
    "pledge.signed == false": ("the pledge is not signed", "承诺未签署"),
    "not (pledge.signed == false)": ("the pledge is signed", "承诺已签署"),
    "pledge.signed == pledge.sealed": (
        "of “the pledge is signed” and “the pledge is sealed” both hold or neither does",
        "“承诺已签署”与“承诺已盖章”同时成立或同时不成立",
    ),
    "pledge.signed != pledge.sealed": (
        "of “the pledge is signed” and “the pledge is sealed” one holds and the other does not",
        "“承诺已签署”与“承诺已盖章”仅有一项成立",
    ),
    # Compare: counts
    "order.quantity < 1": ("the chips ordered are below 1 chip", "本单数量少于1片"),
    "order.quantity <= cap": ("the chips ordered are at most the cap", "本单数量不超过上限"),
    "order.quantity > cap": ("the chips ordered are above the cap", "本单数量超过上限"),
    "order.quantity >= cap": ("the chips ordered are at least the cap", "本单数量不少于上限"),
    "order.quantity == 5": ("the chips ordered are exactly 5 chips", "本单数量等于5片"),
    "order.quantity == 0": ("the chips ordered are zero", "本单数量为零"),
    "order.quantity != 5": ("the chips ordered are not 5 chips", "本单数量不等于5片"),
    "5 <= order.quantity": ("the chips ordered are at least 5 chips", "本单数量不少于5片"),
    # Compare: measures, money, ratios
    "item.tpp < 4800.5": ("total performance is below 4,800.5 TPP", "总性能低于4,800.5 TPP"),
    "item.tpp >= 4800": ("total performance is at least 4,800 TPP", "总性能不低于4,800 TPP"),
    "item.density > 5.92": ("the density is above 5.92", "密度高于5.92"),
    "order.paid >= 1000.00": (
        "the amount paid is at least USD 1,000.00",
        "已付金额不少于1,000.00美元",
    ),
    "order.share <= 0.5": ("the share is at most 50 %", "比例不超过50%"),
    # Compare: dates
    "order.signed_on < order.placed_on": (
        "the signing date is before the order date",
        "签署日早于下单日",
    ),
    "order.signed_on <= order.placed_on": (
        "the signing date is on or before the order date",
        "签署日不晚于下单日",
    ),
    "order.signed_on > order.placed_on": (
        "the signing date is after the order date",
        "签署日晚于下单日",
    ),
    'order.placed_on >= date("2026-01-15")': (
        "the order date is on or after 15 January 2026",
        "下单日不早于2026年1月15日",
    ),
    "order.signed_on == order.placed_on": (
        "the signing date is the same day as the order date",
        "签署日与下单日为同一日",
    ),
    "order.signed_on != order.placed_on": (
        "the signing date is not the same day as the order date",
        "签署日与下单日不是同一日",
    ),
    'order.placed_on == date("2026-01-15")': (
        "the order date is 15 January 2026",
        "下单日为2026年1月15日",
    ),
    'order.placed_on != date("2026-01-15")': (
        "the order date is not 15 January 2026",
        "下单日不是2026年1月15日",
    ),
    # Compare: codes
    'customer.country == "CN"': ("the customer is in China", "客户位于中国"),
    '"CN" == customer.country': ("the customer is in China", "客户位于中国"),
    'customer.country != "CN"': ("the customer is not in China", "客户不位于中国"),
    'customer.parent == "CN"': ("the parent's country is China", "母公司所在地为中国"),
    'customer.parent != "CN"': ("the parent's country is not China", "母公司所在地不是中国"),
    'order.destination != "NO"': ("the destination is not “Norway”", "目的地不是“挪威”"),
    'review.state == "deny"': ("State recommends denial", "美国国务院建议拒绝"),
    'review.state != "deny"': (
        "the State's answer is not “recommends denial”",
        "美国国务院的意见不是“建议拒绝”",
    ),
    'use.category == "civil"': ("the end use is non-military", "最终用途为非军事"),
    'use.category != "civil"': ("the end use is not “non-military”", "最终用途不是“非军事”"),
    'use.category != "military"': ("the end use is not military", "最终用途不是军事"),
    "customer.country == customer.parent": (
        "the customer's country is the same as the parent's country",
        "客户所在地与母公司所在地相同",
    ),
    "customer.country != customer.parent": (
        "the customer's country is other than the parent's country",
        "客户所在地与母公司所在地不同",
    ),
    # Member
    'customer.country in ["CN", "JP", "NO"]': (
        "the customer is in China, Japan or Norway",
        "客户位于中国、日本或挪威",
    ),
    'customer.country not in ["CN", "JP"]': (
        "the customer is not in China or Japan",
        "客户不位于中国或日本",
    ),
    "order.destination in far": ("the goods go to China or Japan", "货物运往中国或日本"),
    "customer.country not in north": ("the customer is not in the north", "客户不位于北方"),
    "not (customer.country in north)": ("the customer is not in the north", "客户不位于北方"),
    "customer.country in north or customer.country in far": (
        "the customer is in the north, or China or Japan",
        "客户位于北方或中国或日本",
    ),
    'customer.country in north or customer.country == "CN"': (
        "the customer is in the north or China",
        "客户位于北方或中国",
    ),
    # Arithmetic
    "order.past + order.quantity <= cap": (
        "the chips to date and the chips ordered together come to at most the cap",
        "此前累计数量与本单数量之和不超过上限",
    ),
    "order.past + order.quantity + 5 > cap": (
        "the chips to date, the chips ordered and 5 chips together come to more than the cap",
        "此前累计数量、本单数量与5片之和超过上限",
    ),
    "order.quantity <= order.past + cap": (
        "the chips ordered are at most the sum of the chips to date and the cap",
        "本单数量不超过此前累计数量与上限之和",
    ),
    "order.quantity - order.past >= cap": (
        "the chips ordered less the chips to date are at least the cap",
        "本单数量减去此前累计数量的差不少于上限",
    ),
    "order.paid >= rate * order.value": (
        "the amount paid is at least the order value times the rate",
        "已付金额不少于订单金额×费率",
    ),
    "order.quantity <= 0.5 * order.past": (
        "the chips ordered are at most 50 % of the chips to date",
        "本单数量不超过此前累计数量的50%",
    ),
    "order.quantity <= 2 * order.past": (
        "the chips ordered are at most 2 times the chips to date",
        "本单数量不超过此前累计数量的2倍",
    ),
    "order.quantity <= 2 * (order.past + cap)": (
        "the chips ordered are at most 2 times (the sum of the chips to date and the cap)",
        "本单数量不超过（此前累计数量与上限之和）的2倍",
    ),
    "order.quantity <= min(order.past, cap)": (
        "the chips ordered are at most the smaller of the chips to date and the cap",
        "本单数量不超过此前累计数量与上限中的较小者",
    ),
    "order.quantity <= max(order.past, cap)": (
        "the chips ordered are at most the larger of the chips to date and the cap",
        "本单数量不超过此前累计数量与上限中的较大者",
    ),
    'order.placed_on <= min(order.signed_on, date("2026-01-15"))': (
        "the order date is on or before the earlier of the signing date and 15 January 2026",
        "下单日不晚于签署日与2026年1月15日中的较早者",
    ),
    # Derived
    "order.paid >= fee_due": ("the amount paid is at least the fee due", "已付金额不少于应缴费用"),
    # And, Or
    "pledge.signed and pledge.sealed": (
        "the pledge is signed and the pledge is sealed",
        "承诺已签署，且承诺已盖章",
    ),
    "pledge.signed or pledge.sealed": (
        "the pledge is signed or the pledge is sealed",
        "承诺已签署，或承诺已盖章",
    ),
    "pledge.signed and pledge.sealed and order.quantity > cap": (
        "the pledge is signed, the pledge is sealed and the chips ordered are above the cap",
        "承诺已签署，承诺已盖章，且本单数量超过上限",
    ),
    'customer.country in ["CN", "JP"] and pledge.signed': (
        "the customer is in China or Japan, and the pledge is signed",
        "客户位于中国或日本，且承诺已签署",
    ),
    'customer.country in ["CN", "JP", "NO"] and pledge.signed and pledge.sealed': (
        "the customer is in China, Japan or Norway; the pledge is signed; "
        "and the pledge is sealed",
        "客户位于中国、日本或挪威；承诺已签署；且承诺已盖章",
    ),
    "(pledge.signed or pledge.sealed) and order.quantity > cap": (
        "(the pledge is signed or the pledge is sealed) and the chips ordered are above the cap",
        "（承诺已签署，或承诺已盖章），且本单数量超过上限",
    ),
    "item.tpp > 100 and item.tpp < 200": (
        "total performance is above 100 TPP and below 200 TPP",
        "总性能高于100 TPP且低于200 TPP",
    ),
    "item.tpp <= 100 or item.tpp >= 200 or pledge.signed": (
        "total performance is at most 100 TPP or at least 200 TPP, or the pledge is signed",
        "总性能不超过100 TPP或不低于200 TPP，或承诺已签署",
    ),
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_is_said_in_whole_phrases(text: str, book: Rulebook) -> None:
    expr, regime = _read(book, text)
    said = tuple(in_words(expr, regime, book.vocabulary, lang) for lang in LANGS)
    assert said == CONDITIONS[text]


AMOUNTS = {
    "order.quantity": ("the chips ordered", "本单数量"),
    "cap": ("the cap", "上限"),
    "fee_due": ("the fee due", "应缴费用"),
    "1500": ("1,500", "1,500"),
    "rate * order.value": ("the order value times the rate", "订单金额×费率"),
    "order.value + fee_due": (
        "the sum of the order value and the fee due",
        "订单金额与应缴费用之和",
    ),
}


@pytest.mark.parametrize("text", AMOUNTS)
def test_an_amount_is_said_as_a_noun(text: str, book: Rulebook) -> None:
    expr, regime = _read(book, text, as_amount=True)
    said = tuple(in_words(expr, regime, book.vocabulary, lang) for lang in LANGS)
    assert said == AMOUNTS[text]


def test_an_outline_keeps_groups_apart_and_joins_what_is_joined_alike(book: Rulebook) -> None:
    text = "pledge.signed and (pledge.sealed and not (order.quantity <= cap and strict))"
    expr, regime = _read(book, text)
    assert outline(expr, regime, book.vocabulary, "en") == Group(
        True,
        (
            Clause("the pledge is signed"),
            Clause("the pledge is sealed"),
            Group(
                False,
                (
                    Clause("the chips ordered are above the cap"),
                    Clause("the answer to “strictness” is no"),
                ),
            ),
        ),
    )


VALUES = [
    (True, Type("boolean"), ("yes", "是")),
    (None, Type("integer"), ("", "")),
    (1, Type("integer", 0, "chip"), ("1 chip", "1片")),
    (75000, Type("integer", 0, "chip"), ("75,000 chips", "75,000片")),
    (2_100_000, Type("decimal", 2, "TPP"), ("21,000 TPP", "21,000 TPP")),
    (675_000, Type("money", 2, "USD"), ("USD 6,750.00", "6,750.00美元")),
    (125, Type("ratio", 3), ("12.5 %", "12.5%")),
    (739_648, Type("date"), ("1 February 2026", "2026年2月1日")),
    ("CN", Type("code", codes="place"), ("CN", "CN")),
]


@pytest.mark.parametrize(("value", "type", "said"), VALUES)
def test_a_value_is_said_with_its_unit(
    value: bool | int | str | None, type: Type, said: tuple[str, str], book: Rulebook
) -> None:
    told = tuple(amount_in_words(value, type, book.vocabulary, lang) for lang in LANGS)
    assert told == said


def test_every_shipped_condition_can_be_said_without_a_name_of_the_code(
    rulebook: Rulebook,
) -> None:
    for regime in rulebook.regimes.values():
        exprs = [regime.scope, *(quantity.value for quantity in regime.quantities.values())]
        for rule in regime.rules:
            notes = [*rule.remarks, *rule.cautions, *rule.obligations]
            exprs += [rule.require, *(note.when for note in notes)]
        for expr in exprs:
            for lang in LANGS:
                said = in_words(expr, regime, rulebook.vocabulary, lang)
                assert said
                assert "_" not in said
                assert "{" not in said
