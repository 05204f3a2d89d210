"""The record of who did what: in the transaction of what it records, or for a refusal in one of its
own.

Entries name things by id and hold no secret and no token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.crypto.secrets import uuid7
from idp.domain.clock import Clock
from idp.store import audit as entries
from idp.store.database import Connection, Store

_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Origin:
    """Where a request came from, as the audit log writes it."""

    address: str = ""
    request_id: str = ""
    user_agent: str = ""


@dataclass(frozen=True)
class By:
    """Who changes something, in which of their sessions (empty: in none), and from where."""

    actor: str
    origin: Origin
    session_id: str = ""


@dataclass(frozen=True)
class Entry:
    """One event. `actor` is `account:ID`, `client:ID`, `operator:NAME`, `server` or `anyone`."""

    event: str
    actor: str = "server"
    account_id: str | None = None
    client_id: str | None = None
    outcome: str = "done"
    detail: Mapping[str, Any] | None = None


class Audit:
    """Writes the audit log."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record(self, connection: Connection, origin: Origin, entry: Entry) -> None:
        """Add `entry` to the transaction of what it records."""
        row = {
            "id": uuid7(),
            "at_ms": int(self._clock() * 1000),
            "event": entry.event,
            "outcome": entry.outcome,
            "actor": _bounded(entry.actor),
            "account_id": entry.account_id,
            "client_id": entry.client_id and _bounded(entry.client_id),
            "address": origin.address,
            "request_id": origin.request_id,
            "detail": {key: _bounded(value) for key, value in (entry.detail or {}).items()},
        }
        entries.add(connection, row)

    def refuse(self, origin: Origin, entry: Entry) -> None:
        """Record a refusal in a transaction of its own."""
        refused = Entry(
            entry.event, entry.actor, entry.account_id, entry.client_id, "refused", entry.detail
        )
        with self._store.writing() as connection:
            self.record(connection, origin, refused)

    def latest(self, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        """Return the newest entries, newest first."""
        with self._store.reading() as connection:
            return [dict(row) for row in entries.latest(connection, limit)]


def _bounded(value: Any) -> Any:
    """Cut what outsiders may have made long; drop NUL, which PostgreSQL does not store."""
    return value[:_LONGEST_TEXT].replace("\0", "") if isinstance(value, str) else value
