"""What `/openapi.json` says of the requests and answers of cases, processes and books."""

from __future__ import annotations

from typing import Any

from api.app.examples import ETAG, WITH_BODY, body, given, header, problems, taking
from api.app.schemas import ref

Json = dict[str, Any]

CASE: Json = {
    "process": "h200-article",
    "title": "First order of Example Cloud",
    "opened_on": "2026-01-20",
    "facts": {
        "order": {"quantity": 40000, "unit_price": "27000.00", "destination": "CN"},
        "item": {"product": "H200-SXM"},
        "customer": {"id": "example-cloud", "group": "Example Group", "units_to_date": 0},
    },
}
_APPLICATION: Json = {
    "process": "ear-750",
    "title": "An application alone",
    "opened_on": "2026-01-20",
    "facts": {"order.quantity": 40000, "item.product": "H200-SXM"},
}
_PLACE: Json = {"event": "place", "on": "2026-01-21", "note": "by telephone"}
_DROP: Json = {"event": "drop", "on": "2026-01-21"}

_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A word of your own: the same request with it, sent again, changes nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"},
    "example": "7f8a0c52-6c2e-4d3b-9a57-d1f2f7c3e901",
}
_SEEN: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The version that you have seen, from its `ETag`; left out, the stage decides.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
}
_AGAIN = {
    "Idempotent-Replayed": header("That the key was known: nothing was added.", "true"),
}
_LOCATION = {"Location": header("Its address.", "/v1/cases/c-23456789bcdf")}
_CASE_ID = {"id": "$response.body#/id"}
_NEXT: Json = {
    "show": {"operationId": "case", "parameters": _CASE_ID},
    "send": {"operationId": "send_event", "parameters": _CASE_ID},
    "fork": {"operationId": "fork_case", "parameters": _CASE_ID},
    "replay": {"operationId": "replay_case", "parameters": _CASE_ID},
    "draw": {"operationId": "case_picture", "parameters": _CASE_ID},
}


def _case(told: str, status: int = 200, **headers: Json) -> dict[int | str, Json]:
    return given(told, ref("CaseWire"), status=status, headers={**ETAG, **headers})


LISTED = given("Cases.", ref("CasePage")) | problems(400, 404, 503)
FIND = body(ref("WantedCases"), customer={"customer": "example-cloud", "open": True})
FOUND = given("Cases.", ref("CasePage")) | problems(404, *WITH_BODY, 503)
OPEN = body(ref("AskedCase"), order=CASE, application=_APPLICATION) | taking(_KEY)
OPENED = (
    _case("The case.", 201, **_LOCATION)
    | _case("The case that the key has opened before.", 200, **_LOCATION, **_AGAIN)
    | problems(409, *WITH_BODY, 503, 507)
)
OPENED[201]["links"] = _NEXT
SHOWN = _case("The case.") | problems(400, 404, 409, 503)
SEND = body(ref("AskedEvent"), place=_PLACE, drop=_DROP) | taking(_KEY, _SEEN)
SENT = (
    _case("The case with the event.", 201)
    | _case("The case as it was with the event, which the key has sent before.", 200, **_AGAIN)
    | problems(404, 409, 412, *WITH_BODY, 503, 507, kind="CaseProblem")
)
FORK = body(ref("AskedFork"), opening={"version": 0, "title": "Another course"})
FORKED = _case("The fork.", 201, **_LOCATION) | problems(404, 409, *WITH_BODY, 503, 507)
REPLAYED = given("What differs.", ref("Replayed")) | problems(400, 404, 409, 503)
LEDGER = given("The books.", ref("LedgerWire")) | problems(400, 404, 503)
_PICTURE: dict[int | str, Json] = {
    200: {
        "description": "The picture, or the text from which Graphviz or Mermaid draws one.",
        "content": {
            "image/svg+xml": {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}
DRAWN = _PICTURE | problems(400, 404, 409, 503)
PROCESSES = given("The processes.", ref("ProcessList"), headers=ETAG) | problems(400)
PROCESS = given("The process.", ref("ProcessWire"), headers=ETAG) | problems(400, 404)
