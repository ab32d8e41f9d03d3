"""How a revision goes with what is there already: who waits for whom, told before anybody says yes to it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, and_, func, or_, select

from rotator.flow.order import names
from rotator.flow.planned import Plan
from rotator.ledger import tables
from rotator.ledger.revisions import merged, predecessors


def beside(connection: Connection, incident: str, plan: Plan) -> tuple[list[str], dict[tuple[str, ...], str]]:
    """Return a sentence for each: what a run of ours made and has leaked, and how a plan goes with its incident.

    That is what lives and may read new secrets, what delivers to where new ones read, and the waves. `incident` is ""
    for one that is not there yet. Beside it, by provider, connection, owner and id, the runs that made what has leaked.
    """
    made_by = predecessors(connection, (each.ref for each in plan.runs))
    again = [f"{ref.id} was made by {run}, as a replacement, and has leaked itself" for ref, run in made_by.items()]
    named: dict[tuple[str, ...], str] = {
        (ref.provider, ref.connection, ref.owner, ref.id): run for ref, run in made_by.items()
    }
    if not incident:
        return again, named
    family = [incident, *merged(connection, incident)]
    ahead = [*_read_here(connection, family, plan), *_delivered_here(connection, family, plan)]
    return [*again, *ahead, *_waves(connection, incident, plan)], named


def _read_here(connection: Connection, family: list[str], plan: Plan) -> Iterable[str]:
    run, reach = tables.run, tables.reach
    passed = sorted({at for each in plan.runs for at in each.passes})
    lives = or_(reach.c.open > 0, and_(reach.c.open < 0, reach.c.incident.in_(family)))
    query = select(reach.c.connection, run.c.credential, run.c.id).join(run, run.c.id == reach.c.run)
    found: dict[str, list[str]] = {}
    for at, credential, of in connection.execute(query.where(reach.c.connection.in_(passed), lives).order_by(run.c.id)):
        found.setdefault(at, []).append(f"{credential} ({of})")
    for at, readers in sorted(found.items()):
        yield f"new secrets here pass {at}, and wait until these can read there no more: {names(readers)}"


def _delivered_here(connection: Connection, family: list[str], plan: Plan) -> Iterable[str]:
    run, delivery = tables.run, tables.delivery
    read = {at for each in plan.runs for at in each.reaches}
    query = select(delivery.c.connection, run.c.id).join(run, run.c.id == delivery.c.run)
    ahead = (delivery.c.connection.in_(sorted(read)), run.c.incident.in_(family), run.c.replaced_at.is_(None))
    found: dict[str, list[str]] = {}
    for at, of in connection.execute(query.where(*ahead).order_by(run.c.id)):
        found.setdefault(at, []).append(of)
    for at, runs in sorted(found.items()):
        mine = names([each.ref.id for each in plan.runs if at in each.reaches])
        verb = "brings" if len(runs) == 1 else "bring"
        yield f"{names(runs)} {verb} a new secret to {at}, once this is approved only when {mine} read there no more"


def _waves(connection: Connection, incident: str, plan: Plan) -> Iterable[str]:
    run = tables.run
    last = connection.execute(select(func.max(run.c.wave)).where(run.c.incident == incident)).scalar()
    if plan.waves and last:
        yield f"production here goes as waves {last + 1} to {last + plan.waves}, after that of the earlier ones"
