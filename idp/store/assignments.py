"""Queries on assignments: who was given which role, where, until when, to give on what."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

from sqlalchemy import (
    BindParameter,
    Connection,
    RowMapping,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

from idp.store import rights
from idp.store.tables import (
    AccountRole,
    Base,
    ClientRole,
    GroupMembership,
    GroupRole,
    Role,
    table,
)

Holder = Literal["account", "group", "client"]
_ROLES = table(Role)
_MODELS: dict[Holder, type[Base]] = {
    "account": AccountRole,
    "group": GroupRole,
    "client": ClientRole,
}


def _of(holder: Holder) -> tuple[Table, Any]:
    rows = table(_MODELS[holder])
    return rows, rows.c[f"{holder}_id"]


def add(connection: Connection, holder: Holder, holder_id: str, row: dict[str, Any]) -> None:
    """Give a role. Raises Conflict when it is held there already."""
    rows, _ = _of(holder)
    connection.execute(insert(rows), {f"{holder}_id": holder_id, **row})


def remove(
    connection: Connection, holder: Holder, holder_id: str, role_id: str, place: str
) -> bool:
    """Take a role; False when it was not given there."""
    rows, holders = _of(holder)
    statement = delete(rows).where(
        holders == holder_id, rows.c.role_id == role_id, rows.c.place == place
    )
    return connection.execute(statement).rowcount == 1


def remove_expired(
    connection: Connection, holder: Holder, holder_id: str, role_id: str, place: str, now: int
) -> None:
    """Make room for a new assignment where the former one has expired."""
    rows, holders = _of(holder)
    statement = delete(rows).where(
        holders == holder_id,
        rows.c.role_id == role_id,
        rows.c.place == place,
        rows.c.expires_at <= now,
    )
    connection.execute(statement)


def of_holders(
    connection: Connection, holder: Holder, holder_ids: Collection[str]
) -> Sequence[RowMapping]:
    """Return what these were given, expired assignments too; with the role's `name`."""
    rows, holders = _of(holder)
    statement = (
        select(rows, holders.label("holder_id"), _ROLES.c.name, _ROLES.c.resource_server_id)
        .join_from(rows, _ROLES, _ROLES.c.id == rows.c.role_id)
        .where(holders.in_(list(holder_ids)))
        .order_by(_ROLES.c.name, rows.c.place)
    )
    return connection.execute(statement).mappings().all()


def powers(connection: Connection, account_id: str, now: int) -> Sequence[RowMapping]:
    """Return `grantable`, `place` and `expires_at` of what a person was given, and the groups that
    they are in; what has expired is left out.
    """
    person: BindParameter[str] = bindparam("account_id_")
    in_groups = rights.groups(table(GroupMembership).c.account_id == person)
    own, by_group = table(AccountRole), table(GroupRole)
    statements = (
        select(own.c.grantable, own.c.place, own.c.expires_at).where(
            own.c.account_id == person, rights.live(AccountRole)
        ),
        select(by_group.c.grantable, by_group.c.place, by_group.c.expires_at)
        .join_from(in_groups, by_group, by_group.c.group_id == in_groups.c.group_id)
        .where(rights.live(GroupRole)),
    )
    values = {"account_id_": account_id, "now_": now}
    found: list[RowMapping] = []
    for statement in statements:
        found += connection.execute(statement, values).mappings().all()
    return found
