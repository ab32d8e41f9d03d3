"""What leads, grants calls and holds back: leases, accounts, stops, gates."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Integer, String, Table, Text

from rotator.ledger.tables.metadata import metadata

leader = Table(
    "leader",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("beat", Integer, nullable=False, default=0),
)
"""The leading dispatcher's lease."""

account = Table(
    "account",
    metadata,
    Column("name", String(192), primary_key=True),
    # The bucket, as `flow/budget.py` has it: how many calls were left at `filled_at` by the clock of who filled it.
    Column("tokens", Double, nullable=False),
    Column("filled_at", Double, nullable=False),
    Column("filled_by", String(128), nullable=False, server_default=""),
    Column("share", Double, nullable=False, server_default="1"),
    Column("learned", Double),
    Column("counted", Double, nullable=False, server_default="0"),
    Column("counted_at", Double, nullable=False, server_default="0"),
    Column("cut_at", Double),
    Column("pause_until", Double),
    # What workers met there, until the dispatcher heeds it: throttlings, the longest time that was asked for, and
    # failures without a success between.
    Column("throttled", Integer, nullable=False, server_default="0"),
    Column("pause_s", Double),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("probes", Integer, nullable=False, server_default="0"),
    Column("probe_at", Double),
)
"""The calls that each provider account allows, granted by the leading dispatcher and shared by every worker."""

stop = Table(
    "stop",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("scope", String(16), nullable=False),
    Column("name", String(192), nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lifted_at", Double),
    Column("lifted_by", Text),
    Column("lifted_reason", Text),
)
"""What a person stopped: everything (`all`), an `incident` or a `connection`. It holds until it is lifted."""

gate = Table(
    "gate",
    metadata,
    Column("incident", ForeignKey("incident.id"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("open", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""What must be so before certain steps of an incident go on: `host_isolated`, `no_legal_hold`, `brake`."""

foothold = Table(
    "foothold",
    metadata,
    Column("incident", ForeignKey("incident.id"), primary_key=True),
    Column("host", String(255), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Hosts on which the attacker ran: open until a person says that they are isolated or clean."""

machine = Table(
    "machine",
    metadata,
    Column("boot", String(64), primary_key=True),
    Column("begins_at", Double, nullable=False),
)
"""What the wall clock of each machine said when it started: all its processes count from there."""
