"""The one mint: access tokens (RFC 9068) and ID tokens (OpenID Connect Core section 2)."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from idp.config import Settings
from idp.crypto.jwt import BadToken, verify
from idp.crypto.secrets import random_identifier
from idp.domain.authorizations import Authorization
from idp.domain.clients import Client
from idp.domain.clock import Clock
from idp.domain.signing_keys import SigningKeys
from idp.protocol import claims

ACCESS_TOKEN_TYPE = "at+jwt"
ACCESS_TOKEN_ALGORITHM = "ES256"
ID_TOKEN_ALGORITHMS = ("RS256", "ES256")
_HALF_HASHES = {"RS256": hashlib.sha256, "ES256": hashlib.sha256}


@dataclass(frozen=True)
class AccessToken:
    """A minted access token. `expires_in` is in seconds."""

    value: str
    jti: str
    expires_in: int


@dataclass(frozen=True)
class AccessClaims:
    """What an access token of ours says. Times are seconds since 1970."""

    subject: str
    client_id: str
    audience: tuple[str, ...]
    scopes: tuple[str, ...]
    jti: str
    issued_at: int
    expires_at: int
    authorization_id: str | None


class Mint:
    """Makes tokens, and reads back those it made."""

    def __init__(self, signing_keys: SigningKeys, clock: Clock, settings: Settings) -> None:
        self._keys = signing_keys
        self._clock = clock
        self._settings = settings

    def access_token(
        self,
        client: Client,
        authorization: Authorization | None,
        scopes: Sequence[str],
        audience: Sequence[str],
        lifetime: int | None,
    ) -> AccessToken:
        """Mint an access token for `audience`; without an authorization the client acts
        for itself.
        """
        now = int(self._clock())
        expires_in = lifetime or self._settings.access_token_lifetime
        jti = random_identifier()
        body: dict[str, Any] = {
            "iss": self._settings.issuer,
            "sub": client.client_id,
            "aud": audience[0] if len(audience) == 1 else list(audience),
            "client_id": client.client_id,
            "iat": now,
            "exp": now + expires_in,
            "jti": jti,
            "scope": " ".join(scopes),
        }
        if authorization:
            body["sub"] = authorization.account.subject
            body["auth_time"] = authorization.auth_time
            body["acr"] = authorization.acr
            body["amr"] = list(authorization.amr)
            body["authorization_id"] = authorization.id
        key = self._keys.active(ACCESS_TOKEN_ALGORITHM)
        return AccessToken(key.sign(body, ACCESS_TOKEN_TYPE), jti, expires_in)

    def id_token(
        self,
        client: Client,
        authorization: Authorization,
        scopes: Sequence[str],
        nonce: str | None,
        access_token: str,
    ) -> str:
        """Mint an ID token; the claims of scopes are in it only where the client registered so."""
        now = int(self._clock())
        algorithm = client.id_token_algorithm
        extra = claims.of_scopes(authorization.account, scopes) if client.claims_in_id_token else {}
        body: dict[str, Any] = {
            **extra,
            "iss": self._settings.issuer,
            "sub": authorization.account.subject,
            "aud": client.client_id,
            "iat": now,
            "exp": now + self._settings.id_token_lifetime,
            "auth_time": authorization.auth_time,
            "acr": authorization.acr,
            "amr": list(authorization.amr),
            "at_hash": half_hash(access_token, algorithm),
        }
        if nonce is not None:
            body["nonce"] = nonce
        return self._keys.active(algorithm).sign(body, "JWT")

    def read_access_token(self, token: str) -> AccessClaims:
        """Return what a live-looking access token of ours says. Raises BadToken."""
        body = verify(
            token,
            self._keys.verification_key,
            algorithms=(ACCESS_TOKEN_ALGORITHM,),
            typ=ACCESS_TOKEN_TYPE,
        )
        if body.get("iss") != self._settings.issuer:
            raise BadToken("another issuer")
        if body["exp"] <= self._clock():
            raise BadToken("expired")
        audience = body["aud"]
        return AccessClaims(
            body["sub"],
            body["client_id"],
            (audience,) if isinstance(audience, str) else tuple(audience),
            tuple(body["scope"].split()),
            body["jti"],
            body["iat"],
            body["exp"],
            body.get("authorization_id"),
        )

    def hinted(self, token: str) -> tuple[str, str] | None:
        """Return subject and client of an ID token of ours, expired or not; None for anything else.

        It says whom a client means, and proves nothing about who is there (OpenID Connect Core
        section 3.1.2.1).
        """
        try:
            body = verify(
                token, self._key_ever_published, algorithms=ID_TOKEN_ALGORITHMS, typ="JWT"
            )
        except BadToken:
            return None
        subject, client_id = body.get("sub"), body.get("aud")
        if body.get("iss") != self._settings.issuer or "at_hash" not in body:
            return None
        if not isinstance(subject, str) or not isinstance(client_id, str):
            return None
        return subject, client_id

    def _key_ever_published(self, kid: str) -> Any:
        return self._keys.verification_key(kid, archived=True)


def half_hash(value: str, algorithm: str) -> str:
    """Return `at_hash`: the left half of the hash that belongs to the signature's algorithm
    (section 3.1.3.6).
    """
    hashed = _HALF_HASHES[algorithm](value.encode("ascii")).digest()
    return urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
