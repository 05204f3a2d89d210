"""The keys that sign checkpoints: of their own, sealed like signing keys, one at a time.

A key's private half is deleted when the next one takes over. Public halves stay, under a digest
that only we can make: who writes into the database can't add a key of theirs.
"""

from collections.abc import Mapping
from typing import Any

from idp.crypto.notes import NoteKey, NoteSigner, new_private
from idp.crypto.sealing import Sealer
from idp.crypto.secrets import keyed_digest_of, same, uuid7
from idp.domain.clock import Clock
from idp.domain.errors import DomainError
from idp.store import audit_tree as rows
from idp.store.database import Connection, Store
from idp.store.statements import Row


class NoCheckpointKey(DomainError):
    """There is no key to sign with."""

    def __init__(self) -> None:
        super().__init__("The key that signs checkpoints is missing, or not one that we made.")


class CheckpointKeys:
    """Hands out keys. Threads may share it."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock, secret: bytes) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._secret = secret
        self._signers: dict[str, NoteSigner] = {}

    def fresh(self, origin: str) -> Mapping[str, Any]:
        """Return the row of a new key."""
        key_id, private = uuid7(), new_private()
        public = NoteSigner.load(origin, private).key.public
        return {
            "id": key_id,
            "origin": origin,
            "public": public,
            "seal": self._seal(origin, public),
            "sealed_private": self._sealer.seal(private, place(key_id)),
            "created_at": int(self._clock()),
            "retired_at": None,
        }

    def trusted(self, connection: Connection) -> list[NoteKey]:
        """Return every key that we made, the oldest first."""
        return [NoteKey(row["origin"], row["public"]) for row in self._ours(connection)]

    def active(self, connection: Connection, origin: str) -> Row:
        """Return the row of the key that signs now. Raises NoCheckpointKey."""
        ours = self._ours(connection)
        signing = [row for row in ours if row["sealed_private"] and row["origin"] == origin]
        if not signing:
            raise NoCheckpointKey
        return signing[-1]

    def signer(self, row: Mapping[str, Any]) -> NoteSigner:
        """Return the key of a row, ready to sign. Raises SealBroken."""
        known = self._signers.get(row["id"])
        if known is None:
            private = self._sealer.unseal(row["sealed_private"], place(row["id"]))
            known = self._signers[row["id"]] = NoteSigner.load(row["origin"], private)
        return known

    def _ours(self, connection: Connection) -> list[Row]:
        return [
            row
            for row in rows.keys(connection)
            if same(row["seal"], self._seal(row["origin"], row["public"]))
        ]

    def _seal(self, origin: str, public: bytes) -> bytes:
        return keyed_digest_of(self._secret, b"audit-key", public + origin.encode())


def place(key_id: str) -> str:
    """Return the context under which a private half is sealed."""
    return f"audit_keys:{key_id}:private"
