"""Drills: mint canaries, leak them, answer them for real, and take away whatever was made.

A drill goes on where it was left: each part of it is found in the ledger, whoever began it. It touches nothing that it
did not mint, which the ledger refuses too; see `ledger/drills.py`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rotator import attribution, canaries, clock, leaking, response
from rotator.bootstrap import Rotator
from rotator.canaries import AGAIN_S, Wait
from rotator.credential import CredentialRef, Issued
from rotator.errors import BadInput, RotatorError
from rotator.flow.exercise import Exercise
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Incident, Severity
from rotator.flow.plan import make
from rotator.flow.response import Response
from rotator.flow.scope import Custody
from rotator.ledger import drill_rule, drills
from rotator.ledger.closing import Closing, Left
from rotator.ledger.drill_rule import Rule
from rotator.ledger.drills import DrillRow
from rotator.ledger.enrolment import Enrolment, new_incident_id
from rotator.response import Prepared

PATIENCE_S = 3600.0
"""After this, what of a drill still moves is stopped, and its canaries are taken away all the same."""
BEGINS_S = 900.0
"""How long minting may take."""
_CLEAN = "rotator drill clean"


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill that has ended: how its canaries were answered, and why it was too slow, if it was."""

    row: DrillRow
    responses: tuple[Response, ...]
    slow: tuple[str, ...] = ()


def run(  # noqa: PLR0917 - what is practised, and what carries it out
    parts: Rotator,
    exercise: Exercise,
    by: str,
    work: Callable[[str], None],
    wait: Wait = time.sleep,
    begun: Callable[[DrillRow], None] = lambda _: None,
) -> Drill:
    """Hold one drill to its end; `work` carries an incident out until nothing moves, `begun` is told its name.

    Raises BadInput where it cannot be held, with nothing left behind; one of the three errors where an issuer keeps it
    from taking a canary away: `clean` tries again.
    """
    row = begin(parts, exercise, by, wait)
    begun(row)
    return follow(parts, row.incident, work, wait)


def follow(parts: Rotator, incident: str, work: Callable[[str], None], wait: Wait = time.sleep) -> Drill:
    """Carry a drill that was begun on to its end."""
    while (ended := settle(parts, incident)) is None:
        work(incident)
        wait(AGAIN_S)
    return ended


def left(parts: Rotator, beginning_s: float = BEGINS_S) -> list[DrillRow]:
    """Return the drills to go on with: under way, or left by a process that ended.

    One that has declared nothing may just be minting, for `beginning_s` seconds: who knows that nobody does says 0.
    """
    with parts.database.read() as connection:
        found = drills.unended(connection)
        young = clock.now() - beginning_s
        return [each for each in found if each.at <= young or drills.is_declared(connection, each.incident)]


def begin(
    parts: Rotator,
    exercise: Exercise,
    by: str,
    wait: Wait = time.sleep,
    slot: float | None = None,
) -> DrillRow:
    """Mint the canaries, leak them, and have the incident answered; return the drill, which goes on by itself.

    Raises BadInput where it cannot be held, or somebody else has begun it in this `slot`: nothing is left behind then.
    """
    where = f"drill {exercise.name}"
    canaries.refuse(parts, exercise)
    now = clock.now()
    row = DrillRow(new_incident_id(now), exercise.name, exercise.trigger.value, by, now, slot, exercise.page)
    with parts.database.write() as connection:
        drills.begin(connection, row)
    try:
        minted = [canaries.mint(parts, exercise, row, number, wait) for number in range(exercise.count)]
        _respond(parts, exercise, row, minted)
    except RotatorError as error:
        what, mend = (error.what, error.mend) if isinstance(error, BadInput) else (str(error), "")
        left = _given_up(parts, row)
        raise BadInput(what, where, "; ".join(filter(None, (mend, left)))) from None
    return row


def _given_up(parts: Rotator, row: DrillRow) -> str:
    """Take away what a drill has made that could not be held; return what is left of it, for people."""
    try:
        settle(parts, row.incident)
    except RotatorError as error:
        return f"a canary may be left ({error}): `{_CLEAN}` looks again"
    return "nothing of it is left"


def _respond(parts: Rotator, exercise: Exercise, row: DrillRow, minted: Sequence[Issued]) -> None:
    """Leak the canaries, and declare what that is read as: by the drill's rule, and of nothing else."""
    exposed_at = clock.now()
    exposures = leaking.leak(exercise.trigger, parts.playbooks[exercise.kind], minted)
    detected_at = clock.now()
    refs = [each.ref for each in minted]
    prepared = _prepared(parts, exercise, exposures, refs)
    rule = Rule(row, exercise.schedule.approved_by if exercise.schedule else row.by, refs, parts.enrolment)
    enrolment = Enrolment(
        parts.database, parts.seal, clock.now, account_of=parts.account_of, basis=parts.basis, consent=rule.begin
    )
    many = f"{len(refs)} canar{'ies' if len(refs) > 1 else 'y'}"
    title = f"DRILL {exercise.name}: {many} by {exercise.trigger}"
    now = clock.now()
    incident = Incident(
        row.incident, title, Severity.LOW, detected_at=detected_at, declared_at=now, exposed_at=exposed_at
    )
    enrolment.declare(
        incident,
        prepared.plan,
        prepared.materials,
        prepared.exposures,
        rule.by,
        approved=True,
        document=prepared.document(),
    )


def _prepared(
    parts: Rotator, exercise: Exercise, exposures: Sequence[Exposure], refs: Sequence[CredentialRef]
) -> Prepared:
    """Plan as any incident is planned, for these alone. Raises BadInput where the report names anything else."""
    found = attribution.triage_of(parts).identify(attribution.suspects(parts, exposures))
    strange = [str(each.ref) for each in found.scoped if each.ref not in refs]
    if strange:
        raise BadInput(f"the report names {strange[0]}, which no drill has minted", "", "declare that by itself")
    if found.unresolved:
        raise BadInput(
            f"the answer would be left to a person: {found.unresolved[0].reason}", "", found.unresolved[0].mend
        )
    own = Custody({}, "low", reads=(), deliver=exercise.deliver, consumers=exercise.consumers)
    scoped = tuple(replace(each, custody=replace(own, match={"id": each.ref.id})) for each in found.scoped)
    plan = make(
        scoped,
        (),
        parts.playbooks,
        found.targets,
        wanted=exercise.strategy,
        costs=lambda kind, connection: parts.outside.provider_of(kind, connection).calls,
    )
    if plan.manual or len(plan.runs) != len(refs):
        why = plan.manual[0].reason if plan.manual else "the report does not name every canary"
        raise BadInput(why, "", "see `rotator provider list`")
    return response.prepared(parts, plan, scoped, {})


def settle(parts: Rotator, incident: str) -> Drill | None:
    """Carry a drill one step on; return it once it has ended, and nothing that was made for it is left.

    None while its incident is worked on. Raises one of the three errors where an issuer keeps a canary for now, and
    BadInput while a person has stopped its connection.
    """
    with parts.database.read() as connection:
        row = drills.find(connection, incident)
        declared = drills.is_declared(connection, incident)
        connections = {each.connection for each in drills.canaries(connection, [incident])}
    if row is None:
        raise BadInput("it is no drill", incident, "rotator drill list shows them")
    if row.ended_at is not None:
        return told(parts, row)
    canaries.refuse_stopped(parts, connections)
    now = clock.now()
    if declared:
        in_time = now < row.at + PATIENCE_S
        if parts.reading.progress(incident, now).busy:
            if not in_time and not parts.stops.over(incident):
                parts.stops.stop(incident, f"drill {row.name}", "it took too long: its canaries are taken away", ())
            return None
        if in_time and _released(parts, row):
            return None
    cleared = canaries.clear(parts, row)
    _end(parts, row, cleared)
    return settle(parts, incident)


def _released(parts: Rotator, row: DrillRow) -> bool:
    """Let come at once what only waits for its time, as a destruction does; False where nothing does."""
    found = [
        (each.run.id, name)
        for each in parts.reading.incident(row.incident).runs
        for name in dict.fromkeys(step.name for step in each.steps if step.waits_for_time)
    ]
    for run, name in found:
        with contextlib.suppress(BadInput):  # its time has come meanwhile, or another process was faster
            parts.hands.release(run, name, f"drill {row.name}", "it was a drill: nobody looks at its canaries")
    return bool(found)


def _end(parts: Rotator, row: DrillRow, cleared: Sequence[str]) -> None:
    """Close its incident, then write down how it ended, which has people told where that was too late.

    In this order: nobody looks again at a drill that has ended.
    """
    with parts.database.read() as connection:
        declared = drills.is_declared(connection, row.incident)
    if declared:
        with contextlib.suppress(BadInput):  # whoever was killed then has closed it
            closing = Closing(parts.database, lambda _: Left(), clock=clock.now)
            closing.close(row.incident, f"drill {row.name}", "the drill is over, and its canaries are taken away")
    drill_rule.end(parts.database, row, cleared, parts.settings.drills.target, clock.now())


def told(parts: Rotator, row: DrillRow) -> Drill:
    """Return how a drill came out, as the ledger tells it."""
    with parts.database.read() as connection:
        answered, slow = drill_rule.answered(connection, row, parts.settings.drills.target)
    return Drill(row, tuple(answered), tuple(slow if row.ended_at is not None else ()))
