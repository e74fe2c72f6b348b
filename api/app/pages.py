"""Pages of the workbench: templates, the reader's language, and what every page needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.app.answers import reader_lang
from engine import __version__
from engine.ir import Pair
from engine.words import NOTICE, Lang, in_lang

WEB = Path(__file__).parent.parent / "web"
STATIC = WEB / "static"

_templates = Environment(
    loader=FileSystemLoader(WEB / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(request: Request, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
    """Render a page, or a part of one, in the reader's language."""
    lang = page_lang(request)
    shared = {
        "lang": lang,
        "say": _Say(lang),
        "static": static_url,
        "here": request.url.path,
        "notice": in_lang(NOTICE, lang),
        "version": __version__,
        "visitor": request.scope.get("placet.visitor"),
    }
    text = _templates.get_template(template).render({**shared, **context})
    answer = HTMLResponse(text, status, headers={"Content-Language": _TAG[lang]})
    if request.query_params.get("lang") in _TAG:
        answer.set_cookie("lang", lang, max_age=31_536_000, samesite="lax")
    return answer


def page_lang(request: Request) -> Lang:
    """The language asked for in the address, else chosen before, else that of the browser."""
    chosen = _KNOWN.get(request.query_params.get("lang")) or _KNOWN.get(
        request.cookies.get("lang")
    )
    return chosen or reader_lang(request.scope)


_KNOWN: Mapping[str | None, Lang] = {"en": "en", "zh": "zh"}
_TAG: Mapping[str, str] = {"en": "en", "zh": "zh-Hans"}


class _Say:
    """Says a text in the reader's language: `say("Rules", "规则")`, or a text held in both."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang

    def __call__(self, text: str | Pair | Mapping[str, str], zh: str | None = None) -> str:
        if isinstance(text, str):
            return text if zh is None or self.lang == "en" else zh
        if isinstance(text, Pair):
            return in_lang(text, self.lang)
        return text[self.lang]


@cache
def static_url(name: str) -> str:
    """The address of a static file, which changes with its content."""
    mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"
