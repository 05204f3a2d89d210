"""What a person let applications do, and when those last used it."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, and_, bindparam, func, or_, select

from idp.store.tables import Authorization, Consent, RefreshToken, Session, table

_CONSENTS = table(Consent)
_AUTHORIZATIONS = table(Authorization)
_REFRESH = table(RefreshToken)
_SESSIONS = table(Session)
_CONSENTED = select(_CONSENTS).where(_CONSENTS.c.account_id == bindparam("account_id_"))
_OPEN = (
    select(
        _AUTHORIZATIONS.c.id,
        _AUTHORIZATIONS.c.client_id,
        _AUTHORIZATIONS.c.scopes,
        _AUTHORIZATIONS.c.claims,
        _AUTHORIZATIONS.c.resource,
        _AUTHORIZATIONS.c.session_bound,
        _AUTHORIZATIONS.c.created_at,
        _AUTHORIZATIONS.c.expires_at,
        func.max(_REFRESH.c.created_at).label("refreshed_at"),
    )
    .select_from(
        _AUTHORIZATIONS.outerjoin(
            _REFRESH, _REFRESH.c.authorization_id == _AUTHORIZATIONS.c.id
        ).outerjoin(_SESSIONS, _SESSIONS.c.id == _AUTHORIZATIONS.c.session_id)
    )
    .where(
        _AUTHORIZATIONS.c.account_id == bindparam("account_id_"),
        _AUTHORIZATIONS.c.revoked_at.is_(None),
        _AUTHORIZATIONS.c.expires_at > bindparam("now"),
        or_(
            _AUTHORIZATIONS.c.session_bound.is_(False),
            and_(
                _SESSIONS.c.ended_at.is_(None),
                _SESSIONS.c.expires_at > bindparam("now"),
                _SESSIONS.c.idle_expires_at > bindparam("now"),
            ),
        ),
    )
    .group_by(*_AUTHORIZATIONS.primary_key.columns)
    .order_by(_AUTHORIZATIONS.c.created_at)
)


def consents(connection: Connection, account_id: str) -> Sequence[RowMapping]:
    """Return each scope that a person allowed, whatever client."""
    return connection.execute(_CONSENTED, {"account_id_": account_id}).mappings().all()


def authorizations(connection: Connection, account_id: str, now: int) -> Sequence[RowMapping]:
    """Return a person's open authorizations, oldest first; `refreshed_at` None: never refreshed."""
    parameters = {"account_id_": account_id, "now": now}
    return connection.execute(_OPEN, parameters).mappings().all()
