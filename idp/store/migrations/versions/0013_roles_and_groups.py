"""Groups within groups, roles that include roles, and assignments to people, groups and clients."""

import time
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SHIPPED = {
    "administrator": "May do everything in the admin console.",
    "operator": "Looks after applications, keys and the configuration.",
    "auditor": "May look at everything, and change nothing.",
    "developer": "Registers applications, and looks after them.",
}


def upgrade() -> None:
    _make_groups()
    _make_roles()
    _make_assignments()
    connection = op.get_bind()
    now = int(time.time())
    _move_groups(connection, now)
    _move_roles(connection, now)
    op.drop_table("former_group_memberships")
    op.drop_table("role_assignments")


def _make_groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.rename_table("group_memberships", "former_group_memberships")
    if op.get_bind().dialect.name == "postgresql":
        # Its name goes to the new table's key.
        op.execute("ALTER INDEX group_memberships_pkey RENAME TO former_group_memberships_pkey")
    op.create_table(
        "group_memberships",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("group_id", sa.String(length=36), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "group_id"),
    )
    op.create_index("ix_group_memberships_group_id", "group_memberships", ["group_id"])
    op.create_table(
        "group_nestings",
        sa.Column("inner_id", sa.String(length=36), nullable=False),
        sa.Column("outer_id", sa.String(length=36), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["inner_id"], ["groups.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["outer_id"], ["groups.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("inner_id", "outer_id"),
    )
    op.create_index("ix_group_nestings_outer_id", "group_nestings", ["outer_id"])


def _make_roles() -> None:
    op.create_table(
        "roles",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("resource_server_id", sa.String(length=36), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_server_id"], ["resource_servers.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("one_role_of_a_name", "roles", ["resource_server_id", "name"], unique=True)
    op.create_index(
        "one_role_of_a_name_everywhere",
        "roles",
        ["name"],
        unique=True,
        sqlite_where=sa.text("resource_server_id IS NULL"),
        postgresql_where=sa.text("resource_server_id IS NULL"),
    )
    op.create_table(
        "role_inclusions",
        sa.Column("role_id", sa.String(length=36), nullable=False),
        sa.Column("included_id", sa.String(length=36), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["included_id"], ["roles.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role_id", "included_id"),
    )
    op.create_index("ix_role_inclusions_included_id", "role_inclusions", ["included_id"])


def _make_assignments() -> None:
    for name, holder, kind, refers in (
        ("account_roles", "account_id", sa.String(length=36), "accounts.id"),
        ("group_roles", "group_id", sa.String(length=36), "groups.id"),
        ("client_roles", "client_id", sa.Text(), "clients.client_id"),
    ):
        op.create_table(
            name,
            sa.Column(holder, kind, nullable=False),
            sa.Column("role_id", sa.String(length=36), nullable=False),
            sa.Column("place", sa.Text(), nullable=False),
            sa.Column("grantable", sa.JSON(), nullable=False),
            sa.Column("granted_by", sa.Text(), nullable=False),
            sa.Column("granted_at", sa.BigInteger(), nullable=False),
            sa.Column("expires_at", sa.BigInteger(), nullable=True),
            sa.ForeignKeyConstraint([holder], [refers], ondelete="CASCADE"),
            sa.ForeignKeyConstraint(["role_id"], ["roles.id"], ondelete="CASCADE"),
            sa.PrimaryKeyConstraint(holder, "role_id", "place"),
        )
        op.create_index(f"ix_{name}_role_id", name, ["role_id"])
        op.create_index(f"ix_{name}_expires_at", name, ["expires_at"])


def _move_groups(connection: sa.Connection, now: int) -> None:
    names = connection.scalars(sa.text("SELECT DISTINCT name FROM former_group_memberships")).all()
    for name in names:
        connection.execute(
            sa.text("INSERT INTO groups VALUES (:id, :name, '', :now)"),
            {"id": str(uuid.uuid4()), "name": name, "now": now},
        )
    connection.execute(
        sa.text(
            "INSERT INTO group_memberships SELECT former.account_id, groups.id, former.added_at "
            "FROM former_group_memberships AS former JOIN groups ON groups.name = former.name"
        )
    )


def _move_roles(connection: sa.Connection, now: int) -> None:
    held = connection.scalars(sa.text("SELECT DISTINCT role FROM role_assignments")).all()
    for name in sorted({*held, *_SHIPPED}):
        connection.execute(
            sa.text("INSERT INTO roles VALUES (:id, :name, NULL, :description, :now)"),
            {
                "id": str(uuid.uuid4()),
                "name": name,
                "description": _SHIPPED.get(name, ""),
                "now": now,
            },
        )
    given = connection.execute(
        sa.text(
            "SELECT held.account_id, roles.id, roles.name, held.granted_at "
            "FROM role_assignments AS held JOIN roles ON roles.name = held.role"
        )
    )
    rows = [
        {
            "account_id": row.account_id,
            "role_id": row.id,
            "place": "",
            "grantable": ["*"] if row.name == "administrator" else [],
            "granted_by": "server",
            "granted_at": row.granted_at,
            "expires_at": None,
        }
        for row in given
    ]
    names = ("account_id", "role_id", "place", "granted_by", "granted_at", "expires_at")
    columns = (*map(sa.column, names), sa.column("grantable", sa.JSON()))
    op.bulk_insert(sa.table("account_roles", *columns), rows)
