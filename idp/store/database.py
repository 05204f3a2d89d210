"""The way to the database: connections that read, and connections that write in one transaction.

SQLite writers share transactions (shared_transaction.py): threads never fight over the file's lock
(SQLite's own waiting is by sleeping, which starves some), and several wait for one commit.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

import sqlalchemy
from sqlalchemy import Connection, Engine, ExceptionContext, event, make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from idp.store.errors import StoreUnavailable, renamed
from idp.store.shared_transaction import SharedTransaction
from idp.store.statements import Row

__all__ = ["Connection", "RowMapping", "Store", "engine_options"]

RowMapping = sqlalchemy.RowMapping | Row
"""A row by the names of its columns."""
WAIT_SECONDS = 5
_IDLE_READERS = 8
_BETWEEN_TRIES = 0.01


class Store:
    """Hands out connections. Domain alone asks for them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.embedded = engine.dialect.name == "sqlite"
        self._closed = False
        event.listen(engine, "handle_error", _translate)
        event.listen(engine, "checkin", self._checked_in)
        if self.embedded:
            event.listen(engine, "connect", _prepare_sqlite)
        self._readers = engine.execution_options(
            **({} if self.embedded else {"isolation_level": "AUTOCOMMIT"})
        )
        self._idle_readers: list[Connection] = []
        self._shared = SharedTransaction(engine, WAIT_SECONDS)
        _STORES.add(self)

    def after_fork(self) -> None:
        """Leave the connections to the process that opened them."""
        self.engine.dispose(close=False)
        self._closed = False
        self._idle_readers = []
        self._shared = SharedTransaction(self.engine, WAIT_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read with; each statement sees what is committed by then.

        Raises StoreUnavailable.
        """
        connection = self._take_reader()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _take_reader(self) -> Connection:
        try:
            return self._idle_readers.pop()
        except IndexError:
            with _pool_translated():
                return self._readers.connect()

    def _give_back(self, connection: Connection) -> None:
        """Keep a few of SQLite's readers at hand: opening one costs as much as what it reads.

        PostgreSQL's go through the pool, which looks whether they are still alive.
        """
        if self.embedded and not self._closed and len(self._idle_readers) < _IDLE_READERS:
            connection.rollback()
            self._idle_readers.append(connection)
        else:
            connection.close()

    @contextmanager
    def writing(self, *, foreign_keys: bool = True) -> Iterator[Connection]:
        """A connection in one transaction, committed at the end and undone by any exception.

        Only migrations switch SQLite's `foreign_keys` off. Raises StoreUnavailable, Conflict.
        """
        with _pool_translated():
            if not self.embedded:
                with self.engine.begin() as connection:
                    yield connection
            elif foreign_keys:
                with self._shared.member() as connection:
                    yield connection
            else:
                with self._shared.alone() as connection, _without_foreign_keys(connection):
                    yield connection

    def close(self) -> None:
        """Close every pooled connection, and each that is in use as soon as it is given back."""
        self._closed = True
        self.close_idle()

    def close_idle(self) -> None:
        """Close every connection that nobody uses now."""
        while self._idle_readers:
            self._idle_readers.pop().close()
        self.engine.dispose()

    def _checked_in(self, _connection: object, record: ConnectionPoolEntry) -> None:
        """The pool that lent it may be gone, and would not close it."""
        if self._closed:
            record.invalidate()


_STORES: WeakSet[Store] = WeakSet()


def _after_fork() -> None:
    for store in _STORES:
        store.after_fork()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def _pool_translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("every connection is in use") from error


def _translate(context: ExceptionContext) -> None:
    """Give errors our names where they happen; a wrong statement keeps its own."""
    if context.is_pre_ping or context.dialect is None:
        return
    error = context.original_exception
    ours = renamed(error, context.dialect.loaded_dbapi)
    if ours is not None:
        raise ours from error


def engine_options(url: str) -> dict[str, Any]:
    """Return how Flask-SQLAlchemy has to make the engine for `url`; a SQLite file is made."""
    options: dict[str, Any] = {"pool_timeout": WAIT_SECONDS, "pool_size": 10, "max_overflow": 10}
    options["hide_parameters"] = True  # an error's text goes to the log
    if url.startswith("sqlite"):
        _make_private(Path(make_url(url).database or ""))
        options["connect_args"] = {"timeout": WAIT_SECONDS, "check_same_thread": False}
        return options
    milliseconds = WAIT_SECONDS * 1000
    options["pool_pre_ping"] = True
    options["connect_args"] = {
        "connect_timeout": WAIT_SECONDS,
        "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} "
        "-c timezone=UTC",
    }
    return options


def _make_private(file: Path) -> None:
    """Make an empty file that its owner alone may read, whatever the umask, unless there is one.

    SQLite gives the files beside it the same mode.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):  # SQLite tells what is wrong when it opens the file
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None
    _use_wal(raw)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        raw.execute(f"PRAGMA {pragma}")


def _use_wal(raw: Any) -> None:
    """Try again when several processes switch a new file at once: there SQLite waits for nobody."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_BETWEEN_TRIES)
        else:
            return


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Begin and end a transaction without them: inside of one SQLite ignores the switch."""
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")
