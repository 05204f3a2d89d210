"""Secrets of clients: digests, and sealed beside it where a MAC is made of them.

OpenID Connect Core sections 9 and 10.1: `client_secret_jwt` and answers signed by HS256 need the
secret itself. Everybody else's can't be opened again by anyone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from idp.crypto import secrets
from idp.crypto.sealing import Sealer

PURPOSE = "client_secret"
_WITHOUT_SECRET = frozenset({"none", "private_key_jwt"})
_MAC_FIELDS = (
    "authorization_signed_response_alg",
    "id_token_signed_response_alg",
    "introspection_signed_response_alg",
    "request_object_signing_alg",
    "userinfo_signed_response_alg",
)
Sealed = tuple[bytes, bytes, int | None]
"""Digest, sealed secret and end, seconds since 1970."""


def is_recoverable(details: Mapping[str, Any]) -> bool:
    """Whether a client's metadata asks for a MAC under its secret."""
    if details.get("token_endpoint_auth_method") == "client_secret_jwt":
        return True
    return any(str(details.get(name, "")).startswith("HS") for name in _MAC_FIELDS)


def is_needed(details: Mapping[str, Any]) -> bool:
    """Whether a client with this metadata has a secret."""
    return details["token_endpoint_auth_method"] not in _WITHOUT_SECRET or is_recoverable(details)


class ClientSecrets:
    """Makes the rows of secrets, and opens those that can be."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def row(
        self, client_id: str, secret: str, now: int, details: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the row of a new secret of a client with this metadata."""
        digest = digest_of(secret)
        sealed = self._sealer.seal(secret.encode(), place(digest))
        return {
            "digest": digest,
            "client_id": client_id,
            "created_at": now,
            "expires_at": None,
            "sealed": sealed if is_recoverable(details) else None,
        }

    def opened(self, known: Iterable[Sealed], now: float) -> list[str]:
        """Return the live ones of these secrets, the newest last: those before it have an end."""
        live = [each for each in known if each[2] is None or now < each[2]]
        live.sort(key=lambda each: float("inf") if each[2] is None else each[2])
        return [self._sealer.unseal(sealed, place(digest)).decode() for digest, sealed, _ in live]


def digest_of(secret: str) -> bytes:
    """Return what a secret is compared by. Ours are ASCII: what is not can't be one."""
    return secrets.digest(PURPOSE, secret if secret.isascii() else "")


def place(digest: bytes) -> str:
    """Return the context under which a secret is sealed."""
    return f"client_secrets:{digest.hex()}:sealed"
