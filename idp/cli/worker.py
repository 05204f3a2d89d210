"""gunicorn's threaded worker, made patient with clients that are slow or mean to be.

As it comes, a new connection holds a thread for up to five seconds while it is silent, and for ever
once it has sent half a request; and a client that does not hang up after its answer stops the loop
that serves all others for two seconds. Here silence takes no thread, a request that is not complete
in time gives its thread back, and hanging up is waited for in a thread. A proxy that buffers
requests does the rest. However many people sign in at once, other requests wait for one password at
most, and the people for those before them.
"""

import contextlib
import logging
import re
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum, auto
from functools import partial
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from idp.cli import tls
from idp.cli.tls import Tls
from idp.web.security import TOO_MANY

SILENCE_SECONDS = 5
"""A connection that sends nothing for so long is closed, before and within a request."""
REQUEST_SECONDS = 10
"""How long a request may take from its first byte to the last of its body, however steadily it
drips: the largest body, 256 KiB, then needs 26 KiB a second."""
PASSWORD_SECONDS = 3
"""The same for what takes one of the few places of passwords: a form comes in one piece, and who
drips it would hold up everybody else's sign-in."""
PARTING_SECONDS = 0.5
"""How long a client may take to hang up after its last answer."""

_SECURED, _LOST = object(), object()
"""A connection got through its handshake, and waits for its first request; or did not."""
_HASHED = re.compile(
    rb"POST /interaction/[^/ ]+/(password|new-password|new-account|second-factor/recovery) "
)
_LOOK_BYTES = 128


class _InTime(SocketUnreader):
    """Reads a connection for gunicorn's parser until `deadline`, of time.monotonic()."""

    deadline = 0.0

    def chunk(self, *wanted: Any) -> bytes:
        """Return what comes next. Raises BlockingIOError when that is too late."""
        left = min(self.deadline - time.monotonic(), SILENCE_SECONDS)
        if left <= 0:
            raise BlockingIOError("The request took too long.")
        if tls.is_secured(self.sock):
            return tls.received(self.sock, left)
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


class Turn(Enum):
    """What a connection is given a thread for."""

    PASSWORD = auto()
    """A password, whose place in the line is free again afterwards."""
    TOO_MANY = auto()
    """A password for which there was no place in the line: to be told so, and nothing else."""
    OTHER = auto()


class TwoLines:
    """Connections with a request, in two lines that take turns: passwords, whose hashes may be many
    and slow at once, and everything else. Of the passwords some are at work, the others wait here,
    where they cost nothing.
    """

    def __init__(self, at_once: int, longest: int) -> None:
        self._passwords: deque[TConn] = deque()
        self._others: deque[tuple[TConn, Turn]] = deque()
        self._free = at_once
        self._longest = longest
        self._password_next = True
        self._guard = threading.Lock()

    def add(self, conn: TConn) -> None:
        """Let a connection wait. `next` has to be called once more."""
        hashed = _is_hashed(conn)
        with self._guard:
            if hashed and len(self._passwords) < self._longest:
                self._passwords.append(conn)
            else:
                self._others.append((conn, Turn.TOO_MANY if hashed else Turn.OTHER))

    def next(self) -> tuple[TConn, Turn] | None:
        """Return whose turn it is, None while nobody can go on."""
        with self._guard:
            ready = self._passwords and self._free
            if ready and (self._password_next or not self._others):
                self._password_next = False
                self._free -= 1
                return self._passwords.popleft(), Turn.PASSWORD
            if self._others:
                self._password_next = True
                return self._others.popleft()
            return None

    def done(self, turn: Turn) -> bool:
        """Say that it was answered; return whether `next` has to be called once more."""
        if turn is not Turn.PASSWORD:
            return False
        with self._guard:
            self._free += 1
            return bool(self._passwords)


def _is_hashed(conn: TConn) -> bool:
    """Look at the first bytes of a request without taking them from the parser."""
    if tls.is_secured(conn.sock):
        first = tls.at_once(conn.sock)
        _reader_of(conn).unread(first)
        return _HASHED.match(first) is not None
    with contextlib.suppress(OSError):
        first = conn.sock.recv(_LOOK_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        return _HASHED.match(first) is not None
    return False


class PatientWorker(ThreadWorker):
    """Hands a connection to a thread when there is something to read, and not before."""

    stopping: Callable[[], None] = staticmethod(lambda: None)
    """Called when the worker is told to stop and only finishes what it has begun."""
    passwords_at_once = 1
    """Of how many passwords of the line threads may be taken at the same time."""
    passwords_in_line = 0
    """How many may wait; further ones go with everything else, to be told that it is too busy."""
    tls: Tls | None = None
    """Makes connections https."""

    def load_wsgi(self) -> None:
        """Called in the new process. The environment tells the application what is too many."""
        super().load_wsgi()
        application = self.wsgi

        def told(environ: Any, start_response: Any) -> Any:
            environ[TOO_MANY] = self._told.turn is Turn.TOO_MANY
            return application(environ, start_response)

        self.wsgi = told

    def init_process(self) -> None:
        """Called in the new process; returns when that ends."""
        self._told = threading.local()
        self._waiting = TwoLines(self.passwords_at_once, self.passwords_in_line)
        super().init_process()

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Called on SIGTERM."""
        self.stopping()
        super().handle_exit(sig, frame)

    def enqueue_req(self, conn: TConn) -> None:
        """Called for new connections, and for those on which data came."""
        if conn.initialized or conn.data_ready:
            self._waiting.add(conn)
            self.tpool.submit(self._serve)
            return
        _limit(conn.sock, socket.SO_SNDTIMEO, SILENCE_SECONDS)
        self._await(conn)

    def _await(self, conn: TConn) -> None:
        """Let a connection send something; not for long."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + SILENCE_SECONDS
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def _serve(self) -> None:
        """Called in a thread, once for each connection that may go on."""
        found = self._waiting.next()
        if found is None:
            return
        (conn, turn), done, kept = found, Future[Any](), False
        self._told.turn = turn
        try:
            kept = self.handle(conn)
        finally:
            if self._waiting.done(turn):
                self.tpool.submit(self._serve)
            done.set_result(kept)
            self.method_queue.defer(self.finish_request, conn, done)

    def handle(self, conn: TConn) -> Any:
        """Called in a thread; returns whether the connection is kept, as gunicorn's does, or
        `_SECURED` or `_LOST`.
        """
        if self.tls and not tls.is_secured(conn.sock):
            return _secure(conn, self.tls)
        password = self._told.turn is Turn.PASSWORD
        seconds = PASSWORD_SECONDS if password else REQUEST_SECONDS
        _reader_of(conn).deadline = time.monotonic() + seconds
        kept = super().handle(conn)
        if kept is False:
            _part(conn.sock)
        return kept

    def finish_request(self, conn: TConn, done: Any) -> None:
        """Called in the loop when a thread is done with a connection."""
        if done.result() is _SECURED:
            conn.data_ready = False
            self._await(conn)
        elif done.result() is _LOST:
            self.nr_conns -= 1
            conn.close()
        else:
            super().finish_request(conn, done)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Called with a request whose head was read."""
        if tls.is_secured(conn.sock):
            req.scheme = "https"
            conn.sock.settimeout(SILENCE_SECONDS)
        req.body.reader = _Strict(req.body.reader)
        return super().handle_request(req, conn)


def _secure(conn: TConn, server: Tls) -> object:
    """Shake hands, in a thread; who fails is told why, in TLS's own way."""
    try:
        secured = server.wrapped(conn.sock)
        conn.sock = secured
        tls.shake_hands(secured, SILENCE_SECONDS)
    except OSError:
        _part(conn.sock)
        return _LOST
    return _SECURED


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
    tls.say_goodbye(sock)
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
    return not isinstance(error, BlockingIOError | TimeoutError)
