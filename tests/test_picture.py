"""The picture of a rule set: every fact and rule has its place, every line its two ends."""

from __future__ import annotations

from itertools import pairwise

import pytest

from api import describe
from api.app.picture import BOX, SIZE, WIDTH, Picture, picture
from api.letters import broken, width
from engine.load import Rulebook
from engine.words import LANGS, Lang, in_lang

DAY = 739_648  # 1 February 2026
CASES = [
    (id, lang)
    for id in ("bis-2026", "h200-article", "h200-reported", "section-232-duty")
    for lang in LANGS
]


def drawn(rulebook: Rulebook, id: str, lang: Lang) -> Picture:
    return picture(describe.regime(rulebook, id, DAY), describe.vocabulary(rulebook), lang)


@pytest.mark.parametrize(("id", "lang"), CASES)
def test_no_box_overlaps_another_or_leaves_the_sheet(
    rulebook: Rulebook, id: str, lang: Lang
) -> None:
    made = drawn(rulebook, id, lang)
    for column in (made.facts, made.rules):
        for upper, lower in pairwise(column):
            assert upper.y + upper.height < lower.y
        assert column[0].y >= 0
        assert column[-1].y + column[-1].height <= made.height
    for heading in made.headings:
        for box in made.facts:
            assert heading.y <= box.y or heading.y - SIZE >= box.y + box.height


@pytest.mark.parametrize(("id", "lang"), CASES)
def test_every_label_stands_whole_inside_its_box(rulebook: Rulebook, id: str, lang: Lang) -> None:
    for box in (*drawn(rulebook, id, lang).facts, *drawn(rulebook, id, lang).rules):
        assert "".join(box.lines).replace(" ", "") == box.label.replace(" ", "")
        for (y, line), below in zip(box.baselines, [*box.baselines[1:], None], strict=True):
            assert width(line) * SIZE <= BOX
            assert box.y < y < box.y + box.height
            assert below is None or below[0] - y >= SIZE


@pytest.mark.parametrize("lang", LANGS)
def test_every_rule_and_the_scope_stand_in_order(rulebook: Rulebook, lang: Lang) -> None:
    for id, regime in rulebook.regimes.items():
        rules = drawn(rulebook, id, lang).rules
        assert [box.key for box in rules] == [
            "rule:scope",
            *(f"rule:{rule.id}" for rule in regime.rules),
        ]
        assert [box.label for box in rules[1:]] == [in_lang(r.title, lang) for r in regime.rules]
        assert all(box.href == "#" + box.key.removeprefix("rule:") for box in rules)


def test_every_fact_that_a_rule_rests_on_has_its_line(rulebook: Rulebook) -> None:
    for id in rulebook.regimes:
        told = describe.regime(rulebook, id, DAY)
        made = drawn(rulebook, id, "en")
        wanted = {(fact["path"], "scope") for fact in told["facts"] if not fact["derived"]} | {
            (fact["path"], rule["id"])
            for rule in told["rules"]
            for fact in rule["facts"]
            if not fact["derived"]
        }
        assert {(edge.fact, edge.rule) for edge in made.edges} == wanted
        assert len(made.edges) == len(wanted)


def test_a_line_runs_from_the_fact_to_the_rule(rulebook: Rulebook) -> None:
    made = drawn(rulebook, "h200-article", "en")
    places = {box.key: box for box in (*made.facts, *made.rules)}
    for edge in made.edges:
        fact, rule = places[f"fact:{edge.fact}"], places[f"rule:{edge.rule}"]
        assert edge.path.startswith(f"M{BOX} {fact.y + fact.height // 2}C")
        assert edge.path.endswith(f" {WIDTH - BOX} {rule.y + rule.height // 2}")


def test_labels_break_at_blanks_and_between_chinese_characters_but_not_before_a_full_stop() -> (
    None
):
    assert broken("aaaa bbbb cccc", 6) == ("aaaa bbbb", "cccc")
    assert broken("一二三四五六", 4) == ("一二三四", "五六")
    assert broken("一二三四。五", 4) == ("一二三", "四。五")
    assert broken("甲H200乙", 9) == ("甲H200乙",)
