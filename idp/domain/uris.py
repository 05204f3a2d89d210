"""Absolute URIs, taken apart strictly (RFC 3986): what a browser might mend is refused here."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from idp.config import LOOPBACK_HOSTS

LONGEST = 2000
LOOPBACK = frozenset(f"[{host}]" if ":" in host else host for host in LOOPBACK_HOSTS)
"""Hosts as URIs write them."""
_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_URI = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.\-]*):"
    r"(?://(?:(?P<user>[^/?#@]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]]*)(?::(?P<port>[^/?#@:]*))?(?=[/?#]|$))?"
    r"(?P<path>[^?#\[\]]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?"
)
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")
"""To a browser such a host is an IPv4 address, however it is written: 2130706433 is at home."""
_PORT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True)
class Uri:
    """The parts of a URI. An absent part is None, an empty one "". `host` keeps IPv6's brackets."""

    scheme: str
    user: str | None
    host: str | None
    port: str | None
    path: str
    query: str | None
    fragment: str | None

    @property
    def names_a_server(self) -> bool:
        """Whether host and port are what a URI of the web needs."""
        if self.host is None or not _is_host(self.host):
            return False
        return self.port is None or bool(_PORT.fullmatch(self.port) and int(self.port) <= 0xFFFF)

    @property
    def on_loopback(self) -> bool:
        """Whether the host is this machine: localhost, 127.0.0.1 or [::1], exactly."""
        return self.host in LOOPBACK

    @property
    def unreadable_on_the_way(self) -> bool:
        """Whether it is https, or http that does not leave this machine."""
        return self.scheme == "https" or (self.scheme == "http" and self.on_loopback)

    @property
    def claimable(self) -> bool:
        """Whether any program of a device can answer there: at a loopback address, or by a
        private-use scheme (RFC 8252 sections 8.3, 8.4 and 8.6).
        """
        return self.scheme != "https" or _leads_home(self.host or "")

    @property
    def origin(self) -> str:
        """Scheme, host and port; the scheme alone where there is no host."""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.host}{port}" if self.host else f"{self.scheme}:"


def _is_host(text: str) -> bool:
    if not text.startswith("["):
        plain = not _ENDS_IN_NUMBER.fullmatch(text) or _address(text) is not None
        return plain and bool(_NAME.fullmatch(text))
    return _address(text) is not None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a URI's host is, written in full; None for a name."""
    try:
        return IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except AddressValueError:
        return None


def _leads_home(host: str) -> bool:
    """Whether browsers look for this host on their own machine, also in other letters."""
    name = host.lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    address = _address(name)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address is not None and (address.is_loopback or address.is_unspecified)


def parse(text: str) -> Uri | None:
    """Take an absolute URI apart; None for anything else, and above 2000 characters."""
    if len(text) > LONGEST or not _CHARACTERS.fullmatch(text):
        return None
    found = _URI.fullmatch(text)
    return Uri(**found.groupdict()) if found else None


def web_problem(text: str) -> str | None:
    """Say why `text` is no address of a page: https, or http on loopback. None when it is one."""
    uri = parse(text)
    if uri is None:
        return "is not a URI"
    if not uri.unreadable_on_the_way:
        return "must be https, or http on a loopback address"
    if uri.user is not None or not uri.names_a_server:
        return "must name a host, and no user"
    return None
