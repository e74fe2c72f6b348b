"""What people read: numbers, reasons and gaps in whole sentences of both languages.

The expected sentences were written by hand from how a compliance officer would put them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from api.service import Asked, Service
from api.wire import DecisionWire
from engine.order import Document

ROOT = Path(__file__).parent.parent
DAY = date(2026, 2, 1).toordinal()

COMPLETE: Mapping[str, Any] = {
    "item.product": "H200-SXM",
    "order.quantity": 20000,
    "order.unit_price": "27000.00",
    "order.destination": "CN",
    "order.placed_on": "2026-01-20",
    "customer.units_to_date": 55000,
    "customer.military_end_user": False,
    "end_use.category": "civil",
    "pledge.submitted": True,
    "pledge.non_military": True,
    "pledge.signed_on": "2026-01-10",
    "review.commerce": "approve",
    "review.state": "no-objection",
    "review.defense": "approve-with-conditions",
    "fee.paid": "135000000.00",
    "payment.prepaid": "540000000.00",
    "terms.cancellable": False,
    "terms.refundable": False,
    "terms.configuration_changeable": False,
}


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(ROOT / "rules")


def decided(
    service: Service, changes: Mapping[str, Any] = {}, regime: str = "h200-article", **asked: Any
) -> dict[str, Any]:
    facts = {p: v for p, v in {**COMPLETE, **changes}.items() if v is not None}
    return service.decide(Document(facts), Asked(DAY, regime, DAY, **asked))


def text_of(decision: dict[str, Any], rule: str, lang: str) -> str:
    text: str = next(f["text"][lang] for f in decision["findings"] if f["rule"] == rule)
    return text


SENTENCES = [
    # rule, changes, English, Chinese
    (
        "customer-cap",
        {},
        "55,000 chips to date + 20,000 in this order = 75,000, exactly the cap of 75,000; "
        "nothing is left.",
        "此前累计55,000片，加本单20,000片，合计75,000片，恰等于75,000片上限，已无余量。",
    ),
    (
        "customer-cap",
        {"order.quantity": 20001},
        "55,000 chips to date + 20,001 in this order = 75,001, 1 over the cap of 75,000.",
        "此前累计55,000片，加本单20,001片，合计75,001片，超出75,000片上限1片。",
    ),
    (
        "customer-cap",
        {"order.quantity": 19990},
        "55,000 chips to date + 19,990 in this order = 74,990, 10 below the cap of 75,000.",
        "此前累计55,000片，加本单19,990片，合计74,990片，距75,000片上限尚余10片。",
    ),
    (
        "transaction-fee",
        {"order.quantity": 20001},
        "25 % of the order value (USD 540,027,000.00) is USD 135,006,750.00; "
        "USD 135,000,000.00 paid, USD 6,750.00 short.",
        "订单金额540,027,000.00美元的25%为135,006,750.00美元；"
        "已缴135,000,000.00美元，尚差6,750.00美元。",
    ),
    (
        "non-military-pledge",
        {"pledge.signed_on": "2026-01-22"},
        "The pledge was signed on 22 January 2026, 2 days after the order date, 20 January 2026.",
        "承诺签署于2026年1月22日，晚于下单日2026年1月20日2天。",
    ),
    (
        "multi-agency-review",
        {"review.state": "deny"},
        "The US State Department recommends denial",
        "美国国务院建议拒绝",
    ),
    (
        "multi-agency-review",
        {"review.state": None},
        "Not recorded: US State Department's recommendation.",
        "未录入：美国国务院的意见。",
    ),
    (
        "no-refund",
        {},
        "The contract gives the buyer no right to a refund.",
        "合同",
    ),
]


@pytest.mark.parametrize(("rule", "changes", "english", "chinese"), SENTENCES)
def test_a_finding_says_its_numbers_in_both_languages(
    service: Service, rule: str, changes: Mapping[str, Any], english: str, chinese: str
) -> None:
    decision = decided(service, changes)
    assert text_of(decision, rule, "en").startswith(english)
    assert text_of(decision, rule, "zh").startswith(chinese)


def test_all_conditions_met_are_counted(service: Service) -> None:
    decision = decided(service)
    assert decision["outcome"] == "approve"
    assert decision["summary"] == {
        "en": "Conditions met: 9 of 9.",
        "zh": "符合全部条件：九项均符合。",
    }


def test_a_failed_order_counts_and_names_what_fails(service: Service) -> None:
    decision = decided(
        service,
        {"order.quantity": 20001, "payment.prepaid": "540027000.00", "review.state": "deny"},
    )
    assert decision["outcome"] == "deny"
    assert decision["summary"]["en"].startswith(
        "Conditions not met. 3 of 9 conditions are not met: "
    )
    assert decision["summary"]["zh"].startswith("不符合条件：九项中三项不符合（")


def test_an_open_order_counts_what_waits(service: Service) -> None:
    decision = decided(service, {"review.state": None, "pledge.signed_on": None})
    assert decision["outcome"] == "incomplete"
    assert [m["fact"] for m in decision["missing"]] == ["review.state", "pledge.signed_on"]
    assert decision["summary"]["en"] == (
        "Cannot be decided yet. Nothing has failed: 7 of 9 conditions met, 2 waiting for a fact. "
        "The 2 facts still missing decide it; no other is needed."
    )
    assert decision["summary"]["zh"] == (
        "信息不全，暂不能判定。目前没有不符合的条件：九项中七项符合，两项待查明。"
        "查明尚缺的两项信息后即可判定，无须其他信息。"
    )


def test_the_part_of_a_denial_that_opens_it_to_the_committee_is_said(service: Service) -> None:
    text = decided(service, {"review.state": "deny"})
    assert "Operating Committee" in text_of(text, "multi-agency-review", "en")
    assert "运营委员会" in text_of(text, "multi-agency-review", "zh")


def test_conditions_of_an_agency_never_vanish(service: Service) -> None:
    decision = decided(service)
    assert [o["from"] for o in decision["obligations"]] == ["review.defense"]
    assert decision["status"] == "met"


def test_only_a_sellers_terms_in_the_way_are_told_apart(service: Service) -> None:
    decision = decided(service, {"terms.refundable": True})
    assert decision["by_kind"]["licence-condition"] == "met"
    assert decision["by_kind"]["seller-term"] == "unmet"
    assert "only the seller's own terms" in decision["summary"]["en"]
    assert "仅卖方合同条款不符合" in decision["summary"]["zh"]


def test_only_disputed_sources_in_the_way_are_told_apart(service: Service) -> None:
    decision = decided(service, {"fee.paid": "0.00"})
    assert "disputed" in decision["summary"]["en"]
    assert "存在争议" in decision["summary"]["zh"]


def test_a_government_condition_in_the_way_gets_neither_sentence(service: Service) -> None:
    summary = decided(service, {"terms.refundable": True, "review.state": "deny"})["summary"]["en"]
    assert "only the seller" not in summary
    assert "disputed" not in summary


@pytest.mark.parametrize(
    ("rule", "changes", "repair"),
    [
        ("customer-cap", {"order.quantity": 20001}, ("order.quantity", "<=", "20000")),
        ("transaction-fee", {"order.quantity": 20001}, ("fee.paid", ">=", "135006750.00")),
        ("full-prepayment", {"order.quantity": 20001}, ("payment.prepaid", ">=", "540027000.00")),
        (
            "transaction-fee",
            {"order.quantity": 3, "order.unit_price": "33333.33", "fee.paid": "24999.99"},
            ("fee.paid", ">=", "25000.00"),
        ),
        (
            "customer-cap",
            {"item.product": "HGX-H200-8", "customer.units_to_date": 0, "order.quantity": 9376},
            ("order.quantity", "<=", "9375"),
        ),
    ],
)
def test_the_one_number_that_mends_is_exact(
    service: Service, rule: str, changes: Mapping[str, Any], repair: tuple[str, str, str]
) -> None:
    decision = decided(service, changes)
    got = next(f["repair"] for f in decision["findings"] if f["rule"] == rule)
    assert (got["fact"], got["op"], got["to"]) == repair


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("non-military-pledge", {"pledge.signed_on": "2026-01-22"}),
        ("customer-cap", {"customer.units_to_date": 75000}),
        ("civil-end-use", {"customer.military_end_user": True}),
        ("multi-agency-review", {"review.defense": "deny"}),
    ],
)
def test_nothing_is_offered_where_no_lawful_number_mends(
    service: Service, rule: str, changes: Mapping[str, Any]
) -> None:
    decision = decided(service, changes)
    finding = next(f for f in decision["findings"] if f["rule"] == rule)
    assert finding["status"] == "unmet"
    assert finding["repair"] is None


def test_figures_are_the_order_value_the_fee_and_what_is_paid(service: Service) -> None:
    figures = {f["name"]: f["value"] for f in decided(service)["figures"]}
    assert figures["order.value"] == "540000000.00"
    assert figures["fee_due"] == "135000000.00"
    assert figures["order_plus_fee"] == "675000000.00"
    assert figures["paid_before_delivery"] == "675000000.00"


def test_a_fee_due_is_shown_rounded_up_but_compared_exactly(service: Service) -> None:
    changes = {"order.quantity": 3, "order.unit_price": "33333.33", "fee.paid": "24999.99"}
    decision = decided(service, changes)
    assert {f["name"]: f["value"] for f in decision["figures"]}["fee_due"] == "25000.00"
    finding = next(f for f in decision["findings"] if f["rule"] == "transaction-fee")
    assert finding["comparisons"][0]["right"] == "24999.9975"
    assert finding["comparisons"][0]["margin"] == "-0.0075"


def test_a_comparison_gives_both_sides_and_the_margin_in_the_unit_of_the_left(
    service: Service,
) -> None:
    decision = decided(service, {"order.quantity": 20001})
    finding = next(f for f in decision["findings"] if f["rule"] == "customer-cap")
    assert finding["comparisons"] == [
        {
            "left": "75001",
            "op": "<=",
            "right": "75000",
            "margin": "-1",
            "unit": "chip",
            "status": "unmet",
        }
    ]


def test_a_date_comparison_gives_its_margin_in_days(service: Service) -> None:
    decision = decided(service, {"pledge.signed_on": "2026-01-22"})
    finding = next(f for f in decision["findings"] if f["rule"] == "non-military-pledge")
    assert finding["comparisons"] == [
        {
            "left": "2026-01-22",
            "op": "<=",
            "right": "2026-01-20",
            "margin": "-2",
            "unit": "day",
            "status": "unmet",
        }
    ]


def test_evidence_tells_the_order_the_catalogue_and_what_is_derived_apart(
    service: Service,
) -> None:
    finding = next(f for f in decided(service)["findings"] if f["rule"] == "customer-cap")
    origins = {row.get("fact", row.get("parameter")): row["origin"] for row in finding["evidence"]}
    assert origins == {
        "customer.units_to_date": "order",
        "order.chips": "derived",
        "order.quantity": "order",
        "item.chips_per_unit": "catalogue",
        "cap": "regime",
    }


def test_hindsight_is_said_where_nobody_knew_of_a_rule_yet(service: Service) -> None:
    cautions = [c["text"]["en"] for c in decided(service)["cautions"]]
    assert any(c.startswith("Hindsight") and "Cap per customer" in c for c in cautions)


def test_a_date_beyond_the_reading_is_cautioned(service: Service) -> None:
    late = date(2026, 11, 22).toordinal()
    decision = service.decide(Document(dict(COMPLETE)), Asked(late, "h200-article", late))
    assert any("read only to 14 March 2026" in c["text"]["en"] for c in decision["cautions"])


def test_the_order_date_dates_the_rules_unless_the_caller_does(service: Service) -> None:
    decision = service.decide(Document(dict(COMPLETE)), Asked(DAY, "h200-article"))
    assert decision["regime"]["as_of"] == "2026-01-20"
    assert decision["regime"]["as_of_from"] == "order.placed_on"


def test_without_any_date_today_is_used_with_a_caution(service: Service) -> None:
    facts = {p: v for p, v in COMPLETE.items() if p != "order.placed_on"}
    decision = service.decide(Document(facts), Asked(DAY, "h200-article"))
    assert decision["regime"]["as_of_from"] == "today"
    assert any("is not recorded" in c["text"]["en"] for c in decision["cautions"])


def test_outside_the_rules_reads_as_no_clearance(service: Service) -> None:
    decision = decided(service, {"order.destination": "MY"})
    assert decision["outcome"] == "not-covered"
    assert "Malaysia" in decision["summary"]["en"]
    assert "A licence may still be required" in decision["summary"]["en"]
    assert "该订单仍可能需要许可证" in decision["summary"]["zh"]


def test_a_changed_policy_is_marked_and_listed(service: Service) -> None:
    decision = decided(
        service,
        {"order.quantity": 20001, "fee.paid": "135006750.00", "payment.prepaid": "540027000.00"},
        parameters={"cap": "100000"},
        without=("no-refund",),
    )
    assert decision["outcome"] == "approve"
    assert decision["hypothetical_policy"] is True
    assert [
        (c.get("parameter"), c.get("to"), c.get("without")) for c in decision["policy_changes"]
    ] == [
        ("cap", "100000", None),
        (None, None, "no-refund"),
    ]
    assert "cap 100,000 instead of 75,000" in decision["summary"]["en"]
    assert "上限由75,000片改为100,000片" in decision["summary"]["zh"]
    left = next(f for f in decision["findings"] if f["rule"] == "no-refund")
    assert (left["status"], left["because"]) == ("not-applicable", "left-out")


def test_a_selection_of_rules_is_printed_but_is_no_change_of_policy(service: Service) -> None:
    decision = decided(service, {"terms.refundable": True}, only=("kind=licence-condition",))
    assert decision["outcome"] == "approve"
    assert decision["hypothetical_policy"] is False
    assert "licence condition" in decision["summary"]["en"]
    judged = {f["kind"] for f in decision["findings"] if f["because"] is None}
    assert judged == {"licence-condition"}


def test_a_certainty_floor_leaves_the_weaker_rules_out(service: Service) -> None:
    decision = decided(service, {"fee.paid": "0.00"}, only=("certainty>=reported",))
    judged = {f["certainty"] for f in decision["findings"] if f["because"] is None}
    assert judged <= {"published", "reported"}
    assert decision["outcome"] == "approve"


NO_CLAIM = ("None of the government's conditions fails", "政府所设条件均符合")
ALONE = {"en": "of the rules judged alone", "zh": "仅就所判断的规则而言"}
DENIED: Mapping[str, Any] = {"review.commerce": "deny", "terms.refundable": True}


@pytest.mark.parametrize(
    "asked",
    [
        {"only": ("kind=seller-term",)},
        {"only": ("kind=seller-term", "kind=duty")},
        {"only": ("certainty>=disputed", "kind=seller-term")},
        {"without": ("multi-agency-review",)},
    ],
    ids=str,
)
def test_what_was_not_judged_is_not_said_to_be_met(
    service: Service, asked: Mapping[str, Any]
) -> None:
    decision = decided(service, DENIED, **asked)
    assert decision["outcome"] == "deny"
    failed = [f["rule"] for f in decision["findings"] if f["status"] == "unmet"]
    assert failed == ["no-refund"]
    for lang, claim in zip(("en", "zh"), NO_CLAIM, strict=True):
        assert claim not in decision["summary"][lang]
        assert "only the seller" not in decision["summary"][lang]
        assert "仅卖方合同条款" not in decision["summary"][lang]


SELECTIONS = [
    # selected, changes, outcome, kinds or certainties judged, English, Chinese
    (
        ("kind=seller-term",),
        DENIED,
        "deny",
        {"seller-term"},
        "Only rules of the kind “seller's contract term” were judged.",
        "仅判断性质为“卖方合同条款”的规则。",
    ),
    (
        ("kind=procedure", "kind=seller-term"),
        {},
        "approve",
        {"procedure", "seller-term"},
        "” or “",
        "”或“",
    ),
    (
        ("certainty>=reported", "kind=licence-condition"),
        {"fee.paid": "0.00"},
        "approve",
        {"licence-condition"},
        " and as sure as “",
        "且依据不弱于“",
    ),
    (
        ("kind=licence-condition", "certainty>=reported", "kind=procedure"),
        {"fee.paid": "0.00"},
        "approve",
        {"licence-condition", "procedure"},
        " and as sure as “",
        "且依据不弱于“",
    ),
    (
        ("kind=seller-term",),
        {"terms.refundable": None},
        "incomplete",
        {"seller-term"},
        "Cannot be decided yet (of the rules judged alone).",
        "信息不全，暂不能判定（仅就所判断的规则而言）。",
    ),
]


@pytest.mark.parametrize(("only", "changes", "outcome", "kinds", "english", "chinese"), SELECTIONS)
def test_a_selection_says_of_which_rules_alone_it_speaks(
    service: Service,
    only: tuple[str, ...],
    changes: Mapping[str, Any],
    outcome: str,
    kinds: set[str],
    english: str,
    chinese: str,
) -> None:
    decision = decided(service, changes, only=only)
    assert decision["outcome"] == outcome
    assert {f["kind"] for f in decision["findings"] if f["because"] is None} == kinds
    for lang, said in (("en", english), ("zh", chinese)):
        assert ALONE[lang] in decision["label"][lang]
        assert ALONE[lang] in decision["summary"][lang]
        assert decision["summary"][lang].startswith(decision["label"][lang])
        assert said in decision["summary"][lang]


def test_only_a_selection_speaks_of_some_rules_alone(service: Service) -> None:
    for decision in (decided(service, DENIED), decided(service, without=("no-refund",))):
        for lang, alone in ALONE.items():
            assert alone not in decision["label"][lang]
            assert alone not in decision["summary"][lang]


def test_the_meaning_of_a_selection_claims_nothing_of_the_whole_rule_set(service: Service) -> None:
    claim = "every condition of this rule set"
    assert claim in decided(service)["meaning"]["en"].lower()
    selected = decided(service, only=("kind=seller-term",))
    assert selected["outcome"] == "approve"
    assert claim not in selected["meaning"]["en"].lower()


def test_the_meaning_of_a_selection_of_no_rule_says_nothing_of_scope(service: Service) -> None:
    said = "lies outside"
    assert said in decided(service, {"order.destination": "NO"})["meaning"]["en"]
    selected = decided(service, only=("certainty>=published",))
    assert selected["outcome"] == "not-covered"
    assert said not in selected["meaning"]["en"]


def test_a_selection_of_no_rule_says_nothing_of_item_or_place(service: Service) -> None:
    # No rule of the article's rule set is published law.
    decision = decided(service, only=("certainty>=published",))
    assert decision["outcome"] == "not-covered"
    assert {f["because"] for f in decision["findings"]} == {"left-out"}
    for word in ("item", "destination", "lies outside"):
        assert word not in decision["summary"]["en"]
    for word in ("物项", "目的地"):
        assert word not in decision["summary"]["zh"]
    for lang, alone in ALONE.items():
        assert alone in decision["label"][lang]


@pytest.mark.parametrize("cap", ["75000", 75000])
def test_the_value_in_force_is_no_change_of_policy(service: Service, cap: str | int) -> None:
    decision = decided(service, {"order.quantity": 20001}, parameters={"cap": cap})
    assert decision["hypothetical_policy"] is False
    assert decision["policy_changes"] == []
    assert "Hypothetical" not in decision["summary"]["en"]
    assert "假设性" not in decision["summary"]["zh"]


def test_a_changed_value_beside_one_in_force_is_the_only_change(service: Service) -> None:
    decision = decided(service, parameters={"cap": "75000", "fee_rate": "0.3"})
    changed = [(c["parameter"], c["from"], c["to"]) for c in decision["policy_changes"]]
    assert changed == [("fee_rate", "0.25", "0.3")]
    assert decision["hypothetical_policy"] is True


@pytest.mark.parametrize(
    ("product", "unit", "english", "chinese"),
    [
        # 75,000 less 55,000 to date leaves 20,000 chips: 2,500 eights, 5,000 fours.
        ("HGX-H200-8", "board", "at most 2,500 boards", "不超过2,500块"),
        ("HGX-H200-4", "board", "at most 5,000 boards", "不超过5,000块"),
        ("DGX-H200", "server", "at most 2,500 servers", "不超过2,500台"),
        ("H200-SXM", "chip", "at most 20,000 chips", "不超过20,000片"),
    ],
)
def test_a_bound_is_told_in_the_unit_in_which_the_product_is_sold(
    service: Service, product: str, unit: str, english: str, chinese: str
) -> None:
    decision = decided(service, {"item.product": product, "order.quantity": 20001})
    finding = next(f for f in decision["findings"] if f["rule"] == "customer-cap")
    repair = finding["repair"]
    assert repair["fact"] == "order.quantity"
    assert repair["unit"] == unit
    assert repair["text"] == {"en": english, "zh": chinese}
    assert english in finding["text"]["en"]
    assert chinese in finding["text"]["zh"]
    units = {row["fact"]: row["unit"] for row in finding["evidence"] if "fact" in row}
    assert units["order.quantity"] == unit
    assert units["order.chips"] == "chip"  # whatever is ordered, chips are counted


def test_a_short_list_shows_its_codes(service: Service) -> None:
    summary = decided(service, {"order.destination": "MY"})["summary"]
    assert "[CN, HK, MO]" in summary["en"]
    assert "〔CN、HK、MO〕" in summary["zh"]


def test_an_open_choice_says_which_alternatives_are_out(service: Service) -> None:
    # 15,832 lies in 14,000 to 17,500 and 4,800 in 4,500 to 5,000: all now turns on the use.
    facts = {"item.product": "H200-SXM", "duty.entered_on": "2026-02-01"}
    decision = service.decide(Document(facts), Asked(DAY, "section-232-duty", DAY))
    assert decision["outcome"] == "incomplete"
    finding = next(f for f in decision["findings"] if f["rule"] == "lower-band")
    assert finding["status"] == "unknown"
    for lang, missing in (("en", "not recorded: use"), ("zh", "未录入：")):
        text = finding["text"][lang]
        for number in ("15,832", "14,000", "17,500", "4,800", "4,500", "5,000"):
            assert number in text
        assert missing in text
        assert text.index("15,832") < text.index(missing)


def test_every_decision_of_the_scenarios_is_as_documented(service: Service) -> None:
    seen = 0
    for _, _, results in service.run_scenarios(
        sorted((ROOT / "scenarios").rglob("*.yaml")), Asked(DAY)
    ):
        for result in results:
            if result.decision is not None:  # a story of a case has none
                DecisionWire.model_validate(result.decision)
                seen += 1
    assert seen > 400


def test_the_documentation_of_decisions_notices_a_change(service: Service) -> None:
    decision = decided(service)
    with pytest.raises(ValidationError):
        DecisionWire.model_validate({**decision, "verdict": "yes"})
    with pytest.raises(ValidationError):
        DecisionWire.model_validate({k: v for k, v in decision.items() if k != "missing"})
