"""Alarms that came over HTTP, sealed until they are declared."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "trigger",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.String(length=80), nullable=False),
        sa.Column("delivery", sa.String(length=220), nullable=False),
        sa.Column("alarm", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("detected_at", sa.Double(), nullable=False),
        sa.Column("exposed_at", sa.Double(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("same_as", sa.String(length=40), nullable=True),
        sa.Column("incident", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("blob", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trigger")),
    )
    op.create_index("ix_trigger_sender_delivery", "trigger", ["sender", "delivery"])
    op.create_index("ix_trigger_sender_alarm", "trigger", ["sender", "alarm"])
    op.create_index(op.f("ix_trigger_due_at"), "trigger", ["due_at"])


def downgrade() -> None:
    op.drop_table("trigger")
