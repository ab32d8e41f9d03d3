"""Notices: what people are told of incidents, to whom it goes, and what was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("routed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_routed", "notice", ["routed"])
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_incident"), "message", ["incident"])
    op.create_index("ix_message_channel_state", "message", ["channel", "state"])
    op.create_table(
        "hears",
        sa.Column("notice", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["notice"], ["notice.id"], name=op.f("fk_hears_notice_notice")),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_hears_message_message")),
        sa.PrimaryKeyConstraint("notice", "channel", name=op.f("pk_hears")),
    )
    op.create_index(op.f("ix_hears_message"), "hears", ["message"])
    op.create_index("ix_hears_channel_message", "hears", ["channel", "message"])
    op.create_table(
        "noticed",
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("incident", "what", name=op.f("pk_noticed")),
    )


def downgrade() -> None:
    for name in ("noticed", "hears", "message", "notice"):
        op.drop_table(name)
