"""An attack that is refused changes nothing and leaves an entry in the audit log.

with refused("token.refused") as entries:
    answer = webapp.redeem(callback, code_verifier=None)
assert answer.json()["error"] == "invalid_grant"
assert entries[0]["detail"]["reason"] == "..."
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from idp.domain.services import Services
from idp.store.database import Store
from idp.store.tables import AuditEntry, db, table

NOT_COMPARED = frozenset(
    {"audit_entries", "audit_checkpoints", "audit_tiles", "audit_tree", "client_errors", "counters"}
)
_ENTRIES = table(AuditEntry)


class Refused:
    """Watches one database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def __call__(
        self, event: str, *, changes: Collection[str] = (), times: int | None = None
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Check what happens meanwhile; the list holds the new entries afterwards, oldest first.

        Exactly the tables `changes` change: a code that is burnt, an authorization that is revoked.
        `event` is recorded as refused `times` times, or at least once.
        """
        before, seen = contents(self._store), {entry["id"] for entry in entries(self._store)}
        new: list[Mapping[str, Any]] = []
        yield new
        after = contents(self._store)
        changed = {name for name in before if before[name] != after[name]}
        assert changed == set(changes), f"changed: {changed}, expected: {set(changes)}"
        new += [entry for entry in entries(self._store) if entry["id"] not in seen]
        told = [(entry["event"], entry["outcome"]) for entry in new]
        found = told.count((event, "refused"))
        assert found == times if times is not None else found, f"{event} is not in {told}"
        if not changes:
            assert {outcome for _, outcome in told} == {"refused"}, told


def contents(store: Store) -> dict[str, str]:
    """Return a digest of each table's rows."""
    digests = {}
    with store.reading() as connection:
        for each in db.metadata.sorted_tables:
            if each.name not in NOT_COMPARED:
                rows = sorted(repr(tuple(row)) for row in connection.execute(select(each)))
                digests[each.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return digests


def entries(store: Store) -> list[Mapping[str, Any]]:
    """Return the audit log, oldest first."""
    statement = select(_ENTRIES).order_by(_ENTRIES.c.at_ms, _ENTRIES.c.id)
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def last_entry(services: Services, event: str) -> dict[str, Any]:
    """Return the newest entry of an event."""
    return dict(next(each for each in reversed(entries(services.store)) if each["event"] == event))


@pytest.fixture
def refused(services: Services) -> Refused:
    """Checks that what happens in its block is refused: see the top of this module."""
    return Refused(services.store)
