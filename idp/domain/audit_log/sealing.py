"""Sealing: entries get their places in the Merkle tree, in batches, and the tree is signed.

Whoever writes an entry waits for nothing: an entry is sealed after it was committed, by the node
that has the lease. The lease only spares work. What keeps the tree whole is that a batch replaces
the head that it began with, in one transaction with everything else; who comes second starts anew.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from idp.config import Settings
from idp.crypto.merkle import Frontier
from idp.crypto.notes import BadNote, NoteSigner
from idp.crypto.sealing import SealBroken
from idp.domain.audit_log import checkpoints, leaves
from idp.domain.audit_log.checkpoints import Checkpoint
from idp.domain.audit_log.keys import CheckpointKeys
from idp.domain.audit_log.tiles import BrokenTile, GrowingTiles
from idp.domain.background import Background
from idp.domain.clock import Clock
from idp.domain.errors import DomainError
from idp.domain.leasing import Leasing
from idp.store import audit_tree as rows
from idp.store.database import Connection, Store
from idp.store.errors import Conflict, StoreError
from idp.store.statements import Row

INTERVAL = 1.0
"""Seconds between two looks."""
BATCH = 500
"""Entries sealed in one transaction, so that nobody waits for long who wants to write."""
MOST_BATCHES = 20
"""Batches before the next look."""
LEASE = "audit-sealing"
KEEP_EVERY = 3600
"""Seconds between two checkpoints that are kept for ever."""
_log = logging.getLogger("idp.audit")


class LogBroken(DomainError):
    """The head of the tree is not the one that we signed: nothing more is put on top of it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The audit log can't go on: {what}. Run `idp audit verify`.")


class _Overtaken(Exception):
    """Another node sealed meanwhile: nothing was changed."""


class AuditSealer:
    """Seals, in a thread of its own once `ensure_started` was called."""

    def __init__(
        self, store: Store, clock: Clock, settings: Settings, keys: CheckpointKeys, secret: bytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._host = settings.issuer_host or "localhost"
        self._keys = keys
        self._secret = secret
        self._lease = Leasing(store, clock, LEASE)
        self._complaint = ""
        self._background = Background(self._round, INTERVAL, (StoreError,), self._lease.give_back)

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        self._background.ensure_started()

    def stop(self) -> None:
        """End the thread after the batch at hand; the lease is given back."""
        self._background.stop()

    def run_once(self) -> int:
        """Seal what waits, a bounded number of entries, if this node may; return how many.

        Raises StoreError, LogBroken.
        """
        with self._store.reading() as connection:
            waiting = rows.any_unsealed(connection)
        if not waiting or not self._lease.take():
            return 0
        return self.seal(MOST_BATCHES)

    def seal(self, batches: int) -> int:
        """Seal at most so many batches, whoever has the lease; return how many entries."""
        done = 0
        for _ in range(batches):
            try:
                sealed = self._seal_batch()
            except (_Overtaken, Conflict):
                return done
            done += sealed
            if sealed < BATCH:
                break
        return done

    def seal_now(self) -> None:
        """Seal what waits at this moment, and keep the checkpoint for ever.

        Raises StoreError, LogBroken.
        """
        with self._store.reading() as connection:
            waiting = rows.count_unsealed(connection)
        for _ in range(waiting // BATCH + 1):
            self.seal(1)
        with self._store.writing() as connection:
            head = rows.head(connection)
            if head:
                rows.put_checkpoint(connection, head["size"], head["checkpoint"], head["sealed_at"])

    def _round(self) -> None:
        try:
            self.run_once()
        except StoreError as error:
            _log.warning("audit entries wait to be sealed: %s", error)
        except (DomainError, SealBroken) as error:
            self._complain(str(error))
        else:
            self._complaint = ""

    def _complain(self, said: str) -> None:
        """Say it once, not every second."""
        if said != self._complaint:
            _log.error("audit entries are NOT sealed: %s", said)
        self._complaint = said

    def _seal_batch(self) -> int:
        with self._store.reading() as connection:
            head = rows.head(connection)
        if head is None:
            head = self._begin()
        with self._store.reading() as connection:
            entries = rows.unsealed(connection, BATCH)
            if not entries:
                return 0
            signer = self._keys.signer(self._keys.active(connection, head["origin"]))
            frontier = self.frontier(connection, head)
            tiles = _tiles(connection, head["size"])
            kept_at = rows.newest_checkpoint_at(connection)
        self._append(head["size"], entries, frontier, tiles)
        self._write(head, entries, frontier, tiles, signer, kept_at)
        return len(entries)

    def _begin(self) -> Row:
        """Write an empty tree with its first key. Its name is of this log alone."""
        origin = f"{self._host}/audit/{secrets.token_hex(8)}"
        key = self._keys.fresh(origin)
        head = {
            "origin": origin,
            "size": 0,
            "peaks": b"",
            "checkpoint": Checkpoint(origin, 0, Frontier().root()).signed([self._keys.signer(key)]),
            "sealed_at": int(self._clock()),
            "dropped": 0,
            "dropped_seal": leaves.dropped_seal_of(self._secret, origin, 0),
        }
        with self._store.writing() as connection:
            rows.begin(connection, head)
            rows.add_key(connection, key)
        return head

    def frontier(self, connection: Connection, head: Row) -> Frontier:
        """Return the tree to go on with. Raises LogBroken unless it is what the checkpoint says."""
        try:
            frontier = Frontier(head["size"], head["peaks"])
            said = checkpoints.read(head["checkpoint"], self._keys.trusted(connection))
        except (BadNote, ValueError) as error:
            raise LogBroken("the newest checkpoint is not ours, or not of this tree") from error
        if said != Checkpoint(head["origin"], head["size"], frontier.root()):
            raise LogBroken("the tree is not the one of its newest checkpoint")
        return frontier

    def _append(
        self, size: int, entries: Sequence[Row], frontier: Frontier, tiles: GrowingTiles
    ) -> None:
        for position, entry in enumerate(entries, size):
            leaf = leaves.hash_of(entry)
            tiles.append(leaf, leaves.seal_of(self._secret, position, leaf))
            frontier.append(leaf)

    def _write(
        self,
        head: Row,
        entries: Sequence[Row],
        frontier: Frontier,
        tiles: GrowingTiles,
        signer: NoteSigner,
        kept_at: int | None,
    ) -> None:
        now = int(self._clock())
        note = Checkpoint(head["origin"], frontier.size, frontier.root()).signed([signer])
        new: Mapping[str, Any] = {
            "size": frontier.size,
            "peaks": frontier.peaks,
            "checkpoint": note,
            "sealed_at": now,
        }
        changed = tiles.rows()
        ids = [entry["id"] for entry in entries]
        with self._store.writing() as connection:
            if not rows.grow(connection, head["size"], new):
                raise _Overtaken
            rows.put_tiles(connection, changed)
            if not rows.number(connection, ids, head["size"]):
                raise _Overtaken
            if kept_at is None or now - kept_at >= KEEP_EVERY:
                rows.put_checkpoint(connection, frontier.size, note, now)


def _tiles(connection: Connection, size: int) -> GrowingTiles:
    try:
        return GrowingTiles(connection, size)
    except BrokenTile as error:
        present = rows.head(connection)
        if present and present["size"] != size:
            raise _Overtaken from error
        raise LogBroken(f"{error} is missing or broken") from error
