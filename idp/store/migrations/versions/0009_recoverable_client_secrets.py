"""Secrets of clients that can be opened again: a MAC is made of them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("client_secrets", sa.Column("sealed", sa.LargeBinary(), nullable=True))
