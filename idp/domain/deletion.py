"""Deleting an account: planned by its person, undone until it is due, then done for good.

What the audit log says of it stays: its entries name the account by an id that is nobody's any
more.
"""

from idp.config import Settings
from idp.domain.accounts import Account, email_key, from_row
from idp.domain.audit import Audit, By, Entry, Origin
from idp.domain.clock import Clock
from idp.domain.errors import Invalid
from idp.domain.outbox import Outbox
from idp.domain.roles import LastAdministrator, keep_an_administrator
from idp.domain.texts import marked
from idp.store import accounts as rows
from idp.store import deletion, sessions
from idp.store.database import Connection, Store

_BATCH = 50
_OURSELVES = Origin()


class Deletion:
    """Plans, cancels, and does what is due."""

    def __init__(
        self, store: Store, outbox: Outbox, audit: Audit, clock: Clock, settings: Settings
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._audit = audit
        self._clock = clock
        self._grace = settings.deletion_grace

    def plan(self, account: Account, typed: str, by: By) -> int:
        """Plan the deletion for when the grace period ends; return that second.

        `typed` has to be the account's address. Planned before, it stays as planned. Raises
        Invalid, LastAdministrator.
        """
        if email_key(typed) != email_key(account.email):
            raise Invalid("email", marked("That is not the address of this account."))
        try:
            with self._store.writing() as connection:
                return self._plan(connection, account, by)
        except LastAdministrator:
            entry = Entry("account.deletion_planned", by.actor, account.id)
            self._audit.refuse(by.origin, entry)
            raise

    def _plan(self, connection: Connection, account: Account, by: By) -> int:
        now = int(self._clock())
        keep_an_administrator(connection, account.id, account.email)
        rows.lock(connection, account.id)
        planned = deletion.planned(connection, account.id)
        if planned is not None:
            return planned
        due = now + self._grace
        rows.change(connection, account.id, {"deletes_at": due, "updated_at": now})
        self._audit.record(
            connection,
            by.origin,
            Entry("account.deletion_planned", by.actor, account.id, detail={"deletes_at": due}),
        )
        self._tell(connection, "deletion_planned", account, {"deletes_at": due})
        return due

    def cancel(self, account: Account, by: By) -> None:
        """Keep the account; nothing happens when no deletion is planned."""
        with self._store.writing() as connection:
            rows.lock(connection, account.id)
            if deletion.planned(connection, account.id) is None:
                return
            changes = {"deletes_at": None, "updated_at": int(self._clock())}
            rows.change(connection, account.id, changes)
            entry = Entry("account.deletion_cancelled", by.actor, account.id)
            self._audit.record(connection, by.origin, entry)
            self._tell(connection, "deletion_cancelled", account, {})

    def delete_due(self) -> int:
        """Delete the accounts whose time has come, each in a transaction of its own; return how
        many. The last administrator stays, however long ago it was planned.
        """
        now = int(self._clock())
        with self._store.reading() as connection:
            due = deletion.due(connection, now, _BATCH)
        return sum(self._delete(account_id, now) for account_id in due)

    def _delete(self, account_id: str, now: int) -> bool:
        try:
            with self._store.writing() as connection:
                row = rows.find(connection, account_id)
                if row is None:
                    return False
                keep_an_administrator(connection, account_id, from_row(row).email)
                rows.lock(connection, account_id)
                planned = deletion.planned(connection, account_id)
                if planned is None or planned > now:
                    return False
                sessions.end_all(connection, account_id, now)  # so that its clients are told
                deletion.delete_account(connection, account_id)
                entry = Entry("account.deleted", "server", account_id)
                self._audit.record(connection, _OURSELVES, entry)
                return True
        except LastAdministrator:
            return False

    def _tell(
        self, connection: Connection, kind: str, account: Account, values: dict[str, int]
    ) -> None:
        self._outbox.put(
            connection,
            kind,
            account.email,
            values,
            account_id=account.id,
            language=account.language,
        )
