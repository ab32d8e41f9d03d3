"""Who closed an incident and why; and the keyed fingerprint of what a report told beside its id."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("incident", sa.Column("closed_by", sa.Text(), nullable=True))
    op.add_column("incident", sa.Column("closed_reason", sa.Text(), nullable=True))
    op.add_column("exposure", sa.Column("fingerprint", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("exposure", "fingerprint")
    op.drop_column("incident", "closed_reason")
    op.drop_column("incident", "closed_by")
