"""Keep with a pause what its vendor held, and what that reached: neither runs nor the inventory tell it for good.

Of a pause that is open already, what its incident and those that it was merged into cut is kept; what that reached is
not known any more, so a gate that asks for less stays shut until somebody overrides it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

HELD = """
INSERT INTO pause_held (vendor, number, provider, connection, credential, at, "by")
WITH RECURSIVE told_under (vendor, number, incident, at, "by") AS (
  SELECT vendor, number, incident, at, "by" FROM pause WHERE restored_at IS NULL
  UNION
  SELECT told_under.vendor, told_under.number, incident.merged_into, told_under.at, told_under."by"
  FROM told_under JOIN incident ON incident.id = told_under.incident WHERE incident.merged_into IS NOT NULL
)
SELECT DISTINCT told_under.vendor, told_under.number, run.provider, run.connection, run.credential, told_under.at,
  told_under."by"
FROM told_under JOIN run ON run.incident = told_under.incident
WHERE run.strategy IN ('revoke_only', 'cut_only') AND run.dismissed IS NULL
"""


def upgrade() -> None:
    op.add_column("pause", sa.Column("reach", sa.Text(), server_default="{}", nullable=False))
    op.create_table(
        "pause_held",
        sa.Column("vendor", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("provider", sa.String(64), primary_key=True),
        sa.Column("connection", sa.String(128), primary_key=True),
        sa.Column("credential", sa.Text(), primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["vendor", "number"], ["pause.vendor", "pause.number"]),
    )
    op.execute(HELD)


def downgrade() -> None:
    op.drop_table("pause_held")
    op.drop_column("pause", "reach")
