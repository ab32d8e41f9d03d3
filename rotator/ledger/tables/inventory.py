"""What credentials there are, as people say and as issuers list."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, String, Table, Text

from rotator.ledger.tables.metadata import metadata

inventory = Table(
    "inventory",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("match", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("file", Text, nullable=False),
)
"""What people imported of their credentials: one row for each `match`, under its hash, with the keys that it states."""

inventory_history = Table(
    "inventory_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, index=True),
    Column("match", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("file", Text, nullable=False),
    # What was said before, none for an entry that came new, and from then on.
    Column("before", Text),
    Column("after", Text, nullable=False),
)
"""Each change of `inventory`, for good: rows are added and never touched."""

listed = Table(
    "listed",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("provider", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("first_seen_at", Double, nullable=False),
    Column("last_seen_at", Double, nullable=False),
    # Since when a whole list of its kind does not have it any more.
    Column("gone_at", Double),
    Index("ix_listed_connection_provider", "connection", "provider"),
)
"""What issuers listed and a person had kept: known to exist, whatever anybody says of it. `key` hashes its name."""
