"""A lease on a recurring task: one process does it at a time; when it dies another one goes on."""

import os
import secrets
import socket

from idp.domain.clock import Clock
from idp.store import leases
from idp.store.database import Store

SECONDS = 15
"""For which a process that died keeps the others waiting."""


class Leasing:
    """One process's share in the lease `name`. It spares work: nothing may depend on it alone."""

    def __init__(self, store: Store, clock: Clock, name: str) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._until = 0

    def take(self) -> bool:
        """Take or keep the lease; False while another process has it. Raises StoreUnavailable."""
        now = int(self._clock())
        if now < self._until - SECONDS // 2:
            return True
        with self._store.reading() as connection:
            holder = leases.holder(connection, self._name, now)
        if holder not in {None, self._holder}:
            self._until = 0
            return False
        with self._store.writing() as connection:
            taken = leases.take(connection, self._name, self._holder, now, SECONDS)
        self._until = now + SECONDS if taken else 0
        return taken

    def give_back(self) -> None:
        """Let another process go on at once. Raises StoreUnavailable."""
        if self._until:
            self._until = 0
            with self._store.writing() as connection:
                leases.release(connection, self._name, self._holder)
