"""What only a browser can tell: contrast, overflow, keyboard, focus, policy. For every sample."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.support.looking import COLOURS, EVERYTHING, SCHEMES, spill, unfold, violations

from .conftest import Visit
from .samples import SAMPLES

pytestmark = pytest.mark.browser

NAMES = sorted(SAMPLES)
CONTROLS = "a[href], button, input:not([type=hidden]), select, summary, textarea, [tabindex='0']"
FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    index: [...document.querySelectorAll(CONTROLS)].indexOf(element),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    onScreen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}""".replace("CONTROLS", repr(CONTROLS))
REACHABLE = """() => [...document.querySelectorAll(CONTROLS)]
  .map((element, index) => [element, index])
  .filter(([element]) => element.tabIndex >= 0 && element.checkVisibility())
  .map(([, index]) => index)""".replace("CONTROLS", repr(CONTROLS))


@pytest.mark.parametrize("name", NAMES)
def test_everybody_can_use_the_page(visit: Visit, name: str) -> None:
    """Both in one visit, which takes as long as either."""
    page = visit(name, width=360)
    the_keyboard_reaches_everything_and_nothing_spills_over(page)
    axe_finds_no_violation(page)


def the_keyboard_reaches_everything_and_nothing_spills_over(page: Page) -> None:
    assert page.evaluate("() => window.hacked") is None
    assert spill(page) == 0
    wanted = set(page.evaluate(REACHABLE))
    reached = set()
    for _ in range(len(wanted) + 3):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            continue
        reached.add(focused["index"])
        assert focused["outline"] >= 2, focused
        assert focused["onScreen"], focused
    assert reached == wanted
    unfold(page)
    assert spill(page) == 0
    page.set_viewport_size({"width": 320, "height": 640})
    assert spill(page) == 0


def axe_finds_no_violation(page: Page) -> None:
    page.add_script_tag(url="/axe.js")
    assert violations(page, EVERYTHING) == []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": 1280, "height": 800})
        assert violations(page, COLOURS) == [], scheme


@pytest.mark.parametrize("name", ["consent", "sign-out", "switch-account", "playground"])
def test_the_two_answers_are_of_one_size_side_by_side(visit: Visit, name: str) -> None:
    page = visit(name, width=320)
    first, second = (button.bounding_box() for button in page.locator(".pair .button").all())
    assert first is not None
    assert second is not None
    assert (first["width"], first["height"]) == (second["width"], second["height"])
    assert first["y"] == second["y"]


@pytest.mark.parametrize("name", ["password", "consent", "administrator", "playground", "home"])
def test_controls_are_as_large_as_a_finger(visit: Visit, name: str) -> None:
    page = visit(name, width=360)
    for control in page.locator(".button, .input, .reveal, .who a, .below a, summary").all():
        if control.is_visible():
            box = control.bounding_box()
            assert box is not None
            assert box["height"] >= 44, control.inner_text()


def test_right_to_left_mirrors_the_page(visit: Visit) -> None:
    page = visit("password-rtl")
    mark, reveal, field = (
        page.locator(selector).bounding_box() for selector in (".mark", ".reveal", "#password")
    )
    assert mark is not None
    assert reveal is not None
    assert field is not None
    assert mark["x"] > 640
    assert reveal["x"] == field["x"]


def test_forced_colours_keep_edges_and_focus(visit: Visit) -> None:
    page = visit("sign-in", forced_colors="active")
    button = page.locator(".button.primary")
    while not button.evaluate("one => one === document.activeElement"):
        page.keyboard.press("Tab")
    assert button.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    edge = page.locator(".card").evaluate("one => getComputedStyle(one).borderTopWidth")
    assert edge == "1px"


@pytest.mark.parametrize("name", ["password", "consent", "playground-tokens", "error-throttled"])
def test_without_scripts_nothing_useless_is_shown(visit: Visit, name: str) -> None:
    page = visit(name, java_script_enabled=False)
    assert page.locator("[data-reveal]:visible, [data-copy]:visible").count() == 0
    assert page.locator("h1").is_visible()


def test_a_form_is_sent_without_scripts(visit: Visit) -> None:
    page = visit("password", java_script_enabled=False)
    page.fill("#password", "correct horse")
    page.click("button[type=submit]")
    assert page.url.endswith("/posted")
