"""Queries on browser sessions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from idp.store.statements import Row, Statement
from idp.store.tables import Account, OneTime, Session, table

_SESSIONS = table(Session)
_ACCOUNTS = table(Account)
_ONE_TIME = table(OneTime)
_FIND = Statement(
    select(
        _SESSIONS.c.id.label("session_id"),
        _SESSIONS.c.auth_time,
        _SESSIONS.c.amr,
        _SESSIONS.c.acr,
        _SESSIONS.c.seen_at,
        _SESSIONS.c.expires_at.label("session_expires_at"),
        _ACCOUNTS,
    )
    .join_from(_SESSIONS, _ACCOUNTS)
    .where(
        _SESSIONS.c.cookie_digest == bindparam("cookie_digest_"),
        _SESSIONS.c.ended_at.is_(None),
        _SESSIONS.c.expires_at > bindparam("now"),
        _SESSIONS.c.idle_expires_at > bindparam("now"),
        _ACCOUNTS.c.disabled_at.is_(None),
    )
)
_INSERT = insert(_SESSIONS)
_MOVE = (
    update(_ONE_TIME)
    .where(_ONE_TIME.c.binding == bindparam("old"), _ONE_TIME.c.used_at.is_(None))
    .values(binding=bindparam("new"), former_binding=bindparam("old"))
)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a session."""
    connection.execute(_INSERT, row)


def find(connection: Connection, cookie_digest: bytes, now: int) -> Row | None:
    """Return the live session of a cookie with its account, None when either ended."""
    parameters = {"cookie_digest_": cookie_digest, "now": now}
    return _FIND.first(connection, parameters)


def belongs(connection: Connection, cookie_digest: bytes, account_id: str) -> bool:
    """Whether a cookie is that of a login of this account, ended or not."""
    statement = select(_SESSIONS.c.id).where(
        _SESSIONS.c.cookie_digest == cookie_digest, _SESSIONS.c.account_id == account_id
    )
    return connection.execute(statement).first() is not None


def renew(
    connection: Connection, session_id: str, account_id: str, now: int, values: dict[str, Any]
) -> bool:
    """Give a live session of this account a new cookie and a new sign-in."""
    statement = (
        update(_SESSIONS)
        .where(
            _SESSIONS.c.id == session_id,
            _SESSIONS.c.account_id == account_id,
            _SESSIONS.c.ended_at.is_(None),
            _SESSIONS.c.expires_at > now,
            _SESSIONS.c.idle_expires_at > now,
        )
        .values(**values)
    )
    return connection.execute(statement).rowcount == 1


def touch(connection: Connection, session_id: str, now: int, idle_expires_at: int) -> None:
    """Note that a session was used."""
    values = {"seen_at": now, "idle_expires_at": idle_expires_at}
    connection.execute(update(_SESSIONS).where(_SESSIONS.c.id == session_id).values(**values))


def end(connection: Connection, cookie_digest: bytes, now: int) -> str | None:
    """End the session of a cookie; return its id if it was live."""
    statement = (
        update(_SESSIONS)
        .where(_SESSIONS.c.cookie_digest == cookie_digest, _SESSIONS.c.ended_at.is_(None))
        .values(ended_at=now)
        .returning(_SESSIONS.c.id)
    )
    return connection.execute(statement).scalar()


def end_all(connection: Connection, account_id: str, now: int, but: str = "") -> Sequence[str]:
    """End every session of a person, `but` one if it is named; return their ids."""
    statement = (
        update(_SESSIONS)
        .where(
            _SESSIONS.c.account_id == account_id,
            _SESSIONS.c.ended_at.is_(None),
            _SESSIONS.c.id != but,
        )
        .values(ended_at=now)
        .returning(_SESSIONS.c.id)
    )
    return connection.execute(statement).scalars().all()


def move_bindings(connection: Connection, old: bytes, new: bytes) -> None:
    """Let what was bound to a browser's old cookie be bound to its new one."""
    connection.execute(_MOVE, {"old": old, "new": new})
