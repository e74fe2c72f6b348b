"""Routes that tell about processes: how an order or an application moves from stage to stage."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath

from api import describe_process
from api.app import case_examples as examples
from api.app.cases import Drawn, Lang, drawn, process_named
from api.app.house import House
from api.app.rules import whole

router = APIRouter(prefix="/v1/processes", tags=["rules"])

_Id = Annotated[str, InPath(max_length=200, description="The id that the list names.")]


@router.get(
    "",
    operation_id="processes",
    summary="Every process in short",
    response_class=Response,
    responses=examples.PROCESSES,
)
def listed(request: Request) -> Response:
    """List the processes: title, summary, dates, stages and events by id."""
    house: House = request.app.state.house
    return whole(request, {"processes": describe_process.processes(house.service.rulebook())})


@router.get(
    "/{id}",
    operation_id="process",
    summary="A process, whole",
    response_class=Response,
    responses=examples.PROCESS,
)
def process(request: Request, id: _Id) -> Response:
    """Tell a process: stages, events with their fields, what moves a case and why, clocks."""
    house: House = request.app.state.house
    process_named(house, id)
    return whole(request, describe_process.process(house.service.rulebook(), id))


@router.get(
    "/{id}/picture",
    operation_id="process_picture",
    summary="Draw a process",
    response_class=Response,
    responses=examples.DRAWN,
)
def picture(request: Request, id: _Id, as_: Drawn = "svg", lang: Lang = None) -> Response:
    """Draw a process: as a picture, or as text from which Graphviz or Mermaid draw one."""
    house: House = request.app.state.house
    return drawn(request, process_named(house, id), as_, lang)
