"""How much a second of a run's exposure weighs, and how often its clocks were told."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("run", sa.Column("weight", sa.Double(), nullable=True))
    op.add_column("run", sa.Column("told", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("run", "told")
    op.drop_column("run", "weight")
