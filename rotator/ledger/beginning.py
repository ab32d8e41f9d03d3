"""What begins as revisions of a plan are approved: their runs, and what of them counts from then on as living."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, select, update

from rotator.ledger import opening, tables


def let_begin(connection: Connection, row: RowMapping, numbers: list[int], by: str, now: float) -> None:
    """Let the runs of those revisions of an incident, which is `row`, begin at `now`, or with their wave."""
    incident, plan, run = row["id"], tables.plan, tables.run
    said = {"approved_at": now, "approved_by": by}
    of_plan = update(plan).where(plan.c.incident == incident, plan.c.number.in_(numbers))
    connection.execute(of_plan.values(said))
    of_runs = (run.c.incident == incident, run.c.revision.in_(numbers), run.c.dismissed.is_(None))
    connection.execute(update(run).where(*of_runs).values(requested_at=now))
    waves = connection.execute(select(func.coalesce(func.max(run.c.wave), 0)).where(*of_runs)).scalar_one()
    first = said if row["approved_at"] is None else {}
    of_incident = update(tables.incident).where(tables.incident.c.id == incident)
    connection.execute(of_incident.values(waves=max(waves, row["waves"]), **first))
    begun = select(run.c.id).where(run.c.incident == incident, run.c.dismissed.is_(None))
    living = update(tables.reach).where(tables.reach.c.run.in_(begun), tables.reach.c.open < 0)
    connection.execute(living.values(open=-tables.reach.c.open))
    mine, told_there = _told_by_earlier(incident, numbers)
    # Contained elsewhere before, when it counted unapproved, and resumed there since: it tells that it lives.
    again = update(tables.reach).where(tables.reach.c.run.in_(mine), tables.reach.c.open == 0)
    connection.execute(again.values(open=tables.LIVES))
    gone = update(tables.reach).where(tables.reach.c.open > 0, told_there)
    connection.execute(gone.values(open=0))
    opening.begin(connection, incident)


def _told_by_earlier(incident: str, numbers: list[int]) -> tuple[Select[Any], ColumnElement[bool]]:
    """Ask for the runs of these revisions whose credential a run of another incident says lives, and where both say it.

    From now on the former tell. One that was resumed there, or could not be stopped, would else keep all waiting who
    deliver where it reads. Where only the other one knows that it reads, that one goes on telling.
    """
    mine, other, living = tables.run.alias("mine"), tables.run.alias("other"), tables.reach.alias("living")
    reach, shared = tables.reach, tables.reach.alias("shared")
    same = and_(
        *(mine.c[name] == other.c[name] for name in ("provider", "connection", "owner", "credential", "generation")),
        mine.c.incident == incident,
        mine.c.revision.in_(numbers),
        mine.c.dismissed.is_(None),
        other.c.incident != incident,
    )
    both = other.join(living, living.c.run == other.c.id).join(mine, same)
    told = select(mine.c.id).select_from(both).where(living.c.open > 0)
    # From each reader to its run, and not from each connection to its readers: thousands read one connection.
    in_both = other.join(mine, same).join(shared, shared.c.run == mine.c.id)
    there = select(1).select_from(in_both).where(other.c.id == reach.c.run, shared.c.connection == reach.c.connection)
    return told, there.correlate(reach).exists()
