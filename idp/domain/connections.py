"""The applications that a person let do something, and taking it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.domain.audit import Origin
from idp.domain.clients import Client, Clients
from idp.domain.clock import Clock
from idp.domain.consents import Consents, name_of
from idp.domain.errors import NotFound
from idp.domain.texts import marked
from idp.store import connections as rows
from idp.store.database import RowMapping, Store


@dataclass(frozen=True)
class ConnectedClient:
    """An application with all that it may do. Times are seconds since 1970.

    `scopes` holds claims too, under their names of consent. `targets` are the APIs that it may
    call without any particular permission; `offline`: it stays connected after a sign-out.
    """

    client: Client
    scopes: tuple[str, ...]
    targets: tuple[str, ...]
    since: int
    last_used_at: int
    offline: bool


class Connections:
    """Lists and removes."""

    def __init__(self, store: Store, clients: Clients, consents: Consents, clock: Clock) -> None:
        self._store = store
        self._clients = clients
        self._consents = consents
        self._clock = clock

    def of(self, account_id: str) -> list[ConnectedClient]:
        """Return a person's applications, the one used last first."""
        with self._store.reading() as connection:
            consented = rows.consents(connection, account_id)
            opened = rows.authorizations(connection, account_id, int(self._clock()))
        names = dict.fromkeys(row["client_id"] for row in (*consented, *opened))
        found = [
            _connected(
                client,
                [row for row in consented if row["client_id"] == name],
                [row for row in opened if row["client_id"] == name],
            )
            for name in names
            if (client := self._clients.find(name))
        ]
        return sorted(found, key=lambda one: one.last_used_at, reverse=True)

    def remove(self, account_id: str, client_id: str, origin: Origin) -> None:
        """Take back all that an application may do: its tokens die (SECURITY case 124).

        Raises NotFound for an application that is not connected.
        """
        if client_id not in {one.client.client_id for one in self.of(account_id)}:
            raise NotFound(marked("This application is not connected, or not any more."))
        self._consents.withdraw(account_id, client_id, origin, f"account:{account_id}")


def _connected(
    client: Client, consented: Sequence[RowMapping], opened: Sequence[RowMapping]
) -> ConnectedClient:
    scopes = {row["scope"] for row in consented} | {one for row in opened for one in row["scopes"]}
    scopes |= {name_of(claim) for row in opened for claim in _claims(row["claims"] or {})}
    targets = {row["resource"] for row in consented if not row["scope"]}
    times = _times(consented, opened)
    return ConnectedClient(
        client,
        tuple(sorted(scopes - {""})),
        tuple(sorted(targets)),
        min(times),
        max(times),
        any(not row["session_bound"] for row in opened),
    )


def _claims(asked: Mapping[str, Any]) -> set[str]:
    """Return the claims that were asked for one by one, without language tags."""
    names = (*asked.get("userinfo", ()), *asked.get("id_token", ()))
    return {name.partition("#")[0] for name in names}


def _times(consented: Sequence[RowMapping], opened: Sequence[RowMapping]) -> list[int]:
    """Return every second at which something was allowed, begun or refreshed."""
    found = [row["granted_at"] for row in consented]
    found += [row["created_at"] for row in opened]
    found += [row["refreshed_at"] for row in opened]
    return [int(at) for at in found if at is not None]
