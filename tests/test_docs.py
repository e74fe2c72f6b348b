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

from tests.serving import server

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh.md", "api/README.md")
SERVED = "localhost:8000"
"""Where pages say that the service is; in the tests it is somewhere else."""
_BLOCK = re.compile(r"^```(\S+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    for match in _BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")):
        yield match[1], match[2] or "", match[3]


@pytest.mark.parametrize("page", PAGES)
def test_every_step_of_the_page_works_as_written(page: str, tmp_path: Path) -> None:
    skip_without_its_tools(page)
    for name in ("rules", "scenarios"):
        shutil.copytree(ROOT / name, tmp_path / name)
    ran = 0
    with server(tmp_path) as (address, _):
        here = address.removeprefix("http://")
        for language, info, text in blocks(page):
            text = text.replace(SERVED, here)
            if language in ("yaml", "json", "python", "javascript") and info:
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
                assert is_in(line, printed), f"{commands} did not print {line!r}: {printed[:2000]}"
            ran += len(commands)
    assert ran >= 15, "the page lost its commands"


def test_the_key_that_the_page_makes_opens_the_service(tmp_path: Path) -> None:
    (made,) = (text for _, _, text in blocks("api/README.md") if "$ placet key" in text)
    (asked,) = (text for language, info, text in blocks("api/README.md") if info == "keyed")
    _, printed = run(made.splitlines()[0][2:], tmp_path)
    secret, *_, line = printed.splitlines()
    (tmp_path / "keys").write_text(line, encoding="utf-8")
    with server(tmp_path, PLACET_KEYS_FILE=str(tmp_path / "keys")) as (address, _):
        command = asked.replace(SERVED, address.removeprefix("http://"))
        _, opened = run(f"PLACET_KEY={secret}\n{command}", tmp_path)
        _, closed = run(f"PLACET_KEY=placet_another\n{command}", tmp_path)
    assert opened.startswith('{"regimes":')
    assert '"status":401' in closed


def skip_without_its_tools(page: str) -> None:
    commands = "".join(text for language, _, text in blocks(page) if language == "console")
    for tool in ("curl", "node"):
        if re.search(rf"^\$ {tool}\b", commands, re.MULTILINE) and shutil.which(tool) is None:
            missing = pytest.fail if os.environ.get("CI") else pytest.skip
            missing(f"{page} needs {tool}")


def run(script: str, folder: Path) -> tuple[int, str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PLACET_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
    }
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


def is_in(line: str, printed: str) -> bool:
    """Whether a line was printed, however it was broken; `…` stands for anything."""
    parts = [re.escape(squeezed(part)) for part in line.split("…")]
    return re.search(".*?".join(parts), squeezed(printed)) is not None


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for page in (*PAGES, "CONTRIBUTING.md"):
        named = set(
            re.findall(r"(?:^|[`(])make ([a-z]+)", (ROOT / page).read_text(encoding="utf-8"), re.M)
        )
        assert named, f"{page} names no target"
        assert named <= targets, f"{page} names {named - targets}"


def test_every_place_that_a_page_links_exists() -> None:
    for page in (*PAGES, "CONTRIBUTING.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        headings = {
            re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }
        for file, part in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
            assert ((ROOT / page).parent / file).exists(), f"{page} links {file}"
            assert not part or file or part in headings, f"{page} links #{part}"


def test_the_readme_takes_the_same_steps_in_both_languages() -> None:
    assert commands_of("README.md") == commands_of("README.zh.md")


def commands_of(page: str) -> list[str]:
    """What a page has its reader type, whichever language the answer is to be in."""
    lines = (
        line for kind, _, text in blocks(page) if kind == "console" for line in text.split("\n")
    )
    return [re.sub(r"--lang \w+", "", line) for line in lines if line.startswith("$ ")]
