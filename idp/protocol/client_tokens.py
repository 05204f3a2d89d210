"""Tokens in the form that their client registered: signed (OpenID Connect Core section 10.1), then
encrypted (section 10.2).

What they say is decided elsewhere. A form that can't be kept is an error, never another form.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from idp.crypto import jwe
from idp.crypto.jwt import as_json, signed_with, unsigned
from idp.domain.client_keys import ClientKeys, NoKeys
from idp.domain.clients import Client
from idp.domain.signing_keys import SigningKeys
from idp.protocol import faults
from idp.protocol.errors import MachineError, RedirectedError
from idp.protocol.id_token import SECRET_ALGORITHMS, UNSIGNED

Kind = Literal["id_token", "userinfo"]
USUAL_ENCODING = "A128CBC-HS256"
"""The `enc` of who registered `alg` alone (OpenID Connect Registration section 2)."""
ERROR = "invalid_client_metadata"
"""What a client is told whose own keys stand in the way of an answer."""


def refused(error: NoKeys) -> MachineError:
    """Return what a machine is answered instead of a token."""
    return MachineError(ERROR, error.description, reason=error.reason, fault=faults.CLIENT_KEYS)


def redirected(error: NoKeys) -> RedirectedError:
    """Return what a client is told through the browser instead of a token."""
    return RedirectedError(ERROR, error.description, reason=error.reason, fault=faults.CLIENT_KEYS)


class ClientTokens:
    """Signs and encrypts. `secrets` returns the live ones of a client that needs MACs, the oldest
    first.
    """

    def __init__(
        self,
        signing_keys: SigningKeys,
        secrets: Callable[[Client], Sequence[str]],
        client_keys: ClientKeys,
    ) -> None:
        self._keys = signing_keys
        self._secrets = secrets
        self._client_keys = client_keys

    def signed(self, client: Client, claims: Mapping[str, Any], algorithm: str, typ: str) -> str:
        """Return a token, unsigned where that is the algorithm. Raises NoSigningKey, NoKeys.

        Of several secrets the newest signs.
        """
        if algorithm == UNSIGNED:
            return unsigned(claims, typ)
        if algorithm not in SECRET_ALGORITHMS:
            return self._keys.active(algorithm).sign(claims, typ)
        live = self._secrets(client)
        if not live:
            text = f"The client has no secret any more that {algorithm} could use."
            raise NoKeys(text, text)
        return signed_with(live[-1], claims, typ)

    def encrypted(
        self, client: Client, kind: Kind, token: str, *, issuer: str | None = None
    ) -> str:
        """Return a token, encrypted where the client registered that for this kind. Raises NoKeys.

        `issuer` is told outside as well, where it is given.
        """
        return self._sealed(client, kind, token, "JWT", issuer) if encrypts(client, kind) else token

    def encrypted_claims(self, client: Client, kind: Kind, claims: Mapping[str, Any]) -> str:
        """Return claims encrypted, but not signed. Raises NoKeys."""
        return self._sealed(client, kind, as_json(claims), "", None)

    def _sealed(
        self, client: Client, kind: Kind, payload: str, cty: str, issuer: str | None
    ) -> str:
        algorithm = client.details[f"{kind}_encrypted_response_alg"]
        encoding = client.details.get(f"{kind}_encrypted_response_enc", USUAL_ENCODING)
        keys = self._client_keys.find(client, None, algorithm, "enc")
        # One that says what it is for goes before one that says nothing.
        for key in sorted(keys, key=lambda key: key.use is None):
            with suppress(jwe.BadEncryptionKey):
                return jwe.encrypt(
                    payload.encode(), key.jwk, algorithm, encoding, cty, key.kid, issuer
                )
        text = f"Among the client's keys is none to encrypt to by {algorithm}."
        raise NoKeys(text, text)


def encrypts(client: Client, kind: Kind) -> bool:
    """Whether a client registered that tokens of a kind are encrypted to it."""
    return f"{kind}_encrypted_response_alg" in client.details
