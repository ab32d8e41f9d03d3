"""Keep for which advisories and notices a vendor was paused."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("pause", sa.Column("notices", sa.Text(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("pause", "notices")
