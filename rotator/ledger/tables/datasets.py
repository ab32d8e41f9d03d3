"""Manifests of datasets, and what their checks found."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, LargeBinary, String, Table, Text

from rotator.ledger.tables.metadata import metadata

manifest = Table(
    "manifest",
    metadata,
    Column("name", String(64), primary_key=True),
    # Of one recording: its lines bear it, and who began again has another.
    Column("id", String(16), nullable=False),
    Column("source", Text, nullable=False),
    # The connection through which a bucket was read, and the machine on which it was done.
    Column("connection", String(128), nullable=False),
    Column("host", Text, nullable=False),
    Column("began_at", Double, nullable=False),
    # All below is empty until it is whole.
    Column("recorded_at", Double),
    Column("recorded_by", Text, nullable=False),
    Column("incident", ForeignKey("incident.id"), index=True),
    Column("files", BigInteger, nullable=False, default=0),
    Column("links", BigInteger, nullable=False, default=0),
    Column("others", BigInteger, nullable=False, default=0),
    Column("unread", BigInteger, nullable=False, default=0),
    Column("size", BigInteger, nullable=False, default=0),
    Column("digest", String(64), nullable=False, default=""),
    # Its recording, and each check of it, are a chain of evidence of its own.
    Column("length", Integer, nullable=False, default=0),
    Column("head", String(64), nullable=False, default=""),
)
"""The manifests of datasets. A name is recorded once: what later checks stand on is never replaced."""

manifest_part = Table(
    "manifest_part",
    metadata,
    Column("recording", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("lines", LargeBinary, nullable=False),
)
"""The lines of manifests, compressed, a few thousand to a part: one of a million files is never held whole."""

manifest_check = Table(
    "manifest_check",
    metadata,
    Column("name", ForeignKey("manifest.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("connection", String(128), nullable=False),
    Column("host", Text, nullable=False),
    Column("incident", ForeignKey("incident.id"), index=True),
    Column("digest", String(64), nullable=False),
    Column("same", BigInteger, nullable=False),
    Column("altered", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False),
    Column("new", BigInteger, nullable=False),
    Column("unread", BigInteger, nullable=False),
    # The first of each sort by name.
    Column("named", Text, nullable=False),
    # Of what was read elsewhere, and told by a file: who read it, by that, and when he began. "" and null otherwise.
    Column("read_by", Text, nullable=False, server_default=""),
    Column("read_at", Double),
)
"""What each check of a dataset against its manifest found. `digest` is of what was there then."""
