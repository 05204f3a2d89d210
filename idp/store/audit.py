"""Queries on the audit log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from idp.store.statements import Statement
from idp.store.tables import AuditEntry, table

_TABLE = table(AuditEntry)
_INSERT = Statement(insert(_TABLE))


def add(connection: Connection, entry: dict[str, Any]) -> None:
    """Add one entry."""
    _INSERT.run(connection, entry)


def latest(connection: Connection, limit: int) -> Sequence[RowMapping]:
    """Return the newest entries, newest first."""
    statement = select(_TABLE).order_by(_TABLE.c.at_ms.desc(), _TABLE.c.id.desc()).limit(limit)
    return connection.execute(statement).mappings().all()
