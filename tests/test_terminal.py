"""What reaches a terminal or a pipe: harmless characters, any encoding, no blanks at line ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STORY = ROOT / "scenarios" / "h200-article" / "last-twenty-thousand.yaml"

# What a name may hold to forge or break what is shown: markup, colours, a change of direction.
TRICKS = (
    "[/]",
    "[red]",
    "[/red]",
    "[link=x]",
    "\x1b[31m",
    "\x9b31m",
    "\u202e",
    "\u2066",
    "\ufeff",
)


class Ran:
    """What a process said, and how it ended."""

    def __init__(self, done: subprocess.CompletedProcess[bytes], encoding: str) -> None:
        self.code = done.returncode
        self.out = done.stdout.decode(encoding, "replace").replace("\r\n", "\n")
        self.err = done.stderr.decode(encoding, "replace").replace("\r\n", "\n")

    @property
    def unsafe(self) -> set[str]:
        """Control and direction characters that reached the terminal."""
        said = self.out + self.err
        return {c for c in said if c != "\n" and unicodedata.category(c) in ("Cc", "Cf")}

    @property
    def crashed(self) -> bool:
        return "Traceback" in self.out + self.err


def placet(
    *words: str | Path, here: Path = ROOT, encoding: str = "utf-8", lang: str = "en", **env: str
) -> Ran:
    """Run the command as its own process, as a shell would."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PLACET_", "LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", *map(str, words)],
        cwd=here,
        capture_output=True,
        timeout=120,
        check=False,
        env={
            **kept,
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": encoding,
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "100",
            "LC_ALL": "zh_CN.UTF-8" if lang == "zh" else "en_US.UTF-8",
            **env,
        },
    )
    return Ran(done, encoding)


def tricky(trick: str) -> str:
    """A story whose texts of other people's making all hold a trick."""
    written = json.dumps(f"x{trick}y")
    text = STORY.read_text(encoding="utf-8")
    for sound in (
        '"Example Cloud (示例云)"',
        '"PO 2026-0117"',
        '"The last twenty thousand"',
        '"One chip more, paid for in full"',
    ):
        assert text.count(sound) == 1
        text = text.replace(sound, written)
    return text


@pytest.fixture(params=TRICKS, ids=ascii)
def trick(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_names_papers_and_titles_cannot_reach_the_terminal_raw(trick: str, tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    story.write_text(tricky(trick), encoding="utf-8")
    for words in (("decide", story, "-v", "--lang", "both"), ("test", story, "-v")):
        ran = placet(*words)
        assert (ran.code, ran.crashed, ran.unsafe) == (0, False, set()), ran.err
    if trick.isprintable():
        # What is harmless is shown as it is, not taken for markup.
        assert f"x{trick}y" in placet("decide", story, "-v").out
        assert f"x{trick}y" in placet("test", story, "-v").out


def test_the_title_of_a_failing_story_cannot_reach_the_terminal_raw(
    trick: str, tmp_path: Path
) -> None:
    story = tmp_path / "story.yaml"
    text = tricky(trick).replace("expect: {outcome: approve}", "expect: {outcome: deny}", 1)
    story.write_text(text, encoding="utf-8")
    ran = placet("test", story)
    assert (ran.code, ran.crashed, ran.unsafe) == (1, False, set())


def test_a_file_name_cannot_reach_the_terminal_raw_when_decided(
    trick: str, tmp_path: Path
) -> None:
    story = tmp_path / f"x{trick}y.yaml".replace("/", "")
    story.write_text(tricky(trick), encoding="utf-8")
    ran = placet("decide", story, story, "-v")
    assert (ran.code, ran.crashed, ran.unsafe) == (0, False, set())
    story.write_text("facts: {", encoding="utf-8")
    ran = placet("decide", story)
    assert (ran.code, ran.crashed, ran.unsafe) == (1, False, set())
    ran = placet("decide", tmp_path / f"no{trick}".replace("/", ""))
    assert (ran.code, ran.crashed, ran.unsafe) == (1, False, set())


def test_what_is_wrong_with_rules_cannot_reach_the_terminal_raw(
    trick: str, tmp_path: Path
) -> None:
    rules = tmp_path / f"rules{trick}".replace("/", "")
    shutil.copytree(ROOT / "rules", rules)
    rule = rules / "h200-article" / "no-refund.yaml"
    text = rule.read_text(encoding="utf-8")
    assert text.count("kind: seller-term") == 1
    wrong = f"kind: {json.dumps(f'x{trick}y')}\n{json.dumps(f'z{trick}')}: 5"
    rule.write_text(text.replace("kind: seller-term", wrong), encoding="utf-8")
    ran = placet("check", rules)
    assert (ran.code, ran.crashed, ran.unsafe) == (1, False, set())
    assert re.findall(r"error ([A-Z][0-9]{3}):", ran.out) == ["R104", "R101"]


def test_a_tampered_decision_cannot_reach_the_terminal_raw(trick: str, tmp_path: Path) -> None:
    story, kept = tmp_path / "story.yaml", tmp_path / "decision.json"
    story.write_text(tricky(trick), encoding="utf-8")
    decision = json.loads(placet("decide", story, "--format", "json").out)
    assert decision["facts"]["customer.name"] == f"x{trick}y"
    kept.write_text(json.dumps(decision), encoding="utf-8")
    ran = placet("replay", kept)
    assert (ran.code, ran.crashed, ran.unsafe) == (0, False, set())
    decision["outcome"] = f"x{trick}y"
    decision[f"z{trick}"] = f"x{trick}y"
    kept.write_text(json.dumps(decision), encoding="utf-8")
    ran = placet("replay", kept)
    assert (ran.code, ran.crashed, ran.unsafe) == (1, False, set())
    assert "/outcome" in ran.out


@pytest.mark.parametrize("case", ["passing", "failing", "refused"])
def test_a_file_name_cannot_reach_the_terminal_raw_when_tested(
    case: str, trick: str, tmp_path: Path
) -> None:
    story = tmp_path / f"x{trick}y.yaml".replace("/", "")
    text = tricky(trick)
    sound, wrong = {
        "passing": ("", ""),
        "failing": ("expect: {outcome: approve}", "expect: {outcome: deny}"),
        "refused": ("set: {order.quantity: 20001,", "set: {order.quantity: many,"),
    }[case]
    assert sound in text
    story.write_text(text.replace(sound, wrong, 1), encoding="utf-8")
    for words in (("test", story), ("test", story, "-v")):
        ran = placet(*words)
        assert (ran.code, ran.crashed, ran.unsafe) == (int(case != "passing"), False, set())


def test_the_name_of_an_expected_rule_cannot_reach_the_terminal_raw(
    trick: str, tmp_path: Path
) -> None:
    story = tmp_path / "story.yaml"
    text = STORY.read_text(encoding="utf-8")
    sound = "{outcome: deny, unmet: [customer-cap]}"
    assert sound in text
    wrong = sound.replace("customer-cap", json.dumps(f"x{trick}y"))
    story.write_text(text.replace(sound, wrong), encoding="utf-8")
    ran = placet("test", story)
    assert (ran.code, ran.crashed, ran.unsafe) == (1, False, set())


def test_the_first_place_of_a_name_given_twice_cannot_reach_the_terminal_raw(
    trick: str, tmp_path: Path
) -> None:
    story = tmp_path / f"x{trick}y.yaml".replace("/", "")
    story.write_text(tricky(trick) + "regime: x\n", encoding="utf-8")
    ran = placet("decide", story)
    assert (ran.code, ran.crashed, ran.unsafe) == (1, False, set())


# --- encodings ---


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("encoding", ["gbk", "ascii", "latin-1"])
def test_a_terminal_of_another_encoding_gets_what_it_can_show(encoding: str, lang: str) -> None:
    for words, said in (
        (("decide", STORY, "-v", "--lang", lang), "h200-article"),
        (("decide", STORY, "--lang", lang, "--format", "json"), '"outcome": "approve"'),
        (("test", STORY, "-v", "--lang", lang), "7 passed, 0 failed"),
    ):
        ran = placet(*words, encoding=encoding)
        assert (ran.code, ran.crashed) == (0, False), ran.err
        assert said in ran.out


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_a_fault_keeps_its_exit_code_in_another_encoding(encoding: str, tmp_path: Path) -> None:
    story = tmp_path / "故事.yaml"
    wrong = STORY.read_text(encoding="utf-8").replace("destination: CN", "destination: 𠮷野家")
    story.write_text(wrong, encoding="utf-8")
    for command in ("decide", "test"):
        ran = placet(command, story, encoding=encoding)
        assert (ran.code, ran.crashed) == (1, False)
        assert "O204" in ran.out + ran.err


# --- folders ---


def test_rules_are_found_from_an_empty_folder(tmp_path: Path) -> None:
    ran = placet("decide", STORY, "--format", "json", here=tmp_path)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["outcome"] == "approve"
    ran = placet("check", here=tmp_path)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_tests_that_run_nothing_do_not_pass(tmp_path: Path) -> None:
    ran = placet("test", ROOT / "scenarios", "--regime", "h200-artikel")
    assert (ran.code, ran.crashed) == (1, False)
    ran = placet("test", tmp_path)
    assert (ran.code, ran.crashed) == (1, False)
    assert str(tmp_path) in ran.out + ran.err


# --- pipes ---


@pytest.mark.parametrize(
    "words",
    [
        ("decide", STORY),
        ("decide", STORY, "-v", "--lang", "both"),
        ("decide", STORY, "--set", "review.state=null", "--set", "fee.paid=0.00"),
        ("decide", STORY, "--set", "order.destination=MY", "-v"),
        ("rules",),
        ("rules", "h200-article"),
        ("rules", "bis-2026/volume-ratio"),
        ("rules", "--facts"),
        ("rules", "--sources", "--lang", "zh"),
    ],
    ids=lambda words: " ".join(getattr(word, "name", word) for word in words),
)
def test_no_line_of_a_pipe_ends_with_a_blank(words: tuple[str | Path, ...]) -> None:
    ran = placet(*words)
    assert ran.code == 0, ran.err
    assert [line for line in ran.out.split("\n") if line != line.rstrip()] == []


def test_no_line_of_passing_scenarios_ends_with_a_blank() -> None:
    # `-v` breaks lines longer than the page behind a blank.
    ran = placet("test", "scenarios", "-v")
    assert ran.code == 0, ran.err
    assert [line for line in ran.out.split("\n") if line != line.rstrip()] == []


def test_no_line_of_a_failing_story_ends_with_a_blank(tmp_path: Path) -> None:
    story = tmp_path / "story.yaml"
    text = STORY.read_text(encoding="utf-8")
    text = text.replace("expect: {outcome: approve}", "expect: {outcome: deny}", 1)
    story.write_text(text, encoding="utf-8")
    ran = placet("test", story)
    assert ran.code == 1, ran.err
    assert [line for line in ran.out.split("\n") if line != line.rstrip()] == []
