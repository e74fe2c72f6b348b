"""The command line: `placet decide`, `check`, `test`, `rules`, `schema`, `replay`, `serve`, `key`.

Exit codes: 0 done, 1 rejected or failed, 2 usage, 3 a back end failed, 4 a threshold missed.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from api import case_commands, serving
from api.deciding import Format, How, code_of, decide_all, filling, judging
from api.service import (
    Asked,
    Service,
    options,
    read_one,
)
from api.settings import Language, Settings, settings
from engine import __version__
from engine.concord import asked_of_stored
from engine.diagnostics import (
    Diagnostic,
    OrderRejected,
    PlacetError,
    Source,
    Span,
    as_text,
    visible,
)
from engine.source import MAX_BYTES, read_bytes
from engine.words import LANGS, Lang

app = typer.Typer(
    name="placet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Decide hypothetical orders under export-control rules, with reasons in English and "
    "Chinese.\n\nDecision support, not legal advice; a decision is no licence.",
)


class FaultFormat(StrEnum):
    """How faults are written."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


class LangOption(StrEnum):
    """Which language people read."""

    en = "en"
    zh = "zh"
    both = "both"


class EvaluatorOption(StrEnum):
    """What judges."""

    reference = "reference"
    live = "live"
    both = "both"


RulesOption = Annotated[
    Path | None,
    typer.Option("--rules", help="Folder of rules; else PLACET_RULES, ./rules, the shipped copy."),
]
LangChoice = Annotated[
    LangOption | None, typer.Option("--lang", help="Language; else that of the locale.")
]
WatchOption = Annotated[
    bool, typer.Option("--watch", help="Run again whenever a rule or input file changes.")
]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"placet {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


@app.command()
def decide(
    files: Annotated[
        list[str], typer.Argument(help="Orders or scenarios in YAML or JSON; `-` reads stdin.")
    ],
    regime: Annotated[str | None, typer.Option(help="The rule set to decide by.")] = None,
    as_of: Annotated[
        str | None, typer.Option(help="The day whose rules apply, YYYY-MM-DD (US Eastern).")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="State a fact: path=value; null removes it.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="Change a parameter of the policy: name=value.")
    ] = None,
    without: Annotated[list[str] | None, typer.Option(help="Leave a rule out, by id.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Judge only kind=… or certainty>=… (not a change of policy)."),
    ] = None,
    lang: LangChoice = None,
    format: Annotated[Format, typer.Option(help="text, json or ndjson.")] = Format.text,
    evaluator: Annotated[
        EvaluatorOption, typer.Option(help="What judges; `both` decides only what both agree on.")
    ] = EvaluatorOption.reference,
    workspace: Annotated[
        str | None,
        typer.Option(help="Books that count the chips to date of customers, where not stated."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Unfold met rules, facts and digests.")
    ] = False,
    rules: RulesOption = None,
    watch: WatchOption = False,
) -> None:
    """Decide orders and say why, what is missing, and on which source."""
    chosen = _settings(rules, lang)
    asked = Asked(
        _today(),
        regime,
        _day(as_of),
        options("--set", _pairs("--set", set_, null=True)) if set_ else None,
        _pairs("--param", param or []),
        tuple(without or ()),
        tuple(only or ()),
    )

    def run() -> int:
        with (
            judging(Service(chosen.rules), evaluator.value) as service,
            filling(service, workspace, asked.today) as fill,
        ):
            how = How(evaluator.value, format, _langs(chosen.lang), verbose, fill)
            return decide_all(service, files, asked, how)

    _finish(run, chosen, [Path(f) for f in files if f != "-"], watch)


def _stdin() -> bytes:
    return sys.stdin.buffer.read(MAX_BYTES + 1)


@app.command()
def check(
    path: Annotated[
        Path | None, typer.Argument(help="A folder of rules, one regime, or one rule file.")
    ] = None,
    format: Annotated[FaultFormat, typer.Option(help="text, json, sarif or github.")] = (
        FaultFormat.text
    ),
    explain: Annotated[
        str | None, typer.Option(help="Explain a fault code, such as R207.")
    ] = None,
    rules: RulesOption = None,
    watch: WatchOption = False,
) -> None:
    """Check rules: names, types, units, ranges, dates, citations, examples. Silent if sound."""
    if explain is not None:
        raise typer.Exit(_explain(explain))
    folder, only = _rules_at(path, settings(rules, None).rules)

    def run() -> int:
        return _check(folder, only, path, format)

    _finish(run, Settings(folder, folder, "en"), [], watch)


def _check(
    folder: Path, only: tuple[str, ...] | None, path: Path | None, format: FaultFormat
) -> int:
    from engine import diagnostics as told
    from engine.load import load

    if path is not None and not path.exists():
        span = Span(Source(str(path)))
        found: tuple[Diagnostic, ...] = (
            Diagnostic("R001", span, "cannot be read: no such file or folder", "check the path"),
        )
    else:
        try:
            found = load(folder, only).warnings
        except PlacetError as error:
            found = error.diagnostics
    write: dict[FaultFormat, Callable[[tuple[Diagnostic, ...]], str]] = {
        FaultFormat.text: told.as_text,
        FaultFormat.json: told.as_json,
        FaultFormat.sarif: told.as_sarif,
        FaultFormat.github: told.as_github,
    }
    text = write[format](found)
    if text:
        typer.echo(text)
    return 1 if told.has_errors(found) else 0


def _rules_at(path: Path | None, default: Path) -> tuple[Path, tuple[str, ...] | None]:
    """The folder of rules that a path lies in, and the regime that it names, if one."""
    if path is None:
        return default, None
    here = path if path.is_dir() else path.parent
    if (here / "vocabulary.yaml").is_file():
        return here, None
    is_own = any((here / name).is_file() for name in ("regime.yaml", "process.yaml"))
    if is_own and (here.parent / "vocabulary.yaml").is_file():
        return here.parent, (here.name,)
    return here, None


def _explain(code: str) -> int:
    from engine.fault_codes import CODES

    entry = CODES.get(code.upper())
    if entry is None:
        typer.echo(f"unknown code {visible(code)}; known: {', '.join(CODES)}", err=True)
        return 2
    typer.echo(f"{code.upper()}  {entry.title}\n\n{entry.meaning}\n\nTo mend it: {entry.mend}")
    return 0


@app.command("test")
def test_(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files or folders; else ./scenarios.")
    ] = None,
    regime: Annotated[str | None, typer.Option(help="Only scenarios of this rule set.")] = None,
    lang: LangChoice = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List what passed too.")
    ] = False,
    rules: RulesOption = None,
    watch: WatchOption = False,
) -> None:
    """Run scenarios and compare what was expected with what is decided."""
    chosen = _settings(rules, lang)
    named = paths or [chosen.scenarios]

    def run() -> int:
        from api.testing import run_tests

        return run_tests(
            Service(chosen.rules), named, Asked(_today(), regime), _langs(chosen.lang)[0], verbose
        )

    _finish(run, chosen, named, watch)


@app.command("rules")
def rules_(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A regime, a rule (regime/rule), a process, one of its stages or clocks "
            "(process/stage), a source or a fact; REGIME/process is the process of a regime."
        ),
    ] = None,
    facts: Annotated[bool, typer.Option("--facts", help="List what can be said of an order.")] = (
        False
    ),
    sources: Annotated[bool, typer.Option("--sources", help="List the sources cited.")] = False,
    as_of: Annotated[str | None, typer.Option(help="Show parameter values on this day.")] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Unfold every step of a process.")
    ] = False,
    lang: LangChoice = None,
    rules: RulesOption = None,
) -> None:
    """Browse rule sets, processes, rules, sources and facts."""
    chosen = _settings(rules, lang)

    def run() -> int:
        from api.browse import browse
        from api.prose import terminal

        day = _day(as_of) or _today()
        return browse(
            terminal(),
            Service(chosen.rules).rulebook(),
            name,
            facts,
            sources,
            day,
            _langs(chosen.lang),
            verbose,
        )

    _finish(run, chosen, [], False)


@app.command()
def schema(
    regime: Annotated[
        str | None, typer.Argument(help="The rule set whose orders are described.")
    ] = None,
    scenario: Annotated[bool, typer.Option("--scenario", help="Describe scenario files.")] = False,
    rule: Annotated[bool, typer.Option("--rule", help="Describe rule files.")] = False,
    regime_file: Annotated[
        bool, typer.Option("--regime-file", help="Describe regime.yaml.")
    ] = False,
    process_file: Annotated[
        bool, typer.Option("--process-file", help="Describe process.yaml.")
    ] = False,
    decision: Annotated[bool, typer.Option("--decision", help="Describe decisions.")] = False,
    rules: RulesOption = None,
) -> None:
    """Print the JSON Schema of an order, a decision, or scenario, rule, regime, process files."""
    chosen = _settings(rules, None)

    def run() -> int:
        from engine import schema as schemas

        if decision:
            from api.wire import decision_schema

            typer.echo(json.dumps(decision_schema(), ensure_ascii=False, indent=2))
            return 0
        service = Service(chosen.rules)
        if rule:
            made = schemas.rule_schema(service.rulebook())
        elif regime_file:
            made = schemas.regime_schema(service.rulebook())
        elif process_file:
            from engine.process_schema import process_schema

            made = process_schema(service.rulebook())
        elif scenario:
            made = schemas.scenario_schema(service.rulebook())
        elif regime is None:
            typer.echo(
                "name a rule set, or give --scenario, --rule, --regime-file, --process-file or "
                "--decision",
                err=True,
            )
            return 2
        else:
            book, found = service.regime(regime, Span(Source("argument", (regime,))))
            made = schemas.order_schema(book, found)
        typer.echo(json.dumps(made, ensure_ascii=False, indent=2))
        return 0

    _finish(run, chosen, [], False)


@app.command()
def replay(
    file: Annotated[str, typer.Argument(help="A decision as `decide --format json` wrote it.")],
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
    rules: RulesOption = None,
) -> None:
    """Decide a stored decision again, and say whether it is the same or where it differs."""
    chosen = _settings(rules, None)

    def run() -> int:
        text = _stdin() if file == "-" else read_bytes(Path(file), "O")
        document = read_one(text, file)
        if isinstance(document, OrderRejected):
            raise document
        evaluator, alone = asked_of_stored(document.data)
        with judging(Service(chosen.rules), "reference" if alone else evaluator) as service:
            again, differences = service.replay(document, Asked(_today()))
        if format is not Format.text:
            listed = [{"at": at, "stored": a, "now": b} for at, a, b in differences]
            same = {"same": not differences, "differences": listed}
            typer.echo(json.dumps(same, ensure_ascii=False, indent=2))
        elif not differences:
            typer.echo("same: deciding again gives the stored decision, byte for byte")
        else:
            places = "1 place" if len(differences) == 1 else f"{len(differences)} places"
            typer.echo(f"different in {places}:")
            for at, stored, now in differences:
                typer.echo(
                    f"  {visible(at)}\n    stored: {_short(stored)}\n    now:    {_short(now)}"
                )
        unheard = any(told["code"] == "B001" for told in again["diagnostics"])
        return 3 if unheard and not alone else 1 if differences else 0

    _finish(run, chosen, [], False)


app.add_typer(case_commands.app, name="case")
app.command()(serving.serve)
app.command()(serving.key)


# --- shared by the commands ---


def _finish(run: Callable[[], int], chosen: Settings, inputs: list[Path], watch: bool) -> None:
    """Run, tell a rejection where it happened, and exit; again on every change when watching."""
    code = _told(run)
    if watch:
        import logging

        from watchfiles import watch as changes

        # Editors save by renaming, which ends the watch of a file but not of its folder.
        logging.getLogger("watchfiles").setLevel(logging.ERROR)
        places = {p if p.is_dir() else p.parent for p in (chosen.rules, *inputs)}
        wanted = {p.resolve() for p in inputs if p.is_file()}
        typer.echo("watching for changes; Ctrl-C ends", err=True)
        for changed in changes(*(p for p in places if p.exists()), raise_interrupt=False):
            paths = {Path(path) for _, path in changed}
            rules = chosen.rules.resolve()
            if not any(p in wanted or p.is_relative_to(rules) or p.is_dir() for p in paths) and (
                wanted
            ):
                continue
            typer.echo("— run again —", err=True)
            code = _told(run)
            if code == 0:
                typer.echo("done, nothing rejected", err=True)
    raise typer.Exit(code)


def _told(run: Callable[[], int]) -> int:
    try:
        return run()
    except PlacetError as error:
        typer.echo(as_text(error.diagnostics), err=True)
        return code_of(error)


def _settings(rules: Path | None, lang: LangOption | None) -> Settings:
    named: Language | None = None if lang is None else lang.value
    return settings(rules, named)


def _langs(lang: Language) -> tuple[Lang, ...]:
    return LANGS if lang == "both" else (lang,)


def _today() -> int:
    """The present US Eastern calendar day."""
    return datetime.now(ZoneInfo("America/New_York")).date().toordinal()


def _day(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        if date.fromisoformat(text).isoformat() != text:  # 2026-W01-1 is read, too
            raise ValueError
        return date.fromisoformat(text).toordinal()
    except ValueError:
        raise typer.BadParameter(f"{visible(text)} is not a date; write YYYY-MM-DD") from None


def _pairs(option: str, pairs: list[str], *, null: bool = False) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{option} takes name=value, not {visible(pair)}")
        found[name.strip()] = None if null and value.strip() in ("null", "") else value.strip()
    return found


def _short(value: object) -> str:
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 160 else text[:159] + "…"


def main() -> None:
    """Run the command line; what the terminal cannot write is replaced, never a crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
