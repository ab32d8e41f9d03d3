"""Plans as they were shown, revision by revision: each with what it stands on, so that a stale one is refused."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.basis import changed
from rotator.ledger import documents, earlier, rows, tables
from rotator.ledger.revisions import Revision, unapproved

Basis = Callable[[Mapping[CredentialRef, str], Iterable[str]], Mapping[str, str]]
"""What a plan for credentials (with their kinds) that are delivered to these connections stands on now."""


def keep(connection: Connection, incident: str, revision: Revision, document: Mapping[str, Any], basis: Basis) -> str:
    """Keep a revision as it is shown, and the fingerprints of what it stands on; return the document's own."""
    text = json.dumps(rows.plain(document), sort_keys=True, separators=(",", ":"))
    stands_on = basis(*_made_of(connection, incident, revision.number))
    connection.execute(
        insert(tables.plan).values(
            incident=incident,
            **rows.plain(asdict(revision)),
            basis=rows.text(rows.plain(dict(stands_on))),
            document=zlib.compress(text.encode()),
        )
    )
    return hashlib.sha256(text.encode()).hexdigest()


def shown(connection: Connection, incident: str, number: int | None = None) -> dict[str, Any]:
    """Return the document of a revision, the newest if none is named; empty where a release kept none."""
    plan = tables.plan
    query = select(plan.c.document).where(plan.c.incident == incident).order_by(plan.c.number.desc()).limit(1)
    found = connection.execute(query if number is None else query.where(plan.c.number == number)).scalar()
    return documents.read(zlib.decompress(found).decode()) if found else {}


def stale(connection: Connection, incident: str, basis: Basis) -> tuple[str, str] | None:
    """Say why what nobody has approved yet is stale, and what to do; None where it is not.

    Another incident replaces one of its credentials, or leaves alive who reads where this one delivers, or what a
    revision was made from has changed.
    """
    waiting = unapproved(connection, incident)
    if not waiting:
        return None
    again = (
        "declare it again"
        if waiting[-1].number == 1
        else f"add what it names once more (rotator incident add {incident} FILE…): it is then planned anew"
    )
    if (other := connection.execute(earlier.answered_meanwhile(incident)).first()) is not None:
        return (
            f"{other.id} replaces {other.credential}, and a second would be an orphan",
            f"{again}: the new plan will only prove that one dead",
        )
    if (other := connection.execute(earlier.in_each_others_way(incident)).first()) is not None:
        return (
            f"{other.id}, approved since, and this one would show each other's new secrets on {other.connection}",
            f"{again}: the new plan contains first",
        )
    for revision in waiting:
        to = _made_of(connection, incident, revision.number)[1]
        for left in earlier.left_alive(connection, since=revision.made_at):
            if left.incident != incident and (passed := sorted(left.reaches & to)):
                return (
                    f"{left.incident}, approved since, left {left.key} alive, which may read on {passed[0]}",
                    f"{again}, and look at the new plan's warning",
                )
    if differs := changed_since(connection, incident, basis):
        return f"changed since it was made: {'; '.join(differs)}", f"{again}, and look at the new plan"
    return None


def refuse_stale(connection: Connection, incident: str, basis: Basis) -> None:
    """Raise BadInput where what nobody approved of an incident may not be any more."""
    if (found := stale(connection, incident, basis)) is not None:
        raise BadInput(f"the plan is stale: {found[0]}", incident, found[1])


def changed_since(connection: Connection, incident: str, basis: Basis) -> list[str]:
    """Return the names of what is not as it was when what nobody approved yet was planned."""
    plan = tables.plan
    for revision in unapproved(connection, incident):
        of_it = select(plan.c.basis).where(plan.c.incident == incident, plan.c.number == revision.number)
        kept = json.loads(connection.execute(of_it).scalar_one())
        if differs := changed(kept, basis(*_made_of(connection, incident, revision.number))):
            return differs
    return []


def stand_anew(connection: Connection, incident: str, basis: Basis) -> None:
    """Let what nobody approved yet stand on what is left of it, some of its runs having been taken back."""
    plan = tables.plan
    for revision in unapproved(connection, incident):
        now = basis(*_made_of(connection, incident, revision.number))
        of_it = update(plan).where(plan.c.incident == incident, plan.c.number == revision.number)
        connection.execute(of_it.values(basis=rows.text(rows.plain(dict(now)))))


def _made_of(connection: Connection, incident: str, number: int) -> tuple[dict[CredentialRef, str], set[str]]:
    """Return the credentials of a revision's runs with their kinds, and the connections that they are delivered to."""
    run = tables.run
    of_it = (run.c.incident == incident, run.c.revision == number)
    names = (run.c.provider, run.c.connection, run.c.owner, run.c.credential, run.c.generation)
    kinds = {
        CredentialRef(*each[:5]): each.kind for each in connection.execute(select(*names, run.c.kind).where(*of_it))
    }
    to = select(tables.delivery.c.connection).join(run, run.c.id == tables.delivery.c.run).distinct()
    return kinds, set(connection.execute(to.where(*of_it)).scalars())
