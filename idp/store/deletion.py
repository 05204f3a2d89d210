"""Queries on accounts that are to be deleted."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from idp.store.tables import Account, table

_ACCOUNTS = table(Account)


def planned(connection: Connection, account_id: str) -> int | None:
    """Return when a person's account is deleted, None when it is not."""
    statement = select(_ACCOUNTS.c.deletes_at).where(_ACCOUNTS.c.id == account_id)
    return connection.execute(statement).scalar()


def due(connection: Connection, now: int, limit: int) -> Sequence[str]:
    """Return at most `limit` accounts whose time has come, the longest due first."""
    statement = (
        select(_ACCOUNTS.c.id)
        .where(_ACCOUNTS.c.deletes_at <= now)
        .order_by(_ACCOUNTS.c.deletes_at)
        .limit(limit)
    )
    return connection.execute(statement).scalars().all()


def delete_account(connection: Connection, account_id: str) -> None:
    """Delete an account with all that is its own."""
    connection.execute(delete(_ACCOUNTS).where(_ACCOUNTS.c.id == account_id))
