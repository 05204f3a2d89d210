"""Queries on rows that are to be delivered: each is claimed by one node at a time.

A table of them has the columns `next_try_at` (empty once nothing is left to try), `tries`,
`expires_at`, `sent_at` and `problem`.
"""

from sqlalchemy import Connection, bindparam, select, update

from idp.store.database import RowMapping
from idp.store.tables import Base, table


class LeasedRows:
    """The rows of `model`, whose primary key is `key`."""

    def __init__(self, model: type[Base], key: str) -> None:
        rows = table(model)
        self.key = key
        is_due = (rows.c.next_try_at <= bindparam("now")) & (rows.c.expires_at > bindparam("now"))
        self._any_due = select(rows.c[key]).where(is_due).limit(1)
        following = (
            select(rows.c[key])
            .where(is_due)
            .order_by(rows.c.next_try_at, rows.c[key])
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        self._claim = (
            update(rows)
            .where(rows.c[key] == following, is_due)
            .values(next_try_at=bindparam("until"), tries=rows.c.tries + 1)
            .returning(rows)
        )
        self._settle = update(rows).where(
            rows.c[key] == bindparam("key_"), rows.c.tries == bindparam("tries_")
        )

    def any_due(self, connection: Connection, now: int) -> bool:
        """Tell whether there is anything to claim, without writing."""
        return connection.execute(self._any_due, {"now": now}).first() is not None

    def claim(self, connection: Connection, now: int, until: int) -> RowMapping | None:
        """Take the row that is due longest: until that second nobody else gets it.

        `tries` counts the claims, this one included.
        """
        return connection.execute(self._claim, {"now": now, "until": until}).mappings().first()

    def settle(
        self,
        connection: Connection,
        row: RowMapping,
        *,
        sent_at: int | None,
        next_try_at: int | None,
        problem: str | None,
    ) -> bool:
        """Note what became of a claimed row; False when somebody else has claimed it since."""
        values = {"sent_at": sent_at, "next_try_at": next_try_at, "problem": problem}
        named = {"key_": row[self.key], "tries_": row["tries"]}
        return connection.execute(self._settle.values(values), named).rowcount == 1
