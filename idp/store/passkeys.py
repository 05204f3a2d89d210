"""Queries on passkeys."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from idp.store.tables import Account, Passkey, table

_PASSKEYS = table(Passkey)
_ACCOUNTS = table(Account)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a passkey. Raises Conflict when its credential id is taken."""
    connection.execute(insert(_PASSKEYS), row)


def of(connection: Connection, account_id: str) -> Sequence[RowMapping]:
    """Return a person's passkeys, oldest first."""
    statement = (
        select(_PASSKEYS)
        .where(_PASSKEYS.c.account_id == account_id)
        .order_by(_PASSKEYS.c.created_at, _PASSKEYS.c.id)
    )
    return connection.execute(statement).mappings().all()


def count(connection: Connection, account_id: str) -> int:
    """Return how many passkeys a person has."""
    statement = select(func.count()).where(_PASSKEYS.c.account_id == account_id)
    return connection.execute(statement).scalar_one()


def find(connection: Connection, credential_id: bytes) -> RowMapping | None:
    """Return the passkey that authenticators call `credential_id`, with its owner's subject."""
    statement = (
        select(_PASSKEYS, _ACCOUNTS.c.subject)
        .join_from(_PASSKEYS, _ACCOUNTS)
        .where(_PASSKEYS.c.credential_id == credential_id)
    )
    return connection.execute(statement).mappings().first()


def use(connection: Connection, passkey_id: str, sign_count: int, values: dict[str, Any]) -> bool:
    """Note a use, unless the passkey is gone or its sign count has come as far already.

    Authenticators that do not count say zero each time.
    """
    stored = _PASSKEYS.c.sign_count
    statement = (
        update(_PASSKEYS)
        .where(_PASSKEYS.c.id == passkey_id, stored < sign_count if sign_count else stored == 0)
        .values(sign_count=sign_count, **values)
    )
    return connection.execute(statement).rowcount == 1


def rename(connection: Connection, account_id: str, passkey_id: str, name: str) -> bool:
    """Give a person's passkey another name; False when they have no such passkey."""
    statement = (
        update(_PASSKEYS)
        .where(_PASSKEYS.c.id == passkey_id, _PASSKEYS.c.account_id == account_id)
        .values(name=name)
    )
    return connection.execute(statement).rowcount == 1


def remove(connection: Connection, account_id: str, passkey_id: str) -> str | None:
    """Remove a person's passkey and return its name; None when they have no such passkey."""
    statement = (
        delete(_PASSKEYS)
        .where(_PASSKEYS.c.id == passkey_id, _PASSKEYS.c.account_id == account_id)
        .returning(_PASSKEYS.c.name)
    )
    return connection.execute(statement).scalar()
