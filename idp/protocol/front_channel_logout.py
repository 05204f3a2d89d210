"""OpenID Connect Front-Channel Logout 1.0: what a browser loads to sign out at clients."""

from collections.abc import Iterable
from urllib.parse import urlencode

from idp.domain import uris


def problem(uri: str, redirect_uris: Iterable[str]) -> str | None:
    """Say why a client with these redirect URIs can't register `uri` (section 2); None when it can.

    `uri` is an address of the web.
    """
    if "#" in uri:
        return "must not have a fragment"
    if origin(uri) not in map(origin, redirect_uris):
        return "must have the scheme, host and port of a redirect URI"
    return None


def origin(uri: str) -> str:
    """Return scheme, host and port, the scheme's own port left out."""
    parts = uris.parse(uri)
    if parts is None or parts.host is None:
        return ""
    usual = {"https": "443", "http": "80"}.get(parts.scheme)
    port = f":{parts.port}" if parts.port and parts.port != usual else ""
    return f"{parts.scheme}://{parts.host.lower()}{port}"


def address(uri: str, issuer: str, sid: str) -> str:
    """Return what is loaded: always with `iss` and `sid`, which belong together (section 3)."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'iss': issuer, 'sid': sid})}"
