"""Count the runs of each revision, and those that destroy what was exposed, from indexes alone."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_index("ix_run_incident_revision", "run", ["incident", "revision", "id"])
    op.drop_index("ix_run_incident", table_name="run")
    op.create_index("ix_step_run_subject_verb", "step", ["run", "subject", "verb"])
    op.drop_index("ix_step_run", table_name="step")


def downgrade() -> None:
    op.create_index("ix_step_run", "step", ["run"])
    op.drop_index("ix_step_run_subject_verb", table_name="step")
    op.create_index("ix_run_incident", "run", ["incident"])
    op.drop_index("ix_run_incident_revision", table_name="run")
