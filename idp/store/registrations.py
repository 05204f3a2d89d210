"""Queries on clients that registered themselves, and on initial access tokens."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from idp.store.tables import Client, ClientRegistration, ClientSecret, InitialToken, table

_CLIENTS = table(Client)
_SECRETS = table(ClientSecret)
_TABLE = table(ClientRegistration)
_TOKENS = table(InitialToken)
_FIND = select(_TABLE.c.token_digest, _TABLE.c.policy, _TABLE.c.trusted).where(
    _TABLE.c.client_id == bindparam("client")
)
_ROTATE = (
    update(_TABLE)
    .where(_TABLE.c.client_id == bindparam("client"), _TABLE.c.token_digest == bindparam("old"))
    .values(token_digest=bindparam("new"))
)
_UNUSED = (
    select(_CLIENTS.c.client_id)
    .join_from(_TABLE, _CLIENTS, _CLIENTS.c.client_id == _TABLE.c.client_id)
    .where(
        or_(
            and_(
                _CLIENTS.c.last_used_at.is_(None), _CLIENTS.c.created_at < bindparam("made_before")
            ),
            _CLIENTS.c.last_used_at < bindparam("used_before"),
        )
    )
    .order_by(_CLIENTS.c.id)
    .limit(bindparam("batch"))
)
_FIND_TOKEN = select(_TOKENS).where(_TOKENS.c.digest == bindparam("presented"))
_TAKE = (
    update(_TOKENS)
    .where(
        _TOKENS.c.id == bindparam("token"),
        _TOKENS.c.uses_left > 0,
        _TOKENS.c.expires_at > bindparam("now"),
    )
    .values(uses_left=_TOKENS.c.uses_left - 1)
)


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Note that a client registered itself."""
    connection.execute(insert(_TABLE), row)


def find(connection: Connection, client_id: str) -> RowMapping | None:
    """Return how a client registered itself; None when it did not, or does not exist."""
    return connection.execute(_FIND, {"client": client_id}).mappings().first()


def rotate(connection: Connection, client_id: str, old: bytes, new: bytes) -> bool:
    """Replace a client's registration access token: of many at once one wins."""
    parameters = {"client": client_id, "old": old, "new": new}
    return connection.execute(_ROTATE, parameters).rowcount == 1


def remove(connection: Connection, client_id: str) -> bool:
    """Delete a client and all that hangs on it; False when there is none."""
    return (
        connection.execute(delete(_CLIENTS).where(_CLIENTS.c.client_id == client_id)).rowcount == 1
    )


def drop_secrets(connection: Connection, client_id: str) -> None:
    """Delete every secret of a client that has become a public one."""
    connection.execute(delete(_SECRETS).where(_SECRETS.c.client_id == client_id))


def unused(connection: Connection, made_before: int, used_before: int, batch: int) -> Sequence[str]:
    """Return some clients that registered themselves before `made_before` and were never used, or
    last before `used_before`.
    """
    parameters = {"made_before": made_before, "used_before": used_before, "batch": batch}
    return connection.execute(_UNUSED, parameters).scalars().all()


def add_token(connection: Connection, row: dict[str, Any]) -> None:
    """Add an initial access token."""
    connection.execute(insert(_TOKENS), row)


def find_token(connection: Connection, digest: bytes) -> RowMapping | None:
    """Return an initial access token, used up and expired ones too."""
    return connection.execute(_FIND_TOKEN, {"presented": digest}).mappings().first()


def tokens(connection: Connection) -> Sequence[RowMapping]:
    """Return every initial access token, oldest first."""
    return connection.execute(select(_TOKENS).order_by(_TOKENS.c.id)).mappings().all()


def take_use(connection: Connection, token_id: str, now: int) -> bool:
    """Use an initial access token once; False when it is used up, expired or revoked."""
    return connection.execute(_TAKE, {"token": token_id, "now": now}).rowcount == 1


def remove_token(connection: Connection, token_id: str) -> bool:
    """Delete an initial access token; False when there is none."""
    return connection.execute(delete(_TOKENS).where(_TOKENS.c.id == token_id)).rowcount == 1
