"""Which groups and roles somebody has in the end: groups are in groups, roles include roles.

Parts of statements. Every closure is a recursive UNION, which ends even if there were a circle.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    literal,
    or_,
    select,
    union_all,
)

from idp.store.tables import (
    AccountRole,
    Base,
    Group,
    GroupMembership,
    GroupNesting,
    GroupRole,
    Role,
    RoleInclusion,
    table,
)

EVERYWHERE = ""
"""The place of an assignment that holds at every resource server, and here."""
EVERY_ROLE = "*"
"""What stands alone in `grantable` where every role may be given on."""
ROLE, GROUP = "role", "group"
"""Kinds of what is selected."""

NOW: BindParameter[int] = bindparam("now_")
"""The time by which assignments are judged: seconds since 1970."""

_GROUPS = table(Group)
_MEMBERS = table(GroupMembership)
_NESTINGS = table(GroupNesting)
_ROLES = table(Role)
_INCLUSIONS = table(RoleInclusion)
_BY_PERSON = table(AccountRole)
_BY_GROUP = table(GroupRole)


def groups(wanted: ColumnElement[bool]) -> CTE:
    """Return the groups that the wanted people are in, (account_id, group_id).

    `wanted` is about `group_memberships.account_id`.
    """
    first = select(_MEMBERS.c.account_id, _MEMBERS.c.group_id).where(wanted)
    closure = first.cte("in_groups", recursive=True)
    outer = select(closure.c.account_id, _NESTINGS.c.outer_id).join_from(
        closure, _NESTINGS, _NESTINGS.c.inner_id == closure.c.group_id
    )
    return closure.union(outer)


def roles(in_groups: CTE, wanted: ColumnElement[bool]) -> CTE:
    """Return the roles that the wanted people have everywhere, (account_id, role_id).

    `wanted` is about `account_roles.account_id`.
    """
    own = select(_BY_PERSON.c.account_id, _BY_PERSON.c.role_id).where(
        wanted, _BY_PERSON.c.place == EVERYWHERE, live(AccountRole)
    )
    by_group = (
        select(in_groups.c.account_id, _BY_GROUP.c.role_id)
        .join_from(in_groups, _BY_GROUP, _BY_GROUP.c.group_id == in_groups.c.group_id)
        .where(_BY_GROUP.c.place == EVERYWHERE, live(GroupRole))
    )
    assigned = union_all(own, by_group).cte("assigned")
    first = select(assigned.c.account_id, assigned.c.role_id)
    closure = first.cte("has_roles", recursive=True)
    included = select(closure.c.account_id, _INCLUSIONS.c.included_id).join_from(
        closure, _INCLUSIONS, _INCLUSIONS.c.role_id == closure.c.role_id
    )
    return closure.union(included)


def live(assignment: type[Base]) -> ColumnElement[bool]:
    """Whether an assignment has not expired at NOW."""
    expires_at = table(assignment).c.expires_at
    return or_(expires_at.is_(None), expires_at > NOW)


def group_names(in_groups: CTE) -> Select[Any]:
    """Select account_id, kind and value, the groups' names."""
    return select(
        in_groups.c.account_id, literal(GROUP).label("kind"), _GROUPS.c.name.label("value")
    ).join_from(in_groups, _GROUPS, _GROUPS.c.id == in_groups.c.group_id)


def role_names(has_roles: CTE) -> Select[Any]:
    """Select account_id, kind and value, the names of roles that no resource server owns."""
    return (
        select(has_roles.c.account_id, literal(ROLE).label("kind"), _ROLES.c.name.label("value"))
        .join_from(has_roles, _ROLES, _ROLES.c.id == has_roles.c.role_id)
        .where(_ROLES.c.resource_server_id.is_(None))
    )
