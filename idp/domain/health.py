"""Whether the database answers and takes writes."""

from idp.store import leases
from idp.store.database import Store
from idp.store.errors import StoreError


class Health:
    """Tries the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.draining = False

    def drain(self) -> None:
        """Ask load balancers to send no more: this node is about to stop."""
        self.draining = True

    def reads(self) -> bool:
        """Whether this node should get requests: not draining, and reads work."""
        if self.draining:
            return False
        try:
            with self._store.reading() as connection:
                leases.holder(connection, "health", 0)
        except StoreError:
            return False
        return True

    def writes(self) -> bool:
        """Whether a write would be kept."""
        try:
            with self._store.writing() as connection:
                leases.release(connection, "health", "nobody")
        except StoreError:
            return False
        return True
