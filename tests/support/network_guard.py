"""No test talks to the outside: names are not looked up, only loopback addresses are connected to.

An audit hook sees every socket of this process, whichever library opens it, and stays for good.
"""

import ipaddress
import sys
from typing import Any

LOOPBACK_NAMES = frozenset({"", "localhost", "ip6-localhost"})
_WATCHED = frozenset(
    {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}
)


class OutsideWorld(BaseException):
    """A test reached for the network. Not an Exception, so that nothing handles it as a failure."""


def install() -> None:
    """Watch this process from now on."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _WATCHED:
        return
    host = _host(event, arguments)
    if host is not None and not is_loopback(host):
        raise OutsideWorld(f"{event}: {host}")


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the host that is meant, None where there is none (Unix sockets, passive look-ups)."""
    target = (
        arguments[0]
        if event.startswith("socket.gethost") or event == "socket.getaddrinfo"
        else None
    )
    if target is None and event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        target = address[0] if isinstance(address, tuple) else None
    if isinstance(target, bytes | bytearray):
        return target.decode("ascii", "replace")
    return target if isinstance(target, str) else None


def is_loopback(host: str) -> bool:
    """Tell whether `host` is a loopback address, or a name of one."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() in LOOPBACK_NAMES
