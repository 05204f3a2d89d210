"""Queries on the server's own symmetric keys."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from idp.store.tables import SealedSecret, table

_TABLE = table(SealedSecret)
_INSERT = insert(_TABLE)
_FIND = select(_TABLE.c.sealed).where(_TABLE.c.name == bindparam("name_"))


def find(connection: Connection, name: str) -> bytes | None:
    """Return the sealed key called `name`."""
    row = connection.execute(_FIND, {"name_": name}).first()
    return bytes(row[0]) if row else None


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a key. Raises Conflict when another process did."""
    connection.execute(_INSERT, row)
