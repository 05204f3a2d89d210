"""The way to the database: connections that read, and connections that write in one transaction.

SQLite writers take turns in the process before they ask for the file's lock, so that threads never
fight over it (SQLite's own waiting is by sleeping, which starves some), and begin with BEGIN
IMMEDIATE, because a transaction that has read first cannot always become a writer.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, RowMapping, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from idp.store.errors import Conflict, StoreUnavailable

__all__ = ["Connection", "RowMapping", "Store", "engine_options"]

WAIT_SECONDS = 5
_WRITE = "doorward_write"


class Store:
    """Hands out connections. Domain alone asks for them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.embedded = engine.dialect.name == "sqlite"
        self._turn = threading.Lock() if self.embedded else None
        event.listen(engine, "handle_error", _translate)
        if self.embedded:
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        self._readers = engine.execution_options(
            **({} if self.embedded else {"isolation_level": "AUTOCOMMIT"})
        )
        self._writers = engine.execution_options(**{_WRITE: True})
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self.engine.dispose(close=False)
        if self.embedded:
            self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading; each statement sees what is committed. Raises
        StoreUnavailable.
        """
        with _pool_translated(), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, foreign_keys: bool = True) -> Iterator[Connection]:
        """A connection in one transaction, committed at the end and rolled back by any exception.

        Only migrations switch SQLite's `foreign_keys` off. Raises StoreUnavailable, Conflict.
        """
        with _pool_translated(), self._taking_turns(), self._writers.connect() as connection:
            if foreign_keys:
                with connection.begin():
                    yield connection
            else:
                with _without_foreign_keys(connection), connection.begin():
                    yield connection

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        turn = self._turn
        if turn is None:
            yield
            return
        if not turn.acquire(timeout=WAIT_SECONDS):
            raise StoreUnavailable("other writers took too long")
        try:
            yield
        finally:
            turn.release()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


@contextmanager
def _pool_translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("every connection is in use") from error


def _translate(context: ExceptionContext) -> None:
    """Give errors our names where they happen; a wrong statement keeps its own."""
    error = context.sqlalchemy_exception
    if context.is_pre_ping:
        return
    if isinstance(error, IntegrityError):
        raise Conflict(str(error.orig)) from error
    if isinstance(error, DBAPIError) and _passing(error):
        raise StoreUnavailable(type(error).__name__) from error


def _passing(error: DBAPIError) -> bool:
    """Whether trying again may help: lost connections, locks, read-only and full databases; not a
    wrong statement.
    """
    return type(error).__name__ in {"OperationalError", "InternalError", "InterfaceError"}


def engine_options(url: str) -> dict[str, Any]:
    """Return how Flask-SQLAlchemy has to make the engine for `url`; the folder of a SQLite file is
    made.
    """
    options: dict[str, Any] = {"pool_timeout": WAIT_SECONDS, "pool_size": 10, "max_overflow": 10}
    if url.startswith("sqlite"):
        Path(url.partition("///")[2]).parent.mkdir(parents=True, exist_ok=True)
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


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        raw.execute(f"PRAGMA {pragma}")


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """SQLite ignores the switch inside a transaction, so it is thrown on the raw connection before
    it begins.
    """
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITE):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
