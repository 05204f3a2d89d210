"""Values of others that may come once: an assertion's `jti`, on all nodes together."""

import json

from idp.domain.clock import Clock
from idp.domain.one_time import OneTimeValues
from idp.store.database import Store
from idp.store.errors import Conflict


class SeenOnce:
    """Remembers what came, in the database, for as long as it could come again."""

    def __init__(self, store: Store, one_time: OneTimeValues, clock: Clock) -> None:
        self._store = store
        self._one_time = one_time
        self._clock = clock

    def first(self, kind: str, owner: str, value: str, until: float) -> bool:
        """Whether `value` of `owner` comes for the first time before `until`, seconds since 1970.

        Of many at once one is the first.
        """
        lifetime = max(int(until - self._clock()) + 1, 1)
        # Any text may come, also one that can't be encoded.
        name = json.dumps([owner, value])
        try:
            with self._store.writing() as connection:
                self._one_time.put(connection, kind, name, {}, lifetime, tombstone=0)
        except Conflict:
            return False
        return True
