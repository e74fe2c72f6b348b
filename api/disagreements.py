"""Keep an order on which two evaluators disagreed, to be looked into: without texts, without papers.

A file is an envelope, so that `placet decide --evaluator both FILE` shows the disagreement again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.decide import Decision
from engine.source import as_yaml
from engine.vocabulary import Vocabulary

MOST = 1_000
"""Files that a folder is given: who has so many needs no more of them."""


def keep(folder: Path, vocabulary: Vocabulary, decision: Decision) -> Path | None:
    """Write the order of a decision into a folder; nothing if it is full. Raises `OSError`."""
    text = _text(vocabulary, decision)
    name = f"{decision['regime']['id']}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / name
    if kept.exists() or len(os.listdir(folder)) >= MOST:
        return kept if kept.exists() else None
    # Whoever looks sees a whole file or none; nobody but its owner may read it.
    handle, made = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(made, kept)
    except BaseException:
        with suppress(OSError):
            os.unlink(made)
        raise
    return kept


def _text(vocabulary: Vocabulary, decision: Decision) -> str:
    regime, facts = decision["regime"], vocabulary.facts
    told = [d for d in decision["diagnostics"] if d["code"] == "B900"]
    head = [f"# placet {decision['engine']['version']}, {regime['id']} {regime['digest']}"]
    head += [f"# {d['file']}: {d['message']}" for d in told]
    changes = decision["policy_changes"]
    left_out = [c["without"] for c in changes if "without" in c]
    left_out += [f["rule"] for f in decision["findings"] if f["because"] == "left-out"]
    envelope: dict[str, Any] = {
        "title": {"en": "Two evaluators disagree", "zh": "两个判定程序的结果不一致"},
        "regime": regime["id"],
        "as_of": regime["as_of"],
        "parameters": {c["parameter"]: c["to"] for c in changes if "parameter" in c},
        # What was not selected is left out here: a file has no selection.
        "without": list(dict.fromkeys(left_out)),
        "facts": {
            path: value
            for path, value in decision["facts"].items()
            if facts[path].type.kind != "text"
        },
    }
    kept = {name: part for name, part in envelope.items() if part or name == "facts"}
    return "\n".join(head) + "\n" + as_yaml(kept)
