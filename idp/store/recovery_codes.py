"""Queries on recovery codes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from idp.store.tables import Account, RecoveryCode, table

_CODES = table(RecoveryCode)
_ACCOUNTS = table(Account)


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add codes. Raises Conflict when a selector is there already."""
    connection.execute(insert(_CODES), rows)


def remove(connection: Connection, account_id: str) -> int:
    """Remove every code of a person, used or not; return how many there were."""
    return connection.execute(delete(_CODES).where(_CODES.c.account_id == account_id)).rowcount


def unused_hash(connection: Connection, account_id: str, selector: str) -> str | None:
    """Return the hash of a person's unused code that begins with `selector`."""
    statement = select(_CODES.c.hash).where(
        _CODES.c.account_id == account_id,
        _CODES.c.selector == selector,
        _CODES.c.used_at.is_(None),
    )
    return connection.execute(statement).scalar()


def use(connection: Connection, account_id: str, selector: str, hashed: str, now: int) -> bool:
    """Mark this very code as used, unless it was used or replaced: one caller wins.

    The account is held until the end. Who replaces the codes takes it first, too: they wait instead
    of blocking each other.
    """
    hold = select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.id == account_id)
    connection.execute(hold.with_for_update(read=True, key_share=True))
    statement = (
        update(_CODES)
        .where(
            _CODES.c.account_id == account_id,
            _CODES.c.selector == selector,
            _CODES.c.hash == hashed,
            _CODES.c.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(_CODES.c.selector)
    )
    return connection.execute(statement).first() is not None


def summary(connection: Connection, account_id: str) -> RowMapping:
    """Return how many codes of a person are `left`, and the second when they were made (`made_at`).

    `made_at` is None when there are none, used ones counted.
    """
    statement = select(
        func.count().filter(_CODES.c.used_at.is_(None)).label("left"),
        func.max(_CODES.c.created_at).label("made_at"),
    ).where(_CODES.c.account_id == account_id)
    return connection.execute(statement).mappings().one()
