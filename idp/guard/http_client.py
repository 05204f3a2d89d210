"""Questions to servers that the settings name: the authorization server and the policy engine.

Only https, or http within this machine; no redirect followed, nothing unpacked, no proxy, and the
whole of it within seconds and bytes. Connections are kept for the next question.
"""

import contextlib
import http.client
import ssl
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from idp.guard.deadline_socket import DeadlineSocket, connect
from idp.guard.errors import Unavailable
from idp.guard.settings import is_safe

LARGEST = 256 * 1024
"""Bytes of an answer."""
_MOST_IDLE = 8
_IDLE_SECONDS = 10.0
_HTTPS, _HTTP = 443, 80
_CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
Origin = tuple[str, str, int]


@dataclass(frozen=True)
class Answer:
    """What came back. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class _Question:
    method: str
    target: str
    body: bytes | None = field(repr=False)
    headers: dict[str, str] = field(repr=False)


class Http(Protocol):
    """What asks. Another one can be given, for example to trust a private authority."""

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer:
        """Ask, and return the answer whatever its status. Raises Unavailable."""


@dataclass
class _Line:
    """An open connection; `idle_since` is by the monotonic clock."""

    connection: http.client.HTTPConnection
    socket: DeadlineSocket
    idle_since: float


class HttpClient:
    """The usual one. Threads may share it; a fork has to make its own.

    `trusted` says whose certificates are believed, the system's authorities unless it is given. A
    connection that nobody used for `idle_seconds` is not used again.
    """

    def __init__(
        self, trusted: ssl.SSLContext | None = None, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        self._trusted = trusted
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[_Line]] = {}
        weakref.finalize(self, _hang_up, self._idle)

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer:
        """Ask, and return the answer whatever its status. Raises Unavailable."""
        if not is_safe(url):
            raise Unavailable("not an https URL")
        parts = urlsplit(url)
        port = parts.port or (_HTTPS if parts.scheme == "https" else _HTTP)
        origin = (parts.scheme, str(parts.hostname), port)
        target = parts._replace(scheme="", netloc="").geturl() or "/"
        sent = {"Host": parts.netloc, "User-Agent": "Doorward-Guard", **headers}
        question = _Question(method, target, body, sent)
        ends = time.monotonic() + seconds
        try:
            line = self._kept(origin)
            if line is not None:
                # It may have been closed while nobody used it: then the question is asked anew.
                with contextlib.suppress(ConnectionError, *_CLOSED):
                    return self._ask(origin, line, ends, question)
            return self._ask(origin, self._new(origin, ends), ends, question)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"no conversation: {type(error).__name__}") from error

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            _hang_up(self._idle)

    def _ask(self, origin: Origin, line: _Line, ends: float, question: _Question) -> Answer:
        line.socket.ends = ends
        try:
            line.connection.request(
                question.method, question.target, question.body, question.headers
            )
            response = line.connection.getresponse()
            answer = _read(response)
        except BaseException:
            line.socket.hang_up()
            raise
        # http.client lets go of what can't be used again.
        if line.connection.sock is None or not response.isclosed():
            line.socket.hang_up()
        else:
            self._keep(origin, line)
        return answer

    def _new(self, origin: Origin, ends: float) -> _Line:
        scheme, host, port = origin
        trusted = self._trust() if scheme == "https" else None
        socket = connect(host, port, trusted, ends)
        connection = http.client.HTTPConnection(host, port)
        connection.auto_open = 0
        connection.sock = socket
        return _Line(connection, socket, 0.0)

    def _kept(self, origin: Origin) -> _Line | None:
        now = time.monotonic()
        with self._lock:
            lines = self._idle.get(origin, [])
            line = lines.pop() if lines else None
        if line is not None and now - line.idle_since > self._idle_seconds:
            line.socket.hang_up()
            return None
        return line

    def _keep(self, origin: Origin, line: _Line) -> None:
        line.idle_since = time.monotonic()
        with self._lock:
            lines = self._idle.setdefault(origin, [])
            lines.append(line)
            surplus = lines.pop(0) if len(lines) > _MOST_IDLE else None
        if surplus is not None:
            surplus.socket.hang_up()

    def _trust(self) -> ssl.SSLContext:
        with self._lock:
            if self._trusted is None:
                self._trusted = ssl.create_default_context()
                self._trusted.minimum_version = ssl.TLSVersion.TLSv1_2
            return self._trusted


def _hang_up(idle: dict[Origin, list[_Line]]) -> None:
    for line in [line for kept in idle.values() for line in kept]:
        line.socket.hang_up()
    idle.clear()


def _read(response: http.client.HTTPResponse) -> Answer:
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise Unavailable("an encoded body")
    body = response.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise Unavailable("a body that is too large")
    if response.length:
        raise Unavailable("a body that breaks off")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, body)
