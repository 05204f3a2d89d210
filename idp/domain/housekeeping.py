"""What recurs: moving keys on, and deleting what has expired. One node does it at a time, by lease.

A node that dies keeps the lease for a few intervals; then another one goes on. Two at once would
do no harm, only the same work twice.
"""

import math
import os
import secrets
import socket
from collections.abc import Callable, Sequence

from idp.config import Settings
from idp.crypto.sealing import SealBroken
from idp.domain.background import Background
from idp.domain.clock import Clock
from idp.domain.errors import DomainError
from idp.domain.signing_keys import SigningKeys
from idp.store import leases, purge
from idp.store import signing_keys as keys
from idp.store.database import Connection, Store
from idp.store.errors import StoreError

LEASE = "housekeeping"
BATCH = 500
"""Rows deleted in one transaction."""
MOST_BATCHES = 40
"""Batches of one table in one run."""
GRACE = 3600
"""Seconds that expired rows are kept: a clock that is ahead must not delete what still counts."""
_LONGEST_INTERVAL = 60
_SHORTEST_INTERVAL = 0.5
_SHORTEST_LEASE = 5
_LEASE_INTERVALS = 3


class Housekeeping:
    """Does what is due, and what is named as `also`, in a thread of its own once `ensure_started`
    was called.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        settings: Settings,
        signing_keys: SigningKeys,
        also: Sequence[Callable[[], object]] = (),
    ) -> None:
        self._store = store
        self._clock = clock
        self._signing_keys = signing_keys
        self._also = also
        self._key_retention = settings.audit_retention
        # Keys may change late, never early: half of the shortest period is often enough.
        period = min(settings.jwks_max_age, settings.key_rotation_period) / 2
        self.interval = min(max(period, _SHORTEST_INTERVAL), _LONGEST_INTERVAL)
        """Seconds between two runs."""
        failures = (StoreError, DomainError, SealBroken)
        self._background = Background(self.run_once, self.interval, failures, self._give_back)
        self._token = secrets.token_hex(4)

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        self._background.ensure_started()

    def stop(self) -> None:
        """End the thread; the lease is given back."""
        self._background.stop()

    def run_once(self) -> bool:
        """Do what is due; False when another process is at it. Raises StoreUnavailable."""
        if not self._take_lease():
            return False
        self._signing_keys.advance()
        now = int(self._clock())
        for name in purge.EXPIRING:
            self._in_batches(_purging(name, now - GRACE))
        for deed in self._also:
            deed()
        with self._store.writing() as connection:
            keys.forget(connection, now - self._key_retention)
        return True

    @property
    def _holder(self) -> str:
        return f"{socket.gethostname()}:{os.getpid()}:{self._token}"

    def _take_lease(self) -> bool:
        now = int(self._clock())
        with self._store.reading() as connection:
            holder = leases.holder(connection, LEASE, now)
        if holder not in {None, self._holder}:
            return False
        lifetime = max(math.ceil(self.interval * _LEASE_INTERVALS), _SHORTEST_LEASE)
        with self._store.writing() as connection:
            return leases.take(connection, LEASE, self._holder, now, lifetime)

    def _give_back(self) -> None:
        with self._store.writing() as connection:
            leases.release(connection, LEASE, self._holder)

    def _in_batches(self, delete: Callable[[Connection], int]) -> None:
        for _ in range(MOST_BATCHES):
            with self._store.writing() as connection:
                deleted = delete(connection)
            if deleted < BATCH:
                return


def _purging(name: str, before: int) -> Callable[[Connection], int]:
    return lambda connection: purge.expired(connection, name, before, BATCH)
