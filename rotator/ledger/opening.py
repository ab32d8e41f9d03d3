"""Opening: when the runs of an approved plan begin: at once, with their wave, or after the rotator's own credential.

A wave begins when nothing of those before is at work any more: each run is through, or waits for somebody. Who waits
for a stolen credential to be contained counts as waiting: it may be one of the next wave. A consumer that fails in an
earlier wave trips the brake, a gate of the incident: the later waves wait until a person opens it. An undo of its run
takes nothing of that back; who skips the step says that it is all right.

What waits for the rotator's own credential begins when that is delivered, or a person skipped the delivery (his word
that it is there); or when a person has the run go ahead without it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, case, func, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import AT_ONCE, SCHEDULED, THROUGH, UNDOES, UNDONE, BranchState, StepState
from rotator.ledger import leak_safe, rows, statements, tables
from rotator.ledger.acts import act
from rotator.ledger.database import Database

BRAKE = "brake"
"""The gate that keeps later waves waiting."""
ROTATOR = "rotator"
"""Who trips the brake."""

_branch, _run, _step, _gate, _incident = tables.branch, tables.run, tables.step, tables.gate, tables.incident
_IN_A_WAVE = and_(
    _run.c.incident == _incident.c.id, _run.c.wave.between(1, _incident.c.wave), _run.c.dismissed.is_(None)
)
_SHUT = select(1).where(_gate.c.incident == _incident.c.id, _gate.c.name == BRAKE, _gate.c.open == 0).exists()
_MORE_WAVES = and_(_incident.c.approved_at.is_not(None), _incident.c.wave < _incident.c.waves, ~_SHUT)


def _at_work() -> ColumnElement[bool]:
    """Match an incident of which a run of the waves so far moves by itself, now or before its consumers were asked."""
    asked = select(1).where(
        _step.c.run == _run.c.id,
        _step.c.subject == Subject.CONSUMERS.value,
        _step.c.state.not_in([StepState.DONE.value, StepState.SKIPPED.value]),
    )
    awaits = select(1).where(tables.awaits.c.run == _run.c.id, tables.awaits.c.open == 1)
    moves = or_(
        _branch.c.state == BranchState.OPEN.value,
        leak_safe.SAFE_AGAIN,
        and_(
            _branch.c.state == BranchState.HELD.value, _branch.c.due_at.is_not(None), asked.exists(), ~statements.APART
        ),
        # It begins by itself once the rotator has its own hand back: else the waves would run empty meanwhile.
        and_(_branch.c.state == BranchState.WAITING.value, _branch.c.segment == 0, awaits.exists()),
    )
    at_work = select(1).join_from(_branch, _run, _run.c.id == _branch.c.run)
    return at_work.where(_branch.c.incident == _incident.c.id, _IN_A_WAVE, moves).correlate(_incident).exists()


def _delivered(lifeline: ColumnElement[str]) -> ColumnElement[bool]:
    """Match when a lifeline's replacement is where the rotator finds it: delivered, and who writes a file was told.

    Nobody waits for one that was dismissed. A delivery that a person skipped counts, unless something of that run was
    taken back since.
    """
    own, untold, place = tables.run.alias("own"), tables.step.alias("untold"), tables.step.alias("place")
    through = [state.value for state in THROUGH]
    promote = select(1).where(place.c.run == own.c.id, place.c.verb == Verb.PROMOTE.value)
    by_hand = and_(
        promote.where(place.c.state == StepState.SKIPPED.value).exists(),
        ~promote.where(place.c.state.not_in(through)).exists(),
        ~select(1).where(place.c.run == own.c.id, place.c.facts.contains(f'"{UNDOES}"')).exists(),
    )
    telling = select(1).where(
        untold.c.run == own.c.id,
        untold.c.verb == Verb.RELOAD.value,
        untold.c.state.not_in(through),
    )
    there = or_(own.c.replaced_at.is_not(None), by_hand)
    delivered = or_(own.c.dismissed.is_not(None), and_(there, ~telling.exists()))
    return select(1).where(own.c.id == lifeline, delivered).exists()


_NEXT = select(_incident.c.id).where(_MORE_WAVES, ~_at_work())
# With the incident of who waits: a lifeline may have stayed in one that was merged into it.
_MET = (
    select(tables.awaits.c.lifeline, _run.c.incident)
    .join(_run, _run.c.id == tables.awaits.c.run)
    .where(tables.awaits.c.open == 1, _delivered(tables.awaits.c.lifeline))
    .distinct()
)
_WILL_MOVE = (_NEXT.limit(1), _MET.limit(1))
_OF: BindParameter[Any] = bindparam("of_incidents", expanding=True)
_WILL_MOVE_OF = (_NEXT.where(_incident.c.id.in_(_OF)).limit(1), _MET.where(_run.c.incident.in_(_OF)).limit(1))


def begin(connection: Connection, incident: str) -> None:
    """Open what starts at once as a revision of the plan is approved; waves that have begun stay as they are."""
    begins = (_incident.c.id == incident, _incident.c.waves > 0, _incident.c.wave == 0)
    first = update(_incident).where(*begins).values(wave=1)
    connection.execute(first)
    _open(connection, incident)


def tick(database: Database, now: float) -> int:
    """Open what may start now, and trip the brakes that must; return how many incidents that changed."""
    with database.read() as connection:
        if not will_move(connection):
            return 0
    with database.write() as connection:
        changed: set[str] = set()
        for incident in connection.execute(_NEXT.with_for_update(skip_locked=True)).scalars().all():
            # Again, now that nobody else can change it: another may have led, and begun a wave, since it was read.
            if connection.execute(_NEXT.where(_incident.c.id == incident)).first() is None:
                continue
            changed.add(incident)
            if not _trips(connection, incident, now):
                connection.execute(
                    update(_incident).where(_incident.c.id == incident).values(wave=_incident.c.wave + 1)
                )
        for lifeline, incident in connection.execute(_MET).all():
            met = update(tables.awaits).where(tables.awaits.c.lifeline == lifeline).values(open=0)
            connection.execute(met)
            changed.add(incident)
        for incident in sorted(changed):
            _open(connection, incident)
    return len(changed)


def go_ahead(connection: Connection, run: str, name: str) -> list[str]:
    """Have an approved run that awaits lifelines begin without them, with its wave; return which it awaited.

    Empty where it awaits none, or does not begin with a step of that name.
    """
    awaits = tables.awaits
    query = select(awaits.c.lifeline).where(awaits.c.run == run, awaits.c.open == 1).order_by(awaits.c.lifeline)
    first = select(_step.c.name).where(_step.c.run == run).order_by(_step.c.position).limit(1)
    if connection.execute(query).first() is None or connection.execute(first).scalar() != name:
        return []
    # Locked in the order of a tick: the incident, what awaits, and its branches last.
    incident = connection.execute(
        select(_incident.c.id)
        .join(_run, _run.c.incident == _incident.c.id)
        .where(_run.c.id == run, _run.c.requested_at.is_not(None))
        .with_for_update()
    ).scalar()
    found = list(connection.execute(query).scalars()) if incident is not None else []
    if incident is not None and found:
        connection.execute(update(awaits).where(awaits.c.run == run).values(open=0))
        _open(connection, incident)
    return found


def will_move(connection: Connection, incidents: Collection[str] | None = None) -> bool:
    """Tell whether a tick would change something now; of these `incidents` alone, where some are named."""
    if incidents is None:
        return any(connection.execute(query).first() is not None for query in _WILL_MOVE)
    of = {"of_incidents": list(incidents)}
    return any(connection.execute(query, of).first() is not None for query in _WILL_MOVE_OF)


def count_later(connection: Connection, incident: str) -> int:
    """Return how many runs of an approved incident wait for nothing but their wave."""
    awaits = select(1).where(tables.awaits.c.run == _run.c.id, tables.awaits.c.open == 1).exists()
    query = (
        select(func.count(_branch.c.run.distinct()))
        .join_from(_branch, _run, _run.c.id == _branch.c.run)
        .join(_incident, _incident.c.id == _run.c.incident)
        .where(
            _incident.c.id == incident,
            _run.c.requested_at.is_not(None),
            _run.c.wave > _incident.c.wave,
            _run.c.dismissed.is_(None),
            _branch.c.segment == 0,
            _branch.c.state == BranchState.WAITING.value,
            ~awaits,
        )
    )
    return connection.execute(query).scalar_one()


def _open(connection: Connection, incident: str) -> None:
    begun = (
        select(_run.c.id)
        .join(_incident, _incident.c.id == _run.c.incident)
        .where(_incident.c.id == incident, _run.c.requested_at.is_not(None), _run.c.wave <= _incident.c.wave)
        .where(_run.c.dismissed.is_(None))
    )
    awaits = tables.awaits
    waits = select(1).where(awaits.c.run == _branch.c.run, awaits.c.open == 1).correlate(_branch).exists()
    connection.execute(
        update(_branch)
        .where(
            _branch.c.incident == incident,
            _branch.c.segment == 0,
            _branch.c.state == BranchState.WAITING.value,
            _branch.c.run.in_(begun),
            ~waits,
        )
        .values(state=BranchState.OPEN.value, due_at=AT_ONCE)
    )


def _trips(connection: Connection, incident: str, now: float) -> bool:
    """Shut the brake when a consumer failed since it was last opened; tell whether it did."""
    opened_at = connection.execute(
        select(_gate.c.at).where(_gate.c.incident == incident, _gate.c.name == BRAKE)
    ).scalar()
    undone = and_(_step.c.state == StepState.SKIPPED.value, _step.c.attempts > 0, _step.c.reason.startswith(UNDONE))
    # When it was taken back is not when it failed.
    failed_at = case((undone, _step.c.intended_at), else_=func.coalesce(_step.c.settled_at, _step.c.held_at, 0.0))
    asks = or_(
        _step.c.subject == Subject.CONSUMERS.value,
        and_(_step.c.subject == Subject.REPLACEMENT.value, _step.c.verb == Verb.VERIFY.value),
    )
    fails = or_(
        _step.c.state == StepState.FAILED.value,
        and_(_step.c.state == StepState.HELD.value, _step.c.reason != SCHEDULED),
        undone,
    )
    query = (
        select(_run.c.id, _step.c.name, _step.c.reason)
        .select_from(_run)
        .join(_incident, _incident.c.id == _run.c.incident)
        .join(_step, _step.c.run == _run.c.id)
        .where(_incident.c.id == incident, _IN_A_WAVE, asks, fails)
        .order_by(_run.c.id)
        .limit(1)
    )
    if opened_at is not None:
        query = query.where(failed_at > opened_at)
    found = connection.execute(query).first()
    if found is None:
        return False
    reason = f"{found.id} {found.name}: {found.reason}"
    shut = rows.plain({"open": 0, "at": now, "by": ROTATOR, "reason": reason})
    is_it = (_gate.c.incident == incident, _gate.c.name == BRAKE)
    if connection.execute(update(_gate).where(*is_it).values(shut)).rowcount == 0:
        connection.execute(insert(_gate).values(incident=incident, name=BRAKE, **shut))
    act(connection, incident, {"at": now, "act": "shut", "by": ROTATOR, "gate": BRAKE, "reason": reason})
    return True
