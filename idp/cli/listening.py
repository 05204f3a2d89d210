"""Opening the sockets at which the server listens."""

import errno
import os
import socket
from typing import Any

_BACKLOG = 1024
_LOOPBACK = ("127.0.0.1", "::1")
_ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


class PortUnusable(Exception):
    """Nobody can listen there. The message is one sentence for the operator."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen at every address that `host` stands for. Raises PortUnusable."""
    sockets: list[socket.socket] = []
    refusal = f"This machine has no address {host}."
    for family, address in _addresses(host, port):
        try:
            sockets.append(_bind(family, address))
        except OSError as error:
            if error.errno not in _ABSENT:
                refusal, sockets = _refusal(error, host, port), _close(sockets)
                break
    if not sockets:
        raise PortUnusable(refusal)
    return sockets


def _addresses(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    """What `host` stands for; localhost is both loopback addresses, whatever /etc/hosts says."""
    names = _LOOPBACK if host == "localhost" else (host,)
    found: set[tuple[int, tuple[Any, ...]]] = set()
    for name in names:
        try:
            entries = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise PortUnusable(f"The host {host} is not known ({error.strerror}).") from error
        found |= {(entry[0], entry[4]) for entry in entries}
    return sorted(found)


def _bind(family: int, address: tuple[Any, ...]) -> socket.socket:
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address, family=family, backlog=_BACKLOG, dualstack_ipv6=both)


def _close(sockets: list[socket.socket]) -> list[socket.socket]:
    for each in sockets:
        each.close()
    return []


def _refusal(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is taken: stop what listens there, or choose another port."
    if error.errno == errno.EACCES:
        who = f"user {os.geteuid()}, who runs this"
        return f"Port {port} of {host} may not be used by {who}; ports from 1024 on may."
    return f"Port {port} of {host} cannot be used ({error.strerror})."
