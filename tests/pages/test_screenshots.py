"""The pictures of the documentation. `DOORWARD_SCREENSHOTS=1` renews the ones under docs/."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from .conftest import Visit
from .pictures import lean

pytestmark = pytest.mark.browser

DOCUMENTED = ("sign-in", "password", "consent", "protocol-error", "sign-out", "home", "playground")
DOCS = Path(__file__).parents[2] / "docs" / "screenshots"
SIZES = {1280: 800, 360: 720}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", SIZES)
def test_screenshots(
    visit: Visit, chromium: Browser, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    folder = DOCS if os.environ.get("DOORWARD_SCREENSHOTS") else tmp_path
    blank = chromium.new_page()
    for name in DOCUMENTED:
        page = visit(name, width=width)
        page.set_viewport_size({"width": width, "height": SIZES[width]})
        page.emulate_media(color_scheme=scheme)
        # A page at rest: no field has taken the focus by itself.
        page.evaluate("() => document.activeElement.blur()")
        picture = lean(blank, page.screenshot(full_page=True, animations="disabled"))
        assert len(picture) < 100_000
        (folder / f"{name}-{width}-{scheme}.png").write_bytes(picture)
    blank.close()
