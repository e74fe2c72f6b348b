"""A process as a picture: everything that it says is on it, nothing lies on anything else."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest

from api.drawing import WIDE, dot, mermaid, sentences, svg, title_of, titles_of, ways
from api.layout import Layout, Line, lay_out
from engine.ir import Pair
from engine.load import Rulebook
from engine.process import Process
from engine.words import LANGS, Lang, in_lang

ROOT = Path(__file__).parent.parent
PROCESSES = sorted(path.parent.name for path in (ROOT / "rules").glob("*/process.yaml"))
BOTH = [(id, lang) for id in PROCESSES for lang in LANGS]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>\"'&amp;--> ]]> \\n;:{}#\n%%\u202edlrow"


def tree_of(
    process: Process, lang: Lang, at: str | None = None, **more: object
) -> ElementTree.Element:
    return ElementTree.fromstring(svg(process, lang, at, **more))  # type: ignore[arg-type]


def groups(tree: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [one for one in tree.iter(f"{SVG}g") if name in one.get("class", "").split()]


def text_of(element: ElementTree.Element) -> str:
    return "".join("".join(text.itertext()) for text in element.iter(f"{SVG}text"))


def squeezed(text: str) -> str:
    """A text without blanks: lines are broken where they stand."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(("id", "lang"), BOTH)
def test_every_stage_and_every_transition_is_on_the_picture(
    rulebook: Rulebook, id: str, lang: Lang
) -> None:
    process = rulebook.processes[id]
    tree = tree_of(process, lang)
    boxes = {one.get("data-stage"): text_of(one) for one in groups(tree, "stage")}
    assert list(boxes) == list(process.stages)
    for name, stage in process.stages.items():
        assert squeezed(in_lang(stage.title, lang)) in squeezed(boxes[name])
    everything = squeezed(text_of(tree))
    for taken in process.transitions:
        assert squeezed(title_of(process, taken, lang)) in everything
    drawn = {(one.get("data-from"), one.get("data-to")) for one in groups(tree, "way")}
    for taken in process.transitions:
        for start in taken.stages if len(taken.stages) <= WIDE else ():
            if taken.to not in (None, start):
                assert (start, taken.to) in drawn


@pytest.mark.parametrize(("id", "lang"), BOTH)
def test_what_leads_from_any_stage_is_drawn_once(rulebook: Rulebook, id: str, lang: Lang) -> None:
    process = rulebook.processes[id]
    tree = tree_of(process, lang)
    wide = [way for way in ways(process) if way.is_wide and way.end]
    for way in wide:
        lines = [one for one in groups(tree, "way") if one.get("data-to") == way.end]
        assert len([one for one in lines if str(one.get("data-from")).startswith("any ")]) >= 1
    assert len(groups(tree, "any")) == len({way.starts for way in wide})


def test_lapses_alone_are_dashed_and_say_their_days(rulebook: Rulebook) -> None:
    for id in PROCESSES:
        process = rulebook.processes[id]
        for one in groups(tree_of(process, "en"), "way"):
            dashed = one.find(f"{SVG}path").get("stroke-dasharray")  # type: ignore[union-attr]
            assert bool(dashed) is ("lapse" in one.get("class", ""))
        for clock in {t.after for t in process.transitions if t.after}:
            told = [titles_of(process, w, "en") for w in ways(process) if w.lapse]
            days = process.clocks[clock].days
            said = "time is over" if days is None else f"{days} day"
            assert any(said in text for texts in told for text in texts)


@pytest.mark.parametrize(("id", "lang"), BOTH)
def test_the_present_stage_and_the_past_are_marked_in_words_and_by_shape(
    rulebook: Rulebook, id: str, lang: Lang
) -> None:
    process = rulebook.processes[id]
    first, second, *_ = process.stages
    tree = tree_of(process, lang, second, held=True, passed=[first])
    (here,) = groups(tree, "here")
    assert here.get("data-stage") == second
    assert {"en": "▶ present stage, held", "zh": "▶ 当前阶段，暂停处理"}[lang] in text_of(here)
    frames = {one.get("data-stage"): one.find(f"{SVG}rect") for one in groups(tree, "stage")}
    widths = {name: float(f.get("stroke-width", 0)) for name, f in frames.items() if f is not None}
    assert widths[second] > widths[first] > 1
    assert "●" in text_of(groups(tree, "passed")[0])
    for one in groups(tree, "end"):
        assert len(one.findall(f"{SVG}rect")) == 2


@pytest.mark.parametrize("id", PROCESSES)
def test_every_arrow_ends_outside_the_box_that_it_points_at(rulebook: Rulebook, id: str) -> None:
    tree = tree_of(rulebook.processes[id], "en")
    frames = {one.get("data-stage"): one.find(f"{SVG}rect") for one in groups(tree, "stage")}
    for way in groups(tree, "way"):
        head = way.findall(f"{SVG}path")[1].get("d")
        found = re.fullmatch(r"M(\d+) (\d+)l-4 (-?8)h8z", str(head))
        assert found is not None
        frame = frames[way.get("data-to")]
        assert frame is not None
        top, high = int(frame.get("y", "")), int(frame.get("height", ""))
        assert (int(found[2]), int(found[3])) in ((top, -8), (top + high, 8))


@pytest.mark.parametrize("lang", LANGS)
def test_who_does_not_see_the_picture_hears_it(rulebook: Rulebook, lang: Lang) -> None:
    process = rulebook.processes["h200-article"]
    tree = tree_of(process, lang, "placed")
    title, described = tree.find(f"{SVG}title"), tree.find(f"{SVG}desc")
    assert title is not None
    assert described is not None
    assert tree.get("role") == "img"
    assert tree.get("aria-labelledby") == title.get("id")
    assert {"en": "present stage: Order placed", "zh": "当前阶段：已下单"}[lang] in str(title.text)
    told = list(sentences(process, lang))
    assert len(told) == len(ways(process))
    for sentence in told:
        assert sentence in str(described.text)
    short = tree_within(process, lang).find("desc")
    assert short is not None
    assert "→" not in str(short.text)


def tree_within(process: Process, lang: Lang) -> ElementTree.Element:
    return ElementTree.fromstring(svg(process, lang, within=True))


def test_the_picture_holds_no_style_and_no_script(rulebook: Rulebook) -> None:
    for id, lang in BOTH:
        text = svg(rulebook.processes[id], lang, rulebook.processes[id].start)
        assert "style" not in text
        assert "<script" not in text


def hostile(process: Process) -> Process:
    """The process with titles that would break out of any text."""
    bad = Pair(HOSTILE, f"{HOSTILE}云")
    stages = {id: replace(stage, title=bad) for id, stage in process.stages.items()}
    events = {id: replace(event, title=bad) for id, event in process.events.items()}
    clocks = {id: replace(clock, title=bad) for id, clock in process.clocks.items()}
    return replace(process, title=bad, stages=stages, events=events, clocks=clocks)


@pytest.mark.parametrize("lang", LANGS)
def test_hostile_titles_are_text_in_every_form(rulebook: Rulebook, lang: Lang) -> None:
    process = hostile(rulebook.processes["h200-article"])
    tree = tree_of(process, lang, process.start)
    assert not [one for one in tree.iter() if "script" in one.tag.rpartition("}")[2]]
    assert squeezed("</title><script>\"'&amp;") in squeezed(text_of(tree))
    assert "\u202e" not in "".join(tree.itertext())
    told = mermaid(process, lang, process.start)
    lines = told.splitlines()
    assert len(lines) == len(
        mermaid(rulebook.processes["h200-article"], lang, process.start).splitlines()
    )
    for line in lines:
        body = line.partition(" : ")[2] or line.partition('"')[2].rpartition('"')[0]
        assert re.fullmatch(r'[^"<>{}\\\[\]`]*', body)
        assert ":" not in body
        assert ";" not in re.sub(r"#\d+;", "", body)
    text = dot(process, lang, process.start)
    assert len(re.sub(r'"(?:[^"\\]|\\.)*"', "", text).split("script")) == 1


@pytest.mark.parametrize(("id", "lang"), BOTH)
def test_mermaid_names_every_stage_and_way(rulebook: Rulebook, id: str, lang: Lang) -> None:
    process = rulebook.processes[id]
    text = mermaid(process, lang, process.start)
    assert text.startswith("stateDiagram-v2\n")
    names = set(re.findall(r'state ".*" as (\w+)', text))
    assert {name.replace("-", "_") for name in process.stages} <= names
    assert text.count(" : ") == len(ways(process))
    for start, end in re.findall(r"^    (\w+) --> (\w+)", text, re.MULTILINE):
        assert {start, end} <= names
    assert f"class {process.start.replace('-', '_')} here" in text
    assert f"[*] --> {process.start.replace('-', '_')}" in text


def test_no_state_of_mermaid_is_called_as_a_word_of_its_grammar(rulebook: Rulebook) -> None:
    process = rulebook.processes["h200-article"]
    stages = {("end" if id == "closed" else id): stage for id, stage in process.stages.items()}
    taken = [replace(t, to="end") if t.to == "closed" else t for t in process.transitions]
    text = mermaid(replace(process, stages=stages, transitions=tuple(taken)), "en")
    assert " as end_\n" in text
    assert "end_ --> [*]" in text
    assert not re.search(r"\bend\b", re.sub('".*"', "", text))


@pytest.mark.parametrize(("id", "lang"), BOTH)
def test_graphviz_reads_the_graph(rulebook: Rulebook, id: str, lang: Lang) -> None:
    process = rulebook.processes[id]
    text = dot(process, lang, process.start)
    assert text.count(" -> ") == len(ways(process))
    assert text.count("peripheries=2") == sum(stage.end for stage in process.stages.values())
    if found := shutil.which("dot"):
        for one in (text, dot(hostile(process), lang)):
            done = subprocess.run([found, "-Tplain"], input=one.encode(), capture_output=True)
            assert done.returncode == 0, done.stderr


# --- places ---


def rectangles(
    layout: Layout, boxes: dict[str, tuple[int, int]], lines: list[Line]
) -> Iterator[tuple[float, float, float, float]]:
    for key, (x, y) in layout.boxes.items():
        yield x, y, x + boxes[key][0], y + boxes[key][1]
    for line, route in zip(lines, layout.routes, strict=True):
        (x, y), (width, height) = route.label, line.label
        yield x - width / 2, y - height / 2, x + width / 2, y + height / 2


def anything(random: Random) -> tuple[dict[str, tuple[int, int]], list[Line]]:
    keys = [f"s{number}" for number in range(random.randint(2, 26))]
    boxes = {key: (random.choice((100, 172)), random.randint(30, 120)) for key in keys}
    lines = []
    for _ in range(random.randint(0, 45)):
        start, end = random.sample(keys, 2)
        lines.append(Line(start, end, (random.randint(30, 130), random.randint(14, 60))))
    return boxes, lines


@pytest.mark.parametrize("seed", range(40))
def test_no_box_and_no_label_lies_on_another(seed: int) -> None:
    boxes, lines = anything(Random(seed))
    layout = lay_out(boxes, lines)
    found = list(rectangles(layout, boxes, lines))
    for one, other in combinations(found, 2):
        apart = one[2] <= other[0] + 1 or other[2] <= one[0] + 1
        assert apart or one[3] <= other[1] + 1 or other[3] <= one[1] + 1
    for left, top, right, bottom in found:
        assert left >= -1
        assert top >= 0
        assert right <= layout.width + 1
        assert bottom <= layout.height


@pytest.mark.parametrize("seed", range(40))
def test_every_line_meets_its_boxes_and_passes_no_other(seed: int) -> None:
    boxes, lines = anything(Random(seed))
    layout = lay_out(boxes, lines)
    for line, route in zip(lines, layout.routes, strict=True):
        for key, (x, y) in ((line.start, route.points[0]), (line.end, route.points[-1])):
            left, top = layout.boxes[key]
            assert left <= x <= left + boxes[key][0]
            assert y in (top, top + boxes[key][1])
        for number in range(2, len(route.points) - 1, 2):
            (x, y0), (_, y1) = route.points[number], route.points[number + 1]
            for key, (left, top) in layout.boxes.items():
                beside = x < left or x > left + boxes[key][0]
                inside = min(y0, y1) < top + boxes[key][1] and max(y0, y1) > top
                assert beside or not inside or key in (line.start, line.end)


def test_the_same_boxes_and_lines_have_the_same_places() -> None:
    boxes, lines = anything(Random(7))
    assert lay_out(boxes, lines) == lay_out(boxes, lines)
    assert lay_out({"only": (100, 40)}, []).boxes == {"only": (0, 0)}
