"""Queries on outgoing mail. `next_try_at` is empty once nothing is left to try."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from idp.store.database import RowMapping
from idp.store.leased_rows import LeasedRows
from idp.store.statements import Statement
from idp.store.tables import OutgoingMail, table

_MAIL = table(OutgoingMail)
_LATEST = select(_MAIL).order_by(_MAIL.c.id.desc()).limit(bindparam("most"))
_FIND = select(_MAIL).where(_MAIL.c.id == bindparam("mail_id"))
_INSERT = Statement(insert(_MAIL))
QUEUE = LeasedRows(OutgoingMail, "id")


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a mail that is to be sent."""
    _INSERT.run(connection, row)


def latest(connection: Connection, limit: int) -> list[RowMapping]:
    """Return the newest mails, newest first."""
    return list(connection.execute(_LATEST, {"most": limit}).mappings())


def find(connection: Connection, mail_id: str) -> RowMapping | None:
    """Return one mail."""
    return connection.execute(_FIND, {"mail_id": mail_id}).mappings().first()
