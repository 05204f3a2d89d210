"""Queries on leases: which node does a recurring task."""

from sqlalchemy import Connection, bindparam, delete, select, text

from idp.store.tables import Lease, table

_TABLE = table(Lease)
_HOLDER = select(_TABLE.c.holder).where(
    _TABLE.c.name == bindparam("name_"), _TABLE.c.expires_at > bindparam("now")
)
_TAKE = text(
    """
    INSERT INTO leases (name, holder, expires_at) VALUES (:name, :holder, :expires_at)
    ON CONFLICT (name) DO UPDATE SET holder = :holder, expires_at = :expires_at
    WHERE leases.holder = :holder OR leases.expires_at <= :now
    RETURNING holder
    """
)
_RELEASE = delete(_TABLE).where(
    _TABLE.c.name == bindparam("name_"), _TABLE.c.holder == bindparam("holder_")
)


def holder(connection: Connection, name: str, now: int) -> str | None:
    """Return who has the lease at present."""
    row = connection.execute(_HOLDER, {"name_": name, "now": now}).first()
    return str(row[0]) if row else None


def take(connection: Connection, name: str, holder: str, now: int, lifetime: int) -> bool:
    """Take or renew the lease for `lifetime` seconds; False when another holder has it."""
    parameters = {"name": name, "holder": holder, "now": now, "expires_at": now + lifetime}
    return connection.execute(_TAKE, parameters).first() is not None


def release(connection: Connection, name: str, holder: str) -> None:
    """Give the lease back."""
    connection.execute(_RELEASE, {"name_": name, "holder_": holder})
