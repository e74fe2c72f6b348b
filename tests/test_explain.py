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
        "Cannot be decided yet. Nothing has failed: 7 of 9 conditions met, 2 waiting for a fact."
    )
    assert decision["summary"]["zh"] == (
        "信息不全，暂不能判定。目前没有不符合的条件：九项中七项符合，两项待查明。"
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


def test_every_decision_of_the_scenarios_is_as_documented(service: Service) -> None:
    seen = 0
    for _, _, results in service.run_scenarios(
        sorted((ROOT / "scenarios").rglob("*.yaml")), Asked(DAY)
    ):
        for result in results:
            DecisionWire.model_validate(result.decision)
            seen += 1
    assert seen > 400


def test_the_documentation_of_decisions_notices_a_change(service: Service) -> None:
    decision = decided(service)
    with pytest.raises(ValidationError):
        DecisionWire.model_validate({**decision, "verdict": "yes"})
    with pytest.raises(ValidationError):
        DecisionWire.model_validate({k: v for k, v in decision.items() if k != "missing"})
