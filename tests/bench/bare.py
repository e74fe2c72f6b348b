"""The least that a FastAPI service can do: read the body, give the same bytes every time."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import FastAPI, Request, Response

BYTES = Path(os.environ["BARE_ANSWER"]).read_bytes()

app = FastAPI()


@app.post("/v1/decide")
async def decide(request: Request) -> Response:
    await request.body()
    return Response(BYTES, media_type="application/json")
