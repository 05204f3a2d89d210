"""The query that tells whether anybody holds a role."""

from sqlalchemy import bindparam, select

from idp.store.database import Connection
from idp.store.tables import AccountRole, Role, table

_TABLE = table(AccountRole)
_ROLES = table(Role)
_HOLDER = (
    select(_TABLE.c.account_id)
    .join_from(_TABLE, _ROLES, _ROLES.c.id == _TABLE.c.role_id)
    .where(_ROLES.c.name == bindparam("role_"), _ROLES.c.resource_server_id.is_(None))
    .limit(1)
)


def any_holder(connection: Connection, role: str) -> bool:
    """Whether an account holds `role`, disabled ones too."""
    return connection.execute(_HOLDER, {"role_": role}).first() is not None
