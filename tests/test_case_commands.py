"""Cases at the command line: what is taken, what is refused, and that the history stays as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from engine.load import Rulebook

ROOT = Path(__file__).parent.parent
STORY = ROOT / "scenarios" / "h200-article" / "last-twenty-thousand.yaml"
ALONE = ("--evaluator", "reference")


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rulebook: Rulebook) -> None:
    monkeypatch.chdir(ROOT)
    # Each command would read all rules again; that they are read is tested elsewhere.
    monkeypatch.setattr("api.service.load", lambda *_, **__: rulebook)
    monkeypatch.delenv("PLACET_RULES", raising=False)
    monkeypatch.setenv("PLACET_STORE", f"sqlite:///{tmp_path / 'cases.db'}")
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")


def placet(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["case", *map(str, arguments)])


def told(*arguments: object) -> dict[str, Any]:
    done = placet(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def opened(**options: object) -> str:
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return str(told("open", STORY, "--opened-on", "2026-01-18", *given, *ALONE)["id"])


def sent(id: str, event: str, on: str, *fields: str, more: tuple[str, ...] = ()) -> dict[str, Any]:
    flags = [part for field in fields for part in ("-f", field)]
    return told("event", id, event, "--on", on, *flags, *ALONE, *more)


def placed(**options: object) -> str:
    id = opened(**options)
    sent(id, "place", "2026-01-20")
    return id


def history(id: str) -> list[tuple[str | None, str]]:
    return [(row["event"], row["after"]) for row in told("show", id, *ALONE)["history"]]


def test_a_case_is_opened_from_a_scenario_without_what_its_events_will_say() -> None:
    done = placet("open", STORY, "--opened-on", "2026-01-18", "--format", "json", *ALONE)
    case = json.loads(done.stdout)
    assert "left out, because events say them: review.commerce" in done.stderr
    assert case["stage"]["id"] == "draft"
    assert case["version"] == 0
    assert "fee.paid" not in case["facts"]
    assert case["facts"]["order.quantity"] == "20000"
    assert {one["event"] for one in case["possible"]} == {"place", "drop", "policy-change"}
    assert case["decision"]["outcome"] == "incomplete"


def test_both_evaluators_judge_events_and_decisions_of_a_case() -> None:
    id = opened()
    case = told("event", id, "place", "--on", "2026-01-20")
    assert case["history"][0]["judged_by"] == ["reference", "live"]
    assert case["decision"]["engine"]["judged_by"] == ["reference", "live"]


def test_an_order_paid_in_full_and_then_barred_states_what_is_at_stake() -> None:
    id = placed()
    sent(id, "prepay", "2026-01-22", "amount=540000000.00")
    sent(id, "apply", "2026-01-23")
    licence = ("units=20000", "decision=approve", "valid_until=2027-02-20")
    assert sent(id, "issue-licence", "2026-02-20", *licence)["stage"]["id"] == "licensed"
    assert sent(id, "pay-fee", "2026-02-25", "amount=135000000.00")["stage"]["id"] == "paid"
    sent(id, "ship", "2026-03-02", "units=5000")
    case = sent(id, "policy-change", "2026-04-03")
    assert case["stage"] == {**case["stage"], "id": "barred", "end": True}
    stake = {row["name"]: row["value"] for row in case["exposure"]}
    assert stake["cash_paid"] == "540000000.00"
    assert stake["fee_paid"] == "135000000.00"
    assert stake["undelivered"] == "15000"
    assert stake["refundable"] == "0.00"
    assert case["possible"] == []
    # What was reserved or under licence is free again; what was shipped counts.
    assert case["ledger"]["used"] == 60_000
    assert case["ledger"]["remaining"] == 15_000


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ("request-cancellation", "no-cancellation"),
        ("request-refund", "no-refund"),
        ("request-configuration-change", "no-configuration-change"),
    ],
)
def test_what_the_seller_never_grants_is_refused_on_record_with_its_rule(
    asked: str, rule: str
) -> None:
    id = placed()
    row = sent(id, asked, "2026-01-23")["history"][-1]
    assert (row["refused"], row["before"], row["after"]) == (rule, "placed", "placed")
    assert row["refused_title"]["en"]
    assert row["citations"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ship", "--on", "2026-01-24", "-f", "units=3"), "O401", "`placed`"),
        (("prepay", "--on", "2026-01-19", "-f", "amount=5"), "O403", "2026-01-20"),
        (("prepay", "--on", "2026-01-24", "-f", "amount=-5"), "O203", "0.01"),
        (("prepay", "--on", "2026-01-24"), "O405", "lacks `amount`"),
        (("prepay", "--on", "2026-01-24", "-f", "sum=5"), "O405", "no field `sum`"),
        (("repay", "--on", "2026-01-24"), "O404", "did you mean `prepay`?"),
        (("prepay", "--on", "24 January", "-f", "amount=5"), "O202", "is not a date"),
        (("prepay", "--on", "2026-02-30", "-f", "amount=5"), "O202", "does not exist"),
    ],
)
def test_an_event_that_is_not_taken_is_told_with_stage_and_what_is_possible(
    arguments: tuple[str, ...], code: str, said: str
) -> None:
    id = placed()
    before = history(id)
    done = placet("event", id, *arguments, *ALONE)
    assert done.exit_code == 1
    assert code in done.stderr
    assert said in done.stderr
    assert re.search(r"placed", done.stderr), done.stderr
    assert "possible" in done.stderr
    assert "request-refund" in done.stderr
    assert history(id) == before


def test_a_recommendation_of_an_agency_that_does_not_review_is_refused() -> None:
    id = placed()
    sent(id, "apply", "2026-01-23")
    fields = ("-f", "agency=treasury", "-f", "answer=approve")
    done = placet("event", id, "recommend", "--on", "2026-01-24", *fields, *ALONE)
    assert done.exit_code == 1
    assert "unknown code `treasury`" in done.stderr
    assert "state, defense, energy" in done.stderr


def test_a_shipment_above_the_licence_is_refused_with_the_numbers() -> None:
    id = placed()
    sent(id, "prepay", "2026-01-22", "amount=540000000.00")
    sent(id, "pay-fee", "2026-01-22", "amount=135000000.00")
    sent(id, "apply", "2026-01-23")
    sent(
        id, "issue-licence", "2026-02-20", "units=9", "decision=approve", "valid_until=2027-02-20"
    )
    done = placet("event", id, "ship", "--on", "2026-03-01", "-f", "units=10", *ALONE)
    assert done.exit_code == 1
    assert "O402" in done.stderr
    assert "10 <= 9 does not hold" in done.stderr


def test_the_same_key_records_an_event_once_and_no_other_event() -> None:
    id = placed()
    once = sent(id, "prepay", "2026-01-22", "amount=5.00", more=("--key", "wire-17"))
    again = placet(
        *("event", id, "prepay", "--on", "2026-01-22", "-f", "amount=5.00", "--key", "wire-17"),
        *ALONE,
    )
    assert again.exit_code == 0
    assert "on record already" in again.stderr
    other = placet(
        *("event", id, "prepay", "--on", "2026-01-22", "-f", "amount=6.00", "--key", "wire-17"),
        *ALONE,
    )
    assert other.exit_code == 1
    assert told("show", id, *ALONE)["version"] == once["version"] == 2


def test_an_event_for_a_version_that_is_not_there_any_more_is_refused() -> None:
    id = placed()
    sent(id, "apply", "2026-01-23")
    done = placet(
        "event", id, "prepay", "--on", "2026-01-24", "-f", "amount=5", "--version", 1, *ALONE
    )
    assert done.exit_code == 1
    assert "version 2 by now, not 1" in done.stderr
    assert told("show", id, *ALONE)["version"] == 2


def test_an_unknown_case_is_told() -> None:
    done = placet("event", "c-nothing", "place", "--on", "2026-01-20", *ALONE)
    assert done.exit_code == 1
    assert "no case" in done.stderr


def test_two_orders_share_the_cap_of_their_group_within_a_workspace_only() -> None:
    placed()
    second = opened()
    done = placet("event", second, "place", "--on", "2026-01-21", *ALONE)
    # The second states 55,000 to date, as the first did; the ledger knows of 75,000.
    assert done.exit_code == 1
    assert "O411" in done.stderr
    assert "75000" in done.stderr
    elsewhere = opened(workspace="what if")
    sent(elsewhere, "place", "2026-01-21")
    (row,) = told_list("ledger")
    assert (row["opening"], row["reserved"], row["used"], row["remaining"]) == (
        55_000,
        20_000,
        75_000,
        0,
    )
    (other,) = told_list("ledger", "--workspace", "what if")
    assert other["used"] == 75_000


def told_list(*arguments: object) -> list[dict[str, Any]]:
    done = placet(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_fork_plays_another_future_and_is_counted_in_no_book() -> None:
    id = placed()
    sent(id, "prepay", "2026-01-22", "amount=540000000.00")
    fork = told("fork", id, "--at", 1, "--title", "without paying")
    assert (fork["version"], fork["forked_from"], fork["counted"]) == (1, id, False)
    sent(fork["id"], "policy-change", "2026-01-25")
    assert told("show", id, *ALONE)["stage"]["id"] == "placed"
    assert [row["used"] for row in told_list("ledger")] == [75_000]
    titles = {row["title"] for row in told_list("list")}
    assert "without paying" in titles


def test_a_case_looked_at_later_shows_clocks_that_ran_out() -> None:
    id = placed()
    sent(id, "prepay", "2026-01-22", "amount=540000000.00")
    sent(id, "pay-fee", "2026-01-22", "amount=135000000.00")
    sent(id, "apply", "2026-01-23")
    sent(
        id, "issue-licence", "2026-02-20", "units=9", "decision=approve", "valid_until=2026-06-30"
    )
    assert told("show", id, "--as-of", "2026-06-30", *ALONE)["stage"]["id"] == "paid"
    later = told("show", id, "--as-of", "2026-07-01", *ALONE)
    assert later["stage"]["id"] == "lapsed"
    assert later["history"][-1]["clock"]
    assert later["history"][-1]["on"] == "2026-06-30"
    # Looking changes nothing: the event of that very day is still in time.
    assert sent(id, "ship", "2026-06-30", "units=9")["stage"]["id"] == "shipped"


def test_a_replay_comes_to_the_same() -> None:
    id = placed()
    sent(id, "prepay", "2026-01-22", "amount=540000000.00")
    done = placet("replay", id)
    assert done.exit_code == 0
    assert "same" in done.stdout


def test_a_case_is_told_to_people_in_both_languages() -> None:
    id = placed()
    sent(id, "request-refund", "2026-01-23")
    english = placet("show", id, "--lang", "en", *ALONE).stdout
    assert "Order placed" in english
    assert "At stake" in english
    assert "Refused by the rule" in english
    assert "no-refund" in english
    chinese = placet("show", id, "--lang", "zh", *ALONE).stdout
    assert "已下单" in chinese
    assert "风险敞口" in chinese
    assert "不予办理" in chinese
    assert "Order placed" not in chinese


@pytest.mark.parametrize("kind", ["svg", "dot", "mermaid"])
def test_a_process_and_a_case_are_drawn(kind: str, tmp_path: Path) -> None:
    id = placed()
    for name in (id, "ear-750"):
        done = placet("picture", name, "--as", kind, "--lang", "en", "-o", tmp_path / "drawn")
        assert done.exit_code == 0, done.output
        drawn = (tmp_path / "drawn").read_text("utf-8")
        assert {"svg": "<svg", "dot": "digraph", "mermaid": "stateDiagram"}[kind] in drawn


def test_a_workspace_is_one_line_and_no_more() -> None:
    done = placet("open", STORY, "--workspace", "a" * 61, *ALONE)
    assert done.exit_code == 1
    assert "workspace" in done.stderr


def test_hostile_words_of_a_sender_reach_no_terminal_raw() -> None:
    id = opened(title="red \x1b[31m alarm"[:3])
    sent(id, "place", "2026-01-20", more=("--note", "bell \x07 and \u202e turned"))
    shown = placet("show", id, "--lang", "en", *ALONE).stdout
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "bell" in shown


def test_an_order_of_a_known_customer_takes_its_chips_to_date_from_the_ledger(
    tmp_path: Path,
) -> None:
    placed()
    order = tmp_path / "order.yaml"
    order.write_text(
        "regime: h200-article\n"
        "facts:\n"
        "  item: {product: H200-SXM}\n"
        "  customer: {group: Example Cloud, units_to_date: null}\n"
        "  order: {quantity: 1, destination: CN, placed_on: 2026-01-25}\n",
        "utf-8",
    )

    def decide(*more: str) -> dict[str, Any]:
        arguments = ["decide", str(order), "--format", "json", *more]
        found: dict[str, Any] = json.loads(CliRunner().invoke(app, arguments).stdout)
        return found

    alone, counted = decide(), decide("--workspace", "default")
    assert alone["status"] == "unknown"
    assert counted["outcome"] == "deny"
    assert counted["facts"]["customer.units_to_date"] == "75000"
    assert "ledger" in counted["basis"]["customer.units_to_date"]["document"]
    assert decide("--workspace", "nobody's") == alone
    # What the order states is never replaced.
    stated = decide("--workspace", "default", "--set", "customer.units_to_date=5")
    assert stated["facts"]["customer.units_to_date"] == "5"


def test_the_last_case_is_the_one_that_was_touched_last() -> None:
    first = opened()
    opened(workspace="another")
    assert placet("event", first, "place", "--on", "2026-01-20", *ALONE).exit_code == 0
    assert told("show", "last", *ALONE)["id"] == first


def test_chips_of_a_licence_that_ran_out_are_free_once_that_is_on_record() -> None:
    id = placed()
    sent(id, "apply", "2026-01-23")
    licence = ("units=20000", "decision=approve", "valid_until=2026-06-30")
    sent(id, "issue-licence", "2026-02-20", *licence)
    assert [row["used"] for row in told_list("ledger")] == [75_000]
    assert sent(id, "close", "2026-07-01")["stage"]["id"] == "closed"
    (row,) = told_list("ledger")
    assert (row["licensed"], row["used"], row["remaining"]) == (0, 55_000, 20_000)
