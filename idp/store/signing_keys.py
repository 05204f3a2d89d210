"""Queries on our key pairs: those that sign, and those that open what is encrypted to us."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, update

from idp.store.tables import SigningKey, table

_TABLE = table(SigningKey)
_INSERT = insert(_TABLE)
_READ = select(_TABLE).order_by(_TABLE.c.algorithm, _TABLE.c.created_at, _TABLE.c.kid)
_LOCK = select(_TABLE.c.kid).order_by(_TABLE.c.kid).with_for_update()
_ONE = update(_TABLE).where(_TABLE.c.kid == bindparam("kid_"))
_ACTIVATE = _ONE.values(state="active", activated_at=bindparam("now"))
_RETIRE_AND_KEEP = _ONE.values(
    state="retiring",
    retired_at=bindparam("now"),
    keep_until=bindparam("now") + _TABLE.c.longest_token + bindparam("margin"),
)
_RETIRE = _RETIRE_AND_KEEP.values(sealed_private=None)
_ARCHIVE = _ONE.values(state="archived", archived_at=bindparam("now"), sealed_private=None)
_WITHDRAW = _ONE.values(
    state="withdrawn",
    retired_at=func.coalesce(_TABLE.c.retired_at, bindparam("now")),
    archived_at=func.coalesce(_TABLE.c.archived_at, bindparam("now")),
    sealed_private=None,
)
_LENGTHEN = (
    update(_TABLE)
    .where(
        _TABLE.c.algorithm.in_(bindparam("algorithms", expanding=True)),
        _TABLE.c.state.in_(("next", "active")),
        _TABLE.c.longest_token < bindparam("seconds"),
    )
    .values(longest_token=bindparam("seconds"))
)
_FORGET = delete(_TABLE).where(_TABLE.c.archived_at < bindparam("before"))


def read(connection: Connection) -> Sequence[RowMapping]:
    """Return every key, those of one algorithm in the order in which they were made."""
    return connection.execute(_READ).mappings().all()


def lock(connection: Connection) -> None:
    """Keep other writers from the keys until the transaction ends (SQLite's are alone anyway)."""
    connection.execute(_LOCK).all()


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a key. Raises Conflict when the algorithm has one in that state already."""
    connection.execute(_INSERT, row)


def activate(connection: Connection, kid: str, now: int) -> None:
    """Let a key sign."""
    connection.execute(_ACTIVATE, {"kid_": kid, "now": now})


def retire(
    connection: Connection, kid: str, now: int, margin: int, *, keep_private: bool = False
) -> None:
    """Let another key follow. This one stays until `margin` seconds after its last token; its
    private half goes now, unless that is still needed.
    """
    statement = _RETIRE_AND_KEEP if keep_private else _RETIRE
    connection.execute(statement, {"kid_": kid, "now": now, "margin": margin})


def archive(connection: Connection, kid: str, now: int) -> None:
    """Take a key that signs no more out of the JWKS."""
    connection.execute(_ARCHIVE, {"kid_": kid, "now": now})


def withdraw(connection: Connection, kid: str, now: int) -> None:
    """Trust a key no more."""
    connection.execute(_WITHDRAW, {"kid_": kid, "now": now})


def lengthen(connection: Connection, algorithms: Collection[str], seconds: int) -> None:
    """Write down that what is made with keys of these algorithms lives `seconds`."""
    connection.execute(_LENGTHEN, {"algorithms": list(algorithms), "seconds": seconds})


def forget(connection: Connection, before: int) -> None:
    """Delete keys that left the JWKS before that time."""
    connection.execute(_FORGET, {"before": before})
