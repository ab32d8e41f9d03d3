"""Which incidents are drills, and the canaries that each minted."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "drill",
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("slot", sa.Double(), nullable=True),
        sa.Column("page", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_drill")),
        sa.UniqueConstraint("name", "slot", name=op.f("uq_drill_name_slot")),
    )
    op.create_table(
        "canary",
        sa.Column("drill", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("marker", sa.String(length=64), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.Column("removed_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["drill"], ["drill.incident"], name=op.f("fk_canary_drill_drill")),
        sa.PrimaryKeyConstraint("drill", "number", name=op.f("pk_canary")),
    )
    op.create_index(op.f("ix_canary_credential"), "canary", ["credential"])


def downgrade() -> None:
    op.drop_table("canary")
    op.drop_table("drill")
