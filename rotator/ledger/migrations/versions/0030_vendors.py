"""Keep vendors, what people judged of them, and when one is paused and let in again."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "dataset",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("sensitivity", sa.String(length=16), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_dataset")),
    )
    op.create_table(
        "vendor",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_vendor")),
    )
    op.create_table(
        "pause",
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("checklist", sa.Text(), nullable=False),
        sa.Column("restored_at", sa.Double(), nullable=True),
        sa.Column("restored_by", sa.Text(), nullable=True),
        sa.Column("restored_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_pause_incident_incident")),
        sa.ForeignKeyConstraint(["vendor"], ["vendor.name"], name=op.f("fk_pause_vendor_vendor")),
        sa.PrimaryKeyConstraint("vendor", "number", name=op.f("pk_pause")),
    )
    op.create_index(op.f("ix_pause_incident"), "pause", ["incident"], unique=False)
    op.create_index("ix_pause_open", "pause", ["vendor", "restored_at"], unique=False)
    op.create_table(
        "software",
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("components", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["vendor"], ["vendor.name"], name=op.f("fk_software_vendor_vendor")),
        sa.PrimaryKeyConstraint("vendor", "source", name=op.f("pk_software")),
    )
    op.create_table(
        "term",
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("notice", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["vendor"], ["vendor.name"], name=op.f("fk_term_vendor_vendor")),
        sa.PrimaryKeyConstraint("vendor", "notice", "name", name=op.f("pk_term")),
    )
    op.create_table(
        "pause_gate",
        sa.Column("vendor", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("gate", sa.String(length=64), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor", "number"], ["pause.vendor", "pause.number"], name=op.f("fk_pause_gate_vendor_number_pause")
        ),
        sa.PrimaryKeyConstraint("vendor", "number", "gate", "nth", name=op.f("pk_pause_gate")),
    )


def downgrade() -> None:
    for name in ("pause_gate", "pause", "term", "dataset", "software", "vendor"):
        op.drop_table(name)
