"""Raise the severity of an incident, which nothing lowers by itself: what is critical waits for no owner."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, select, update

from rotator.flow.incident import Severity
from rotator.flow.planned import OWNER_ASKED
from rotator.flow.run import Step, StepState
from rotator.flow.step import RELEASED, Move
from rotator.ledger import notices, revisions, rows, statements, tables
from rotator.ledger.acts import act, lock
from rotator.ledger.run_at_hand import hold_branches, move
from rotator.notices.event import Event


def raise_to(connection: Connection, incident: str, wanted: Severity, by: str, at: float) -> tuple[str, ...] | None:
    """Raise it to what is `wanted`, None where it is no lower; return the runs that wait for an owner no longer.

    Those are of what is approved: what is not goes on as it was shown to who approves it.
    """
    family = [incident, *revisions.merged(connection, incident)]
    lock(connection, family)
    known = tables.incident
    was = Severity(connection.execute(select(known.c.severity).where(known.c.id == incident)).scalar_one())
    if not wanted.outranks(was):
        return None
    connection.execute(update(known).where(known.c.id == incident).values(severity=wanted.value))
    freed = _free(connection, family, f"{by}: the incident is critical", at) if wanted is Severity.CRITICAL else ()
    told = {"severity": wanted.value, "was": was.value, **({"released": list(freed)} if freed else {})}
    act(connection, incident, {"at": at, "act": "raised", "by": by, **told})
    facts = {"severity": wanted.value, "released": len(freed), "by": by}
    notices.tell(connection, incident, Event.RAISED, facts, at)
    return freed


def _free(connection: Connection, family: list[str], why: str, at: float) -> tuple[str, ...]:
    """End the waits for owners of what is approved; a worker that is at one just now finds it waiting, for a person."""
    run, step = tables.run, tables.step
    waits = (step.c.facts.contains(f'"{OWNER_ASKED}"'), step.c.state.in_([StepState.PENDING, StepState.HELD]))
    going = (run.c.incident.in_(family), run.c.requested_at.is_not(None), run.c.dismissed.is_(None))
    query = select(run.c.id).join(step, step.c.run == run.c.id).where(*going, *waits).distinct().order_by(run.c.id)
    freed = []
    for name in connection.execute(query).scalars().all():
        held = hold_branches(connection, name)
        if held is None:
            continue
        at_work = {each["id"] for each in held.branches if each["holder"]}
        found = [each for each in held.steps if _waits(each) and each.branch not in at_work]
        for each in found:
            if each.waits_for_time:
                move(connection, each, Move(StepState.PENDING, reason=why, facts={RELEASED: why}), at)
            else:
                told = replace(each, facts={**each.facts, RELEASED: why})
                connection.execute(statements.MOVE_STEP, {"s_id": each.id, **rows.step_progress(told)})
        freed += [name] if found else []
    return tuple(freed)


def _waits(step: Step) -> bool:
    ahead = step.state is StepState.PENDING or step.waits_for_time
    return OWNER_ASKED in step.facts and RELEASED not in step.facts and ahead
