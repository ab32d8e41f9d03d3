"""Keep which advisories arrived by themselves, when, and which vendors they touch."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.create_table(
        "arrived_advisory",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sender", sa.String(100), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("published_at", sa.Double(), nullable=True),
        sa.Column("touched", sa.Text(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
    )
    op.create_index(op.f("ix_arrived_advisory_at"), "arrived_advisory", ["at"])


def downgrade() -> None:
    op.drop_table("arrived_advisory")
