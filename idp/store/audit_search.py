"""Looking through the audit log, newest entries first, with a bound on what one question reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, select

from idp.store.tables import AuditEntry, table

_ENTRIES = table(AuditEntry)


def find(
    connection: Connection,
    wanted: Mapping[str, str],
    times: tuple[int, int],
    before: str,
    limit: int,
    window: int,
) -> Sequence[RowMapping]:
    """Return at most `limit` of the newest `window` entries behind the id `before` that fit.

    `wanted` names columns and their values; `times` is the first millisecond and the one after the
    last.
    """
    newest = _behind(wanted, before).limit(window).subquery()
    statement = (
        select(newest)
        .where(newest.c.at_ms >= times[0], newest.c.at_ms < times[1])
        .where(*(newest.c[column] == value for column, value in wanted.items()))
        .order_by(newest.c.id.desc())
        .limit(limit)
    )
    return connection.execute(statement).mappings().all()


def edge(
    connection: Connection, wanted: Mapping[str, str], before: str, window: int
) -> RowMapping | None:
    """Return `id` and `at_ms` of the last entry of such a window; None when the log ends in it."""
    entries = _behind(wanted, before).with_only_columns(_ENTRIES.c.id, _ENTRIES.c.at_ms)
    return connection.execute(entries.offset(window - 1).limit(1)).mappings().first()


def first_since(connection: Connection, at_ms: int) -> str | None:
    """Return the id of the first entry of a moment or later; None when all are older."""
    statement = (
        select(_ENTRIES.c.id)
        .where(_ENTRIES.c.at_ms >= at_ms)
        .order_by(_ENTRIES.c.at_ms, _ENTRIES.c.id)
        .limit(1)
    )
    return connection.execute(statement).scalar()


def _behind(wanted: Mapping[str, str], before: str) -> Select[Any]:
    """A person's entries have an index of their own; those of others are read one by one."""
    conditions: list[ColumnElement[bool]] = []
    if "account_id" in wanted:
        conditions.append(_ENTRIES.c.account_id == wanted["account_id"])
    if before:
        conditions.append(_ENTRIES.c.id < before)
    return select(_ENTRIES).where(*conditions).order_by(_ENTRIES.c.id.desc())
