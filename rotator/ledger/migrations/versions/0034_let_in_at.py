"""Keep since when a vendor has a grant again, by the restore of its pause: that is neither dead nor alive again."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column("run", sa.Column("let_in_at", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("run", "let_in_at")
