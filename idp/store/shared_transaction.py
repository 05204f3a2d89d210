"""One transaction of SQLite for all threads that write at the same moment (group commit).

A commit waits for the disk; meanwhile the next writers gather. They take turns in one transaction,
each behind a savepoint of its own, and the last one commits for all: one wait serves many, and each
still returns only when what it wrote is on the disk. They see one another's changes in the order of
their turns, as if each had committed by itself. If the commit fails, it fails for all of them.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

from idp.store.errors import StoreUnavailable


class _Batch:
    """A transaction. `members` have written and wait until it has `ended`, well or in `failure`."""

    def __init__(self, connection: Connection, longest_seconds: float) -> None:
        self.connection = connection
        self._ends_at = time.monotonic() + longest_seconds
        self.raw: Any = connection.connection.driver_connection
        self.members = 0
        self.ended = threading.Event()
        self.failure: Exception | None = None

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Keep one member's changes together: an exception undoes them and no other's."""
        self.raw.execute("SAVEPOINT member")
        try:
            yield
        except BaseException:
            self._leave("ROLLBACK TO member")
            raise
        self._leave()
        if self.failure is not None:
            raise StoreUnavailable("the transaction was lost") from self.failure
        self.members += 1

    def _leave(self, *before: str) -> None:
        """End the savepoint. A full disk, for one, makes SQLite give up the whole transaction."""
        try:
            for statement in (*before, "RELEASE member"):
                self.raw.execute(statement)
        except sqlite3.Error as error:
            self.failure = error

    def may_go_on(self) -> bool:
        """Whether more writers may join: nobody's commit is put off for long."""
        return self.failure is None and time.monotonic() < self._ends_at

    def end(self) -> None:
        """Commit for all members, and tell them."""
        try:
            if self.failure is None:
                self.raw.execute("COMMIT" if self.members else "ROLLBACK")
        except sqlite3.Error as error:
            self.failure = error
        finally:
            self.connection.close()
            self.ended.set()


class SharedTransaction:
    """The writers of one process. `wait_seconds` is how long one waits for its turn."""

    longest_seconds = 0.01
    """How long writers may join a transaction: those that come later wait for the next."""

    def __init__(self, engine: Engine, wait_seconds: float) -> None:
        self._engine = engine
        self._wait_seconds = wait_seconds
        self._turn = threading.Condition()
        self._taken = False
        self._waiting = 0
        self._batch: _Batch | None = None

    @contextmanager
    def member(self) -> Iterator[Connection]:
        """A connection for one writer; at the end its changes are on the disk.

        Raises StoreUnavailable.
        """
        self._take_turn()
        try:
            batch = self._batch = self._batch or self._begin()
            with batch.savepoint():
                yield batch.connection
        finally:
            self._pass_turn()
        batch.ended.wait()
        if batch.failure is not None:
            raise StoreUnavailable("nothing could be committed") from batch.failure

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection without a transaction, while all other writers wait."""
        self._take_turn()
        try:
            self._end()
            with self._engine.connect() as connection:
                yield connection
        finally:
            self._pass_turn()

    def _take_turn(self) -> None:
        with self._turn:
            self._waiting += 1
            came = self._turn.wait_for(lambda: not self._taken, self._wait_seconds)
            self._waiting -= 1
            if not came:
                raise StoreUnavailable("other writers took too long")
            self._taken = True

    def _pass_turn(self) -> None:
        """Let who waits go on with the transaction; when nobody does, it ends."""
        with self._turn:
            if self._waiting and (self._batch is None or self._batch.may_go_on()):
                self._give_turn()
                return
        self._end()
        with self._turn:
            self._give_turn()

    def _give_turn(self) -> None:
        self._taken = False
        self._turn.notify()

    def _begin(self) -> _Batch:
        batch = _Batch(self._engine.connect(), self.longest_seconds)
        try:
            batch.raw.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            batch.connection.close()
            raise StoreUnavailable(type(error).__name__) from error
        return batch

    def _end(self) -> None:
        batch, self._batch = self._batch, None
        if batch is not None:
            batch.end()
