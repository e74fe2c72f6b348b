"""A process as a picture: stages and what leads from one to another, as SVG, Mermaid or DOT.

The SVG needs no other program. It holds no style: shape and words say everything, and a page may
colour it by its classes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from api.layout import Layout, Line, Route, lay_out
from api.letters import broken, width
from engine.diagnostics import visible
from engine.ir import Pair
from engine.process import Process, Transition
from engine.words import Lang, in_lang, listed

WIDE = 4
"""A transition that leaves more stages than these is drawn once, from a box that stands for all."""
_BOX, _LABEL = 172, 124
_SIZE, _SMALL, _LINE, _TIGHT, _PAD = 13, 11, 17, 14, 9
_EDGE, _BOLD = 12, 1.08
_FONT = 'system-ui, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'

_RESERVED = (
    "state",
    "note",
    "end",
    "class",
    "direction",
    "as",
    "default",
    "click",
    "hide",
    "scale",
)
"""Words of Mermaid that no state of it may be called."""

HERE = Pair("present stage", "当前阶段")
HELD = Pair("held", "暂停处理")
PASSED = Pair("passed", "已经过")
_WHILE_HELD = Pair(" (while held)", "（暂停处理时）")
_REFUSED = Pair(" (refused, put on record)", "（不予办理，记录在案）")
_KEY = Pair(
    "Double frame: end. Dashed: when time is over. ↺: the stage stays the same.",
    "双线框：终结。虚线：期限届满。↺：阶段不变。",
)


@dataclass(frozen=True, slots=True)
class Way:
    """What leads from one stage, or from any of several, to another stage or to the same one.

    Without `end` the stage stays. All transitions are of one kind: events, or ends of clocks.
    """

    starts: tuple[str, ...]
    end: str | None
    lapse: bool
    transitions: tuple[Transition, ...]

    @property
    def is_wide(self) -> bool:
        """Whether it is drawn once for all its stages."""
        return len(self.starts) > WIDE


def ways(process: Process) -> tuple[Way, ...]:
    """The transitions of a process, those together that lead from the same to the same."""
    found: dict[tuple[tuple[str, ...], str | None, bool], list[Transition]] = {}
    for taken in process.transitions:
        lapse = taken.after is not None
        if len(taken.stages) > WIDE:
            found.setdefault((taken.stages, taken.to, lapse), []).append(taken)
            continue
        for start in taken.stages:
            end = None if taken.to == start else taken.to
            found.setdefault(((start,), end, lapse), []).append(taken)
    return tuple(Way(*key, tuple(taken)) for key, taken in found.items())


def title_of(process: Process, taken: Transition, lang: Lang) -> str:
    """What happens: the title of an event, or the clock whose time is over."""
    if taken.on is not None:
        told = in_lang(process.events[taken.on].title, lang)
        told += in_lang(_WHILE_HELD, lang) if taken.held == "only" else ""
        return told + (in_lang(_REFUSED, lang) if taken.refuses is not None else "")
    clock = process.clocks[taken.after or ""]
    title = in_lang(clock.title, lang)
    if clock.days is None:
        return f"{title}: time is over" if lang == "en" else f"{title}届满"
    if lang == "en":
        return f"{title}: {clock.days} day{'' if clock.days == 1 else 's'} are over"
    return f"{title}满{clock.days}天"


def titles_of(process: Process, way: Way, lang: Lang) -> list[str]:
    """What happens on a way, each thing once."""
    return list(dict.fromkeys(visible(title_of(process, t, lang)) for t in way.transitions))


def any_of(process: Process, stages: Sequence[str], lang: Lang) -> str:
    """Several stages as one: `Any stage`, `Any of 9 stages`."""
    open_ = [id for id, stage in process.stages.items() if not stage.end]
    if set(stages) >= set(open_):
        return "Any stage" if lang == "en" else "任一未终结阶段"
    if len(stages) == 1:
        return visible(in_lang(process.stages[stages[0]].title, lang))
    return f"Any of {len(stages)} stages" if lang == "en" else f"{len(stages)}个阶段中任一"


def sentences(process: Process, lang: Lang) -> Iterator[str]:
    """Every way in words, for those who do not see the picture."""
    for way in ways(process):
        start = any_of(process, way.starts, lang)
        if way.is_wide and not start.startswith(("Any stage", "任一")):
            start += _named(process, way.starts, lang)
        what = ("; " if lang == "en" else "；").join(titles_of(process, way, lang))
        end = way.end and visible(in_lang(process.stages[way.end].title, lang))
        if lang == "en":
            yield f"{start}: {what} → {end or 'no change of stage'}"
        else:
            yield f"{start}：{what}→{end or '阶段不变'}"


def named(process: Process, stages: Sequence[str], lang: Lang) -> str:
    """Several stages by their titles; those of a title with a comma are held together."""
    titles = [visible(in_lang(process.stages[id].title, lang)) for id in stages]
    return "; ".join(titles) if lang == "en" else "、".join(f"“{title}”" for title in titles)


def _named(process: Process, stages: Sequence[str], lang: Lang) -> str:
    told = named(process, stages, lang)
    return f" ({told})" if lang == "en" else f"（{told}）"


# --- text for other programs ---


def mermaid(process: Process, lang: Lang, at: str | None = None) -> str:
    """A process as a state diagram of Mermaid."""
    names = {id: id.replace("-", "_") + "_" * (id in _RESERVED) for id in process.stages}
    lines = ["stateDiagram-v2", "    direction TB"]
    for id, stage in process.stages.items():
        lines.append(f'    state "{_entities(in_lang(stage.title, lang))}" as {names[id]}')
    lines.append(f"    [*] --> {names[process.start]}")
    wide: dict[tuple[str, ...], str] = {}
    for way in ways(process):
        start = names[way.starts[0]]
        if way.is_wide:
            if way.starts not in wide:
                start = wide[way.starts] = f"any__{len(wide) + 1}"
                told = _entities(any_of(process, way.starts, lang))
                lines.append(f'    state "{told}" as {start}')
            start = wide[way.starts]
        what = " / ".join(_entities(text) for text in titles_of(process, way, lang))
        lines.append(f"    {start} --> {names[way.end] if way.end else start} : {what}")
    lines += [f"    {names[id]} --> [*]" for id, stage in process.stages.items() if stage.end]
    if at in names:
        lines += ["    classDef here stroke-width:4px", f"    class {names[at]} here"]
    return "\n".join(lines) + "\n"


def _entities(text: str) -> str:
    """A text for Mermaid: whatever could be taken for its grammar stands as a number."""
    plain = " -.,()（）、，。：；/→§%"
    return "".join(
        c if c.isalnum() or c in plain else f"#{ord(c)};" for c in visible(text).replace("--", "–")
    )


def dot(process: Process, lang: Lang, at: str | None = None) -> str:
    """A process as a graph for Graphviz."""
    lines = [
        "digraph process {",
        f"  label={_quoted(in_lang(process.title, lang))}; labelloc=t; rankdir=TB;",
        '  node [shape=box, style=rounded, fontname="sans-serif"];',
        '  edge [fontname="sans-serif", fontsize=11];',
    ]
    for id, stage in process.stages.items():
        title = in_lang(stage.title, lang)
        if id == at:
            title = f"▶ {in_lang(HERE, lang)}\n{title}"
        more = ", peripheries=2" if stage.end else ""
        more += ', penwidth=3, style="rounded,bold"' if id == at else ""
        lines.append(f"  {_quoted(id)} [label={_quoted(title)}{more}];")
    wide: dict[tuple[str, ...], str] = {}
    for way in ways(process):
        start = way.starts[0]
        if way.is_wide:
            if way.starts not in wide:
                start = wide[way.starts] = f"any {len(wide) + 1}"
                told = _quoted(any_of(process, way.starts, lang))
                lines.append(f"  {_quoted(start)} [label={told}, shape=ellipse, style=dashed];")
            start = wide[way.starts]
        what = _quoted("\n".join(titles_of(process, way, lang)))
        more = ", style=dashed" if way.lapse else ""
        lines.append(f"  {_quoted(start)} -> {_quoted(way.end or start)} [label={what}{more}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    lines = (visible(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'


# --- the picture ---


def svg(
    process: Process,
    lang: Lang,
    at: str | None = None,
    held: bool = False,
    *,
    passed: Collection[str] = (),
    within: bool = False,
) -> str:
    """A process as a picture, with the present stage and those passed before marked.

    `within` a page the list of what leads where stands beside it, and is not said twice.
    """
    return _Picture(process, lang, at, held, passed).drawn(within)


Lines = tuple[tuple[str, str], ...]
"""The lines of a box, each with its class."""


class _Picture:
    """One drawing, put together from its parts."""

    def __init__(
        self, process: Process, lang: Lang, at: str | None, held: bool, passed: Collection[str]
    ) -> None:
        self.process, self.lang, self.at, self.held = process, lang, at, held
        self.passed = passed
        self.ways = ways(process)
        self.drawn_ways = [way for way in self.ways if way.end is not None]
        self.texts: dict[str, Lines] = {id: self._stage(id) for id in process.stages}
        wide = dict.fromkeys(way.starts for way in self.drawn_ways if way.is_wide)
        self.wide = {starts: f"any {at}" for at, starts in enumerate(wide, 1)}
        for starts, key in self.wide.items():
            self.texts[key] = self._lines(any_of(process, starts, lang), "any", _SIZE)
        self.labels = [self._label(way) for way in self.drawn_ways]
        self.layout = self._laid_out()

    def _say(self, pair: Pair) -> str:
        return visible(in_lang(pair, self.lang))

    # --- texts ---

    def _stage(self, id: str) -> Lines:
        lines: list[tuple[str, str]] = []
        if id == self.at:
            told = f"▶ {self._say(HERE)}"
            if self.held:
                told += (", " if self.lang == "en" else "，") + self._say(HELD)
            lines += self._lines(told, "mark", _SMALL)
        stage = self.process.stages[id]
        title = self._say(stage.title)
        room = _BOX - 8 if stage.end else _BOX
        lines += self._lines(f"● {title}" if id in self.passed else title, "title", _SIZE, room)
        for way in self.ways:
            if way.end is None and way.starts == (id,):
                for text in titles_of(self.process, way, self.lang):
                    lines += self._lines(f"↺ {text}", "stays", _SMALL)
        return tuple(lines)

    @staticmethod
    def _lines(text: str, kind: str, size: int, room: int = _BOX) -> Lines:
        ems = (room - 2 * _PAD) / (size * _BOLD if kind == "title" else size)
        return tuple((line, kind) for line in _cut(text, ems))

    def _label(self, way: Way) -> Lines:
        found: Lines = ()
        for text in titles_of(self.process, way, self.lang):
            found += self._lines(text, "on", _SMALL, _LABEL + 2 * _PAD)
        return found

    def _notes(self) -> list[str]:
        """What is said beneath: the key, stages that stand together, what changes no stage."""
        process, lang = self.process, self.lang
        told = [in_lang(_KEY, lang)]
        if self.passed:
            told[0] += f" ●: {in_lang(PASSED, lang)}." if lang == "en" else "●：已经过的阶段。"
        for starts in self.wide:
            name = any_of(process, starts, lang)
            if not name.startswith(("Any stage", "任一")):
                told.append(name + _named(process, starts, lang))
        for way in self.ways:
            if way.end is None and way.is_wide:
                name = any_of(process, way.starts, lang)
                what = titles_of(process, way, lang)
                if not name.startswith(("Any stage", "任一")):
                    name += _named(process, way.starts, lang)
                text = (
                    f"{name}: {'; '.join(what)}" if lang == "en" else f"{name}：{'；'.join(what)}"
                )
                told.append(f"↺ {text}")
        return told

    # --- places ---

    def _laid_out(self) -> Layout:
        boxes = {}
        # What stands for any stage comes first, so that its lines run downwards.
        for key in (*self.wide.values(), *self.process.stages):
            lines = self.texts[key]
            boxes[key] = (_BOX, sum(map(_height, lines)) + 2 * _PAD)
        ways = [
            Line(self._start(way), way.end or "", _room(label))
            for way, label in zip(self.drawn_ways, self.labels, strict=True)
        ]
        return lay_out(boxes, ways)

    def _start(self, way: Way) -> str:
        return self.wide[way.starts] if way.is_wide else way.starts[0]

    # --- drawing ---

    def drawn(self, within: bool) -> str:
        layout, process = self.layout, self.process
        sheet = max(layout.width, 420)
        notes = [line for note in self._notes() for line in _cut(note, sheet / _SMALL)]
        height = layout.height + 2 * _EDGE + _TIGHT * len(notes) + _PAD
        across = sheet + 2 * _EDGE
        name = "chart-" + process.id
        xmlns = "" if within else ' xmlns="http://www.w3.org/2000/svg"'
        head = (
            f'<svg{xmlns} class="chart" role="img" aria-labelledby="{name}" lang="{_TAG[self.lang]}"'
            f' viewBox="0 0 {across} {height}" width="{across}" height="{height}"'
            f' font-family="{escape(_FONT)}" font-size="{_SIZE}" fill="#000" stroke="none">'
        )
        parts = [head, f'<title id="{name}">{escape(self._name())}</title>']
        parts.append(f"<desc>{escape(self._described(within))}</desc>")
        parts.append(f'<rect class="ground" width="{across}" height="{height}" fill="#fff"/>')
        aside = _EDGE + (sheet - layout.width) // 2
        parts.append(f'<g transform="translate({aside} {_EDGE})">')
        parts += [self._way(at) for at in range(len(self.drawn_ways))]
        parts += [self._label_drawn(at) for at in range(len(self.drawn_ways))]
        parts += [self._box(key) for key in self.texts]
        parts.append("</g>")
        top = layout.height + _EDGE + _PAD
        parts.append(f'<g class="notes" font-size="{_SMALL}">')
        for number, line in enumerate(notes, 1):
            parts.append(f'<text x="{_EDGE}" y="{top + number * _TIGHT}">{escape(line)}</text>')
        return "\n".join([*parts, "</g>", "</svg>"]) + "\n"

    def _name(self) -> str:
        told = self._say(self.process.title)
        if self.at is not None and self.at in self.process.stages:
            stage = self._say(self.process.stages[self.at].title)
            here = in_lang(HERE, self.lang)
            told += f"; {here}: {stage}" if self.lang == "en" else f"；{here}：{stage}"
            if self.held:
                told += f" ({self._say(HELD)})" if self.lang == "en" else f"（{self._say(HELD)}）"
        return told

    def _described(self, within: bool) -> str:
        stages = self.process.stages
        ends = listed([self._say(s.title) for s in stages.values() if s.end], self.lang, last="or")
        first = self._say(stages[self.process.start].title)
        told = (
            f"{len(stages)} stages, from “{first}” to one of these ends: {ends}."
            if self.lang == "en"
            else f"共{len(stages)}个阶段，始于“{first}”，终于{ends}。"
        )
        return told if within else "\n".join([told, *sentences(self.process, self.lang)])

    def _way(self, at: int) -> str:
        way, route = self.drawn_ways[at], self.layout.routes[at]
        dashed = ' stroke-dasharray="5 4"' if way.lapse else ""
        kind = "way lapse" if way.lapse else "way"
        return (
            f'<g class="{kind}" data-from="{escape(self._start(way))}" data-to="{way.end}">'
            f'<path d="{_path(route)}" fill="none" stroke="#000" stroke-width="1.2"{dashed}/>'
            f'<path class="head" d="{_arrow(route)}"/></g>'
        )

    def _label_drawn(self, at: int) -> str:
        (x, middle), lines = self.layout.routes[at].label, self.labels[at]
        across, high = _room(lines)
        told = [
            f'<rect class="ground" x="{x - across // 2}" y="{middle - high // 2}" width="{across}"'
            f' height="{high}" fill="#fff"/>'
        ]
        y = middle - high // 2 + _SMALL
        for number, (line, _) in enumerate(lines):
            told.append(
                f'<text class="on" x="{x}" y="{y + number * _TIGHT}" font-size="{_SMALL}"'
                f' text-anchor="middle">{escape(line)}</text>'
            )
        return "".join(told)

    def _box(self, key: str) -> str:
        (x, y), lines = self.layout.boxes[key], self.texts[key]
        stage = self.process.stages.get(key)
        high = sum(map(_height, lines)) + 2 * _PAD
        kinds = ["stage"] if stage else ["any"]
        kinds += ["end"] if stage and stage.end else []
        kinds += ["here"] if key == self.at else []
        kinds += ["held"] if key == self.at and self.held else []
        kinds += ["passed"] if key in self.passed else []
        stroke = 3.5 if key == self.at else 2 if key in self.passed else 1
        told = [
            f'<g class="{" ".join(kinds)}"' + (f' data-stage="{key}">' if stage else ">"),
            _frame(x, y, _BOX, high, stroke, 18 if stage is None else 7, dashed=stage is None),
        ]
        if stage and stage.end:
            told.append(_frame(x + 4, y + 4, _BOX - 8, high - 8, 1, 4, fill="none"))
        base = y + _PAD
        for line, kind in lines:
            size = _SIZE if kind in ("title", "any") else _SMALL
            weight = ' font-weight="600"' if kind in ("title", "mark") else ""
            base += _height((line, kind))
            told.append(
                f'<text class="{kind}" x="{x + _BOX // 2}" y="{base - 4}" font-size="{size}"'
                f'{weight} text-anchor="middle">{escape(line)}</text>'
            )
        return "".join([*told, "</g>"])


_TAG: Mapping[Lang, str] = {"en": "en", "zh": "zh-Hans"}


def _frame(
    x: int,
    y: int,
    across: int,
    high: int,
    stroke: float,
    round_: int,
    *,
    fill: str = "#fff",
    dashed: bool = False,
) -> str:
    more = ' stroke-dasharray="2 3"' if dashed else ""
    return (
        f'<rect x="{x}" y="{y}" width="{across}" height="{high}" rx="{round_}" fill="{fill}"'
        f' stroke="#000" stroke-width="{stroke}"{more}/>'
    )


def _height(line: tuple[str, str]) -> int:
    return _LINE if line[1] in ("title", "any") else _TIGHT


def _room(lines: Lines) -> tuple[int, int]:
    """What a label takes up."""
    across = max((width(line) for line, _ in lines), default=0.0) * _SMALL
    return round(across) + 6, _TIGHT * len(lines) + 4


def _cut(text: str, ems: float) -> list[str]:
    """A text in lines; a word that no line can hold is cut."""
    found: list[str] = []
    for line in broken(text, ems):
        rest = ""
        for letter in line:
            if rest and width(rest + letter) > ems:
                found.append(rest)
                rest = ""
            rest += letter
        found.append(rest)
    return found


def _path(route: Route) -> str:
    """Straight between every second pair of points, bent between the others."""
    points = route.points
    told = [f"M{points[0][0]} {points[0][1]}"]
    for number in range(1, len(points)):
        (x0, y0), (x1, y1) = points[number - 1], points[number]
        if number % 2 or x0 == x1:
            told.append(f"L{x1} {y1}")
        else:
            middle = (y0 + y1) // 2
            told.append(f"C{x0} {middle} {x1} {middle} {x1} {y1}")
    return "".join(told)


def _arrow(route: Route) -> str:
    (x, y), back = route.points[-1], -8
    if y < route.points[0][1]:
        back = 8
    return f"M{x} {y}l-4 {back}h8z"
