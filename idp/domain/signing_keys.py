"""The keys of our tokens: which one signs now, which ones verify, and the published set (RFC 7517).

Keys are parsed once.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from idp.config import Settings
from idp.crypto import jwk
from idp.crypto.algorithms import ALGORITHMS
from idp.crypto.jwt import PrivateKey, PublicKey
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit
from idp.domain.clock import Clock
from idp.domain.errors import Busy
from idp.domain.key_rotation import KeyUse, place
from idp.domain.key_schedule import KeySchedule
from idp.domain.rotating_keys import RotatingKeys
from idp.store.database import RowMapping, Store

_RETRY_SECONDS = 5
_PUBLISHED = frozenset({"next", "active", "retiring"})
_USE = KeyUse(
    noun="signing_key",
    known=ALGORITHMS,
    generate=jwk.generate,
    opens=False,
    not_yet="Verifiers may not know the next %s key yet: it can't sign",
    still_needed="Tokens that this key signed are still valid: it can't go",
)


class NoSigningKey(Busy):
    """No key of the algorithm may sign yet."""

    def __init__(self) -> None:
        super().__init__(_RETRY_SECONDS)


@dataclass(frozen=True)
class PublishedKeys:
    """The JWKS: its keys, as JSON, its ETag without quotes, and for how many seconds it may be
    cached.
    """

    keys: Sequence[Mapping[str, Any]] = field(repr=False)
    body: bytes
    etag: str
    max_age: int

    @classmethod
    def of(cls, keys: Sequence[Mapping[str, Any]], max_age: int) -> "PublishedKeys":
        """Return the set of these keys."""
        body = json.dumps({"keys": list(keys)}, separators=(",", ":")).encode()
        return cls(keys, body, hashlib.sha256(body).hexdigest()[:32], max_age)


@dataclass(frozen=True)
class _View:
    """The keys as they were read."""

    signing: dict[str, PrivateKey]
    published: dict[str, PublicKey]
    archived: dict[str, PublicKey]
    jwks: PublishedKeys


class SigningKeys(RotatingKeys[_View]):
    """Hands out keys. Threads may share it."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        super().__init__(
            store,
            sealer,
            audit,
            clock,
            settings,
            use=_USE,
            schedule=KeySchedule.of(settings),
            algorithms=[name for name in settings.signing_algorithms if name in ALGORITHMS],
        )
        self._max_age = settings.jwks_max_age

    def active(self, algorithm: str) -> PrivateKey:
        """Return the key that signs now. Raises NoSigningKey."""
        key = self._view().signing.get(algorithm)
        if key is None:
            raise NoSigningKey
        return key

    def ready(self) -> tuple[str, ...]:
        """Return the algorithms whose keys may sign already, in the order of the settings."""
        signing = self._latest().signing
        return tuple(name for name in self.algorithms if name in signing)

    def verification_key(self, kid: str, *, archived: bool = False) -> PublicKey | None:
        """Return a published key, or for an expired `id_token_hint` an `archived` one too."""
        view = self._view()
        return view.published.get(kid) or (view.archived.get(kid) if archived else None)

    def jwks(self) -> PublishedKeys:
        """Return the published keys that sign, from memory when the database can't be reached."""
        return self._latest().jwks

    def _seen(self, found: Sequence[RowMapping]) -> _View:
        published = [row for row in found if row["state"] in _PUBLISHED]
        return _View(
            signing={
                row["algorithm"]: self._private(row) for row in found if row["state"] == "active"
            },
            published={row["kid"]: self._public(row) for row in published},
            archived={row["kid"]: self._public(row) for row in found if row["state"] == "archived"},
            jwks=PublishedKeys.of([row["public_jwk"] for row in published], self._max_age),
        )

    def _private(self, row: RowMapping) -> PrivateKey:
        kid, algorithm = row["kid"], row["algorithm"]
        known = self._last.signing.get(algorithm) if self._last else None
        if known and known.kid == kid:
            return known
        return jwk.load_private(
            kid, algorithm, self._sealer.unseal(row["sealed_private"], place(kid))
        )

    def _public(self, row: RowMapping) -> PublicKey:
        last = self._last
        known = last and (last.published.get(row["kid"]) or last.archived.get(row["kid"]))
        return known or jwk.load_public(row["public_jwk"])
