"""Who does not want to be asked about passkeys."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("passkey_quiet_until", sa.BigInteger(), nullable=True))
