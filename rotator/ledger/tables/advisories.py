"""Advisories: the records that are kept, and those that arrived by themselves. Both are in the chain `advisories`."""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, String, Table, Text

from rotator.ledger.tables.metadata import metadata

kept_advisory = Table(
    "kept_advisory",
    metadata,
    # The id that it is asked for by.
    Column("name", String(128), primary_key=True),
    # Whether a server told it, a sender did, or a person gave it; and when.
    Column("how", String(16), nullable=False),
    Column("at", Double, nullable=False),
    # What is kept of it, as an OSV record.
    Column("record", Text, nullable=False),
)
"""The newest record of each id."""

arrived_advisory = Table(
    "arrived_advisory",
    metadata,
    Column("name", String(128), primary_key=True),
    # All that it goes by, as JSON.
    Column("names", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("sender", String(100), nullable=False),
    # When it arrived first, under whichever name.
    Column("at", Double, nullable=False, index=True),
    Column("published_at", Double),
    # Which vendors it touches, as JSON, and of how many others nobody knows.
    Column("touched", Text, nullable=False),
    Column("unknown", Integer, nullable=False),
    # What it tells of, and by what of its record; who said that an ordinary one is taken for a compromise, and why.
    Column("nature", String(16), nullable=False, server_default="unknown"),
    Column("told_by", Text, nullable=False, server_default=""),
    Column("escalated_by", Text, nullable=False, server_default=""),
    Column("escalated_why", Text, nullable=False, server_default=""),
)
"""What arrived, as vendors were last triaged for it."""
