"""Run scenario files for people: a line per story, a table of differences, a closing count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from api.prose import terminal
from api.service import Asked, RunResult, Service
from engine.diagnostics import Diagnostic, OrderRejected, Source, Span, as_text, visible
from engine.words import Lang


def scenario_files(paths: Sequence[Path]) -> list[Path]:
    """Every scenario file named, or in the folders named. Raises `OrderRejected`."""
    files: list[Path] = []
    faults: list[Diagnostic] = []
    for path in paths:
        if path.is_dir():
            files += sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")])
        elif path.is_file():
            files.append(path)
        else:
            faults.append(
                Diagnostic(
                    "O001",
                    Span(Source(str(path))),
                    "cannot be read: no such file",
                    "check the path",
                )
            )
    if not files and not faults:
        faults.append(
            Diagnostic(
                "O001", Span(Source(str(paths[0]))), "holds no scenario file", "name another"
            )
        )
    if faults:
        raise OrderRejected(faults)
    return files


def run_tests(
    service: Service, paths: Sequence[Path], asked: Asked, lang: Lang, verbose: bool
) -> int:
    """Run scenarios; 0 when every run is as expected, else 1."""
    files = scenario_files(paths)
    console = terminal()
    passed = failed = 0
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        transient=True,
        console=Console(stderr=True),
        disable=not console.is_terminal,
    )
    with progress:
        task = progress.add_task("scenarios", total=len(files))
        for path, scenario, results in service.run_scenarios(files, asked):
            good = [r for r in results if r.passed]
            bad = [r for r in results if not r.passed]
            passed, failed = passed + len(good), failed + len(bad)
            if scenario is not None and results and (bad or verbose):
                title = visible(scenario.title.en if lang == "en" else scenario.title.zh)
                mark, style = ("✗", "red") if bad else ("✓", "green")
                console.print(
                    Text.assemble((f"{mark} ", style), title, (f"  {visible(str(path))}", "dim"))
                )
            for result in bad:
                _tell(console, result, lang)
            progress.advance(task)
    console.print(f"{passed} passed, {failed} failed")
    # Nothing that ran proves nothing.
    return 0 if passed and not failed else 1


def _tell(console: Console, result: RunResult, lang: Lang) -> None:
    if result.run is not None:
        title = visible(result.run.title.en if lang == "en" else result.run.title.zh)
        place = result.run.expect.span
        console.print(f"  {title}  ({visible(place.source.name)}:{place.line})")
    if result.diagnostics:
        console.print(as_text(result.diagnostics), markup=False, soft_wrap=True)
        return
    table = Table(box=None, padding=(0, 2))
    for head in ("", "expected", "got") if lang == "en" else ("", "预期", "实际"):
        table.add_column(head)
    for what, expected, got in result.differences:
        told = Text(visible(expected), style="green"), Text(visible(got), style="red")
        table.add_row(what, *told)
    console.print(table)
    if result.decision is not None:
        console.print(Text(result.decision["summary"][lang], style="dim"))
