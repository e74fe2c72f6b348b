"""Pages of processes at the terminal: every stage, step, clock and source, in both languages."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from api.browse_process import PROCESS, cited_in, parts_of
from api.cli import app
from engine.ir import Citation, Pair
from engine.load import Rulebook
from engine.process import Process
from engine.words import LANGS, Lang, in_lang
from engine.words import day as day_in_words
from tests.test_browse import assert_well_set, flat, page

PROCESSES = ("ear-750", "h200-article")


def named(process: Process) -> str:
    return f"{process.id}/process" if process.judged else process.id


def assert_told(told: str, pairs: list[Pair], lang: Lang) -> None:
    assert_well_set(told)
    for pair in pairs:
        assert flat(in_lang(pair, lang)) in flat(told), pair


def cited(book: Rulebook, cite: tuple[Citation, ...], lang: Lang) -> list[str]:
    """Everything that a citation must show."""
    told: list[str] = []
    for one in cite:
        source = book.sources[one.source]
        says = None if one.says is None else in_lang(one.says, lang)
        told += [one.source, *filter(None, (one.at, one.quote, one.translation, says))]
        told += [day_in_words(source.date, lang), source.address or ""]
    return told


@pytest.mark.parametrize("lang", LANGS)
def test_the_list_names_every_process_beside_the_rule_sets(rulebook: Rulebook, lang: Lang) -> None:
    told = page(rulebook, None, lang)
    for of in rulebook.processes.values():
        assert re.search(rf"^  {named(of)}$", told, re.MULTILINE)
        assert_told(told, [of.title], lang)
        assert flat(day_in_words(of.in_force.start, lang)) in flat(told)
        assert str(len(of.stages)) in told
    assert told.index("section-232-duty") < told.index("ear-750")


def test_a_rule_set_names_its_process(rulebook: Rulebook) -> None:
    told = page(rulebook, "h200-article", "en")
    assert re.search(
        r"process +An H200 order under the article's terms\s+\(h200-article/process\)", told
    )
    assert (
        "process" not in page(rulebook, "bis-2026", "en").partition("Applies")[0].split("\n", 9)[8]
    )


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("id", PROCESSES)
def test_a_process_is_told_whole(id: str, rulebook: Rulebook, lang: Lang) -> None:
    of = rulebook.processes[id]
    told = page(rulebook, named(of), lang)
    pairs = [of.title, of.summary, *of.leaves_out]
    pairs += [stage.title for stage in of.stages.values()]
    pairs += [event.title for event in of.events.values() if _is_shown(of, event.id)]
    for clock in of.clocks.values():
        pairs += [clock.title, clock.exceeded]
    pairs += [total.title for total in of.totals]
    pairs += [kept.label for kept in of.keeps.values()]
    pairs += [figure.quantity.label for figure in of.figures.values()]
    assert_told(told, pairs, lang)
    lines = [line.strip().split("  ")[0] for line in told.splitlines()]
    at = [lines.index(stage) for stage in of.stages]
    assert at == sorted(at)
    assert all(event in told for event in of.events)
    assert all(clock in lines for clock in of.clocks)
    for field in (field for event in of.events.values() for field in event.fields):
        assert field.name in lines
        # A long label has another column beside it.
        assert all(word in told for word in in_lang(field.label, "en").split()) or lang == "zh"
    for source in of.sources:
        assert source.id in lines


def _is_shown(of: Process, event: str) -> bool:
    """Whether an event is told with its title; one that starts nearly anywhere is so by its id."""
    return any(len(t.stages) <= 3 for t in of.transitions if t.on == event)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("id", PROCESSES)
def test_every_step_is_told_with_its_sources_when_unfolded(
    id: str, rulebook: Rulebook, lang: Lang
) -> None:
    of = rulebook.processes[id]
    told = page(rulebook, named(of), lang, verbose=True)
    pairs = [one.says for one in of.transitions]
    pairs += [one.otherwise for one in of.transitions if one.otherwise is not None]
    assert_told(told, pairs, lang)
    squeezed = flat(told)
    for cite in cited_in(of):
        for part in cited(rulebook, cite, lang):
            assert flat(part) in squeezed, part


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("id", PROCESSES)
def test_a_stage_is_told_with_what_leads_on_and_what_leads_here(
    id: str, rulebook: Rulebook, lang: Lang
) -> None:
    of = rulebook.processes[id]
    for stage in of.stages.values():
        told = page(rulebook, f"{id}/{stage.id}", lang)
        on = [one for one in of.transitions if stage.id in one.stages]
        assert_told(told, [of.title, stage.title, *(one.says for one in on)], lang)
        for one in on:
            for part in cited(rulebook, one.cite, lang):
                assert flat(part) in flat(told), part
        into = {id for one in of.transitions if one.to == stage.id for id in one.stages}
        ways = re.findall("←([a-z0-9,-]+)", flat(told))
        assert {id for way in ways for id in way.split(",")} == into
        for clock in of.clocks.values():
            shown = re.search(rf"^  {clock.id}  ", told, re.MULTILINE) is not None
            assert shown is (stage.id in clock.runs | clock.pauses)


@pytest.mark.parametrize("lang", LANGS)
def test_a_clock_is_told_with_its_sources_and_what_its_end_does(
    rulebook: Rulebook, lang: Lang
) -> None:
    for of in rulebook.processes.values():
        for clock in of.clocks.values():
            told = page(rulebook, f"{of.id}/{clock.id}", lang)
            led = [one.says for one in of.transitions if one.after == clock.id]
            assert_told(told, [of.title, clock.title, clock.exceeded, *led], lang)
            for part in cited(rulebook, clock.cite, lang):
                assert flat(part) in flat(told), part


def test_the_page_of_the_interagency_procedure_shows_its_ninety_days(rulebook: Rulebook) -> None:
    told = page(rulebook, "ear-750", "en")
    assert "9 + 30 + 14 + 5 + 11 + 5 + 11 + 5 = 90 days" in told
    assert re.search(r"agencies  Recommendations of the agencies  30 days\n", told)
    assert "• The Chair of the Operating Committee decides  oc-decide → Operating" in told
    assert "denied-final  Denial by BIS, no appeal left (end)" in told
    assert "pre-licence-check " in told
    assert "合计90日" in page(rulebook, "ear-750", "zh")


def test_the_page_of_a_stage_reads_as_a_person_reads_it(rulebook: Rulebook) -> None:
    told = page(rulebook, "ear-750/resolution", "en")
    assert "the decision is not “denied the application”" in told
    assert "“recommends approval”\n          or “recommends approval with conditions”" in told
    assert 'event.decision != "deny" and review.state' in told
    assert "By: US agency; tells: decision\n" in told
    zh = page(rulebook, "ear-750/resolution", "zh")
    assert "决定不是“已拒绝申请”" in zh
    assert "美国国务院的意见不是“建议批准”或“建议附条件批准”" in zh


def test_what_is_refused_and_what_a_hold_does_is_marked(rulebook: Rulebook) -> None:
    told = page(rulebook, "h200-article/shipped", "en")
    assert "Ask for a refund  request-refund → refused, put on record" in told
    assert "Rule: No refund (h200-article/no-refund)" in told
    assert "Time is over: Validity of the licence  validity →" in told
    held = page(rulebook, "ear-750/acep", "en")
    assert "hold → the stage stays the same (begins a hold)" in held
    assert "withdraw → Withdrawn by the applicant (also while\n    held)" in held
    assert "(from the customer's book)" in page(rulebook, "h200-article/draft", "en")
    assert "75,000 chips" in page(rulebook, "h200-article/process", "en")


@pytest.mark.parametrize("source", ["ecfr-756", "bassberry-acep"])
def test_a_source_that_only_a_process_cites_says_so(source: str, rulebook: Rulebook) -> None:
    told = page(rulebook, source, "en")
    assert "• ear-750  A licence application before BIS and the agencies" in told
    listed = page(rulebook, None, "en", sources=True)
    row = next(line for line in listed.splitlines() if line.startswith(f"  {source} "))
    assert row.split()[-1] != "–"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ear-75", "did you mean `ear-750`?"),
        ("ear-750/agencie", "did you mean `agencies`?"),
        ("ear-750/agency-revue", "did you mean `agency-review`?"),
        ("ear-750/colour", "its stages and clocks: draft, received"),
        ("h200-article/under-revue", "did you mean `under-review`?"),
        ("h200-article/colour", "its rules: "),
        ("colourless", "processes: ear-750, h200-article"),
        ("bis-2026/process", "`bis-2026` has no rule called `process`"),
    ],
)
def test_an_unknown_part_is_told_with_the_nearest(name: str, told: str) -> None:
    done = CliRunner().invoke(app, ["rules", name, "--lang", "en"])
    assert done.exit_code == 1
    assert told in done.stderr


def test_the_command_shows_a_process(rulebook: Rulebook) -> None:
    done = CliRunner().invoke(app, ["rules", "ear-750", "--lang", "en"], env={"COLUMNS": "80"})
    assert done.exit_code == 0
    assert done.stdout.startswith("A licence application before BIS and the agencies\near-750\n")
    more = CliRunner().invoke(app, ["rules", "ear-750", "-v"], env={"COLUMNS": "80"})
    assert len(more.stdout) > 3 * len(done.stdout)


def test_no_stage_hides_behind_a_rule_of_its_name(rulebook: Rulebook) -> None:
    for of in rulebook.processes.values():
        assert not {rule.id for rule in of.regime.rules} & {*parts_of(of), PROCESS}
