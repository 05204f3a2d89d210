"""Finding people by the beginning of their address or name."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # PostgreSQL looks beginnings up in such an index alone, whatever the database's collation.
    for column in ("email_key", "name"):
        op.create_index(
            f"accounts_by_{column}",
            "accounts",
            [column],
            unique=False,
            postgresql_ops={column: "text_pattern_ops"},
        )
