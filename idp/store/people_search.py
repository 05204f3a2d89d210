"""Finding people by the beginning of their address or name, a page at a time.

PostgreSQL takes LIKE, which its pattern indexes serve in any collation; SQLite takes a range, which
its ordinary indexes serve.
"""

from collections.abc import Sequence

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    not_,
    or_,
    select,
)
from sqlalchemy.sql.selectable import ScalarSelect

from idp.store.tables import Account, table

_ACCOUNTS = table(Account)
_LAST = "\U0010ffff"


def by_email(connection: Connection, prefix: str, after: str, limit: int) -> Sequence[RowMapping]:
    """Return people whose compared address begins with `prefix`, ordered by it, behind the person
    with the id `after`.
    """
    statement = (
        select(_ACCOUNTS)
        .where(_begins(connection, _ACCOUNTS.c.email_key, prefix))
        .order_by(_ACCOUNTS.c.email_key)
        .limit(limit)
    )
    if after:
        statement = statement.where(_ACCOUNTS.c.email_key > _of(after, _ACCOUNTS.c.email_key))
    return _rows(connection, statement)


def by_name(
    connection: Connection, spellings: Sequence[str], but: str, after: str, limit: int
) -> Sequence[RowMapping]:
    """Return people whose name begins with one of the `spellings`, but not those whose compared
    address begins with `but`; ordered by name, behind the person with the id `after`.
    """
    begins = [_begins(connection, _ACCOUNTS.c.name, each) for each in spellings]
    statement = (
        select(_ACCOUNTS)
        .where(or_(*begins), not_(_begins(connection, _ACCOUNTS.c.email_key, but)))
        .order_by(_ACCOUNTS.c.name, _ACCOUNTS.c.id)
        .limit(limit)
    )
    if after:
        name = _of(after, _ACCOUNTS.c.name)
        later = or_(_ACCOUNTS.c.name > name, and_(_ACCOUNTS.c.name == name, _ACCOUNTS.c.id > after))
        statement = statement.where(later)
    return _rows(connection, statement)


def emails(connection: Connection, account_ids: Sequence[str]) -> dict[str, str]:
    """Return the addresses of these people by id; who is gone is left out."""
    wanted = select(_ACCOUNTS.c.id, _ACCOUNTS.c.email).where(_ACCOUNTS.c.id.in_(account_ids))
    return {row.id: row.email for row in connection.execute(wanted)}


def _begins(connection: Connection, column: Column[str], prefix: str) -> ColumnElement[bool]:
    if connection.dialect.name == "postgresql":
        return column.startswith(prefix, autoescape=True)
    return and_(column >= prefix, column < prefix + _LAST)


def _of(account_id: str, column: Column[str]) -> ScalarSelect[str]:
    """Return the value of another person's column, as a part of a statement."""
    other = _ACCOUNTS.alias("other")
    return select(other.c[column.name]).where(other.c.id == account_id).scalar_subquery()


def _rows(connection: Connection, statement: Select[tuple[str]]) -> Sequence[RowMapping]:
    return connection.execute(statement).mappings().all()
