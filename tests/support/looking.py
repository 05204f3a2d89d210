"""What a browser can tell of any page: axe's rules, and whether something spills over."""

from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text()
EVERYTHING: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
COLOURS: dict[str, Any] = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def violations(page: Page, rules: dict[str, Any]) -> list[str]:
    """What axe finds, as one line for each element; AXE was evaluated in the page before."""
    found = page.evaluate("rules => axe.run(document, rules)", rules)["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


def spill(page: Page) -> int:
    """How many pixels the page is wider than the window."""
    wider: int = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider


def unfold(page: Page) -> None:
    """Open everything that can be opened."""
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
