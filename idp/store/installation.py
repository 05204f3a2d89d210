"""Queries on the facts about this database."""

from sqlalchemy import Connection, bindparam, insert, select, update

from idp.store.tables import Installation, table

_TABLE = table(Installation)
_INSERT = insert(_TABLE)
_FIND = select(_TABLE.c.value).where(_TABLE.c.name == bindparam("name_"))
_CHANGE = (
    update(_TABLE).where(_TABLE.c.name == bindparam("name_")).values(value=bindparam("value_"))
)


def find(connection: Connection, name: str) -> bytes | None:
    """Return the fact called `name`."""
    row = connection.execute(_FIND, {"name_": name}).first()
    return bytes(row[0]) if row else None


def add(connection: Connection, name: str, value: bytes) -> None:
    """Write a fact down for the first time. Raises Conflict when another process did."""
    connection.execute(_INSERT, {"name": name, "value": value})


def change(connection: Connection, name: str, value: bytes) -> None:
    """Replace a fact."""
    connection.execute(_CHANGE, {"name_": name, "value_": value})
