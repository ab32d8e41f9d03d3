"""What was exposed: where it was seen, the secrets, whether it is dead, and what no machine can answer."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text

from rotator.ledger.tables.metadata import metadata

proof = Table(
    "proof",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("target", String(255), primary_key=True),
    Column("known_at", Double),
    Column("accepted_at", Double),
    Column("mismatch", Integer, nullable=False, default=0),
    Column("refused_since", Double),
    Column("stated_since", Double),
    Column("dead_at", Double),
    Column("contained_at", Double),
    Column("evidence", String(8), nullable=False, default="none"),
)

_IS_OF_TASK = text("manual IS NOT NULL")

exposure = Table(
    "exposure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("run", ForeignKey("run.id"), index=True),
    Column("manual", ForeignKey("manual.id")),
    Column("source", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("line", Integer),
    Column("commit", Text),
    Column("scanner_says", Text),
    Column("certainty", String(16), nullable=False),
    # What the report tells it apart by: its id, or a keyed fingerprint. The second also where it tells both.
    Column("key", Text),
    Column("fingerprint", Text),
    # Only tasks stand in it: what is written of a run pays nothing.
    Index("ix_exposure_manual", "manual", sqlite_where=_IS_OF_TASK, postgresql_where=_IS_OF_TASK),
)

manual = Table(
    "manual",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("kind", String(64)),
    Column("key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("mend", Text, nullable=False),
    Column("dismissed", Text),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("connection", String(128), nullable=False, server_default=""),
)
"""Exposed credentials that no machine can answer: tasks for a person; and what a plan left out, of its `connection`."""

sealed = Table(
    "sealed",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("blob", LargeBinary, nullable=False),
    Column("expires_at", Double, nullable=False),
)
"""Exposed secrets, sealed, kept only until their death is proven."""
