"""Plans as they were shown, with what they stand on; one that was declared before this shows only its runs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_plan_incident_incident")),
        sa.PrimaryKeyConstraint("incident", "digest", name=op.f("pk_plan")),
    )


def downgrade() -> None:
    op.drop_table("plan")
