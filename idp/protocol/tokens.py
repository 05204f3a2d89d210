"""The one mint: access tokens (RFC 9068) and ID tokens (OpenID Connect Core section 2).

What an ID token says is put together in id_token.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.config import Settings
from idp.crypto.jwt import BadToken, verify
from idp.crypto.secrets import random_identifier
from idp.domain.authorizations import Authorization
from idp.domain.clients import Client
from idp.domain.clock import Clock
from idp.domain.signing_keys import SigningKeys
from idp.domain.subjects import Subjects
from idp.protocol import claims, id_token, logout_token
from idp.protocol.client_tokens import ClientTokens, encrypts
from idp.protocol.id_token import UNSIGNED, Bindings, IdTokenContent

ACCESS_TOKEN_TYPE = "at+jwt"
ACCESS_TOKEN_ALGORITHM = "ES256"


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

    def __init__(
        self,
        signing_keys: SigningKeys,
        client_tokens: ClientTokens,
        subjects: Subjects,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._keys = signing_keys
        self._tokens = client_tokens
        self._subjects = subjects
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
            body["sub"] = self._subjects.of(authorization.account, client)
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
        bindings: Bindings,
        *,
        every_claim: bool = False,
    ) -> str:
        """Mint an ID token; of claims it has those that were asked for one by one, and those of
        scopes where the client registered so, or with `every_claim`. Raises NoKeys.
        """
        told = scopes if every_claim or client.claims_in_id_token else ()
        about = claims.told(authorization, client, told, "id_token")
        content = IdTokenContent(
            subject=self._subjects.of(authorization.account, client),
            client_id=client.client_id,
            auth_time=authorization.auth_time,
            acr=authorization.acr,
            amr=authorization.amr,
            sid=authorization.sid,
            bindings=bindings,
            about=about,
        )
        algorithm, lifetime = client.id_token_algorithm, self._settings.id_token_lifetime
        body = content.body(self._settings.issuer, int(self._clock()), lifetime, algorithm)
        token = self._tokens.signed(client, body, algorithm, id_token.TYPE)
        return self._tokens.encrypted(client, "id_token", token)

    def userinfo(self, client: Client, told: Mapping[str, Any]) -> str | None:
        """Return claims about a person as the token that the client registered for, None where it
        did not (OpenID Connect Core section 5.3.2). Raises NoKeys.
        """
        algorithm = client.details.get("userinfo_signed_response_alg")
        body = {**told, "iss": self._settings.issuer, "aud": client.client_id}
        if algorithm is not None:
            token = self._tokens.signed(client, body, algorithm, id_token.TYPE)
            return self._tokens.encrypted(client, "userinfo", token)
        if encrypts(client, "userinfo"):
            return self._tokens.encrypted_claims(client, "userinfo", body)
        return None

    def logout_token(self, client: Client, subject: str, sid: str) -> str:
        """Mint a logout token, signed and encrypted as this client's ID tokens are (Back-Channel
        Logout section 2.4): by RS256 where those are not, as this one must be. Raises NoKeys.
        """
        algorithm = client.id_token_algorithm
        algorithm = "RS256" if algorithm == UNSIGNED else algorithm
        now = int(self._clock())
        issuer = self._settings.issuer
        body = logout_token.body(issuer, client.client_id, subject, sid, now)
        token = self._tokens.signed(client, body, algorithm, logout_token.TYPE)
        return self._tokens.encrypted(client, "id_token", token, issuer=issuer)

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
