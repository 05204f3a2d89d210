"""Bringing the database up to date: one process at a time does it, the others wait and find it
done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from idp.store.database import Store
from idp.store.errors import StoreError
from idp.store.tables import db

_ADVISORY_LOCK = 0x446F6F72
_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(store: Store) -> None:
    """Run the migrations that are missing, in one transaction. Raises StoreError,
    StoreUnavailable.
    """
    if current_revision(store) == newest_revision():
        return
    with _alone(store) as connection:
        if _revision_of(connection) != newest_revision():
            command.upgrade(_config(connection), "head")
            _refuse_dangling_references(store, connection)


def current_revision(store: Store) -> str | None:
    """Return the revision of the database, None when it is empty."""
    with store.reading() as connection:
        return _revision_of(connection)


def newest_revision() -> str | None:
    """Return the revision that this program needs."""
    return _newest(_MIGRATIONS)


def differences(store: Store) -> list[object]:
    """Return what the tables in the code have and the database has not, or the reverse."""
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, db.metadata))


@cache
def _newest(folder: Path) -> str | None:
    return ScriptDirectory(str(folder)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@contextmanager
def _alone(store: Store) -> Iterator[Connection]:
    """Hold the database's migration lock.

    On SQLite foreign keys are off meanwhile: a table that is rebuilt with them on takes the rows
    that refer to it along (ON DELETE CASCADE), silently. The switch works only outside a
    transaction.
    """
    if not store.embedded:
        with store.writing() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            yield connection
        return
    with store.writing(foreign_keys=False) as connection:
        yield connection


def _refuse_dangling_references(store: Store, connection: Connection) -> None:
    if store.embedded and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError("A migration would leave rows that refer to nothing; nothing was changed.")
