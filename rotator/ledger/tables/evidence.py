"""Evidence: its chains, what signs them, who has that outside, and to whom every record is sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Double, Identity, Index, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from rotator.ledger.tables.metadata import metadata


class this_transaction(FunctionElement[int]):  # noqa: N801 - a function of SQL
    """The number of the transaction that writes; of SQLite, where one writes at a time, nothing is asked: 0."""

    inherit_cache = True


@compiles(this_transaction)
def _one_at_a_time(_element: object, _compiler: object, **_how: Any) -> str:
    return "0"


@compiles(this_transaction, "postgresql")
def _of_postgresql(_element: object, _compiler: object, **_how: Any) -> str:
    return "(pg_current_xact_id()::text::bigint)"  # of xid8 there is no cast to bigint but by its text


evidence = Table(
    "evidence",
    metadata,
    # SQLite's own rowid, which costs nothing; PostgreSQL hands these out in another order than that of commits.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("tx", BigInteger, nullable=False, server_default=this_transaction()),
    Column("chain", String(80), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("chain", "seq"),
    Index("ix_evidence_tx_number", "tx", "number").ddl_if(dialect="postgresql"),
)
"""One chain per branch and one per incident: `hash` is SHA-256 over `body` as stored, which names its predecessor.

By `tx` and then `number` they stand in the order in which they were committed, for whoever follows them: `feed.py`.
"""

epoch = Table("epoch", metadata, Column("name", String(16), primary_key=True))
"""One row: by which ledger a cursor of its feed was given. A restored one is another, and counts its own transactions.
"""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
    Column("signature", Text, nullable=False),
    # By which ledger, and how far into its order of commits, it has looked.
    Column("epoch", String(16), nullable=False),
    Column("seen", BigInteger, nullable=False),
)
"""The signed chain over all chains of evidence; see `evidence/checkpoint.py`."""

signed = Table(
    "signed",
    metadata,
    Column("chain", String(80), primary_key=True),
    Column("length", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    # The checkpoint that says that its records were deleted by policy.
    Column("deleted", Integer),
)
"""How each chain of evidence stood when it was signed last."""

witness = Table(
    "witness",
    metadata,
    Column("name", Text, primary_key=True),
    # The last checkpoint that it has, and the last time stamp.
    Column("number", Integer, nullable=False, server_default="0"),
    Column("hash", String(64), nullable=False, server_default=""),
    Column("stamp", Integer, nullable=False, server_default="0"),
    Column("failing_since", Double),
    Column("why", Text, nullable=False, server_default=""),
    Column("forked", Integer),
)
"""Who outside of the ledger has its checkpoints: keepers, and who stamps them with a time."""

stamp = Table(
    "stamp",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
)
"""Time stamps of checkpoints: what the authority answered, in base64; see `evidence/timestamp.py`."""

siem = Table(
    "siem",
    metadata,
    Column("name", String(64), primary_key=True),
    # Its place in the evidence, empty for the beginning; what is older than `since` is passed over.
    Column("cursor", Text, nullable=False),
    Column("since", Double, nullable=False),
    # Grows with each try, so that who comes back too late is refused; nobody else tries before `due_at`.
    Column("taken", Integer, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text),
    Column("sent", BigInteger, nullable=False),
    Column("sent_at", Double),
)
"""How far each channel to a SIEM has come: a row is made when it begins."""
