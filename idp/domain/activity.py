"""What happened in a person's account, as the audit log has it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.crypto.secrets import is_uuid
from idp.store import activity as rows
from idp.store.database import RowMapping, Store

PAGE = 25
"""Entries of one page."""
_BATCH = 500


@dataclass(frozen=True)
class Happening:
    """One entry. `at` is in seconds since 1970; `own`: its person did it themself."""

    id: str
    at: int
    event: str
    refused: bool
    own: bool
    client_id: str | None
    address: str
    detail: Mapping[str, Any]


class Activity:
    """Reads the audit log for the person it is about."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(
        self, account_id: str, events: Sequence[str], before: str = ""
    ) -> tuple[list[Happening], str]:
        """Return a page of these events, newest first, and where the next one begins (empty: it is
        the last). What is not an entry's id begins at the newest.
        """
        after = before if is_uuid(before) else ""
        with self._store.reading() as connection:
            found = rows.of_account(connection, account_id, PAGE + 1, after, events)
        happened = [_happening(row, account_id) for row in found[:PAGE]]
        return happened, happened[-1].id if len(found) > PAGE else ""

    def all(self, account_id: str) -> Iterator[Happening]:
        """Return everything about a person, newest first, a batch at a time."""
        before = ""
        while True:
            with self._store.reading() as connection:
                found = rows.of_account(connection, account_id, _BATCH, before)
            yield from (_happening(row, account_id) for row in found)
            if len(found) < _BATCH:
                return
            before = found[-1]["id"]


def _happening(row: RowMapping, account_id: str) -> Happening:
    return Happening(
        row["id"],
        row["at_ms"] // 1000,
        row["event"],
        row["outcome"] == "refused",
        row["actor"] == f"account:{account_id}",
        row["client_id"],
        row["address"],
        row["detail"],
    )
