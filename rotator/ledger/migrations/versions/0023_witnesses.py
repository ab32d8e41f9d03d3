"""Who outside of the ledger has its checkpoints, and the time stamps that they were given."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "witness",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("hash", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("stamp", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failing_since", sa.Double()),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.Column("forked", sa.Integer()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_witness")),
    )
    op.create_table(
        "stamp",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_stamp")),
    )


def downgrade() -> None:
    op.drop_table("stamp")
    op.drop_table("witness")
