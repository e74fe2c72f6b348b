"""Which runs of the shipped scenarios put a rule to the test, and how it came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from api.service import Asked, Service

Exercised = dict[str, dict[str, list[dict[str, Any]]]]
"""For each rule and status the runs: `scenario` (its id), `run`, `story` and `title`."""

_NO_DAY = 1
"""Every shipped run is dated, by itself or by its facts; another day would be the caller's."""


def exercised(service: Service, folder: Path, regime: str) -> Exercised:
    """Run the scenarios of a regime; those in which a rule does not apply are left out."""
    found: Exercised = {}
    files = sorted(folder.rglob("*.yaml"))
    for path, scenario, results in service.run_scenarios(files, Asked(_NO_DAY, regime=regime)):
        if scenario is None:
            continue
        id = path.relative_to(folder).with_suffix("").as_posix()
        for number, result in enumerate(results):
            if result.decision is None or result.run is None:
                continue
            told = {
                "scenario": id,
                "run": number,
                "story": scenario.title.as_json(),
                "title": result.run.title.as_json(),
            }
            for finding in result.decision["findings"]:
                if finding["status"] != "not-applicable":
                    by_status = found.setdefault(finding["rule"], {})
                    by_status.setdefault(finding["status"], []).append(told)
    return found
