"""Which chains of evidence were deleted by policy."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("signed", sa.Column("deleted", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("signed", "deleted")
