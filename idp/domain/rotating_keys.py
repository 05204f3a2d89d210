"""Keys that take turns: what those that sign and those that decrypt have in common.

Answers may be `cache_lifetime` seconds old; the schedule allows for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit, Origin
from idp.domain.clock import Clock
from idp.domain.key_rotation import KeyRotation, KeyUse
from idp.domain.key_schedule import KeyInfo, KeySchedule, Step
from idp.domain.recent import Recent
from idp.store import signing_keys as rows
from idp.store.database import RowMapping, Store
from idp.store.errors import StoreUnavailable

_OURSELVES = Origin()
View = TypeVar("View")


class RotatingKeys(ABC, Generic[View]):
    """Changes the keys of one use, and keeps what was read of them. Threads may share it."""

    def __init__(
        self,
        store: Store,
        sealer: Sealer,
        audit: Audit,
        clock: Clock,
        settings: Settings,
        *,
        use: KeyUse,
        schedule: KeySchedule,
        algorithms: Sequence[str],
    ) -> None:
        self.schedule = schedule
        self.algorithms = tuple(algorithms)
        self._use = use
        self._rotation = KeyRotation(store, sealer, audit, clock, schedule, use, self.algorithms)
        self._store = store
        self._sealer = sealer
        self._recent: Recent[View] = Recent(clock, settings.cache_lifetime, 1)
        self._last: View | None = None

    def ensure(self) -> None:
        """Make the keys that are missing; at start."""
        self.advance()
        self._rotation.lengthen()

    def advance(self, origin: Origin = _OURSELVES, actor: str = "server") -> Sequence[Step]:
        """Do what the schedule asks for by now, and return it."""
        return self._changed(self._rotation.advance(origin, actor))

    def rotate(
        self,
        algorithm: str | None = None,
        *,
        emergency: bool = False,
        dry_run: bool = False,
        origin: Origin,
        actor: str,
    ) -> Sequence[Step]:
        """Let the next key of one or all algorithms follow, and return what was (or would be) done.

        In an emergency the active key is withdrawn at once, and its tokens with it. Raises
        NotFound, and TooEarly unless it is an emergency.
        """
        steps = self._rotation.rotate(
            (algorithm,) if algorithm else self.algorithms,
            emergency=emergency,
            dry_run=dry_run,
            origin=origin,
            actor=actor,
        )
        return self._changed(steps)

    def retire(
        self,
        kid: str,
        *,
        emergency: bool = False,
        dry_run: bool = False,
        origin: Origin,
        actor: str,
    ) -> Sequence[Step]:
        """Take one key out of use; where it is the active one, the next one takes over.

        Raises NotFound, Invalid, TooEarly.
        """
        steps = self._rotation.retire(
            kid, emergency=emergency, dry_run=dry_run, origin=origin, actor=actor
        )
        return self._changed(steps)

    def list(self) -> list[KeyInfo]:
        """Return every key that is remembered, with its dates."""
        return self._rotation.keys()

    def _changed(self, steps: Sequence[Step]) -> Sequence[Step]:
        if steps:
            self._recent.forget()
        return steps

    def _latest(self) -> View:
        """Return the keys, as they were last when the database can't be reached."""
        try:
            return self._view()
        except StoreUnavailable:
            if self._last is None:
                raise
            return self._last

    def _view(self) -> View:
        return self._recent.get("all", self._read)

    def _read(self) -> View:
        with self._store.reading() as connection:
            found = rows.read(connection)
        self._last = self._seen([row for row in found if row["algorithm"] in self._use.known])
        return self._last

    @abstractmethod
    def _seen(self, found: Sequence[RowMapping]) -> View:
        """Return the view of these rows; what was parsed before is in `_last`."""
