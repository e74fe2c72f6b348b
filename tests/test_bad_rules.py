"""Each folder of `bad_rules/` is refused for exactly the fault that its marker names."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api.service import Asked, Service
from engine.diagnostics import (
    Diagnostic,
    PlacetError,
    RulesRejected,
    Source,
    Span,
    as_github,
    as_json,
    as_sarif,
    as_text,
)
from engine.fault_codes import CODES
from engine.load import Rulebook, load
from engine.order import Document

HERE = Path(__file__).parent / "bad_rules"
BASE = HERE / "base"
GOLDEN = HERE / "golden"
FIXTURES = sorted(
    path.name for path in HERE.iterdir() if path.is_dir() and path not in (BASE, GOLDEN)
)
RULES = Path("rules")
_MARKER = re.compile(r"# expect ([RV][0-9]{3})(?: `(.*)`)?")
_PAD = re.compile(r"^# pad ([0-9]+)$", re.MULTILINE)
_BLOCK = re.compile(r"\|\s+# expect")
_HOST_WORDS = re.compile(
    r"\b(?:str|int|bool|float|dict|tuple|None|True|False|NoneType|object|Traceback|Exception)\b"
    r"|\b[A-Za-z]+Error\b"
)


@dataclass(frozen=True)
class Expected:
    """A fault that a marker asks for: its code, file, lines, and the text underlined."""

    code: str
    file: str
    lines: range
    text: str | None


def lay(fixture: str, folder: Path) -> None:
    """Write the sound rules into a folder, with the files of a fixture over them."""
    shutil.copytree(BASE, folder, dirs_exist_ok=True)
    if fixture:
        shutil.copytree(HERE / fixture, folder, dirs_exist_ok=True)
    for path in folder.rglob("*"):
        wanted = _PAD.search(_text(path)) if path.is_file() else None
        if wanted:
            content = path.read_bytes()
            path.write_bytes(content + b"#" * (int(wanted[1]) - len(content)))


def expected(folder: Path) -> list[Expected]:
    """What the markers in a folder ask for."""
    found: list[Expected] = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        lines = _text(path).split("\n")
        for number, line in enumerate(lines, 1):
            for marker in _MARKER.finditer(line):
                last = number
                while _BLOCK.search(line) and lines[last].startswith("  "):
                    last += 1
                span = range(number, last + 1)
                found.append(Expected(marker[1], str(path), span, marker[2]))
    return found


def found_in(folder: Path) -> tuple[Diagnostic, ...]:
    """Every fault of a folder, warnings included."""
    try:
        return load(folder).warnings
    except RulesRejected as error:
        return error.diagnostics


def underlined(fault: Diagnostic) -> str:
    """The text that a fault underlines, on its first line."""
    span = fault.span
    line = span.source.lines[span.line - 1]
    end = span.end_column if span.end_line == span.line else len(line) + 1
    return line[span.column - 1 : end - 1]


def _text(path: Path) -> str:
    return path.read_bytes()[:50_000].decode("utf-8", "replace")


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to lay rules in, named from the working folder so that places read the same."""
    monkeypatch.chdir(tmp_path)
    return RULES


def test_the_base_is_sound(rules: Path) -> None:
    lay("", rules)
    book = load(rules)
    assert isinstance(book, Rulebook)
    assert book.warnings == ()
    assert [rule.id for rule in book.regimes["chips"].rules] == ["quantity-cap"]


@pytest.mark.parametrize("fixture", FIXTURES)
def test_a_faulty_folder_gives_exactly_the_faults_it_marks(fixture: str, rules: Path) -> None:
    lay(fixture, rules)
    wanted = expected(rules)
    faults = found_in(rules)
    assert wanted, "the fixture has no marker"
    assert sorted(d.code for d in faults) == sorted(w.code for w in wanted), as_text(faults)
    for fault, want in zip(
        sorted(faults, key=lambda d: (d.code, d.span.source.name, d.span.line)),
        sorted(wanted, key=lambda w: (w.code, w.file, w.lines.start)),
        strict=True,
    ):
        assert fault.span.source.name == want.file
        assert fault.span.line in want.lines, as_text([fault])
        if want.text is not None:
            assert underlined(fault) == want.text, as_text([fault])
        elif fault.span.source.lines:
            line = fault.span.source.lines[fault.span.line - 1]
            assert underlined(fault), as_text([fault])
            assert line.endswith(underlined(fault)), as_text([fault])


@pytest.mark.parametrize("fixture", FIXTURES)
def test_the_name_of_a_folder_begins_with_its_code(fixture: str) -> None:
    codes = {want.code for want in expected(HERE / fixture)}
    assert codes == {fixture.split("-")[0]}


def test_every_code_of_rules_and_vocabulary_has_a_folder_and_no_folder_an_unknown_code() -> None:
    documented = {code for code in CODES if code[0] in "RV"}
    shown = {fixture.split("-")[0] for fixture in FIXTURES}
    assert shown == documented


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_fault_has_a_place_inside_its_file(fixture: str, rules: Path) -> None:
    lay(fixture, rules)
    for fault in found_in(rules):
        span = fault.span
        lines = Path(span.source.name).read_bytes().decode("utf-8", "replace").split("\n")
        assert 1 <= span.line <= span.end_line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1
        assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
        assert (span.line, span.column) <= (span.end_line, span.end_column)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_messages_are_one_line_of_plain_words(fixture: str, rules: Path) -> None:
    lay(fixture, rules)
    for fault in found_in(rules):
        told = re.sub(r"`[^`]*`", "``", fault.message)
        assert told[0] == "`" or not told[0].isupper(), fault.message
        for text in (fault.message, fault.help, *(note for note, _ in fault.notes)):
            assert not text.endswith("."), text
            assert "\n" not in text, text
            assert not _HOST_WORDS.search(text), text


def test_an_unreadable_rule_does_not_make_its_regime_look_faulty(rules: Path) -> None:
    lay("", rules)
    (rules / "chips/quantity-cap.yaml").write_text("title: [", encoding="utf-8")
    assert [d.code for d in found_in(rules)] == ["R004"]


def test_an_unreadable_regime_is_told_once(rules: Path) -> None:
    lay("", rules)
    (rules / "chips/regime.yaml").write_text("title: [", encoding="utf-8")
    assert [d.code for d in found_in(rules)] == ["R004"]


def test_a_faulty_rule_does_not_hide_the_faults_of_another(rules: Path) -> None:
    lay("R207-unknown-code", rules)
    regime = rules / "chips/regime.yaml"
    text = regime.read_text(encoding="utf-8")
    regime.write_text(
        text.replace("codes: [CN, HK]", "codes: [CN, HKG]").replace("read_to:", "reed_to:"),
        encoding="utf-8",
    )
    assert [d.code for d in found_in(rules)] == ["R207", "R102", "R101", "R207"]


def test_faults_are_sorted_by_place_and_told_once(rules: Path) -> None:
    lay("", rules)
    rule = rules / "chips/quantity-cap.yaml"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(
        text.replace("kind: licence-condition", "kind: x")
        .replace("due: order", "due: y")
        .replace("order.quantity <= cap", "order.a <= cap and order.b <= cap"),
        encoding="utf-8",
    )
    places = [(d.span.line, d.span.column) for d in found_in(rules)]
    assert len(places) == 4
    assert places == sorted(set(places))


@pytest.mark.parametrize(
    ("file", "sound", "faulty", "code"),
    [
        # What is declared with a fault is still declared: its users are not at fault.
        ("chips/regime.yaml", 'value: "0.25"', "value: x", "R106"),
        ("vocabulary.yaml", "chip: {en: chip, plural: chips, zh: 片}", "chip: {en: c}", "V102"),
        ("vocabulary.yaml", "what: {en: What, zh: 物项}", "what: 物项", "V107"),
        ("vocabulary.yaml", "codes/countries.csv", "codes/country.csv", "V001"),
    ],
)
def test_a_fault_where_a_name_is_declared_is_not_told_again_where_it_is_used(
    file: str, sound: str, faulty: str, code: str, rules: Path
) -> None:
    lay("", rules)
    text = (rules / file).read_text(encoding="utf-8")
    assert text.count(sound) == 1
    (rules / file).write_text(text.replace(sound, faulty), encoding="utf-8")
    faults = found_in(rules)
    assert [d.code for d in faults] == [code], as_text(faults)


@pytest.mark.parametrize(
    ("file", "sound", "faulty"),
    [
        ("chips/regime.yaml", "codes: [CN, HK]", "codes: []"),
        ("vocabulary.yaml", "order.placed_on: {type: date,", "order.placed_on: {type: date, "
         "derived: 1 + 2,"),
    ],
    ids=["a list without codes", "a date computed from numbers"],
)  # fmt: skip
def test_what_can_never_hold_is_refused(file: str, sound: str, faulty: str, rules: Path) -> None:
    lay("", rules)
    text = (rules / file).read_text(encoding="utf-8")
    assert text.count(sound) == 1
    (rules / file).write_text(text.replace(sound, faulty), encoding="utf-8")
    assert any(d.severity == "error" for d in found_in(rules))


def test_bounds_of_a_parameter_the_wrong_way_round_are_told(rules: Path) -> None:
    lay("", rules)
    rule = rules / "chips/quantity-cap.yaml"
    text = rule.read_text(encoding="utf-8")
    sound = "unit: chip, values:"
    assert text.count(sound) == 1
    wrong = text.replace(sound, "unit: chip, min: 80000, max: 70000, values:")
    rule.write_text(wrong, encoding="utf-8")
    first = found_in(rules)[0]
    assert (first.code, underlined(first)) == ("R304", "cap")


# Each quantity names the one above it twice: followed blindly, the last is read 2 ** 40 times.
_TOWER = "".join(
    f"  q{n}: {{type: integer, unit: chip, label: {{en: q, zh: 量}},"
    f" value: '{'min' if n % 2 else 'max'}(q{n - 1}, q{n - 1})'}}\n"
    for n in range(1, 8)
)


def test_quantities_that_each_use_the_one_above_twice_load_and_are_decided(rules: Path) -> None:
    lay("", rules)
    regime, rule = rules / "chips/regime.yaml", rules / "chips/quantity-cap.yaml"
    lowest = "  q0: {type: integer, unit: chip, value: order.quantity, label: {en: q, zh: 量}}\n"
    text = regime.read_text(encoding="utf-8")
    regime.write_text(text.replace("derive:\n", f"derive:\n{lowest}{_TOWER}"), encoding="utf-8")
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text.replace("order.quantity <= cap", "q7 <= cap"), encoding="utf-8")
    service = Service(rules)
    day = date(2026, 2, 1).toordinal()
    for quantity, finding in (("75000", "met"), ("75001", "unmet")):
        facts = {"order.quantity": quantity, "order.destination": "CN"}
        decision = service.decide(Document(facts), Asked(day, "chips", day))
        [found] = decision["findings"]
        assert found["status"] == finding
        assert found["repair"] is None  # a minimum and a maximum bend the quantity
        rows = {row.get("fact"): row["value"] for row in found["evidence"]}
        assert rows["q0"] == rows["q7"] == rows["order.quantity"] == quantity
    assert (
        "Not recorded"
        in service.decide(Document({}), Asked(day, "chips", day))["findings"][0]["text"]["en"]
    )


# --- suggestions ---


@pytest.mark.parametrize(
    ("fixture", "name"),
    [
        ("R101-unknown-name", "applies"),
        ("R104-unknown-word", "licence-condition"),
        ("R109-listed-without-a-file", "quantity-cap"),
        ("R204-unknown-fact", "order.quantity"),
        ("R204-unknown-list", "china"),
        ("R204-unknown-parameter", "cap"),
        ("R207-unknown-group", "D:5"),
        ("R207-unknown-code-in-a-list", "HK"),
        ("R302-unknown-source", "article"),
        ("R308-example-with-an-unknown-fact", "order.quantity"),
        ("V101-unknown-name", "address"),
        ("V104-unknown-word", "reported"),
        ("V201-no-such-column", "tpp"),
        ("V204-from-no-code-fact", "item.product"),
    ],
)
def test_the_help_names_the_nearest_known_name(fixture: str, name: str, rules: Path) -> None:
    lay(fixture, rules)
    [fault] = found_in(rules)
    assert f"`{name}`" in fault.help


@pytest.mark.parametrize(
    ("fixture", "told"),
    [
        ("R101-comma-without-quotes", "put quotes round the text"),
        ("R004-full-width-colon", "full-width"),
        ("R004-full-width-colon", "write `:`"),
    ],
)
def test_a_slip_of_writing_is_answered_with_what_to_write(
    fixture: str, told: str, rules: Path
) -> None:
    lay(fixture, rules)
    [fault] = found_in(rules)
    assert told in f"{fault.message}; {fault.help}"


# --- what people see ---

_SHOWPIECES = (
    "R004-broken-yaml",
    "R005-name-twice",
    "R204-after-chinese",
    "R207-unknown-code",
    "R306-example-contradicts-its-rule",
    "V203-code-twice",
)


@pytest.mark.parametrize("fixture", _SHOWPIECES)
def test_a_fault_is_told_as_in_its_golden_file(fixture: str, rules: Path) -> None:
    lay(fixture, rules)
    told = as_text(found_in(rules)) + "\n"
    golden = GOLDEN / f"{fixture}.txt"
    if os.environ.get("PLACET_BLESS"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


def test_carets_line_up_in_cells_after_chinese_characters(rules: Path) -> None:
    lay("R204-after-chinese", rules)
    [fault] = found_in(rules)
    shown, carets = as_text([fault]).split("\n")[1:3]
    before = shown[: shown.index(underlined(fault))]
    wide = sum("\u2e80" <= c <= "\uffef" for c in before)
    assert wide > 0
    assert carets.index("^") == len(before) + wide
    assert carets.count("^") == len(underlined(fault))


def test_columns_count_characters_not_bytes(rules: Path) -> None:
    lay("", rules)
    rule = rules / "chips/quantity-cap.yaml"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(
        text.replace("order.quantity <= cap", 'order.destination == "中国" or order.kg <= cap'),
        encoding="utf-8",
    )
    assert [(d.code, underlined(d)) for d in found_in(rules)] == [
        ("R207", '"中国"'),
        ("R204", "order.kg"),
    ]


# --- the same faults for machines ---


@pytest.mark.parametrize("fixture", FIXTURES)
def test_sarif_places_every_fault_in_a_region(fixture: str, rules: Path) -> None:
    lay(fixture, rules)
    faults = found_in(rules)
    report: dict[str, Any] = json.loads(as_sarif(faults))
    assert report["version"] == "2.1.0"
    assert report["$schema"].endswith("sarif-2.1.0.json")
    [run] = report["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert driver["name"] == "placet"
    described = {rule["id"]: rule for rule in driver["rules"]}
    assert len(run["results"]) == len(faults)
    for result, fault in zip(run["results"], faults, strict=True):
        assert result["ruleId"] == fault.code
        assert described[fault.code]["shortDescription"]["text"] == CODES[fault.code].title
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"].startswith(fault.message)
        [location] = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == fault.span.source.name
        region = place["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        start = (region["startLine"], region["startColumn"])
        assert (region["endLine"], region["endColumn"]) >= start


@pytest.mark.parametrize("fixture", FIXTURES)
def test_json_is_a_list_of_faults_with_code_place_and_message(fixture: str, rules: Path) -> None:
    lay(fixture, rules)
    faults = found_in(rules)
    told: list[dict[str, Any]] = json.loads(as_json(faults))
    assert [(d["code"], d["line"], d["message"]) for d in told] == [
        (d.code, d.span.line, d.message) for d in faults
    ]
    assert all(d["severity"] in ("error", "warning") for d in told)
    assert all(Path(d["file"]).is_relative_to(rules) for d in told)


def test_github_lines_escape_what_would_end_or_divide_them() -> None:
    source = Source("rules/a,b:c%.yaml", ("x",))
    fault = Diagnostic("R101", Span(source, 1, 1, 1, 2), "50% of\nall: a, b", "so,\r\nthen")
    [line] = as_github([fault]).split("\n")
    assert line == (
        "::error file=rules/a%2Cb%3Ac%25.yaml,line=1,col=1,endLine=1,endColumn=2,title=R101"
        "::50%25 of%0Aall: a, b (so,%0D%0Athen)"
    )


@pytest.mark.parametrize("fixture", FIXTURES)
def test_github_gives_one_command_per_fault(fixture: str, rules: Path) -> None:
    lay(fixture, rules)
    faults = found_in(rules)
    lines = as_github(faults).split("\n")
    assert len(lines) == len(faults)
    for line, fault in zip(lines, faults, strict=True):
        assert line.startswith((f"::{fault.severity} file=rules/",))
        assert f",line={fault.span.line},col={fault.span.column}," in line


def test_no_faults_are_an_empty_report_in_every_form() -> None:
    assert as_text([]) == ""
    assert as_github([]) == ""
    assert json.loads(as_json([])) == []
    assert json.loads(as_sarif([]))["runs"][0]["results"] == []


# --- the table of codes ---


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_explained_in_sentences(code: str) -> None:
    entry = CODES[code]
    assert re.fullmatch(r"[RVOBW][0-9]{3}", code)
    assert not entry.title.endswith(".")
    assert entry.meaning.endswith((".", "?"))
    assert entry.mend.endswith(".")
    assert entry.mend[0].islower()
    assert not _HOST_WORDS.search(entry.title + entry.meaning + entry.mend)


def test_every_code_written_in_the_engine_is_in_the_table() -> None:
    root = HERE.parent.parent
    written = {
        code
        for folder in ("engine", "api")
        for path in (root / folder).rglob("*.py")
        for code in re.findall(r'"([RVOB][0-9]{3})"', path.read_text(encoding="utf-8"))
    }
    assert written
    assert written <= set(CODES)


def test_a_rejection_always_names_a_fault() -> None:
    with pytest.raises(ValueError, match="at least one fault"):
        PlacetError([])
