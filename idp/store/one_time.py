"""Queries on the values that work once."""

from typing import Any

from sqlalchemy import Connection, LargeBinary, bindparam, func, insert, select, update

from idp.store.statements import Row, Statement
from idp.store.tables import OneTime, table

_TABLE = table(OneTime)
_INSERT = Statement(insert(_TABLE))
_FIND = Statement(select(_TABLE).where(_TABLE.c.digest == bindparam("digest_")))
_FIND_LOCKED = Statement(
    select(_TABLE).where(_TABLE.c.digest == bindparam("digest_")).with_for_update()
)
_TAKE = Statement(
    update(_TABLE)
    .where(
        _TABLE.c.digest == bindparam("digest_"),
        _TABLE.c.used_at.is_(None),
        _TABLE.c.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(_TABLE.c.sealed)
)
_TAKE_BOUND = Statement(
    update(_TABLE)
    .where(
        _TABLE.c.binding == bindparam("binding_"),
        _TABLE.c.kind == bindparam("kind_"),
        _TABLE.c.used_at.is_(None),
    )
    .values(used_at=bindparam("now"))
)
_BIND = Statement(
    update(_TABLE)
    .where(_TABLE.c.digest == bindparam("digest_"), _TABLE.c.binding.is_(None))
    .values(binding=bindparam("binding_"))
)
_CHANGE = (
    update(_TABLE)
    .where(_TABLE.c.digest == bindparam("digest_"))
    .values(
        sealed=bindparam("sealed_"),
        binding=func.coalesce(bindparam("binding_", type_=LargeBinary), _TABLE.c.binding),
    )
)
_REWRITE = Statement(_CHANGE)
_REWRITE_UNUSED = Statement(_CHANGE.where(_TABLE.c.used_at.is_(None)))


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add an unused value. Raises Conflict when it exists."""
    _INSERT.run(connection, row)


def find(connection: Connection, digest: bytes, *, lock: bool = False) -> Row | None:
    """Return a value's row, used or not; `lock` keeps others from changing it meanwhile."""
    statement = _FIND_LOCKED if lock else _FIND
    return statement.first(connection, {"digest_": digest})


def take(connection: Connection, digest: bytes, now: int) -> bytes | None:
    """Mark an unused, unexpired value as used and return its payload: one caller wins, the others
    get None.
    """
    row = _TAKE.first(connection, {"digest_": digest, "now": now})
    return row["sealed"] if row else None


def take_bound(connection: Connection, kind: str, binding: bytes, now: int) -> None:
    """Mark every unused value of `kind` with this binding as used."""
    _TAKE_BOUND.run(connection, {"kind_": kind, "binding_": binding, "now": now})


def bind(connection: Connection, digest: bytes, binding: bytes) -> bool:
    """Tie an unbound value to a browser: the first caller wins."""
    return _BIND.run(connection, {"digest_": digest, "binding_": binding}) == 1


def rewrite(
    connection: Connection,
    digest: bytes,
    sealed: bytes,
    binding: bytes | None,
    *,
    unless_used: bool = False,
) -> None:
    """Change payload, and binding where one is given; `unless_used` leaves a used one as it is."""
    statement = _REWRITE_UNUSED if unless_used else _REWRITE
    statement.run(connection, {"digest_": digest, "sealed_": sealed, "binding_": binding})
