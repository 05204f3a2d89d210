"""The keys that others encrypt to (RFC 7516, OpenID Connect Core sections 6.1 and 10.2).

Only the active ones are published, so that nobody has to choose. A retired one opens what comes
from whoever cached the JWKS: as long as that may be, and no longer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.config import Settings
from idp.crypto import jwe
from idp.crypto.jwe import DecryptionKey
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit
from idp.domain.clock import Clock
from idp.domain.key_rotation import KeyUse, place
from idp.domain.key_schedule import KeySchedule
from idp.domain.rotating_keys import RotatingKeys
from idp.store.database import RowMapping, Store

_ORDER = ("active", "retiring", "next")
"""The states in which a key opens. Another node may publish the next one some seconds before we
know of it.
"""
_USE = KeyUse(
    noun="decryption_key",
    known=jwe.OURS,
    generate=jwe.generate,
    opens=True,
    not_yet="Not every node may know the next %s key yet: it can't be published",
    still_needed="What was encrypted to this key may still come: it can't go",
)


@dataclass(frozen=True)
class _View:
    """The keys as they were read: those that open, the newest use first, and what is published."""

    opening: Sequence[DecryptionKey]
    published: Sequence[Mapping[str, Any]]


class DecryptionKeys(RotatingKeys[_View]):
    """Hands out keys. Threads may share it."""

    def __init__(
        self, store: Store, sealer: Sealer, audit: Audit, clock: Clock, settings: Settings
    ) -> None:
        super().__init__(
            store,
            sealer,
            audit,
            clock,
            settings,
            use=_USE,
            schedule=KeySchedule.of_decryption(settings),
            algorithms=jwe.OURS,
        )

    def find(self, kid: str | None, algorithm: str) -> Sequence[DecryptionKey]:
        """Return the keys to try, none where `kid` is no key of `algorithm` that opens."""
        return [
            key
            for key in self._view().opening
            if key.algorithm == algorithm and kid in {None, key.kid}
        ]

    def published(self) -> Sequence[Mapping[str, Any]]:
        """Return the keys to encrypt to, from memory when the database can't be reached."""
        return self._latest().published

    def _seen(self, found: Sequence[RowMapping]) -> _View:
        opening = [row for row in found if row["state"] in _ORDER]
        opening.sort(key=lambda row: _ORDER.index(row["state"]))
        return _View(
            [self._private(row) for row in opening],
            [row["public_jwk"] for row in opening if row["state"] == "active"],
        )

    def _private(self, row: RowMapping) -> DecryptionKey:
        kid = row["kid"]
        known = self._last.opening if self._last else ()
        for key in known:
            if key.kid == kid:
                return key
        sealed = self._sealer.unseal(row["sealed_private"], place(kid))
        return jwe.load_private(kid, row["algorithm"], sealed)
