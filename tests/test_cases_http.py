"""Cases over HTTP: stories from beginning to end, and everything that leaves a history as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.keys import new_key, read_keys
from api.store import Store, StoreError
from api.wire_case import BookWire, CaseProblem, CaseRow, CaseWire, ProcessRow, ProcessWire
from engine.diagnostics import BackendFailure, Diagnostic, Source, Span
from engine.fault_codes import CODES
from tests.serving import server, service
from tests.test_drafts import is_taking_in

FACTS: dict[str, Any] = {
    "order": {"quantity": 20000, "unit_price": "27000.00", "destination": "CN"},
    "item": {"product": "H200-SXM"},
    "customer": {"id": "c-1007", "group": "Example Cloud"},
    "terms": {"cancellable": False, "refundable": False, "configuration_changeable": False},
}
BOTH = ["reference", "live"]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with service(tmp_path_factory.mktemp("cases"), rate="1000000/second") as client:
        yield client


def opened(client: Any, books: str, *, process: str = "h200-article", **facts: Any) -> str:
    """The address of a new case, in books of its own."""
    case = {"process": process, "workspace": books, "opened_on": "2026-01-12"}
    answer = client.post("/v1/cases", json={**case, "facts": {**FACTS, **facts}})
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == '"0"'
    return str(answer.headers["location"])


def post(client: Any, address: str, event: str, on: str, /, **fields: Any) -> Any:
    """The answer to an event; names with a capital letter are headers."""
    headers = {n.replace("_", "-"): v for n, v in fields.items() if n[0].isupper()}
    data = {name: value for name, value in fields.items() if not name[0].isupper()}
    return client.post(
        f"{address}/events", json={"event": event, "on": on, **data}, headers=headers
    )


def sent(client: Any, address: str, event: str, on: str, /, **fields: Any) -> dict[str, Any]:
    """The case after an event that is taken."""
    answer = post(client, address, event, on, **fields)
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    assert answer.headers["etag"] == f'"{case["version"]}"'
    return case


def last_days(case: dict[str, Any]) -> dict[str, str | None]:
    return {told["clock"]: told["last"] for told in case["deadlines"]}


def stakes(case: dict[str, Any]) -> dict[str, str]:
    return {told["name"]: told["value"] for told in case["exposure"]}


def past(case: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(row["number"], row["event"] or row["clock"], row["on"]) for row in case["history"]]


# --- stories ---


def test_an_application_on_which_the_agencies_differ_is_before_the_president_on_day_ninety(
    client: TestClient,
) -> None:
    facts = {"customer": {"name": "Example Cloud"}, "order": {"destination": "CN"}, "terms": {}}
    at = opened(client, "ninety", process="ear-750", **facts)
    sent(client, at, "submit", "2026-01-13", units=20000, as_whole=False)
    case = sent(client, at, "register", "2026-01-15")
    assert last_days(case) == {"overall": "2026-04-15", "initial": "2026-01-24"}
    sent(client, at, "refer", "2026-01-24")
    sent(client, at, "recommend", "2026-02-10", agency="defense", answer="approve")
    sent(client, at, "recommend", "2026-02-12", agency="energy", answer="no-objection")
    no = {"agency": "state", "answer": "deny", "basis_given": True}
    case = sent(client, at, "recommend", "2026-02-23", **no)
    assert case["stage"]["id"] == "resolution"

    # Commerce would grant it; State has recommended denial.
    alone = post(client, at, "approve-application", "2026-02-23", decision="approve")
    assert alone.status_code == 409
    assert alone.json()["case"]["stage"]["id"] == "resolution"
    assert "refer-to-committee" in alone.json()["detail"]

    sent(client, at, "refer-to-committee", "2026-02-23")
    sent(client, at, "oc-decide", "2026-03-09", decision="approve")
    sent(client, at, "escalate-to-acep", "2026-03-14", agency="state", basis_given=True)
    sent(client, at, "acep-vote", "2026-03-25", vote="approve")
    sent(client, at, "appeal-to-earb", "2026-03-30", agency="state", basis_given=True)
    case = sent(client, at, "earb-vote", "2026-04-10", decision="approve")
    (overall,) = [told for told in case["deadlines"] if told["clock"] == "overall"]
    assert (overall["counted"], overall["days"], overall["last"]) == (85, 90, "2026-04-15")
    case = sent(client, at, "appeal-to-president", "2026-04-15", agency="state")
    assert case["stage"]["id"] == "president"

    # The President has no clock, and none runs meanwhile.
    later = client.get(f"{at}?as_of=2027-04-15").json()
    (overall,) = [told for told in later["deadlines"] if told["clock"] == "overall"]
    assert (overall["stopped"], overall["counted"], overall["last"]) == (True, 90, None)
    case = sent(client, at, "president-decides", "2026-06-30", decision="approve")
    assert case["stage"]["id"] == "approved"
    kept = {told["fact"]: told["value"] for told in case["kept"]}
    assert (kept["review.state"], kept["case.decided_by"]) == ("deny", "president")
    assert {tuple(row["judged_by"]) for row in case["history"]} == {tuple(BOTH)}
    assert all(row["citations"] for row in case["history"])
    CaseWire.model_validate(case)


def test_without_a_word_from_the_agencies_their_time_ends_by_itself(client: TestClient) -> None:
    at = opened(client, "silence", process="ear-750", order={"destination": "CN"}, terms={})
    sent(client, at, "submit", "2026-01-13", units=5000, as_whole=False)
    sent(client, at, "register", "2026-01-15")
    sent(client, at, "refer", "2026-01-20")
    # Thirty days from 20 January: 19 February is the last in time.
    assert client.get(f"{at}?as_of=2026-02-19").json()["stage"]["id"] == "agency-review"
    case = client.get(f"{at}?as_of=2026-02-20").json()
    assert (case["stage"]["id"], case["as_of"]) == ("resolution", "2026-02-20")
    assert case["history"][-1]["number"] is None
    assert case["history"][-1]["clock"] == "agencies"
    assert case["version"] == 3
    # A day before the latest event is none to look from.
    assert client.get(f"{at}?as_of=2026-01-01").json()["as_of"] == "2026-01-20"


def test_an_order_paid_in_full_and_then_banned_shows_what_is_at_stake(client: TestClient) -> None:
    customer = {**FACTS["customer"], "units_to_date": 55000}
    at = opened(client, "banned", customer=customer)
    case = sent(client, at, "place", "2026-01-20")
    assert case["ledger"]["used"] == 75000
    assert case["ledger"]["remaining"] == 0
    sent(client, at, "prepay", "2026-01-22", amount="540000000.00")
    sent(client, at, "apply", "2026-01-23")
    licence = {"units": 20000, "decision": "approve", "valid_until": "2027-02-20"}
    sent(client, at, "issue-licence", "2026-02-20", **licence)
    # 25 % of 20,000 chips at USD 27,000.00.
    case = sent(client, at, "pay-fee", "2026-02-25", amount="135000000.00")
    assert case["stage"]["id"] == "paid"
    sent(client, at, "ship", "2026-03-02", units=5000)

    case = sent(client, at, "request-refund", "2026-03-30")
    refused = case["history"][-1]
    assert (refused["refused"], refused["before"], refused["after"]) == (
        "no-refund",
        "shipped",
        "shipped",
    )
    assert refused["refused_title"]["zh"]
    assert {cited["source"] for cited in refused["citations"]} >= {"article"}

    case = sent(client, at, "policy-change", "2026-04-03")
    assert (case["stage"]["id"], case["stage"]["end"], case["possible"]) == ("barred", True, [])
    assert stakes(case) == {
        "cash_paid": "540000000.00",
        "fee_paid": "135000000.00",
        "refundable": "0.00",
        "undelivered": "15000",
        "awaiting_replacement": "0",
    }
    # What was shipped counts on; what was never licensed for good is free again.
    assert case["ledger"]["used"] == 60000
    assert case["decision"]["regime"]["id"] == "h200-article"
    assert case["decision"]["facts"]["payment.prepaid"] == "540000000.00"
    assert case["decision"]["engine"]["judged_by"] == BOTH
    CaseWire.model_validate(case)


def test_of_two_orders_that_together_pass_the_cap_the_second_is_not_placed(
    client: TestClient,
) -> None:
    order = {**FACTS["order"], "quantity": 40000}
    sister = {"id": "c-1008", "group": "Example Cloud"}
    one = opened(client, "sisters", order=order)
    other = opened(client, "sisters", order=order, customer=sister)
    sent(client, one, "place", "2026-01-20")
    refused = post(client, other, "place", "2026-01-21")
    problem = refused.json()
    assert (refused.status_code, problem["diagnostics"][0]["code"]) == (409, "O402")
    assert "80000 <= 75000 does not hold" in problem["detail"]
    assert problem["case"]["version"] == 0
    assert client.get(other).json()["version"] == 0

    books = client.get("/v1/ledger?workspace=sisters&process=h200-article").json()["books"]
    (book,) = [BookWire.model_validate(row) for row in books]
    assert (book.of, book.name, book.cap) == ("group", "Example Cloud", 75000)
    assert (book.reserved, book.used, book.remaining) == (40000, 40000, 35000)
    assert {share.name: share.reserved for share in book.customers} == {
        "c-1007": 40000,
        "c-1008": 0,
    }
    # In other books the same customer begins anew.
    assert client.get("/v1/ledger?workspace=nowhere").json()["books"] == []
    (uncapped,) = client.get("/v1/ledger?workspace=sisters").json()["books"]
    assert (uncapped["used"], uncapped["cap"], uncapped["remaining"]) == (40000, None, None)


def test_a_fork_has_a_future_of_its_own_and_is_counted_in_no_book(client: TestClient) -> None:
    at = opened(client, "futures")
    sent(client, at, "place", "2026-01-20")
    sent(client, at, "apply", "2026-01-23")
    sent(client, at, "deny-licence", "2026-03-02")

    made = client.post(f"{at}/fork", json={"version": 2, "title": "Had BIS said yes"})
    assert (made.status_code, made.headers["etag"]) == (201, '"2"')
    fork = made.headers["location"]
    assert fork != at
    told = made.json()
    assert (told["title"], told["stage"]["id"]) == ("Had BIS said yes", "under-review")
    assert (told["forked_from"], told["forked_at"]) == (at.rpartition("/")[2], 2)
    assert told["counted"] is False
    licence = {"units": 20000, "decision": "approve", "valid_until": "2027-02-20"}
    other = sent(client, fork, "issue-licence", "2026-03-02", **licence)

    first = client.get(at).json()
    assert (first["stage"]["id"], other["stage"]["id"]) == ("denied", "licensed")
    assert past(first)[:2] == past(other)[:2]
    assert first["ledger"]["used"] == 0  # the chips of the denied order are free again
    assert other["ledger"]["used"] == 0

    for version, code in (
        (4, "O414"),
        (-1, "O203"),
        (True, "O202"),
        ("x", "O202"),
        (10**9, "O203"),
    ):
        refused = client.post(f"{at}/fork", json={"version": version})
        assert refused.status_code == 422, refused.text
        assert refused.json()["diagnostics"][0]["code"] == code
    assert client.post(f"{at}/fork", json={}).status_code == 400
    assert client.post(f"{at}/fork", json={"version": 0, "name": "x"}).status_code == 422
    assert client.post(f"{at}/fork", json={"version": 0, "title": "a\nb"}).status_code == 422


def test_a_case_is_played_again_from_its_events(client: TestClient) -> None:
    at = opened(client, "again")
    sent(client, at, "place", "2026-01-20")
    sent(client, at, "prepay", "2026-01-22", amount="5.00")
    found = client.post(f"{at}/replay").json()
    assert (found["same"], found["differences"], found["version"]) == (True, [], 2)
    assert found["edition"]["stored"] == found["edition"]["now"]


# --- what leaves a history as it was ---


@pytest.fixture(scope="module")
def halfway(client: TestClient) -> str:
    """A case whose licence covers 5,000 of 20,000 chips, paid in full."""
    at = opened(client, "halfway")
    sent(client, at, "place", "2026-01-20", Idempotency_Key="placed")
    sent(client, at, "prepay", "2026-01-22", amount="540000000.00")
    sent(client, at, "pay-fee", "2026-01-22", amount="135000000.00")
    sent(client, at, "apply", "2026-01-23")
    licence = {"units": 5000, "decision": "approve", "valid_until": "2027-02-20"}
    case = sent(client, at, "issue-licence", "2026-02-20", **licence)
    assert case["stage"]["id"] == "paid"
    return at


ON = {"on": "2026-03-01"}
BAD: dict[str, tuple[dict[str, Any], dict[str, str], int, str, str]] = {
    "an event of another stage": ({"event": "apply", **ON}, {}, 409, "O401", "/event"),
    "an event dated before the latest one": (
        {"event": "ship", "on": "2026-02-19", "units": 1},
        *({}, 409, "O403", "/on"),
    ),
    "another event with the same key": (
        {"event": "ship", **ON, "units": 1},
        *({"Idempotency-Key": "placed"}, 409, "W120", ""),
    ),
    "a version that is gone": (
        {"event": "ship", **ON, "units": 1},
        *({"If-Match": '"4"'}, 412, "W109", ""),
    ),
    "a version that cannot be": (
        {"event": "ship", **ON, "units": 1},
        *({"If-Match": '"5", "6"'}, 412, "W109", ""),
    ),
    "an agency that does not exist": (
        {"event": "recommend", **ON, "agency": "treasury", "answer": "deny"},
        *({}, 422, "O204", "/agency"),
    ),
    "a negative payment": (
        {"event": "prepay", **ON, "amount": "-1.00"},
        {},
        422,
        "O203",
        "/amount",
    ),
    "money as a number": ({"event": "prepay", **ON, "amount": 5.5}, {}, 422, "O202", "/amount"),
    "a shipment above the licence": (
        {"event": "ship", **ON, "units": 5001},
        *({}, 409, "O402", "/event"),
    ),
    "an unknown event": ({"event": "shipp", **ON}, {}, 422, "O404", "/event"),
    "no event": ({**ON}, {}, 422, "O404", ""),
    "no date": ({"event": "ship", "units": 1}, {}, 422, "O405", ""),
    "a day that is none": (
        {"event": "ship", "on": "2026-02-30", "units": 1},
        {},
        422,
        "O202",
        "/on",
    ),
    "a field left out": ({"event": "ship", **ON}, {}, 422, "O405", ""),
    "a field too many": ({"event": "ship", **ON, "units": 1, "unit": 1}, {}, 422, "O405", "/unit"),
    "what the books fill in": (
        {"event": "place", **ON, "units_to_date": 0},
        *({}, 422, "O405", "/units_to_date"),
    ),
    "a note too long": (
        {"event": "ship", **ON, "units": 1, "note": "x" * 501},
        {},
        422,
        "O405",
        "/note",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_event_changes_nothing_and_hears_where_the_case_stands(
    client: TestClient, halfway: str, what: str
) -> None:
    event, headers, status, code, pointer = BAD[what]
    before = client.get(halfway)
    answer = client.post(f"{halfway}/events", json=event, headers=headers)
    problem = answer.json()
    first = problem["diagnostics"][0]
    assert (answer.status_code, first["code"], first.get("pointer", "")) == (status, code, pointer)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["etag"] == before.headers["etag"] == '"5"'
    assert problem["title"] == CODES[code].title

    case = CaseProblem.model_validate(problem).case
    assert case is not None
    assert (case.id, case.version, case.stage.id) == (halfway.rpartition("/")[2], 5, "paid")
    possible = [one.event for one in case.possible]
    assert possible[0] == "ship"
    assert "request-refund" in possible
    # The same in words, in both languages.
    words = " ".join([first["message"], first["help"], *(note["text"] for note in first["notes"])])
    assert "`paid`" in words
    assert all(event in words for event in possible)
    assert "许可证已签发，货款和费用付清" in first["zh"]
    assert "“发运”" in first["zh"]

    assert client.get(halfway).content == before.content


@pytest.mark.parametrize(
    "body", ["[]", "5", '{"event": "ship"', '{"event": "a", "event": "b"}', ""]
)
def test_what_is_no_event_at_all_changes_nothing(
    client: TestClient, halfway: str, body: str
) -> None:
    before = client.get(halfway).content
    kind = {"Content-Type": "application/json"}
    answer = client.post(f"{halfway}/events", content=body, headers=kind)
    assert answer.status_code in (400, 422)
    assert client.get(halfway).content == before


def test_an_ended_case_takes_nothing_more(client: TestClient) -> None:
    at = opened(client, "ended")
    sent(client, at, "drop", "2026-01-20")
    answer = post(client, at, "place", "2026-01-21")
    assert (answer.status_code, answer.json()["diagnostics"][0]["code"]) == (409, "O401")
    assert answer.json()["case"]["possible"] == []


@pytest.mark.parametrize(
    "id", ["c-bcdfghjkmnpq", "c-", "x", "%00", "c-' OR 1=1 --", "d-bcdfghjkmnpq"]
)
def test_a_case_that_is_not_there_is_found_by_no_address(client: TestClient, id: str) -> None:
    event = {"event": "place", "on": "2026-01-20"}
    for method, path, body in (
        *(("GET", "", None), ("GET", "/picture", None), ("POST", "/replay", None)),
        *(("POST", "/events", event), ("POST", "/fork", {"version": 0})),
    ):
        answer = client.request(method, f"/v1/cases/{id}{path}", json=body)
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.json()["diagnostics"][0]["code"] == "W105"


def refused_case(client: TestClient, **changes: Any) -> tuple[int, str, str]:
    case = {"process": "h200-article", "opened_on": "2026-01-12", "facts": FACTS} | changes
    answer = client.post("/v1/cases", json={n: v for n, v in case.items() if v != "absent"})
    first = answer.json()["diagnostics"][0]
    return answer.status_code, first["code"], first.get("pointer", "")


def test_what_no_case_is_opened_with_is_refused_at_its_place(client: TestClient) -> None:
    count = len(client.get("/v1/cases?limit=200").json()["cases"])
    assert refused_case(client, process="h200") == (422, "O409", "/process")
    assert refused_case(client, process="absent") == (422, "O409", "")
    assert refused_case(client, facts="absent") == (422, "O302", "")
    assert refused_case(client, facts={"payment.prepaid": "5.00"}) == (
        *(422, "O408"),
        "/facts/payment.prepaid",
    )
    assert refused_case(client, facts={"order": {"quantity": "many"}}) == (
        *(422, "O202"),
        "/facts/order/quantity",
    )
    assert refused_case(client, opened_on="2024-01-12") == (422, "O410", "/opened_on")
    assert refused_case(client, opened_on="soon") == (422, "O212", "/opened_on")
    assert refused_case(client, workspace="x" * 61) == (422, "O302", "/workspace")
    assert refused_case(client, title="a\nb") == (422, "O302", "/title")
    assert refused_case(client, events=[]) == (422, "O101", "/events")
    assert refused_case(client, basis={"order.nothing": "PO-1"}) == (
        *(422, "O201"),
        "/basis/order.nothing",
    )
    assert len(client.get("/v1/cases?limit=200").json()["cases"]) == count


def test_a_customer_of_a_known_group_is_not_opened_under_another(client: TestClient) -> None:
    opened(client, "groups")
    facts = {**FACTS, "customer": {"id": "c-1007", "group": "Another House"}}
    case = {"process": "h200-article", "workspace": "groups", "facts": facts}
    answer = client.post("/v1/cases", json=case)
    (told,) = answer.json()["diagnostics"]
    assert (answer.status_code, told["code"]) == (409, "O411")
    assert told["pointer"] == "/facts/customer/group"
    assert "Example Cloud" in told["zh"]


# --- what is sent again ---


def test_an_event_that_is_sent_again_with_its_key_is_answered_as_it_was_then(
    client: TestClient,
) -> None:
    at = opened(client, "keys")
    once = post(client, at, "place", "2026-01-20", Idempotency_Key="k-1", If_Match='"0"')
    again = post(client, at, "place", "2026-01-20", Idempotency_Key="k-1", If_Match='"0"')
    assert (once.status_code, again.status_code) == (201, 200)
    assert again.content == once.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in once.headers

    sent(client, at, "apply", "2026-01-23")
    late = post(client, at, "place", "2026-01-20", Idempotency_Key="k-1")
    assert (late.status_code, late.headers["etag"]) == (200, '"1"')
    assert late.json()["stage"]["id"] == "placed"
    assert past(late.json()) == past(once.json())
    assert client.get(at).headers["etag"] == '"2"'
    # The key belongs to the case.
    other = opened(client, "keys of another")
    sent(client, other, "place", "2026-01-20", Idempotency_Key="k-1")
    # Without a key nothing says that it is the same.
    assert post(client, at, "prepay", "2026-01-24", amount="1.00").status_code == 201
    assert post(client, at, "prepay", "2026-01-24", amount="1.00").status_code == 201


def test_a_case_that_is_opened_again_with_its_key_is_the_same_case(client: TestClient) -> None:
    case = {"process": "h200-article", "workspace": "opened twice", "facts": FACTS}
    key = {"Idempotency-Key": "7f8a0c52"}
    once, again = (client.post("/v1/cases", json=case, headers=key) for _ in range(2))
    assert (once.status_code, again.status_code) == (201, 200)
    assert once.headers["location"] == again.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    other = client.post("/v1/cases", json={**case, "title": "Another"}, headers=key)
    assert (other.status_code, other.json()["diagnostics"][0]["code"]) == (409, "W120")
    assert len(client.get("/v1/cases?workspace=opened twice").json()["cases"]) == 1


def test_who_asks_again_after_midnight_gets_the_case_of_the_day_before(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = client.app.state.house  # type: ignore[attr-defined]
    day = house.today()
    case = {"process": "h200-article", "workspace": "midnight", "facts": FACTS}
    key = {"Idempotency-Key": "night"}
    once = client.post("/v1/cases", json=case, headers=key)
    monkeypatch.setattr(type(house), "today", lambda self: day + 1)
    again = client.post("/v1/cases", json=case, headers=key)
    assert (once.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == once.json()["id"]


@pytest.mark.parametrize("key", ["", " ", "a\tb", "x" * 101, "é"])
def test_a_key_that_cannot_be_is_refused(client: TestClient, halfway: str, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    event = {"event": "ship", "on": "2026-03-01", "units": 1}
    before = client.get(halfway).content
    for path, body in (
        ("/v1/cases", {"process": "h200-article", "facts": {}}),
        (f"{halfway}/events", event),
    ):
        answer = client.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["diagnostics"][0]["code"]) == (400, "W101")
    assert client.get(halfway).content == before


def test_of_many_who_send_at_once_each_is_taken_once_or_told(client: TestClient) -> None:
    at = opened(client, "crowd")
    sent(client, at, "place", "2026-01-20")

    def pay(number: int) -> tuple[int, int]:
        seen = {"If_Match": '"1"', "Idempotency_Key": f"pay-{number % 4}"}
        amount = f"{number % 4 + 1}.00"
        return number % 4, post(
            client, at, "prepay", "2026-01-22", amount=amount, **seen
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(pay, range(16)))
    # All have seen version 1: one payment is taken, those with its key are answered as it was.
    (taken,) = [key for key, status in answers if status == 201]
    assert {status for key, status in answers if key == taken} <= {200, 201}
    assert {status for key, status in answers if key != taken} == {412}
    case = client.get(at).json()
    assert (case["version"], stakes(case)["cash_paid"]) == (2, f"{taken + 1}.00")

    def order(number: int) -> int:
        return int(post(client, orders[number], "place", "2026-01-21").status_code)

    # 20,000 are placed; of five orders of 20,000 each two more fit under 75,000.
    orders = [opened(client, "crowd") for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        found = sorted(pool.map(order, range(5)))
    assert found == [201, 201, 409, 409, 409]
    (book,) = client.get("/v1/ledger?workspace=crowd&process=h200-article").json()["books"]
    assert (book["used"], book["remaining"]) == (60000, 15000)


# --- lists, pictures, processes ---


def test_cases_are_listed_newest_first_by_what_they_are(client: TestClient) -> None:
    orders = [opened(client, "lists") for _ in range(3)]
    application = opened(client, "lists", process="ear-750", terms={})
    sent(client, orders[1], "place", "2026-01-20")
    sent(client, orders[2], "drop", "2026-01-20")
    here = "/v1/cases?workspace=lists"

    def ids(query: str) -> set[str]:
        rows = client.get(f"{here}{query}").json()["cases"]
        return {f"/v1/cases/{CaseRow.model_validate(row).id}" for row in rows}

    assert ids("") == {*orders, application}
    assert ids("&process=ear-750") == {application}
    assert ids("&stage=placed") == {orders[1]}
    assert ids("&open=false") == {orders[2]}
    assert ids("&open=true") == {orders[0], orders[1], application}

    def found_by(**wanted: object) -> set[str]:
        answer = client.post("/v1/cases/find", json={"workspace": "lists", **wanted})
        assert answer.status_code == 200, answer.text
        return {f"/v1/cases/{row['id']}" for row in answer.json()["cases"]}

    whose = {"customer": "c-1007", "group": "Example Cloud", "process": "h200-article"}
    assert found_by(**whose) == set(orders)
    assert found_by(**whose, open=False) == {orders[2]}
    assert found_by(customer="nobody") == set()
    assert len(found_by(limit=2)) == 2
    for wrong in ({"limit": 0}, {"open": "yes"}, {"customers": "c-1007"}, {"title": 7}):
        assert client.post("/v1/cases/find", json=wrong).status_code in (400, 422)
    # Who a case is for stands in no address, and so in no log of addresses.
    refused = client.get("/v1/cases?customer=c-1007")
    assert refused.status_code == 400
    assert "/v1/cases/find" in refused.json()["detail"]
    found: list[str] = []
    after = ""
    while True:
        page = client.get(f"{here}&limit=3{after}").json()
        found += [row["id"] for row in page["cases"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(found) == len(set(found)) == 4
    assert client.get("/v1/cases?after=nowhere").status_code == 404
    for query in ("open=maybe", "limit=0", "limit=201", "open="):
        assert client.get(f"/v1/cases?{query}").status_code == 400


def test_processes_are_told_whole(client: TestClient) -> None:
    rows = client.get("/v1/processes").json()["processes"]
    assert {ProcessRow.model_validate(row).id for row in rows} >= {"h200-article", "ear-750"}
    for row in rows:
        answer = client.get(f"/v1/processes/{row['id']}")
        process = ProcessWire.model_validate(answer.json())
        assert process.stages[0].id == process.start
        assert {one.from_[0] for one in process.transitions} <= {one.id for one in process.stages}
        assert all(one.citations for one in process.transitions)
        assert all(one.citations for one in process.clocks)
        seen = {"If-None-Match": answer.headers["etag"]}
        assert client.get(f"/v1/processes/{row['id']}", headers=seen).status_code == 304
    (total,) = client.get("/v1/processes/ear-750").json()["totals"]
    assert (total["equals"], total["days"]) == ("overall", 90)
    missing = client.get("/v1/processes/ear-751")
    assert missing.status_code == 404
    assert "ear-750" in missing.json()["detail"]
    assert client.get("/v1/ledger?process=ear-751").status_code == 404


def test_a_process_is_drawn_and_a_case_marks_its_stage(client: TestClient) -> None:
    at = opened(client, "drawn")
    sent(client, at, "place", "2026-01-20")
    for address in ("/v1/processes/h200-article", at):
        svg = client.get(f"{address}/picture")
        assert svg.headers["content-type"] == "image/svg+xml"
        assert svg.text.startswith("<svg")
        assert "digraph" in client.get(f"{address}/picture?as=dot").text
        assert "stateDiagram" in client.get(f"{address}/picture?as=mermaid").text
        assert client.get(f"{address}/picture?as=png").status_code == 400
        assert "已下单" in client.get(f"{address}/picture?as=dot&lang=zh").text
        zh = {"Accept-Language": "zh"}
        assert "已下单" in client.get(f"{address}/picture?as=dot", headers=zh).text
    assert client.get(f"{at}/picture?as=dot").text.count("▶") == 1
    assert "▶" not in client.get("/v1/processes/h200-article/picture?as=dot").text
    assert client.get(f"{at}/picture?as_of=soon").status_code == 400


def test_any_text_comes_back_as_it_was_sent(client: TestClient) -> None:
    text = "<script>alert(1)</script> {{ 7 * 7 }} '; DROP TABLE casefile; -- 中文 😀"
    facts = {**FACTS, "customer": {"id": text, "group": text}}
    case = {"process": "h200-article", "title": text, "story": text, "facts": facts}
    case |= {"workspace": "texts", "opened_on": "2026-01-12", "basis": {"order.quantity": text}}
    made = client.post("/v1/cases", json=case).json()
    assert (made["title"], made["story"], made["customer"]) == (text, text, text)
    assert made["basis"] == {"order.quantity": text}
    assert made["decision"]["basis"] == made["basis"]
    told = sent(client, f"/v1/cases/{made['id']}", "place", "2026-01-20", note=f"{text}\n{text}")
    assert told["history"][-1]["note"] == f"{text}\n{text}"
    (book,) = client.get("/v1/ledger", params={"workspace": "texts"}).json()["books"]
    assert book["name"] == text


# --- who may do it, and how it is judged ---


def test_a_key_that_reads_looks_and_plays_again_but_changes_no_case(tmp_path: Path) -> None:
    (reading, one), (drafting, two) = new_key("reader", "read"), new_key("writer", "draft")
    keys = read_keys([one, two])
    with service(tmp_path, keys=keys) as client:
        reads, drafts = ({"Authorization": f"Bearer {key}"} for key in (reading, drafting))
        case = {"process": "h200-article", "facts": FACTS}
        event = {"event": "place", "on": "2026-12-01"}
        assert client.post("/v1/cases", json=case, headers=reads).status_code == 403
        made = client.post("/v1/cases", json=case, headers=drafts)
        at = made.headers["location"]
        assert (made.status_code, made.json()["opened_by"]) == (201, "writer")
        for path, body in (("/events", event), ("/fork", {"version": 0})):
            refused = client.post(f"{at}{path}", json=body, headers=reads)
            assert (refused.status_code, refused.json()["diagnostics"][0]["code"]) == (403, "W103")
        for path in ("/v1/cases", at, f"{at}/picture", "/v1/ledger", "/v1/processes"):
            assert client.get(path, headers=reads).status_code == 200
            assert client.get(path).status_code == 401
        assert client.post(f"{at}/replay", headers=reads).status_code == 200
        told = client.post(f"{at}/events", json=event, headers=drafts).json()
        assert told["history"][-1]["sent_by"] == "writer"


def test_an_event_on_which_two_evaluators_disagree_is_not_recorded(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = client.app.state.house  # type: ignore[attr-defined]
    at = opened(client, "apart")
    walked = type(house.fence).walked
    monkeypatch.setattr(
        type(house.fence), "walked", lambda *asked: ("moved", "closed", False, walked(*asked)[3])
    )
    answer = post(client, at, "place", "2026-01-20", note="a secret of the customer")
    (told,) = answer.json()["diagnostics"]
    assert (answer.status_code, told["code"]) == (503, "B900")
    assert "secret" not in answer.text
    assert client.get(at).json()["version"] == 0
    counted = client.get("/metrics").text
    assert 'placet_disagreements_total{rules="h200-article"} 1.0' in counted


def test_where_the_second_evaluator_cannot_be_asked_the_history_says_who_judged(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = client.app.state.house  # type: ignore[attr-defined]
    at = opened(client, "alone")

    def down(*asked: Any) -> Any:
        raise BackendFailure([Diagnostic("B001", Span(Source("live")), "it is down")])

    monkeypatch.setattr(type(house.fence), "walked", down)
    sent(client, at, "place", "2026-01-20")
    monkeypatch.undo()
    case = sent(client, at, "apply", "2026-01-21")
    assert [row["judged_by"] for row in case["history"]] == [["reference"], BOTH]


def test_where_there_is_no_room_or_no_database_nothing_is_recorded(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = client.app.state.house  # type: ignore[attr-defined]
    at = opened(client, "full")
    sent(client, at, "place", "2026-01-20")
    case = {"process": "h200-article", "facts": FACTS}

    full = replace(house.casework.cases, most=1, most_events=1)
    monkeypatch.setattr(house, "casework", replace(house.casework, cases=full))
    event = post(client, at, "apply", "2026-01-23")
    for answer in (client.post("/v1/cases", json=case), event):
        assert answer.status_code == 507
        assert answer.json()["diagnostics"][0]["code"] == "W118"
    monkeypatch.undo()

    def broken(store: Store) -> Any:
        raise StoreError("the database says: gone, postgresql://user:password@host")

    monkeypatch.setattr(Store, "writing", broken)
    for answer in (client.post("/v1/cases", json=case), post(client, at, "apply", "2026-01-23")):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["diagnostics"][0]["code"] == "W117"
        assert "password" not in answer.text
    monkeypatch.undo()
    assert client.get(at).json()["version"] == 1
    sent(client, at, "apply", "2026-01-23")


def test_cases_are_never_worked_on_where_requests_are_taken_in(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened(client, "elsewhere")
    asked: list[bool] = []
    reading, writing = Store.reading, Store.writing

    def watched(how: Any) -> Any:
        def connected(store: Store) -> Any:
            asked.append(is_taking_in())
            return how(store)

        return connected

    monkeypatch.setattr(Store, "reading", watched(reading))
    monkeypatch.setattr(Store, "writing", watched(writing))
    opened(client, "elsewhere")
    sent(client, at, "place", "2026-01-20")
    assert post(client, at, "ship", "2026-01-20", units=1).status_code == 409
    client.post(f"{at}/fork", json={"version": 0})
    client.post(f"{at}/replay")
    for path in (at, f"{at}/picture", "/v1/cases", "/v1/ledger?process=h200-article"):
        assert client.get(path).status_code == 200
    assert len(asked) > 10
    assert not any(asked)


# --- a service that is ended from outside ---


def test_whatever_was_acknowledged_outlives_a_service_that_is_killed(tmp_path: Path) -> None:
    chance = random.Random(750)
    at = ""
    acknowledged: list[int] = []
    for round_ in range(4):
        with server(tmp_path, PLACET_RATE="1000000/second") as (address, process):
            at = _open_with_key(address, round_)
            case = httpx2.get(address + at).json()
            said = [row["note"] for row in case["history"][1:]]
            # Every acknowledged payment is there, in its order; at most the last one unheard.
            assert said[: len(acknowledged)] == [str(n) for n in acknowledged]
            assert len(said) <= len(acknowledged) + 1
            assert [row["number"] for row in case["history"]] == list(
                range(1, case["version"] + 1)
            )
            assert stakes(case)["cash_paid"] == f"{len(said)}.00"
            assert httpx2.post(f"{address}{at}/replay").json()["same"]
            if round_ == 3:
                break

            # What nobody acknowledged is sent again, and is on record once.
            number = len(acknowledged)
            last = number + chance.randrange(4, 16)
            killer = Timer(chance.uniform(0, 0.06), process.kill)
            with suppress(httpx2.TransportError), httpx2.Client(base_url=address) as client:
                while number < last + 100:
                    if number == last:
                        killer.start()
                    pay = {"amount": "1.00", "note": str(number), "Idempotency_Key": f"k-{number}"}
                    answer = post(client, at, "prepay", "2026-01-22", **pay)
                    assert answer.status_code in (200, 201), answer.text
                    acknowledged.append(number)
                    number += 1
            killer.join()
            process.wait(30)
    assert len(acknowledged) >= 12


def _open_with_key(address: str, round_: int) -> str:
    """The case of the story, opened and placed again and again by its keys."""
    case = {"process": "h200-article", "opened_on": "2026-01-12", "facts": FACTS}
    with httpx2.Client(base_url=address, timeout=20) as client:
        made = client.post("/v1/cases", json=case, headers={"Idempotency-Key": "the case"})
        assert made.status_code == (200 if round_ else 201), made.text
        at = str(made.headers["location"])
        placed = post(client, at, "place", "2026-01-20", Idempotency_Key="placed")
        assert placed.status_code == (200 if round_ else 201), placed.text
        assert len(client.get("/v1/cases").json()["cases"]) == 1
    return at
