"""A WSGI application under a requests.Session, without a socket.

So the same user agents and client libraries, with real cookie rules, work on an application inside
the test (with a held clock) and on servers in processes of their own.
"""

import http.client
import io
import socket
from typing import Any
from wsgiref.types import WSGIApplication

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.test import Client


class InProcess(HTTPAdapter):
    """Carries requests to `app` by a function call. `address` is where they seem to come from."""

    def __init__(self, app: WSGIApplication, address: str = "127.0.0.1") -> None:
        super().__init__()
        self.address = address
        self._client = Client(app, use_cookies=False)

    def send(
        self, request: requests.PreparedRequest, *_arguments: Any, **_options: Any
    ) -> requests.Response:
        """Call the application and return its answer."""
        assert request.url is not None
        assert request.method is not None
        body = request.body.encode() if isinstance(request.body, str) else request.body
        origin, path = _divided(request.url)
        answer = self._client.open(
            path,
            base_url=origin,
            method=request.method,
            headers=[(name, _text(value)) for name, value in request.headers.items()],
            data=body,
            environ_overrides={"REMOTE_ADDR": self.address},
            buffered=True,
        )
        try:
            return self.build_response(request, _raw(answer, request.method))
        finally:
            answer.close()


def session(app: WSGIApplication, origin: str, address: str = "127.0.0.1") -> requests.Session:
    """Return a session that finds `app` at `origin`, and nothing anywhere else."""
    http_session = requests.Session()
    http_session.trust_env = False
    http_session.adapters.clear()
    http_session.mount(origin, InProcess(app, address))
    return http_session


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _divided(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path


def _raw(answer: Any, method: str) -> HTTPResponse:
    """Return the answer as urllib3 would have read it from a socket."""
    received = http.client.HTTPMessage()
    for name, value in answer.headers:
        received.add_header(name, value)
    original = http.client.HTTPResponse(_Socket())
    original.msg = received  # where requests looks for cookies
    original.close()
    return HTTPResponse(
        body=io.BytesIO(answer.data),
        headers=HTTPHeaderDict(list(answer.headers)),
        status=answer.status_code,
        reason=answer.status.partition(" ")[2],
        preload_content=False,
        original_response=original,
        request_method=method,
    )


class _Socket(socket.socket):
    """No socket: nothing can be read from it, and none is opened."""

    def __init__(self) -> None:
        """Open nothing."""

    def makefile(self, *_arguments: Any, **_options: Any) -> Any:
        """Return nothing to read."""
        return io.BytesIO()
