"""Clients that register and manage themselves: RFC 7591, RFC 7592.

Each has a registration access token, which opens its own registration and no other one's. Only the
digest is kept; every change gives a new one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.config import Settings
from idp.crypto import secrets
from idp.domain import registration_policy
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clients import SECRET_PREFIX, Client, Clients
from idp.domain.clock import Clock
from idp.domain.errors import NotFound, Refused
from idp.domain.initial_tokens import InitialToken, InitialTokens
from idp.domain.registration_policy import RegistrationPolicy
from idp.domain.throttling import Throttle
from idp.store import registrations as rows
from idp.store.database import Connection, Store

PREFIX = "dw_registration_"
NEVER_USED_SECONDS = 30 * 86400
"""A client that registered itself and was never used is deleted after that."""
_BATCH = 100
_PURPOSE = "registration access token"


@dataclass(frozen=True)
class Registered:
    """A client as it is now, with what it is told once: its new secret, if any, and the token to
    manage its registration with.
    """

    client: Client
    secret: str | None = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Managed:
    """A client that proved its registration access token, and what it may register."""

    client: Client
    policy: RegistrationPolicy
    token: str = field(repr=False)


class Registrations:
    """Registers, finds, changes and deletes on behalf of the clients themselves."""

    def __init__(
        self,
        store: Store,
        clients: Clients,
        initial_tokens: InitialTokens,
        look_for_logos: Callable[[], object],
        throttle: Throttle,
        audit: Audit,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store = store
        self._clients = clients
        self._initial_tokens = initial_tokens
        self._look_for_logos = look_for_logos
        self._throttle = throttle
        self._audit = audit
        self._clock = clock
        self._settings = settings
        self._open_policy = registration_policy.of_settings(settings)

    @property
    def open_policy(self) -> RegistrationPolicy:
        """What anybody may register, where registration is open."""
        return self._open_policy

    def trusts(self, client: Client) -> bool:
        """Whether the operator knows who registered the client, or says to trust everybody."""
        return client.trusted or self._settings.registration_trusted

    def register(
        self,
        details: Mapping[str, Any],
        *,
        secret: bool,
        initial: InitialToken | None,
        origin: Origin,
    ) -> Registered:
        """Register a client with metadata that was checked; `initial` is used once.

        Raises Refused when it works no more, and Throttled without one.
        """
        if initial is None:
            self._throttle.count_registration(origin.address, self._settings.registration_limit)
        client_id = secrets.random_identifier()
        new_secret = secrets.random_token(SECRET_PREFIX) if secret else None
        token = secrets.random_token(PREFIX)
        actor = f"initial_token:{initial.id}" if initial else "anyone"
        row = {
            "client_id": client_id,
            "token_digest": secrets.digest(_PURPOSE, token),
            "policy": initial.policy.as_json() if initial else {},
            "trusted": initial is not None and initial.policy.trusted,
        }
        with self._store.writing() as connection:
            if initial:
                self._initial_tokens.take_within(connection, initial)
            self._clients.add_within(connection, client_id, details, new_secret, origin, actor)
            rows.add(connection, row)
        return self._registered(client_id, new_secret, token)

    def find(self, client_id: str, token: str) -> Managed:
        """Return the client of which this is the registration access token. Raises Refused,
        for a client that does not exist too.
        """
        try:
            client = self._clients.get(client_id)
        except NotFound as error:
            raise Refused("unknown client") from error
        with self._store.reading() as connection:
            row = rows.find(connection, client_id)
        if row is None:
            raise Refused("an operator registered this client")
        if not secrets.same(row["token_digest"], _digest(token)):
            raise Refused("not the registration access token of this client")
        stored = row["policy"]
        policy = registration_policy.from_json(stored) if stored else self._open_policy
        return Managed(client, policy, token)

    def is_secret(self, managed: Managed, presented: str) -> bool:
        """Whether `presented` is a live secret of the client."""
        return self._clients.check_secret(managed.client, presented)

    def update(
        self, managed: Managed, details: Mapping[str, Any], *, secret: bool, origin: Origin
    ) -> Registered:
        """Replace the metadata. A client that needs a secret keeps the one it has, or gets its
        first. Raises Refused when somebody else used the token meanwhile, and Throttled.
        """
        # Each change is written down, and sends us to look for another logo.
        self._throttle.count("registration change", origin.address)
        client_id = managed.client.client_id
        live = self._clients.has_secret(managed.client, details)
        new_secret = secrets.random_token(SECRET_PREFIX) if secret and not live else None
        token = secrets.random_token(PREFIX)
        with self._store.writing() as connection:
            self._rotate(connection, managed, token)
            if not secret:
                rows.drop_secrets(connection, client_id)
            self._clients.change_within(connection, client_id, details, new_secret)
            self._record(connection, "client.changed", client_id, origin)
        return self._registered(client_id, new_secret, token)

    def _registered(self, client_id: str, secret: str | None, token: str) -> Registered:
        """Return what was written, and let its logo be looked for."""
        self._clients.forget()
        client = self._clients.get(client_id)
        if client.details.get("logo_uri") and not client.logo:
            self._look_for_logos()
        return Registered(client, secret, token)

    def delete(self, managed: Managed, origin: Origin) -> None:
        """Delete the client, and with it its secrets, consents, authorizations and tokens. Raises
        Refused when somebody else used the token meanwhile.
        """
        client_id = managed.client.client_id
        with self._store.writing() as connection:
            self._rotate(connection, managed, secrets.random_token(PREFIX))
            rows.remove(connection, client_id)
            self._record(connection, "client.deleted", client_id, origin)
        self._clients.forget()

    def delete_unused(self) -> None:
        """Delete clients that registered themselves and are not used."""
        now, lifetime = int(self._clock()), self._settings.registration_unused_lifetime
        never_used = min(NEVER_USED_SECONDS, lifetime)
        with self._store.writing() as connection:
            for client_id in rows.unused(connection, now - never_used, now - lifetime, _BATCH):
                rows.remove(connection, client_id)
                detail = {"because": "not used"}
                entry = Entry("client.deleted", client_id=client_id, detail=detail)
                self._audit.record(connection, Origin(), entry)

    def _rotate(self, connection: Connection, managed: Managed, token: str) -> None:
        """Let one of many requests with the same token win. Raises Refused."""
        old, new = _digest(managed.token), _digest(token)
        if not rows.rotate(connection, managed.client.client_id, old, new):
            raise Refused("registration access token used meanwhile")

    def _record(self, connection: Connection, event: str, client_id: str, origin: Origin) -> None:
        entry = Entry(event, f"client:{client_id}", client_id=client_id)
        self._audit.record(connection, origin, entry)


def _digest(token: str) -> bytes:
    return secrets.digest(_PURPOSE, token if token.isascii() else "")
