"""Somebody else's https server, on loopback: what it says, and how, is up to the test."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority

NAME = "app.example.test"
"""A name that the certificate is for, beside localhost and 127.0.0.1."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: "Message[str, str]"
    body: bytes


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A server: `site.put("/jwks.json", {"keys": []})`, then `site.url("/jwks.json")`.

    `authority` is the file of the certificate that vouches for it; `closing` is set at the end.
    """

    address: str
    port: int
    authority: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "") -> str:
        """Return the address of `path`, at another name of the server if one is given."""
        return f"{self.origin(host)}{path}"

    def origin(self, host: str = "") -> str:
        """Return scheme, host and port."""
        return f"https://{host or self.address}:{self.port}"

    def put(
        self, path: str, document: Any, media_type: str = "application/json", **headers: str
    ) -> str:
        """Serve a document; what is no text is written as JSON. Return its address.

        `Cache_Control="…"` is the header Cache-Control.
        """
        text = document if isinstance(document, str | bytes) else json.dumps(document)
        body = text.encode() if isinstance(text, str) else text
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"Content-Type": media_type, "Content-Length": str(len(body))}
        self.answers[path] = lambda handler: say(handler, 200, {**usual, **named}, body)
        return self.url(path)


def say(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes = b""
) -> None:
    """Send an answer."""
    handler.send_response_only(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    site: Site
    context: ssl.SSLContext

    def get_request(self) -> tuple[socket.socket, Any]:
        plain, address = self.socket.accept()
        # The handshake is made by the thread that answers.
        wrapped = self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up on us is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self.command, self.path, self.headers, self.rfile.read(size))
        self.server.site.asked.append(asked)
        path = self.path.partition("?")[0]
        answer = self.server.site.answers.get(path)
        if answer is None:
            say(self, 404, {"Content-Length": "0"})
        else:
            answer(self)

    def do_POST(self) -> None:
        self.do_GET()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def log_error(self, text: str, /, *values: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(folder: Path, address: str = "127.0.0.1") -> Iterator[Site]:
    """Serve on `address`, with a new authority's certificate; its files are in `folder`."""
    authority = Authority(folder)
    certificate = authority.issue(names=[NAME])
    with _Server((address, 0), _Handler) as server:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(certificate.certificate, certificate.key)
        server.site = Site(address, server.server_port, authority.file)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.site
        finally:
            server.site.closing.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def tls_site(tmp_path: Path) -> Iterator[Site]:
    """An https server on 127.0.0.1 that says what the test puts there."""
    with serving(tmp_path / "site") as site:
        yield site
