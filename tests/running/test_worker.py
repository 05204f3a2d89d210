"""Who waits behind whom: connections with a request, in the threaded worker."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from idp.cli.tls import Tls, shake_hands
from idp.cli.worker import Turn, TwoLines
from idp.crypto.unhurried import unhurried
from tests.support.certificates import Authority
from tests.support.handshakes import offer

_FORM = b"POST /interaction/abc/password HTTP/1.1\r\n"
_TOKEN = b"POST /oauth2/token HTTP/1.1\r\n"


@dataclass
class _Waiting:
    """As much of a connection as lines look at."""

    name: str
    sock: socket.socket


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def _lines(sockets: ExitStack, sent: dict[str, bytes], at_once: int = 9, longest: int = 9) -> Any:
    lines: Any = TwoLines(at_once, longest)
    for name, first in sent.items():
        ours, theirs = socket.socketpair()
        sockets.enter_context(ours)
        sockets.enter_context(theirs)
        theirs.sendall(first)
        lines.add(_Waiting(name, ours))
    return lines


def _order(lines: Any) -> list[str]:
    """Take all who can go on."""
    taken = []
    while found := lines.next():
        conn, turn = found
        expected = Turn.PASSWORD if conn.name.startswith("form") else Turn.OTHER
        assert turn is (Turn.TOO_MANY if conn.name == "one more" else expected)
        taken.append(conn.name)
    return taken


def test_other_requests_wait_for_one_password_at_most(sockets: ExitStack) -> None:
    sent = dict.fromkeys(["form 1", "form 2", "form 3", "form 4"], _FORM)
    sent |= dict.fromkeys(["token 1", "token 2"], _TOKEN)
    order = _order(_lines(sockets, sent))
    assert order == ["form 1", "token 1", "form 2", "token 2", "form 3", "form 4"]


def test_passwords_wait_for_one_other_request_at_most(sockets: ExitStack) -> None:
    sent = dict.fromkeys(["token 1", "token 2", "token 3"], _TOKEN) | {"form": _FORM}
    order = _order(_lines(sockets, sent))
    assert order.index("form") <= 1
    assert [name for name in order if name != "form"] == ["token 1", "token 2", "token 3"]


def test_passwords_beyond_those_at_work_wait_in_line_and_nobody_else_does(
    sockets: ExitStack,
) -> None:
    sent = dict.fromkeys(["form 1", "form 2", "form 3", "form 4"], _FORM) | {"token": _TOKEN}
    lines = _lines(sockets, sent, at_once=2)
    assert _order(lines) == ["form 1", "token", "form 2"]
    assert lines.done(Turn.PASSWORD), "Somebody waits for the place."
    assert _order(lines) == ["form 3"]
    assert lines.done(Turn.PASSWORD)
    assert _order(lines) == ["form 4"]
    assert not lines.done(Turn.OTHER)
    assert not lines.done(Turn.PASSWORD)


def test_the_line_has_an_end_beyond_which_nobody_waits(sockets: ExitStack) -> None:
    sent = dict.fromkeys(["form 1", "form 2"], _FORM) | {"one more": _FORM}
    assert _order(_lines(sockets, sent, at_once=1, longest=2)) == ["form 1", "one more"]


def test_what_hashes_no_password_goes_with_everything_else(sockets: ExitStack) -> None:
    consent = b"POST /interaction/abc/consent HTTP/1.1\r\n"
    sent = {"page": b"GET /interaction/abc/password HTTP/1.1\r\n", "consent": consent}
    sent |= {"broken": b"POST", "gone": b""}
    lines = _lines(sockets, sent)
    assert _order(lines) == ["page", "consent", "broken", "gone"]


def test_looking_takes_nothing_away(sockets: ExitStack) -> None:
    conn, _ = _lines(sockets, {"form": _FORM}).next()
    assert conn.sock.recv(1024) == _FORM


def test_forms_are_known_over_https_too(sockets: ExitStack, tmp_path: Path) -> None:
    """What was decrypted to look at it is the first that the parser gets."""
    authority = Authority(tmp_path)
    files = authority.issue()
    server, lines = Tls(files.certificate, files.key), TwoLines(9, 9)
    expected = {}
    for sent in (_TOKEN, _TOKEN, _FORM):
        ours, theirs = socket.socketpair()
        secured = sockets.enter_context(server.wrapped(ours))
        shaking = threading.Thread(target=shake_hands, args=(secured, 10))
        shaking.start()
        client = offer(authority.file).wrap_socket(theirs, server_hostname="localhost")
        sockets.enter_context(client).sendall(sent)
        shaking.join()
        conn = TConn(Config(), secured, ("127.0.0.1", 1), ("127.0.0.1", 2))
        expected[conn] = sent
        lines.add(conn)
    taken = [found[0] for _ in expected if (found := lines.next())]
    assert [expected[conn] for conn in taken] == [_FORM, _TOKEN, _TOKEN]
    parsers: list[Any] = [conn.parser for conn in taken]
    assert [parser.unreader.take_buffered() for parser in parsers] == [_FORM, _TOKEN, _TOKEN]


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads are Linux's")
def test_slow_work_gives_way_and_leaves_the_caller_as_it_was() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert unhurried(lambda: os.getpriority(os.PRIO_PROCESS, 0)) == min(before + 10, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_what_slow_work_raises_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        unhurried(lambda: 1 // 0)
