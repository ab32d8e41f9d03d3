"""Canaries of certifications, signed certificates, and the dead credentials that are looked at again."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "trial",
        sa.Column("marker", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("marker", name=op.f("pk_trial")),
    )
    op.create_table(
        "certificate",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_certificate")),
    )
    op.create_index("ix_certificate_kind_connection", "certificate", ["kind", "connection"])
    op.create_table(
        "watched",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("looks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("missed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("looked_at", sa.Double(), nullable=True),
        sa.Column("says", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_watched_run_run")),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_watched")),
    )
    op.create_index(op.f("ix_watched_due_at"), "watched", ["due_at"])
    dead = sa.text("dead_at IS NOT NULL")
    op.create_index("ix_run_dead_at", "run", ["dead_at"], sqlite_where=dead, postgresql_where=dead)


def downgrade() -> None:
    op.drop_index("ix_run_dead_at", table_name="run")
    op.drop_table("watched")
    op.drop_table("certificate")
    op.drop_table("trial")
