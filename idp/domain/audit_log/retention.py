"""Entries go when their time is over; their leaves stay, so that every proof goes on to hold.

They go from the oldest place on, without a gap, and only those that are still what was sealed: who
deletes entries, or makes them look old, does not get that confirmed by us.
"""

import logging

from idp.config import Settings
from idp.crypto.merkle import HASH_BYTES
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.audit_log import leaves
from idp.domain.audit_log.leaves import SEAL_BYTES
from idp.domain.audit_log.tiles import WIDTH
from idp.domain.clock import Clock
from idp.store import audit_tree as rows
from idp.store.database import Connection, Store
from idp.store.statements import Row

MOST_BATCHES = 400
"""Batches, of a tile each, in one run."""
_OURSELVES = Origin()
_log = logging.getLogger("idp.audit")


class AuditRetention:
    """Drops what is older than the settings say."""

    def __init__(
        self, store: Store, clock: Clock, settings: Settings, audit: Audit, secret: bytes
    ) -> None:
        self._store = store
        self._clock = clock
        self._period = settings.audit_retention
        self._audit = audit
        self._secret = secret

    def run(self) -> int:
        """Drop entries whose time is over, a bounded number; return how many."""
        before_ms = (int(self._clock()) - self._period) * 1000
        dropped = 0
        for _ in range(MOST_BATCHES):
            with self._store.reading() as connection:
                head = rows.head(connection)
                first = head["dropped"] if head else 0
                end = self._end(connection, head, before_ms) if head else 0
            if head is None or end <= first or not self._drop(head, end):
                break
            dropped += end - first
        return dropped

    def _end(self, connection: Connection, head: Row, before_ms: int) -> int:
        """Return the position behind the last of the next entries to go."""
        first = head["dropped"]
        number = first // WIDTH
        end = min((number + 1) * WIDTH, head["size"])
        tile = rows.tiles(connection, 0, number, number + 1).get(number)
        if not self._is_ours(head) or tile is None:
            return int(first)
        position = int(first)
        for row in rows.between(connection, first, end):
            if not self._is_sealed(row, position, tile):
                _log.error("audit entries stay: the one at %s is not what was sealed", position)
                return position
            if row["at_ms"] >= before_ms:
                return position
            position += 1
        if position < end:
            _log.error("audit entries stay: the one at %s is missing", position)
        return position

    def _is_sealed(self, row: Row, position: int, tile: Row) -> bool:
        at = position % WIDTH
        leaf = tile["hashes"][at * HASH_BYTES : (at + 1) * HASH_BYTES]
        seal = tile["seals"][at * SEAL_BYTES : (at + 1) * SEAL_BYTES]
        expected = leaves.seal_of(self._secret, position, leaf)
        return (row["position"], leaves.hash_of(row), seal) == (position, leaf, expected)

    def _is_ours(self, head: Row) -> bool:
        expected = leaves.dropped_seal_of(self._secret, head["origin"], head["dropped"])
        return bool(head["dropped_seal"] == expected)

    def _drop(self, head: Row, end: int) -> bool:
        seal = leaves.dropped_seal_of(self._secret, head["origin"], end)
        first = head["dropped"]
        detail = {"entries": end - first, "before": end}
        with self._store.writing() as connection:
            if not rows.drop(connection, first, end, seal):
                return False
            entry = Entry("audit.expired", detail=detail)
            self._audit.record(connection, _OURSELVES, entry)
        return True
