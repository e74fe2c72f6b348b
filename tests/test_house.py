"""The house itself: words that are never ours, sizes, both languages, fences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.service import Asked, Service
from engine.load import Rulebook
from engine.source import Mapping, Node, Scalar, Sequence, read_file
from engine.words import NOTICE

ROOT = Path(__file__).parent.parent
LONGEST = 600

# What an authority or a lawyer says, never a tool (the words; their reasons stand in CONTRIBUTING).
NEVER_EN = re.compile(
    r"\b(approved|authori[sz]ed|licensed|cleared|released|green-?lit|eligible to ship|safe to ship"
    r"|good to go|may be exported|no licen[cs]e (is )?required|NLR|exempt(ed|ion)?|compliant|legal"
    r"|lawful|guaranteed|proven|denied|rejected|violat\w+|likely to|red flag resolved"
    r"|the law requires|work-?around|get around|avoid\w*|split\w*|restructur\w+|we|our|you should"
    r"|you must)\b",
    re.IGNORECASE,
)
NEVER_ZH = re.compile(
    r"批准|准予|获批|已获许可|放行|绿灯|可以出口|可以发货|没有问题|无需许可证|豁免|合规|合法"
    r"|被拒绝|违规|违法|风险已排除|法律要求|规避|绕开|拆单|变通|我们|您"
)
# Phrases that say the opposite, or name somebody else's act.
SPARED = (
    "not legal advice",
    "不构成法律意见",
    "不代表无需许可证",
    "并非已获批准",
    "并非已被拒绝",
    "“批准”",
    "“附条件批准”",
    "美国商务部工业与安全局的拒绝决定",
    "不得以规避许可要求为目的",
)
# An agency's own act, told as its act: the agency stands in the same clause.
AGENCY_EN = re.compile(
    r"\b(?:BIS|Commerce|State|Defense|Energy|agency|agencies|China|authority|authorities)\b"
    r"[^.;:]{0,60}?\b(?:approved|denied|licensed|released|rejected)\b",
)
AGENCY_ZH = re.compile(r"(?:美国|中国|主管|部门|机关)[^，。；：]{0,16}?(?:批准|准予|拒绝)")
AGENCY_ANSWERS = ("bis-decision", "recommendation", "import-decision")


def texts_of(node: Node | None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Scalar]]:
    """Every English or Chinese text of a file that is ours: quotations and translations aside."""
    match node:
        case Mapping():
            quoted = "quote" in node.entries
            for name, _, value in node:
                if name == "quote" or (quoted and name in ("en", "zh")):
                    continue
                if name in ("en", "zh") and isinstance(value, Scalar):
                    yield name, value
                else:
                    yield from texts_of(value, (*path, name))
        case Sequence():
            for item in node.items:
                yield from texts_of(item, path)
        case _:
            return


def never_in(text: str, lang: str, spared: tuple[str, ...]) -> list[str]:
    for phrase in (*SPARED, *spared):
        text = text.replace(phrase, "")
    text = (AGENCY_EN if lang == "en" else AGENCY_ZH).sub("", text)
    found = (NEVER_EN if lang == "en" else NEVER_ZH).finditer(text)
    return [match[0] for match in found]


@pytest.fixture(scope="module")
def answers(rulebook: Rulebook) -> tuple[str, ...]:
    """How agencies' own answers are worded, longest first."""
    labels = [
        text
        for name in AGENCY_ANSWERS
        for code in rulebook.vocabulary.lists[name].codes.values()
        for text in (code.label.en, code.label.zh)
    ]
    return tuple(sorted(labels, key=len, reverse=True))


RULE_FILES = sorted(
    path.relative_to(ROOT) for path in (ROOT / "rules").rglob("*.yaml") if path.stem != "sources"
)
SCENARIO_FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "scenarios").rglob("*.yaml"))


@pytest.mark.parametrize("file", [*RULE_FILES, *SCENARIO_FILES], ids=str)
def test_no_text_of_ours_speaks_as_an_authority(file: Path, answers: tuple[str, ...]) -> None:
    spoken = {
        f"{scalar.span.line}: {word} in {scalar.text}"
        for lang, scalar in texts_of(read_file(ROOT / file, "R"))
        for word in never_in(scalar.text, lang, answers)
        if not spared_here(file, scalar)
    }
    assert not spoken, "\n".join(sorted(spoken))


def spared_here(file: Path, scalar: Scalar) -> bool:
    """Agencies' own answers in the vocabulary, and what a source or an agency did, in its words."""
    line = scalar.span.source.lines[scalar.span.line - 1]
    if file.name == "vocabulary.yaml":
        return any(
            f"{code}:" in line
            for code in ("approve", "approve-with-conditions", "deny", "approved", "refused")
        )
    return False


def decisions() -> Iterator[tuple[Path, dict[str, Any]]]:
    service = Service(ROOT / "rules")
    for path, _, results in service.run_scenarios(
        [ROOT / f for f in SCENARIO_FILES], Asked(739_000)
    ):
        for result in results:
            # A story of a case is told by its process, not by a decision.
            if result.run is not None and "process" in result.run.document.data:
                continue
            assert result.decision is not None
            yield path, result.decision


def test_no_decision_speaks_as_an_authority(answers: tuple[str, ...]) -> None:
    spoken: dict[str, Path] = {}
    for path, decision in decisions():
        for lang in ("en", "zh"):
            said = [decision[k][lang] for k in ("label", "meaning", "summary", "notice")]
            said += [finding["text"][lang] for finding in decision["findings"]]
            said += [note["text"][lang] for note in decision["cautions"]]
            said += [left[lang] for left in decision["leaves_out"]]
            for text in said:
                for word in never_in(text, lang, answers):
                    spoken.setdefault(f"{word}: {text}", path)
    assert not spoken, "\n".join(f"{path.name}: {text}" for text, path in spoken.items())


def test_the_notice_stands_on_every_decision_in_both_languages() -> None:
    for _, decision in decisions():
        assert decision["notice"] == NOTICE.as_json()
        assert decision["leaves_out"]


def test_every_module_stays_small() -> None:
    sizes = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("engine", "api")
        for path in (ROOT / folder).rglob("*.py")
        if "shipped" not in path.parts
    }
    assert {path: lines for path, lines in sizes.items() if lines > LONGEST} == {}


def test_every_package_file_holds_a_docstring_and_no_code_but_the_version() -> None:
    for folder in ("engine", "api", "engine/backends"):
        text = (ROOT / folder / "__init__.py").read_text(encoding="utf-8")
        body = re.sub(r'""".*?"""', "", text, flags=re.DOTALL).strip()
        assert body == "" or re.fullmatch(r'__version__ = "[0-9.]+"', body)


def test_nothing_of_this_machine_stands_in_the_project() -> None:
    # The loopback address is every machine's own: the service listens there.
    suspicious = re.compile(r"/(?:work|root|home|tmp)/|https?://(?:10\.|192\.168\.|pypi)")
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        texts = (".py", ".yaml", ".md", ".toml", ".txt", ".csv", ".html", ".css", ".js", "")
        if path.suffix not in texts or not path.is_file() or "vendor" in parts:
            continue
        if (parts[0].startswith(".") and parts[0] != ".ci") or "__pycache__" in parts:
            continue
        if path == Path(__file__):
            continue
        found = suspicious.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{path}: {found and found[0]}"


def test_every_language_of_the_rules_is_chinese_where_it_says_so() -> None:
    for file in RULE_FILES:
        for lang, scalar in texts_of(read_file(ROOT / file, "R")):
            has_chinese = any("\u4e00" <= c <= "\u9fff" for c in scalar.text)
            if lang == "zh" and re.search("[a-z]{3}", scalar.text):
                continue
            if lang == "en" and ("“" in scalar.text or "(" in scalar.text):
                continue
            if len(scalar.text) > 3 and not re.fullmatch(r"[ 0-9A-Za-z.:/-]+", scalar.text):
                assert has_chinese is (lang == "zh"), f"{file}:{scalar.span.line}: {scalar.text}"


HALF = re.compile(r"[\u4e00-\u9fff][,;:?!]|[,;:?!][\u4e00-\u9fff]")


def workbench_texts() -> Iterator[tuple[Path, str]]:
    """Every Chinese text that stands in a template or in a module that words what people read."""
    chinese = r"[^{0}\n]*[\u4e00-\u9fff][^{0}\n]*"
    double, single = chinese.format('"'), chinese.format("'")
    literal = re.compile(rf"""(?<!")"({double})"(?!")|'({single})'""")
    files = [*(ROOT / "api").rglob("*.html"), *(ROOT / "api").rglob("*.js")]
    files += [*(ROOT / "api").rglob("*.py"), *(ROOT / "engine").rglob("*.py")]
    for path in sorted(files):
        for text in literal.findall(path.read_text(encoding="utf-8")):
            # Patterns of what people type are no texts.
            if "[0-9]" not in "".join(text):
                yield path.relative_to(ROOT), "".join(text)


def test_the_workbench_does_not_speak_as_an_authority_in_chinese(answers: tuple[str, ...]) -> None:
    spoken = {
        f"{path}: {word} in {text}"
        for path, text in workbench_texts()
        for word in never_in(text, "zh", answers)
    }
    assert not spoken, "\n".join(sorted(spoken))


def test_the_workbench_uses_full_width_punctuation_in_chinese() -> None:
    faulty = {f"{path}: {text}" for path, text in workbench_texts() if HALF.search(text)}
    assert not faulty, "\n".join(sorted(faulty))


def test_chinese_texts_use_full_width_punctuation() -> None:
    for file in (*RULE_FILES, *SCENARIO_FILES):
        for lang, scalar in texts_of(read_file(ROOT / file, "R")):
            if lang == "zh":
                found = HALF.search(scalar.text)
                assert found is None, f"{file}:{scalar.span.line}: {found and found[0]}"
