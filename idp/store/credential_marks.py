"""What tells that a person's credentials changed, in one query."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    bindparam,
    cast,
    literal,
    select,
    union_all,
)

from idp.store.statements import Statement
from idp.store.tables import Authenticator, Base, Passkey, Password, RecoveryCode, table


def _part(model: type[Base], kind: str, mark: ColumnElement[Any]) -> Select[str, str]:
    return (
        select(literal(kind).label("kind"), cast(mark, String).label("mark"))
        .where(table(model).c.account_id == bindparam("account_id_"))
        .distinct()
    )


_FIND = Statement(
    union_all(
        _part(Password, "password", table(Password).c.changed_at),
        _part(Passkey, "passkey", table(Passkey).c.id),
        _part(Authenticator, "authenticator", table(Authenticator).c.id),
        _part(RecoveryCode, "recovery_codes", table(RecoveryCode).c.created_at),
    )
)


def find(connection: Connection, account_id: str) -> list[str]:
    """Return a mark for each credential of a person: another list when one was added, changed or
    removed, the same one when they were only used.
    """
    found = _FIND.all(connection, {"account_id_": account_id})
    return sorted(f"{row['kind']} {row['mark']}" for row in found)
