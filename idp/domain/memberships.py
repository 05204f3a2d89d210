"""Giving and taking roles and groups. Nothing of it is cached: it counts at the next request."""

from collections.abc import Callable, Iterable

from idp.domain.accounts import Account, Accounts
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import AlreadyExists, NotFound
from idp.domain.roles import (
    ADMINISTRATOR,
    LastAdministrator,
    checked_group,
    checked_role,
    keep_an_administrator,
)
from idp.domain.texts import marked
from idp.store import memberships as rows
from idp.store.database import Connection, Store
from idp.store.errors import Conflict


class Memberships:
    """Changes what people hold and belong to: all of one call, or nothing."""

    def __init__(self, store: Store, accounts: Accounts, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
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
        with self._store.writing() as connection:
            account = self._accounts.get_within(connection, key)
            for role in sorted(given):
                self._add(connection, rows.add_role, account, role)
                self._note(connection, "role.granted", account, role, origin, actor)
            for group in sorted(joined):
                self._add(connection, rows.add_group, account, group)
                self._note(connection, "group.joined", account, group, origin, actor)
            return self._accounts.get_within(connection, account.id)

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
        try:
            with self._store.writing() as connection:
                return self._revoke(connection, key, set(roles), left, origin, actor)
        except LastAdministrator as error:
            detail = {"name": ADMINISTRATOR}
            entry = Entry("role.revoked", actor, error.account_id, detail=detail)
            self._audit.refuse(origin, entry)
            raise

    def _revoke(
        self,
        connection: Connection,
        key: str,
        roles: set[str],
        groups: set[str],
        origin: Origin,
        actor: str,
    ) -> Account:
        account = self._accounts.get_within(connection, key)
        if ADMINISTRATOR in roles:
            keep_an_administrator(connection, account.id, account.email)
        for role in sorted(roles):
            if not rows.remove_role(connection, account.id, role):
                raise NotFound(
                    marked(
                        "%(email)s does not have the role %(role)s.", email=account.email, role=role
                    )
                )
            self._note(connection, "role.revoked", account, role, origin, actor)
        for group in sorted(groups):
            if not rows.remove_group(connection, account.id, group):
                raise NotFound(
                    marked(
                        "%(email)s is not in the group %(group)s.", email=account.email, group=group
                    )
                )
            self._note(connection, "group.left", account, group, origin, actor)
        return self._accounts.get_within(connection, account.id)

    def _add(
        self,
        connection: Connection,
        add: Callable[[Connection, str, str, int], None],
        account: Account,
        name: str,
    ) -> None:
        try:
            add(connection, account.id, name, int(self._clock()))
        except Conflict as error:
            raise AlreadyExists(f"{account.email} has {name} already.") from error

    def _note(
        self,
        connection: Connection,
        event: str,
        account: Account,
        name: str,
        origin: Origin,
        actor: str,
    ) -> None:
        entry = Entry(event, actor, account.id, detail={"name": name})
        self._audit.record(connection, origin, entry)
