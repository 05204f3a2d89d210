"""Queries on outgoing mail. `next_try_at` is empty once nothing is left to try."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from idp.store.database import RowMapping
from idp.store.statements import Statement
from idp.store.tables import OutgoingMail, table

_MAIL = table(OutgoingMail)
_IS_DUE = (_MAIL.c.next_try_at <= bindparam("now")) & (_MAIL.c.expires_at > bindparam("now"))
_ANY_DUE = select(_MAIL.c.id).where(_IS_DUE).limit(1)
_NEXT = (
    select(_MAIL.c.id)
    .where(_IS_DUE)
    .order_by(_MAIL.c.next_try_at, _MAIL.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
_CLAIM = (
    update(_MAIL)
    .where(_MAIL.c.id == _NEXT, _IS_DUE)
    .values(next_try_at=bindparam("until"), tries=_MAIL.c.tries + 1)
    .returning(_MAIL)
)
_SETTLE = update(_MAIL).where(
    _MAIL.c.id == bindparam("mail_id"), _MAIL.c.tries == bindparam("tries_")
)
_LATEST = select(_MAIL).order_by(_MAIL.c.id.desc()).limit(bindparam("most"))
_FIND = select(_MAIL).where(_MAIL.c.id == bindparam("mail_id"))

_INSERT = Statement(insert(_MAIL))


def add(connection: Connection, row: dict[str, Any]) -> None:
    """Add a mail that is to be sent."""
    _INSERT.run(connection, row)


def any_due(connection: Connection, now: int) -> bool:
    """Tell whether there is anything to claim, without writing."""
    return connection.execute(_ANY_DUE, {"now": now}).first() is not None


def claim(connection: Connection, now: int, until: int) -> RowMapping | None:
    """Take the mail that is due longest: until that second nobody else gets it.

    `tries` counts the claims, this one included.
    """
    return connection.execute(_CLAIM, {"now": now, "until": until}).mappings().first()


def settle(
    connection: Connection,
    row: RowMapping,
    *,
    sent_at: int | None,
    next_try_at: int | None,
    problem: str | None,
) -> None:
    """Note what became of a claimed mail; nothing when somebody else has claimed it since."""
    values = {"sent_at": sent_at, "next_try_at": next_try_at, "problem": problem}
    connection.execute(_SETTLE.values(values), {"mail_id": row["id"], "tries_": row["tries"]})


def latest(connection: Connection, limit: int) -> list[RowMapping]:
    """Return the newest mails, newest first."""
    return list(connection.execute(_LATEST, {"most": limit}).mappings())


def find(connection: Connection, mail_id: str) -> RowMapping | None:
    """Return one mail."""
    return connection.execute(_FIND, {"mail_id": mail_id}).mappings().first()
