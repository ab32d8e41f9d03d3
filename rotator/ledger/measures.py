"""What /metrics tells of the ledger: how much is open, how old it is, and whether the machinery behind it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Join, and_, case, func, select

from rotator.flow.budget import FAILURES
from rotator.flow.planned import Lane
from rotator.flow.proof import Evidence
from rotator.flow.run import BranchState
from rotator.flow.step import LOST_AT
from rotator.ledger import drills, tables, why_stopped
from rotator.ledger.told import WAITING

BUCKETS_S = (300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 604_800.0)
"""Five minutes, in which thieves use a leaked key, to a week."""

_run, _branch, _step, _message = tables.run, tables.branch, tables.step, tables.message


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts and moments, now. Times in epoch seconds, None where there is nothing of the kind.

    `revoked` are the credentials proven dead by the bucket of `BUCKETS_S` in which their time to revoke ends, each
    with all before it; `revoked_s` is the sum of those times.
    """

    live_exposed: Mapping[str, int]
    oldest_live: float | None
    due: Mapping[Lane, int]
    oldest_sent: Mapping[Lane, float]
    lost: int
    breakers_open: int
    messages_waiting: int
    oldest_message: float | None
    revoked: tuple[int, ...]
    revoked_total: int
    revoked_s: float


def measure(connection: Connection, now: float) -> Measures:
    """Return them, by a few queries that an index or one pass over the runs answers."""
    alive = and_(
        _run.c.contained_at.is_(None), _run.c.let_in_at.is_(None), _run.c.dismissed.is_(None), drills.is_none(_run)
    )
    by_kind = select(_run.c.kind, func.count().label("many")).where(alive).group_by(_run.c.kind)
    oldest = select(func.min(_detected_at())).select_from(_detected()).where(alive)
    waiting = select(func.count(), func.min(_message.c.made_at)).where(_message.c.state == WAITING)
    broken = select(func.count()).where(tables.account.c.failures >= FAILURES)
    told, since = connection.execute(waiting).one()
    revoked, total, seconds = _revoked(connection)
    return Measures(
        live_exposed={row.kind: row.many for row in connection.execute(by_kind)},
        oldest_live=connection.execute(oldest).scalar(),
        due=_due(connection, now),
        oldest_sent=_oldest_sent(connection),
        lost=_lost(connection),
        breakers_open=connection.execute(broken).scalar_one(),
        messages_waiting=told,
        oldest_message=since,
        revoked=revoked,
        revoked_total=total,
        revoked_s=seconds,
    )


def _detected() -> Join:
    plan, incident = tables.plan, tables.incident
    of_its_revision = and_(plan.c.incident == _run.c.incident, plan.c.number == _run.c.revision)
    return _run.join(incident, incident.c.id == _run.c.incident).outerjoin(plan, of_its_revision)


def _detected_at() -> ColumnElement[float]:
    """Select from when the clocks of a run's credential count: its revision's time, where that is kept."""
    return func.coalesce(func.nullif(tables.plan.c.detected_at, 0.0), tables.incident.c.detected_at)


def _due(connection: Connection, now: float) -> dict[Lane, int]:
    """Count what could be at work and is in nobody's hand."""
    query = (
        select(_branch.c.lane, func.count().label("many"))
        .where(tables.MAY_BE_SENT, _branch.c.due_at <= now, why_stopped.of_branch().is_(None))
        .group_by(_branch.c.lane)
    )
    found: dict[str, int] = {row.lane: row.many for row in connection.execute(query)}
    return {lane: found.get(lane.value, 0) for lane in Lane}


def _oldest_sent(connection: Connection) -> dict[Lane, float]:
    """Return when the oldest message of each lane was sent that nobody has taken."""
    query = (
        select(_branch.c.lane, func.min(_branch.c.sent_at))
        .where(_branch.c.sent_at.is_not(None), _branch.c.holder.is_(None))
        .group_by(_branch.c.lane)
    )
    return {Lane(lane): sent_at for lane, sent_at in connection.execute(query)}


def _lost(connection: Connection) -> int:
    """Count the steps of branches at work, or at rest till later, whose worker was lost."""
    at_work = _branch.c.state.in_([BranchState.OPEN.value, BranchState.HELD.value])
    query = (
        select(func.count())
        .select_from(_branch.join(_step, and_(_step.c.run == _branch.c.run, _step.c.branch == _branch.c.id)))
        .where(at_work, _step.c.facts.contains(f'"{LOST_AT}":', autoescape=True))
    )
    return connection.execute(query).scalar_one()


def _revoked(connection: Connection) -> tuple[tuple[int, ...], int, float]:
    took = _run.c.dead_at - _detected_at()
    took_s = case((took < 0.0, 0.0), else_=took)
    within = [func.coalesce(func.sum(case((took_s <= bucket, 1), else_=0)), 0) for bucket in BUCKETS_S]
    proven = and_(_run.c.evidence == Evidence.PROVEN.value, _run.c.dead_at.is_not(None), drills.is_none(_run))
    query = select(func.count(), func.coalesce(func.sum(took_s), 0.0), *within).select_from(_detected()).where(proven)
    total, seconds, *counts = connection.execute(query).one()
    return tuple(int(each) for each in counts), total, float(seconds)
