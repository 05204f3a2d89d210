"""An audit log on a database of its own, with what seals and verifies it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from idp.config import Settings
from idp.crypto.sealing import Sealer
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.audit_log.parts import AuditLog, audit_log
from idp.domain.audit_log.verification import Verdict
from idp.outbound.fetching import Fetcher
from idp.store import audit_tree
from idp.store.database import Store
from idp.store.statements import Row
from tests.support.databases import Database
from tests.support.held_clock import HeldClock

SECRET = b"s" * 32
ORIGIN = Origin("192.0.2.7", "r-1", "Browser/1")


def nobody(_done: int, _total: int) -> None:
    """Watches no progress."""


@dataclass(frozen=True)
class Log:
    """The log of one database, and one node's way to it."""

    store: Store
    clock: HeldClock
    audit: Audit
    parts: AuditLog

    def add(self, count: int, event: str = "token.issued") -> None:
        """Write entries, in one transaction."""
        with self.store.writing() as connection:
            for number in range(count):
                entry = Entry(event, "client:webapp", None, "webapp", detail={"number": number})
                self.audit.record(connection, ORIGIN, entry)

    def seal(self) -> int:
        """Seal what waits."""
        return self.parts.sealer.run_once()

    def grown(self, *counts: int) -> "Log":
        """Seal so many entries, batch after batch."""
        for count in counts:
            self.add(count)
            assert self.seal() == count
            self.clock.advance(1)
        return self

    def verdict(self, *kept: str) -> Verdict:
        """Verify."""
        return self.parts.verification.run(nobody, kept)

    def head(self) -> Row:
        """Return the head of the tree."""
        with self.store.reading() as connection:
            head = audit_tree.head(connection)
        assert head is not None
        return head

    def run(self, statement: str, **values: Any) -> None:
        """Do with the database what only an intruder does."""
        with self.store.writing() as connection:
            connection.execute(text(statement), values)

    def entry_id(self, position: int) -> str:
        """Return which entry is at a position."""
        with self.store.reading() as connection:
            (entry,) = audit_tree.between(connection, position, position + 1)
        return str(entry["id"])


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def log_settings(migrated_database: Database, tmp_path: Path) -> Settings:
    return Settings(
        issuer="https://id.example.test",
        database_url=migrated_database.url,
        data_dir=migrated_database.data_dir,
        keys_dir=tmp_path / "keys",
    )


@pytest.fixture
def node(store: Store, clock: HeldClock, log_settings: Settings) -> Callable[[], Log]:
    """Makes nodes over one database."""

    def make() -> Log:
        audit = Audit(store, clock)
        parts = audit_log(
            store, Sealer([b"k" * 32]), audit, clock, log_settings, SECRET, Fetcher(log_settings)
        )
        return Log(store, clock, audit, parts)

    return make


@pytest.fixture
def log(node: Callable[[], Log]) -> Log:
    """The first node."""
    return node()
