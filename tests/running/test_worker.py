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
from idp.cli.worker import TwoLines
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


def _order(sockets: ExitStack, sent: dict[str, bytes]) -> list[str]:
    lines: Any = TwoLines()
    for name, first in sent.items():
        ours, theirs = socket.socketpair()
        sockets.enter_context(ours)
        sockets.enter_context(theirs)
        theirs.sendall(first)
        lines.add(_Waiting(name, ours))
    taken = [lines.next() for _ in sent]
    assert [one.sock.recv(len(sent[one.name]) or 1) for one in taken if sent[one.name]] == [
        sent[one.name] for one in taken if sent[one.name]
    ], "Looking takes nothing away."
    return [one.name for one in taken]


def test_other_requests_wait_for_one_form_of_a_sign_in_at_most(sockets: ExitStack) -> None:
    sent = dict.fromkeys(["form 1", "form 2", "form 3", "form 4"], _FORM)
    sent |= dict.fromkeys(["token 1", "token 2"], _TOKEN)
    order = _order(sockets, sent)
    assert order == ["form 1", "token 1", "form 2", "token 2", "form 3", "form 4"]


def test_forms_wait_for_one_other_request_at_most(sockets: ExitStack) -> None:
    sent = dict.fromkeys(["token 1", "token 2", "token 3"], _TOKEN) | {"form": _FORM}
    order = _order(sockets, sent)
    assert order.index("form") <= 1
    assert [name for name in order if name != "form"] == ["token 1", "token 2", "token 3"]


def test_what_is_no_form_goes_with_everything_else(sockets: ExitStack) -> None:
    sent = {"page": b"GET /interaction/abc HTTP/1.1\r\n", "broken": b"POST", "gone": b""}
    assert _order(sockets, sent) == ["page", "broken", "gone"]


def test_forms_are_known_over_https_too(sockets: ExitStack, tmp_path: Path) -> None:
    """What was decrypted to look at it is the first that the parser gets."""
    authority = Authority(tmp_path)
    files = authority.issue()
    server, lines = Tls(files.certificate, files.key), TwoLines()
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
    taken = [lines.next() for _ in expected]
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
