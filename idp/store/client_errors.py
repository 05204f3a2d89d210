"""Queries on what clients were told that was wrong: equal errors share a row."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, text

from idp.store.database import RowMapping
from idp.store.tables import ClientError, table

_TABLE = table(ClientError)
_NOTE = (
    text(
        """
        INSERT INTO client_errors (digest, client_id, proven, told, first_at, last_at, times,
          request_id, expires_at)
        SELECT :digest, :client_id, :proven, :told, :now, :now, 1, :request_id, :expires_at
          WHERE EXISTS (SELECT 1 FROM clients WHERE clients.client_id = :client_id)
        ON CONFLICT (digest) DO UPDATE SET
          last_at = :now, times = client_errors.times + 1, request_id = :request_id,
          expires_at = :expires_at
        RETURNING times
        """
    )
    .bindparams(
        bindparam("told", type_=_TABLE.c.told.type), bindparam("proven", type_=_TABLE.c.proven.type)
    )
    .columns(_TABLE.c.times)
)
_OF_CLIENT = _TABLE.c.client_id == bindparam("client")
_NEWEST_FIRST = (_TABLE.c.last_at.desc(), _TABLE.c.digest)
_TOO_OLD = (
    select(_TABLE.c.digest)
    .where(_OF_CLIENT, _TABLE.c.proven == bindparam("proven_"))
    .order_by(*_NEWEST_FIRST)
    .offset(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_TRIM = delete(_TABLE).where(_OF_CLIENT, _TABLE.c.digest.in_(_TOO_OLD))
_LATEST = (
    select(_TABLE)
    .where(_OF_CLIENT, _TABLE.c.expires_at > bindparam("now"))
    .order_by(*_NEWEST_FIRST)
    .limit(bindparam("most"))
)


def note(connection: Connection, row: dict[str, Any]) -> int:
    """Write down an error of a client that exists, or that an equal one came again; return how
    often it came.
    """
    return int(connection.execute(_NOTE, row).scalar_one_or_none() or 0)


def trim(connection: Connection, client_id: str, most: int, *, proven: bool) -> None:
    """Keep the newest errors of a client, those it is proven to have caused or the others."""
    connection.execute(_TRIM, {"client": client_id, "proven_": proven, "most": most})


def latest(connection: Connection, client_id: str, now: int, most: int) -> list[RowMapping]:
    """Return a client's errors, newest first."""
    parameters = {"client": client_id, "now": now, "most": most}
    return list(connection.execute(_LATEST, parameters).mappings())
