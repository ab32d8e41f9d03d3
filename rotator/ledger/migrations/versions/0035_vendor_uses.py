"""Keep which access logs were read for each vendor, and what each tells of what the vendor holds."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.create_table(
        "vendor_log",
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("begins_at", sa.Double(), nullable=True),
        sa.Column("ends_at", sa.Double(), nullable=True),
        sa.Column("since", sa.Double(), nullable=True),
        sa.Column("read_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["vendor"], ["vendor.name"], name=op.f("fk_vendor_log_vendor_vendor")),
        sa.PrimaryKeyConstraint("vendor", "digest", name=op.f("pk_vendor_log")),
    )
    op.create_table(
        "vendor_use",
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.Double(), nullable=True),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("accepted", sa.Text(), nullable=False),
        sa.Column("signs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor", "digest"],
            ["vendor_log.vendor", "vendor_log.digest"],
            name=op.f("fk_vendor_use_vendor_vendor_log"),
        ),
        sa.PrimaryKeyConstraint(
            "vendor", "digest", "provider", "connection", "owner", "credential", name=op.f("pk_vendor_use")
        ),
    )


def downgrade() -> None:
    op.drop_table("vendor_use")
    op.drop_table("vendor_log")
