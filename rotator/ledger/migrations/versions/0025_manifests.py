"""Manifests of datasets, and what checks of them found."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "manifest",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("began_at", sa.Double(), nullable=False),
        sa.Column("recorded_at", sa.Double(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=True),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("links", sa.BigInteger(), nullable=False),
        sa.Column("others", sa.BigInteger(), nullable=False),
        sa.Column("unread", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_manifest_incident_incident")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_manifest")),
    )
    op.create_index(op.f("ix_manifest_incident"), "manifest", ["incident"])
    op.create_table(
        "manifest_part",
        sa.Column("recording", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recording", "number", name=op.f("pk_manifest_part")),
    )
    op.create_table(
        "manifest_check",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("same", "altered", "missing", "new", "unread")),
        sa.Column("named", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["manifest.name"], name=op.f("fk_manifest_check_name_manifest")),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_manifest_check_incident_incident")),
        sa.PrimaryKeyConstraint("name", "number", name=op.f("pk_manifest_check")),
    )
    op.create_index(op.f("ix_manifest_check_incident"), "manifest_check", ["incident"])


def downgrade() -> None:
    for name in ("manifest_check", "manifest_part", "manifest"):
        op.drop_table(name)
