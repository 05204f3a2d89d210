"""Queries on the values that work once."""

from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from idp.store.tables import OneTime, table

_TABLE = table(OneTime)
_INSERT = insert(_TABLE)
_FIND = select(_TABLE).where(_TABLE.c.digest == bindparam("digest_"))
_TAKE = (
    update(_TABLE)
    .where(
        _TABLE.c.digest == bindparam("digest_"),
        _TABLE.c.used_at.is_(None),
        _TABLE.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(_TABLE.c.sealed)
)
_BIND = (
    update(_TABLE)
    .where(_TABLE.c.digest == bindparam("digest_"), _TABLE.c.binding.is_(None))
    .values(binding=bindparam("binding_"))
)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add an unused value. Raises Conflict when it exists."""
    connection.execute(_INSERT, row)


def find(connection: Connection, digest: bytes) -> RowMapping | None:
    """Return a value's row, used or not."""
    return connection.execute(_FIND, {"digest_": digest}).mappings().first()


def take(connection: Connection, digest: bytes, now: int) -> bytes | None:
    """Mark an unused, unexpired value as used and return its payload: one caller wins, the others
    get None.
    """
    row = connection.execute(_TAKE, {"digest_": digest, "now": now}).first()
    return row[0] if row else None


def bind(connection: Connection, digest: bytes, binding: bytes) -> bool:
    """Tie an unbound value to a browser: the first caller wins."""
    return connection.execute(_BIND, {"digest_": digest, "binding_": binding}).rowcount == 1


def change(connection: Connection, digest: bytes, values: dict[str, Any]) -> None:
    """Change payload, binding or lifetime of a value."""
    connection.execute(update(_TABLE).where(_TABLE.c.digest == digest).values(**values))
