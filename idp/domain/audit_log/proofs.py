"""Proofs about the log, for those who have no way to its database: that an entry is in it, and that
it goes on from a checkpoint which somebody kept.

They are texts that anyone can check, with the log's public key alone. Nothing is handed out that
does not prove what it should.
"""

from dataclasses import dataclass

from idp.crypto import merkle
from idp.crypto.merkle import HASH_BYTES
from idp.crypto.notes import BadNote, NoteKey
from idp.crypto.secrets import is_uuid
from idp.domain.audit_log import checkpoints, leaves, proof_texts
from idp.domain.audit_log.keys import CheckpointKeys
from idp.domain.audit_log.proof_texts import Consistency, Inclusion
from idp.domain.audit_log.tiles import WIDTH, TileReader, cut
from idp.domain.errors import DomainError, Invalid, NotFound
from idp.store import audit_tree as rows
from idp.store.database import Connection, Store
from idp.store.statements import Row


class NotProvable(DomainError):
    """The log does not hold what it would have to: somebody changed it."""


@dataclass(frozen=True)
class Newest:
    """The newest checkpoint with the keys that are to be trusted, the present one last."""

    note: str
    origin: str
    size: int
    keys: tuple[NoteKey, ...]


class AuditProofs:
    """Makes proofs. Threads may share it."""

    def __init__(self, store: Store, keys: CheckpointKeys) -> None:
        self._store = store
        self._keys = keys

    def newest(self) -> Newest:
        """Return the newest checkpoint. Raises NotFound."""
        with self._store.reading() as connection:
            head = _head(connection)
            keys = tuple(self._keys.trusted(connection))
        return Newest(head["checkpoint"], head["origin"], head["size"], keys)

    def inclusion(self, entry: str) -> str:
        """Prove that an entry is in the log, by its id or its position.

        One that expired can be proved by its position alone. Raises NotFound, NotProvable.
        """
        with self._store.reading() as connection:
            head = _head(connection)
            position, row = _found(connection, entry, head["size"])
            leaf = _leaf(connection, position)
            path = self._made(
                lambda subtree: merkle.inclusion(position, head["size"], subtree), connection
            )
            trusted = self._keys.trusted(connection)
        content = leaves.bytes_of(row) if row else b""
        proof = Inclusion(position, tuple(path), head["checkpoint"], content)
        text = proof_texts.written(proof)
        if row and leaves.hash_of(row) != leaf:
            raise NotProvable("The entry is not the one that was sealed: see `idp audit verify`.")
        _tried(text, trusted, leaf=leaf)
        return text

    def consistency(self, note: str) -> str:
        """Prove that the log goes on from the checkpoint `note`. Raises Invalid, NotProvable."""
        with self._store.reading() as connection:
            head = _head(connection)
            trusted = self._keys.trusted(connection)
            old = _read(note, trusted)
            if old.origin != head["origin"]:
                raise Invalid("checkpoint", f"The checkpoint is of another log, {old.origin}.")
            if not 0 < old.size <= head["size"]:
                raise NotProvable(
                    f"The checkpoint has {old.size} entries, the log {head['size']}: nothing "
                    "leads from the one to the other."
                )
            hashes = self._made(
                lambda subtree: merkle.consistency(old.size, head["size"], subtree), connection
            )
        text = proof_texts.written(Consistency(old.size, tuple(hashes), head["checkpoint"]))
        _tried(text, trusted, old=note)
        return text

    def _made(self, make: "proof_texts.Make", connection: Connection) -> list[bytes]:
        try:
            return make(TileReader(connection).subtree)
        except KeyError as error:
            raise NotProvable("Hashes of the tree are missing: see `idp audit verify`.") from error


def _head(connection: Connection) -> Row:
    head = rows.head(connection)
    if head is None:
        raise NotFound("Nothing was sealed yet: `idp audit checkpoint` does it now.")
    return head


def _found(connection: Connection, entry: str, size: int) -> tuple[int, Row | None]:
    if is_uuid(entry):
        row = rows.entry(connection, entry)
        if row is None:
            raise NotFound("There is no such entry, or not any more.")
        if row["position"] is None:
            raise NotFound("The entry is not sealed yet: `idp audit checkpoint` does it now.")
        return row["position"], row
    if not entry.isascii() or not entry.isdecimal() or len(entry) > len(str(size)):
        raise NotFound("There is no such entry: its id or its position is needed.")
    position = int(entry)
    if position >= size:
        raise NotFound(f"The log has {size} sealed entries, from 0 on.")
    return position, next(iter(rows.between(connection, position, position + 1)), None)


def _leaf(connection: Connection, position: int) -> bytes:
    number, at = divmod(position, WIDTH)
    tile = rows.tiles(connection, 0, number, number + 1).get(number)
    found = cut(tile["hashes"], HASH_BYTES)[at : at + 1] if tile and position >= 0 else []
    if not found:
        raise NotProvable("Hashes of the tree are missing: see `idp audit verify`.")
    return found[0]


def _read(note: str, trusted: list[NoteKey]) -> checkpoints.Checkpoint:
    try:
        return checkpoints.read(note, trusted)
    except BadNote as error:
        raise Invalid("checkpoint", str(error)) from error


def _tried(
    text: str, trusted: list[NoteKey], *, old: str | None = None, leaf: bytes | None = None
) -> None:
    """Check a proof as its reader will."""
    try:
        proof_texts.check(text, trusted, old=old, leaf=leaf)
    except proof_texts.BadProof as error:
        raise NotProvable(f"No proof is possible: {error} See `idp audit verify`.") from error
