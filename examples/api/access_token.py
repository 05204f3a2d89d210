"""Is this access token good, and what is it good for? Asked of the token itself, or of the server.

The offline check costs no request, and accepts a token until it expires (RFC 9068 section 4).
Introspection costs one, and knows of revocation at once (RFC 7662).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, Key
from joserfc.jwt import JWTClaimsRegistry

from examples.api.metadata import TIMEOUT_SECONDS, AuthorizationServer, Clock, ServerUnreachable

# What Doorward signs access tokens with. The choice is ours, never the token's.
ALGORITHMS = ["ES256"]
TYPES = frozenset({"at+jwt", "application/at+jwt"})
LEEWAY_SECONDS = 10
LONGEST_TOKEN = 8192


class InvalidToken(Exception):
    """The token is not good, for everyone or for this API."""


@dataclass(frozen=True)
class AccessToken:
    """What a good token says: who may do what, by which client, and how they signed in.

    Times are seconds since 1970; `auth_time` is 0 where nobody signed in.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    expires_at: int
    acr: str
    auth_time: int


class OfflineCheck:
    """Checks tokens with the published keys alone. `audience` is this API's identifier."""

    def __init__(self, server: AuthorizationServer, audience: str, clock: Clock) -> None:
        self._server = server
        self._audience = audience
        self._clock = clock

    def __call__(self, token: str) -> AccessToken:
        """Return what the token says. Raises InvalidToken, ServerUnreachable."""
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken("The token is too long.")
        try:
            decoded = jwt.decode(token, self._key, algorithms=ALGORITHMS)
            self._claims().validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise InvalidToken("The token is expired, altered or not for this API.") from error
        # Without this, an ID token would do as an access token (RFC 9068 section 2.1).
        if str(decoded.header.get("typ", "")).lower() not in TYPES:
            raise InvalidToken("This is not an access token.")
        return _said(decoded.claims)

    def _key(self, signature: GuestProtocol) -> Key:
        kid = signature.headers().get("kid")
        key = self._server.key(kid) if isinstance(kid, str) else None
        if key is None:
            raise InvalidToken("The token is signed with an unknown key.")
        return key

    def _claims(self) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            now=int(self._clock()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._server.issuer},
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            client_id={"essential": True},
        )


class Introspection:
    """Asks the server about each token, with the credentials of this resource server."""

    def __init__(self, server: AuthorizationServer, audience: str, name: str, secret: str) -> None:
        self._server = server
        self._audience = audience
        self._credentials = (name, secret)

    def __call__(self, token: str) -> AccessToken:
        """Return what the server says of the token. Raises InvalidToken, ServerUnreachable."""
        answer = self._ask(token)
        audience = answer.get("aud", [])
        named = audience if isinstance(audience, list) else [audience]
        if answer.get("active") is not True or self._audience not in named:
            raise InvalidToken("The token is expired, revoked or not for this API.")
        return _said(answer)

    def _ask(self, token: str) -> Mapping[str, Any]:
        url = self._server.endpoint("introspection_endpoint")
        form = {"token": token, "token_type_hint": "access_token"}
        try:
            answer = self._server.http.post(
                url,
                data=form,
                auth=self._credentials,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            answer.raise_for_status()
            said = answer.json()
        except requests.RequestException as error:
            raise ServerUnreachable("The token could not be introspected.") from error
        if not isinstance(said, dict):
            raise ServerUnreachable("Introspection answered no JSON object.")
        return said


def _said(claims: Mapping[str, Any]) -> AccessToken:
    return AccessToken(
        subject=str(claims.get("sub", "")),
        client_id=str(claims.get("client_id", "")),
        scopes=frozenset(str(claims.get("scope", "")).split()),
        expires_at=int(claims.get("exp") or 0),
        acr=str(claims.get("acr", "")),
        auth_time=int(claims.get("auth_time") or 0),
    )
