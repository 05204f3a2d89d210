"""The kinds of applications that people register, and the metadata (RFC 7591 section 2) of each.

Where a program runs decides whether it can keep a secret (RFC 6749 section 2.1) and how an answer
comes back to it: RFC 8252 for programs of a device, RFC 9700 section 2.1 for all. Everybody uses
PKCE.
"""

from collections.abc import Mapping
from typing import Any

from idp.domain import uris
from idp.domain.clients import Client

WEB = "web"
SINGLE_PAGE = "single-page"
NATIVE = "native"
COMMAND_LINE = "command-line"
SERVICE = "service"
LOOPBACK_CALLBACK = "http://127.0.0.1/callback"
"""At any port: a program listens where it finds a free one (RFC 8252 section 7.3)."""
_SIGNING_IN: dict[str, Any] = {
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "require_pkce": True,
}
METADATA: Mapping[str, Mapping[str, Any]] = {
    WEB: {
        **_SIGNING_IN,
        "application_type": "web",
        "token_endpoint_auth_method": "client_secret_basic",
    },
    SINGLE_PAGE: {
        **_SIGNING_IN,
        "application_type": "web",
        "token_endpoint_auth_method": "none",
    },
    NATIVE: {
        **_SIGNING_IN,
        "application_type": "native",
        "token_endpoint_auth_method": "none",
    },
    COMMAND_LINE: {
        **_SIGNING_IN,
        "application_type": "native",
        "token_endpoint_auth_method": "none",
    },
    SERVICE: {
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "client_secret_basic",
    },
}
"""In the order in which they are offered."""


def kind_of(client: Client) -> str:
    """Return what a client is, however it was registered."""
    if not client.redirect_uris:
        return SERVICE
    if client.application_type == "native":
        return COMMAND_LINE if all(map(_on_loopback, client.redirect_uris)) else NATIVE
    return SINGLE_PAGE if client.public else WEB


def _on_loopback(uri: str) -> bool:
    parts = uris.parse(uri)
    return parts is not None and parts.scheme == "http" and parts.on_loopback
