"""Tokens in the form that their client registered (OpenID Connect Core section 10.1).

What they say is decided elsewhere. A form that can't be kept is an error, never another form.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from idp.crypto.jwt import signed_with, unsigned
from idp.domain.client_keys import NoKeys
from idp.domain.clients import Client
from idp.domain.signing_keys import SigningKeys
from idp.protocol.errors import MachineError
from idp.protocol.id_token import SECRET_ALGORITHMS, UNSIGNED

ERROR = "invalid_client_metadata"
"""What a client is told whose own keys stand in the way of an answer."""


def refused(error: NoKeys) -> MachineError:
    """Return what a machine is answered instead of a token."""
    return MachineError(ERROR, error.description, reason=error.reason)


class ClientTokens:
    """Signs. `secrets` returns the live ones of a client that needs MACs, the oldest first."""

    def __init__(
        self, signing_keys: SigningKeys, secrets: Callable[[Client], Sequence[str]]
    ) -> None:
        self._keys = signing_keys
        self._secrets = secrets

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
