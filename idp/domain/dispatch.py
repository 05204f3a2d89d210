"""Delivering the rows of a queue: each process looks every second, and one of them tries each row.

A row is claimed by putting its next try off; whoever dies with it leaves it to the others. Nothing
is tried inside a transaction.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from idp.domain.background import Background
from idp.domain.clock import Clock
from idp.store.database import Connection, RowMapping, Store
from idp.store.errors import StoreError
from idp.store.leased_rows import LeasedRows

INTERVAL = 1.0
"""Seconds between two looks."""
MOST_AT_ONCE = 20
"""Rows tried before the next look, so that the thread ends soon when it is asked to."""
CLAIM = 120
"""Seconds for which a claimed row is left to whoever claimed it: longer than a try takes."""
_log = logging.getLogger("idp.delivery")


@dataclass(frozen=True)
class Problem:
    """Why something was not delivered. `permanent`: trying again is of no use."""

    said: str
    permanent: bool = False


Attempt = Callable[[RowMapping], Problem | None]
"""Tries a row; returns what was wrong, None when it was delivered."""
Note = Callable[[Connection, RowMapping, Problem | None], None]
"""Told in the transaction that settles a row for good: delivered, or given up."""


@dataclass(frozen=True)
class Manner:
    """How a queue is worked off: `pause` returns the seconds after so many tries, None after the
    last; `together` are tried at the same time.
    """

    name: str
    attempt: Attempt
    pause: Callable[[int], int | None]
    note: Note
    together: int = 1


class Dispatch:
    """Works off a queue in a thread of its own once `ensure_started` was called."""

    def __init__(self, store: Store, clock: Clock, queue: LeasedRows, manner: Manner) -> None:
        self._store = store
        self._clock = clock
        self._queue = queue
        self._manner = manner
        self._background = Background(self._round, INTERVAL, (), _nothing)

    def ensure_started(self) -> None:
        """Start the thread unless this process has it; cheap enough for each request."""
        self._background.ensure_started()

    def stop(self) -> None:
        """End the thread after the rows at hand, for which it waits at most 5 s."""
        self._background.stop()

    def run_once(self) -> int:
        """Try rows that are due, a bounded number; return how many. Raises StoreUnavailable."""
        tried = 0
        while tried < MOST_AT_ONCE:
            rows = self._claim(min(self._manner.together, MOST_AT_ONCE - tried))
            if not rows:
                break
            for row, problem in zip(rows, self._attempt(rows), strict=True):
                self._settle(row, problem)
            tried += len(rows)
        return tried

    def _round(self) -> None:
        try:
            self.run_once()
        except StoreError as error:
            _log.warning("%s waits for the database: %s", self._manner.name, error)

    def _claim(self, most: int) -> list[RowMapping]:
        now = int(self._clock())
        with self._store.reading() as connection:
            if not self._queue.any_due(connection, now):
                return []
        rows: list[RowMapping] = []
        with self._store.writing() as connection:
            while len(rows) < most and (row := self._queue.claim(connection, now, now + CLAIM)):
                rows.append(row)
        return rows

    def _attempt(self, rows: Sequence[RowMapping]) -> list[Problem | None]:
        if len(rows) == 1:
            return [self._manner.attempt(rows[0])]
        with ThreadPoolExecutor(len(rows)) as pool:
            return list(pool.map(self._manner.attempt, rows))

    def _settle(self, row: RowMapping, problem: Problem | None) -> None:
        now = int(self._clock())
        later = self._next_try(row, problem, now)
        if problem is not None:
            outlook = "given up" if later is None else f"again in {later - now} s"
            what = f"{self._manner.name} {row[self._queue.key]}"
            _log.warning("%s: %s; %s", what, problem.said, outlook)
        with self._store.writing() as connection:
            sent_at, said = (now, None) if problem is None else (None, problem.said)
            mine = self._queue.settle(
                connection, row, sent_at=sent_at, next_try_at=later, problem=said
            )
            if mine and later is None:
                self._manner.note(connection, row, problem)

    def _next_try(self, row: RowMapping, problem: Problem | None, now: int) -> int | None:
        """Return when to try again; None for never, as it would come too late."""
        if problem is None or problem.permanent:
            return None
        pause = self._manner.pause(row["tries"])
        return None if pause is None or now + pause >= row["expires_at"] else now + pause


def _nothing() -> None:
    """Nothing is to be given back at the end."""
