"""The route of sweeps: one order over one or two axes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import tasks
from api.app import examples
from api.app.answers import answer
from api.app.deciding import aside
from api.app.house import House
from api.app.reading import body_of

router = APIRouter(tags=["decide"])


@router.post(
    "/v1/sweep",
    operation_id="sweep",
    summary="Sweep an order over one or two axes",
    response_class=Response,
    openapi_extra=examples.SWEEP,
    responses=examples.SWEPT,
)
async def sweep(request: Request) -> Response:
    """Decide an order in every cell of one or two axes, and say exactly where the answer changes."""
    house: House = request.app.state.house
    document = await body_of(request)
    return answer(await aside(house, tasks.sweep, document, house.today()))
