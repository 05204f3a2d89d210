"""Queries on resource servers and the scopes they own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, insert, select, update

from idp.store.tables import ResourceScope, ResourceServer, table

_TABLE = table(ResourceServer)
_SCOPES = table(ResourceScope)
_INSERT = insert(_TABLE)
_INSERT_SCOPES = insert(_SCOPES)
_WITH_SCOPES: Select[Any] = (
    select(_TABLE, _SCOPES.c.scope, _SCOPES.c.description)
    .join_from(_TABLE, _SCOPES, _SCOPES.c.resource_server_id == _TABLE.c.id, isouter=True)
    .order_by(_TABLE.c.id, _SCOPES.c.scope)
)
_FIND = _WITH_SCOPES.where(_TABLE.c.identifier == bindparam("wanted"))
_BY_CREDENTIAL = _WITH_SCOPES.where(_TABLE.c.credential_id == bindparam("wanted"))
_OWNER = _WITH_SCOPES.where(
    _TABLE.c.id
    == select(_SCOPES.c.resource_server_id)
    .where(_SCOPES.c.scope == bindparam("wanted"))
    .scalar_subquery()
)


def add(connection: Connection, row: dict[str, Any], scopes: Sequence[dict[str, Any]]) -> None:
    """Add a resource server with its scopes. Raises Conflict when one of them exists."""
    connection.execute(_INSERT, row)
    if scopes:
        connection.execute(_INSERT_SCOPES, scopes)


def change_credential(connection: Connection, identifier: str, digest: bytes) -> bool:
    """Replace the digest of a resource server's credential; False when there is no such server."""
    statement = update(_TABLE).where(_TABLE.c.identifier == identifier)
    return connection.execute(statement.values(credential_digest=digest)).rowcount == 1


def find(connection: Connection, identifier: str) -> Sequence[RowMapping]:
    """Return the rows of the resource server, one for each scope and at least one; else none."""
    return connection.execute(_FIND, {"wanted": identifier}).mappings().all()


def by_credential(connection: Connection, credential_id: str) -> Sequence[RowMapping]:
    """Return the rows of the resource server with this introspection credential, as `find`."""
    return connection.execute(_BY_CREDENTIAL, {"wanted": credential_id}).mappings().all()


def owner(connection: Connection, scope: str) -> Sequence[RowMapping]:
    """Return the rows of the resource server that owns `scope`, as `find`."""
    return connection.execute(_OWNER, {"wanted": scope}).mappings().all()


def every(connection: Connection) -> Sequence[RowMapping]:
    """Return the rows of every resource server, oldest first."""
    return connection.execute(_WITH_SCOPES).mappings().all()
