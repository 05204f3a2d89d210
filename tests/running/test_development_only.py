"""What exists in development mode alone."""

import pytest

from tests.support.browserless import Browserless


@pytest.mark.parametrize("path", ["/playground", "/playground/callback", "/playground/run/x"])
def test_the_playground_is_not_served_in_production(browserless: Browserless, path: str) -> None:
    assert browserless.get(path).status == 404
    assert "layground" not in browserless.get("/").text
