"""Values that may be a few seconds old, read once and then answered from memory.

Only clients, resource servers, keys and policies are; sessions, authorizations and accounts never.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from idp.domain.clock import Clock

Value = TypeVar("Value")
LARGEST = 10_000


class Recent(Generic[Value]):
    """Keeps at most `size` values for at most `seconds`, absent ones too. Threads may share it."""

    def __init__(self, clock: Clock, seconds: float, size: int = LARGEST) -> None:
        self._clock = clock
        self._seconds = seconds
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()
        self._changes = 0

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """Return the value of `key`, by `read` when there is none young enough."""
        now = self._clock()
        with self._lock:
            kept = self._kept.get(key)
            changes = self._changes
        # A clock that was set back must not make a value live on.
        if kept is not None and 0 <= now - kept[0] < self._seconds:
            return kept[1]
        value = read()
        with self._lock:
            # What was read before a change of our own is not kept after it.
            if changes == self._changes:
                self._keep(key, now, value)
        return value

    def _keep(self, key: Hashable, now: float, value: Value) -> None:
        self._kept[key] = (now, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)

    def forget_one(self, key: Hashable) -> None:
        """Drop one value: nothing but that was changed here."""
        with self._lock:
            self._changes += 1
            self._kept.pop(key, None)

    def forget(self) -> None:
        """Drop everything: something was changed here."""
        with self._lock:
            self._changes += 1
            self._kept.clear()
