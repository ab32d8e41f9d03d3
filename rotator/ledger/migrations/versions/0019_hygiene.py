"""Which incidents are scheduled hygiene: of which policy, and of which minute."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "hygiene",
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_hygiene_incident_incident")),
        sa.PrimaryKeyConstraint("incident", name=op.f("pk_hygiene")),
        sa.UniqueConstraint("policy", "at", name=op.f("uq_hygiene_policy_at")),
    )


def downgrade() -> None:
    op.drop_table("hygiene")
