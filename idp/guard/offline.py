"""Access tokens checked by the published keys alone: RFC 9068 section 4.

That costs no request, and a revoked token is good until it expires.
"""

from collections.abc import Mapping
from typing import Any

from idp.guard import access_token, compact
from idp.guard.access_token import AccessToken
from idp.guard.authorization_server import AuthorizationServer
from idp.guard.documents import Clock
from idp.guard.errors import InvalidToken
from idp.guard.settings import Settings

TYPE = "at+jwt"
NEEDED = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
"""The claims of section 2.2 that each token has."""


class OfflineCheck:
    """Checks tokens of the issuer that are meant for the resource of the settings."""

    def __init__(self, settings: Settings, server: AuthorizationServer, clock: Clock) -> None:
        self._settings = settings
        self._server = server
        self._clock = clock

    def __call__(self, token: str) -> AccessToken:
        """Return what the token says. Raises InvalidToken, Unavailable."""
        read = compact.read(token)
        # Without this, an ID token would do as an access token (section 2.1).
        if read.typ != TYPE:
            raise InvalidToken("another type of token")
        if read.algorithm not in self._settings.algorithms:
            raise InvalidToken("algorithm not allowed")
        keys = self._server.keys(read.kid)
        if not any(key.verify(read.algorithm, read.signature, read.message) for key in keys):
            raise InvalidToken("wrong signature" if keys else "unknown key")
        if missing := [name for name in NEEDED if not read.claims.get(name)]:
            raise InvalidToken(f"without {', '.join(missing)}")
        check_claims(read.claims, self._settings, self._clock())
        return access_token.said(read.claims)


def check_claims(claims: Mapping[str, Any], settings: Settings, now: float) -> None:
    """Check what binds a token to issuer, audience and time, wherever its claims come from.

    Raises InvalidToken. A token bound to a key (`cnf`) is none to be borne: the proof of possession
    that it needs is not checked here (RFC 9449 section 7.2, RFC 8705 section 3).
    """
    if access_token.text(claims, "iss") not in ("", settings.issuer):
        raise InvalidToken("another issuer")
    if settings.resource not in access_token.texts(claims, "aud"):
        raise InvalidToken("meant for somebody else")
    if "cnf" in claims:
        raise InvalidToken("bound to a key")
    _check_times(claims, now, settings.leeway)


def _check_times(claims: Mapping[str, Any], now: float, leeway: int) -> None:
    expires, starts, issued = (access_token.seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is not None and now >= expires + leeway:
        raise InvalidToken("expired")
    if max(starts or 0, issued or 0) > now + leeway:
        raise InvalidToken("not valid yet")
