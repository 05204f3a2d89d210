"""Invitations: a link, mailed to an address, by which its reader makes an account once.

It carries the roles and groups that the account gets. Nobody gives away more than they may: at the
invitation, and still when it is accepted (SECURITY case 138).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from idp.config import Settings
from idp.crypto import secrets
from idp.domain.accounts import Account, Accounts, NewAccount, email_key
from idp.domain.audit import Audit, By, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.delegation import may_give, powers_of
from idp.domain.errors import AlreadyExists, DomainError, NotFound, Refused
from idp.domain.one_time import Found, OneTimeValues
from idp.domain.outbox import Outbox
from idp.domain.texts import marked
from idp.domain.throttling import Throttle
from idp.store import accounts as rows
from idp.store.database import Connection, Store

_KIND = "invitation"
_REPEAT_SECONDS = 60
_DAY = 86400
_ACCOUNT = "account:"
_CLOSED = marked("This server takes no new people: IDP_SIGN_UP is closed.")
_BEYOND = marked(
    "You can give and take only roles that were put into your hands, and groups that you are in."
)


class MayNotInvite(DomainError):
    """Nobody may be invited, or not with these roles and groups."""


@dataclass(frozen=True)
class Invited:
    """An invitation as its reader sees it: for which address, and until which second."""

    email: str
    name: str
    expires_at: int


class Invitations:
    """Invites people, and makes their accounts."""

    def __init__(
        self,
        store: Store,
        one_time: OneTimeValues,
        accounts: Accounts,
        outbox: Outbox,
        throttle: Throttle,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._one_time = one_time
        self._accounts = accounts
        self._outbox = outbox
        self._throttle = throttle
        self._audit = audit
        self._clock = clock
        self._issuer = settings.issuer
        self._lifetime = settings.invitation_lifetime
        self.possible = settings.sign_up != "closed"

    def invite(
        self,
        email: str,
        name: str = "",
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        *,
        by: By,
    ) -> str:
        """Mail an invitation, if mail goes out, and return its link; links before it end.

        An account that invites gives what it has and nothing privileged, an administrator
        everything, and so does an operator at the machine. Raises Invalid, AlreadyExists,
        MayNotInvite.
        """
        new = self._accounts.prepare(email, name, None, roles=roles, groups=groups)
        token = secrets.random_token()
        try:
            with self._store.writing() as connection:
                self._put(connection, token, new, by)
        except MayNotInvite:
            self._audit.refuse(by.origin, Entry("invitation.sent", by.actor, detail=_given(new)))
            raise
        return self._link(token)

    def _put(self, connection: Connection, token: str, new: NewAccount, by: By) -> None:
        if not self.possible:
            raise MayNotInvite(_CLOSED)
        if not self._may_give(connection, by.actor, new.roles, new.groups):
            raise MayNotInvite(_BEYOND)
        email = new.row["email"]
        if rows.find(connection, new.row["email_key"]) is not None:
            raise AlreadyExists(marked("There is an account for %(email)s already.", email=email))
        invitation = {
            "id": secrets.uuid7(),
            "email": email,
            "name": new.row["name"],
            "roles": sorted(new.roles),
            "groups": sorted(new.groups),
            "by": by.actor,
        }
        address = _address(email)
        self._one_time.take_bound(connection, _KIND, address)
        self._one_time.put(connection, _KIND, token, invitation, self._lifetime, binding=address)
        if self._outbox.available:
            self._mail(connection, token, email, by.actor)
        detail = {"invitation": invitation["id"], **_given(new)}
        entry = Entry("invitation.sent", by.actor, detail=detail)
        self._audit.record(connection, by.origin, entry)

    def _mail(self, connection: Connection, token: str, email: str, actor: str) -> None:
        inviter = self._inviter(connection, actor)
        values = {
            "link": self._link(token),
            "days": max(1, self._lifetime // _DAY),
            "inviter": (inviter.name or inviter.email) if inviter else "",
        }
        self._outbox.put(connection, "invitation", email, values)

    def _link(self, token: str) -> str:
        return f"{self._issuer}/invitation/{token}"

    def look(self, token: str) -> Invited | None:
        """Return what a link invites to, None when it does not work; looking does not use it."""
        with self._store.reading() as connection:
            found = self._one_time.find(connection, _KIND, token)
            if found is None or not self._works(connection, found):
                return None
        return Invited(found.payload["email"], found.payload["name"], found.expires_at)

    def used_just_now(self, token: str) -> bool:
        """Whether a link was used within a minute: a second click is no guess."""
        with self._store.reading() as connection:
            found = self._one_time.find(connection, _KIND, token)
        return bool(found and found.used_at and self._clock() - found.used_at <= _REPEAT_SECONDS)

    def accept(self, token: str, name: str, password: str, origin: Origin) -> Account:
        """Use the link and make the account, both or neither: whoever read the mail has the
        address.

        Raises Refused or Throttled for a link that does not work, and Invalid, AlreadyExists, Busy,
        which leave the link as it was.
        """
        with self._store.reading() as connection:
            found = self._one_time.find(connection, _KIND, token)
            works = bool(found and self._works(connection, found))
        if found is None or not works:
            raise self.refused(origin)
        invitation = found.payload
        new = self._accounts.prepare(
            invitation["email"],
            name,
            password,
            email_verified=True,
            roles=invitation["roles"],
            groups=invitation["groups"],
        )
        with self._store.writing() as connection:
            won = self._works(connection, found) and bool(
                self._one_time.take(connection, _KIND, token)
            )
            if won:
                self._make(connection, new, invitation, origin)
        if not won:
            raise self.refused(origin)
        return self._accounts.get(new.id)

    def _make(
        self, connection: Connection, new: NewAccount, invitation: Mapping[str, Any], origin: Origin
    ) -> None:
        actor = f"account:{new.id}"
        self._accounts.insert(connection, new, origin, actor)
        detail = {"invitation": invitation["id"], "by": invitation["by"]}
        entry = Entry("invitation.accepted", actor, new.id, detail=detail)
        self._audit.record(connection, origin, entry)

    def refused(self, origin: Origin) -> Refused:
        """Record that a link does not work, and return the refusal. Raises Throttled."""
        self._throttle.count("invitation", origin.address)
        self._audit.refuse(origin, Entry("invitation.accepted", "anyone"))
        return Refused("invitation")

    def _works(self, connection: Connection, found: Found) -> bool:
        """It ends with the power of whoever sent it."""
        if not self.possible or found.used_at or found.expires_at <= self._clock():
            return False
        roles, groups = frozenset(found.payload["roles"]), frozenset(found.payload["groups"])
        return self._may_give(connection, found.payload["by"], roles, groups)

    def _may_give(
        self, connection: Connection, actor: str, roles: frozenset[str], groups: frozenset[str]
    ) -> bool:
        if not actor.startswith(_ACCOUNT):
            return True
        inviter = self._inviter(connection, actor)
        if inviter is None or inviter.disabled:
            return False
        powers = powers_of(connection, actor, int(self._clock()))
        return may_give(connection, powers, roles, groups)

    def _inviter(self, connection: Connection, actor: str) -> Account | None:
        if not actor.startswith(_ACCOUNT):
            return None
        try:
            return self._accounts.get_within(connection, actor.removeprefix(_ACCOUNT))
        except NotFound:
            return None


def _given(new: NewAccount) -> dict[str, str]:
    return {"roles": " ".join(sorted(new.roles)), "groups": " ".join(sorted(new.groups))}


def _address(email: str) -> bytes:
    return secrets.digest("invited address", email_key(email))
