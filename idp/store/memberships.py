"""Queries on the roles that people hold and the groups that they are in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BindParameter,
    Connection,
    RowMapping,
    bindparam,
    delete,
    insert,
    literal,
    select,
    union_all,
)

from idp.store.statements import Statement
from idp.store.tables import Account, GroupMembership, RoleAssignment, table

_ACCOUNTS = table(Account)
_ROLES = table(RoleAssignment)
_GROUPS = table(GroupMembership)
_WANTED: BindParameter[str] = bindparam("account_ids", expanding=True)
_HELD = union_all(
    select(_ROLES.c.account_id, literal("role").label("kind"), _ROLES.c.role.label("name")).where(
        _ROLES.c.account_id.in_(_WANTED)
    ),
    select(_GROUPS.c.account_id, literal("group"), _GROUPS.c.name).where(
        _GROUPS.c.account_id.in_(_WANTED)
    ),
)
_GROUPS_OF = Statement(
    select(_GROUPS.c.name).where(_GROUPS.c.account_id == bindparam("account_id_"))
)


@dataclass(frozen=True)
class Held:
    """What one person holds and belongs to."""

    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def held(connection: Connection, account_ids: Sequence[str]) -> dict[str, Held]:
    """Return roles and groups of each of these people, by id."""
    roles: dict[str, set[str]] = defaultdict(set)
    teams: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(_HELD, {"account_ids": list(account_ids)}):
        (roles if row.kind == "role" else teams)[row.account_id].add(row.name)
    return {one: Held(frozenset(roles[one]), frozenset(teams[one])) for one in account_ids}


def groups(connection: Connection, account_id: str) -> frozenset[str]:
    """Return the groups of a person."""
    found = _GROUPS_OF.all(connection, {"account_id_": account_id})
    return frozenset(row["name"] for row in found)


def lock_holders(connection: Connection, role: str) -> Sequence[RowMapping]:
    """Return who holds a role, disabled ones too; nobody else loses it until the transaction ends.

    Of each `id` and `disabled_at`.
    """
    statement = (
        select(_ACCOUNTS.c.id, _ACCOUNTS.c.disabled_at)
        .join_from(_ACCOUNTS, _ROLES)
        .where(_ROLES.c.role == role)
        .order_by(_ACCOUNTS.c.id)
        .with_for_update()
    )
    return connection.execute(statement).mappings().all()


def add_role(connection: Connection, account_id: str, role: str, now: int) -> None:
    """Give a person a role. Raises Conflict when it is held already."""
    connection.execute(insert(_ROLES), {"account_id": account_id, "role": role, "granted_at": now})


def remove_role(connection: Connection, account_id: str, role: str) -> bool:
    """Take a role from a person; False when it was not held."""
    statement = delete(_ROLES).where(_ROLES.c.account_id == account_id, _ROLES.c.role == role)
    return connection.execute(statement).rowcount == 1


def add_group(connection: Connection, account_id: str, name: str, now: int) -> None:
    """Put a person into a group. Raises Conflict when they are in it already."""
    row = {"account_id": account_id, "name": name, "added_at": now}
    connection.execute(insert(_GROUPS), row)


def remove_group(connection: Connection, account_id: str, name: str) -> bool:
    """Take a person out of a group; False when they were not in it."""
    statement = delete(_GROUPS).where(_GROUPS.c.account_id == account_id, _GROUPS.c.name == name)
    return connection.execute(statement).rowcount == 1
