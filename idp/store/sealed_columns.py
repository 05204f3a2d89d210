"""Every column that holds sealed values, walked in batches while the server works."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, select, update

from idp.store.tables import (
    AuditKey,
    Authenticator,
    Base,
    ClientSecret,
    OneTime,
    OutgoingMail,
    SealedSecret,
    SigningKey,
    table,
)


@dataclass(frozen=True)
class SealedColumn:
    """One column; `key` is the primary key of its table."""

    name: str
    key: Column[Any]
    sealed: Column[Any]


def _column(name: str, model: type[Base], key: str, sealed: str) -> SealedColumn:
    rows = table(model)
    return SealedColumn(name, rows.c[key], rows.c[sealed])


COLUMNS = (
    _column("signing_keys", SigningKey, "kid", "sealed_private"),
    _column("sealed_secrets", SealedSecret, "name", "sealed"),
    _column("client_secrets", ClientSecret, "digest", "sealed"),
    _column("one_time", OneTime, "digest", "sealed"),
    _column("authenticators", Authenticator, "id", "sealed_seed"),
    _column("outgoing_mail", OutgoingMail, "id", "sealed"),
    _column("audit_keys", AuditKey, "id", "sealed_private"),
)


def batch(
    connection: Connection, column: SealedColumn, after: Any, size: int
) -> Sequence[RowMapping]:
    """Return the next rows with a sealed value, by key; `after` None: the first."""
    statement = select(column.key.table).where(column.sealed.is_not(None))
    if after is not None:
        statement = statement.where(column.key > after)
    return connection.execute(statement.order_by(column.key).limit(size)).mappings().all()


def replace(connection: Connection, column: SealedColumn, key: Any, old: bytes, new: bytes) -> bool:
    """Replace a sealed value, unless somebody else changed it meanwhile."""
    statement = (
        update(column.key.table)
        .where(column.key == key, column.sealed == old)
        .values({column.sealed.name: new})
    )
    return connection.execute(statement).rowcount == 1
