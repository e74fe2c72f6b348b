"""Pages at the terminal: every rule set, rule and source, in both languages, in 80 columns."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from api.browse import browse
from engine.ir import Regime
from engine.load import Rulebook
from engine.words import LANGS, Lang, in_lang
from engine.words import day as day_in_words

DAY = 739_648  # 1 February 2026
WIDTH = 80


def page(
    book: Rulebook,
    name: str | None,
    *langs: Lang,
    facts: bool = False,
    sources: bool = False,
    verbose: bool = False,
) -> str:
    console = Console(
        file=io.StringIO(), width=WIDTH, highlight=False, color_system=None, legacy_windows=False
    )
    assert browse(console, book, name, facts, sources, DAY, langs, verbose) == 0
    told = console.file
    assert isinstance(told, io.StringIO)
    return told.getvalue()


def flat(text: str) -> str:
    """A text without its line breaks and blanks, so that wrapping does not matter."""
    return re.sub(r"\s+", "", text)


def every_rule(book: Rulebook) -> list[tuple[Regime, str]]:
    return [(regime, rule.id) for regime in book.regimes.values() for rule in regime.rules]


def assert_well_set(text: str) -> None:
    """No colour when piped; nothing wider than the page but addresses; no broken word."""
    assert "\x1b" not in text
    for line in text.splitlines():
        assert line == line.rstrip()
        assert cell_len(line) <= WIDTH or line.strip().startswith(("http://", "https://"))
        assert not line.strip().startswith(("，", "。", "；", "：", "、", "）", "”"))
        assert not line.endswith(("（", "《", "“"))
        assert "…" not in line or ", …" in line


@pytest.mark.parametrize("lang", LANGS)
def test_the_list_names_every_rule_set_with_its_dates(rulebook: Rulebook, lang: Lang) -> None:
    told = page(rulebook, None, lang)
    assert_well_set(told)
    for regime in rulebook.regimes.values():
        assert regime.id in told
        for part in (
            in_lang(regime.title, lang),
            day_in_words(regime.read_to, lang),
            day_in_words(regime.in_force.start, lang),
            str(len(regime.rules)),
        ):
            assert flat(part) in flat(told)


@pytest.mark.parametrize("lang", LANGS)
def test_a_rule_set_is_told_whole(rulebook: Rulebook, lang: Lang) -> None:
    for regime in rulebook.regimes.values():
        told = page(rulebook, regime.id, lang)
        assert_well_set(told)
        parts = [in_lang(regime.title, lang), in_lang(regime.summary, lang)]
        parts += [in_lang(pair, lang) for pair in regime.leaves_out]
        parts += [in_lang(outcome.meaning, lang) for outcome in regime.outcomes.values()]
        parts += [day_in_words(regime.in_force.start, lang), *regime.parameters]
        parts += [rule.id for rule in regime.rules]
        for part in parts:
            assert flat(part) in flat(told), part


@pytest.mark.parametrize("lang", LANGS)
def test_a_rule_is_told_with_its_quotations_and_dates(rulebook: Rulebook, lang: Lang) -> None:
    for regime, id in every_rule(rulebook):
        rule = next(rule for rule in regime.rules if rule.id == id)
        told = page(rulebook, f"{regime.id}/{id}", lang)
        assert_well_set(told)
        parts = [in_lang(rule.title, lang), day_in_words(rule.in_force.start, lang)]
        if rule.known_from is not None:
            parts.append(day_in_words(rule.known_from, lang))
        for citation in rule.cite:
            source = rulebook.sources[citation.source]
            said = None if citation.says is None else in_lang(citation.says, lang)
            parts += [citation.source, *filter(None, (citation.quote, citation.translation, said))]
            parts += [day_in_words(source.date, lang), source.address or ""]
        for settled in rule.settles:
            parts += [in_lang(settled.question, lang), in_lang(settled.answer, lang)]
        parts += [in_lang(note.text, lang) for note in (*rule.remarks, *rule.cautions)]
        for part in parts:
            assert flat(part) in flat(told), part


@pytest.mark.parametrize("lang", LANGS)
def test_a_source_is_told_with_the_rules_that_cite_it(rulebook: Rulebook, lang: Lang) -> None:
    for source in rulebook.sources.values():
        told = page(rulebook, source.id, lang)
        assert_well_set(told)
        parts = [source.title.en, source.title.zh, day_in_words(source.date, lang)]
        parts += [source.address or ""]
        for regime, id in every_rule(rulebook):
            rule = next(rule for rule in regime.rules if rule.id == id)
            cited = [c for c in rule.cite if c.source == source.id]
            parts += [f"{regime.id}/{id}"] if cited else []
            parts += [c.quote for c in cited if c.quote is not None]
        for part in parts:
            assert flat(part) in flat(told), part


@pytest.mark.parametrize("lang", LANGS)
def test_the_facts_stand_in_the_groups_of_the_form(rulebook: Rulebook, lang: Lang) -> None:
    told = page(rulebook, None, lang, facts=True)
    assert_well_set(told)
    lines = [line.strip() for line in told.splitlines()]
    at = [lines.index(in_lang(label, lang)) for label in rulebook.vocabulary.groups.values()]
    assert at == sorted(at)
    for path in rulebook.vocabulary.facts:
        assert any(line.split("  ")[0] == path for line in lines), path


@pytest.mark.parametrize("lang", LANGS)
def test_a_fact_is_told_with_the_rules_that_rest_on_it(rulebook: Rulebook, lang: Lang) -> None:
    for path, fact in rulebook.vocabulary.facts.items():
        told = page(rulebook, path, lang)
        assert_well_set(told)
        assert flat(in_lang(fact.label, lang)) in flat(told)
    assert "h200-article/customer-cap" in page(rulebook, "customer.units_to_date", lang)
    assert "h200-article/transaction-fee" in page(rulebook, "order.unit_price", lang)


@pytest.mark.parametrize("lang", LANGS)
def test_the_sources_are_listed(rulebook: Rulebook, lang: Lang) -> None:
    told = page(rulebook, None, lang, sources=True)
    assert_well_set(told)
    assert all(id in told for id in rulebook.sources)


@pytest.mark.parametrize("width", [50, 80, 120])
def test_no_width_cuts_off_who_can_change_a_fact(rulebook: Rulebook, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    assert browse(console, rulebook, None, True, False, DAY, ("zh",)) == 0
    told = console.file
    assert isinstance(told, io.StringIO)
    holders = [fact.held_by for fact in rulebook.vocabulary.facts.values()]
    # The last characters of the two longest holders, which a narrow column puts on a second line.
    assert told.getvalue().count("更改") >= holders.count("nobody")
    assert told.getvalue().count("人）") >= holders.count("exporter")


def test_both_languages_follow_each_other(rulebook: Rulebook) -> None:
    told = page(rulebook, "h200-article", "en", "zh")
    title = rulebook.regimes["h200-article"].title
    assert 0 <= told.index(title.en) < told.index(title.zh)


def test_a_rule_of_one_rule_set_needs_no_prefix(rulebook: Rulebook) -> None:
    short = page(rulebook, "volume-ratio", "en")
    assert short == page(rulebook, "bis-2026/volume-ratio", "en")


def test_the_page_of_a_rule_shows_its_condition_its_cap_and_its_boundary(
    rulebook: Rulebook,
) -> None:
    told = page(rulebook, "h200-article/customer-cap", "en")
    assert "customer.units_to_date + order.chips <= cap" in told
    assert "75,000 chips  8 December 2025" in told
    assert re.search(r"✓ met +H200-SXM +55000 +20000\n", told)
    assert re.search(r"✗ not met +H200-SXM +55000 +20001\n", told)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("h200-artcle", "did you mean `h200-article`?"),
        ("customer-cop", "did you mean `customer-cap`?"),
        ("h200-article/customer-cop", "did you mean `customer-cap`?"),
        ("h200-article/colour", "its rules: "),
        ("artcle", "did you mean `article`?"),
        ("order.quantty", "did you mean `order.quantity`?"),
        ("colourless", "rule sets: bis-2026, h200-article"),
        ("customer-cap", "name it as h200-article/customer-cap or h200-reported/customer-cap"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(
    name: str, told: str, rulebook: Rulebook, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(file=io.StringIO(), width=WIDTH)
    assert browse(console, rulebook, name, False, False, DAY, ("en",)) == 1
    assert told in capsys.readouterr().err
