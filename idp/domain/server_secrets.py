"""Symmetric keys of the server itself: made once, sealed in the database, kept in memory.

They never rotate with the signing keys, so that what depends on them survives (SECURITY case 158).
"""

import secrets

from idp.crypto.sealing import Sealer
from idp.domain.clock import Clock
from idp.store import server_secrets as rows
from idp.store.database import Store
from idp.store.errors import Conflict

NAMES = (
    "refresh-successor",
    "form-protection",
    "account-pseudonym",
    "pairwise-subject",
    "audit-log",
)
_BYTES = 32


class ServerSecrets:
    """Hands out the keys. Threads may share it."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._known: dict[str, bytes] = {}

    def ensure(self) -> None:
        """Make what is missing; at start, because `get` may be called in a transaction."""
        for name in NAMES:
            self.get(name)

    def get(self, name: str) -> bytes:
        """Return the 32 bytes called `name`, made on first use."""
        known = self._known.get(name)
        if known is None:
            sealed = self._find(name) or self._make(name)
            known = self._known[name] = self._sealer.unseal(sealed, place(name))
        return known

    def _find(self, name: str) -> bytes | None:
        with self._store.reading() as connection:
            return rows.find(connection, name)

    def _make(self, name: str) -> bytes:
        sealed = self._sealer.seal(secrets.token_bytes(_BYTES), place(name))
        row = {"name": name, "sealed": sealed, "created_at": int(self._clock())}
        try:
            with self._store.writing() as connection:
                rows.add(connection, row)
        except Conflict:  # another process was first
            return self._find(name) or sealed
        return sealed


def place(name: str) -> str:
    """Return the context under which the key called `name` is sealed."""
    return f"sealed_secrets:{name}"
