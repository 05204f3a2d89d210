"""A browser that costs next to nothing: it walks a sign-in page by page and looks at every answer.

What carries its requests is either a kept connection of its own or a call of the application.
"""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from bench.wire import Wire
from idp.protocol import metadata as where

_FORM_TOKEN = re.compile(rb'name="csrf_token" value="([^"]+)"')
_FORM = "application/x-www-form-urlencoded"
_PATIENCE_SECONDS = 60
_ENOUGH = 65536
REQUESTS = 7
"""What one sign-in takes, from the authorization request to the redirect with its code."""


class WrongPage(Exception):
    """A sign-in did not get where it had to."""


@dataclass(frozen=True)
class Answer:
    """What came back; `headers` are lines."""

    status: int
    headers: tuple[str, ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of a header, empty if it is not there."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        wanted = f"{name.lower()}:"
        found = [line for line in self.headers if line.lower().startswith(wanted)]
        return [line.partition(":")[2].strip() for line in found]


class Carrier(Protocol):
    """Takes a request to the server."""

    def send(self, request: Wire) -> Answer:
        """Return the answer."""


class Kept:
    """One connection that is kept open, on a plain socket."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self._host = parts.netloc
        self._address = (parts.hostname or "", parts.port or 80)
        self._socket: socket.socket | None = None

    def send(self, request: Wire) -> Answer:
        """Return the answer; a connection that was closed meanwhile is opened again."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, _PATIENCE_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._written(request))
        answer = _read(self._socket)
        if answer.header("Connection").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _written(self, request: Wire) -> bytes:
        lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        if request.body:
            lines.append(f"Content-Length: {len(request.body)}")
        return "\r\n".join([*lines, "", request.body]).encode()


def _read(connection: socket.socket) -> Answer:
    """Read one answer. Raises WrongPage when there is none."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(_ENOUGH)
        if not more:
            raise WrongPage("The server hung up.")
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    first, *headers = head.decode("latin-1").split("\r\n")
    answer = Answer(int(first.split()[1]), tuple(headers), b"")
    length = int(answer.header("Content-Length") or 0)
    while len(body) < length:
        body += connection.recv(_ENOUGH)
    return Answer(answer.status, answer.headers, body)


class Browser:
    """A browser; it begins without cookies."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._sent(Wire("GET", path, self._headers()))

    def post(self, path: str, page: Answer, fields: Mapping[str, str]) -> Answer:
        """Send the form of a page. Raises WrongPage when it has none."""
        token = _FORM_TOKEN.search(page.body)
        if token is None:
            raise WrongPage(f"{page.status}, and no form: {page.body[:300]!r}")
        body = urlencode({"csrf_token": token[1].decode(), **fields})
        return self._sent(Wire("POST", path, {**self._headers(), "Content-Type": _FORM}, body))

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "text/html", "User-Agent": "bench"}
        if self._cookies:
            pairs = self._cookies.items()
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in pairs)
        return headers

    def _sent(self, request: Wire) -> Answer:
        answer = self._carrier.send(request)
        for line in answer.all("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer

    def password_page(self, query: str, email: str) -> tuple[str, Answer]:
        """Ask for authorization and say who it is; return path and answer of the page that asks
        for the password. Raises WrongPage.
        """
        begun = _next(self.get(f"{where.AUTHORIZE}?{query}"))
        path = _next(self.get(begun))
        asked = self.get(path)
        path = _next(self.post(path, asked, {"identifier": email}))
        return path, self.get(path)

    def sign_in(self, query: str, email: str, password: str) -> str:
        """Walk through a whole sign-in and return where the client is sent. Raises WrongPage."""
        path, page = self.password_page(query, email)
        back = _next(self.post(path, page, {"password": password}))
        left = self.get(back).header("Location")
        if "?code=" not in left:
            raise WrongPage(f"The client was not sent a code: {left[:200]}")
        return left


def _next(answer: Answer) -> str:
    """Return the path that an answer leads to. Raises WrongPage."""
    target = answer.header("Location")
    if answer.status != 303 or not target:
        raise WrongPage(f"{answer.status}: {answer.body[:300]!r}")
    return urlsplit(target).path
