"""Budgets, stops, gates, footholds, waves, and what a comparison before a run closes needs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("name", sa.String(length=192), nullable=False),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("filled_at", sa.Double(), nullable=False),
        sa.Column("filled_by", sa.String(length=128), server_default="", nullable=False),
        sa.Column("share", sa.Double(), server_default="1", nullable=False),
        sa.Column("learned", sa.Double(), nullable=True),
        sa.Column("counted", sa.Double(), server_default="0", nullable=False),
        sa.Column("counted_at", sa.Double(), server_default="0", nullable=False),
        sa.Column("cut_at", sa.Double(), nullable=True),
        sa.Column("pause_until", sa.Double(), nullable=True),
        sa.Column("throttled", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pause_s", sa.Double(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("probes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("probe_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_account")),
    )
    op.create_table(
        "stop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=192), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.Double(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop")),
    )
    op.create_table(
        "foothold",
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_foothold_incident_incident")),
        sa.PrimaryKeyConstraint("incident", "host", name=op.f("pk_foothold")),
    )
    op.create_table(
        "gate",
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_gate_incident_incident")),
        sa.PrimaryKeyConstraint("incident", "name", name=op.f("pk_gate")),
    )
    op.create_table(
        "machine",
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("begins_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("boot", name=op.f("pk_machine")),
    )
    op.create_table(
        "late",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("credential", sa.String(length=255), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_late_run_run")),
        sa.PrimaryKeyConstraint("run", "credential", name=op.f("pk_late")),
    )
    op.create_table(
        "stands",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_stands_run_run")),
        sa.PrimaryKeyConstraint("run", "host", name=op.f("pk_stands")),
    )
    op.add_column("branch", sa.Column("account", sa.String(length=192), server_default="", nullable=False))
    op.add_column("branch", sa.Column("calls", sa.Integer(), server_default="1", nullable=False))
    op.add_column("branch", sa.Column("granted", sa.Integer(), nullable=True))
    op.add_column("branch", sa.Column("probe", sa.Integer(), server_default="0", nullable=False))
    may_be_sent, is_sent = sa.text("(state = 'open') IS TRUE AND holder IS NULL"), sa.text("sent_at IS NOT NULL")
    is_held = sa.text("holder IS NOT NULL")
    op.drop_index("ix_branch_holder", table_name="branch")
    op.create_index("ix_branch_holder", "branch", ["holder"], sqlite_where=is_held, postgresql_where=is_held)
    op.create_index(
        "ix_branch_open",
        "branch",
        ["account", "lane", sa.text("priority DESC"), "due_at"],
        sqlite_where=may_be_sent,
        postgresql_where=may_be_sent,
    )
    op.create_index("ix_branch_sent_at", "branch", ["sent_at"], sqlite_where=is_sent, postgresql_where=is_sent)
    op.create_table(
        "awaits",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("lifeline", sa.String(length=64), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_awaits_run_run")),
        sa.ForeignKeyConstraint(["lifeline"], ["run.id"], name=op.f("fk_awaits_lifeline_run")),
        sa.PrimaryKeyConstraint("run", "lifeline", name=op.f("pk_awaits")),
    )
    op.create_index("ix_awaits_open_lifeline", "awaits", ["open", "lifeline"], unique=False)
    op.drop_index("ix_reach_incident_connection_open", table_name="reach")
    op.create_index("ix_reach_connection_open", "reach", ["connection", "open"], unique=False)
    # What nobody has approved holds nothing back: below zero until then.
    op.execute("UPDATE reach SET open = -open WHERE incident IN (SELECT id FROM incident WHERE approved_at IS NULL)")
    op.add_column("incident", sa.Column("waves", sa.Integer(), server_default="0", nullable=False))
    op.add_column("incident", sa.Column("wave", sa.Integer(), server_default="0", nullable=False))
    op.add_column("run", sa.Column("wave", sa.Integer(), server_default="0", nullable=False))
    op.add_column("run", sa.Column("risk_accepted", sa.Text(), nullable=True))
    op.add_column("step", sa.Column("undo", sa.String(length=16), nullable=True))
    op.add_column("step", sa.Column("calls", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    op.drop_column("step", "calls")
    op.drop_column("step", "undo")
    op.drop_column("run", "risk_accepted")
    op.drop_column("run", "wave")
    op.drop_column("incident", "wave")
    op.drop_column("incident", "waves")
    op.execute("UPDATE reach SET open = 1 WHERE open <> 0")
    op.drop_index("ix_reach_connection_open", table_name="reach")
    op.create_index("ix_reach_incident_connection_open", "reach", ["incident", "connection", "open"], unique=False)
    op.drop_table("awaits")
    op.drop_index("ix_branch_sent_at", table_name="branch")
    op.drop_index("ix_branch_open", table_name="branch")
    op.drop_index("ix_branch_holder", table_name="branch")
    op.create_index("ix_branch_holder", "branch", ["holder"])
    op.drop_column("branch", "probe")
    op.drop_column("branch", "granted")
    op.drop_column("branch", "calls")
    op.drop_column("branch", "account")
    op.drop_table("stands")
    op.drop_table("late")
    op.drop_table("machine")
    op.drop_table("gate")
    op.drop_table("foothold")
    op.drop_table("stop")
    op.drop_table("account")
