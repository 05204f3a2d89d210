"""A connection all of whose waiting ends at one moment.

A timeout for each step would let a server that sends a byte now and then go on for ever.
"""

import io
import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class DeadlineSocket:
    """What http.client needs of a socket. `ends` is a moment by the monotonic clock."""

    def __init__(self, connected: socket.socket, ends: float) -> None:
        self._socket = connected
        self.ends = ends

    def sendall(self, data: bytes) -> None:
        """Send everything. Raises OSError, TimeoutError too."""
        rest = memoryview(data)
        while rest:
            self._socket.settimeout(left(self.ends))
            rest = rest[self._socket.send(rest) :]

    def receive(self, buffer: "WriteableBuffer") -> int:
        """Read what is there into `buffer`, and wait for something. Raises OSError."""
        self._socket.settimeout(left(self.ends))
        return self._socket.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what can be read from it; `mode` is "rb"."""
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Do nothing: http.client closes before the answer is read."""

    def hang_up(self) -> None:
        """End the connection."""
        self._socket.close()


class _Incoming(io.RawIOBase):
    def __init__(self, source: DeadlineSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        return self._source.receive(buffer)


def connect(host: str, port: int, trusted: ssl.SSLContext | None, ends: float) -> DeadlineSocket:
    """Connect, and let the other side prove its name where `trusted` says by whom.

    Raises OSError. The name is looked up by the system, at the system's pace.
    """
    plain = socket.create_connection((host, port), timeout=left(ends))
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(left(ends))
        wrapped = trusted.wrap_socket(plain, server_hostname=host) if trusted else plain
    except BaseException:
        plain.close()
        raise
    return DeadlineSocket(wrapped, ends)


def left(ends: float) -> float:
    """Return the seconds until `ends`. Raises TimeoutError when there are none."""
    seconds = ends - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("it took too long")
    return seconds
