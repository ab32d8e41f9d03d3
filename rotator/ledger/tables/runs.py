"""Incidents and their runs: branches, steps, and what each run touches."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from rotator.ledger.tables.metadata import metadata

incident = Table(
    "incident",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("title", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("exposed_at", Double),
    Column("detected_at", Double, nullable=False),
    Column("declared_at", Double, nullable=False),
    # Closed: nothing of it is approved or added any more, until somebody opens it again.
    Column("closed_at", Double),
    Column("closed_by", Text),
    Column("closed_reason", Text),
    Column("plan_digest", String(64), nullable=False),
    Column("approved_at", Double),
    Column("approved_by", Text),
    # How many waves its production goes in, and how many of them have begun.
    Column("waves", Integer, nullable=False, server_default="0"),
    Column("wave", Integer, nullable=False, server_default="0"),
    # The incident into which a person merged it: what it had not begun went there, what works is told there too.
    Column("merged_into", String(40)),
    # Acts that belong to the whole incident (declared, approved, …) have a chain of their own.
    Column("length", Integer, nullable=False, default=0),
    Column("head", String(64), nullable=False, default=""),
)

run = Table(
    "run",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    Column("credential", Text, nullable=False, index=True),
    Column("generation", Integer, nullable=False, default=0),
    Column("kind", String(64), nullable=False),
    Column("strategy", String(32), nullable=False),
    Column("why", Text, nullable=False),
    Column("priority", Double, nullable=False),
    Column("deliver", Text, nullable=False),
    Column("consumers", Text, nullable=False),
    Column("requested_at", Double),
    Column("acknowledged_at", Double),
    Column("dead_at", Double),
    Column("contained_at", Double),
    Column("evidence", String(8), nullable=False, default="none"),
    Column("replaced_at", Double),
    Column("replacement", Text, index=True),
    Column("converged_at", Double),
    Column("destroyed_at", Double),
    Column("let_in_at", Double),
    Column("dismissed", Text),
    Column("wave", Integer, nullable=False, server_default="0"),
    # Who accepted that those in `accepted` may see its new secret, and why.
    Column("risk_accepted", Text),
    # The revision of the plan that it came with, and the run that made this very credential, as a replacement.
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("predecessor", String(64)),
    # How much a second of its exposure weighs, none for what an older release declared; how often its clocks were told.
    Column("weight", Double),
    Column("told", Integer, nullable=False, server_default="0"),
    # Who holds it beside us, as the inventory said when it was planned.
    Column("vendor", Text, nullable=False, server_default=""),
    # Counted by revision with none of a large incident's rows read.
    Index("ix_run_incident_revision", "incident", "revision", "id"),
    Index(
        "ix_run_dead_at",
        "dead_at",
        sqlite_where=text("dead_at IS NOT NULL"),
        postgresql_where=text("dead_at IS NOT NULL"),
    ),
)

reach = Table(
    "reach",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("connection", String(128), primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False),
    Column("open", Integer, nullable=False),
    Index("ix_reach_connection_open", "connection", "open"),
)
"""The connections on which an exposed credential may read or administer. `open`: LIVES until it is contained, then 0.

Nobody knows what one under replace_first reads: it LIVES_ON, and others under replace_first do not wait for it, since
they would wait for each other; their plan warned of it. Below zero: so it will be when its plan is approved. What
counted when its credential was dismissed is lower by SET_ASIDE, and counts again the moment that is opened.
"""
LIVES, LIVES_ON = 1, 2

SET_ASIDE = 10

delivery = Table(
    "delivery",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("connection", String(128), primary_key=True),
)
"""The connections to which a run delivers, its issuer's included: the new secret passes there too."""

awaits = Table(
    "awaits",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("lifeline", ForeignKey("run.id"), primary_key=True),
    Column("open", Integer, nullable=False),
    Index("ix_awaits_open_lifeline", "open", "lifeline"),
)
"""Runs that start when the `lifeline`, a run for the rotator's own credential, has replaced it; `open` until then."""

MAY_BE_SENT = text("(branch.state = 'open') IS TRUE AND branch.holder IS NULL")
"""The branches of the index ix_branch_open. In these words no other index fits, which SQLite would take for a better.
"""

_MAY_BE_SENT = text("(state = 'open') IS TRUE AND holder IS NULL")

_IS_SENT = text("sent_at IS NOT NULL")

_IS_HELD = text("holder IS NOT NULL")

branch = Table(
    "branch",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("run", ForeignKey("run.id"), nullable=False, index=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("segment", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("quorum", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("lane", String(8), nullable=False),
    Column("priority", Double, nullable=False),
    Column("reason", Text),
    # Whose budget it is under, how many calls its next stretch costs, and how many came with the last message.
    Column("account", String(192), nullable=False, server_default=""),
    Column("calls", Integer, nullable=False, server_default="1"),
    Column("granted", Integer),
    Column("probe", Integer, nullable=False, server_default="0"),
    # Due work and its outbox: due and unclaimed rows are sent, and sent again when a message was lost.
    Column("due_at", Double),
    Column("sent_at", Double),
    # The claim: who holds it, the fencing number, and a heartbeat that every commit moves.
    Column("holder", String(128)),
    Column("fence", Integer, nullable=False, default=0),
    Column("beat", Integer, nullable=False, default=0),
    Column("length", Integer, nullable=False, default=0),
    Column("head", String(64), nullable=False, default=""),
    UniqueConstraint("run", "segment", "target"),
    Index("ix_branch_state_due_at", "state", "due_at"),
    Index("ix_branch_holder", "holder", sqlite_where=_IS_HELD, postgresql_where=_IS_HELD),
    # What may be sent, in the order in which it is, and what was sent and is in nobody's hand: both are few.
    Index(
        "ix_branch_open",
        "account",
        "lane",
        text("priority DESC"),
        "due_at",
        sqlite_where=_MAY_BE_SENT,
        postgresql_where=_MAY_BE_SENT,
    ),
    Index("ix_branch_sent_at", "sent_at", sqlite_where=_IS_SENT, postgresql_where=_IS_SENT),
)

step = Table(
    "step",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("run", ForeignKey("run.id"), nullable=False),
    Column("branch", ForeignKey("branch.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", String(64), nullable=False),
    Column("target", Text, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("subject", String(16), nullable=False),
    Column("lane", String(8), nullable=False),
    Column("expect", String(16)),
    Column("retry_for_s", Double),
    Column("hold_for_s", Double),
    Column("hold_until", String(32)),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("started_at", Double),
    Column("intended_at", Double),
    Column("settled_at", Double),
    Column("held_at", Double),
    Column("reason", Text),
    Column("facts", Text, nullable=False, default="{}"),
    Column("undo", String(16)),
    Column("calls", Integer, nullable=False, server_default="1"),
    # Which runs destroy what was exposed is asked of a large incident's with none of their steps read.
    Index("ix_step_run_subject_verb", "run", "subject", "verb"),
)

mint = Table(
    "mint",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("branch", String(80), nullable=False),
)
"""One mint per owner at a time."""

stands = Table(
    "stands",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("host", String(255), primary_key=True),
)
"""The hosts on which a run's consumers live: a new secret reaches them."""

accepted = Table(
    "accepted",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("what", String(8), primary_key=True),
    Column("name", String(255), primary_key=True),
)
"""Whose reading of its new secret a person accepted: the run of a stolen credential (`run`), or a foothold (`host`)."""

late = Table(
    "late",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("credential", String(255), primary_key=True),
    Column("at", Double, nullable=False),
)
"""What a worker minted that had lost its claim meanwhile: ours, and settled by the run's next comparison."""
