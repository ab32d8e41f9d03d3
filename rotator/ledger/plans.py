"""Plans as they were shown: kept under their digest, with what they stand on, so that a stale one is refused."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from rotator.credential import CredentialRef
from rotator.flow.basis import changed
from rotator.ledger import earlier, rows, tables

Basis = Callable[[Mapping[CredentialRef, str], Iterable[str]], Mapping[str, str]]
"""What a plan for credentials (with their kinds) that are delivered to these connections stands on now."""


def keep(connection: Connection, incident: str, digest: str, document: Mapping[str, Any], basis: Basis) -> str:
    """Keep a plan as it is shown, and the fingerprints of what it stands on; return the document's own."""
    text = json.dumps(rows.plain(document), sort_keys=True, separators=(",", ":"))
    stands_on = basis(*_made_of(connection, incident))
    connection.execute(
        insert(tables.plan).values(
            incident=incident,
            digest=digest,
            basis=rows.text(rows.plain(dict(stands_on))),
            document=zlib.compress(text.encode()),
        )
    )
    return hashlib.sha256(text.encode()).hexdigest()


def shown(connection: Connection, incident: str) -> dict[str, Any]:
    """Return the document of an incident's plan; empty where the release that declared it kept none."""
    plan = tables.plan
    of_now = select(plan.c.document).join(tables.incident, tables.incident.c.id == plan.c.incident)
    found = connection.execute(
        of_now.where(plan.c.incident == incident, plan.c.digest == tables.incident.c.plan_digest)
    ).scalar()
    return dict(json.loads(zlib.decompress(found))) if found else {}


def stale(connection: Connection, incident: str, basis: Basis) -> tuple[str, str] | None:
    """Say why a plan that nobody has approved is stale, and what to do; None where it is not.

    Another incident replaces one of its credentials, or leaves alive who reads where this one delivers, or what the
    plan was made from has changed.
    """
    if (other := connection.execute(earlier.answered_meanwhile(incident)).first()) is not None:
        return (
            f"{other.id} replaces {other.credential}, and a second would be an orphan",
            "declare it again: the new plan will only prove that one dead",
        )
    if (other := connection.execute(earlier.in_each_others_way(incident)).first()) is not None:
        return (
            f"{other.id}, approved since, and this one would show each other's new secrets on {other.connection}",
            "declare it again: the new plan contains first",
        )
    made_of = _made_of(connection, incident)
    declared_at = connection.execute(select(tables.incident.c.declared_at).where(tables.incident.c.id == incident))
    for left in earlier.left_alive(connection, since=declared_at.scalar_one()):
        if passed := sorted(left.reaches & made_of[1]):
            return (
                f"{left.incident}, approved since, left {left.key} alive, which may read on {passed[0]}",
                "declare it again, and look at the new plan's warning",
            )
    plan = tables.plan
    of_now = select(plan.c.basis).join(tables.incident, tables.incident.c.id == plan.c.incident)
    kept = connection.execute(
        of_now.where(plan.c.incident == incident, plan.c.digest == tables.incident.c.plan_digest)
    ).scalar()
    differs = changed(json.loads(kept), basis(*made_of)) if kept else []
    if not differs:
        return None
    return f"changed since it was made: {'; '.join(differs)}", "declare it again, and look at the new plan"


def _made_of(connection: Connection, incident: str) -> tuple[dict[CredentialRef, str], set[str]]:
    """Return the credentials of an incident's runs with their kinds, and the connections that they are delivered to."""
    run = tables.run
    names = (run.c.provider, run.c.connection, run.c.owner, run.c.credential, run.c.generation)
    of_runs = select(*names, run.c.kind).where(run.c.incident == incident)
    kinds = {CredentialRef(*each[:5]): each.kind for each in connection.execute(of_runs)}
    to = select(tables.delivery.c.connection).join(run, run.c.id == tables.delivery.c.run).distinct()
    return kinds, set(connection.execute(to.where(run.c.incident == incident)).scalars())
