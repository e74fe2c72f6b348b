"""Every page in both languages, light and dark, at a desk and on a phone."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.watch import Desk

Lang = Literal["en", "zh"]
STORY = "h200-article/last-twenty-thousand"
PAGES = {
    f"/?scenario={STORY}&run=4": ("Decide an order", "判定订单"),
    f"/what-if?of={STORY}": ("What if", "情景分析"),
    "/scenarios": ("Scenarios", "情景"),
    f"/scenarios/compare?of={STORY}&of={STORY}@4": ("Orders side by side", "订单并列比较"),
    "/rules": ("Rules", "规则"),
    "/rules/h200-article": (
        "H200 exports to China, on the article's terms",
        "文章所述H200对华出口条件",
    ),
    "/rules/h200-article/customer-cap": ("Cap per customer", "单一客户累计数量上限"),
    "/rules/facts": ("Facts of an order", "订单可填事实"),
    "/rules/sources": ("Sources", "来源"),
    "/enter": ("Sign in", "登录"),
    "/nothing-here": ("Nothing is here", "此处没有内容"),
}
ADDRESSES = [path.partition("?")[0] for path in PAGES]
NAMES = re.compile(
    # ours, and what is called so in every language
    r"placet|Example Cloud|JSON Schema|JSON|YAML|XML|Mermaid|\b(?:Shift|Enter)\b|^article$"
    # products and what is said of them
    r"|Instinct|Rubin|Groq|PCIe|DRAM|ECCN|HTSUS|IaaS"
    # who is cited, and persons
    r"|Truth Social|WION|《The News》|News\.Az|Benzinga|Finviz|Paraluman|Enostech|TradeVae|CSMS"
    r"|Tom's Hardware|Bass, Berry & Sims|Skadden|International Trade Today|David Peters|GitHub|govinfo"
    # addresses on the network, places in a source, and names with hyphens: of rule sets, sources
    r"|[\w-]+(?:\.[\w-]+)+(?:/[\w./-]+)?|\w+/[\w-]+|note \d|FR \d+, summary|\(viii\)|\b[0-9a-f]{64}\b"
    r"|Section \d|[a-z0-9]+(?:-[a-z0-9]+)+",
    re.ASCII,
)
"""What is written in Latin letters on a Chinese page too."""
SPOKEN = """() => {
  const spoken = [];
  const other = "script, style, code, pre, blockquote, [lang=en], [lang=en] *";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(other)) spoken.push(walker.currentNode.data);
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    if (element.closest(other)) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) {
      spoken.push(element.getAttribute(name) ?? "");
    }
  }
  return spoken;
}"""
BEYOND = """async () => {
  // A picture takes its new size in the frame after the window's.
  for (const _ of [1, 2, 3]) await new Promise(requestAnimationFrame);
  return document.documentElement.scrollWidth - document.documentElement.clientWidth;
}"""
AUDIT = "axe.run({ resultTypes: ['violations'], selectors: true }).then(found => found.violations)"


def opened(page: Page, path: str) -> None:
    """A page, whole and at rest, with what is folded unfolded."""
    reply = page.goto(path)
    assert reply is not None
    assert reply.status == (404 if path == "/nothing-here" else 200)
    if path.startswith("/what-if?"):
        page.locator("#words h2").first.wait_for()
    # All the stories, and all countries of the world, would be a hundred times the same.
    folded = "details:not(.story ~ .story, #lists details)"
    page.locator(folded).evaluate_all("all => all.forEach(one => one.open = true)")


def grave(page: Page) -> list[Any]:
    """What axe finds serious or critical: the rule, where, and the element."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(AUDIT)
    return [
        (one["id"], node["target"], node["html"][:120])
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("path", PAGES, ids=ADDRESSES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_is_whole_wide_and_narrow_light_and_dark(desk: Desk, path: str, lang: Lang) -> None:
    desk.refusals = {404} if path == "/nothing-here" else set()
    page = desk.sit(lang)
    opened(page, path)
    expect(page).to_have_title(f"{PAGES[path][lang == 'zh']} – placet")
    expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-Hans"}[lang])
    expect(page.locator("h1")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(BEYOND) == 0, (scheme, width)
        if (lang, scheme) in (("en", "light"), ("zh", "dark")):
            page.set_viewport_size({"width": {"light": 1280, "dark": 390}[scheme], "height": 900})
            assert grave(page) == []


@pytest.mark.parametrize("path", PAGES, ids=ADDRESSES)
def test_a_chinese_page_has_no_english_words(desk: Desk, path: str) -> None:
    desk.refusals = {404} if path == "/nothing-here" else set()
    page = desk.sit("zh")
    opened(page, path)
    spoken = [NAMES.sub("", text) for text in page.evaluate(SPOKEN)]
    assert [text for text in spoken if re.search("[A-Za-z]{4,}", text)] == []


def test_the_other_language_is_one_step_away_and_stays(page: Page) -> None:
    page.goto("/rules")
    page.get_by_role("link", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("规则集")
    page.goto("/scenarios")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
