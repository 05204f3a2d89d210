"""Queries on authorizations, their refresh tokens, and access tokens revoked one by one."""

from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    update,
)

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
    _AUTHORIZATIONS.c.session_bound,
    _AUTHORIZATIONS.c.scopes,
    _AUTHORIZATIONS.c.resource,
    _AUTHORIZATIONS.c.auth_time,
    _AUTHORIZATIONS.c.amr,
    _AUTHORIZATIONS.c.acr,
    _AUTHORIZATIONS.c.expires_at.label("authorization_expires_at"),
    _OPEN.label("open"),
    _ACCOUNTS,
)
_FIND = (
    select(*_COLUMNS)
    .select_from(_WITH_ACCOUNT)
    .where(_AUTHORIZATIONS.c.id == bindparam("authorization_id_"))
)
_STILL_OPEN = (
    select(_AUTHORIZATIONS.c.id)
    .select_from(_WITH_ACCOUNT)
    .where(_AUTHORIZATIONS.c.id == bindparam("authorization_id_"), _OPEN)
)
_STILL_IN_SESSION = _STILL_OPEN.where(
    _SESSIONS.c.ended_at.is_(None),
    _SESSIONS.c.expires_at > bindparam("now"),
    _SESSIONS.c.idle_expires_at > bindparam("now"),
)
_LIVE = (
    select(*_COLUMNS)
    .select_from(_WITH_ACCOUNT)
    .where(
        _AUTHORIZATIONS.c.id == bindparam("authorization_id_"),
        _OPEN,
        ~exists().where(_REVOKED.c.jti_digest == bindparam("jti_digest_")),
    )
)
_IS_REVOKED = select(_REVOKED.c.jti_digest).where(_REVOKED.c.jti_digest == bindparam("jti_digest_"))
_FIND_REFRESH = (
    select(
        *_COLUMNS,
        _REFRESH.c.superseded_at,
        _REFRESH.c.expires_at.label("token_expires_at"),
        _REFRESH.c.created_at.label("token_created_at"),
    )
    .select_from(_WITH_ACCOUNT.join(_REFRESH, _REFRESH.c.authorization_id == _AUTHORIZATIONS.c.id))
    .where(_REFRESH.c.digest == bindparam("digest_"))
)
_SUPERSEDE = (
    update(_REFRESH)
    .where(
        _REFRESH.c.digest == bindparam("digest_"),
        _REFRESH.c.superseded_at.is_(None),
        _REFRESH.c.expires_at > bindparam("now"),
    )
    .values(superseded_at=bindparam("now"))
)
_UNUSED = select(_REFRESH.c.digest).where(
    _REFRESH.c.digest == bindparam("digest_"), _REFRESH.c.superseded_at.is_(None)
)
_INSERT = insert(_AUTHORIZATIONS)
_INSERT_REFRESH = insert(_REFRESH)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add an authorization."""
    connection.execute(_INSERT, row)


def find(connection: Connection, authorization_id: str, now: int) -> RowMapping | None:
    """Return an authorization with its person; `open` tells whether it stands."""
    parameters = {"authorization_id_": authorization_id, "now": now}
    return connection.execute(_FIND, parameters).mappings().first()


def is_open(connection: Connection, authorization_id: str, now: int) -> bool:
    """Whether authorization, account and bound session stand."""
    parameters = {"authorization_id_": authorization_id, "now": now}
    return connection.execute(_STILL_OPEN, parameters).first() is not None


def is_in_session(connection: Connection, authorization_id: str, now: int) -> bool:
    """Whether it is open and the login in which it was given goes on, bound to it or not."""
    parameters = {"authorization_id_": authorization_id, "now": now}
    return connection.execute(_STILL_IN_SESSION, parameters).first() is not None


def live(
    connection: Connection, authorization_id: str, jti_digest: bytes, now: int
) -> RowMapping | None:
    """Return the open authorization of an access token that was not revoked by itself."""
    parameters = {"authorization_id_": authorization_id, "jti_digest_": jti_digest, "now": now}
    return connection.execute(_LIVE, parameters).mappings().first()


def is_revoked(connection: Connection, jti_digest: bytes) -> bool:
    """Whether an access token was revoked by itself."""
    return connection.execute(_IS_REVOKED, {"jti_digest_": jti_digest}).first() is not None


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
    connection.execute(_INSERT_REFRESH, row)


def find_refresh(connection: Connection, digest: bytes, now: int) -> RowMapping | None:
    """Return a refresh token, used or not, with authorization and person."""
    return connection.execute(_FIND_REFRESH, {"digest_": digest, "now": now}).mappings().first()


def supersede(connection: Connection, digest: bytes, now: int) -> bool:
    """Mark a live refresh token as used: one caller wins."""
    return connection.execute(_SUPERSEDE, {"digest_": digest, "now": now}).rowcount == 1


def refresh_is_unused(connection: Connection, digest: bytes) -> bool:
    """Whether a refresh token exists and was never used."""
    return connection.execute(_UNUSED, {"digest_": digest}).first() is not None
