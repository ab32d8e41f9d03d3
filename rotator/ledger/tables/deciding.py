"""What people decided: plans as they were shown, each yes, each dismissal."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from rotator.ledger.tables.metadata import metadata

plan = Table(
    "plan",
    metadata,
    Column("incident", ForeignKey("incident.id"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    # Fingerprints of what it was made from, by name.
    Column("basis", Text, nullable=False),
    # The JSON of `report/planned.py`, compressed.
    Column("document", LargeBinary, nullable=False),
    Column("number", Integer, nullable=False, server_default="1"),
    Column("made_at", Double, nullable=False, server_default="0"),
    # From when the clocks of its credentials count.
    Column("detected_at", Double, nullable=False, server_default="0"),
    Column("by", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("approved_at", Double),
    Column("approved_by", Text),
    Index("ix_plan_incident_number", "incident", "number", unique=True),
)
"""Each revision of an incident's plan as it was shown to who approves it, under its digest: 1 as it was declared."""

approval = Table(
    "approval",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("at", Double, nullable=False),
    # Why it was enough by itself: the reason of who broke the glass, or the name of a standing order.
    Column("glass", Text, nullable=False, server_default=""),
    Column("standing_order", String(64), nullable=False, server_default=""),
    Column("reviewed_at", Double),
    Column("reviewed_by", Text),
    Column("note", Text),
)
"""Each yes that somebody said to a revision of a plan, one row for each scope, and who looked at it afterwards."""

dismissal = Table(
    "dismissal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    # A run's, or a task's.
    Column("of", String(64), nullable=False, index=True),
    Column("disposition", String(16), nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # What the issuer said of it, empty where it was not asked.
    Column("issuer_says", Text, nullable=False, server_default=""),
    Column("reopened_at", Double),
    Column("reopened_by", Text),
    Column("reopened_reason", Text),
)
"""As what people dismissed a credential, and why, and who took that back: a row is never edited away."""
