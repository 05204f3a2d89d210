"""Queries on outgoing mail."""

from typing import Any

from sqlalchemy import Connection, insert

from idp.store.tables import OutgoingMail, table

_MAIL = table(OutgoingMail)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a mail that is to be sent."""
    connection.execute(insert(_MAIL), row)
