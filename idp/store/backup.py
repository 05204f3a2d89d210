"""Copying the embedded database into a file and back, while others use it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, inspect, select

from idp.store.database import Store, engine_options
from idp.store.errors import StoreError
from idp.store.tables import Account, Client, table

_TELL_CLIENTS = """
    INSERT OR IGNORE INTO logout_notices
        (sid, client_id, subject, account_id, created_at, expires_at, next_try_at, tries)
    SELECT joined.sid, joined.client_id, joined.subject, sessions.account_id, :now, :now + 86400,
        :now, 0
    FROM session_clients AS joined
    JOIN sessions ON sessions.id = joined.session_id
    JOIN clients ON clients.client_id = joined.client_id
    WHERE sessions.ended_at IS NULL AND clients.disabled_at IS NULL
        AND json_extract(clients.details, '$.backchannel_logout_uri') IS NOT NULL
    """
_CLOSE_EVERYTHING = (
    "UPDATE sessions SET ended_at = :now WHERE ended_at IS NULL",
    "UPDATE authorizations SET revoked_at = :now, revoked_because = 'restored'"
    " WHERE revoked_at IS NULL",
    "UPDATE one_time SET used_at = :now WHERE used_at IS NULL",
    "DELETE FROM leases",
)
_NEWER = {
    "devices": "UPDATE devices SET trusted_until = NULL",
    "outgoing_mail": "DELETE FROM outgoing_mail WHERE sent_at IS NULL",
    "logout_notices": _TELL_CLIENTS,
}
"""Of tables that a copy from before they were made has not: they are made when it is used.

They go first, while the copy still says what was open.
"""


def open_alone(url: str) -> Store:
    """Return the way to a database that no application opens, because it will be replaced."""
    return Store(create_engine(url, **engine_options(url)))


def copy_to(connection: Connection, path: Path) -> None:
    """Write a consistent copy into the empty file at `path`."""
    connection.exec_driver_sql("VACUUM INTO ?", (str(path),))


def copy_from(connection: Connection, path: Path) -> None:
    """Replace the whole database by the copy at `path`, in one step. Raises StoreError."""
    raw: Any = connection.connection.driver_connection
    try:
        with closing(sqlite3.connect(path)) as source:
            source.backup(raw)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be copied into the database: {error}.") from error


def close_everything(path: Path, now: int, *, keep_keys: bool) -> None:
    """End sessions, authorizations, values that work once, trust in devices and unsent mail in the
    copy at `path`, and unless `keep_keys` its signing keys; tell clients of the sessions' end.

    What was ended after the copy was made must not come back to life. Raises StoreError.
    """
    keys = () if keep_keys else ("DELETE FROM signing_keys",)
    try:
        with closing(sqlite3.connect(path)) as copy, copy:
            there = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
            newer = [statement for name, statement in _NEWER.items() if name in there]
            for statement in (*newer, *_CLOSE_EVERYTHING, *keys):
                copy.execute(statement, {"now": now})
    except sqlite3.Error as error:
        raise StoreError(f"{path} is not a database of this program: {error}.") from error


def fact_in(path: Path, name: str) -> bytes | None:
    """Return the fact called `name` of the copy at `path`. Raises StoreError."""
    found = _value(path, "SELECT value FROM installation WHERE name = ?", name)
    return bytes(found) if found is not None else None


def revision_of(path: Path) -> str | None:
    """Return the schema revision of the copy at `path`. Raises StoreError."""
    found = _value(path, "SELECT version_num FROM alembic_version")
    return str(found) if found is not None else None


def is_empty(connection: Connection) -> bool:
    """Tell whether the database has no person and no client, or no tables at all."""
    present = [
        model for model in (Account, Client) if inspect(connection).has_table(table(model).name)
    ]
    return not any(
        connection.execute(select(table(model).c.id).limit(1)).first() for model in present
    )


def _value(path: Path, statement: str, *parameters: str) -> Any:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            row = copy.execute(statement, parameters).fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{path} is not a database of this program: {error}.") from error
    return row[0] if row else None
