"""The commands for cases: `placet case open`, `event`, `show`, `fork`, `replay`, `ledger` and more.

A case lives in the store that PLACET_STORE names, beside those of the service.
"""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from api.service import Service, options, read_document
from api.settings import serving, settings
from engine.diagnostics import Diagnostic, OrderRejected, PlacetError, Source, Span, as_text
from engine.order import Document
from engine.words import LANGS, Lang

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Follow one order, or one application, through its process: dated events, stages, clocks.",
)


class CaseFormat(StrEnum):
    """How a case is written."""

    text = "text"
    json = "json"


class Drawn(StrEnum):
    """How a picture is written."""

    svg = "svg"
    dot = "dot"
    mermaid = "mermaid"


class CaseLang(StrEnum):
    """Which language people read."""

    en = "en"
    zh = "zh"
    both = "both"


class Judges(StrEnum):
    """What judges an event: by default both, and nothing is recorded on which they disagree."""

    reference = "reference"
    both = "both"


Id = Annotated[
    str, typer.Argument(help="The id of the case; `last` is the one that was touched last.")
]
RulesOption = Annotated[Path | None, typer.Option("--rules", help="Folder of rules.")]
LangOption = Annotated[CaseLang | None, typer.Option("--lang", help="Language.")]
FormatOption = Annotated[CaseFormat, typer.Option("--format", help="text or json.")]
JudgesOption = Annotated[
    Judges, typer.Option("--evaluator", help="What judges; `both` records only what both take.")
]
Workspace = Annotated[str, typer.Option(help="The name of the books to look into.")]
KeyOption = Annotated[
    str | None, typer.Option(help="A word of one's own: the same one again records nothing new.")
]


@app.command("open")
def open_(
    file: Annotated[
        Path, typer.Argument(help="An order, a scenario, or what a case is opened with.")
    ],
    process: Annotated[
        str | None, typer.Option(help="The process; else that of the rule set.")
    ] = None,
    workspace: Annotated[str | None, typer.Option(help="The books it is counted in.")] = None,
    title: Annotated[str | None, typer.Option(help="What the case is called in lists.")] = None,
    opened_on: Annotated[str | None, typer.Option(help="The day, YYYY-MM-DD; else today.")] = None,
    key: KeyOption = None,
    lang: LangOption = None,
    format: FormatOption = CaseFormat.text,
    evaluator: JudgesOption = Judges.both,
    rules: RulesOption = None,
) -> None:
    """Open a case. Facts that events say are left out of an order, and that is told."""
    with _desk(rules, lang, format, evaluator) as desk:
        given = {
            "process": process,
            "workspace": workspace,
            "title": title,
            "opened_on": opened_on,
        }
        document = _opening(desk, read_document(file), given)
        made = desk.work.open(document, today=desk.today, at=desk.now, by=desk.by, key=key)
        desk.tell(desk.work.show(made.id))


@app.command()
def event(
    id: Id,
    name: Annotated[str, typer.Argument(help="The event, such as `place` or `prepay`.")],
    on: Annotated[str, typer.Option(help="The day of the event, YYYY-MM-DD.")],
    field: Annotated[
        list[str] | None, typer.Option("--field", "-f", help="What it tells: name=value.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="A note that is carried, never judged.")] = None,
    version: Annotated[
        int | None, typer.Option(help="The number of events that were seen.", min=0)
    ] = None,
    key: KeyOption = None,
    lang: LangOption = None,
    format: FormatOption = CaseFormat.text,
    evaluator: JudgesOption = Judges.both,
    rules: RulesOption = None,
) -> None:
    """Send an event to a case, and show where the case stands then."""
    data: dict[str, Any] = {"event": name, "on": on}
    for pair in field or ():
        label, equals, value = pair.partition("=")
        if not equals or label in data or label == "note":
            raise typer.BadParameter(f"--field takes name=value, each name once, not {pair!r}")
        data[label.strip()] = value.strip()
    if note is not None:
        data["note"] = note
    with _desk(rules, lang, format, evaluator) as desk:
        document = options("event", data)
        sent = desk.work.send(
            desk.id(id), document, version=version, key=key, at=desk.now, by=desk.by
        )
        desk.tell(desk.work.told(sent.case))
        if sent.known:
            typer.echo("this event was on record already; nothing was added", err=True)


@app.command()
def show(
    id: Id,
    as_of: Annotated[str | None, typer.Option(help="The day to look from, YYYY-MM-DD.")] = None,
    lang: LangOption = None,
    format: FormatOption = CaseFormat.text,
    evaluator: JudgesOption = Judges.both,
    rules: RulesOption = None,
) -> None:
    """Show where a case stands: stage, clocks, what can happen next, what is at stake, its history."""
    with _desk(rules, lang, format, evaluator) as desk:
        desk.tell(desk.work.show(desk.id(id), _day(as_of)))


@app.command("list")
def list_(
    workspace: Annotated[str | None, typer.Option(help="Only these books.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer.")] = None,
    group: Annotated[str | None, typer.Option(help="Only this group.")] = None,
    process: Annotated[str | None, typer.Option(help="Only this process.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only cases in this stage.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=200)] = 50,
    lang: LangOption = None,
    format: FormatOption = CaseFormat.text,
    rules: RulesOption = None,
) -> None:
    """List cases, newest first."""
    with _desk(rules, lang, format, Judges.reference) as desk:
        page = desk.work.cases.page(
            limit,
            workspace=workspace,
            customer=customer,
            group=group,
            process=process,
            stage=stage,
        )
        rows = [desk.work.row(entry) for entry in page.entries]
        desk.write(rows, lambda render, lang: render.cases(rows, lang))


@app.command()
def fork(
    id: Id,
    at: Annotated[int, typer.Option(help="After which event; 0 is the opening.", min=0)],
    title: Annotated[str, typer.Option(help="What the other course is called.")] = "",
    lang: LangOption = None,
    format: FormatOption = CaseFormat.text,
    rules: RulesOption = None,
) -> None:
    """Begin another course of a case after one of its events; forks are never counted in books."""
    with _desk(rules, lang, format, Judges.reference) as desk:
        place = Span(Source("--at", (str(at),)))
        made = desk.work.fork(desk.id(id), at, title=title, at=desk.now, by=desk.by, place=place)
        desk.tell(desk.work.show(made))


@app.command()
def replay(
    id: Id,
    lang: LangOption = None,
    format: FormatOption = CaseFormat.text,
    rules: RulesOption = None,
) -> None:
    """Play a case again from its events, and say whether it comes to the same."""
    with _desk(rules, lang, format, Judges.reference) as desk:
        found = desk.work.replay(desk.id(id))
        desk.write(found, lambda render, lang: render.replayed(found, lang))
        desk.code = 0 if found["same"] else 1


@app.command()
def ledger(
    workspace: Workspace = "default",
    process: Annotated[str, typer.Option(help="The process that sets the cap.")] = "h200-article",
    as_of: Annotated[str | None, typer.Option(help="The day of the cap, YYYY-MM-DD.")] = None,
    lang: LangOption = None,
    format: FormatOption = CaseFormat.text,
    rules: RulesOption = None,
) -> None:
    """Show what customers have used up of their cap, and what remains."""
    with _desk(rules, lang, format, Judges.reference) as desk:
        day = _day(as_of) or desk.today
        found = desk.work.process(process, Span(Source("--process", (process,))))
        rows = desk.work.ledger(workspace, found, day)
        desk.write(rows, lambda render, lang: render.books(rows, lang))


@app.command()
def picture(
    name: Annotated[str, typer.Argument(help="A case or a process.")],
    as_: Annotated[Drawn, typer.Option("--as", help="svg, dot or mermaid.")] = Drawn.svg,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file.")] = None,
    lang: LangOption = None,
    rules: RulesOption = None,
) -> None:
    """Draw a process, and the stage of a case in it."""
    with _desk(rules, lang, CaseFormat.text, Judges.reference) as desk:
        from api import drawing

        at, held = None, False
        id = name
        if name not in desk.work.book.processes and (name == "last" or name.startswith("c-")):
            told = desk.work.show(desk.id(name))
            id, at, held = told["process"]["id"], told["stage"]["id"], told["held"]
        process = desk.work.process(id, Span(Source("argument", (id,))))
        lang_ = desk.langs[0]
        text = {
            Drawn.svg: lambda: drawing.svg(process, lang_, at, held),
            Drawn.dot: lambda: drawing.dot(process, lang_, at),
            Drawn.mermaid: lambda: drawing.mermaid(process, lang_, at),
        }[as_]()
        if output is None:
            typer.echo(text)
        else:
            output.write_text(text, "utf-8")


# --- shared by the commands ---


@dataclass(slots=True)
class _Desk:
    """What a command works with."""

    work: Any
    langs: tuple[Lang, ...]
    format: CaseFormat
    today: int
    now: int
    by: str
    code: int = 0

    def id(self, name: str) -> str:
        """The id of a case, which may be called the last."""
        if name != "last":
            return name
        entries = self.work.cases.page(1).entries
        return str(entries[0].id) if entries else name

    def tell(self, case: dict[str, Any]) -> None:
        """Write a case."""
        self.write(case, lambda render, lang: render.case(case, lang))

    def write(self, data: Any, draw: Callable[[Any, Lang], Any]) -> None:
        """Write data as JSON, or drawn for people in each language."""
        if self.format is CaseFormat.json:
            typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
            return
        from api import case_render
        from api.prose import terminal

        console = terminal()
        for number, lang in enumerate(self.langs):
            if number:
                console.rule(style="dim")
            console.print(draw(case_render, lang))


@contextmanager
def _desk(
    rules: Path | None, lang: CaseLang | None, format: CaseFormat, evaluator: Judges
) -> Iterator[_Desk]:
    """The casework over the store of the environment; faults are told, and end the command."""
    # Only cases need these, and every start would wait for them.
    from api.casebook import Cases
    from api.casework import Casework
    from api.deciding import code_of, judging
    from api.store import Store, StoreError

    chosen = settings(rules, None if lang is None else lang.value)
    langs = LANGS if chosen.lang == "both" else (chosen.lang,)
    today = datetime.now(ZoneInfo("America/New_York")).date().toordinal()
    desk = None
    try:
        with judging(Service(chosen.rules), evaluator.value) as service:
            service.rulebook()
            store = Store.open(serving().store)
            try:
                work = Casework(service, Cases(store), _differs)
                desk = _Desk(work, langs, format, today, int(time.time()), getpass.getuser())
                yield desk
            finally:
                store.close()
    except PlacetError as error:
        typer.echo(as_text(error.diagnostics), err=True)
        raise typer.Exit(code_of(error)) from None
    except (StoreError, ValueError) as error:
        typer.echo(f"placet case: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(desk.code if desk is not None else 0)


def _differs(process: str, event: str) -> None:
    typer.echo(f"the evaluators disagree on {process}, {event}", err=True)


def _opening(desk: _Desk, document: Document, given: dict[str, str | None]) -> Document:
    """What a case is opened with: as it stands, or an order or scenario whose events come later."""
    data = document.data
    if not isinstance(data, dict):
        place = document.at()
        raise OrderRejected([Diagnostic("O302", place, "no case is opened with this", "")])
    wanted = {name: value for name, value in given.items() if value is not None}
    if "process" in data and "events" not in data:
        return Document({**data, **wanted}, document.node, document.source)
    facts = data.get("facts", data)
    named = wanted.get("process") or data.get("process") or data.get("regime")
    process = desk.work.book.processes.get(str(named))
    left, kept = desk.work.without_said(process, facts)
    if left:
        typer.echo(f"left out, because events say them: {', '.join(left)}", err=True)
    opened = data.get("opened_on") if "events" in data else None
    made = {"process": named, "opened_on": opened, "facts": kept, **wanted}
    return Document({k: v for k, v in made.items() if v is not None}, None, document.source)


def _day(text: str | None) -> int | None:
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise typer.BadParameter(f"{text} is not a date; write YYYY-MM-DD") from None
