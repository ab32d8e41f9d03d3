"""Who holds a run's credential beside us."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("run", sa.Column("vendor", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("run", "vendor")
