"""A person's own password: set, changed and removed by who is signed in."""

from idp.domain.accounts import Account
from idp.domain.audit import Audit, By, Entry
from idp.domain.clock import Clock
from idp.domain.credentials.changes import CredentialChanges
from idp.domain.credentials.last_way import keep_a_way_in
from idp.domain.credentials.password import Passwords
from idp.domain.errors import NotFound
from idp.domain.outbox import Outbox
from idp.domain.requirements import Requirements
from idp.domain.texts import marked
from idp.store import accounts as rows
from idp.store.database import Connection, Store


class OwnPassword:
    """Changes, and tells."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        requirements: Requirements,
        changes: CredentialChanges,
        outbox: Outbox,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._requirements = requirements
        self._changes = changes
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    def changed_at(self, account_id: str) -> int | None:
        """Return when it was set, in seconds since 1970; None without one."""
        with self._store.reading() as connection:
            return rows.password_changed_at(connection, account_id)

    def shortest(self, account_id: str) -> int:
        """Return how many characters a new one needs."""
        second = self._requirements.standing(account_id).second_factor
        passwords = self._passwords
        return passwords.min_length_with_second_factor if second else passwords.min_length

    def change(self, account: Account, password: str, by: By) -> None:
        """Set a password, or another one: every other session ends, authorizations are revoked,
        a mail tells. Raises Invalid, Busy.
        """
        second = self._requirements.standing(account.id).second_factor
        hashed = self._passwords.accept(password, account.email, account.name, second_factor=second)
        with self._store.writing() as connection:
            rows.lock(connection, account.id)
            first = rows.password_changed_at(connection, account.id) is None
            rows.set_password(connection, account.id, hashed, int(self._clock()))
            if first:
                self._changes.added(connection, account, "password", "", by)
            else:
                self._replaced(connection, account, by)

    def _replaced(self, connection: Connection, account: Account, by: By) -> None:
        self._changes.shut_out(connection, account, "password changed", by)
        entry = Entry("password.changed", by.actor, account.id)
        self._audit.record(connection, by.origin, entry)
        values = {
            "at": int(self._clock()),
            "address": by.origin.address,
            "user_agent": by.origin.user_agent,
            "reset": False,
        }
        self._outbox.put(
            connection,
            "password_changed",
            account.email,
            values,
            account_id=account.id,
            language=account.language,
        )

    def remove(self, account: Account, by: By) -> None:
        """Remove it, and shut out whoever came in with it. Raises NotFound, LastWay."""
        with self._store.writing() as connection:
            rows.lock(connection, account.id)
            if not rows.remove_password(connection, account.id):
                raise NotFound(marked("There is no password."))
            keep_a_way_in(connection, account, by)
            self._changes.removed(connection, account, "password", "", by)

    def shut_out_others(self, account: Account, by: By) -> None:
        """End everything but the session of `by`: its person saw what was not them."""
        with self._store.writing() as connection:
            rows.lock(connection, account.id)
            self._changes.shut_out(connection, account, "that was not me", by)
            entry = Entry("account.not_me", by.actor, account.id)
            self._audit.record(connection, by.origin, entry)
