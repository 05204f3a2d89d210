"""What each module's test gets: a check that it really asked the server."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from flask import Flask


@pytest.fixture
def asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fails a test that made no request."""
    seen: list[str] = []
    application = app.wsgi_app

    def note(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return application(environ, start_response)

    monkeypatch.setattr(app, "wsgi_app", note)
    yield seen
    assert seen, "The test asked the server nothing."
