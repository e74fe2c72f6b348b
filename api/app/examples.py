"""What `/openapi.json` says of bodies, answers and headers that routes read and write themselves."""

from __future__ import annotations

from typing import Any

from api.app.schemas import Json, components, ref
from engine.load import Rulebook

_TOLD = {
    400: "The body, an address or a parameter cannot be read.",
    401: "A key is needed.",
    403: "The key may not do this, or a page of another site asked.",
    404: "There is nothing of that name.",
    408: "The body came too slowly.",
    409: "It cannot be as things stand: read only, no event for this stage, a key used twice.",
    412: "It was changed by somebody else; `ETag` names the version that is there.",
    413: "The body is too large.",
    415: "The content is of another kind.",
    421: "The service is not offered under this host.",
    422: "The request can be read, and says something that cannot be.",
    428: "`If-Match` is missing.",
    429: "Too many requests.",
    503: "The service is busy, or the work took too long.",
    507: "There is no room for more.",
}
WITH_BODY = (400, 408, 413, 415, 422)
_OPEN = ("/healthz", "/readyz")
"""Addresses that need no key."""
_YAML = "application/yaml"


def problems(*statuses: int, kind: str = "Problem") -> dict[int | str, Json]:
    """The problem documents that an address may give, beside those that any may give."""
    return {status: _problem(status, kind) for status in sorted(statuses)}


def _problem(status: int, kind: str = "Problem") -> Json:
    headers = {"Content-Language": header("The language of title and detail.", "en")}
    if status == 401:
        headers["WWW-Authenticate"] = header("How to send a key.", 'Bearer realm="placet"')
    if status == 412:
        headers["ETag"] = header("The version that is there.", '"3"')
    if status == 429:
        headers["Retry-After"] = header("Seconds to wait.", "17")
    content = {"application/problem+json": {"schema": ref(kind)}}
    return {"description": _TOLD[status], "headers": headers, "content": content}


def header(told: str, example: str, required: bool = True) -> Json:
    """A header of an answer."""
    schema = {"type": "string"}
    return {"description": told, "required": required, "schema": schema, "example": example}


def body(schema: Json, *kinds: str, **examples: Any) -> Json:
    """The body of a request, with examples that work when pasted."""
    told: Json = {"schema": schema}
    if examples:
        told["examples"] = {name: {"value": value} for name, value in examples.items()}
    content = dict.fromkeys(kinds or ("application/json",), told)
    return {"requestBody": {"required": True, "content": content}}


def given(
    told: str,
    schema: Json,
    kind: str = "application/json",
    status: int = 200,
    headers: Json | None = None,
) -> dict[int | str, Json]:
    """What an address gives when all is well."""
    answer: Json = {"description": told, "content": {kind: {"schema": schema}}}
    return {status: {**answer, "headers": headers} if headers else answer}


def taking(*parameters: Json) -> Json:
    """Headers that a route reads from the request itself."""
    return {"parameters": list(parameters)}


# --- one address after the other ---

_FACTS: Json = {
    "order": {
        "placed_on": "2026-01-20",
        "quantity": 80000,
        "unit_price": "27000.00",
        "destination": "CN",
    },
    "item": {"product": "H200-SXM"},
    "customer": {"name": "Example Cloud", "units_to_date": 0},
}
ORDER: Json = {"regime": "h200-article", "as_of": "2026-02-01", "facts": _FACTS}
_SEVERAL: Json = {"regimes": ["h200-article", "bis-2026"], "facts": _FACTS}
_CHANGED: Json = {**ORDER, "parameters": {"cap": "100000"}, "only": ["kind=licence-condition"]}
_DRAFT: Json = {"id": "a-draft", "based_on": "h200-article", "files": {}}
_DRAFTED: Json = {**ORDER, "regime": "a-draft", "draft": _DRAFT}
_CAP: Json = {"fact": "order.quantity", "from": "70000", "to": "80000", "step": "1000"}
_PLACES: Json = {"fact": "order.destination", "values": ["CN", "HK", None]}
_KEPT: Json = {"title": "80,000 for one customer", **ORDER}
_TEXT: Json = {"type": "string"}
_LINES: Json = {"description": "Each line is such a document as `/v1/decide` takes (`Asked`)."}
_VERSION: Json = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The version that you have seen, from its `ETag`.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
    "example": '"1"',
}
_SEEN: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The version that you have; where it is still there, 304 comes back.",
    "schema": _TEXT,
    "example": '"1"',
}
ETAG = {"ETag": header("The version, for `If-Match`.", '"1"')}
_UNCHANGED: dict[int | str, Json] = {304: {"description": "Unchanged since `If-None-Match`."}}

DECIDE = body(ref("Asked"), order=ORDER, several=_SEVERAL, changed=_CHANGED, drafted=_DRAFTED)
DECIDED = given(
    "The decision, or one for each rule set.",
    {"oneOf": [ref("DecisionWire"), ref("Decisions")]},
) | problems(*WITH_BODY, 503)
STREAM = body(_LINES, "application/x-ndjson")
STREAMED = given(
    "For each line a decision (`DecisionWire`, `Decisions`) or a `Rejection`, in order, as it comes.",
    _TEXT,
    "application/x-ndjson",
) | problems(415)
CHECK = body(ref("DraftOfRules"), draft=_DRAFT)
CHECKED = given("Whether the draft is sound.", ref("Checked")) | problems(*WITH_BODY, 503)
SWEEP = body(
    ref("AskedSweep"), line={**ORDER, "axes": [_CAP]}, grid={**ORDER, "axes": [_CAP, _PLACES]}
)
SWEPT = given("Outcomes, reasons and flips.", ref("SweepWire")) | problems(*WITH_BODY, 503)
_FILE: Json = {
    "type": "object",
    "description": "As in JSON; every value is read as text, then by its type: `NO` is Norway.",
    "required": ["facts"],
}
SCENARIO = body(ref("AskedScenario"), draft=_KEPT)
SCENARIO["requestBody"]["content"] |= body(_FILE, _YAML, draft=_KEPT)["requestBody"]["content"]
CHANGE = SCENARIO | taking(_VERSION)
LISTED = given("Scenarios.", ref("ScenarioPage")) | problems(400, 404, 503)
_PLACE = {"Location": header("Its address.", "/v1/scenarios/d-23456789bcdf")}
_ID = {"id": "$response.body#/id"}
_SEEN_NOW = {"header.If-Match": "$response.header.ETag"}
ADDED = given(
    "The draft as it was kept.", ref("DraftRow"), status=201, headers={**ETAG, **_PLACE}
) | problems(*WITH_BODY, 503, 507)
ADDED[201]["links"] = {
    "read": {"operationId": "scenario", "parameters": _ID},
    "run": {"operationId": "run_scenario", "parameters": _ID},
    "change": {"operationId": "change_scenario", "parameters": {**_ID, **_SEEN_NOW}},
    "remove": {"operationId": "remove_scenario", "parameters": {**_ID, **_SEEN_NOW}},
}
GIVEN: dict[int | str, Json] = (
    {
        200: {
            "description": "The scenario, as JSON or as a YAML file; drafts have an `ETag`.",
            "headers": {"ETag": header("The version of a draft.", '"1"', required=False)},
            "content": {
                "application/json": {"schema": ref("ScenarioWire")},
                _YAML: {"schema": {"type": "object", "description": "The envelope alone."}},
            },
        }
    }
    | _UNCHANGED
    | problems(400, 404, 503)
)
SEEN = taking(_SEEN)
CHANGED = given("The new version.", ref("DraftRow"), headers=ETAG) | problems(
    404, 409, *WITH_BODY, 412, 428, 503
)
REMOVE = taking(_VERSION)
_GONE: dict[int | str, Json] = {204: {"description": "It is gone."}}
REMOVED = _GONE | problems(400, 404, 409, 412, 428, 503)
RUN = given("What held and what did not.", ref("RanAll")) | problems(400, 404, 503)
RUN_ONE = given("The decisions, and what differs.", ref("Ran")) | problems(400, 404, 422, 503)
ALIVE = given("The process answers.", ref("Alive"))
READY = given("Rules and store can be used.", ref("Ready")) | given(
    "One of them cannot be used.", ref("Ready"), status=503
)
METRICS = given("Everything counted, in the text format of Prometheus.", _TEXT, "text/plain")

_ANSWERS = {
    "regimes": "RegimeList",
    "regime": "RegimeWire",
    "order_schema": "OrderSchema",
    "vocabulary": "VocabularyWire",
    "faults": "FaultList",
    "fault": "FaultWire",
}
"""What the routes that tell about the rules give, by the name of the operation."""

_TAGS = {
    "decide": "Decide orders, one or many, under shipped rules or a draft of your own.",
    "scenarios": "Stories with orders: those shipped with the rules, and the team's drafts.",
    "cases": "Orders that live through a process, event by event, and the books they fill.",
    "rules": "What the rules say, and what can be said of an order.",
    "service": "For those who run the service.",
}


# --- the whole document ---


def complete(made: Json, book: Rulebook) -> Json:
    """Put into a document what holds for every address, and every schema they refer to."""
    parts = made.setdefault("components", {})
    parts["schemas"] = components(book)
    parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"key": []}, {}]
    made["tags"] = [{"name": name, "description": told} for name, told in _TAGS.items()]
    made["info"]["license"] = {"name": "Apache 2.0", "identifier": "Apache-2.0"}
    not_shipped = ORDER["regime"] not in book.regimes
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            # FastAPI's own 422 is never given: every fault is a problem document.
            if "application/json" in answers.get("422", {}).get("content", {}):
                del answers["422"]
            everywhere = [421, 429]
            if not_shipped:
                _drop_examples(operation)
            if path in _OPEN:
                operation["security"] = []
            else:
                everywhere += [401] if method == "get" else [401, 403]
            answers |= {str(status): _problem(status) for status in everywhere}
            if operation["operationId"] in _ANSWERS:
                _tell_rules(operation, book)
            operation["responses"] = dict(sorted(answers.items()))
    return made


def _drop_examples(operation: Json) -> None:
    """Under other rules than those shipped the examples would not work."""
    for told in operation.get("requestBody", {}).get("content", {}).values():
        told.pop("examples", None)


def _tell_rules(operation: Json, book: Rulebook) -> None:
    """What routes about the rules have in common."""
    name = operation["operationId"]
    good = operation["responses"]["200"]
    good["content"] = {"application/json": {"schema": ref(_ANSWERS[name])}}
    good["headers"] = ETAG
    own = operation.setdefault("parameters", [])
    for parameter in own:
        if parameter["name"] == "id":
            parameter["schema"]["enum"] = list(book.regimes)
        if parameter["name"] == "code":
            parameter["example"] = "O204"
    own.append(_SEEN)
    for status in ("400", "404"):
        if status in operation["responses"]:
            operation["responses"][status] = _problem(int(status))
