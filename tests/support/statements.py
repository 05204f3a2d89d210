"""Which statements a SQLite database is asked while something happens, by whatever way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from idp.store.database import Store


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    """Collect the statements of a block, in order, with the values they were given."""
    found: list[str] = []

    def watch(connection: Any, *_rest: Any) -> None:
        connection.set_trace_callback(found.append)

    def leave(connection: Any, *_rest: Any) -> None:
        connection.set_trace_callback(None)

    event.listen(store.engine, "checkout", watch)
    event.listen(store.engine, "checkin", leave)
    try:
        yield found
    finally:
        event.remove(store.engine, "checkout", watch)
        event.remove(store.engine, "checkin", leave)
