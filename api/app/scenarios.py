"""Routes of scenarios: those shipped with the rules, to read and run; the team's drafts, to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from orjson import Fragment

from api import tasks
from api.app import examples
from api.app.answers import answer, fault, not_there, problem
from api.app.house import House
from api.app.reading import YAML, scenario_of
from api.moments import moment, now
from api.store import Changed, Entry
from api.store import written as json_of
from api.stories import Story
from engine.diagnostics import OrderRejected
from engine.order import Document
from engine.source import as_yaml, read_bytes

router = APIRouter(prefix="/v1/scenarios", tags=["scenarios"])
NOT_POST = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
Id = Annotated[str, InPath(max_length=200, description="The id that the list names.")]


@router.get(
    "",
    operation_id="scenarios",
    summary="List scenarios",
    response_class=Response,
    responses=examples.LISTED,
)
def listed(
    request: Request,
    origin: Annotated[str | None, Query(pattern="^(draft|shipped)$")] = None,
    regime: Annotated[str | None, Query(max_length=100)] = None,
    title: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List drafts, newest first, a page at a time; the first page also lists what is shipped."""
    house: House = request.app.state.house
    rows: list[dict[str, Any]] = []
    following = None
    if origin != "shipped":
        page = house.drafts.page(limit, after, regime, title)
        rows += [entry_json(entry) for entry in page.entries]
        following = page.next
    if origin != "draft" and after is None:
        wanted = title.casefold()
        rows += [
            story_json(story)
            for story in house.shipped.values()
            if regime in (None, story.regime)
            and any(wanted in text.casefold() for text in story.scenario.title.as_json().values())
        ]
    return answer({"scenarios": rows, "next": following})


@router.post(
    "",
    operation_id="add_scenario",
    summary="Keep a draft",
    response_class=Response,
    status_code=201,
    openapi_extra=examples.SCENARIO,
    responses=examples.ADDED,
)
async def add(request: Request) -> Response:
    """Keep a draft: an envelope in JSON, or a scenario file in YAML."""
    house: House = request.app.state.house
    document = await scenario_of(request)
    title, regime = house.read_draft(document)
    made = await run_in_threadpool(
        house.drafts.add, document.data, title=title, regime=regime, at=now(), by=by(request)
    )
    headers = {"Location": f"/v1/scenarios/{made.id}", "ETag": etag(made)}
    return answer(entry_json(made), 201, headers)


@router.post(
    "/run",
    operation_id="run_scenarios",
    summary="Run the shipped scenarios",
    response_class=Response,
    responses=examples.RUN,
)
def run_all(
    request: Request, regime: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Run the shipped scenarios of one rule set, or of all: which expectations hold?"""
    house: House = request.app.state.house
    ids = [id for id, story in house.shipped.items() if regime in (None, story.regime)]
    if not ids:
        raise OrderRejected([not_there("scenario of the rule set", str(regime))])
    found = house.aside(tasks.run_files, house.scenarios, ids, house.today())
    return answer({"passed": all(row["passed"] for row in found), "scenarios": found})


@router.post(
    "/{id:path}/run",
    operation_id="run_scenario",
    summary="Run one scenario",
    response_class=Response,
    responses=examples.RUN_ONE,
)
def run(request: Request, id: Id) -> Response:
    """Run one scenario: the decision of each of its orders, and what differs from what is expected."""
    house: House = request.app.state.house
    document = (
        Document(house.drafts.get(id).document) if is_draft(id) else story_of(house, id).document
    )
    return answer(house.aside(tasks.run_one, document, house.today()))


@router.api_route("/run", methods=NOT_POST, include_in_schema=False)
@router.api_route("/{id:path}/run", methods=NOT_POST, include_in_schema=False)
async def not_run(request: Request) -> Response:
    """Refuse any other method, lest `run` be taken for the end of an id."""
    return only_post(request, "runs are asked for with POST")


@router.get(
    "/{id:path}",
    operation_id="scenario",
    summary="Give one scenario",
    response_class=Response,
    openapi_extra=examples.SEEN,
    responses=examples.GIVEN,
)
def given(
    request: Request,
    id: Id,
    as_: Annotated[str | None, Query(alias="as", pattern="^(json|yaml)$")] = None,
) -> Response:
    """Give one scenario, as JSON or, where `Accept` or `as` asks for it, as a YAML file."""
    house: House = request.app.state.house
    wants_yaml = as_ == "yaml" or (not as_ and "yaml" in request.headers.get("accept", ""))
    file = {"Content-Disposition": f'attachment; filename="{id.rpartition("/")[2]}.yaml"'}
    headers = {"Vary": "Accept"}
    if not is_draft(id):
        story = story_of(house, id)
        if wants_yaml:
            text = read_bytes(house.scenarios / f"{id}.yaml", "O", id)
            return Response(text, 200, headers | file, YAML[0])
        return _whole(story_json(story), story.document.data, headers)
    draft = house.drafts.get(id)
    headers["ETag"] = etag(draft.entry)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if wants_yaml:
        return Response(_file(draft.document), 200, headers | file, YAML[0])
    return _whole(entry_json(draft.entry), draft.document, headers)


def _whole(row: dict[str, Any], document: Any, headers: Mapping[str, str]) -> Response:
    """A scenario with its document as it was read: orjson would write its numbers as text."""
    return answer({**row, "scenario": Fragment(json_of(document))}, 200, headers)


def _file(draft: Mapping[str, Any]) -> str:
    """A draft as a file of `scenarios/`, where titles stand in both languages."""
    title = draft.get("title")
    if isinstance(title, str):
        draft = {"title": None, **draft} | {"title": {"en": title, "zh": title}}
    return as_yaml(draft)


@router.put(
    "/{id:path}",
    operation_id="change_scenario",
    summary="Change a draft",
    response_class=Response,
    openapi_extra=examples.CHANGE,
    responses=examples.CHANGED,
)
async def change(request: Request, id: Id) -> Response:
    """Put a new version of a draft in place of the one that `If-Match` names."""
    house: House = request.app.state.house
    version = await run_in_threadpool(seen, request, house, id)
    document = await scenario_of(request)
    title, regime = house.read_draft(document)
    made = await run_in_threadpool(
        house.drafts.replace,
        id,
        version,
        document.data,
        title=title,
        regime=regime,
        at=now(),
        by=by(request),
    )
    return answer(entry_json(made), 200, {"ETag": etag(made)})


@router.delete(
    "/{id:path}",
    operation_id="remove_scenario",
    summary="Remove a draft",
    status_code=204,
    response_class=Response,
    openapi_extra=examples.REMOVE,
    responses=examples.REMOVED,
)
def remove(request: Request, id: Id) -> Response:
    """Remove a draft, if the version that `If-Match` names is there."""
    house: House = request.app.state.house
    house.drafts.remove(id, seen(request, house, id))
    return Response(status_code=204)


# --- shared with the pages, and with cases ---


def only_post(request: Request, help: str) -> Response:
    """The answer to any other method at an address that is asked with POST."""
    told = fault("W106", f"{request.method} is not possible here", help)
    return problem(request.scope, [told], {"Allow": "POST"})


def is_draft(id: str) -> bool:
    """Whether an id is one of a draft rather than of a shipped scenario."""
    return id.startswith("d-") and "/" not in id


def story_of(house: House, id: str) -> Story:
    """A shipped scenario by its id. Raises `OrderRejected`."""
    story = house.shipped.get(id)
    if story is None:
        raise OrderRejected([not_there("scenario", id)])
    return story


def story_json(story: Story) -> dict[str, Any]:
    """What a list tells of a shipped scenario."""
    return {
        "id": story.id,
        "origin": "shipped",
        "title": story.scenario.title.as_json(),
        "story": story.scenario.story.as_json(),
        "regime": story.regime,
        "runs": [run.title.as_json() for run in story.runs],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """What a list tells of a draft."""
    return {
        "id": entry.id,
        "origin": "draft",
        "title": {"en": entry.title, "zh": entry.title},
        "regime": entry.regime or None,
        "version": entry.version,
        "created_at": moment(entry.created_at),
        "created_by": entry.created_by,
        "updated_at": moment(entry.updated_at),
        "updated_by": entry.updated_by,
    }


def etag(entry: Entry) -> str:
    """The mark of a version."""
    return f'"{entry.version}"'


def by(request: Request) -> str:
    """Who asks."""
    visitor = request.scope.get("placet.visitor")
    return "" if visitor is None else str(visitor.name)


def seen(request: Request, house: House, id: str) -> int:
    """The version that the caller has seen. Raises `OrderRejected`, `NotThere`, `Changed`."""
    if not is_draft(id):
        story_of(house, id)
        help = "save a copy as a draft"
        raise OrderRejected([fault("W108", "shipped scenarios are read only", help)])
    mark = request.headers.get("if-match", "").strip()
    if not mark:
        raise OrderRejected(
            [fault("W113", "`If-Match` is missing", "send the `ETag` of the draft")]
        )
    digits = mark.removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Changed(house.drafts.get(id).entry.version)
    return int(digits)
