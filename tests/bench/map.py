"""Milliseconds from the click to the picture of a map of 100 × 100 cells in a browser; prints only."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS
from tests.serving import server

ROUNDS = 9
_PAINTED = """async () => {
  const part = (side, name) => document.querySelector(`#${side} [data-part=${name}]`);
  const title = document.querySelector("#title");
  const painted = () => new Promise(requestAnimationFrame);
  const drawn = async (button) => {
    const before = title.textContent;
    button.click();
    while (title.textContent === before) await painted();
    await painted();
  };
  const choose = (side, value) => {
    part(side, "name").value = value;
    part(side, "name").dispatchEvent(new Event("change", { bubbles: true }));
  };
  choose("x", "fact:order.quantity");
  choose("y", "fact:customer.units_to_date");
  part("x", "count").value = part("y", "count").value = 100;
  const draw = document.querySelector("#draw");
  const begun = performance.now();
  await drawn(draw);
  const taken = performance.now() - begun;
  choose("y", "");
  await drawn(draw);
  return taken;
}"""


def main() -> None:
    """Measure and print."""
    found = shutil.which("chromium")
    if found is None:
        print("map of 100 × 100: no `chromium` on the path")
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder)) as (address, _),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        page = browser.new_page()
        page.goto(f"{address}/what-if?of=h200-article/last-twenty-thousand")
        page.locator("#picture canvas").first.wait_for()
        times = sorted(page.evaluate(_PAINTED) for _ in range(ROUNDS))
        browser.close()
    middle, worst = statistics.median(times), times[-1]
    print(
        f"map of 100 × 100, click to picture: median {middle:.0f} ms, worst {worst:.0f} (goal 1000)"
    )


if __name__ == "__main__":
    main()
