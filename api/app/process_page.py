"""The page of a process under Rules: its stages, clocks and transitions with their sources, drawn."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from api import describe_process
from api.app import telling
from api.app.case_telling import Telling
from api.app.house import House
from api.app.pages import page, page_lang
from api.app.rules_page import Dates, missing
from api.drawing import any_of, dot, mermaid, named, sentences, svg
from api.headings import WORDS
from engine.diagnostics import nearest
from engine.ir import Pair
from engine.load import Rulebook
from engine.process import Process
from engine.words import Lang

router = APIRouter(include_in_schema=False)

_NO_PROCESS = Pair("There is no such process. There are these:", "没有这个办理流程。现有：")
_DRAWN = {
    "svg": (svg, "image/svg+xml"),
    "mmd": (mermaid, "text/plain; charset=utf-8"),
    "dot": (dot, "text/vnd.graphviz; charset=utf-8"),
}
"""The forms in which a picture can be taken away: SVG, Mermaid, DOT."""


@router.get("/rules/{id}/process")
def process(request: Request, id: str) -> Response:
    """Show the whole of a process."""
    book, lang = _book(request), page_lang(request)
    of = book.processes.get(id)
    if of is None:
        return _none(request, book, id)
    told = describe_process.process(book, id)
    return page(
        request,
        "process.html",
        process=told,
        chart=Markup(svg(of, lang, within=True)),
        ways=list(sentences(of, lang)),
        groups=_groups(of, told, lang),
        totals=[_total(told, total) for total in told["totals"]],
        titles={"regime": of.regime.title if of.judged else None},
        rules={rule.id: rule.title for rule in of.regime.rules},
        deciding=telling,
        sources=[_source(book, name) for name in told["sources"]],
        words=WORDS,
        on=Dates(lang),
        tell=Telling(lang),
        cap_label=of.regime.parameters[of.cap].label if of.cap else None,
    )


@router.get("/rules/{id}/process.{kind}")
def taken_away(request: Request, id: str, kind: str) -> Response:
    """A picture of a process as a file."""
    book, lang = _book(request), page_lang(request)
    of = book.processes.get(id)
    if of is None or kind not in _DRAWN:
        return _none(request, book, id)
    draw, media = _DRAWN[kind]
    headers = {"Content-Disposition": f'attachment; filename="{id}-{lang}.{kind}"'}
    return Response(draw(of, lang), 200, headers, media)


def _groups(of: Process, told: dict[str, Any], lang: Lang) -> list[tuple[str, list[Any]]]:
    """Transitions by where they start; what starts anywhere comes last."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for one in told["transitions"]:
        found.setdefault(tuple(one["from"]), []).append(one)
    order = list(of.stages)
    keys = sorted(found, key=lambda stages: (len(stages) > 1, order.index(stages[0]), len(stages)))
    return [(_starts(of, stages, lang), found[stages]) for stages in keys]


def _starts(of: Process, stages: tuple[str, ...], lang: Lang) -> str:
    every = {id for id, stage in of.stages.items() if not stage.end}
    if set(stages) >= every or len(stages) == 1:
        return any_of(of, stages, lang)
    return named(of, stages, lang)


def _total(told: dict[str, Any], total: dict[str, Any]) -> dict[str, Any]:
    """A total with its sum: `9 + 30 + 14 + … = 90`."""
    clocks = {clock["id"]: clock for clock in told["clocks"]}
    parts = [clocks[id] for id in total["parts"]]
    return {**total, "clocks": parts, "sum": " + ".join(str(p["days"]) for p in parts)}


def _source(book: Rulebook, name: str) -> dict[str, Any]:
    source = book.sources[name]
    return {"id": name, "title": source.title.as_json(), "address": source.address or None}


def _book(request: Request) -> Rulebook:
    house: House = request.app.state.house
    return house.service.rulebook()


def _none(request: Request, book: Rulebook, id: str) -> Response:
    near = [known for known in book.processes if nearest(id, [known])] or list(book.processes)
    links = [(f"/rules/{known}/process", book.processes[known].title) for known in near]
    return missing(request, _NO_PROCESS, links)
