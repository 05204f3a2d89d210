"""Assignments: a role for a person, a group or a client, here or at one API, for good or a while.

What may be given on is part of the assignment, and nobody gives on more than that.
"""

from collections.abc import Collection
from dataclasses import dataclass

from idp.domain.accounts import Accounts
from idp.domain.audit import Audit, By, Entry
from idp.domain.clock import Clock
from idp.domain.delegation import Gift, powers_of
from idp.domain.errors import AlreadyExists, DomainError, Invalid, NotFound
from idp.domain.giving import Giving, assignment
from idp.domain.role_catalog import Role
from idp.domain.roles import ADMINISTRATOR, LastAdministrator, keep_an_administrator
from idp.domain.texts import marked
from idp.store import assignments as rows
from idp.store import clients, resources
from idp.store.assignments import Holder
from idp.store.database import Connection, Store
from idp.store.errors import Conflict
from idp.store.rights import EVERY_ROLE, EVERYWHERE


class Beyond(DomainError):
    """It would be more than was put into the hands of whoever gives."""

    def __init__(self) -> None:
        super().__init__(marked("You can give on only what an assignment of yours says."))


@dataclass(frozen=True)
class Assignment:
    """A role that somebody was given. `place` is a resource server's identifier, None: everywhere;
    times are seconds since 1970, None in `expires_at`: for good. `grantable` are roles as
    `Role.shown` says, or EVERY_ROLE alone.
    """

    role: str
    place: str | None
    grantable: tuple[str, ...]
    granted_by: str
    granted_at: int
    expires_at: int | None


@dataclass(frozen=True)
class Wanted:
    """What is to be given: a role, where, until when, and what may be given on with it."""

    role: str
    place: str | None = None
    expires_at: int | None = None
    grantable: Collection[str] = ()


class Assignments:
    """Gives roles and takes them. What changes here counts at the next request."""

    def __init__(
        self, store: Store, accounts: Accounts, giving: Giving, audit: Audit, clock: Clock
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._catalog = giving.catalog
        self._groups = giving.groups
        self._audit = audit
        self._clock = clock

    def of(self, holder: Holder, key: str) -> list[Assignment]:
        """Return what somebody was given, what has expired left out. Raises NotFound, Invalid."""
        with self._store.reading() as connection:
            found = rows.of_holders(connection, holder, [self._id(connection, holder, key)])
            shown = {role.id: role.shown for role in self._catalog.every(connection)}
            places = {row["id"]: row["identifier"] for row in resources.every(connection)}
        now = self._clock()
        return [
            Assignment(
                shown[row["role_id"]],
                places[row["place"]] if row["place"] else None,
                tuple(sorted(shown.get(one, one) for one in row["grantable"])),
                row["granted_by"],
                row["granted_at"],
                row["expires_at"],
            )
            for row in found
            if row["expires_at"] is None or row["expires_at"] > now
        ]

    def give(self, holder: Holder, key: str, wanted: Wanted, by: By) -> None:
        """Give a role. Raises Invalid, NotFound, AlreadyExists, Beyond."""
        now = int(self._clock())
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise Invalid("expires_at", marked("That time has passed."))
        try:
            with self._store.writing() as connection:
                self._give(connection, holder, key, wanted, by)
        except Beyond:
            self._refuse("role.granted", holder, key, wanted.role, by)
            raise

    def _give(
        self, connection: Connection, holder: Holder, key: str, wanted: Wanted, by: By
    ) -> None:
        now = int(self._clock())
        holder_id = self._id(connection, holder, key)
        role = self._catalog.get(connection, wanted.role)
        gift = Gift(
            role.id,
            self._place(connection, role, wanted.place),
            wanted.expires_at,
            self._grantable(connection, wanted.grantable),
        )
        if not powers_of(connection, by.actor, now).cover(gift):
            raise Beyond
        row = assignment(
            role.id,
            by.actor,
            now,
            place=gift.place,
            grantable=gift.grantable,
            expires_at=gift.expires_at,
        )
        rows.remove_expired(connection, holder, holder_id, role.id, gift.place, now)
        try:
            rows.add(connection, holder, holder_id, row)
        except Conflict as error:
            said = marked(
                "%(holder)s has the role %(role)s there already.", holder=key, role=wanted.role
            )
            raise AlreadyExists(said) from error
        self._note(connection, "role.granted", holder, holder_id, wanted, by)

    def take(self, holder: Holder, key: str, role: str, place: str | None, by: By) -> None:
        """Take a role that was given there. Raises Invalid, NotFound, Beyond, LastAdministrator."""
        try:
            with self._store.writing() as connection:
                self._take(connection, holder, key, Wanted(role, place), by)
        except (Beyond, LastAdministrator):
            self._refuse("role.revoked", holder, key, role, by)
            raise

    def _take(
        self, connection: Connection, holder: Holder, key: str, wanted: Wanted, by: By
    ) -> None:
        holder_id = self._id(connection, holder, key)
        role = self._catalog.get(connection, wanted.role)
        at = self._place(connection, role, wanted.place)
        if not powers_of(connection, by.actor, int(self._clock())).cover(Gift(role.id, at)):
            raise Beyond
        if holder == "account" and role.shown == ADMINISTRATOR and at == EVERYWHERE:
            keep_an_administrator(connection, holder_id, key)
        if not rows.remove(connection, holder, holder_id, role.id, at):
            said = marked(
                "%(holder)s was not given the role %(role)s there.", holder=key, role=wanted.role
            )
            raise NotFound(said)
        self._note(connection, "role.revoked", holder, holder_id, wanted, by)

    def _id(self, connection: Connection, holder: Holder, key: str) -> str:
        if holder == "account":
            return self._accounts.get_within(connection, key).id
        if holder == "group":
            return self._groups.get(connection, key)
        if not clients.find(connection, key):
            raise NotFound(marked("There is no client %(key)s.", key=key))
        return key

    def _place(self, connection: Connection, role: Role, place: str | None) -> str:
        """Return the id of where a role is to hold. An API's own holds there alone."""
        if role.resource and place not in (None, role.resource):
            said = marked(
                "The role %(role)s means something at its own resource server only.",
                role=role.shown,
            )
            raise Invalid("place", said)
        wanted = place or role.resource
        if wanted is None:
            return EVERYWHERE
        found = resources.find(connection, wanted)
        if not found:
            raise NotFound(marked("There is no resource server %(name)s.", name=wanted))
        return str(found[0]["id"])

    def _grantable(self, connection: Connection, names: Collection[str]) -> frozenset[str]:
        if EVERY_ROLE in names:
            return frozenset({EVERY_ROLE})
        return frozenset(self._catalog.get(connection, name).id for name in names)

    def _note(
        self,
        connection: Connection,
        event: str,
        holder: Holder,
        holder_id: str,
        wanted: Wanted,
        by: By,
    ) -> None:
        self._audit.record(connection, by.origin, _entry(event, holder, holder_id, wanted, by))

    def _refuse(self, event: str, holder: Holder, key: str, role: str, by: By) -> None:
        detail = {"name": role, "holder": f"{holder}:{key}"}
        self._audit.refuse(by.origin, Entry(event, by.actor, detail=detail))


def _entry(event: str, holder: Holder, holder_id: str, wanted: Wanted, by: By) -> Entry:
    detail = {"name": wanted.role}
    if wanted.place:
        detail["place"] = wanted.place
    if wanted.expires_at is not None:
        detail["expires_at"] = str(wanted.expires_at)
    if wanted.grantable:
        detail["grantable"] = " ".join(sorted(wanted.grantable))
    if holder == "group":
        detail["group"] = holder_id
    return Entry(
        event,
        by.actor,
        holder_id if holder == "account" else None,
        holder_id if holder == "client" else None,
        detail=detail,
    )
