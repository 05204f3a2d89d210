"""What exists in development mode alone."""

import pytest
from flask import Flask

from tests.support.browserless import Browserless

TRYING = "/developer/<client_id>/playground"
PLAYGROUND = {"/playground", "/playground/callback", "/playground/run/<state>", TRYING}


def rules(app: Flask) -> set[str]:
    """Return the paths that an application has views for.

    An answer of 404 alone would say little: the playground gives it too without its client.
    """
    return {rule.rule for rule in app.url_map.iter_rules()}


def test_production_has_no_playground(app: Flask, browserless: Browserless) -> None:
    assert PLAYGROUND.isdisjoint(rules(app))
    assert browserless.get("/playground").status == 404
    assert "layground" not in browserless.get("/").text


@pytest.mark.settings(issuer="http://localhost:8000", development=True)
def test_development_has_it(app: Flask) -> None:
    assert rules(app) >= PLAYGROUND
