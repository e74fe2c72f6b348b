"""Routes for those who run the service: is it alive, is it ready, what has it counted."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.app import examples
from api.app.answers import answer
from api.app.house import House
from api.store import StoreError
from engine import __version__

router = APIRouter(tags=["service"])


@router.get(
    "/healthz",
    operation_id="alive",
    summary="Does the process answer?",
    response_class=Response,
    responses=examples.ALIVE,
)
async def healthz() -> Response:
    """Say that the process answers."""
    return answer({"status": "alive", "version": __version__})


@router.get(
    "/readyz",
    operation_id="ready",
    summary="Can rules and store be used?",
    response_class=Response,
    responses=examples.READY,
)
async def readyz(request: Request) -> Response:
    """Say whether rules and store can be used; 503 while one cannot.

    A live evaluator that is degraded makes no service unready: the reference goes on.
    """
    house: House = request.app.state.house
    await run_in_threadpool(house.mend)
    try:
        await run_in_threadpool(house.store.check)
        store = "ready"
    except StoreError:
        store = "unreachable"
    fence = house.fence.standing
    told = {
        "status": "ready" if store == "ready" else "not ready",
        "rules": {"regimes": len(house.service.rulebook().regimes)},
        "store": store,
        "workers": {"count": house.workers.count, "lost": house.workers.lost},
        "evaluator": house.serving.evaluator,
        "live": fence.state,
        "fence": {"reason": fence.reason, **fence.counts()},
    }
    return answer(told, 200 if store == "ready" else 503)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="What was counted",
    response_class=Response,
    responses=examples.METRICS,
)
async def metrics(request: Request) -> Response:
    """Give what was counted, for Prometheus."""
    house: House = request.app.state.house
    await run_in_threadpool(house.mend)
    text = house.metrics.text(house.workers.lost, house.fence.standing)
    return Response(text, media_type="text/plain; version=0.0.4")
