"""Find what is told of one credential: where a task's was seen, and as what one was dismissed."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    of_task = sa.text("manual IS NOT NULL")
    op.create_index("ix_exposure_manual", "exposure", ["manual"], sqlite_where=of_task, postgresql_where=of_task)
    op.create_index("ix_dismissal_of", "dismissal", ["of"])


def downgrade() -> None:
    op.drop_index("ix_dismissal_of", table_name="dismissal")
    op.drop_index("ix_exposure_manual", table_name="exposure")
