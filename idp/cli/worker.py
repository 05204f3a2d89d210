"""gunicorn's threaded worker, made patient with clients that are slow or mean to be.

As it comes, a new connection holds a thread for up to five seconds while it is silent, and for ever
once it has sent half a request; and a client that does not hang up after its answer stops the loop
that serves all others for two seconds. Here silence takes no thread, a request that is not complete
in time gives its thread back, and hanging up is waited for in a thread. A proxy that buffers
requests does the rest.
"""

import contextlib
import logging
import selectors
import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

SILENCE_SECONDS = 5
"""A connection that sends nothing for so long is closed, before and within a request."""
REQUEST_SECONDS = 10
"""How long a request may take from its first byte to the last of its body, however steadily it
drips: the largest body, 256 KiB, then needs 26 KiB a second."""
PARTING_SECONDS = 0.5
"""How long a client may take to hang up after its last answer."""


class _InTime(SocketUnreader):
    """Reads a connection for gunicorn's parser until `deadline`, of time.monotonic()."""

    deadline = 0.0

    def chunk(self, *wanted: Any) -> bytes:
        """Return what comes next. Raises BlockingIOError when that is too late."""
        left = min(self.deadline - time.monotonic(), SILENCE_SECONDS)
        if left <= 0:
            raise BlockingIOError("The request took too long.")
        _limit(self.sock, socket.SO_RCVTIMEO, left)
        return bytes(super().chunk(*wanted))


class _Strict:
    """Reads a body: one that breaks the rules of HTTP ends too early, as when a client hangs up.

    The application answers that with 400, and gunicorn closes the connection without a second
    answer, which somebody else's request could get.
    """

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes. Raises NoMoreData."""
        try:
            return bytes(self._reader.read(size))
        except ParseException as error:
            raise NoMoreData from error


def _limit(sock: socket.socket, direction: int, seconds: float) -> None:
    """Let the kernel end each read or write after that time; gunicorn sets no limit to them."""
    microseconds = max(1, int(seconds * 1_000_000))  # 0 would mean for ever
    sock.setsockopt(
        socket.SOL_SOCKET, direction, struct.pack("ll", *divmod(microseconds, 1_000_000))
    )


class PatientWorker(ThreadWorker):
    """Hands a connection to a thread when there is something to read, and not before."""

    stopping: Callable[[], None] = staticmethod(lambda: None)
    """Called when the worker is told to stop and only finishes what it has begun."""

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Called on SIGTERM."""
        self.stopping()
        super().handle_exit(sig, frame)

    def enqueue_req(self, conn: TConn) -> None:
        """Called for new connections, and for those on which data came."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        _limit(conn.sock, socket.SO_SNDTIMEO, SILENCE_SECONDS)
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + SILENCE_SECONDS
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def handle(self, conn: TConn) -> Any:
        """Called in a thread; returns whether the connection is kept, as gunicorn's does."""
        _reader_of(conn).deadline = time.monotonic() + REQUEST_SECONDS
        kept = super().handle(conn)
        if kept is False:
            _part(conn.sock)
        return kept

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Called with a request whose head was read."""
        req.body.reader = _Strict(req.body.reader)
        return super().handle_request(req, conn)


def _reader_of(conn: TConn) -> _InTime:
    """Let gunicorn's parser read through one of ours; it keeps what came too early."""
    conn.init()
    parser: Any = conn.parser
    if not isinstance(parser.unreader, _InTime):
        parser.unreader = _InTime(conn.sock)
    reader: _InTime = parser.unreader
    return reader


def _part(sock: socket.socket) -> None:
    """Say that nothing follows, hear the client out, and hang up (RFC 9112 section 9.6).

    gunicorn does the same afterwards, in its loop: then it has nothing left to wait for.
    """
    deadline = time.monotonic() + PARTING_SECONDS
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(PARTING_SECONDS)
        while sock.recv(65536) and time.monotonic() < deadline:
            pass
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line of gunicorn's log is worth keeping; clients that fell silent are not."""
    error: Any = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, BlockingIOError)
