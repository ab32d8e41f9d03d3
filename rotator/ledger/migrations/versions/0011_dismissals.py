"""As what people dismissed a credential: nothing was, before this."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "dismissal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("of", sa.String(length=64), nullable=False),
        sa.Column("disposition", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("issuer_says", sa.Text(), nullable=False, server_default=""),
        sa.Column("reopened_at", sa.Double(), nullable=True),
        sa.Column("reopened_by", sa.Text(), nullable=True),
        sa.Column("reopened_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_dismissal_incident_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dismissal")),
    )
    op.create_index(op.f("ix_dismissal_incident"), "dismissal", ["incident"])


def downgrade() -> None:
    op.drop_table("dismissal")
