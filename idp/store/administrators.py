"""The query that tells whether anybody holds a role."""

from sqlalchemy import bindparam, select

from idp.store.database import Connection
from idp.store.tables import RoleAssignment, table

_TABLE = table(RoleAssignment)
_HOLDER = select(_TABLE.c.account_id).where(_TABLE.c.role == bindparam("role_")).limit(1)


def any_holder(connection: Connection, role: str) -> bool:
    """Whether an account holds `role`, disabled ones too."""
    return connection.execute(_HOLDER, {"role_": role}).first() is not None
