"""The door of the workbench where keys are asked for: sign in with a key, sign out."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.app.house import House
from api.app.pages import page
from api.app.sessions import SESSION_SECONDS, token_of
from api.keys import key_of

router = APIRouter(include_in_schema=False)
_OWN = re.compile(r"/(?!/)[!-\[\]-~]{0,1999}")
"""Addresses of this site. Two slashes begin another one; browsers read `\\` as `/`, and skip tabs."""


@router.get("/enter")
async def door(request: Request, next: str = "/") -> Response:
    """Ask for a key; `next` is where one was going."""
    return page(request, "enter.html", wrong=False, next=_own(next))


@router.post("/enter")
async def enter(
    request: Request,
    key: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Let in who has a key; the browser keeps a token, never the key."""
    house: House = request.app.state.house
    found = key_of(house.serving.keys, key.strip().encode("utf-8", "replace"))
    if found is None:
        return page(request, "enter.html", 403, wrong=True, next=_own(next))
    answer = RedirectResponse(_own(next), 303)
    answer.set_cookie(
        "placet_session",
        house.sessions.open(found),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        # A proxy in front may speak TLS for us: the browser says how it came.
        secure=request.headers.get("origin", "").startswith("https:"),
    )
    return answer


@router.post("/leave")
async def leave(request: Request) -> Response:
    """Sign out."""
    house: House = request.app.state.house
    house.sessions.close(token_of(dict(request.scope["headers"])))
    answer = RedirectResponse("/enter", 303)
    answer.delete_cookie("placet_session", httponly=True, samesite="strict")
    return answer


def _own(address: str) -> str:
    """An address of this site as it is; the front page in place of any other."""
    return address if _OWN.fullmatch(address) else "/"
