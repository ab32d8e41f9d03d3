"""Revisions of a plan: what was declared before this is its first, approved when its incident was."""

import zlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def of_plan() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("number", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("made_at", sa.Double(), nullable=False, server_default="0"),
        sa.Column("detected_at", sa.Double(), nullable=False, server_default="0"),
        sa.Column("by", sa.Text(), nullable=False, server_default=""),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.Column("approved_at", sa.Double(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
    )


def of_others() -> tuple[tuple[str, sa.Column[Any]], ...]:
    return (
        ("incident", sa.Column("merged_into", sa.String(length=40), nullable=True)),
        ("run", sa.Column("revision", sa.Integer(), nullable=False, server_default="1")),
        ("run", sa.Column("predecessor", sa.String(length=64), nullable=True)),
        ("manual", sa.Column("revision", sa.Integer(), nullable=False, server_default="1")),
        ("manual", sa.Column("connection", sa.String(length=128), nullable=False, server_default="")),
        ("exposure", sa.Column("key", sa.Text(), nullable=True)),
    )


def upgrade() -> None:
    for column in of_plan():
        op.add_column("plan", column)
    for table, column in of_others():
        op.add_column(table, column)
    # An incident of a release that kept no plan has a first revision too, of which nothing can be shown.
    op.get_bind().execute(
        sa.text(
            "INSERT INTO plan (incident, digest, basis, document) SELECT id, plan_digest, '{}', :nothing FROM incident "
            "WHERE NOT EXISTS (SELECT 1 FROM plan WHERE plan.incident = incident.id)"
        ),
        {"nothing": zlib.compress(b"{}")},
    )
    for name, of in (
        ("made_at", "declared_at"),
        ("detected_at", "detected_at"),
        ("approved_at", "approved_at"),
        ("approved_by", "approved_by"),
    ):
        op.execute(f"UPDATE plan SET {name} = (SELECT i.{of} FROM incident i WHERE i.id = plan.incident)")  # noqa: S608
    op.create_index("ix_plan_incident_number", "plan", ["incident", "number"], unique=True)
    op.create_index(op.f("ix_run_replacement"), "run", ["replacement"])


def downgrade() -> None:
    op.drop_index("ix_run_replacement", table_name="run")
    op.drop_index("ix_plan_incident_number", table_name="plan")
    for table, column in of_others():
        op.drop_column(table, column.name)
    for column in of_plan():
        op.drop_column("plan", column.name)
