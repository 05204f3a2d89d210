"""ID tokens of ours that come back as `id_token_hint` (OpenID Connect Core section 3.1.2.1,
RP-Initiated Logout section 2).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from idp.crypto import foreign_jwt, jwe
from idp.crypto.compact import BadToken, media_type
from idp.crypto.jwe import FindKeys
from idp.crypto.jwt import verify
from idp.domain.clients import Client
from idp.domain.signing_keys import SigningKeys
from idp.protocol import id_token

_NEEDED = frozenset({"iat", "exp", "auth_time"})
_TYPE = media_type(id_token.TYPE)


class Hint(NamedTuple):
    """What such a token names: whom its client means, in which session."""

    subject: str
    client_id: str
    sid: str | None


class IdTokenHints:
    """Reads hints. `secrets` are the live ones of a client that needs MACs; `find_keys` finds those
    that a client may have encrypted a hint to.
    """

    def __init__(
        self,
        signing_keys: SigningKeys,
        find_client: Callable[[str], Client | None],
        secrets: Callable[[Client], Sequence[str]],
        find_keys: FindKeys,
        issuer: str,
    ) -> None:
        self._keys = signing_keys
        self._find_client = find_client
        self._secrets = secrets
        self._find_keys = find_keys
        self._issuer = issuer

    def read(self, token: str) -> Hint | None:
        """Return what an ID token of ours names, expired or not; None for anything else.

        It says whom a client means, and proves nothing about who is there.
        """
        try:
            body = self._verified(self._opened(token))
        except BadToken:
            return None
        subject, client_id, sid = body.get("sub"), body.get("aud"), body.get("sid")
        if body.get("iss") != self._issuer or not body.keys() >= _NEEDED:
            return None
        if not isinstance(subject, str) or not isinstance(client_id, str):
            return None
        return Hint(subject, client_id, sid if isinstance(sid, str) else None)

    def _opened(self, token: str) -> str:
        """A client may encrypt to us what it decrypted (OpenID Connect Core section 3.1.2.1)."""
        if not jwe.is_encrypted(token):
            return token
        return jwe.decrypt(token, self._find_keys).decode("ascii", "replace")

    def _verified(self, token: str) -> dict[str, Any]:
        found = foreign_jwt.read(token)
        if found.algorithm in id_token.SECRET_ALGORITHMS:
            return self._verified_by_secret(found)
        return verify(
            token,
            lambda kid: self._keys.verification_key(kid, archived=True),
            algorithms=id_token.KEY_ALGORITHMS,
            typ=id_token.TYPE,
        )

    def _verified_by_secret(self, token: foreign_jwt.ForeignToken) -> dict[str, Any]:
        """Its client could have made it as well, but only for itself."""
        audience = token.claims.get("aud")
        client = self._find_client(audience) if isinstance(audience, str) else None
        if client is None or client.id_token_algorithm != token.algorithm:
            raise BadToken("algorithm not allowed")
        if token.typ != _TYPE:
            raise BadToken("another type of token")
        if not any(token.signed_with(secret) for secret in self._secrets(client)):
            raise BadToken("wrong signature")
        return token.claims
