"""Looking through the audit log.

One question reads a bounded part of the log: where what is asked for is rare, the answer says how
far back it looked, and the next question goes on there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.domain.audit import Audit, By, Entry
from idp.store import audit_search as rows
from idp.store import people_search
from idp.store.database import Connection, RowMapping, Store

PAGE = 50
"""Entries of one page."""
WINDOW = 20_000
"""Entries that one question reads."""
EXPORTED = 10_000
"""Entries of the longest export."""
_BATCH = 1000
_WINDOWS = 50
_FOREVER_MS = 1 << 62
_ACCOUNT = "account:"
_ID = re.compile(r"[0-9a-f-]{36}")


@dataclass(frozen=True)
class Wanted:
    """What to look for; empty is anything. `account_id` is whom it is about, `actor` who did it.

    `since` and `until` are seconds since 1970: the first one, and the one after the last.
    """

    event: str = ""
    outcome: str = ""
    account_id: str = ""
    actor: str = ""
    client_id: str = ""
    since: int | None = None
    until: int | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The columns that have to have a value."""
        names = ("event", "outcome", "account_id", "actor", "client_id")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    @property
    def times(self) -> tuple[int, int]:
        """The first millisecond, and the one after the last."""
        until = _FOREVER_MS if self.until is None else self.until * 1000
        return (self.since or 0) * 1000, until


@dataclass(frozen=True)
class Line:
    """One entry. `at_ms` is milliseconds since 1970; `person` and `by` are addresses of people,
    where they have an account still.
    """

    id: str
    at_ms: int
    event: str
    refused: bool
    actor: str
    by: str | None
    account_id: str | None
    person: str | None
    client_id: str | None
    address: str
    request_id: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A page. `more` is the id behind which the next one begins (empty: the log ends here);
    `reached` the second to which the log was read, where it was not read to its end.
    """

    lines: list[Line]
    more: str = ""
    reached: int | None = None


class AuditSearch:
    """Finds entries."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self._store = store
        self._audit = audit

    def page(self, wanted: Wanted, before: str = "", size: int = PAGE) -> Found:
        """Return the newest entries that fit and are older than the entry `before`.

        What is not an entry's id begins at the newest.
        """
        with self._store.reading() as connection:
            return self._page(connection, wanted, before if _ID.fullmatch(before) else "", size)

    def _page(self, connection: Connection, wanted: Wanted, before: str, size: int) -> Found:
        before = before or self._start(connection, wanted)
        found = rows.find(
            connection, wanted.columns, wanted.times, before, size + 1, max(WINDOW, size)
        )
        lines = _lines(connection, found[:size])
        if len(found) > size:
            return Found(lines, lines[-1].id)
        edge = rows.edge(connection, wanted.columns, before, max(WINDOW, size))
        if edge is None or edge["at_ms"] < wanted.times[0]:
            return Found(lines)
        return Found(lines, edge["id"], edge["at_ms"] // 1000)

    def _start(self, connection: Connection, wanted: Wanted) -> str:
        """Return the entry before which to begin. Clocks of nodes differ by less than a second."""
        if wanted.until is None:
            return ""
        return rows.first_since(connection, (wanted.until + 1) * 1000) or ""

    def export(self, wanted: Wanted, by: By) -> Iterator[Line]:
        """Record that somebody takes entries away, and return them: the newest 10,000 that fit."""
        detail = {name: value for name, value in vars(wanted).items() if value}
        with self._store.writing() as connection:
            entry = Entry("audit.exported", by.actor, detail=detail)
            self._audit.record(connection, by.origin, entry)
        return self._exported(wanted)

    def _exported(self, wanted: Wanted) -> Iterator[Line]:
        before, left = "", EXPORTED
        for _ in range(_WINDOWS):
            found = self.page(wanted, before, min(left, _BATCH))
            yield from found.lines
            before, left = found.more, left - len(found.lines)
            if not before or not left:
                return


def _lines(connection: Connection, found: Sequence[RowMapping]) -> list[Line]:
    actors = {row["actor"].removeprefix(_ACCOUNT) for row in found if _by_account(row)}
    people = people_search.emails(
        connection, sorted(actors | {row["account_id"] for row in found if row["account_id"]})
    )
    return [_line(row, people) for row in found]


def _by_account(row: RowMapping) -> bool:
    return bool(row["actor"].startswith(_ACCOUNT))


def _line(row: RowMapping, people: Mapping[str, str]) -> Line:
    return Line(
        id=row["id"],
        at_ms=row["at_ms"],
        event=row["event"],
        refused=row["outcome"] == "refused",
        actor=row["actor"],
        by=people.get(row["actor"].removeprefix(_ACCOUNT)) if _by_account(row) else None,
        account_id=row["account_id"],
        person=people.get(row["account_id"] or ""),
        client_id=row["client_id"],
        address=row["address"],
        request_id=row["request_id"],
        detail=row["detail"],
    )
