"""Who may call, who is signed in, and what was answered."""

from __future__ import annotations

from sqlalchemy import Column, Double, Integer, String, Table, Text

from rotator.ledger.tables.metadata import metadata

token = Table(
    "token",
    metadata,
    # The letters behind `rot_` by which its row is found.
    Column("lookup", String(8), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    # Whose acts its acts are: a login, empty for a program's own.
    Column("person", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double),
    Column("revoked_at", Double),
    Column("revoked_by", Text),
    Column("revoked_reason", Text),
)
"""Who may call the API: a token is kept as its SHA-256 alone. A row is never taken away, nor its name used again."""

session = Table(
    "session",
    metadata,
    # What evidence calls it, and the cookie begins with.
    Column("id", String(8), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("by", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("how", Text, nullable=False),
    # The token that was shown, with which it ends; empty where a provider spoke for the person.
    Column("token", String(64), nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("used_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("ended_by", Text),
    Column("ended_reason", Text),
)
"""Who is signed in with a browser: a cookie is kept as its SHA-256 alone. A row goes a day after its time."""

called = Table(
    "called",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("at", Double, nullable=False, index=True),
    # Keyed fingerprints: of the key above too, which a caller chooses, and of what was asked.
    Column("request", String(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
)
"""What was answered to acts that came with an `Idempotency-Key`: kept a day, and written with the act itself."""
