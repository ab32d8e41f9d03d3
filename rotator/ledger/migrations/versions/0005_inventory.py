"""The inventory: what people imported of their credentials, how that changed, and what issuers listed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "inventory",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_inventory")),
    )
    op.create_table(
        "inventory_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_history")),
    )
    op.create_index(op.f("ix_inventory_history_key"), "inventory_history", ["key"], unique=False)
    op.create_table(
        "listed",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.Double(), nullable=False),
        sa.Column("last_seen_at", sa.Double(), nullable=False),
        sa.Column("gone_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_listed")),
    )
    op.create_index("ix_listed_connection_provider", "listed", ["connection", "provider"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_listed_connection_provider", table_name="listed")
    op.drop_table("listed")
    op.drop_index(op.f("ix_inventory_history_key"), table_name="inventory_history")
    op.drop_table("inventory_history")
    op.drop_table("inventory")
