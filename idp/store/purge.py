"""Deleting what has expired, a bounded batch at a time, so that no lock is held for long."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Delete, bindparam, delete, select, tuple_

from idp.store.tables import (
    AccountRole,
    Authorization,
    Base,
    ClientError,
    ClientRole,
    ClientSecret,
    Counter,
    Device,
    GroupRole,
    InitialToken,
    LogoutNotice,
    OneTime,
    OutgoingMail,
    RefreshToken,
    RevokedToken,
    Session,
    table,
)


def _expired(model: type[Base], key: str | Sequence[str], date: str) -> Delete:
    """Delete at most `batch` of the rows whose `date` is before `before`, oldest first."""
    rows = table(model)
    keys = [rows.c[name] for name in ([key] if isinstance(key, str) else key)]
    condition: ColumnElement[bool] = rows.c[date] < bindparam("before")
    oldest = (
        select(*keys)
        .where(condition)
        .order_by(rows.c[date])
        .limit(bindparam("batch"))
        .with_for_update(skip_locked=True)
    )
    return delete(rows).where(tuple_(*keys).in_(oldest))


_ROLE_AND_PLACE = ("role_id", "place")
_EXPIRING = {
    "one_time": _expired(OneTime, "digest", "keep_until"),
    "refresh_tokens": _expired(RefreshToken, "digest", "expires_at"),
    "authorizations": _expired(Authorization, "id", "expires_at"),
    "sessions": _expired(Session, "id", "expires_at"),
    "client_secrets": _expired(ClientSecret, "digest", "expires_at"),
    "revoked_tokens": _expired(RevokedToken, "jti_digest", "expires_at"),
    "devices": _expired(Device, "id", "expires_at"),
    "outgoing_mail": _expired(OutgoingMail, "id", "expires_at"),
    "logout_notices": _expired(LogoutNotice, "sid", "expires_at"),
    "initial_tokens": _expired(InitialToken, "id", "expires_at"),
    "client_errors": _expired(ClientError, "digest", "expires_at"),
    "counters": _expired(Counter, "name", "expires_at"),
    "account_roles": _expired(AccountRole, ("account_id", *_ROLE_AND_PLACE), "expires_at"),
    "group_roles": _expired(GroupRole, ("group_id", *_ROLE_AND_PLACE), "expires_at"),
    "client_roles": _expired(ClientRole, ("client_id", *_ROLE_AND_PLACE), "expires_at"),
}

EXPIRING = tuple(_EXPIRING)
"""What expires by itself; children come before what they refer to."""


def expired(connection: Connection, name: str, before: int, batch: int) -> int:
    """Delete rows of `name` that expired before that second; return how many, at most `batch`."""
    parameters = {"before": before, "batch": batch}
    return connection.execute(_EXPIRING[name], parameters).rowcount
