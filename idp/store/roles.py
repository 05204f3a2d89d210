"""Queries on roles and on what they include."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select

from idp.store.tables import ResourceServer, Role, RoleInclusion, table

_ROLES = table(Role)
_INCLUSIONS = table(RoleInclusion)
_SERVERS = table(ResourceServer)
_WITH_OWNER = select(_ROLES, _SERVERS.c.identifier.label("resource")).join_from(
    _ROLES, _SERVERS, _SERVERS.c.id == _ROLES.c.resource_server_id, isouter=True
)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a role. Raises Conflict when its owner has one of that name."""
    connection.execute(insert(_ROLES), row)


def find(connection: Connection, name: str, resource: str | None) -> RowMapping | None:
    """Return the role that this resource server owns, or nobody; `resource` is its identifier."""
    owner = _SERVERS.c.identifier == resource if resource else _ROLES.c.resource_server_id.is_(None)
    return connection.execute(_WITH_OWNER.where(_ROLES.c.name == name, owner)).mappings().first()


def every(connection: Connection) -> Sequence[RowMapping]:
    """Return every role, those that no resource server owns first."""
    order = (_SERVERS.c.identifier.is_not(None), _SERVERS.c.identifier, _ROLES.c.name)
    return connection.execute(_WITH_OWNER.order_by(*order)).mappings().all()


def remove(connection: Connection, role_id: str) -> None:
    """Delete a role; nobody has it any more."""
    connection.execute(delete(_ROLES).where(_ROLES.c.id == role_id))


def lock(connection: Connection) -> None:
    """Let nobody else change what includes what until the transaction ends."""
    connection.execute(select(_ROLES.c.id).order_by(_ROLES.c.id).with_for_update()).all()


def inclusions(connection: Connection) -> Sequence[RowMapping]:
    """Return every `role_id` with its `included_id`."""
    return connection.execute(select(_INCLUSIONS)).mappings().all()


def include(connection: Connection, role_id: str, included_id: str, now: int) -> None:
    """Let a role include another one. Raises Conflict when it does already."""
    row = {"role_id": role_id, "included_id": included_id, "added_at": now}
    connection.execute(insert(_INCLUSIONS), row)


def exclude(connection: Connection, role_id: str, included_id: str) -> bool:
    """Let a role include another one no longer; False when it did not."""
    statement = delete(_INCLUSIONS).where(
        _INCLUSIONS.c.role_id == role_id, _INCLUSIONS.c.included_id == included_id
    )
    return connection.execute(statement).rowcount == 1
