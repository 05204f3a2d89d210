"""From proven factors to a session, with `amr` (RFC 8176) and `acr` that tell the truth."""

from typing import NoReturn

from idp.domain.accounts import email_key
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.credentials.password import Passwords
from idp.domain.errors import Refused
from idp.domain.interactions import Interaction, Interactions
from idp.domain.sessions import Sessions
from idp.domain.throttling import Throttle
from idp.store import accounts as rows
from idp.store.database import RowMapping, Store

ACR_ONE_FACTOR = "urn:doorward:acr:one-factor"
AMR_PASSWORD = ("pwd",)


class SignIn:
    """Checks what a person presents and opens the session."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        throttle: Throttle,
        sessions: Sessions,
        interactions: Interactions,
        audit: Audit,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._throttle = throttle
        self._sessions = sessions
        self._interactions = interactions
        self._audit = audit

    def with_password(
        self, interaction: Interaction, password: str, cookie: str, origin: Origin
    ) -> str:
        """Sign in whom the interaction's identifier names; return the session's new cookie.

        Raises Refused, Throttled, Busy.

        Unknown, disabled and passwordless accounts walk the same steps as a wrong password: one
        look-up, one count, one hash, one refusal (SECURITY case 84).
        """
        key = email_key(interaction.progress.identifier)
        with self._store.reading() as connection:
            row = rows.with_password(connection, key)
        identity = row["id"] if row else key
        known = cookie if self._sessions.knows(cookie, identity) else ""
        with self._passwords.turn():
            self._throttle.count_try(identity, origin.address, known)
            matches = self._passwords.matches(row["hash"] if row else None, password)
        if row is None or not matches or row["disabled_at"] is not None:
            self._refuse(row["id"] if row else None, origin)
        return self._complete(row, interaction, cookie, known, origin)

    def _refuse(self, account_id: str | None, origin: Origin) -> NoReturn:
        entry = Entry("sign_in", "anyone", account_id, detail={"factor": "password"})
        self._audit.refuse(origin, entry)
        raise Refused("wrong password, or no such account")

    def _complete(
        self, row: RowMapping, interaction: Interaction, cookie: str, known: str, origin: Origin
    ) -> str:
        """Open the session, unless password or account changed while the hash was computed."""
        account_id = row["id"]
        with self._store.writing() as connection:
            unchanged = rows.confirm(connection, account_id, row["hash"])
            if unchanged:
                self._throttle.forget(connection, account_id, known)
                session_id, new_cookie = self._sessions.start(
                    connection,
                    account_id,
                    AMR_PASSWORD,
                    ACR_ONE_FACTOR,
                    cookie,
                    interaction.progress.session_of(account_id),
                    origin,
                )
                self._interactions.note_sign_in(
                    connection, interaction, account_id, session_id, new_cookie
                )
                actor = f"account:{account_id}"
                entry = Entry("sign_in", actor, account_id, detail={"factor": "password"})
                self._audit.record(connection, origin, entry)
        if not unchanged:
            self._refuse(account_id, origin)
        return new_cookie
