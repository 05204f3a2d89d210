"""Ports for servers that tests start, each given once.

The kernel's own choice (port 0) is free again until the server listens, seconds later, and goes to
whoever asks meanwhile: two servers of two runs then wait for one port, and one run asks the other's
server. These ports are below those that the kernel chooses from, and each process has a block of
them that no other process of the machine takes while it lives.
"""

import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HOST = "127.0.0.1"
_FIRST, _LAST, _SIZE = 12_000, 32_000, 200


def free_port() -> int:
    """Return a port of loopback that nobody listens at, and that no other test is given."""
    for _ in range(_SIZE):
        port = next(_block())
        try:
            socket.create_server((HOST, port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("Somebody listens at each port of this process's block.")


@cache
def _block() -> Iterator[int]:
    """Take a block for as long as this process lives, and return its ports, over and over."""
    for first in range(_FIRST, _LAST, _SIZE):
        path = Path(tempfile.gettempdir()) / f"doorward-test-ports-{os.getuid()}-{first}"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return itertools.cycle(range(first, first + _SIZE))
    raise AssertionError("All blocks of ports are taken.")
