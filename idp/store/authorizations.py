"""Queries on authorizations, their refresh tokens, and access tokens revoked one by one."""

from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    update,
)

from idp.store.statements import Row, Statement
from idp.store.tables import (
    Account,
    Authorization,
    RefreshToken,
    RevokedToken,
    Session,
    table,
)

_AUTHORIZATIONS = table(Authorization)
_REFRESH = table(RefreshToken)
_REVOKED = table(RevokedToken)
_SESSIONS = table(Session)
_ACCOUNTS = table(Account)

_OPEN = and_(
    _AUTHORIZATIONS.c.revoked_at.is_(None),
    _AUTHORIZATIONS.c.expires_at > bindparam("now"),
    _ACCOUNTS.c.disabled_at.is_(None),
    or_(
        _AUTHORIZATIONS.c.session_bound.is_(False),
        and_(
            _SESSIONS.c.ended_at.is_(None),
            _SESSIONS.c.expires_at > bindparam("now"),
            _SESSIONS.c.idle_expires_at > bindparam("now"),
        ),
    ),
)
_WITH_ACCOUNT = _AUTHORIZATIONS.join(_ACCOUNTS).join(
    _SESSIONS, _SESSIONS.c.id == _AUTHORIZATIONS.c.session_id, isouter=True
)
_COLUMNS = (
    _AUTHORIZATIONS.c.id.label("authorization_id"),
    _AUTHORIZATIONS.c.client_id,
    _AUTHORIZATIONS.c.sid,
    _AUTHORIZATIONS.c.session_bound,
    _AUTHORIZATIONS.c.scopes,
    _AUTHORIZATIONS.c.resource,
    _AUTHORIZATIONS.c.auth_time,
    _AUTHORIZATIONS.c.amr,
    _AUTHORIZATIONS.c.acr,
    _AUTHORIZATIONS.c.claims,
    _AUTHORIZATIONS.c.expires_at.label("authorization_expires_at"),
    _OPEN.label("open"),
    _ACCOUNTS,
)
_FIND = Statement(
    select(*_COLUMNS)
    .select_from(_WITH_ACCOUNT)
    .where(_AUTHORIZATIONS.c.id == bindparam("authorization_id_"))
)
_SELECT_OPEN = (
    select(_AUTHORIZATIONS.c.id)
    .select_from(_WITH_ACCOUNT)
    .where(_AUTHORIZATIONS.c.id == bindparam("authorization_id_"), _OPEN)
)
_STILL_OPEN = Statement(_SELECT_OPEN)
_STILL_IN_SESSION = Statement(
    _SELECT_OPEN.where(
        _SESSIONS.c.ended_at.is_(None),
        _SESSIONS.c.expires_at > bindparam("now"),
        _SESSIONS.c.idle_expires_at > bindparam("now"),
    )
)
_LIVE = Statement(
    select(*_COLUMNS)
    .select_from(_WITH_ACCOUNT)
    .where(
        _AUTHORIZATIONS.c.id == bindparam("authorization_id_"),
        _OPEN,
        ~exists().where(_REVOKED.c.jti_digest == bindparam("jti_digest_")),
    )
)
_IS_REVOKED = Statement(
    select(_REVOKED.c.jti_digest).where(_REVOKED.c.jti_digest == bindparam("jti_digest_"))
)
_FIND_REFRESH = Statement(
    select(
        *_COLUMNS,
        _REFRESH.c.superseded_at,
        _REFRESH.c.expires_at.label("token_expires_at"),
        _REFRESH.c.created_at.label("token_created_at"),
    )
    .select_from(_WITH_ACCOUNT.join(_REFRESH, _REFRESH.c.authorization_id == _AUTHORIZATIONS.c.id))
    .where(_REFRESH.c.digest == bindparam("digest_"))
)
_SUPERSEDE = Statement(
    update(_REFRESH)
    .where(
        _REFRESH.c.digest == bindparam("digest_"),
        _REFRESH.c.superseded_at.is_(None),
        _REFRESH.c.expires_at > bindparam("now"),
    )
    .values(superseded_at=bindparam("now"))
)
_UNUSED = Statement(
    select(_REFRESH.c.digest).where(
        _REFRESH.c.digest == bindparam("digest_"), _REFRESH.c.superseded_at.is_(None)
    )
)
_INSERT = Statement(insert(_AUTHORIZATIONS))
_INSERT_REFRESH = Statement(insert(_REFRESH))


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add an authorization."""
    _INSERT.run(connection, row)


def find(connection: Connection, authorization_id: str, now: int) -> Row | None:
    """Return an authorization with its person; `open` tells whether it stands."""
    parameters = {"authorization_id_": authorization_id, "now": now}
    return _FIND.first(connection, parameters)


def is_open(connection: Connection, authorization_id: str, now: int) -> bool:
    """Whether authorization, account and bound session stand."""
    parameters = {"authorization_id_": authorization_id, "now": now}
    return _STILL_OPEN.first(connection, parameters) is not None


def is_in_session(connection: Connection, authorization_id: str, now: int) -> bool:
    """Whether it is open and the login in which it was given goes on, bound to it or not."""
    parameters = {"authorization_id_": authorization_id, "now": now}
    return _STILL_IN_SESSION.first(connection, parameters) is not None


def live(connection: Connection, authorization_id: str, jti_digest: bytes, now: int) -> Row | None:
    """Return the open authorization of an access token that was not revoked by itself."""
    parameters = {"authorization_id_": authorization_id, "jti_digest_": jti_digest, "now": now}
    return _LIVE.first(connection, parameters)


def is_revoked(connection: Connection, jti_digest: bytes) -> bool:
    """Whether an access token was revoked by itself."""
    return _IS_REVOKED.first(connection, {"jti_digest_": jti_digest}) is not None


def revoke(connection: Connection, authorization_id: str, now: int, because: str) -> bool:
    """Revoke an authorization and all that came of it; False when it was revoked before."""
    statement = (
        update(_AUTHORIZATIONS)
        .where(_AUTHORIZATIONS.c.id == authorization_id, _AUTHORIZATIONS.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_because=because)
    )
    return connection.execute(statement).rowcount == 1


def revoke_all(connection: Connection, account_id: str, now: int, because: str) -> None:
    """Revoke everything a person allowed."""
    statement = (
        update(_AUTHORIZATIONS)
        .where(_AUTHORIZATIONS.c.account_id == account_id, _AUTHORIZATIONS.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_because=because)
    )
    connection.execute(statement)


def revoke_for_client(
    connection: Connection, account_id: str, client_id: str, now: int, because: str
) -> None:
    """Revoke everything a person allowed one client."""
    statement = (
        update(_AUTHORIZATIONS)
        .where(
            _AUTHORIZATIONS.c.account_id == account_id,
            _AUTHORIZATIONS.c.client_id == client_id,
            _AUTHORIZATIONS.c.revoked_at.is_(None),
        )
        .values(revoked_at=now, revoked_because=because)
    )
    connection.execute(statement)


def revoke_token(connection: Connection, jti_digest: bytes, expires_at: int) -> None:
    """Remember an access token as revoked until it expires. Raises Conflict when it is already."""
    connection.execute(insert(_REVOKED), {"jti_digest": jti_digest, "expires_at": expires_at})


def add_refresh(connection: Connection, row: dict[str, Any]) -> None:
    """Add a refresh token's digest."""
    _INSERT_REFRESH.run(connection, row)


def find_refresh(connection: Connection, digest: bytes, now: int) -> Row | None:
    """Return a refresh token, used or not, with authorization and person."""
    return _FIND_REFRESH.first(connection, {"digest_": digest, "now": now})


def supersede(connection: Connection, digest: bytes, now: int) -> bool:
    """Mark a live refresh token as used: one caller wins."""
    return _SUPERSEDE.run(connection, {"digest_": digest, "now": now}) == 1


def refresh_is_unused(connection: Connection, digest: bytes) -> bool:
    """Whether a refresh token exists and was never used."""
    return _UNUSED.first(connection, {"digest_": digest}) is not None
