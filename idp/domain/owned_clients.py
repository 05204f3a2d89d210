"""Clients that belong to people: registered, changed and deleted by their owner alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from idp.config import Settings
from idp.crypto import secrets
from idp.domain import registration_policy
from idp.domain.audit import Audit, By, Entry
from idp.domain.clients import SECRET_PREFIX, Client, Clients, from_rows
from idp.domain.errors import DomainError, NotFound
from idp.domain.registration_policy import RegistrationPolicy
from idp.domain.texts import marked
from idp.domain.throttling import Throttle
from idp.store import clients as rows
from idp.store import registrations
from idp.store.database import Connection, Store

MOST = 50
"""Clients of one person."""
_NOT_THERE = marked("There is no such application, or it is not yours.")
_TOO_MANY = marked("You have as many applications as one person may have. Delete one first.")
_DISABLED = marked("This application is disabled. Whoever runs this server can tell you why.")


class MayNotNow(DomainError):
    """Its owner could do it at another time."""


class OwnedClients:
    """Finds and changes the clients of a person. Somebody else's are not there (SECURITY case
    136): NotFound.
    """

    def __init__(
        self, store: Store, clients: Clients, throttle: Throttle, audit: Audit, settings: Settings
    ) -> None:
        self._store = store
        self._clients = clients
        self._throttle = throttle
        self._audit = audit
        self._limit = settings.registration_limit
        self._policy = registration_policy.of_settings(settings)
        self._service_scopes = settings.developer_service_scopes

    @property
    def policy(self) -> RegistrationPolicy:
        """What people may register that people sign in to."""
        return self._policy

    @property
    def service_policy(self) -> RegistrationPolicy:
        """What people may register that gets tokens for itself."""
        grants = ("client_credentials",)
        return replace(self._policy, scopes=self._service_scopes, grant_types=grants)

    def of(self, account_id: str) -> Sequence[Client]:
        """Return a person's clients, oldest first."""
        with self._store.reading() as connection:
            found = rows.owned(connection, account_id)
        return [from_rows(tuple(same)) for _, same in groupby(found, lambda row: row["id"])]

    def get(self, account_id: str, client_id: str) -> Client:
        """Return one as it is now. Raises NotFound."""
        try:
            client = self._clients.get(client_id)
        except NotFound as error:
            raise NotFound(_NOT_THERE) from error
        if client.owner_id != account_id:
            raise NotFound(_NOT_THERE)
        return client

    def changeable(self, account_id: str, client_id: str) -> Client:
        """Return one that its owner may change. Raises NotFound, MayNotNow for a disabled one."""
        client = self.get(account_id, client_id)
        if client.disabled:
            raise MayNotNow(_DISABLED)
        return client

    def register(
        self, account_id: str, details: Mapping[str, Any], *, secret: bool, by: By
    ) -> tuple[Client, str | None]:
        """Register a client with metadata that was checked. Its secret is in the answer and nowhere
        else. Raises MayNotNow, Throttled.
        """
        self._throttle.count_registration(by.origin.address, self._limit)
        client_id = secrets.random_identifier()
        new_secret = secrets.random_token(SECRET_PREFIX) if secret else None
        with self._store.writing() as connection:
            if not rows.lock_owner(connection, account_id):
                raise NotFound(_NOT_THERE)
            if len({row["id"] for row in rows.owned(connection, account_id)}) >= MOST:
                raise MayNotNow(_TOO_MANY)
            self._clients.add_within(
                connection, client_id, details, new_secret, by.origin, by.actor
            )
            rows.own(connection, client_id, account_id)
        self._clients.forget()
        return self._clients.get(client_id), new_secret

    def change(self, account_id: str, client_id: str, details: Mapping[str, Any], by: By) -> Client:
        """Replace the metadata by some that was checked. Raises NotFound, MayNotNow, Throttled."""
        self.changeable(account_id, client_id)
        # Each change is written down, and sends us to look for another logo.
        self._throttle.count("registration change", by.origin.address)
        with self._store.writing() as connection:
            self._clients.change_within(connection, client_id, details, None)
            self._record(connection, "client.changed", client_id, by)
        self._clients.forget()
        return self._clients.get(client_id)

    def rotate_secret(self, account_id: str, client_id: str, keep_old_seconds: int, by: By) -> str:
        """Return a new secret; the one before works for `keep_old_seconds` more. Raises NotFound,
        MayNotNow, Throttled, and Invalid for a public client.
        """
        self.changeable(account_id, client_id)
        self._throttle.count("registration change", by.origin.address)
        return self._clients.rotate_secret(
            client_id, keep_old_seconds, origin=by.origin, actor=by.actor
        )

    def end_secret(self, account_id: str, client_id: str, created_at: int, by: By) -> None:
        """End the old secret that was made then; the newest can't be ended. Raises NotFound,
        MayNotNow, Throttled.
        """
        self.changeable(account_id, client_id)
        self._throttle.count("registration change", by.origin.address)
        with self._store.writing() as connection:
            if not rows.drop_old_secret(connection, client_id, created_at):
                raise NotFound(marked("That secret has ended already."))
            self._record(connection, "client.secret_ended", client_id, by)
        self._clients.forget()

    def delete(self, account_id: str, client_id: str, by: By) -> None:
        """Delete a client, and with it its secrets, consents, authorizations and tokens, as RFC
        7592 section 2.3 has it. Raises NotFound, MayNotNow.
        """
        self.changeable(account_id, client_id)
        with self._store.writing() as connection:
            if not registrations.remove(connection, client_id):
                raise NotFound(_NOT_THERE)
            self._record(connection, "client.deleted", client_id, by)
        self._clients.forget()

    def _record(self, connection: Connection, event: str, client_id: str, by: By) -> None:
        self._audit.record(connection, by.origin, Entry(event, by.actor, client_id=client_id))
