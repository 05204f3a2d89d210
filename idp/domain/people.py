"""Looking after other people's accounts: found, looked at, changed, each time recorded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from idp.domain.accounts import Account, Accounts, email_key, from_row
from idp.domain.administrators import Administrators
from idp.domain.audit import Audit, By, Entry
from idp.domain.credentials.passkeys import Passkeys
from idp.domain.credentials.recovery_codes import RecoveryCodes
from idp.domain.credentials.totp import Authenticators
from idp.domain.delegation import may_change, may_give
from idp.domain.errors import DomainError, Invalid, NotFound
from idp.domain.memberships import Memberships
from idp.domain.roles import ADMINISTRATOR
from idp.domain.sessions import Sessions
from idp.domain.texts import marked
from idp.store import people_search
from idp.store.database import Store
from idp.store.memberships import Held

PAGE = 50
"""People of one page."""
_ID = re.compile(r"[0-9a-f-]{36}")
_ACCOUNT = "account:"
_LONGEST_SEARCH = 200
_NOBODY = marked("There is no such person.")
_NOT_YOURS = marked("Only administrators may change people with a privileged role.")
_BEYOND = marked(
    "You can give and take only roles that were put into your hands, and groups that you are in."
)
_NOT_THE_ADDRESS = marked("That is not the address of this account.")
_YOURSELF = marked("You can’t disable yourself.")


class MayNot(DomainError):
    """It would be more than this person may do to that one."""


@dataclass(frozen=True)
class Found:
    """A page of people. `more` is the id behind which the next one begins; empty: it is the
    last.
    """

    people: list[Account]
    more: str


class People:
    """What people who administer see of others, and do to them.

    Whoever acts is `By.actor`, an account; that the policies permit the deed was asked before.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        memberships: Memberships,
        administrators: Administrators,
        sessions: Sessions,
        passkeys: Passkeys,
        authenticators: Authenticators,
        recovery_codes: RecoveryCodes,
        audit: Audit,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._memberships = memberships
        self._administrators = administrators
        self._sessions = sessions
        self._passkeys = passkeys
        self._authenticators = authenticators
        self._recovery_codes = recovery_codes
        self._audit = audit

    def search(self, text: str = "", after: str = "") -> Found:
        """Return the people whose address begins with `text`, ordered by it, then those whose name
        does. `after` is the last person of the page before.
        """
        typed = "".join(filter(str.isprintable, text)).strip()[:_LONGEST_SEARCH]
        prefix = email_key(typed)
        with self._store.reading() as connection:
            last = self._last(after)
            if last is None or email_key(last.email).startswith(prefix):
                begin = last.id if last else ""
                rows = [*people_search.by_email(connection, prefix, begin, PAGE + 1)]
                begin = ""
            else:
                rows, begin = [], last.id
            if typed and len(rows) <= PAGE:
                rows += people_search.by_name(
                    connection, _spellings(typed), prefix, begin, PAGE + 1 - len(rows)
                )
            shown = rows[:PAGE]
            held = self._accounts.held(connection, [row["id"] for row in shown])
        more = shown[-1]["id"] if len(rows) > PAGE else ""
        return Found([from_row(row, **vars(held[row["id"]])) for row in shown], more)

    def _last(self, after: str) -> Account | None:
        try:
            return self._accounts.get(after) if _ID.fullmatch(after) else None
        except NotFound:
            return None

    def view(self, account_id: str, by: By) -> Account:
        """Return a person, and record that somebody looked. Raises NotFound."""
        account = self._find(account_id, "admin.viewed", by)
        with self._store.writing() as connection:
            self._audit.record(connection, by.origin, Entry("admin.viewed", by.actor, account.id))
        return account

    def changeable(self, account: Account, by: By) -> bool:
        """Whether whoever acts may change what belongs to this person."""
        return may_change(self._actor(by), account)

    def takeable(self, account: Account, by: By) -> Held:
        """Return the roles and groups that were given to this person, and that whoever acts may
        take. What a group or another role brings goes with that alone.
        """
        with self._store.reading() as connection:
            powers = self._memberships.powers(connection, by.actor)
            given = self._memberships.given(connection, account.id)
            return Held(
                frozenset(one for one in given.roles if may_give(connection, powers, (one,), ())),
                frozenset(one for one in given.groups if may_give(connection, powers, (), (one,))),
            )

    def _may_give(self, roles: Sequence[str], groups: Sequence[str], by: By) -> bool:
        with self._store.reading() as connection:
            powers = self._memberships.powers(connection, by.actor)
            return may_give(connection, powers, roles, groups)

    def disable(self, account_id: str, typed: str, by: By) -> Account:
        """Shut a person out; `typed` has to be their address. Raises NotFound, MayNot, Invalid,
        LastAdministrator.
        """
        account = self._mine(account_id, "account.disabled", by)
        _confirm(account, typed)
        if by.actor == f"{_ACCOUNT}{account.id}":
            raise Invalid("typed", _YOURSELF)
        return self._accounts.disable(account.id, by.origin, by.actor)

    def enable(self, account_id: str, by: By) -> Account:
        """Let a person in again. Raises NotFound, MayNot."""
        account = self._mine(account_id, "account.enabled", by)
        return self._accounts.enable(account.id, by.origin, by.actor)

    def grant(
        self, account_id: str, *, roles: Sequence[str] = (), groups: Sequence[str] = (), by: By
    ) -> Account:
        """Give roles and groups. Raises NotFound, MayNot, Invalid, AlreadyExists."""
        account = self._given(account_id, roles, groups, "granted", by)
        account = self._memberships.grant(
            account.id, roles=roles, groups=groups, origin=by.origin, actor=by.actor
        )
        if ADMINISTRATOR in account.roles:
            self._administrators.remember()
        return account

    def revoke(
        self, account_id: str, *, roles: Sequence[str] = (), groups: Sequence[str] = (), by: By
    ) -> Account:
        """Take roles and groups. Raises NotFound, MayNot, Invalid, LastAdministrator."""
        account = self._given(account_id, roles, groups, "revoked", by)
        return self._memberships.revoke(
            account.id, roles=roles, groups=groups, origin=by.origin, actor=by.actor
        )

    def end_session(self, account_id: str, session_id: str, by: By) -> None:
        """End one session of a person. Raises NotFound, MayNot."""
        account = self._mine(account_id, "session.ended", by)
        try:
            self._sessions.end_one(session_id, account.id, by.origin, by.actor)
        except NotFound:
            self._refuse("session.ended", account.id, by, session=session_id)
            raise

    def end_sessions(self, account_id: str, by: By) -> int:
        """End every session of a person, but not the one of whoever acts; return how many.

        Raises NotFound, MayNot.
        """
        account = self._mine(account_id, "session.ended", by)
        return self._sessions.end_others(account.id, by.session_id, by.origin, by.actor)

    def remove(self, account_id: str, kind: str, credential_id: str, typed: str, by: By) -> None:
        """Remove a credential of the kind `passkey`, `authenticator` or `recovery_codes`; who got
        in with it is shut out, and its person gets a mail. `typed` has to be their address.

        Raises NotFound, MayNot, Invalid.
        """
        account = self._mine(account_id, f"{kind}.removed", by)
        _confirm(account, typed)
        try:
            self._remove(account, kind, credential_id, by)
        except NotFound:
            self._refuse(f"{kind}.removed", account.id, by, credential=credential_id)
            raise

    def _remove(self, account: Account, kind: str, credential_id: str, by: By) -> None:
        if kind == "passkey":
            self._passkeys.remove(account, credential_id, by)
        elif kind == "authenticator":
            self._authenticators.remove(account, credential_id, by)
        else:
            with self._store.writing() as connection:
                self._recovery_codes.remove_all(connection, account, by)

    def _given(
        self, account_id: str, roles: Sequence[str], groups: Sequence[str], deed: str, by: By
    ) -> Account:
        event = f"role.{deed}" if roles else "group.joined" if deed == "granted" else "group.left"
        account = self._mine(account_id, event, by)
        if not self._may_give(roles, groups, by):
            self._refuse(event, account.id, by, name=" ".join([*roles, *groups]))
            raise MayNot(_BEYOND)
        return account

    def _mine(self, account_id: str, event: str, by: By) -> Account:
        """Return a person whom the actor may change; a refusal is recorded."""
        account = self._find(account_id, event, by)
        if not self.changeable(account, by):
            self._refuse(event, account.id, by)
            raise MayNot(_NOT_YOURS)
        return account

    def _find(self, account_id: str, event: str, by: By) -> Account:
        if _ID.fullmatch(account_id):
            try:
                return self._accounts.get(account_id)
            except NotFound:
                pass
        self._refuse(event, None, by, person=account_id)
        raise NotFound(_NOBODY)

    def _actor(self, by: By) -> Account:
        return self._accounts.get(by.actor.removeprefix(_ACCOUNT))

    def _refuse(self, event: str, account_id: str | None, by: By, **detail: str) -> None:
        entry = Entry(event, by.actor, account_id, detail=detail or None)
        self._audit.refuse(by.origin, entry)


def _confirm(account: Account, typed: str) -> None:
    if email_key(typed) != email_key(account.email):
        raise Invalid("typed", _NOT_THE_ADDRESS)


def _spellings(typed: str) -> list[str]:
    """Names are kept as they were given: people rarely type capitals when they look for one."""
    return list(dict.fromkeys((typed, typed.title(), typed.lower())))
