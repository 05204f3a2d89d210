"""What pairwise subjects are made from, and the claims that were asked for one by one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("sector", sa.Text(), nullable=True))
    op.add_column("authorizations", sa.Column("claims", sa.JSON(), nullable=True))
