"""Take a planned run back that nobody has approved: nothing of it has begun, and another answers its credential."""

from __future__ import annotations

from sqlalchemy import Connection, case, delete, or_, select, update

from rotator.ledger import tables

_OF_RUN = ("accepted", "late", "sealed", "stands", "delivery", "reach", "proof", "step", "branch")


def withdraw(connection: Connection, run: str, into: str) -> None:
    """Delete a run that was never approved; where it was seen, and who waits for it, goes to what answers it now.

    That is a run, or a task for a person. Raises ValueError for a run that may have begun.
    """
    table, exposure, awaits = tables.run, tables.exposure, tables.awaits
    if connection.execute(select(table.c.requested_at).where(table.c.id == run)).scalar() is not None:
        raise ValueError(run)
    other = connection.execute(select(table.c.incident).where(table.c.id == into)).scalar()
    manual = select(tables.manual.c.incident).where(tables.manual.c.id == into)
    incident = other or connection.execute(manual).scalar_one()
    of = {"run": into if other else None, "manual": None if other else into, "incident": incident}
    connection.execute(update(exposure).where(exposure.c.run == run).values(of))
    told = tables.dismissal
    connection.execute(update(told).where(told.c.of == run).values(of=into, incident=incident))
    waiting = select(awaits.c.run).where(awaits.c.lifeline == run)
    if other is not None:
        known = select(awaits.c.run).where(awaits.c.lifeline == into)
        both = connection.execute(waiting.where(awaits.c.run.in_(known))).scalars().all()
        of_run = update(awaits).where(awaits.c.lifeline == run, awaits.c.run.not_in([*both, into]))
        connection.execute(of_run.values(lifeline=into))
        _read_on(connection, run, into)
    connection.execute(delete(awaits).where(or_(awaits.c.run == run, awaits.c.lifeline == run)))
    for name in _OF_RUN:
        of_name = tables.metadata.tables[name]
        connection.execute(delete(of_name).where(of_name.c.run == run))
    connection.execute(delete(table).where(table.c.id == run))


def _read_on(connection: Connection, run: str, into: str) -> None:
    """Have the run that answers count as a reader where the other did: beside a standing order it did unapproved."""
    reach = tables.reach
    counted = select(reach.c.open).where(reach.c.run == run, reach.c.open > 0)
    set_aside = select(reach.c.open).where(reach.c.run == run, reach.c.open < -tables.LIVES_ON)
    lowered = case((set_aside.exists(), tables.SET_ASIDE), else_=0)
    not_yet = (reach.c.run == into, reach.c.open.in_([-tables.LIVES, -tables.LIVES_ON]))
    of_both = update(reach).where(*not_yet, or_(counted.exists(), set_aside.exists()))
    connection.execute(of_both.values(open=-reach.c.open - lowered))
