"""Queries on the clients that sessions were used for, and on what they are told at the end.

Whatever ends a session says so here, in the same transaction, so that no client is forgotten.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    insert,
    literal,
    select,
    text,
)

from idp.store.leased_rows import LeasedRows
from idp.store.statements import Row, Statement
from idp.store.tables import Client, LogoutNotice, Session, SessionClient, table

KEPT_SECONDS = 86400
"""Seconds for which it is kept what a client was told, or should have been."""
_SESSIONS = table(Session)
_JOINED = table(SessionClient)
_CLIENTS = table(Client)
_NOTICES = table(LogoutNotice)
_LIVE = Statement(
    select(_SESSIONS.c.id, _JOINED.c.sid)
    .select_from(
        _SESSIONS.outerjoin(
            _JOINED,
            (_JOINED.c.session_id == _SESSIONS.c.id) & (_JOINED.c.client_id == bindparam("client")),
        )
    )
    .where(_SESSIONS.c.id == bindparam("session"), _SESSIONS.c.ended_at.is_(None))
    .with_for_update(read=True, of=_SESSIONS)
)
_JOIN = text(
    """
    INSERT INTO session_clients (session_id, client_id, sid, subject)
    VALUES (:session, :client, :sid, :subject)
    ON CONFLICT (session_id, client_id) DO NOTHING
    """
)
_FIND_SID = select(_JOINED.c.session_id).where(
    _JOINED.c.sid == bindparam("sid_"), _JOINED.c.client_id == bindparam("client")
)
_BY_BROWSER = (
    select(_JOINED.c.client_id, _JOINED.c.sid)
    .join_from(_JOINED, _CLIENTS, _CLIENTS.c.client_id == _JOINED.c.client_id)
    .where(
        _JOINED.c.session_id.in_(bindparam("sessions", expanding=True)),
        _CLIENTS.c.disabled_at.is_(None),
        _CLIENTS.c.details["frontchannel_logout_uri"].as_string().is_not(None),
    )
    .order_by(_JOINED.c.client_id)
    .limit(bindparam("most"))
)
_COLUMNS = (
    "sid",
    "client_id",
    "subject",
    "account_id",
    "created_at",
    "next_try_at",
    "expires_at",
    "tries",
)
NOTICES = LeasedRows(LogoutNotice, "sid")


def live(connection: Connection, session_id: str, client_id: str) -> Row | None:
    """Return the `sid` that this client has of a session, None in it if it has none yet.

    None when the session has ended. It doesn't end before the caller's transaction does.
    """
    return _LIVE.first(connection, {"session": session_id, "client": client_id})


def join(connection: Connection, session_id: str, client_id: str, sid: str, subject: str) -> None:
    """Note that a client takes part in a session; nothing happens when it does already."""
    values = {"session": session_id, "client": client_id, "sid": sid, "subject": subject}
    connection.execute(_JOIN, values)


def session_of(connection: Connection, sid: str, client_id: str) -> str | None:
    """Return the session that a client knows by this `sid`, ended or not."""
    return connection.execute(_FIND_SID, {"sid_": sid, "client": client_id}).scalar()


def by_browser(
    connection: Connection, session_ids: Sequence[str], most: int
) -> list[tuple[str, str]]:
    """Return clients of these sessions that want to be told by the browser, each with its `sid`."""
    found = connection.execute(_BY_BROWSER, {"sessions": list(session_ids), "most": most})
    return [(row.client_id, row.sid) for row in found]


def tell(connection: Connection, session_ids: Sequence[str], now: int) -> None:
    """Write down that these sessions have ended, for each client that wants to be told."""
    if session_ids:
        _tell(connection, _JOINED.c.session_id.in_(session_ids), now)


def part(connection: Connection, account_id: str, client_id: str, now: int) -> None:
    """Write down for a client that a person's sessions are over for it; they go on without it."""
    sessions = select(_SESSIONS.c.id).where(
        _SESSIONS.c.account_id == account_id, _SESSIONS.c.ended_at.is_(None)
    )
    parting = (_JOINED.c.client_id == client_id) & _JOINED.c.session_id.in_(sessions)
    _tell(connection, parting, now)
    connection.execute(delete(_JOINED).where(parting))


def _tell(connection: Connection, which: ColumnElement[bool], now: int) -> None:
    wanted = (
        select(
            _JOINED.c.sid,
            _JOINED.c.client_id,
            _JOINED.c.subject,
            _SESSIONS.c.account_id,
            literal(now),
            literal(now),
            literal(now + KEPT_SECONDS),
            literal(0),
        )
        .select_from(
            _JOINED.join(_SESSIONS).join(_CLIENTS, _CLIENTS.c.client_id == _JOINED.c.client_id)
        )
        .where(
            which,
            _CLIENTS.c.disabled_at.is_(None),
            _CLIENTS.c.details["backchannel_logout_uri"].as_string().is_not(None),
        )
    )
    connection.execute(insert(_NOTICES).from_select(_COLUMNS, wanted))


def notices(connection: Connection) -> list[dict[str, Any]]:
    """Return every notice, the oldest first."""
    statement = select(_NOTICES).order_by(_NOTICES.c.created_at, _NOTICES.c.sid)
    return [dict(row) for row in connection.execute(statement).mappings()]
