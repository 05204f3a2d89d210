"""Queries on remembered scopes."""

from sqlalchemy import Connection, bindparam, delete, insert, select

from idp.store.statements import Statement
from idp.store.tables import Consent, table

_TABLE = table(Consent)
_FIND = Statement(
    select(_TABLE.c.resource, _TABLE.c.scope).where(
        _TABLE.c.account_id == bindparam("account_id_"),
        _TABLE.c.client_id == bindparam("client_id_"),
    )
)


def find(connection: Connection, account_id: str, client_id: str) -> frozenset[tuple[str, str]]:
    """Return the (resource, scope) pairs that a person allowed a client."""
    parameters = {"account_id_": account_id, "client_id_": client_id}
    rows = _FIND.all(connection, parameters)
    return frozenset((row["resource"], row["scope"]) for row in rows)


def add(
    connection: Connection,
    account_id: str,
    client_id: str,
    pairs: frozenset[tuple[str, str]],
    now: int,
) -> None:
    """Remember pairs that were not remembered yet."""
    shared = {"account_id": account_id, "client_id": client_id, "granted_at": now}
    fresh = pairs - find(connection, account_id, client_id)
    if fresh:
        rows = [{**shared, "resource": resource, "scope": scope} for resource, scope in fresh]
        connection.execute(insert(_TABLE), rows)


def forget(connection: Connection, account_id: str, client_id: str) -> int:
    """Forget all that a person allowed a client; return how many rows that were."""
    statement = delete(_TABLE).where(
        _TABLE.c.account_id == account_id, _TABLE.c.client_id == client_id
    )
    return connection.execute(statement).rowcount
