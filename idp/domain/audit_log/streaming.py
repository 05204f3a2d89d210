"""Sending entries elsewhere as they are sealed: in order, each at least once, to every target.

For each target the database holds the position up to which it has everything: it moves on only
after the target took a batch. A target that fails gets the same batch again, later and later, and
holds up no other one.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from idp.domain.audit import Audit, Entry, Origin
from idp.domain.audit_log.targets import NotDelivered, Target
from idp.domain.background import Background
from idp.domain.clock import Clock
from idp.domain.leasing import Leasing
from idp.store import audit_streams as rows
from idp.store import audit_tree
from idp.store.database import Store
from idp.store.errors import Conflict, StoreError
from idp.store.statements import Row

INTERVAL = 1.0
"""Seconds between two looks."""
BATCH = 200
"""Entries sent together."""
MOST_BATCHES = 20
"""Batches for one target before the next look."""
LONGEST_PAUSE = 300
"""Seconds between two tries, at most."""
_OURSELVES = Origin()
_log = logging.getLogger("idp.audit")


class AuditStreams:
    """Sends, in a thread of its own once `ensure_started` was called; nothing without targets."""

    def __init__(self, store: Store, clock: Clock, audit: Audit, targets: Sequence[Target]) -> None:
        self._store = store
        self._clock = clock
        self._audit = audit
        self._targets = [
            (target, Leasing(store, clock, f"audit-stream:{target.name}")) for target in targets
        ]
        self._background = Background(self._round, INTERVAL, (StoreError,), self._give_back)

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        if self._targets:
            self._background.ensure_started()

    def stop(self) -> None:
        """End the thread after the batch at hand; the leases are given back."""
        self._background.stop()

    def run_once(self) -> int:
        """Send what waits, a bounded number of entries; return how many. Raises StoreError."""
        return sum(self._advance(target) for target, lease in self._targets if lease.take())

    def states(self) -> list[Mapping[str, Any]]:
        """Return how far each target is: `name`, `behind`, `problem`, `delivered_at`."""
        with self._store.reading() as connection:
            head = audit_tree.head(connection)
            found = {name: rows.find(connection, name) for name in self._names()}
        size = head["size"] if head else 0
        return [
            {
                "name": name,
                "behind": size - row["position"] if row else 0,
                "problem": row["problem"] if row else None,
                "delivered_at": row["delivered_at"] if row else None,
            }
            for name, row in found.items()
        ]

    def _names(self) -> list[str]:
        return [target.name for target, _ in self._targets]

    def _round(self) -> None:
        self.run_once()

    def _give_back(self) -> None:
        for _, lease in self._targets:
            lease.give_back()

    def _advance(self, target: Target) -> int:
        sent = 0
        for _ in range(MOST_BATCHES):
            with self._store.reading() as connection:
                head = audit_tree.head(connection)
                state = rows.find(connection, target.name)
            if head is None:
                return 0
            if state is None:
                self._begin(target, head)
                return 0
            done = self._send(target, state, head)
            sent += done
            if done < BATCH:
                break
        return sent

    def _begin(self, target: Target, head: Row) -> None:
        """A new target gets what is sealed from now on; `idp audit export` has the rest."""
        try:
            with self._store.writing() as connection:
                rows.begin(connection, target.name, head["size"])
        except Conflict:
            _log.debug("another process began this stream")

    def _send(self, target: Target, state: Row, head: Row) -> int:
        """Send the next batch; return how many entries it had, 0 when nothing may be sent now."""
        first = state["position"]
        if first < head["dropped"]:
            self._skip(target, first, head["dropped"])
            return BATCH
        end = min(first + BATCH, head["size"])
        if end <= first or self._clock() < state["next_try_at"]:
            return 0
        with self._store.reading() as connection:
            entries = audit_tree.between(connection, first, end)
        try:
            target.send(entries)
        except NotDelivered as failure:
            self._put_off(target, state, str(failure))
            return 0
        with self._store.writing() as connection:
            rows.advance(connection, target.name, first, end, int(self._clock()))
        return int(end - first)

    def _put_off(self, target: Target, state: Row, problem: str) -> None:
        pause = min(1 << min(state["tries"], 16), LONGEST_PAUSE)
        _log.warning("audit stream %s: %s; again in %s s", target.name, problem, pause)
        at = int(self._clock()) + pause
        with self._store.writing() as connection:
            rows.put_off(connection, target.name, state["position"], at, problem)

    def _skip(self, target: Target, first: int, dropped: int) -> None:
        """What expired before the target took it is lost to it, and that is recorded."""
        detail = {"stream": target.name, "from": first, "before": dropped}
        with self._store.writing() as connection:
            if rows.advance(connection, target.name, first, dropped, None):
                entry = Entry("audit.stream_gap", outcome="refused", detail=detail)
                self._audit.record(connection, _OURSELVES, entry)
