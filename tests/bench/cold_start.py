"""Time `placet decide FILE` as a whole process beside a typer program that prints one table.

`python -m tests.bench.cold_start --help` tells the rest; it prints figures and asserts no time.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console
from rich.table import Table

YARDSTICK = "typer and one rich table"
PLACET = "placet decide"

_ORDER = """\
regime: h200-article
facts:
  item: {product: H200-SXM}
  order: {placed_on: 2026-02-01, destination: CN, quantity: 20001, unit_price: "27500.00"}
  customer: {units_to_date: 55000, military_end_user: false}
"""


def main() -> None:
    """Run both programs in turns and print the medians and their ratio."""
    options = _options()
    placet = Path(options.placet)
    if not placet.exists():
        sys.exit(f"{placet} is not there: install placet into this environment first")
    with TemporaryDirectory() as folder:
        file = options.file or _written(Path(folder) / "order.yaml")
        table = Path(__file__).with_name("typer_table.py")
        commands = {
            YARDSTICK: (sys.executable, str(table), str(file)),
            PLACET: (str(placet), "decide", str(file)),
        }
        seconds = run_in_turns(commands, runs=options.runs)
    medians = {name: median(times) * 1_000 for name, times in seconds.items()}
    ratio = medians[PLACET] / medians[YARDSTICK]
    if options.json:
        print(json.dumps({"median_ms": medians, "ratio": round(ratio, 3)}))
    else:
        Console().print(_table(medians, runs=options.runs))


def run_in_turns(commands: Mapping[str, Sequence[str]], *, runs: int) -> dict[str, list[float]]:
    """Time each command as a whole process; the first, untimed turn fills the file caches."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            start = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            elapsed = perf_counter() - start
            if turn:
                seconds[name].append(elapsed)
    return seconds


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cold_start", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="an order file; by default a small one")
    parser.add_argument("--placet", default=Path(sys.executable).with_name("placet"))
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="one JSON line")
    return parser.parse_args()


def _written(file: Path) -> Path:
    file.write_text(_ORDER, encoding="utf-8")
    return file


def _table(medians: Mapping[str, float], *, runs: int) -> Table:
    table = Table(title=f"Cold start, whole process, median of {runs} interleaved runs")
    table.add_column("program")
    table.add_column("median ms", justify="right")
    table.add_column("ratio to typer", justify="right")
    for name, milliseconds in medians.items():
        table.add_row(name, f"{milliseconds:.1f}", f"{milliseconds / medians[YARDSTICK]:.2f}")
    return table


if __name__ == "__main__":
    main()
