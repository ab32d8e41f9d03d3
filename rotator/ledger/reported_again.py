"""What is reported again though it was dead: its incident is opened again, and says which one answers it now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rotator.flow.exposure import Certainty, Exposure
from rotator.flow.resurrection import DAY_S
from rotator.ledger import gone, revisions, tables
from rotator.ledger.acts import act, lock
from rotator.ledger.database import Database
from rotator.ledger.notices import tell
from rotator.ledger.statements import REF
from rotator.notices.event import Event
from rotator.seal import Seal

BY = "resurrection watch"
"""In whose name it is done."""
LASTS_S = 2 * DAY_S
"""So long what an incident is told of again is looked at, and its material kept: its issuer may be away for a day."""
_incident, _run = tables.incident, tables.run
IS_REAL = and_(
    ~select(1).where(tables.hygiene.c.incident == _run.c.incident).correlate(_run).exists(),
    ~select(1).where(tables.drill.c.incident == _run.c.incident).correlate(_run).exists(),
    ~gone.is_gone(_run.c.incident),
)
"""Of hygiene nobody stole anything, of a drill there is nothing left, and to what was deleted nothing is added."""


def named_again(database: Database, since: float, now: float, lasts_s: float) -> list[tuple[str, str]]:
    """Reopen what a plan made since then has as seen again, though it was dead; return pairs of runs, old and new.

    What is only within somebody's reach, as all that a paused vendor holds, nobody has reported.
    """
    other, plan, noticed, exposure = _run.alias("other"), tables.plan, tables.noticed, tables.exposure
    same = and_(*(other.c[name] == _run.c[name] for name in REF), other.c.incident != _run.c.incident)
    reported = select(1).where(exposure.c.run == other.c.id, exposure.c.certainty == Certainty.SEEN.value)
    query = (
        select(_run.c.id, _run.c.incident, _run.c.credential, other.c.id.label("by"), other.c.incident.label("of"))
        .select_from(plan)
        .join(other, and_(other.c.incident == plan.c.incident, other.c.revision == plan.c.number))
        .join(_run, same)
        .where(plan.c.made_at > since, _run.c.dead_at < plan.c.made_at, _run.c.dead_at > now - lasts_s)
        .where(_run.c.dismissed.is_(None), other.c.dismissed.is_(None), IS_REAL, reported.exists())
        .order_by(_run.c.id, other.c.id)
    )
    with database.read() as connection:
        found = connection.execute(query).all()
    told = []
    for row in found:
        what = f"named again {row.by}"
        with database.write() as connection:
            family = locked_family(connection, row.incident)
            known = select(noticed.c.what).where(noticed.c.incident == row.id, noticed.c.what == what)
            if connection.execute(known).first() is not None:
                continue
            connection.execute(insert(noticed).values(incident=row.id, what=what))
            record = {"at": now, "act": "named_again", "by": BY, "run": row.id, "in": row.of, "as": row.by}
            act(connection, row.incident, record)
            says = f"{row.credential} was reported again, and is answered in {row.of}"
            reopen(connection, family, says, now)
            tell(connection, family[0], Event.CAME_BACK, {"because": f"{says} ({row.by})", "by": BY}, now)
        told.append((row.id, row.by))
    return told


def look_soon(connection: Connection, seen: Mapping[str, Sequence[Exposure]], seal: Seal, now: float) -> list[str]:
    """Have those of an incident's own runs looked at next that are dead and were reported once more; return them.

    Each is knocked with what the report has of it: what it was declared with is destroyed.
    """
    names, found = sorted(seen), dict[str, float]()
    for start in range(0, len(names), 500):
        dead = and_(_run.c.id.in_(names[start : start + 500]), _run.c.dead_at.is_not(None), _run.c.dismissed.is_(None))
        query = select(_run.c.id, _run.c.dead_at).where(dead, IS_REAL)
        found |= {row.id: row.dead_at for row in connection.execute(query)}
    for run, dead_at in found.items():
        _look_next(connection, run, dead_at, now)
        _seal_again(connection, run, seen[run], seal, now)
    return sorted(found)


def _look_next(connection: Connection, run: str, dead_at: float, now: float) -> None:
    watched = tables.watched
    until = connection.execute(select(watched.c.until).where(watched.c.run == run)).scalar() or now
    given = {"since": dead_at, "due_at": now, "until": max(until, now + LASTS_S)}
    adding = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(watched)
    # The watch may be noting this very death.
    connection.execute(
        adding.values(run=run, **given).on_conflict_do_update(index_elements=[watched.c.run], set_=given)
    )


def _seal_again(connection: Connection, run: str, seen: Iterable[Exposure], seal: Seal, now: float) -> None:
    secret = next((each.leaked.secret for each in seen if each.leaked.secret is not None), None)
    if secret is None:
        return
    sealed = tables.sealed
    kept = connection.execute(select(sealed.c.expires_at).where(sealed.c.run == run)).scalar() or now
    connection.execute(delete(sealed).where(sealed.c.run == run))
    expires_at = max(kept, now + LASTS_S)
    connection.execute(insert(sealed).values(run=run, blob=seal.close(secret, run), expires_at=expires_at))


def locked_family(connection: Connection, incident: str) -> list[str]:
    """Lock an incident with all that it was merged with; return their names, of the one that they are first."""
    top = revisions.told_in(connection, incident)
    family = [top, *revisions.merged(connection, top)]
    lock(connection, family)
    return family


def reopen(connection: Connection, family: Sequence[str], why: str, now: float) -> None:
    """Take back that they are closed, of those that are."""
    closed: ColumnElement[bool] = and_(_incident.c.id.in_(family), _incident.c.closed_at.is_not(None))
    found = sorted(connection.execute(select(_incident.c.id).where(closed)).scalars())
    if not found:
        return
    none: Mapping[str, None] = dict.fromkeys(("closed_at", "closed_by", "closed_reason"))
    connection.execute(update(_incident).where(_incident.c.id.in_(found)).values(none))
    for each in found:
        act(connection, each, {"at": now, "act": "reopened", "by": BY, "reason": why})
