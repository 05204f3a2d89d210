"""Clients that register themselves, initial access tokens, logos."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What clients registered before is fetched at the next turn.
_QUEUE = {
    "sqlite": "INSERT INTO client_logos (client_id, uri, tries, due_at) "
    "SELECT client_id, json_extract(details, '$.logo_uri'), 0, 0 FROM clients "
    "WHERE json_extract(details, '$.logo_uri') IS NOT NULL",
    "postgresql": "INSERT INTO client_logos (client_id, uri, tries, due_at) "
    "SELECT client_id, details->>'logo_uri', 0, 0 FROM clients "
    "WHERE details->>'logo_uri' IS NOT NULL",
}


def upgrade() -> None:
    with op.batch_alter_table("clients", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_used_at", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("logo", sa.Text(), nullable=True))

    op.create_table(
        "client_registrations",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("trusted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("client_id"),
        sa.UniqueConstraint("token_digest"),
    )
    op.create_table(
        "initial_tokens",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("uses_left", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("initial_tokens", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_initial_tokens_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "client_logos",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("client_id"),
    )
    with op.batch_alter_table("client_logos", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_client_logos_due_at"), ["due_at"], unique=False)

    op.execute(_QUEUE[op.get_bind().dialect.name])
