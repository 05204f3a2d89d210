"""Queries on groups and on what is in them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select

from idp.store.tables import Group, GroupMembership, GroupNesting, table

_GROUPS = table(Group)
_MEMBERS = table(GroupMembership)
_NESTINGS = table(GroupNesting)
_PEOPLE = (
    select(func.count())
    .select_from(_MEMBERS)
    .where(_MEMBERS.c.group_id == _GROUPS.c.id)
    .scalar_subquery()
)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a group. Raises Conflict when the name is taken."""
    connection.execute(insert(_GROUPS), row)


def find(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """Return the ids of the groups with these names, by name."""
    statement = select(_GROUPS.c.name, _GROUPS.c.id).where(_GROUPS.c.name.in_(list(names)))
    return {row.name: row.id for row in connection.execute(statement)}


def every(connection: Connection) -> Sequence[RowMapping]:
    """Return every group by name, with how many `people` were put into it."""
    statement = select(_GROUPS, _PEOPLE.label("people")).order_by(_GROUPS.c.name)
    return connection.execute(statement).mappings().all()


def remove(connection: Connection, group_id: str) -> None:
    """Delete a group. Who was in it is no longer, nor in the groups around it by that."""
    connection.execute(delete(_GROUPS).where(_GROUPS.c.id == group_id))


def lock(connection: Connection) -> None:
    """Let nobody else change what is in what until the transaction ends."""
    connection.execute(select(_GROUPS.c.id).order_by(_GROUPS.c.id).with_for_update()).all()


def nestings(connection: Connection) -> Sequence[RowMapping]:
    """Return every `inner_id` with its `outer_id`."""
    return connection.execute(select(_NESTINGS)).mappings().all()


def nest(connection: Connection, inner_id: str, outer_id: str, now: int) -> None:
    """Put a group into another one. Raises Conflict when it is in it already."""
    row = {"inner_id": inner_id, "outer_id": outer_id, "added_at": now}
    connection.execute(insert(_NESTINGS), row)


def unnest(connection: Connection, inner_id: str, outer_id: str) -> bool:
    """Take a group out of another one; False when it was not in it."""
    statement = delete(_NESTINGS).where(
        _NESTINGS.c.inner_id == inner_id, _NESTINGS.c.outer_id == outer_id
    )
    return connection.execute(statement).rowcount == 1


def around(connection: Connection, group_ids: Collection[str]) -> frozenset[str]:
    """Return these groups and all that they are in, by id."""
    first = select(_GROUPS.c.id).where(_GROUPS.c.id.in_(bindparam("wanted", expanding=True)))
    closure = first.cte("around", recursive=True)
    outer = select(_NESTINGS.c.outer_id).join_from(
        closure, _NESTINGS, _NESTINGS.c.inner_id == closure.c.id
    )
    everything = closure.union(outer)
    found = connection.scalars(select(everything.c.id), {"wanted": list(group_ids)})
    return frozenset(found)
