"""Giving and taking roles and groups. Nothing of it is cached: it counts at the next request."""

from collections.abc import Iterable

from idp.domain.accounts import Account, Accounts
from idp.domain.audit import Audit, By, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.delegation import Powers, powers_of
from idp.domain.errors import NotFound
from idp.domain.giving import Giving
from idp.domain.roles import (
    ADMINISTRATOR,
    LastAdministrator,
    checked_group,
    checked_role,
    keep_an_administrator,
)
from idp.domain.texts import marked
from idp.store import assignments, memberships
from idp.store.database import Connection, Store
from idp.store.memberships import Held
from idp.store.rights import EVERYWHERE


class Memberships:
    """Changes what people hold and belong to: all of one call, or nothing.

    Roles here are those of no resource server, given everywhere and for good; `Assignments` gives
    others. What is not there yet is added, by who may give everything.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        giving: Giving,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._giving = giving
        self._audit = audit
        self._clock = clock

    def grant(
        self,
        key: str,
        *,
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        origin: Origin,
        actor: str,
    ) -> Account:
        """Give a person roles, and put them into groups. Raises Invalid, NotFound, AlreadyExists.

        `key` is an id, a subject or an address.
        """
        given, joined = set(map(checked_role, roles)), set(map(checked_group, groups))
        by = By(actor, origin)
        with self._store.writing() as connection:
            account = self._accounts.get_within(connection, key)
            self._giving.give(connection, account.id, given, joined, by, called=account.email)
            for role in sorted(given):
                self._note(connection, "role.granted", account, role, by)
            for group in sorted(joined):
                self._note(connection, "group.joined", account, group, by)
            return self._accounts.get_within(connection, account.id)

    def powers(self, connection: Connection, actor: str) -> Powers:
        """Return what an actor may give on, as it is in the caller's transaction."""
        return powers_of(connection, actor, int(self._clock()))

    def given(self, connection: Connection, account_id: str) -> Held:
        """Return the roles that a person was given everywhere, and the groups that they were put
        into.
        """
        rows = assignments.of_holders(connection, "account", [account_id])
        return Held(
            frozenset(
                row["name"]
                for row in rows
                if row["resource_server_id"] is None and row["place"] == EVERYWHERE
            ),
            frozenset(row["name"] for row in memberships.own_groups(connection, account_id)),
        )

    def revoke(
        self,
        key: str,
        *,
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        origin: Origin,
        actor: str,
    ) -> Account:
        """Take roles from a person, and take them out of groups. Raises Invalid, NotFound,
        LastAdministrator.
        """
        left = set(map(checked_group, groups))
        by = By(actor, origin)
        try:
            with self._store.writing() as connection:
                return self._revoke(connection, key, set(roles), left, by)
        except LastAdministrator as error:
            detail = {"name": ADMINISTRATOR}
            entry = Entry("role.revoked", actor, error.account_id, detail=detail)
            self._audit.refuse(origin, entry)
            raise

    def _revoke(
        self, connection: Connection, key: str, roles: set[str], groups: set[str], by: By
    ) -> Account:
        account = self._accounts.get_within(connection, key)
        if ADMINISTRATOR in roles:
            keep_an_administrator(connection, account.id, account.email)
        for role in sorted(roles):
            self._take(connection, account, role)
            self._note(connection, "role.revoked", account, role, by)
        for group in sorted(groups):
            self._leave(connection, account, group)
            self._note(connection, "group.left", account, group, by)
        return self._accounts.get_within(connection, account.id)

    def _take(self, connection: Connection, account: Account, role: str) -> None:
        """Take a role that was given to the person. Raises NotFound for one that a group or another
        role brings, too.
        """
        found = self._giving.catalog.find(connection, role)
        if found and assignments.remove(connection, "account", account.id, found.id, EVERYWHERE):
            return
        said = marked("%(email)s does not have the role %(role)s.", email=account.email, role=role)
        if role in account.roles:
            said = marked(
                "%(email)s was not given the role %(role)s: a group or another role brings it.",
                email=account.email,
                role=role,
            )
        raise NotFound(said)

    def _leave(self, connection: Connection, account: Account, group: str) -> None:
        found = self._giving.groups.find(connection, group)
        if found and memberships.remove(connection, account.id, found):
            return
        said = marked("%(email)s is not in the group %(group)s.", email=account.email, group=group)
        if group in account.groups:
            said = marked(
                "%(email)s is in the group %(group)s by another group only.",
                email=account.email,
                group=group,
            )
        raise NotFound(said)

    def _note(
        self, connection: Connection, event: str, account: Account, name: str, by: By
    ) -> None:
        entry = Entry(event, by.actor, account.id, detail={"name": name})
        self._audit.record(connection, by.origin, entry)
