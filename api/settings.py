"""Where the rules lie and which language people read; decided once, from options and environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import engine

Language = Literal["en", "zh", "both"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Frozen settings of one run."""

    rules: Path
    scenarios: Path
    lang: Language


def settings(
    rules: Path | None, lang: Language | None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Settings from the options given, then `PLACET_RULES` and the locale, then defaults."""
    named = rules or (Path(environ["PLACET_RULES"]) if environ.get("PLACET_RULES") else None)
    return Settings(
        named or _found("rules"), _found("scenarios", beside=named), lang or _locale(environ)
    )


def _found(name: str, beside: Path | None = None) -> Path:
    """The folder here, or beside the rules named, else the checkout's, else the wheel's copy."""
    package = Path(engine.__file__).parent
    here = [beside.parent / name] if beside else [Path(name)]
    for folder in (*here, package.parent / name, package / "shipped" / name):
        if folder.is_dir() and (name != "rules" or (folder / "vocabulary.yaml").is_file()):
            return folder
    return here[0]


def _locale(environ: Mapping[str, str]) -> Language:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return "zh" if environ[name].lower().startswith("zh") else "en"
    return "en"
