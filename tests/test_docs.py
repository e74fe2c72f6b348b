"""Every command in every README runs, gives the exit code it states, and prints the lines it shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh.md")
_BLOCK = re.compile(r"^```(\S+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    for match in _BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")):
        yield match[1], match[2] or "", match[3]


@pytest.mark.parametrize("page", PAGES)
def test_every_step_of_the_page_works_as_written(page: str, tmp_path: Path) -> None:
    for name in ("rules", "scenarios"):
        shutil.copytree(ROOT / name, tmp_path / name)
    ran = 0
    for language, info, text in blocks(page):
        if language in ("yaml", "python") and info:
            (tmp_path / info).write_text(text, encoding="utf-8")
        if language != "console":
            continue
        lines = text.splitlines()
        commands = [line[2:] for line in lines if line.startswith("$ ")]
        shown = [line for line in lines if not line.startswith("$ ") and line.strip()]
        expected = int(info.removeprefix("exit=")) if info else 0
        code, printed = run("\n".join(commands), tmp_path)
        assert code == expected, f"{commands}: {printed}"
        for line in shown:
            assert squeezed(line) in squeezed(printed), f"{commands} did not print {line!r}"
        ran += len(commands)
    assert ran >= 15, "the page lost its commands"


def run(script: str, folder: Path) -> tuple[int, str]:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
    }
    environment.pop("PLACET_RULES", None)
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for page in (*PAGES, "CONTRIBUTING.md"):
        named = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / page).read_text(encoding="utf-8")))
        assert named, f"{page} names no target"
        assert named <= targets, f"{page} names {named - targets}"


def test_every_file_that_a_page_links_exists() -> None:
    for page in (*PAGES, "CONTRIBUTING.md"):
        links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8"))
        for link in links:
            assert (ROOT / link).exists(), f"{page} links {link}"
