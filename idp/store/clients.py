"""Queries on clients and their secrets."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, or_, select, update

from idp.store.tables import (
    Account,
    Client,
    ClientOwner,
    ClientRegistration,
    ClientSecret,
    table,
)

_TABLE = table(Client)
_SECRETS = table(ClientSecret)
_REGISTRATIONS = table(ClientRegistration)
_OWNERS = table(ClientOwner)
_ACCOUNTS = table(Account)
_INSERT = insert(_TABLE)
_INSERT_SECRET = insert(_SECRETS)
# One row for each secret, and one row without for a client that has none: one statement reads all.
_EVERY = (
    select(
        _TABLE,
        _SECRETS.c.digest.label("secret_digest"),
        _SECRETS.c.expires_at.label("secret_expires_at"),
        _SECRETS.c.sealed.label("secret_sealed"),
        _REGISTRATIONS.c.trusted,
        _OWNERS.c.client_id.label("owned"),
        _OWNERS.c.account_id.label("owner_id"),
    )
    .join_from(_TABLE, _SECRETS, _SECRETS.c.client_id == _TABLE.c.client_id, isouter=True)
    .join(_REGISTRATIONS, _REGISTRATIONS.c.client_id == _TABLE.c.client_id, isouter=True)
    .join(_OWNERS, _OWNERS.c.client_id == _TABLE.c.client_id, isouter=True)
    .order_by(_TABLE.c.id, _SECRETS.c.created_at, _SECRETS.c.digest)
)
_FIND = _EVERY.where(_TABLE.c.client_id == bindparam("client"))
_OWNED = _EVERY.where(_OWNERS.c.account_id == bindparam("owner"))
_PAGE = _EVERY.where(
    _TABLE.c.client_id.in_(
        select(_TABLE.c.client_id)
        .where(_TABLE.c.client_id > bindparam("after"))
        .order_by(_TABLE.c.client_id)
        .limit(bindparam("most"))
    )
).order_by(None)
_SECRETS_OF = (
    select(_SECRETS.c.created_at, _SECRETS.c.expires_at)
    .where(_SECRETS.c.client_id == bindparam("client"))
    .order_by(_SECRETS.c.created_at.desc())
)
_DROP_SECRETS = delete(_SECRETS).where(
    _SECRETS.c.client_id == bindparam("client"),
    _SECRETS.c.digest.not_in(bindparam("kept", expanding=True)),
)
_DROP_OLD_SECRET = delete(_SECRETS).where(
    _SECRETS.c.client_id == bindparam("client"),
    _SECRETS.c.created_at == bindparam("made"),
    _SECRETS.c.expires_at.is_not(None),
)
_LIMIT_SECRET = (
    update(_SECRETS)
    .where(_SECRETS.c.digest == bindparam("secret"))
    .values(expires_at=bindparam("until"))
)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a client. Raises Conflict when its `client_id` exists."""
    connection.execute(_INSERT, row)


def add_secret(connection: Connection, row: dict[str, Any]) -> None:
    """Add a secret."""
    connection.execute(_INSERT_SECRET, row)


def find(connection: Connection, client_id: str) -> Sequence[RowMapping]:
    """Return the client's rows, one for each secret and at least one; none without a client."""
    return connection.execute(_FIND, {"client": client_id}).mappings().all()


def owned(connection: Connection, account_id: str) -> Sequence[RowMapping]:
    """Return the rows of the clients that belong to a person, oldest client first."""
    return connection.execute(_OWNED, {"owner": account_id}).mappings().all()


def lock_owner(connection: Connection, account_id: str) -> bool:
    """Let nobody else add clients of a person until the transaction ends; False when there is no
    such person.
    """
    statement = select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.id == account_id).with_for_update()
    return connection.execute(statement).first() is not None


def own(connection: Connection, client_id: str, account_id: str) -> None:
    """Note that a client belongs to a person."""
    connection.execute(insert(_OWNERS), {"client_id": client_id, "account_id": account_id})


def every(connection: Connection) -> Sequence[RowMapping]:
    """Return the rows of every client, oldest client first."""
    return connection.execute(_EVERY).mappings().all()


def page(connection: Connection, most: int, after: str) -> Sequence[RowMapping]:
    """Return the rows of at most `most` clients ordered by their `client_id`, behind `after`."""
    statement = _PAGE.order_by(_TABLE.c.client_id, _SECRETS.c.created_at, _SECRETS.c.digest)
    return connection.execute(statement, {"after": after, "most": most}).mappings().all()


def secrets_of(connection: Connection, client_id: str) -> Sequence[RowMapping]:
    """Return `created_at` and `expires_at` of a client's secrets, the newest first."""
    return connection.execute(_SECRETS_OF, {"client": client_id}).mappings().all()


def change(connection: Connection, client_id: str, values: dict[str, Any]) -> bool:
    """Change columns of a client; False when there is none."""
    statement = update(_TABLE).where(_TABLE.c.client_id == client_id).values(**values)
    return connection.execute(statement).rowcount == 1


def used(connection: Connection, client_id: str, now: int, before: int) -> None:
    """Note that a client is used, unless that was noted since `before`."""
    seen = _TABLE.c.last_used_at
    statement = (
        update(_TABLE)
        .where(_TABLE.c.client_id == client_id, or_(seen.is_(None), seen < before))
        .values(last_used_at=now)
    )
    connection.execute(statement)


def drop_secrets(connection: Connection, client_id: str, kept: Sequence[bytes]) -> None:
    """Delete a client's secrets but for those with the digests `kept`."""
    connection.execute(_DROP_SECRETS, {"client": client_id, "kept": kept})


def limit_secret(connection: Connection, digest: bytes, until: int) -> None:
    """Let a secret end at `until`, seconds since 1970."""
    connection.execute(_LIMIT_SECRET, {"secret": digest, "until": until})


def drop_old_secret(connection: Connection, client_id: str, created_at: int) -> bool:
    """Delete a client's secret of that second, if it was given an end; False when there is none."""
    parameters = {"client": client_id, "made": created_at}
    return connection.execute(_DROP_OLD_SECRET, parameters).rowcount > 0
