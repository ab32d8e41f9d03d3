"""Alarms that came, and what people are told."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from rotator.ledger.tables.metadata import metadata

trigger = Table(
    "trigger",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("sender", String(80), nullable=False),
    Column("delivery", String(220), nullable=False),
    Column("alarm", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("received_at", Double, nullable=False),
    Column("detected_at", Double, nullable=False),
    Column("exposed_at", Double),
    Column("state", String(16), nullable=False),
    Column("same_as", String(40)),
    # No foreign key: the id is given before the incident is there.
    Column("incident", String(40)),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Double, index=True),
    Column("reason", Text),
    Column("blob", LargeBinary),
    Index("ix_trigger_sender_delivery", "sender", "delivery"),
    Index("ix_trigger_sender_alarm", "sender", "alarm"),
)
"""Alarms that came over HTTP. `blob` is what one names, sealed until it is declared; `alarm` a keyed fingerprint of it.

`delivery` is the sender's id of the message, or a keyed fingerprint of its body. A row that is `same_as` another told
of the same alarm again.
"""

notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    # No foreign keys: who tells must not wait for the incident's row.
    Column("incident", String(40), nullable=False),
    Column("event", String(32), nullable=False),
    Column("at", Double, nullable=False),
    Column("facts", Text, nullable=False),
    # Whether it is settled which channels hear of it.
    Column("routed", Integer, nullable=False),
    Index("ix_notice_routed", "routed"),
)
"""What happened of which people are told: written in the transaction in which it happened."""

message = Table(
    "message",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("incident", String(40), nullable=False, index=True),
    Column("made_at", Double, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it is tried next; while somebody is at it, when another may.
    Column("due_at", Double),
    Column("settled_at", Double),
    Column("reason", Text),
    Index("ix_message_channel_state", "channel", "state"),
)
"""What a channel was sent, or is being: of each channel one after the other."""

hears = Table(
    "hears",
    metadata,
    Column("notice", ForeignKey("notice.id"), primary_key=True),
    Column("channel", String(64), primary_key=True),
    # With which message: none until it is gathered into one.
    Column("message", ForeignKey("message.id"), index=True),
    Index("ix_hears_channel_message", "channel", "message"),
)
"""Which channels hear of a notice."""

noticed = Table(
    "noticed",
    metadata,
    Column("incident", String(40), primary_key=True),
    Column("what", String(120), primary_key=True),
)
"""What the leading dispatcher saw by itself and has told: the branches that ask for a person, a brake, an end."""
