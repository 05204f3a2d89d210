"""One person's entries of the audit log, newest first."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, select

from idp.store.tables import AuditEntry, table

_ENTRIES = table(AuditEntry)


def of_account(
    connection: Connection,
    account_id: str,
    limit: int,
    before: str = "",
    events: Sequence[str] = (),
) -> Sequence[RowMapping]:
    """Return at most `limit` entries about a person that are older than the entry `before` (empty:
    the newest), of these events alone if any are named.
    """
    statement = (
        select(_ENTRIES)
        .where(_ENTRIES.c.account_id == account_id)
        .order_by(_ENTRIES.c.id.desc())
        .limit(limit)
    )
    if before:
        statement = statement.where(_ENTRIES.c.id < before)
    if events:
        statement = statement.where(_ENTRIES.c.event.in_(events))
    return connection.execute(statement).mappings().all()
