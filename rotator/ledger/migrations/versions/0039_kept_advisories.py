"""Keep advisories' records in the ledger, and of those that arrived what each tells of, and who said otherwise.

What an earlier release kept as files is taken over by the next who reads; what it had triaged is triaged anew daily.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
ADDED = {"nature": "unknown", "told_by": "", "escalated_by": "", "escalated_why": ""}


def upgrade() -> None:
    op.create_table(
        "kept_advisory",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
    )
    for name, usual in ADDED.items():
        sort = sa.String(16) if name == "nature" else sa.Text()
        op.add_column("arrived_advisory", sa.Column(name, sort, server_default=usual, nullable=False))


def downgrade() -> None:
    for name in ADDED:
        op.drop_column("arrived_advisory", name)
    op.drop_table("kept_advisory")
