"""Queries on remembered scopes."""

from sqlalchemy import Connection, bindparam, delete, select, text

from idp.store.statements import Statement
from idp.store.tables import Consent, table

_TABLE = table(Consent)
_FIND = Statement(
    select(_TABLE.c.resource, _TABLE.c.scope).where(
        _TABLE.c.account_id == bindparam("account_id_"),
        _TABLE.c.client_id == bindparam("client_id_"),
    )
)

_ADD = text(
    """
    INSERT INTO consents (account_id, client_id, resource, scope, granted_at)
    VALUES (:account_id, :client_id, :resource, :scope, :granted_at)
    ON CONFLICT DO NOTHING
    """
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
    """Remember pairs; those remembered already stay as they are, whoever adds them meanwhile."""
    shared = {"account_id": account_id, "client_id": client_id, "granted_at": now}
    for resource, scope in sorted(pairs):
        connection.execute(_ADD, {**shared, "resource": resource, "scope": scope})


def forget(connection: Connection, account_id: str, client_id: str) -> int:
    """Forget all that a person allowed a client; return how many rows that were."""
    statement = delete(_TABLE).where(
        _TABLE.c.account_id == account_id, _TABLE.c.client_id == client_id
    )
    return connection.execute(statement).rowcount
