"""Queries on how far each target of the audit log's entries is."""

from sqlalchemy import Connection, bindparam, insert, select, update

from idp.store.statements import Row, Statement
from idp.store.tables import AuditStream, table

_TABLE = table(AuditStream)
_FIND = Statement(select(_TABLE).where(_TABLE.c.name == bindparam("name_")))


def find(connection: Connection, name: str) -> Row | None:
    """Return the state of a stream."""
    return _FIND.first(connection, {"name_": name})


def begin(connection: Connection, name: str, position: int) -> None:
    """Begin a stream at a position. Raises Conflict when it has begun."""
    row = {"name": name, "position": position, "tries": 0, "next_try_at": 0}
    connection.execute(insert(_TABLE), row)


def advance(connection: Connection, name: str, first: int, end: int, now: int | None) -> bool:
    """Note that a stream has everything before `end`; False when it was not at `first`."""
    statement = (
        update(_TABLE)
        .where(_TABLE.c.name == name, _TABLE.c.position == first)
        .values(position=end, tries=0, next_try_at=0, problem=None)
    )
    if now is not None:
        statement = statement.values(delivered_at=now)
    return connection.execute(statement).rowcount == 1


def put_off(connection: Connection, name: str, first: int, at: int, problem: str) -> None:
    """Note that a try failed, and when to try again."""
    statement = (
        update(_TABLE)
        .where(_TABLE.c.name == name, _TABLE.c.position == first)
        .values(tries=_TABLE.c.tries + 1, next_try_at=at, problem=problem)
    )
    connection.execute(statement)
