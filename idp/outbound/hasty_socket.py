"""A TLS connection to one address, all of whose waiting together ends at one moment, and from which
no more than so many bytes are taken.

A timeout for each step would let a server that sends a byte now and then go on for ever; and what
reads the answer may believe a server that says how much to read.
"""

import io
import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Deadline:
    """A moment by the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left. Raises TimeoutError when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        return left


class TooMuch(Exception):
    """More came than was asked for."""


class HastySocket:
    """What http.client needs of a socket. `most`: bytes that are read of everything that comes."""

    def __init__(self, connected: ssl.SSLSocket, deadline: Deadline, most: int) -> None:
        self._socket = connected
        self._deadline = deadline
        self._most = most

    def sendall(self, data: bytes) -> None:
        """Send everything. Raises OSError, TimeoutError too."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(self._deadline.left())
            rest = rest[self._socket.send(rest) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what can be read from it; `mode` is "rb"."""
        return io.BufferedReader(_Incoming(self._socket, self._deadline, self._most))

    def close(self) -> None:
        """Do nothing: who made the connection ends it, after reading."""


class _Incoming(io.RawIOBase):
    def __init__(self, connected: ssl.SSLSocket, deadline: Deadline, most: int) -> None:
        self._socket = connected
        self._deadline = deadline
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        self._socket.settimeout(self._deadline.left())
        read = self._socket.recv_into(buffer)
        self._left -= read
        if self._left < 0:
            raise TooMuch
        return read


def connect(
    address: str, port: int, name: str, trusted: ssl.SSLContext, deadline: Deadline
) -> ssl.SSLSocket:
    """Connect to `address`, in digits, and let it prove that it is `name`. Raises OSError."""
    plain = socket.create_connection((address, port), timeout=deadline.left())
    try:
        plain.settimeout(deadline.left())
        return trusted.wrap_socket(plain, server_hostname=name)
    except BaseException:
        plain.close()
        raise
