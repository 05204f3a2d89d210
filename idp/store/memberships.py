"""Queries on the roles that people have and the groups that they are in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, RowMapping, bindparam, delete, select, union_all

from idp.store import rights
from idp.store.statements import Statement
from idp.store.tables import Account, AccountRole, Group, GroupMembership, Role, table

_ACCOUNTS = table(Account)
_ASSIGNMENTS = table(AccountRole)
_MEMBERS = table(GroupMembership)
_GROUPS = table(Group)
_ROLES = table(Role)
_WANTED: BindParameter[str] = bindparam("account_ids", expanding=True)
_IN_GROUPS = rights.groups(_MEMBERS.c.account_id.in_(_WANTED))
_HELD = union_all(
    rights.role_names(rights.roles(_IN_GROUPS, _ASSIGNMENTS.c.account_id.in_(_WANTED))),
    rights.group_names(_IN_GROUPS),
)
_GROUPS_OF = Statement(
    rights.group_names(rights.groups(_MEMBERS.c.account_id == bindparam("account_id_")))
)
_OWN_GROUPS = (
    select(_GROUPS.c.id, _GROUPS.c.name)
    .join_from(_MEMBERS, _GROUPS, _GROUPS.c.id == _MEMBERS.c.group_id)
    .where(_MEMBERS.c.account_id == bindparam("account_id_"))
    .order_by(_GROUPS.c.name)
)


@dataclass(frozen=True)
class Held:
    """What one person has and belongs to in the end, however they came to it."""

    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def held(connection: Connection, account_ids: Sequence[str], now: int) -> dict[str, Held]:
    """Return roles and groups of each of these people, by id."""
    roles: dict[str, set[str]] = defaultdict(set)
    teams: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(_HELD, {"account_ids": list(account_ids), "now_": now}):
        (roles if row.kind == rights.ROLE else teams)[row.account_id].add(row.value)
    return {one: Held(frozenset(roles[one]), frozenset(teams[one])) for one in account_ids}


def groups(connection: Connection, account_id: str) -> frozenset[str]:
    """Return the groups that a person is in, those around their groups too."""
    found = _GROUPS_OF.all(connection, {"account_id_": account_id})
    return frozenset(row["value"] for row in found)


def own_groups(connection: Connection, account_id: str) -> Sequence[RowMapping]:
    """Return id and name of the groups that a person was put into."""
    return connection.execute(_OWN_GROUPS, {"account_id_": account_id}).mappings().all()


def lock_holders(connection: Connection, role: str) -> Sequence[RowMapping]:
    """Return who has a role by an assignment of their own that holds everywhere and for good,
    disabled people too; nobody else loses it until the transaction ends.

    Of each `id` and `disabled_at`.
    """
    statement = (
        select(_ACCOUNTS.c.id, _ACCOUNTS.c.disabled_at)
        .join_from(_ACCOUNTS, _ASSIGNMENTS, _ASSIGNMENTS.c.account_id == _ACCOUNTS.c.id)
        .join(_ROLES, _ROLES.c.id == _ASSIGNMENTS.c.role_id)
        .where(
            _ROLES.c.name == role,
            _ROLES.c.resource_server_id.is_(None),
            _ASSIGNMENTS.c.place == rights.EVERYWHERE,
            _ASSIGNMENTS.c.expires_at.is_(None),
        )
        .order_by(_ACCOUNTS.c.id)
        .with_for_update(of=(_ACCOUNTS, _ASSIGNMENTS))
    )
    return connection.execute(statement).mappings().all()


def add(connection: Connection, account_id: str, group_id: str, now: int) -> None:
    """Put a person into a group. Raises Conflict when they are in it already."""
    row: dict[str, Any] = {"account_id": account_id, "group_id": group_id, "added_at": now}
    connection.execute(_MEMBERS.insert(), row)


def remove(connection: Connection, account_id: str, group_id: str) -> bool:
    """Take a person out of a group; False when nobody had put them into it."""
    statement = delete(_MEMBERS).where(
        _MEMBERS.c.account_id == account_id, _MEMBERS.c.group_id == group_id
    )
    return connection.execute(statement).rowcount == 1
