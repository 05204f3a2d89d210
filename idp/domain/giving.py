"""Giving roles and putting people into groups, within the transaction of whoever does it."""

from collections.abc import Collection
from typing import Any

from idp.domain.audit import By
from idp.domain.clock import Clock
from idp.domain.errors import AlreadyExists
from idp.domain.groups import Groups
from idp.domain.role_catalog import RoleCatalog
from idp.domain.roles import ADMINISTRATOR
from idp.store import assignments, memberships
from idp.store.database import Connection
from idp.store.errors import Conflict
from idp.store.rights import EVERY_ROLE, EVERYWHERE


class Giving:
    """Gives what it is told to; whether it may be given was asked before.

    A role or group that is not there yet is added.
    """

    def __init__(self, catalog: RoleCatalog, groups: Groups, clock: Clock) -> None:
        self.catalog = catalog
        self.groups = groups
        self._clock = clock

    def give(
        self,
        connection: Connection,
        account_id: str,
        roles: Collection[str],
        groups: Collection[str],
        by: By,
        called: str,
    ) -> None:
        """Give and put within the caller's transaction; `called` is what to call the person in an
        error. Raises AlreadyExists.
        """
        now = int(self._clock())
        for role, role_id in self.catalog.ensure(connection, roles, by).items():
            row = assignment(role_id, by.actor, now, grantable=_for(role))
            try:
                assignments.add(connection, "account", account_id, row)
            except Conflict as error:
                raise AlreadyExists(f"{called} has {role} already.") from error
        for group, group_id in self.groups.ensure(connection, groups, by).items():
            try:
                memberships.add(connection, account_id, group_id, now)
            except Conflict as error:
                raise AlreadyExists(f"{called} has {group} already.") from error


def assignment(
    role_id: str,
    granted_by: str,
    now: int,
    *,
    place: str = EVERYWHERE,
    grantable: Collection[str] = (),
    expires_at: int | None = None,
) -> dict[str, Any]:
    """Return the row of an assignment, but for who gets it."""
    return {
        "role_id": role_id,
        "place": place,
        "grantable": sorted(grantable),
        "granted_by": granted_by,
        "granted_at": now,
        "expires_at": expires_at,
    }


def _for(role: str) -> tuple[str, ...]:
    """Administrators look after all roles."""
    return (EVERY_ROLE,) if role == ADMINISTRATOR else ()
