"""What of an incident still moves, or waits after its death: counted by the database, which reads no run for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, or_, select

from rotator.claims import GATE
from rotator.flow.run import BranchState
from rotator.ledger import leak_safe, opening, tables, why_stopped
from rotator.ledger import stops as stops_in
from rotator.ledger.stops import Stop
from rotator.ledger.waits import UNSAFE
from rotator.ledger.which import parts

SOON_S = 60.0
"""A branch that is due later than this is waiting, not working. An undo that waits for a lost call is at work."""
ASKING, BEING_REPLACED, WAITING = "asking", "being_replaced", "waiting"
_branch, _run = tables.branch, tables.run
_DEAD_AND = (ASKING, BEING_REPLACED, WAITING)
"""What else is to be said of the dead, as `Progress` has it: what is said first goes before the others."""


@dataclass(frozen=True, slots=True)
class Moving:
    """What `Progress` says beside the states of credentials."""

    busy: bool
    being_replaced: int
    waiting: int
    asking: int
    stopped: tuple[Stop, ...]


def moving(connection: Connection, family: Collection[str], untold: Iterable[str], now: float) -> Moving:
    """Return what still moves of incidents that are one. `untold` are the runs whose credential another one tells."""
    counts = _dead_and(connection, _branch.c.incident.in_(family))
    for part in parts(untold):
        counts.subtract(_dead_and(connection, and_(_branch.c.incident.in_(family), _branch.c.run.in_(part))))
    return Moving(
        busy=is_busy(connection, family, now),
        being_replaced=counts[BEING_REPLACED],
        waiting=counts[WAITING],
        asking=counts[ASKING],
        stopped=stopped(connection, family),
    )


def is_busy(connection: Connection, family: Collection[str], now: float) -> bool:
    """Tell whether something of incidents that are one still moves by itself."""
    state, free = _branch.c.state, _free(connection)
    soon = and_(state == BranchState.HELD.value, _branch.c.due_at < now + SOON_S)
    # What is stopped moves no more, once the worker that is at it has given way.
    moves = and_(or_(state == BranchState.OPEN.value, soon), or_(_branch.c.holder.is_not(None), free))
    return (
        _is_there(connection, family, moves)
        or _is_there(connection, family, and_(leak_safe.SAFE_AGAIN, free))
        or opening.will_move(connection, family)
    )


def stopped(connection: Connection, family: Collection[str]) -> tuple[Stop, ...]:
    """Return the stops that hold back something of incidents that are one."""
    in_force = stops_in.find(connection)
    unfinished = _branch.c.state != BranchState.DONE.value
    if not in_force or not _is_there(connection, family, and_(unfinished, why_stopped.of_branch().is_not(None))):
        return ()
    delivery, mine = tables.delivery, and_(_branch.c.incident.in_(family), unfinished)
    at = select(_run.c.connection).join(_branch, _branch.c.run == _run.c.id).where(mine)
    into = select(delivery.c.connection).join(_branch, _branch.c.run == delivery.c.run).where(mine)
    connections = set(connection.execute(at.union(into)).scalars())
    return tuple(concerning(in_force, family, connections))


def concerning(stops: Iterable[Stop], incidents: Container[str], connections: Container[str]) -> list[Stop]:
    """Return the stops that hold back something of incidents which have to do with those connections."""
    return [
        each
        for each in stops
        if each.scope == stops_in.ALL
        or (each.scope == stops_in.INCIDENT and each.name in incidents)
        or (each.scope == stops_in.CONNECTION and each.name in connections)
    ]


def _dead_and(connection: Connection, which: ColumnElement[bool]) -> Counter[str]:
    """Return how many dead ones are what else, of which branches."""
    state, reason = _branch.c.state, func.coalesce(_branch.c.reason, "")
    held = and_(state == BranchState.HELD.value, _branch.c.due_at.is_(None))  # else it waits for its time alone
    by_itself = or_(*(func.substr(reason, 1, len(each)) == each for each in (UNSAFE, GATE)))
    place = case(
        (and_(held, by_itself), literal(_DEAD_AND.index(WAITING))),
        (or_(held, state == BranchState.FAILED.value), literal(_DEAD_AND.index(ASKING))),
        (state == BranchState.OPEN.value, literal(_DEAD_AND.index(BEING_REPLACED))),
    )
    of_run = (
        select(func.min(place).label("place"))
        .join_from(_branch, _run, _run.c.id == _branch.c.run)
        .where(which, state != BranchState.DONE.value, _run.c.evidence != "none", _run.c.dismissed.is_(None))
        .group_by(_branch.c.run)
        .subquery()
    )
    counted = select(of_run.c.place, func.count()).where(of_run.c.place.is_not(None)).group_by(of_run.c.place)
    return Counter({_DEAD_AND[each]: count for each, count in connection.execute(counted)})


def _free(connection: Connection) -> ColumnElement[bool]:
    """Ask whether nobody stopped a branch, its incident or its connection."""
    return why_stopped.of_branch().is_(None) if stops_in.find(connection) else literal(1) == 1


def _is_there(connection: Connection, family: Collection[str], what: ColumnElement[bool]) -> bool:
    """Tell whether incidents that are one have such a branch."""
    found = select(_branch.c.id).where(_branch.c.incident.in_(family), what).limit(1)
    return connection.execute(found).first() is not None
