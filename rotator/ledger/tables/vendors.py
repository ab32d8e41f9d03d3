"""Vendors, what people judged of them, and when one is paused and let in again."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, ForeignKeyConstraint, Index, Integer, String, Table, Text

from rotator.ledger.tables.metadata import metadata

vendor = Table(
    "vendor",
    metadata,
    Column("name", String(64), primary_key=True),
    # As the registry's file says it, without what is said of software: that may be thousands of lines.
    Column("told", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    # What was done of it is a chain of evidence of its own.
    Column("length", Integer, nullable=False, default=0),
    Column("head", String(64), nullable=False, default=""),
)
"""The registry of vendors."""

software = Table(
    "software",
    metadata,
    Column("vendor", ForeignKey("vendor.name"), primary_key=True),
    # Which list said so: a later one of the same name replaces it.
    Column("source", String(128), primary_key=True),
    Column("at", Double, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("components", Text, nullable=False),
)
"""What each vendor is known to run, one row for each list that said so."""

dataset = Table(
    "dataset",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("sensitivity", String(16), nullable=False),
    Column("manifest", String(64), nullable=False, default=""),
    Column("why", Text, nullable=False, default=""),
)
"""How sensitive what stands behind credentials is, and which manifest says what it held."""

term = Table(
    "term",
    metadata,
    Column("vendor", ForeignKey("vendor.name"), primary_key=True),
    # "" of every notice, else the id of the advisory or notice for which it was judged.
    Column("notice", String(128), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("value", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
"""The terms of a vendor's triage that a person has set, as they stand; each change is in the vendor's chain."""

pause = Table(
    "pause",
    metadata,
    Column("vendor", ForeignKey("vendor.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("incident", ForeignKey("incident.id"), nullable=False, index=True),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # The checklist as the organisation had it then, as JSON: to shorten it later opens nothing.
    Column("checklist", Text, nullable=False),
    # The advisories and notices for which it was paused, as JSON.
    Column("notices", Text, nullable=False, server_default="[]"),
    # What it reached then, and the manifest that tells of each, as JSON: to say less of it later opens nothing.
    Column("datasets", Text, nullable=False, server_default="{}"),
    # What all of that read, administered and reached, as JSON: what is new is to be narrower than this.
    Column("reach", Text, nullable=False, server_default="{}"),
    Column("restored_at", Double),
    Column("restored_by", Text),
    Column("restored_why", Text),
    Index("ix_pause_open", "vendor", "restored_at"),
)
"""When a vendor was cut off, by which incident, and when it was let in again."""

pause_held = Table(
    "pause_held",
    metadata,
    Column("vendor", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("provider", String(64), primary_key=True),
    Column("connection", String(128), primary_key=True),
    Column("credential", Text, primary_key=True),
    # Who found it to be the vendor's as it was paused, or paused again.
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    ForeignKeyConstraint(["vendor", "number"], ["pause.vendor", "pause.number"]),
)
"""The credentials that a vendor held when it was paused: as long as it is, nothing takes their place."""

pause_gate = Table(
    "pause_gate",
    metadata,
    Column("vendor", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("gate", String(64), primary_key=True),
    # What was given or found for it, in the order in which that came.
    Column("nth", Integer, primary_key=True),
    # given, found, yes or overridden
    Column("act", String(16), nullable=False),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("told", Text, nullable=False),
    ForeignKeyConstraint(["vendor", "number"], ["pause.vendor", "pause.number"]),
)
"""What was said, found and given for each gate of a pause. Nothing is taken back: what comes later stands beside it."""

vendor_log = Table(
    "vendor_log",
    metadata,
    Column("vendor", ForeignKey("vendor.name"), primary_key=True),
    # The SHA-256 of its content: a log that is read twice is one.
    Column("digest", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("begins_at", Double),
    Column("ends_at", Double),
    Column("since", Double),
    Column("read_at", Double, nullable=False),
    # Of its records, in whatever form it is: empty of what was read before that was known.
    Column("records", String(64), nullable=False, server_default=""),
)
"""The access logs that were read for a vendor, and since when what they tell was to be new."""

vendor_use = Table(
    "vendor_use",
    metadata,
    Column("vendor", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("provider", String(64), primary_key=True),
    Column("connection", String(128), primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("credential", Text, primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("first_at", Double),
    Column("last_at", Double, nullable=False),
    Column("accepted_at", Double),
    Column("accepted", Text, nullable=False),
    # What was unusual, as JSON.
    Column("signs", Text, nullable=False),
    ForeignKeyConstraint(["vendor", "digest"], ["vendor_log.vendor", "vendor_log.digest"]),
)
"""What each log tells of each credential that a vendor holds: how its issuer took it, and what was unusual."""
