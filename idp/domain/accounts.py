"""People: who they are, whether they may come in. How they prove it is in `credentials`."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.crypto.secrets import random_identifier, uuid7
from idp.domain import profile_claims
from idp.domain.audit import Audit, By, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import AlreadyExists, Invalid, NotFound
from idp.domain.giving import Giving
from idp.domain.roles import (
    ADMINISTRATOR,
    LastAdministrator,
    checked_group,
    checked_role,
    keep_an_administrator,
)
from idp.domain.texts import marked
from idp.store import accounts as rows
from idp.store import authorizations, memberships, sessions
from idp.store.database import Connection, RowMapping, Store
from idp.store.errors import Conflict
from idp.store.memberships import Held

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f<>\"]{1,64}@[^\s@\x00-\x1f\x7f<>\"]{1,189}")
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Account:
    """A person. Times are seconds since 1970. `language` and `theme` are chosen for our pages.

    Until `passkey_quiet_until` the person is not to be asked whether they want a passkey.
    """

    id: str
    subject: str
    email: str
    email_verified: bool
    name: str
    profile: Mapping[str, Any]
    created_at: int
    updated_at: int
    disabled: bool
    language: str | None = None
    theme: str | None = None
    passkey_quiet_until: int | None = None
    deletes_at: int | None = None
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def initials(self) -> str:
        """One or two letters for the round picture."""
        words = (self.name or self.email).split()
        return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper()


@dataclass(frozen=True)
class NewAccount:
    """An account that may be inserted: its row, what it belongs to, the hash of its password."""

    id: str
    row: Mapping[str, Any]
    roles: frozenset[str]
    groups: frozenset[str]
    hashed: str | None


def email_key(email: str) -> str:
    """Return an address as it is compared: all spellings of one address share it."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def checked_email(email: str) -> str:
    """Return an address as it is kept. Raises Invalid."""
    email = email.strip()
    if not _EMAIL.fullmatch(email):
        raise Invalid("email", marked("That is not an email address."))
    return email


def from_row(
    row: RowMapping,
    roles: frozenset[str] = frozenset(),
    groups: frozenset[str] = frozenset(),
) -> Account:
    """Build an account from its row."""
    return Account(
        id=row["id"],
        subject=row["subject"],
        email=row["email"],
        email_verified=row["email_verified"],
        name=row["name"],
        profile=row["profile"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        disabled=row["disabled_at"] is not None,
        language=row["language"],
        theme=row["theme"],
        passkey_quiet_until=row["passkey_quiet_until"],
        deletes_at=row["deletes_at"],
        roles=roles,
        groups=groups,
    )


class Accounts:
    """Adds, finds and changes people.

    `hashed` makes the argon2id string of a new password, given address and name of whom it is for.
    """

    def __init__(
        self,
        store: Store,
        hashed: Callable[[str, str, str], str],
        giving: Giving,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._store = store
        self._hashed = hashed
        self._giving = giving
        self._audit = audit
        self._clock = clock

    def add(
        self,
        email: str,
        name: str = "",
        password: str | None = None,
        *,
        email_verified: bool = False,
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        profile: Mapping[str, Any] | None = None,
        origin: Origin,
        actor: str,
    ) -> Account:
        """Add a person. Raises Invalid, AlreadyExists, Busy."""
        new = self.prepare(
            email,
            name,
            password,
            email_verified=email_verified,
            roles=roles,
            groups=groups,
            profile=profile,
        )
        with self._store.writing() as connection:
            self.insert(connection, new, origin, actor)
        return self.get(new.id)

    def prepare(
        self,
        email: str,
        name: str,
        password: str | None,
        *,
        email_verified: bool = False,
        roles: Iterable[str] = (),
        groups: Iterable[str] = (),
        profile: Mapping[str, Any] | None = None,
    ) -> NewAccount:
        """Check and hash what a new account needs, outside any transaction. Raises
        Invalid, Busy.
        """
        row = self._row(email, name, email_verified, profile or {})
        held = frozenset(map(checked_role, roles))
        joined = frozenset(map(checked_group, groups))
        hashed = None if password is None else self._hashed(password, email, name)
        return NewAccount(row["id"], row, held, joined, hashed)

    def insert(self, connection: Connection, new: NewAccount, origin: Origin, actor: str) -> None:
        """Add a prepared account in the caller's transaction. Raises AlreadyExists."""
        now = new.row["created_at"]
        try:
            rows.add(connection, dict(new.row))
        except Conflict as error:
            said = marked("There is an account for %(email)s already.", email=new.row["email"])
            raise AlreadyExists(said) from error
        by = By(actor, origin)
        self._giving.give(connection, new.id, new.roles, new.groups, by, called=new.row["email"])
        if new.hashed:
            rows.set_password(connection, new.id, new.hashed, now)
        detail = {"roles": " ".join(sorted(new.roles)), "groups": " ".join(sorted(new.groups))}
        entry = Entry("account.added", actor, new.id, detail=detail)
        self._audit.record(connection, origin, entry)

    def _row(
        self, email: str, name: str, email_verified: bool, profile: Mapping[str, Any]
    ) -> dict[str, Any]:
        email = checked_email(email)
        if len(name) > _LONGEST_NAME or not name.isprintable():
            said = marked("A name has at most %(most)s printable characters.", most=_LONGEST_NAME)
            raise Invalid("name", said)
        now = int(self._clock())
        return {
            "id": uuid7(),
            "subject": random_identifier(),
            "email": email,
            "email_key": email_key(email),
            "email_verified": email_verified,
            "name": name.strip(),
            "profile": profile_claims.checked(profile),
            "created_at": now,
            "updated_at": now,
            "disabled_at": None,
            "deletes_at": None,
            "language": None,
            "theme": None,
            "passkey_quiet_until": None,
        }

    def get(self, key: str) -> Account:
        """Return the person with this id, subject or address. Raises NotFound."""
        with self._store.reading() as connection:
            return self.get_within(connection, key)

    def get_within(self, connection: Connection, key: str) -> Account:
        """Return the person as the caller's transaction sees them. Raises NotFound."""
        row = rows.find(connection, key) or rows.find(connection, email_key(key))
        if row is None:
            raise NotFound(marked("There is no account %(key)s.", key=key))
        held = self.held(connection, [row["id"]])[row["id"]]
        return from_row(row, held.roles, held.groups)

    def held(self, connection: Connection, ids: Sequence[str]) -> dict[str, Held]:
        """Return the roles and groups that these people have in the end."""
        return memberships.held(connection, ids, int(self._clock()))

    def page(self, limit: int = 100, after: str = "") -> list[Account]:
        """Return at most `limit` people, beginning behind the id `after`."""
        with self._store.reading() as connection:
            found = rows.page(connection, limit, after)
            held = self.held(connection, [row["id"] for row in found])
        return [from_row(row, held[row["id"]].roles, held[row["id"]].groups) for row in found]

    def disable(self, key: str, origin: Origin, actor: str) -> Account:
        """Shut a person out of every path at once: sessions end, authorizations are revoked.

        Raises LastAdministrator.
        """
        try:
            with self._store.writing() as connection:
                return self._disable(connection, key, origin, actor)
        except LastAdministrator as error:
            self._audit.refuse(origin, Entry("account.disabled", actor, error.account_id))
            raise

    def _disable(self, connection: Connection, key: str, origin: Origin, actor: str) -> Account:
        now = int(self._clock())
        account = self.get_within(connection, key)
        if ADMINISTRATOR in account.roles:
            keep_an_administrator(connection, account.id, account.email)
        rows.lock(connection, account.id)
        rows.change(connection, account.id, {"disabled_at": now, "updated_at": now})
        sessions.end_all(connection, account.id, now)
        authorizations.revoke_all(connection, account.id, now, "account disabled")
        self._audit.record(connection, origin, Entry("account.disabled", actor, account.id))
        return self.get_within(connection, account.id)

    def enable(self, key: str, origin: Origin, actor: str) -> Account:
        """Let a person in again. What was revoked stays revoked."""
        now = int(self._clock())
        with self._store.writing() as connection:
            account = self.get_within(connection, key)
            rows.change(connection, account.id, {"disabled_at": None, "updated_at": now})
            self._audit.record(connection, origin, Entry("account.enabled", actor, account.id))
        return self.get(account.id)

    def set_password(self, key: str, password: str, origin: Origin, actor: str) -> None:
        """Replace a person's password; sessions end and authorizations are revoked. Raises Invalid,
        Busy.
        """
        account = self.get(key)
        hashed = self._hashed(password, account.email, account.name)
        now = int(self._clock())
        with self._store.writing() as connection:
            rows.set_password(connection, account.id, hashed, now)
            sessions.end_all(connection, account.id, now)
            authorizations.revoke_all(connection, account.id, now, "password changed")
            self._audit.record(connection, origin, Entry("password.changed", actor, account.id))
