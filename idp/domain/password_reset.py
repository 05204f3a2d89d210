"""A forgotten password: whoever proves to read the account's mail may set a new one, and nothing
else.

It signs nobody in, and a second factor stays needed (SECURITY case 97). What was proven is kept in
the interaction, for this account, for some minutes, and for the password that it had then.
"""

from collections.abc import Mapping
from typing import Any

from idp.config import Settings
from idp.crypto.secrets import digest
from idp.domain.accounts import Account, from_row
from idp.domain.audit import Audit, By, Entry
from idp.domain.clock import Clock
from idp.domain.credentials.changes import CredentialChanges
from idp.domain.credentials.password import Passwords
from idp.domain.errors import Refused
from idp.domain.interactions import Interactions
from idp.domain.outbox import Outbox
from idp.domain.proving import Check, Visit
from idp.domain.requirements import Requirements
from idp.domain.texts import marked
from idp.store import accounts as rows
from idp.store.database import Connection, RowMapping, Store

PURPOSE = "reset"
_CHANGED = marked("Your password was changed. Sign in with it.")


class PasswordReset:
    """Lets people set a new password."""

    def __init__(
        self,
        store: Store,
        interactions: Interactions,
        passwords: Passwords,
        requirements: Requirements,
        changes: CredentialChanges,
        outbox: Outbox,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._interactions = interactions
        self._passwords = passwords
        self._requirements = requirements
        self._changes = changes
        self._outbox = outbox
        self._audit = audit
        self._clock = clock
        self._lifetime = settings.magic_link_lifetime

    def allow(self, visit: Visit, account: Account, check: Check) -> None:
        """Let this browser set the account's password; `check` uses up the link or the code.

        Raises Refused.
        """
        with self._store.writing() as connection:
            works = rows.enabled(connection, account.id) and check(connection)
            row = self._row(connection, account.id)
            if works and row is not None:
                details = {
                    "proven": PURPOSE,
                    "account": account.id,
                    "at": int(self._clock()),
                    "was": _mark(row),
                }
                self._interactions.note_within(
                    connection, visit.interaction, details=details, mailed=""
                )
                entry = Entry("password.reset_allowed", "anyone", account.id)
                self._audit.record(connection, visit.origin, entry)
        if not works:
            raise self._refused(visit, account.id)

    def allowed(self, visit: Visit) -> Account | None:
        """Return whose password this browser may set, None if nobody's."""
        details = visit.interaction.progress.details
        if details.get("proven") != PURPOSE:
            return None
        with self._store.reading() as connection:
            row = self._allowed(connection, details)
        return from_row(row) if row else None

    def give_up(self, visit: Visit) -> None:
        """The person does not want to after all."""
        self._interactions.note(visit.interaction, details={})

    def min_length(self, account: Account) -> int:
        """Return the length of the account's shortest password, in characters."""
        if self._requirements.standing(account.id).second_factor:
            return self._passwords.min_length_with_second_factor
        return self._passwords.min_length

    def complete(self, visit: Visit, password: str) -> None:
        """Set the password; every session ends, and what is authorized is revoked. Raises Refused,
        Invalid, Busy.
        """
        account = self.allowed(visit)
        if account is None:
            raise self._refused(visit, None)
        hashed = self._passwords.accept(
            password,
            account.email,
            account.name,
            second_factor=self._requirements.standing(account.id).second_factor,
        )
        with self._store.writing() as connection:
            rows.lock(connection, account.id)
            progress = self._interactions.note_within(connection, visit.interaction)
            allowed = self._allowed(connection, progress.details)
            won = allowed is not None and allowed["id"] == account.id
            if won:
                self._set(connection, visit, account, hashed)
        if not won:
            raise self._refused(visit, account.id)

    def _set(self, connection: Connection, visit: Visit, account: Account, hashed: str) -> None:
        now, origin = int(self._clock()), visit.origin
        by = By(f"account:{account.id}", origin)
        rows.set_password(connection, account.id, hashed, now)
        self._changes.shut_out(connection, account, "password reset", by)
        self._audit.record(connection, origin, Entry("password.reset", by.actor, account.id))
        values = {
            "at": now,
            "address": origin.address,
            "user_agent": origin.user_agent,
            "reset": True,
        }
        self._outbox.put(
            connection,
            "password_changed",
            account.email,
            values,
            account_id=account.id,
            language=account.language,
        )
        again = {"account": "", "proofs": {}, "chosen": "", "mailed": "", "details": {}}
        self._interactions.note_within(
            connection,
            visit.interaction,
            identifier=account.email,
            said=_CHANGED.one,
            **again,
        )

    def _allowed(self, connection: Connection, details: Mapping[str, Any]) -> RowMapping | None:
        """Another new password, a disabled account and time all take it back."""
        if details.get("proven") != PURPOSE or self._clock() >= details["at"] + self._lifetime:
            return None
        row = self._row(connection, details["account"])
        usable = row is not None and row["disabled_at"] is None and _mark(row) == details["was"]
        return row if usable else None

    def _row(self, connection: Connection, account_id: str) -> RowMapping | None:
        found = rows.find(connection, account_id)
        return rows.with_password(connection, found["email_key"]) if found else None

    def _refused(self, visit: Visit, account_id: str | None) -> Refused:
        self._audit.refuse(visit.origin, Entry("password.reset", "anyone", account_id))
        return Refused("reset")


def _mark(row: RowMapping) -> str:
    """Return what tells this password and address from later ones."""
    return digest("password to reset", f"{row['email_key']} {row['hash'] or ''}").hex()
