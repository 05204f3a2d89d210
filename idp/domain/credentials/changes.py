"""What every change of a credential does beside itself: it is audited and its person is told.

A removal also shuts out whoever got in with what is gone: other sessions end, and authorizations
are revoked, those that outlive sessions too.
"""

from idp.domain.accounts import Account
from idp.domain.audit import Audit, By, Entry
from idp.domain.clock import Clock
from idp.domain.outbox import Outbox
from idp.store import authorizations, devices, sessions
from idp.store.database import Connection


class CredentialChanges:
    """Records and tells, in the transaction of the change."""

    def __init__(self, outbox: Outbox, audit: Audit, clock: Clock) -> None:
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    def added(
        self, connection: Connection, account: Account, factor: str, name: str, by: By
    ) -> None:
        """Somebody has one more way to prove who they are. `factor`: `passkey`, `authenticator`…"""
        self._note(connection, account, f"{factor}.added", name, by)
        self._tell(connection, account, "credential_added", factor, name, by)

    def renamed(
        self, connection: Connection, account: Account, factor: str, name: str, by: By
    ) -> None:
        """A credential has another name: nobody is told."""
        self._note(connection, account, f"{factor}.renamed", name, by)

    def removed(
        self, connection: Connection, account: Account, factor: str, name: str, by: By
    ) -> None:
        """A credential is gone, and with it what it opened elsewhere."""
        self.shut_out(connection, account, f"{factor} removed", by)
        self._note(connection, account, f"{factor}.removed", name, by)
        self._tell(connection, account, "credential_removed", factor, name, by)

    def shut_out(self, connection: Connection, account: Account, because: str, by: By) -> None:
        """End every session but the one of the change, revoke every authorization, trust no
        device.
        """
        now = int(self._clock())
        devices.distrust(connection, account.id)
        sessions.end_all(connection, account.id, now, but=by.session_id)
        authorizations.revoke_all(connection, account.id, now, because)

    def _note(
        self, connection: Connection, account: Account, event: str, name: str, by: By
    ) -> None:
        entry = Entry(event, by.actor, account.id, detail={"name": name} if name else None)
        self._audit.record(connection, by.origin, entry)

    def _tell(
        self, connection: Connection, account: Account, kind: str, factor: str, name: str, by: By
    ) -> None:
        values = {
            "factor": factor,
            "name": name,
            "at": int(self._clock()),
            "address": by.origin.address,
            "user_agent": by.origin.user_agent,
        }
        self._outbox.put(
            connection,
            kind,
            account.email,
            values,
            account_id=account.id,
            language=account.language,
        )
