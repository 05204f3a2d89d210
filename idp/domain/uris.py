"""Absolute URIs, taken apart strictly (RFC 3986): what a browser might mend is refused here."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

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
        return self.scheme != "https" or self.on_loopback

    @property
    def origin(self) -> str:
        """Scheme, host and port; the scheme alone where there is no host."""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.host}{port}" if self.host else f"{self.scheme}:"


def _is_host(text: str) -> bool:
    if not text.startswith("["):
        return bool(_NAME.fullmatch(text))
    try:
        return IPv6Address(text[1:-1]) is not None
    except AddressValueError:
        return False


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
