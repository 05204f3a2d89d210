"""Queries on counters: rate limits and failures, counted in one statement each."""

from sqlalchemy import Connection, bindparam, delete, text

from idp.store.statements import Statement
from idp.store.tables import Counter, table

_TABLE = table(Counter)

_FAIL = Statement(
    text(
        """
        INSERT INTO counters (name, hits, open_at, expires_at)
        VALUES (:name, 1, :now, :now + :forget)
        ON CONFLICT (name) DO UPDATE SET
          hits = CASE WHEN counters.expires_at <= :now THEN 1 ELSE counters.hits + 1 END,
          open_at = CASE
            WHEN counters.expires_at <= :now OR counters.hits < :free THEN :now
            WHEN counters.hits - :free >= 9 THEN :now + :longest
            ELSE :now + (:first << CAST(counters.hits - :free AS INTEGER)) END,
          expires_at = :now + :forget
        WHERE counters.open_at <= :now OR counters.expires_at <= :now
        RETURNING hits
        """
    ).columns(_TABLE.c.hits)
)
_HIT = Statement(
    text(
        """
        INSERT INTO counters (name, hits, open_at, expires_at)
        VALUES (:name, :amount, 0, :now + :window)
        ON CONFLICT (name) DO UPDATE SET
          hits = CASE
            WHEN counters.expires_at <= :now THEN :amount
            ELSE counters.hits + :amount END,
          expires_at = CASE
            WHEN counters.expires_at <= :now THEN :now + :window
            ELSE counters.expires_at END
        RETURNING hits, expires_at
        """
    ).columns(_TABLE.c.hits, _TABLE.c.expires_at)
)
_CLEAR = Statement(delete(_TABLE).where(_TABLE.c.name == bindparam("name_")))
_LOOK = text("SELECT hits, open_at, expires_at FROM counters WHERE name = :name")


def fail(connection: Connection, name: str, now: int, limits: dict[str, int]) -> bool:
    """Count a try unless the name must wait; tell whether it was counted.

    `limits` has `free` tries, then waits of `first` seconds doubling up to `longest`, all forgotten
    `forget` seconds after the last try.
    """
    return _FAIL.first(connection, {"name": name, "now": now, **limits}) is not None


def hit(connection: Connection, name: str, amount: int, now: int, window: int) -> tuple[int, int]:
    """Add to a counter whose window is `window` seconds; return its value and when the
    window ends.
    """
    parameters = {"name": name, "amount": amount, "now": now, "window": window}
    row = _HIT.all(connection, parameters)[0]
    return row["hits"], row["expires_at"]


def look(connection: Connection, name: str) -> tuple[int, int, int] | None:
    """Return hits, the second from which tries count again, and the second when all is
    forgotten.
    """
    row = connection.execute(_LOOK, {"name": name}).first()
    return (row[0], row[1], row[2]) if row else None


def clear(connection: Connection, name: str) -> None:
    """Forget a counter."""
    _CLEAR.run(connection, {"name_": name})
