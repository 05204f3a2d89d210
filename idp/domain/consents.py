"""What a person allowed a client, remembered so that only new things are asked."""

from idp.domain.audit import Audit, Entry, Origin
from idp.domain.clock import Clock
from idp.store import authorizations, session_clients
from idp.store import consents as rows
from idp.store.database import Connection, Store

Pairs = frozenset[tuple[str, str]]
"""(resource, scope); the resource is empty for the scopes of OpenID Connect.

A claim that was asked for by itself stands among them, under a name that no scope has.
"""
_CLAIM = "claim "


def name_of(claim: str) -> str:
    """Return how consent to one claim is called among scopes: none of them holds a space."""
    return _CLAIM + claim


def claim_of(name: str) -> str:
    """Return the claim that was allowed by itself; empty when `name` is a scope."""
    return name.removeprefix(_CLAIM) if name.startswith(_CLAIM) else ""


class Consents:
    """Finds, remembers and withdraws consent."""

    def __init__(self, store: Store, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def find(self, account_id: str, client_id: str) -> Pairs:
        """Return what the person allowed the client before."""
        with self._store.reading() as connection:
            return rows.find(connection, account_id, client_id)

    def remember(
        self, connection: Connection, account_id: str, client_id: str, pairs: Pairs, origin: Origin
    ) -> None:
        """Remember `pairs` in the caller's transaction."""
        rows.add(connection, account_id, client_id, pairs, int(self._clock()))
        names = sorted(name for _, name in pairs)
        detail = {"scopes": " ".join(name for name in names if not claim_of(name))}
        if claims := [claim for name in names if (claim := claim_of(name))]:
            detail["claims"] = " ".join(claims)
        entry = Entry(
            "consent.given", f"account:{account_id}", account_id, client_id, detail=detail
        )
        self._audit.record(connection, origin, entry)

    def withdraw(self, account_id: str, client_id: str, origin: Origin, actor: str) -> None:
        """Forget the consent and revoke all that rests on it (SECURITY case 124); tell the client
        that sessions are over for it.
        """
        now = int(self._clock())
        with self._store.writing() as connection:
            rows.forget(connection, account_id, client_id)
            authorizations.revoke_for_client(
                connection, account_id, client_id, now, "consent withdrawn"
            )
            session_clients.part(connection, account_id, client_id, now)
            entry = Entry("consent.withdrawn", actor, account_id, client_id)
            self._audit.record(connection, origin, entry)
