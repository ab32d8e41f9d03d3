"""Who said yes to what of a plan; what was approved before this shows only in its incident's evidence."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("glass", sa.Text(), nullable=False, server_default=""),
        sa.Column("standing_order", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("reviewed_at", sa.Double(), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_approval_incident_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_incident"), "approval", ["incident"])


def downgrade() -> None:
    op.drop_table("approval")
