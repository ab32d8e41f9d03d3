"""Standing work: hygiene, drills, certificates, and the watch over what is dead."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from rotator.ledger.tables.metadata import metadata

hygiene = Table(
    "hygiene",
    metadata,
    Column("incident", ForeignKey("incident.id"), primary_key=True),
    Column("policy", String(64), nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("policy", "at"),
)
"""The incidents that are scheduled hygiene: of which policy, and decided in which minute, one in each."""

duty = Table(
    "duty",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("policy", String(64), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    Column("credential", Text, nullable=False, index=True),
    Column("made_at", Double),
    Column("due_at", Double, nullable=False),
    Column("replace_by", Double, nullable=False),
    Column("noted_at", Double, nullable=False, index=True),
    # The run or the task that was begun for it, "" for none yet.
    Column("of", String(80), nullable=False, server_default=""),
    # Since when it is known that it is due no more, though no run of ours replaced it.
    Column("settled_at", Double),
)
"""What came due by a policy of hygiene, once for each time: what the compliance report says of being on time."""

surveyed = Table(
    "surveyed",
    metadata,
    # Days since 1970, UTC.
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("ages", Text, nullable=False),
)
"""How old what each policy of hygiene selects was, told once on a day."""

drill = Table(
    "drill",
    metadata,
    # Written before anything is minted: the incident of this name follows.
    Column("incident", String(40), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Double, nullable=False),
    # When the window opened that it was scheduled for.
    Column("slot", Double),
    Column("page", Integer, nullable=False, server_default="0"),
    Column("ended_at", Double),
    Column("outcome", String(16)),
    UniqueConstraint("name", "slot"),
)
"""The incidents that are drills: each names its own canaries and nothing else. One that may `page` tells people."""

canary = Table(
    "canary",
    metadata,
    Column("drill", ForeignKey("drill.incident"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    # By what a lost answer is found again: the mark that it carries, and who was there before it was asked for.
    Column("marker", String(64), nullable=False),
    Column("before", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("credential", Text, index=True),
    Column("removed_at", Double),
)
"""What drills mint, written before it is asked for, and gone from its issuer when it is `removed_at`."""

trial = Table(
    "trial",
    metadata,
    Column("marker", String(64), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("owner", Text, nullable=False),
    Column("at", Double, nullable=False),
    # The ids that its owner had before, by which a mint is told whose answer was lost.
    Column("before", Text, nullable=False),
    Column("credential", Text),
)
"""Canaries of certifications that may be alive: written before one is made, taken away when its issuer has none."""

certificate = Table(
    "certificate",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("at", Double, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("connection", String(128), nullable=False),
    Column("body", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Index("ix_certificate_kind_connection", "kind", "connection"),
)
"""What was seen of the canary of a kind on a connection, signed; see `evidence/certificate.py`."""

watched = Table(
    "watched",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    # The death after which it is looked at: another one begins anew.
    Column("since", Double, nullable=False),
    # When it is looked at next; none once that is over.
    Column("due_at", Double, index=True),
    Column("until", Double, nullable=False),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("missed", Integer, nullable=False, server_default="0"),
    Column("looked_at", Double),
    # What was seen the last time, and why nothing could be, where nothing could.
    Column("says", Text, nullable=False, server_default=""),
)
"""Dead credentials that are looked at again: `looks` were answered, `missed` were not."""

segmented = Table(
    "segmented",
    metadata,
    # Days since 1970, UTC.
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("figures", Text, nullable=False),
)
"""What one compromise of each place reached, and all places together, told once on a day."""
