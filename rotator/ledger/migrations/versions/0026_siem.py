"""How far each channel to a SIEM has come in the evidence."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "siem",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.Double()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_siem")),
    )


def downgrade() -> None:
    op.drop_table("siem")
