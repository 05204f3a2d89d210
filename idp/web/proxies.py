"""Proxies in front of us: what they say of the client is believed only if we were told to trust
them.

Without trusted proxies the header fields are ignored (SECURITY cases 88 and 148).
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from idp.config import Network

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
_MOST_HOPS = 20


class TrustedProxies:
    """Puts the client's address, scheme and host into the WSGI environment."""

    def __init__(self, application: Application, networks: Sequence[Network]) -> None:
        self._application = application
        self._networks = tuple(networks)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = self._client(environ)
            if environ.get("HTTP_X_FORWARDED_PROTO") in {"http", "https"}:
                environ["wsgi.url_scheme"] = environ["HTTP_X_FORWARDED_PROTO"]
            if host := environ.get("HTTP_X_FORWARDED_HOST"):
                environ["HTTP_HOST"] = host
        return self._application(environ, start_response)

    def _client(self, environ: Environ) -> str:
        """Return the rightmost address that no trusted proxy has: all left of it may be made up."""
        peer: str = environ["REMOTE_ADDR"]
        hops = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")[-_MOST_HOPS:]
        for hop in reversed([hop.strip() for hop in hops]):
            if not _is_address(hop):
                return peer
            peer = hop
            if not self._trusts(hop):
                break
        return peer

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
