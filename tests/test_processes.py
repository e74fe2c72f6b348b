"""The shipped processes, by hand from 15 CFR Part 750 and the article: days, silence, ends, terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import combinations
from random import Random
from typing import Any

import pytest

from engine.case import Sent
from engine.case_told import tell
from engine.courses import Courses, cases, picking
from engine.lifecycle import (
    Happening,
    Moved,
    NotTaken,
    Setting,
    State,
    advance,
    begin,
    deadlines,
    possible,
    replay,
    step,
)
from engine.load import Rulebook
from engine.order import make_order
from engine.process import Process
from engine.values import Value

FIRST = date(2026, 1, 5).toordinal()
AGENCIES = ("state", "defense", "energy")
HOLDABLE = (
    "initial-processing",
    "agency-review",
    "resolution",
    "operating-committee",
    "acep",
    "earb",
)

Told = tuple[int, str, *tuple[dict[str, Any], ...]]


@pytest.fixture(scope="module")
def ear(rulebook: Rulebook) -> Setting:
    process = rulebook.processes["ear-750"]
    return Setting(process, make_order(process.vocabulary, {}))


@pytest.fixture(scope="module")
def article(rulebook: Rulebook) -> Setting:
    """An order of 20,000 H200 at 27,000 dollars: 540 million, a fee of 135 million."""
    process = rulebook.processes["h200-article"]
    facts: dict[str, Value] = {
        "item.product": "H200-SXM",
        "order.quantity": 20_000,
        "order.unit_price": 2_700_000,
    }
    return Setting(process, make_order(process.vocabulary, facts))


def _sent(told: Told) -> Happening:
    day, event, *fields = told
    given = dict(fields[0]) if fields else {}
    if "valid_until" in given:
        given["valid_until"] += FIRST
    return Happening(event, FIRST + day, given)


def led(setting: Setting, *told: Told) -> State:
    return replay(setting, FIRST, [_sent(one) for one in told]).state


def whole(value: Value) -> int:
    assert isinstance(value, int)
    return value


def counted(setting: Setting, state: State, id: str) -> int:
    return {d.clock.id: d.counted for d in deadlines(setting.process, state, state.day)}[id]


# Part 750: ninety days.

REGISTERED: tuple[Told, ...] = (
    (0, "submit", {"units": 20_000, "as_whole": False}),
    (0, "register"),
)


def recommended(agency: str, answer: str, *, basis: bool = True) -> dict[str, Any]:
    return {"agency": agency, "answer": answer, "basis_given": basis}


EVERY_LIMIT: tuple[Told, ...] = (
    (9, "refer"),
    (39, "recommend", recommended("state", "deny")),
    (39, "recommend", recommended("defense", "approve")),
    (39, "recommend", recommended("energy", "approve")),
    (39, "refer-to-committee"),
    (53, "oc-decide", {"decision": "approve"}),
    (58, "escalate-to-acep", {"agency": "state", "basis_given": True}),
    (69, "acep-vote", {"vote": "approve"}),
    (74, "appeal-to-earb", {"agency": "state", "basis_given": True}),
    (85, "earb-vote", {"decision": "approve"}),
    (90, "appeal-to-president", {"agency": "state"}),
)


@pytest.mark.parametrize(
    ("clock", "days"),
    [
        ("overall", 90),
        ("initial", 9),
        ("missing_information", 10),
        ("agencies", 30),
        ("operating_committee", 14),
        ("escalation", 5),
        ("acep", 11),
        ("appeal_to_earb", 5),
        ("earb", 11),
        ("appeal_to_president", 5),
        ("notice", 5),
        ("answer", 20),
        ("denial", 45),
        ("appeal", 45),
    ],
)
def test_the_days_of_each_stage_are_those_of_the_regulation(
    ear: Setting, clock: str, days: int
) -> None:
    assert ear.process.clocks[clock].days == days


def test_the_stages_add_up_to_ninety_days(ear: Setting) -> None:
    [total] = ear.process.totals
    assert sum(ear.process.clocks[id].days or 0 for id in total.parts) == 90
    assert total.equals == "overall"
    assert len(total.parts) == 8


def test_a_case_that_uses_every_limit_reaches_the_president_on_day_ninety(ear: Setting) -> None:
    state = led(ear, *REGISTERED, *EVERY_LIMIT)
    assert (state.stage, state.day) == ("president", FIRST + 90)
    assert counted(ear, state, "overall") == 90


@pytest.mark.parametrize(("late", "stage"), [(6, "approved"), (8, "approved"), (10, "approved")])
def test_a_day_after_each_time_to_escalate_the_decision_is_final(
    ear: Setting, late: int, stage: str
) -> None:
    day, event, *fields = EVERY_LIMIT[late]
    before = led(ear, *REGISTERED, *EVERY_LIMIT[:late])
    assert isinstance(step(ear, before, _sent((day, event, *fields))), Moved)
    found = step(ear, before, _sent((day + 1, event, *fields)))
    assert isinstance(found, NotTaken)
    assert (found.why, found.state.stage) == ("stage", stage)
    moved = advance(ear, before, FIRST + day + 1)
    assert [done.day - FIRST for done in moved.steps] == [day]


@pytest.mark.parametrize("late", [5, 7, 9])
def test_the_regulation_sets_no_consequence_of_a_late_decision(ear: Setting, late: int) -> None:
    day, event, *fields = EVERY_LIMIT[late]
    state = led(ear, *REGISTERED, *EVERY_LIMIT[:late], (day + 30, event, *fields))
    assert state.day == FIRST + day + 30


@pytest.mark.parametrize("stages", [*((stage,) for stage in HOLDABLE), HOLDABLE], ids="+".join)
def test_holds_put_off_the_ninetieth_day_and_are_not_counted(
    ear: Setting, stages: tuple[str, ...]
) -> None:
    told, state = [*REGISTERED], led(ear, *REGISTERED)
    held: list[str] = []
    for day, event, *fields in EVERY_LIMIT:
        if state.stage in stages and state.stage not in held:
            held.append(state.stage)
            since = state.day - FIRST
            told += [(since, "hold", {"reason": "applicant"}), (since + 17, "resume")]
        told.append((day + 17 * len(held), event, dict(*fields)))
        state = led(ear, *told)
    assert held == [*stages]
    assert (state.stage, state.day) == ("president", FIRST + 90 + 17 * len(stages))
    assert counted(ear, state, "overall") == 90


def test_the_committee_counts_from_the_deadline_of_the_agencies_not_from_its_first_day(
    ear: Setting,
) -> None:
    early = led(
        ear,
        *REGISTERED,
        (2, "refer"),
        (3, "recommend", recommended("state", "deny")),
        (3, "recommend", recommended("defense", "approve")),
        (3, "recommend", recommended("energy", "approve")),
        (4, "refer-to-committee"),
    )
    found = {d.clock.id: d for d in deadlines(ear.process, early, early.day)}
    assert found["operating_committee"].last == FIRST + 2 + 30 + 14
    assert found["operating_committee"].counted == 0


# Part 750: silence.


def _reviewed(ear: Setting, silent: tuple[str, ...], answers: Mapping[str, str]) -> list[State]:
    """Two cases of one review: some agencies silent, or saying on the last day what that means."""
    spoken: list[Told] = [
        (15, "recommend", recommended(agency, answer))
        for agency, answer in answers.items()
        if agency not in silent
    ]
    said: list[Told] = [
        (39, "recommend", recommended(agency, "no-objection")) for agency in silent
    ]
    both = (spoken, [*spoken, *said])
    cases_ = [led(ear, *REGISTERED, (9, "refer"), *told) for told in both]
    return [advance(ear, state, FIRST + 40).state for state in cases_]


SILENT = [some for many in (1, 2, 3) for some in combinations(AGENCIES, many)]


@pytest.mark.parametrize("silent", SILENT, ids="+".join)
@pytest.mark.parametrize("answer", ["approve", "approve-with-conditions", "no-objection", "deny"])
def test_an_agency_that_is_silent_has_no_objection(
    ear: Setting, silent: tuple[str, ...], answer: str
) -> None:
    still, spoken = _reviewed(ear, silent, dict.fromkeys(AGENCIES, answer))
    assert still.stage == spoken.stage == "resolution"
    for agency in AGENCIES:
        wanted = "no-objection" if agency in silent else answer
        assert still.kept[f"review.{agency}"] == spoken.kept[f"review.{agency}"] == wanted
    day = FIRST + 41
    assert possible(ear, still, day) == possible(ear, spoken, day)
    for event, fields in (
        ("approve-application", {"decision": "approve"}),
        ("intend-to-deny", {}),
        ("refer-to-committee", {}),
    ):
        ends = [step(ear, state, Happening(event, day, fields)) for state in (still, spoken)]
        assert [type(end) for end in ends] in ([Moved] * 2, [NotTaken] * 2)
        assert ends[0].state.stage == ends[1].state.stage


@pytest.mark.parametrize("agency", AGENCIES)
@pytest.mark.parametrize("basis", [False, None])
def test_a_denial_without_its_reasons_counts_as_silence(
    ear: Setting, agency: str, basis: bool | None
) -> None:
    fields = {"agency": agency, "answer": "deny", "basis_given": basis}
    moved = step(ear, led(ear, *REGISTERED, (9, "refer")), _sent((12, "recommend", fields)))
    state = moved.state
    if basis is None:
        assert isinstance(moved, NotTaken)
    else:
        assert isinstance(moved, Moved)
        assert state.kept[f"review.{agency}"] is None
        assert state.kept[f"case.{agency}_answered"] is False
    assert advance(ear, state, FIRST + 40).state.kept[f"review.{agency}"] == "no-objection"


# Part 750: ends.


def test_every_end_of_an_application_is_reached(rulebook: Rulebook) -> None:
    process = rulebook.processes["ear-750"]
    wanted = {id for id, stage in process.stages.items() if stage.end}
    reached: set[str] = set()
    for setting, course in cases(rulebook, "ear-750", seed=1, count=6_000):
        state = begin(setting, course.opened)
        for sent in course.sent:
            moved = step(setting, state, sent)
            state = moved.state if isinstance(moved, Moved) else state
        reached.add(advance(setting, state, state.day + 500).state.stage)
        if wanted <= reached:
            break
    assert wanted <= reached


def test_only_an_appeal_leaves_a_denial(ear: Setting) -> None:
    denied = advance(
        ear, led(ear, *REGISTERED, (1, "intend-to-deny"), (2, "notify-denial")), FIRST + 48
    ).state
    assert denied.stage == "denied"
    day = FIRST + 48
    assert [p.event.id for p in possible(ear, denied, day)] == ["appeal"]
    pick, draw = picking(Random(1)), Courses(ear.process)
    for event in ear.process.events:
        for _ in range(10):
            found = step(ear, denied, draw.told(ear, denied, day, event, pick))
            assert isinstance(found, Moved) is (event == "appeal")
    assert advance(ear, denied, FIRST + 47 + 45 + 1).state.stage == "denied-final"


def test_the_forty_fifth_day_after_the_notice_is_the_last_for_another_decision(
    ear: Setting,
) -> None:
    notified = led(
        ear, *REGISTERED, (1, "intend-to-deny"), (2, "notify-denial"), (22, "answer-notice")
    )
    assert isinstance(step(ear, notified, _sent((47, "lift-denial"))), Moved)
    late = step(ear, notified, _sent((48, "lift-denial")))
    assert isinstance(late, NotTaken)
    assert late.state.stage == "denied"


LICENSED: tuple[Told, ...] = (
    *REGISTERED,
    (1, "approve-application", {"decision": "approve"}),
    (2, "issue-licence", {"units": 20_000, "valid_until": 365}),
)


@pytest.mark.parametrize("before", [(), ((3, "suspend"),)])
def test_a_revocation_is_terminal(ear: Setting, before: tuple[Told, ...]) -> None:
    revoked = led(ear, *LICENSED, *before, (4, "revoke"))
    assert ear.process.stages[revoked.stage].end
    assert (revoked.stage, possible(ear, revoked, FIRST + 5)) == ("revoked", ())
    assert revoked.kept["case.licensed"] == 0
    assert advance(ear, revoked, FIRST + 5_000).state == revoked


def test_a_licence_is_good_through_its_last_day_suspended_or_not(ear: Setting) -> None:
    for told in ((), ((300, "suspend"),)):
        state = led(ear, *LICENSED, *told)
        assert advance(ear, state, FIRST + 365).state.stage == state.stage
        moved = advance(ear, state, FIRST + 366)
        assert (moved.state.stage, moved.state.day) == ("expired", FIRST + 365)


@pytest.mark.parametrize(
    ("as_whole", "units", "moves"),
    [(False, 19_999, True), (True, 19_999, False), (True, 20_000, True), (False, 20_001, False)],
)
def test_a_part_is_granted_unless_the_application_asks_to_be_taken_as_a_whole(
    ear: Setting, as_whole: bool, units: int, moves: bool
) -> None:
    submit: Told = (0, "submit", {"units": 20_000, "as_whole": as_whole})
    approved = led(
        ear, submit, (0, "register"), (1, "approve-application", {"decision": "approve"})
    )
    issued = _sent((2, "issue-licence", {"units": units, "valid_until": 365}))
    assert isinstance(step(ear, approved, issued), Moved) is moves


# The article: what is paid stays paid.

PLACED: tuple[Told, ...] = ((0, "place", {"units_to_date": 55_000}),)
REVIEWED: tuple[Told, ...] = (*PLACED, (1, "apply"))
PREPAID: tuple[Told, ...] = (
    (2, "prepay", {"amount": 540_000_000_00}),
    (3, "pay-fee", {"amount": 135_000_000_00}),
)
ISSUED: Told = (9, "issue-licence", {"units": 20_000, "decision": "approve", "valid_until": 365})
STAGES: dict[str, tuple[Told, ...]] = {
    "draft": (),
    "placed": PLACED,
    "under-review": REVIEWED,
    "licensed": (*REVIEWED, ISSUED),
    "paid": (*REVIEWED, *PREPAID, ISSUED),
    "shipped": (*REVIEWED, *PREPAID, ISSUED, (10, "ship", {"units": 1})),
}


def exposure(rulebook: Rulebook, setting: Setting, *told: Told) -> dict[str, str]:
    sent = [Sent(_sent(one), "") for one in told]
    case = tell(rulebook, setting, FIRST, sent, FIRST + 20)
    return {one["name"]: one["value"] for one in case["exposure"]}


@pytest.mark.parametrize("stage", ["under-review", "paid"])
def test_an_order_prepaid_in_full_and_then_barred_has_all_of_its_price_at_stake(
    rulebook: Rulebook, article: Setting, stage: str
) -> None:
    told = (*REVIEWED, *PREPAID, *((ISSUED,) if stage == "paid" else ()), (12, "policy-change"))
    assert led(article, *told).stage == "barred"
    assert exposure(rulebook, article, *told) == {
        "cash_paid": "540000000.00",
        "fee_paid": "135000000.00",
        "refundable": "0.00",
        "undelivered": "20000",
        "awaiting_replacement": "0",
    }


@pytest.mark.parametrize("ending", ["deny-licence", "policy-change", "revoke-licence", None])
def test_no_ending_returns_what_was_paid(
    rulebook: Rulebook, article: Setting, ending: str | None
) -> None:
    issued = () if ending == "deny-licence" else (ISSUED,)
    last: tuple[Told, ...] = () if ending is None else ((12, ending),)
    told = (*REVIEWED, *PREPAID, *issued, *last)
    before, after = led(article, *REVIEWED, *PREPAID), led(article, *told)
    after = advance(article, after, FIRST + 400).state
    # A licence that ran out leaves an order that is still to be closed.
    assert article.process.stages[after.stage].end is (ending is not None)
    assert (after.stage == "lapsed") is (ending is None)
    for path in ("payment.prepaid", "fee.paid"):
        assert after.kept[path] == before.kept[path]
    assert [after.kept[f"case.{name}"] for name in ("reserved", "licensed", "shipped")] == [0] * 3


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        ("request-cancellation", "no-cancellation"),
        ("request-refund", "no-refund"),
        ("request-configuration-change", "no-configuration-change"),
    ],
)
@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "draft"])
def test_a_request_after_placing_is_refused_with_its_rule_and_changes_nothing(
    article: Setting, stage: str, event: str, rule: str
) -> None:
    state = led(article, *STAGES[stage])
    assert state.stage == stage
    moved = step(article, state, _sent((15, event)))
    assert isinstance(moved, Moved)
    [done] = moved.steps
    assert (done.refused, done.transition.refuses) == (True, rule)
    assert (moved.state.stage, moved.state.kept) == (stage, state.kept)
    assert rule in {r.id for r in article.process.regime.rules}


def test_before_it_is_placed_an_order_can_be_dropped_and_nothing_is_refused(
    article: Setting,
) -> None:
    found = possible(article, begin(article, FIRST), FIRST)
    assert [p.event.id for p in found] == ["place", "drop", "policy-change"]
    assert not any(p.refused for p in found)


@pytest.mark.parametrize(("to_date", "moves"), [(55_000, True), (55_001, False)])
def test_an_order_is_placed_up_to_the_cap(article: Setting, to_date: int, moves: bool) -> None:
    placed = step(article, begin(article, FIRST), _sent((0, "place", {"units_to_date": to_date})))
    assert isinstance(placed, Moved) is moves


@pytest.mark.parametrize(("short", "stage"), [(0, "paid"), (1, "licensed")])
def test_a_licence_is_paid_for_to_the_cent(article: Setting, short: int, stage: str) -> None:
    amounts = {"prepay": 540_000_000_00, "pay-fee": 135_000_000_00}
    for less in amounts:
        told: list[Told] = [
            (day, event, {"amount": amount - (short if event == less else 0)})
            for day, (event, amount) in enumerate(amounts.items(), 2)
        ]
        assert led(article, *REVIEWED, *told, ISSUED).stage == stage
        later: list[Told] = [(10, event, *fields) for _, event, *fields in told]
        after = led(article, *REVIEWED, ISSUED, *later)
        assert after.stage == stage


def test_no_shipment_passes_the_licence_and_no_replacement_what_came_back(
    article: Setting,
) -> None:
    shipped = led(article, *STAGES["shipped"])

    def moves(state: State, event: str, units: int) -> bool:
        return isinstance(step(article, state, _sent((11, event, {"units": units}))), Moved)

    assert moves(shipped, "ship", 19_999)
    assert not moves(shipped, "ship", 20_000)
    assert moves(shipped, "receive-return", 1)
    assert not moves(shipped, "receive-return", 2)
    back = led(article, *STAGES["shipped"], (11, "receive-return", {"units": 1}))
    assert moves(back, "replace", 1)
    assert not moves(back, "replace", 2)
    assert not moves(back, "receive-return", 1)


def _kept(
    rulebook: Rulebook, name: str, count: int
) -> Iterator[tuple[Process, int | None, State]]:
    for setting, course in cases(rulebook, name, seed=5, count=count):
        state = begin(setting, course.opened)
        chips = setting.moment(state, state.day, {}).values[setting.slots["order.chips"]]
        for sent in course.sent:
            moved = step(setting, state, sent)
            state = moved.state if isinstance(moved, Moved) else state
            yield setting.process, chips, state


def _the_book_is_sound(rulebook: Rulebook, count: int) -> None:
    most = dict.fromkeys(("reserved", "licensed", "shipped", "returned"), 0)
    for process, chips, state in _kept(rulebook, "h200-article", count):
        counts = {name: whole(state.kept[path]) for name, path in process.ledger.items()}
        for name, number in counts.items():
            assert number >= 0
            most[name] = max(most[name], number)
        total = counts["reserved"] + counts["licensed"] + counts["shipped"]
        assert total <= (chips or 0)
        assert counts["returned"] <= counts["shipped"]
        if total:
            [(_, cap)] = process.regime.parameters["cap"].values
            assert whole(state.kept["customer.units_to_date"]) + total <= whole(cap)
    assert all(most.values())


def test_the_book_of_an_order_never_passes_the_order_or_the_cap(rulebook: Rulebook) -> None:
    _the_book_is_sound(rulebook, 500)


@pytest.mark.deep
def test_the_book_of_very_many_orders_never_passes_the_order_or_the_cap(
    rulebook: Rulebook,
) -> None:
    _the_book_is_sound(rulebook, 30_000)


@pytest.mark.parametrize("name", ["h200-article", "ear-750"])
def test_what_is_shipped_under_a_licence_and_what_is_left_of_it_is_what_was_granted(
    rulebook: Rulebook, name: str
) -> None:
    for setting, course in cases(rulebook, name, seed=6, count=300):
        state, granted = begin(setting, course.opened), 0
        for sent in course.sent:
            moved = step(setting, state, sent)
            if not isinstance(moved, Moved):
                continue
            state = moved.state
            if sent.event == "issue-licence":
                granted = whole(sent.fields["units"])
            left, shipped = whole(state.kept["case.licensed"]), whole(state.kept["case.shipped"])
            assert granted == left + shipped if left else granted >= shipped
