"""What policies ask about a person, in one query."""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    case,
    literal,
    select,
    union_all,
)

from idp.store import rights
from idp.store.statements import Statement
from idp.store.tables import (
    AccountRole,
    Authenticator,
    Base,
    GroupMembership,
    Passkey,
    Password,
    RecoveryCode,
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


def _without_account(selected: Select[Any]) -> Select[Any]:
    return selected.with_only_columns(
        selected.selected_columns.kind, selected.selected_columns.value
    )


_PERSON: BindParameter[str] = bindparam("account_id_")
_IN_GROUPS = rights.groups(table(GroupMembership).c.account_id == _PERSON)
_HAS_ROLES = rights.roles(_IN_GROUPS, table(AccountRole).c.account_id == _PERSON)
_CODES = table(RecoveryCode)
_FIND = Statement(
    union_all(
        _without_account(rights.role_names(_HAS_ROLES)),
        _without_account(rights.group_names(_IN_GROUPS)),
        _part(Password, "password"),
        _part(Passkey, "passkey", case((table(Passkey).c.silent, SILENT), else_="")),
        _part(Authenticator, "authenticator"),
        _part(RecoveryCode, "recovery_code").where(_CODES.c.used_at.is_(None)),
    )
)


def find(connection: Connection, account_id: str, now: int) -> list[tuple[str, str]]:
    """Return kind and value of each: `role` and `group` with their names, and the kinds of
    credential that the person has, `passkey` with SILENT where that is all there is to it.
    """
    found = _FIND.all(connection, {"account_id_": account_id, "now_": now})
    return [(row["kind"], row["value"]) for row in found]


def credentials(connection: Connection, account_id: str) -> set[str]:
    """Return the kinds of credential that a person has."""
    return {kind for kind, _ in find(connection, account_id, 0)} - {rights.ROLE, rights.GROUP}
