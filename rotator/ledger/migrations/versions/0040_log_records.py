"""Know an access log by its records too: the same one, in another form, counted twice."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.add_column("vendor_log", sa.Column("records", sa.String(64), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("vendor_log", "records")
