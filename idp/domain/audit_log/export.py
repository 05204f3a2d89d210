"""Taking the log elsewhere: every sealed entry, oldest first, as it was sealed."""

from collections.abc import Iterator
from dataclasses import asdict

from idp.domain.audit import Audit, Entry, Origin
from idp.domain.audit_log.sealing import AuditSealer
from idp.domain.audit_search import Wanted
from idp.store import audit_tree as rows
from idp.store.database import Store
from idp.store.statements import Row

_AT_ONCE = 1000


class AuditExport:
    """Reads the whole log, a bounded part at a time."""

    def __init__(self, store: Store, sealer: AuditSealer, audit: Audit) -> None:
        self._store = store
        self._sealer = sealer
        self._audit = audit

    def run(self, wanted: Wanted, origin: Origin, actor: str) -> Iterator[Row]:
        """Record that somebody takes entries away, seal what waits, and return those that fit.

        `detail` of each is text. Raises LogBroken.
        """
        detail = {name: value for name, value in asdict(wanted).items() if value}
        with self._store.writing() as connection:
            entry = Entry("audit.exported", actor, detail=detail)
            self._audit.record(connection, origin, entry)
        self._sealer.seal_now()
        return self._entries(wanted)

    def _entries(self, wanted: Wanted) -> Iterator[Row]:
        with self._store.reading() as connection:
            head = rows.head(connection)
        size, first = (head["size"], head["dropped"]) if head else (0, 0)
        for start in range(first, size, _AT_ONCE):
            with self._store.reading() as connection:
                found = rows.between(connection, start, min(start + _AT_ONCE, size))
            yield from (row for row in found if _fits(row, wanted))


def _fits(row: Row, wanted: Wanted) -> bool:
    since, until = wanted.times
    named = all(row[column] == value for column, value in wanted.columns.items())
    return named and since <= row["at_ms"] < until
