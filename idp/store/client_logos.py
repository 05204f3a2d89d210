"""Queries on the pictures of clients: where they are, and what was found there."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from idp.store.tables import Client, ClientLogo, table

_TABLE = table(ClientLogo)
_CLIENTS = table(Client)
_DUE = (
    select(_TABLE.c.client_id, _TABLE.c.uri, _TABLE.c.tries, _TABLE.c.due_at)
    .where(_TABLE.c.due_at <= bindparam("now"))
    .order_by(_TABLE.c.due_at)
    .limit(bindparam("most"))
)
_PICTURE = select(_TABLE.c.media_type, _TABLE.c.picture).where(
    _TABLE.c.client_id == bindparam("client"), _TABLE.c.digest == bindparam("wanted")
)


def want(connection: Connection, client_id: str, uri: str | None, now: int) -> None:
    """Let the picture at `uri` be fetched, unless it is the one that is wanted already; None: the
    client has none (any more).
    """
    known = select(_TABLE.c.uri).where(_TABLE.c.client_id == client_id)
    if connection.execute(known).scalar() == uri:
        return
    connection.execute(delete(_TABLE).where(_TABLE.c.client_id == client_id))
    connection.execute(update(_CLIENTS).where(_CLIENTS.c.client_id == client_id).values(logo=None))
    if uri is not None:
        row = {"client_id": client_id, "uri": uri, "tries": 0, "due_at": now}
        connection.execute(insert(_TABLE), row)


def due(connection: Connection, now: int, most: int) -> Sequence[RowMapping]:
    """Return some of the pictures that are to be fetched."""
    return connection.execute(_DUE, {"now": now, "most": most}).mappings().all()


def claim(connection: Connection, client_id: str, due_at: int, until: int) -> bool:
    """Put a picture of `due` off, so that nobody else fetches it; False when somebody does."""
    same = (_TABLE.c.client_id == client_id, _TABLE.c.due_at == due_at)
    return connection.execute(update(_TABLE).where(*same).values(due_at=until)).rowcount == 1


def keep(connection: Connection, client_id: str, uri: str, values: Mapping[str, Any]) -> None:
    """Write down what came of fetching a picture, unless the client has another one by now."""
    here = (_TABLE.c.client_id == client_id, _TABLE.c.uri == uri)
    kept = connection.execute(update(_TABLE).where(*here).values(**values)).rowcount
    if kept and "digest" in values:
        logo = {"logo": values["digest"]}
        connection.execute(update(_CLIENTS).where(_CLIENTS.c.client_id == client_id).values(**logo))


def picture(connection: Connection, client_id: str, digest: str) -> RowMapping | None:
    """Return a picture with its media type; None when the client has it not (any more)."""
    parameters = {"client": client_id, "wanted": digest}
    return connection.execute(_PICTURE, parameters).mappings().first()
