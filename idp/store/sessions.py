"""Queries on browser sessions. A browser's cookie may carry one for each of several accounts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from idp.store import session_clients
from idp.store.statements import Row, Statement
from idp.store.tables import Account, OneTime, Session, table

_SESSIONS = table(Session)
_ACCOUNTS = table(Account)
_ONE_TIME = table(OneTime)


def _live() -> Select[Any]:
    return (
        select(
            _SESSIONS.c.id.label("session_id"),
            _SESSIONS.c.auth_time,
            _SESSIONS.c.amr,
            _SESSIONS.c.acr,
            _SESSIONS.c.proofs,
            _SESSIONS.c.kept,
            _SESSIONS.c.chosen_at,
            _SESSIONS.c.created_at.label("session_created_at"),
            _SESSIONS.c.seen_at,
            _SESSIONS.c.expires_at.label("session_expires_at"),
            _SESSIONS.c.address,
            _SESSIONS.c.user_agent,
            _ACCOUNTS,
        )
        .join_from(_SESSIONS, _ACCOUNTS)
        .where(
            _SESSIONS.c.ended_at.is_(None),
            _SESSIONS.c.expires_at > bindparam("now"),
            _SESSIONS.c.idle_expires_at > bindparam("now"),
            _ACCOUNTS.c.disabled_at.is_(None),
        )
    )


_OF_BROWSER = Statement(
    _live()
    .where(_SESSIONS.c.cookie_digest == bindparam("cookie_digest_"))
    .order_by(_SESSIONS.c.chosen_at.desc(), _SESSIONS.c.id.desc())
)
_OF_ACCOUNT = Statement(
    _live()
    .where(_SESSIONS.c.account_id == bindparam("account_id_"))
    .order_by(_SESSIONS.c.seen_at.desc(), _SESSIONS.c.id.desc())
)
_ENDED = Statement(
    select(_ACCOUNTS)
    .join_from(_SESSIONS, _ACCOUNTS)
    .where(
        _SESSIONS.c.cookie_digest == bindparam("cookie_digest_"),
        _SESSIONS.c.ended_at >= bindparam("since"),
    )
    .order_by(_SESSIONS.c.ended_at.desc(), _SESSIONS.c.id.desc())
)
_INSERT = Statement(insert(_SESSIONS))
_MOVE = Statement(
    update(_SESSIONS)
    .where(_SESSIONS.c.cookie_digest == bindparam("old"), _SESSIONS.c.ended_at.is_(None))
    .values(cookie_digest=bindparam("new"))
)
_MOVE_BOUND = Statement(
    update(_ONE_TIME)
    .where(_ONE_TIME.c.binding == bindparam("old"), _ONE_TIME.c.used_at.is_(None))
    .values(binding=bindparam("new"), former_binding=bindparam("old"))
)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a session."""
    _INSERT.run(connection, row)


def of_browser(connection: Connection, cookie_digest: bytes, now: int) -> list[Row]:
    """Return the live sessions of a cookie with their accounts, the one chosen last first."""
    return _OF_BROWSER.all(connection, {"cookie_digest_": cookie_digest, "now": now})


def ended_of_browser(connection: Connection, cookie_digest: bytes, since: int) -> list[Row]:
    """Return the accounts of a cookie's sessions that ended since some second, the last first."""
    return _ENDED.all(connection, {"cookie_digest_": cookie_digest, "since": since})


def of_account(connection: Connection, account_id: str, now: int) -> list[Row]:
    """Return the live sessions of an account, the one used last first."""
    return _OF_ACCOUNT.all(connection, {"account_id_": account_id, "now": now})


def cookie_of(connection: Connection, session_id: str) -> bytes | None:
    """Return the digest of the cookie that carries a session."""
    statement = select(_SESSIONS.c.cookie_digest).where(_SESSIONS.c.id == session_id)
    return connection.execute(statement).scalar()


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


def choose(connection: Connection, session_id: str, chosen_at: int) -> None:
    """Make a session its browser's present one."""
    statement = update(_SESSIONS).where(_SESSIONS.c.id == session_id)
    connection.execute(statement.values(chosen_at=chosen_at))


def move(connection: Connection, old: bytes, new: bytes) -> None:
    """Give the live sessions of a browser, and what is bound to it, its new cookie."""
    _MOVE.run(connection, {"old": old, "new": new})
    _MOVE_BOUND.run(connection, {"old": old, "new": new})


def end(connection: Connection, session_id: str, account_id: str, now: int) -> bool:
    """End a session of this account, and tell its clients; tell whether it was live."""
    statement = (
        update(_SESSIONS)
        .where(
            _SESSIONS.c.id == session_id,
            _SESSIONS.c.account_id == account_id,
            _SESSIONS.c.ended_at.is_(None),
        )
        .values(ended_at=now)
    )
    ended = connection.execute(statement).rowcount == 1
    if ended:
        session_clients.tell(connection, [session_id], now)
    return ended


def end_all(connection: Connection, account_id: str, now: int, but: str = "") -> Sequence[str]:
    """End every session of a person, `but` one if it is named, and tell the clients; return the
    ids of the sessions.
    """
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
    ended = connection.execute(statement).scalars().all()
    session_clients.tell(connection, ended, now)
    return ended
