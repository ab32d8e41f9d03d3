"""Advisories that arrived by themselves."""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, String, Table, Text

from rotator.ledger.tables.metadata import metadata

arrived_advisory = Table(
    "arrived_advisory",
    metadata,
    # An advisory has no chain of its own: what came of it is in the vendors' and in the service's.
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
)
"""What arrived, as vendors were last triaged for it."""
