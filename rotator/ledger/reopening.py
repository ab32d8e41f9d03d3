"""A dismissed run that nobody approved is opened again: a revision of the plan that says so waits for a yes of its own.

Whoever looked at the plan meanwhile saw it dismissed: his digest covers no more than he saw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from rotator.flow.revision import digest_of
from rotator.ledger import enrolled, plans, revisions, tables
from rotator.ledger.revisions import Revision


def revise(  # noqa: PLR0917 - a revision, as it is kept
    connection: Connection, run: str, by: str, reason: str, at: float, basis: plans.Basis
) -> str:
    """Keep a revision with that run alone, and return its digest: it covers what else nobody has approved."""
    table = tables.run
    row = connection.execute(select(table).where(table.c.id == run)).mappings().one()
    incident = row["incident"]
    known = revisions.find(connection, incident)
    waiting = [each for each in known if each.approved_at is None]
    number = known[-1].number + 1
    came_with = next(each for each in known if each.number == row["revision"])
    if came_with.approved_at is not None:
        connection.execute(update(table).where(table.c.id == run).values(revision=number))
    digest = digest_of(incident, number, f"reopened {run} at {at}", [each.digest for each in waiting])
    why = f"{row['credential']} is opened again: {reason}"
    document = {
        **_alone(plans.shown(connection, incident, came_with.number), dict(row)),
        "digest": digest,
        "incident": incident,
        "revision": number,
        "covers": [each.number for each in waiting],
    }
    revision = Revision(number, digest, at, came_with.detected_at, by, why, None, None)
    plans.keep(connection, incident, revision, document, basis)
    connection.execute(update(tables.incident).where(tables.incident.c.id == incident).values(plan_digest=digest))
    enrolled.tell(connection, incident, number, at)
    return digest


def _alone(document: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan's document with one credential of it alone."""
    if "credentials" not in document:
        return {}  # declared by a release that kept none
    ref = {"provider": row["kind"], "connection": row["connection"], "owner": row["owner"], "id": row["credential"]}
    mine = [each for each in document["credentials"] if all(each[name] == value for name, value in ref.items())]
    sections = Counter(each["section"] for each in mine)
    counted = {name: sections[name] for name in document["totals"]}
    destroyed = sum(bool(each["for_good"]) for each in mine)
    return {
        **document,
        "totals": {**counted, "credentials": len(mine), "destroyed": destroyed},
        "credentials": mine,
        "manual": [],
        "excluded": [],
        "outages": [each for each in document["outages"] if each["id"] == row["credential"]],
    }
