"""Queries on people and their passwords."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, or_, select, update

from idp.store.statements import Row, Statement
from idp.store.tables import Account, Password, table

_ACCOUNTS = table(Account)
_PASSWORDS = table(Password)
_WITH_PASSWORD = Statement(
    select(_ACCOUNTS, _PASSWORDS.c.hash)
    .join_from(_ACCOUNTS, _PASSWORDS, isouter=True)
    .where(_ACCOUNTS.c.email_key == bindparam("email_key_"))
)
_ENABLED = (
    select(_ACCOUNTS.c.id)
    .where(_ACCOUNTS.c.id == bindparam("account_id_"), _ACCOUNTS.c.disabled_at.is_(None))
    .with_for_update(read=True)
)
_IS_ENABLED = Statement(_ENABLED)
_HAS_PASSWORD = Statement(
    _ENABLED.join_from(_ACCOUNTS, _PASSWORDS).where(_PASSWORDS.c.hash == bindparam("hash_"))
)
_FIND = select(_ACCOUNTS).where(
    or_(
        _ACCOUNTS.c.id == bindparam("key"),
        _ACCOUNTS.c.email_key == bindparam("key"),
        _ACCOUNTS.c.subject == bindparam("key"),
    )
)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a person. Raises Conflict when the address is taken."""
    connection.execute(insert(_ACCOUNTS), row)


def lock(connection: Connection, account_id: str) -> None:
    """Let nobody sign in to an account, or change it, until the transaction ends."""
    connection.execute(select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.id == account_id).with_for_update())


def confirm(connection: Connection, account_id: str, hashed: str) -> bool:
    """Whether an account is enabled and still has this password; it stays so until the end."""
    values = {"account_id_": account_id, "hash_": hashed}
    return _HAS_PASSWORD.first(connection, values) is not None


def enabled(connection: Connection, account_id: str) -> bool:
    """Whether an account is there and enabled; it stays so until the transaction ends."""
    return _IS_ENABLED.first(connection, {"account_id_": account_id}) is not None


def find(connection: Connection, key: str) -> RowMapping | None:
    """Return the person with this id, subject or compared address."""
    return connection.execute(_FIND, {"key": key}).mappings().first()


def with_password(connection: Connection, email_key: str) -> Row | None:
    """Return the person with this compared address, and the hash of the password if
    there is one.
    """
    return _WITH_PASSWORD.first(connection, {"email_key_": email_key})


def page(connection: Connection, limit: int, after: str) -> Sequence[RowMapping]:
    """Return at most `limit` people in the order they were added, beginning behind the
    id `after`.
    """
    statement = (
        select(_ACCOUNTS).where(_ACCOUNTS.c.id > after).order_by(_ACCOUNTS.c.id).limit(limit)
    )
    return connection.execute(statement).mappings().all()


def change(connection: Connection, account_id: str, values: dict[str, Any]) -> None:
    """Change columns of a person."""
    connection.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.id == account_id).values(**values))


def set_password(connection: Connection, account_id: str, hashed: str, now: int) -> None:
    """Replace a person's password."""
    lock(connection, account_id)
    connection.execute(delete(_PASSWORDS).where(_PASSWORDS.c.account_id == account_id))
    connection.execute(
        insert(_PASSWORDS), {"account_id": account_id, "hash": hashed, "changed_at": now}
    )


def replace_hash(connection: Connection, account_id: str, old_hash: str, new_hash: str) -> bool:
    """Keep the same password under other parameters; False when it is another one by now.

    It is no change of the password: `changed_at` stays.
    """
    statement = (
        update(_PASSWORDS)
        .where(_PASSWORDS.c.account_id == account_id, _PASSWORDS.c.hash == old_hash)
        .values(hash=new_hash)
    )
    return connection.execute(statement).rowcount == 1


def remove_password(connection: Connection, account_id: str) -> bool:
    """Leave a person without a password; False when there was none."""
    statement = delete(_PASSWORDS).where(_PASSWORDS.c.account_id == account_id)
    return connection.execute(statement).rowcount == 1


def password_changed_at(connection: Connection, account_id: str) -> int | None:
    """Return when a person's password was set, None when there is none."""
    statement = select(_PASSWORDS.c.changed_at).where(_PASSWORDS.c.account_id == account_id)
    return connection.execute(statement).scalar()
