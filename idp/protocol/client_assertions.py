"""Client authentication by a signed assertion: `private_key_jwt` and `client_secret_jwt` (OpenID
Connect Core section 9, RFC 7521 section 4.2, RFC 7523 section 3).

An assertion is for this server alone, for a short time, and works once on all nodes together.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from idp.config import Settings
from idp.crypto import foreign_jwt
from idp.crypto.algorithms import ALGORITHMS
from idp.crypto.compact import BadToken
from idp.crypto.foreign_jwt import HMACS, ForeignToken
from idp.domain.client_errors import Fault, Kind
from idp.domain.client_keys import ClientKeys, NoKeys
from idp.domain.clients import Client, Clients
from idp.domain.clock import Clock
from idp.domain.seen_once import SeenOnce
from idp.protocol import faults

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PRIVATE_KEY_JWT, CLIENT_SECRET_JWT = "private_key_jwt", "client_secret_jwt"
SIGNING = tuple(ALGORITHMS)
"""The `alg` values of `private_key_jwt`; those of `client_secret_jwt` are HMACS."""
LONGEST = 3600
"""Seconds that `exp` may lie ahead."""
_LONGEST_JTI = 256
_TYPES = frozenset({"", "jwt", "client-authentication+jwt"})
_KIND = "client_assertion"


class AssertionRefused(Exception):
    """It does not prove the client. `reason` is for the audit log alone, `fault` for who develops
    the client.
    """

    def __init__(self, reason: str, sent: str = "", expected: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        text = faults.sentence(reason)
        self.fault = Fault(Kind.CLIENT_ASSERTION, "client_assertion", sent, tuple(expected), text)


def read(assertion: str) -> ForeignToken:
    """Take an assertion apart, believing nothing of it. Raises AssertionRefused."""
    try:
        return foreign_jwt.read(assertion)
    except BadToken as error:
        raise AssertionRefused(f"assertion: {error.reason}") from error


def method_of(token: ForeignToken) -> str:
    """Return the mechanism that an assertion's algorithm belongs to."""
    return CLIENT_SECRET_JWT if token.algorithm in HMACS else PRIVATE_KEY_JWT


class ClientAssertions:
    """Checks assertions, and remembers the ones that were used."""

    def __init__(
        self,
        clients: Clients,
        keys: ClientKeys,
        seen: SeenOnce,
        clock: Clock,
        settings: Settings,
        token_endpoint: str,
    ) -> None:
        self._clients = clients
        self._keys = keys
        self._seen = seen
        self._clock = clock
        self._skew = settings.clock_skew
        self._audiences = frozenset({settings.issuer, settings.issuer + token_endpoint})

    def check(self, client: Client, token: ForeignToken) -> None:
        """Prove that `client`, which registered this mechanism, made the assertion for us, now,
        and use it up. Raises AssertionRefused.
        """
        self._check_algorithm(client, token)
        self._check_claims(client, token)
        expires = self._check_times(token.claims)
        if not self._is_signed(client, token):
            raise AssertionRefused("wrong signature of the assertion")
        # Remembered for longer than it could be accepted (SECURITY case 32).
        until = expires + 2 * self._skew
        if not self._seen.first(_KIND, client.client_id, token.claims["jti"], until):
            raise AssertionRefused("the assertion was used before")

    def _check_algorithm(self, client: Client, token: ForeignToken) -> None:
        registered = client.details.get("token_endpoint_auth_signing_alg")
        known = HMACS if client.auth_method == CLIENT_SECRET_JWT else SIGNING
        if token.algorithm not in known or registered not in {None, token.algorithm}:
            expected = (registered,) if registered else known
            text = "another algorithm than registered"
            raise AssertionRefused(text, token.algorithm, expected)
        if token.typ not in _TYPES:
            raise AssertionRefused("another type of token")

    def _check_claims(self, client: Client, token: ForeignToken) -> None:
        claims = token.claims
        if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
            text = "iss and sub of the assertion must be the client's id"
            raise AssertionRefused(text, faults.texts(claims.get("iss")), (client.client_id,))
        audience = claims.get("aud")
        # One text: who takes a list may be sent what was made for somebody else as well.
        if not isinstance(audience, str) or audience not in self._audiences:
            text, sent = "the assertion is for somebody else", faults.texts(audience)
            raise AssertionRefused(text, sent, sorted(self._audiences))
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
            raise AssertionRefused("the assertion has no jti")

    def _check_times(self, claims: Mapping[str, Any]) -> float:
        """Return when an assertion expires, seconds since 1970 (RFC 7523 section 3)."""
        now = self._clock()
        expires = _time(claims, "exp")
        if expires is None or expires + self._skew <= now:
            raise AssertionRefused("the assertion has expired, or never does")
        if expires - self._skew > now + LONGEST:
            raise AssertionRefused("the assertion lives too long")
        for name in ("nbf", "iat"):
            if (_time(claims, name) or 0) - self._skew > now:
                raise AssertionRefused("the assertion is not valid yet")
        return expires

    def _is_signed(self, client: Client, token: ForeignToken) -> bool:
        if client.auth_method == CLIENT_SECRET_JWT:
            secrets = self._clients.symmetric_secrets(client)
            return any(token.signed_with(secret) for secret in secrets)
        try:
            return self._keys.verify(client, token)
        except NoKeys as error:
            refused = AssertionRefused(error.description.removesuffix("."))
            refused.reason = error.reason
            raise refused from error


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    when = claims.get(name)
    if when is None:
        return None
    if isinstance(when, bool) or not isinstance(when, int | float) or abs(when) > 10**12:
        raise AssertionRefused(f"{name} of the assertion is not a time")
    return when
