"""Hygiene gives way to an incident at once, also for a credential that it has half replaced.

What has made nothing yet is left to the incident's own run, which replaces. What has begun a replacement goes on as
urgently as the incident, which needs none of its own: so two are never made.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, case, delete, select, update

from rotator.errors import BadInput
from rotator.flow.dismissal import DISMISSED, refuse_at_work
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import BRINGING, Subject
from rotator.flow.run import THROUGH, BranchState
from rotator.ledger import drills, rows, tables
from rotator.ledger.acts import act
from rotator.ledger.run_at_hand import RunAtHand, hold

ACT = "gave_way"
_ROTATOR = "rotator"
_branch, _hygiene, _run, _step = tables.branch, tables.hygiene, tables.run, tables.step
_BEGINS = sorted(each.value for each in BRINGING)
_THROUGH = sorted(each.value for each in THROUGH)


def gives_way(run: FromClause) -> ColumnElement[bool]:
    """Match a run of hygiene that has begun no replacement: another that comes makes its own."""
    begun = select(1).where(
        _step.c.run == run.c.id,
        _step.c.subject == Subject.REPLACEMENT.value,
        _step.c.verb.in_(_BEGINS),
        _step.c.attempts > 0,
    )
    of_hygiene = select(1).where(_hygiene.c.incident == run.c.incident)
    return and_(of_hygiene.correlate(run).exists(), ~begun.correlate(run).exists())


def preempt(connection: Connection, incident: str, now: float) -> None:
    """Have hygiene give way to what is about to be approved of an incident; hygiene and drills preempt nothing."""
    is_hygiene = connection.execute(select(_hygiene.c.policy).where(_hygiene.c.incident == incident)).first()
    if is_hygiene is not None or drills.find(connection, incident) is not None:
        return
    for run, priority in _in_the_way(connection, incident):
        held = hold(connection, run)
        if held is None or held.run.dismissed is not None:
            continue
        try:
            refuse_at_work(held.run, held.steps, ())
        except BadInput:
            _hurry(connection, run, priority)
            how = "it goes on as urgently: its replacement has begun"
        else:
            _set_aside(connection, held, incident)
            how = "it is left to that: nothing was replaced yet"
        told = {"at": now, "act": ACT, "by": _ROTATOR, "of": run, "to": incident, "how": how}
        act(connection, held.run.incident, told)


def _in_the_way(connection: Connection, incident: str) -> list[tuple[str, float]]:
    """Return the open runs of hygiene for an owner of which nobody has approved a run yet, each with its urgency."""
    # Asked apart, not as one join: of two large incidents of one account that compares each run with each.
    unfinished = select(1).where(_step.c.run == _run.c.id, _step.c.state.not_in(_THROUGH))
    theirs = connection.execute(
        select(_run.c.id, *_answered(_run))
        .join(_hygiene, _hygiene.c.incident == _run.c.incident)
        .where(_run.c.requested_at.is_not(None), _run.c.dismissed.is_(None), unfinished.correlate(_run).exists())
        .order_by(_run.c.id)
    ).all()
    if not theirs:
        return []
    mine = connection.execute(
        select(_run.c.priority, *_answered(_run))
        .where(_run.c.incident == incident, _run.c.requested_at.is_(None), _run.c.dismissed.is_(None))
        .order_by(_run.c.priority)
    )
    urgency = {tuple(answered): priority for priority, *answered in mine}  # the most urgent one's stays
    return [(run, urgency[tuple(answered)]) for run, *answered in theirs if tuple(answered) in urgency]


def _answered(run: FromClause) -> list[ColumnElement[str]]:
    """Return what names the owner whom a run answers, and the credential where nobody owns it."""
    alone = case((run.c.owner == "", run.c.credential), else_="")
    return [run.c.provider, run.c.connection, run.c.owner, alone]


def _set_aside(connection: Connection, held: RunAtHand, incident: str) -> None:
    """Leave the run alone from now on. A worker that is at it has lost its claim, and sends nothing more."""
    why = str(rows.plain(f"routine: {incident} answers this owner's credential now"))
    connection.execute(update(_run).where(_run.c.id == held.run.id).values(dismissed=why, why=why))
    rests: dict[str, Any] = {"state": BranchState.HELD.value, "due_at": None, "sent_at": None, "granted": None}
    open_ones = (_branch.c.run == held.run.id, _branch.c.state != BranchState.DONE.value)
    connection.execute(
        update(_branch)
        .where(*open_ones)
        .values(**rests, holder=None, fence=_branch.c.fence + 1, reason=DISMISSED + why)
    )
    connection.execute(delete(tables.mint).where(tables.mint.c.branch.in_([each["id"] for each in held.branches])))


def _hurry(connection: Connection, run: str, priority: float) -> None:
    """Have what is left of the run go in the lanes of an incident, as urgently as that."""
    lane = case((_step.c.subject == Subject.EXPOSED.value, Lane.CONTAIN.value), else_=Lane.REPLACE.value)
    ahead = (_step.c.run == run, _step.c.lane == Lane.HYGIENE.value, _step.c.state.not_in(_THROUGH))
    connection.execute(update(_step).where(*ahead).values(lane=lane))
    urgent = case((_branch.c.priority < priority, priority), else_=_branch.c.priority)
    connection.execute(update(_branch).where(_branch.c.run == run).values(priority=urgent, lane=Lane.REPLACE.value))
