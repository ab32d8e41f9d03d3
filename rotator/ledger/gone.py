"""Incidents whose evidence was deleted by policy: nothing is done with them any more, since nothing could be shown."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, select

from rotator.errors import BadInput
from rotator.ledger import tables

_signed, _checkpoint = tables.signed, tables.checkpoint


def is_gone(incident: ColumnElement[str]) -> ColumnElement[bool]:
    """Ask whether the evidence of an incident was deleted: of each by its key, as chains are many and few are gone."""
    return select(1).where(_signed.c.chain == incident, _signed.c.deleted.is_not(None)).exists()


def among(connection: Connection, incidents: Collection[str]) -> dict[str, float]:
    """Return those of these incidents whose evidence was deleted, with when, in epoch seconds."""
    if not incidents:
        return {}
    query = (
        select(_signed.c.chain, _checkpoint.c.at)
        .join(_checkpoint, _checkpoint.c.number == _signed.c.deleted)
        .where(_signed.c.chain.in_(sorted(incidents)))
    )
    return {row.chain: row.at for row in connection.execute(query)}


def refuse(connection: Connection, *incidents: str) -> None:
    """Raise BadInput for an incident whose evidence was deleted."""
    for incident, at in among(connection, incidents).items():
        day = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
        what = f"its evidence was deleted on {day} by policy: nothing is left to show or to add to"
        raise BadInput(what, incident, "declare what is new as an incident of its own")
