"""Keep with a check by whom, and since when, the dataset was read: where that was elsewhere, and a file told of it."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.add_column("manifest_check", sa.Column("read_by", sa.Text(), server_default="", nullable=False))
    op.add_column("manifest_check", sa.Column("read_at", sa.Double()))


def downgrade() -> None:
    op.drop_column("manifest_check", "read_at")
    op.drop_column("manifest_check", "read_by")
