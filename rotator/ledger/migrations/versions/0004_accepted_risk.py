"""Whose reading of a new secret a person accepted; who accepted it before this is asked again by whoever reads it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "accepted",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_accepted_run_run")),
        sa.PrimaryKeyConstraint("run", "what", "name", name=op.f("pk_accepted")),
    )


def downgrade() -> None:
    op.drop_table("accepted")
