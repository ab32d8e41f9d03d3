"""An index by which the runs of one credential are found, in whatever incident."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index(op.f("ix_run_credential"), "run", ["credential"])


def downgrade() -> None:
    op.drop_index("ix_run_credential", table_name="run")
