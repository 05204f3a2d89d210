"""Moving every sealed value to a new key-encryption key while the server works.

Two keys are open meanwhile. It can be interrupted and begun again: the check value of the database
changes last, so that the old key is asked for as long as anything needs it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from idp.crypto.sealing import Sealer
from idp.domain import client_secrets, key_rotation, one_time, outbox, server_secrets
from idp.domain.audit import Audit, Entry, Origin
from idp.domain.audit_log import keys as audit_keys
from idp.domain.credentials import totp
from idp.domain.installation import CHECK, key_id, new_check
from idp.store import installation as facts
from idp.store import sealed_columns as columns
from idp.store.database import RowMapping, Store

BATCH = 200
PLACES: Mapping[str, Callable[[RowMapping], str]] = {
    "signing_keys": lambda row: key_rotation.place(row["kid"]),
    "sealed_secrets": lambda row: server_secrets.place(row["name"]),
    "client_secrets": lambda row: client_secrets.place(row["digest"]),
    "one_time": lambda row: one_time.place(row["kind"], row["digest"]),
    "authenticators": lambda row: totp.place(row["account_id"], row["id"]),
    "outgoing_mail": lambda row: outbox.place(row["id"]),
    "audit_keys": lambda row: audit_keys.place(row["id"]),
}
"""What each sealed value is bound to."""


class Rewrap:
    """Seals what is under an older key under the present one."""

    def __init__(self, store: Store, sealer: Sealer, audit: Audit) -> None:
        self._store = store
        self._sealer = sealer
        self._audit = audit

    def waiting(self) -> dict[str, int]:
        """Return how many values of each table are under an older key."""
        return {
            column.name: sum(len(older) for older in self._walk(column))
            for column in columns.COLUMNS
        }

    def run(self, origin: Origin, actor: str) -> dict[str, int]:
        """Move everything, and return how many values of each table were. Raises SealBroken."""
        moved: Counter[str] = Counter()
        # Nodes may seal under the older key meanwhile: look again until nothing is left.
        while any(self.waiting().values()):
            for column in columns.COLUMNS:
                moved[column.name] += sum(self._move(column, older) for older in self._walk(column))
        counts = {column.name: moved[column.name] for column in columns.COLUMNS}
        self._close(origin, actor, counts)
        return counts

    def _walk(self, column: columns.SealedColumn) -> Iterator[list[RowMapping]]:
        """Yield, batch by batch, the rows whose value is under an older key."""
        after = None
        while True:
            with self._store.reading() as connection:
                rows = columns.batch(connection, column, after, BATCH)
            if not rows:
                return
            after = rows[-1][column.key.name]
            sealed = column.sealed.name
            yield [row for row in rows if not self._sealer.is_current(row[sealed])]

    def _move(self, column: columns.SealedColumn, older: Sequence[RowMapping]) -> int:
        changes = [
            (row[column.key.name], row[column.sealed.name], self._again(column, row))
            for row in older
        ]
        if not changes:
            return 0
        with self._store.writing() as connection:
            return sum(columns.replace(connection, column, *change) for change in changes)

    def _again(self, column: columns.SealedColumn, row: RowMapping) -> bytes:
        place = PLACES[column.name](row)
        return self._sealer.seal(self._sealer.unseal(row[column.sealed.name], place), place)

    def _close(self, origin: Origin, actor: str, moved: dict[str, int]) -> None:
        """From now on the database asks for the new key alone."""
        check = new_check(self._sealer)
        with self._store.writing() as connection:
            former = facts.find(connection, CHECK)
            if former and self._sealer.is_current(former):
                return
            facts.change(connection, CHECK, check)
            detail = {"key": key_id(check), **moved}
            entry = Entry("key_encryption_key.changed", actor, detail=detail)
            self._audit.record(connection, origin, entry)
