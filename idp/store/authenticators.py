"""Queries on TOTP authenticators."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from idp.store.tables import Account, Authenticator, table

_AUTHENTICATORS = table(Authenticator)
_ACCOUNTS = table(Account)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add an authenticator."""
    connection.execute(insert(_AUTHENTICATORS), row)


def of(connection: Connection, account_id: str) -> Sequence[RowMapping]:
    """Return a person's authenticators, oldest first."""
    statement = (
        select(_AUTHENTICATORS)
        .where(_AUTHENTICATORS.c.account_id == account_id)
        .order_by(_AUTHENTICATORS.c.id)
    )
    return connection.execute(statement).mappings().all()


def usable(connection: Connection, account_id: str) -> Sequence[RowMapping]:
    """Return a person's authenticators, oldest first, and hold the account until the end.

    Who removes one takes the account first, too: they wait instead of blocking each other.
    """
    statement = (
        select(_AUTHENTICATORS)
        .join_from(_AUTHENTICATORS, _ACCOUNTS)
        .where(_AUTHENTICATORS.c.account_id == account_id)
        .order_by(_AUTHENTICATORS.c.id)
        .with_for_update(read=True, key_share=True, of=_ACCOUNTS)
    )
    return connection.execute(statement).mappings().all()


def number(connection: Connection, account_id: str) -> int:
    """Return how many authenticators a person has."""
    statement = select(func.count()).where(_AUTHENTICATORS.c.account_id == account_id)
    return int(connection.execute(statement).scalar_one())


def use(connection: Connection, authenticator_id: str, step: int, now: int) -> bool:
    """Note the time step of a code, unless that one or a later one was used: one caller wins."""
    statement = (
        update(_AUTHENTICATORS)
        .where(_AUTHENTICATORS.c.id == authenticator_id, _AUTHENTICATORS.c.last_step < step)
        .values(last_step=step, last_used_at=now)
        .returning(_AUTHENTICATORS.c.id)
    )
    return connection.execute(statement).first() is not None


def rename(connection: Connection, account_id: str, authenticator_id: str, name: str) -> bool:
    """Give this person's authenticator another name; False when there is none."""
    statement = (
        update(_AUTHENTICATORS)
        .where(_AUTHENTICATORS.c.id == authenticator_id, _AUTHENTICATORS.c.account_id == account_id)
        .values(name=name)
    )
    return connection.execute(statement).rowcount == 1


def remove(connection: Connection, account_id: str, authenticator_id: str) -> str | None:
    """Remove this person's authenticator and return its name; None when there is none."""
    statement = (
        delete(_AUTHENTICATORS)
        .where(_AUTHENTICATORS.c.id == authenticator_id, _AUTHENTICATORS.c.account_id == account_id)
        .returning(_AUTHENTICATORS.c.name)
    )
    return connection.execute(statement).scalar()
