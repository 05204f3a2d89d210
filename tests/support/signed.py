"""What clients with keys send, made by a library: assertions and request objects."""

import secrets
import warnings
from collections.abc import Callable
from typing import Any

import requests
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from tests.keys import forging
from tests.support.token_client import TokenClient

BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
Claims = dict[str, Any]


def new_key(algorithm: str = "ES256", kid: str = "first") -> Key:
    """Return a fresh key for `algorithm`."""
    parameters: Any = {"kid": kid}
    if algorithm in {"RS256", "PS256"}:
        return RSAKey.generate_key(2048, parameters)
    if algorithm in {"EdDSA", "Ed25519"}:
        return OKPKey.generate_key("Ed25519", parameters)
    return ECKey.generate_key({"ES384": "P-384"}.get(algorithm, "P-256"), parameters)


def public(*keys: Key) -> dict[str, Any]:
    """Return a JWK Set of public halves."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def sign(claims: Claims, key: Key | str, algorithm: str = "ES256", **header: Any) -> str:
    """Return a signed token; a text is a client secret, and a header of None is left out."""
    used = OctKey.import_key(key) if isinstance(key, str) else key
    named = {"alg": algorithm, "kid": used.kid, "typ": "JWT", **header}
    kept = {name: value for name, value in named.items() if value is not None}
    payload = forging.decode(forging.part(claims))
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    with warnings.catch_warnings():
        # EdDSA has a new name (RFC 9864), and clients of both.
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(kept, payload, used, registry=registry)


class AssertingClient:
    """A client that proves itself by assertions: `client.post("token_endpoint", {...})`."""

    def __init__(
        self, client: TokenClient, key: Key | str, algorithm: str, now: Callable[[], float]
    ) -> None:
        self.client = client
        self.key = key
        self.algorithm = algorithm
        self._now = now

    @property
    def issuer(self) -> str:
        """The server's."""
        return self.client.discovery.issuer

    def claims(self, **changes: Any) -> Claims:
        """Return the claims of a good assertion, but for `changes`; None: without it."""
        now, name = int(self._now()), self.client.client_id
        usual = {"iss": name, "sub": name, "aud": self.issuer, "exp": now + 60, "iat": now}
        claims = {**usual, "jti": secrets.token_urlsafe(16), **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def assertion(self, **changes: Any) -> str:
        """Return a good assertion, but for `changes` of its claims."""
        return sign(self.claims(**changes), self.key, self.algorithm)

    def send(
        self, assertion: str, endpoint: str = "token_endpoint", **changes: Any
    ) -> requests.Response:
        """Send a request that needs nothing but the client, with this assertion."""
        form: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "scope": "notes:read",
            "token": "none of ours",
            "client_assertion_type": BEARER,
            "client_assertion": assertion,
            **changes,
        }
        kept = {name: value for name, value in form.items() if value is not None}
        address = self.client.discovery[endpoint]
        return self.client.http.post(address, data=kept, allow_redirects=False)
