"""Keep which datasets a vendor reached as it was paused, and which manifest was to tell of each."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("pause", sa.Column("datasets", sa.Text(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("pause", "datasets")
