"""Acts of people: each demands a reason, and is appended to the incident's own chain of evidence.

Whoever acts locks the incidents' rows before any other, and several in the order of their names: so two people who act
at once come one after the other, and neither waits for what the other has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from rotator.errors import BadInput
from rotator.ledger import gone, rows, tables
from rotator.ledger.evidence import chained

_OUT = "take it out: it is shown to many"


def lock(connection: Connection, incidents: Iterable[str]) -> None:
    """Let people speak of these incidents one after the other, until the transaction ends."""
    found = tables.incident.c.id
    connection.execute(select(found).where(found.in_(sorted(incidents))).order_by(found).with_for_update()).all()


def act(connection: Connection, incident: str, record: Mapping[str, Any]) -> None:
    """Append what a person did to the incident's chain. Raises BadInput where its evidence was deleted by policy."""
    query = select(tables.incident.c.length, tables.incident.c.head).where(tables.incident.c.id == incident)
    length, head = connection.execute(query.with_for_update()).one()
    gone.refuse(connection, incident)  # asked once the row is locked: who deletes locks it too
    evidence, length, head = chained(incident, length, head, [rows.plain(record)])
    connection.execute(insert(tables.evidence), evidence)
    connection.execute(update(tables.incident).where(tables.incident.c.id == incident).values(length=length, head=head))


def said(by: str, reason: str) -> str:
    """Return who and why, as it is kept and shown. Raises BadInput when no reason is given."""
    if not reason.strip():
        raise BadInput("a reason is needed: it becomes evidence", "--reason", "say why in a few words")
    return str(rows.plain(f"{by}: {reason.strip()}"))


def said_for_good(by: str, reason: str, *others: str) -> str:
    """Return who and why as `said` does, of what reports tell for good; `others` are the words beside the reason.

    Raises BadInput, which repeats nothing, where a secret seems to stand in any.
    """
    refuse_material(reason, *others)
    return said(by, reason)


def refuse_material(*words: str) -> None:
    """Raise BadInput where a secret seems to stand in words that many are shown."""
    from rotator.intake.shapes import holds_material  # noqa: PLC0415 - who only reads the ledger waits for no shapes

    if any(map(holds_material, words)):
        raise BadInput("a secret seems to stand in it", "--reason, or what else was given", _OUT)
