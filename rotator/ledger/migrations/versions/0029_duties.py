"""Keep what came due by the policies of hygiene, and how old what they select was."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "duty",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Double()),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("replace_by", sa.Double(), nullable=False),
        sa.Column("noted_at", sa.Double(), nullable=False),
        sa.Column("of", sa.String(length=80), server_default="", nullable=False),
        sa.Column("settled_at", sa.Double()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_duty")),
    )
    op.create_index(op.f("ix_duty_credential"), "duty", ["credential"])
    op.create_index(op.f("ix_duty_noted_at"), "duty", ["noted_at"])
    op.create_table(
        "surveyed",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("ages", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_surveyed")),
    )


def downgrade() -> None:
    op.drop_table("surveyed")
    op.drop_table("duty")
