"""Requests as bytes: what no client library would send, but a socket can carry.

The application is called as gunicorn calls it: path and query decoded as latin-1 (PEP 3333), header
fields joined by commas when they come twice.
"""

import io
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from wsgiref.types import WSGIApplication

import pytest
from flask import Flask

from idp.config import Settings

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Raw:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body, which has to be JSON."""
        assert self.headers["Content-Type"] == "application/json", f"{self.status} {self.headers}"
        return json.loads(self.body)


class RawRequests:
    """Sends to one application, as if to `origin`."""

    def __init__(self, app: WSGIApplication, origin: str) -> None:
        self._app = app
        self._parts = urlsplit(origin)

    def post(
        self, path: str, body: bytes = b"", *, content_type: str = FORM, **headers: str
    ) -> Raw:
        """Post a form, well formed or not."""
        return self.send("POST", path, body, Content_Type=content_type, **headers)

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Raw:
        """Send a request; `path` may hold a query and any characters of latin-1.

        An underscore in a header's name stands for a hyphen.
        """
        environ = self._environ(method, path, body)
        for name, value in headers.items():
            key = name.upper()
            environ[key if key.startswith("CONTENT_") else f"HTTP_{key}"] = value
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, fields: list[tuple[str, str]], _error: Any = None) -> Any:
            started.append((status, fields))
            return lambda _: None

        answer = _run(self._app, environ, start)
        status, fields = started[-1]
        return Raw(int(status.split()[0]), {name.title(): value for name, value in fields}, answer)

    def _environ(self, method: str, target: str, body: bytes) -> dict[str, Any]:
        path, _, query = target.partition("?")
        return {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": target,
            "SERVER_NAME": self._parts.hostname,
            "SERVER_PORT": str(self._parts.port or 443),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": self._parts.netloc,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self._parts.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }


def _run(app: WSGIApplication, environ: dict[str, Any], start: Callable[..., Any]) -> bytes:
    answer = app(environ, start)
    try:
        return b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()


@pytest.fixture
def raw(app: Flask, settings: Settings) -> RawRequests:
    """Sends bytes to the application: `raw.post("/oauth2/token", b"code=%00")`."""
    return RawRequests(app, settings.issuer)
