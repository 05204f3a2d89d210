"""From proven factors to a session, with `amr` (RFC 8176) and `acr` that tell the truth."""

from typing import NoReturn

from idp.domain.accounts import Account, email_key, from_row
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.credentials.password import Passwords
from idp.domain.errors import Refused
from idp.domain.interactions import Interaction, Interactions
from idp.domain.sessions import Sessions
from idp.domain.throttling import Throttle
from idp.store import accounts as rows
from idp.store.database import Store

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
        with self._passwords.turn():
            self._throttle.count_try(identity, origin.address)
            matches = self._passwords.matches(row["hash"] if row else None, password)
        if row is None or not matches or row["disabled_at"] is not None:
            self._refuse(row["id"] if row else None, origin)
        return self._complete(from_row(row), interaction, cookie, origin)

    def _refuse(self, account_id: str | None, origin: Origin) -> NoReturn:
        entry = Entry("sign_in", "anyone", account_id, detail={"factor": "password"})
        self._audit.refuse(origin, entry)
        raise Refused("wrong password, or no such account")

    def _complete(
        self, account: Account, interaction: Interaction, cookie: str, origin: Origin
    ) -> str:
        with self._store.writing() as connection:
            self._throttle.forget(connection, account.id)
            new_cookie = self._sessions.start(
                connection, account.id, AMR_PASSWORD, ACR_ONE_FACTOR, cookie, origin
            )
            self._interactions.note_sign_in(connection, interaction, account.id, new_cookie)
            actor = f"account:{account.id}"
            entry = Entry("sign_in", actor, account.id, detail={"factor": "password"})
            self._audit.record(connection, origin, entry)
        return new_cookie
