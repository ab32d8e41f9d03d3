"""One small row for a run or a task, made of what the ledger has of it."""

from __future__ import annotations

from sys import intern

from rotator.flow.apart import at_hand
from rotator.flow.proof import Evidence
from rotator.flow.resurrection import came_back
from rotator.flow.reversibility import destroys
from rotator.flow.run import THROUGH, StepState
from rotator.flow.standing import CredentialState, resumed, state_of
from rotator.ledger.moves_on import is_gated
from rotator.ledger.records import ManualTask, RunRecord
from rotator.ledger.waits import is_paused, is_unsafe
from rotator.report.ways import waiting
from rotator.shown.row import Needs, Row


def of_run(record: RunRecord, place: int, detected_at: float) -> Row:
    """Return the row of a run, of the incident at that place."""
    run = record.run
    return Row(
        run=run.id,
        incident=intern(run.incident),
        place=place,
        provider=intern(run.kind),
        connection=intern(run.ref.connection),
        owner=run.ref.owner,
        id=run.ref.id,
        strategy=run.strategy.value,
        wave=run.wave,
        priority=run.priority,
        revision=run.revision,
        state=state_of(run, record.steps, record.proofs),
        evidence=run.evidence.value,
        detected_at=detected_at,
        requested_at=run.requested_at,
        acknowledged_at=run.acknowledged_at,
        contained_at=run.contained_at,
        dead_at=run.dead_at,
        replaced_at=run.replaced_at,
        converged_at=run.converged_at,
        destroys_at=_destroys_at(record),
        needs=_needs(record),
        touches=_touches(record),
        settled_by=record.settled_by.run if record.settled_by is not None else "",
    )


def of_task(task: ManualTask, place: int, detected_at: float) -> Row:
    """Return the row of a task."""
    is_open = task.dismissed is None
    return Row(
        run=task.id,
        incident=intern(task.incident),
        place=place,
        provider=intern(task.kind or ""),
        connection="",
        owner="",
        id=task.key,
        strategy="",
        wave=0,
        priority=0.0,
        revision=task.revision,
        state=CredentialState.MANUAL if is_open else CredentialState.DISMISSED,
        evidence=Evidence.NONE.value,
        detected_at=detected_at,
        needs=Needs.TASK if is_open else None,
        is_task=True,
    )


def _needs(record: RunRecord) -> Needs | None:
    """Return why a run needs a person. One that waits for a gate, or till no thief can read, is told with these."""
    run, steps = record.run, at_hand(record.steps)
    if run.dismissed is not None:
        return None
    alive = run.evidence is Evidence.NONE and run.let_in_at is None and record.settled_by is None
    if alive and _is_back(record):
        return Needs.ALIVE_AGAIN
    if any(step.state is StepState.FAILED for step in record.steps):
        return Needs.FAILED
    if any(step.asks for step in steps):
        return Needs.BY_HAND
    if any(step.waits_for_person and not (is_unsafe(step) or is_paused(step) or is_gated(step)) for step in steps):
        return Needs.HELD
    through = bool(steps) and all(step.state in THROUGH for step in steps)
    if (alive and through) or any(step.state in THROUGH for step in waiting(record)):
        return Needs.LEFT_OPEN
    return None


def _is_back(record: RunRecord) -> bool:
    """Tell whether somebody resumed it, or it came back by itself."""
    steps = record.steps
    return record.resumed_by is not None or resumed(steps) is not None or came_back(steps) is not None


def _destroys_at(record: RunRecord) -> float | None:
    """Return before when a destruction that is scheduled does not come; None where none is."""
    if record.run.dismissed is not None:
        return None
    waiting = (each for each in record.steps if each.waits_for_time and destroys(each.verb, each.subject))
    return min((each.held_at + (each.hold_for_s or 0.0) for each in waiting if each.held_at is not None), default=None)


def _touches(record: RunRecord) -> tuple[str, ...]:
    """Return where a stop would hold it: at its issuer, where it has still to deliver; nowhere once it is through."""
    run = record.run
    if run.dismissed is not None or run.requested_at is None:
        return ()
    if all(step.state in THROUGH for step in at_hand(record.steps)):
        return ()
    places = {place.connection for place in run.deliver} if run.replaced_at is None else set()
    return (intern(run.ref.connection), *sorted(map(intern, places - {run.ref.connection})))
