"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "evidence",
        sa.Column("chain", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_evidence")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("exposed_at", sa.Double(), nullable=True),
        sa.Column("detected_at", sa.Double(), nullable=False),
        sa.Column("declared_at", sa.Double(), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=True),
        sa.Column("plan_digest", sa.String(length=64), nullable=False),
        sa.Column("approved_at", sa.Double(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_table(
        "leader",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leader")),
    )
    op.create_table(
        "mint",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("branch", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_mint")),
    )
    op.create_table(
        "manual",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("mend", sa.Text(), nullable=False),
        sa.Column("dismissed", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_manual_incident_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual")),
    )
    op.create_index(op.f("ix_manual_incident"), "manual", ["incident"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("strategy", sa.String(length=32), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("priority", sa.Double(), nullable=False),
        sa.Column("deliver", sa.Text(), nullable=False),
        sa.Column("consumers", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.Double(), nullable=True),
        sa.Column("acknowledged_at", sa.Double(), nullable=True),
        sa.Column("dead_at", sa.Double(), nullable=True),
        sa.Column("contained_at", sa.Double(), nullable=True),
        sa.Column("evidence", sa.String(length=8), nullable=False),
        sa.Column("replaced_at", sa.Double(), nullable=True),
        sa.Column("replacement", sa.Text(), nullable=True),
        sa.Column("converged_at", sa.Double(), nullable=True),
        sa.Column("destroyed_at", sa.Double(), nullable=True),
        sa.Column("dismissed", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_run_incident_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_incident"), "run", ["incident"], unique=False)
    op.create_table(
        "branch",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("priority", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("holder", sa.String(length=128), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_branch_incident_incident")),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_branch_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_branch")),
        sa.UniqueConstraint("run", "segment", "target", name=op.f("uq_branch_run_segment_target")),
    )
    op.create_index("ix_branch_holder", "branch", ["holder"], unique=False)
    op.create_index(op.f("ix_branch_incident"), "branch", ["incident"], unique=False)
    op.create_index(op.f("ix_branch_run"), "branch", ["run"], unique=False)
    op.create_index("ix_branch_state_due_at", "branch", ["state", "due_at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_delivery_run_run")),
        sa.PrimaryKeyConstraint("run", "connection", name=op.f("pk_delivery")),
    )
    op.create_table(
        "exposure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("run", sa.String(length=64), nullable=True),
        sa.Column("manual", sa.String(length=64), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("commit", sa.Text(), nullable=True),
        sa.Column("scanner_says", sa.Text(), nullable=True),
        sa.Column("certainty", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_exposure_incident_incident")),
        sa.ForeignKeyConstraint(["manual"], ["manual.id"], name=op.f("fk_exposure_manual_manual")),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_exposure_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exposure")),
    )
    op.create_index(op.f("ix_exposure_incident"), "exposure", ["incident"], unique=False)
    op.create_index(op.f("ix_exposure_run"), "exposure", ["run"], unique=False)
    op.create_table(
        "proof",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("known_at", sa.Double(), nullable=True),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("mismatch", sa.Integer(), nullable=False),
        sa.Column("refused_since", sa.Double(), nullable=True),
        sa.Column("stated_since", sa.Double(), nullable=True),
        sa.Column("dead_at", sa.Double(), nullable=True),
        sa.Column("contained_at", sa.Double(), nullable=True),
        sa.Column("evidence", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_proof_run_run")),
        sa.PrimaryKeyConstraint("run", "target", name=op.f("pk_proof")),
    )
    op.create_table(
        "reach",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=128), nullable=False),
        sa.Column("incident", sa.String(length=40), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.id"], name=op.f("fk_reach_incident_incident")),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_reach_run_run")),
        sa.PrimaryKeyConstraint("run", "connection", name=op.f("pk_reach")),
    )
    op.create_index("ix_reach_incident_connection_open", "reach", ["incident", "connection", "open"], unique=False)
    op.create_table(
        "sealed",
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_sealed_run_run")),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_sealed")),
    )
    op.create_table(
        "step",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("branch", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("lane", sa.String(length=8), nullable=False),
        sa.Column("expect", sa.String(length=16), nullable=True),
        sa.Column("retry_for_s", sa.Double(), nullable=True),
        sa.Column("hold_for_s", sa.Double(), nullable=True),
        sa.Column("hold_until", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("intended_at", sa.Double(), nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.Column("held_at", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["branch"], ["branch.id"], name=op.f("fk_step_branch_branch")),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_step_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
    )
    op.create_index(op.f("ix_step_run"), "step", ["run"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_step_run"), table_name="step")
    op.drop_table("step")
    op.drop_table("sealed")
    op.drop_index("ix_reach_incident_connection_open", table_name="reach")
    op.drop_table("reach")
    op.drop_table("proof")
    op.drop_index(op.f("ix_exposure_run"), table_name="exposure")
    op.drop_index(op.f("ix_exposure_incident"), table_name="exposure")
    op.drop_table("exposure")
    op.drop_table("delivery")
    op.drop_index("ix_branch_state_due_at", table_name="branch")
    op.drop_index(op.f("ix_branch_run"), table_name="branch")
    op.drop_index(op.f("ix_branch_incident"), table_name="branch")
    op.drop_index("ix_branch_holder", table_name="branch")
    op.drop_table("branch")
    op.drop_index(op.f("ix_run_incident"), table_name="run")
    op.drop_table("run")
    op.drop_index(op.f("ix_manual_incident"), table_name="manual")
    op.drop_table("manual")
    op.drop_table("mint")
    op.drop_table("leader")
    op.drop_table("incident")
    op.drop_table("evidence")
