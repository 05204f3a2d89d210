"""What policies ask about a person, in one query."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    literal,
    select,
    union_all,
)

from idp.store.statements import Statement
from idp.store.tables import (
    Authenticator,
    Base,
    GroupMembership,
    Passkey,
    Password,
    RecoveryCode,
    RoleAssignment,
    table,
)

SILENT = "silent"
"""The value of a passkey that its person may not know of."""


def _part(model: type[Base], kind: str, value: ColumnElement[Any] | None = None) -> Select[Any]:
    rows = table(model)
    named = literal("").label("value") if value is None else value.label("value")
    return (
        select(literal(kind).label("kind"), named)
        .where(rows.c.account_id == bindparam("account_id_"))
        .distinct()
    )


_CODES = table(RecoveryCode)
_FIND = Statement(
    union_all(
        _part(RoleAssignment, "role", table(RoleAssignment).c.role),
        _part(GroupMembership, "group", table(GroupMembership).c.name),
        _part(Password, "password"),
        _part(Passkey, "passkey", case((table(Passkey).c.silent, SILENT), else_="")),
        _part(Authenticator, "authenticator"),
        _part(RecoveryCode, "recovery_code").where(_CODES.c.used_at.is_(None)),
    )
)


def find(connection: Connection, account_id: str) -> list[tuple[str, str]]:
    """Return kind and value of each: `role` and `group` with their names, and the kinds of
    credential that the person has, `passkey` with SILENT where that is all there is to it.
    """
    found = _FIND.all(connection, {"account_id_": account_id})
    return [(row["kind"], row["value"]) for row in found]
