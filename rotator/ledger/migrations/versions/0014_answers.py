"""What was answered to acts over HTTP, for who asks again: nobody could act so, before this."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "called",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("request", sa.String(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("token", "key", name=op.f("pk_called")),
    )
    op.create_index(op.f("ix_called_at"), "called", ["at"])


def downgrade() -> None:
    op.drop_table("called")
