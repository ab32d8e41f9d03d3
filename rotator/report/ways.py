"""What a person can do about a run that waits, in order: what is safe first, the accepted risk last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rotator.flow.apart import at_hand
from rotator.flow.giving_back import GIVEN_BACK, left_with
from rotator.flow.playbook_words import MINTING, Subject, Verb
from rotator.flow.run import THROUGH, UNDOES, Step, StepState, taken_back
from rotator.flow.standing import LANDS_AFTER, left_out, may_land_after, resumed
from rotator.flow.step import STOPS
from rotator.ledger.moves_on import DECLARE, Way, is_unprovable, ways_on
from rotator.ledger.other_runs import Death
from rotator.ledger.records import IncidentRecord, RunRecord
from rotator.ledger.stops import CONNECTION, Stop
from rotator.ledger.waits import Route, at_brake, for_our_own, is_answered_elsewhere, is_unsafe


def waiting(record: RunRecord) -> list[Step]:
    """Return the steps of a run that wait for a person or for their time, and those after which nothing moves it."""
    first = record.steps[0].name if record.steps else ""
    found = [
        step
        for step in record.steps
        if step.state in {StepState.HELD, StepState.FAILED}
        or (step.name == first and (for_our_own(step) or at_brake(step)))
    ]
    if not record.run.is_answered:
        found += left_out(record.steps)
    return [*found, *_taken_back(record)]


def _taken_back(record: RunRecord) -> list[Step]:
    """Return the last step of an undo that left something open: it is through, or consumers wait for another."""
    undone = [step for step in record.steps if UNDOES in step.facts and step.state in THROUGH]
    is_open = any(_left_by_undo(record)) or (not record.run.is_answered and _is_through(record))
    return undone[-1:] if is_open else []


def _is_through(record: RunRecord) -> bool:
    return all(step.state in THROUGH for step in at_hand(record.steps))


def stops_of(record: RunRecord, stops: Sequence[Stop]) -> list[Stop]:
    """Return the stops that hold back a run: of its connection, or of one into which it has still to deliver."""
    run = record.run
    if run.requested_at is None or _is_through(record):
        return []
    at = {run.ref.connection, *(place.connection for place in run.deliver if run.replaced_at is None)}
    return [each for each in stops if each.scope != CONNECTION or each.name in at]


def ways(incident: IncidentRecord, record: RunRecord, step: Step) -> list[Way]:
    """Return what moves a step on. Empty where nothing of this run does any more."""
    if record.settled_by is not None and (step.state in THROUGH or is_unprovable(step)):
        left = _left_by_undo(record) if step.state in THROUGH else ()
        return _each_once([*left, *_settled(record, record.settled_by, step)])
    if step.state in THROUGH:
        is_over = record.run.dead_at is None and (_is_through(record) or UNDOES not in step.facts)
        once_more = [Way(DECLARE, _once_more(record))] if is_over else []
        return _each_once([*_left_by_undo(record), *once_more])
    if is_unsafe(step) and not record.routes:
        return [Way(each.lifted_by, "lets it go on") for each in stops_of(record, incident.stops)]
    closing = list(_closing(incident, record, frozenset())) if is_unsafe(step) else []
    if is_unsafe(step) and not closing:
        mine = incident.incident.id
        closing = [
            Way(f"rotator incident watch {mine}", "wait: who may read it is being stopped; then it goes on by itself")
        ]
    first = _resuming(record) if step.subject is Subject.CONSUMERS else ()
    found = [*closing, *first, *_moving(record, step)]
    return _each_once(found)


def _each_once(found: Sequence[Way]) -> list[Way]:
    """Return each command where it stands first, with what it means there."""
    first: dict[str, Way] = {}
    for each in found:
        first.setdefault(each.command, each)
    return list(first.values())


def _moving(record: RunRecord, step: Step) -> tuple[Way, ...]:
    """Return what moves the step itself on, and what that means in an undo."""
    found = ways_on(record.run, step, record.steps, record.behind)
    if is_answered_elsewhere(step):
        means = "resumes it all the same, also for whoever stole it; no other run counts it dead from then on"
        return Way(found[0].command, means), *found[1:]
    if may_land_after(step):
        return tuple(Way(each.command, f"{each.means}; {LANDS_AFTER}") for each in found)
    return found


def _once_more(record: RunRecord) -> str:
    """Say what to declare again once nothing of a run moves any more."""
    if resumed(record.steps) is None:
        return "with the secret that belongs to this id, or with the id alone: another run then settles it"
    return f"stops it again once that is approved: {_listed(record)}"


def _listed(record: RunRecord) -> str:
    """Say what FILE may be, where a credential is declared once more."""
    listed = f"{record.run.kind},{record.run.ref.id}"
    return f"FILE is the report, or a list (`provider,id`, then `{listed}`)"


def _settled(record: RunRecord, death: Death, step: Step) -> Iterator[Way]:
    """Return what is left to do here once another run has seen the death: to read of it, and to let this one end."""
    left = "nothing is left to do here for its death" if step.state in THROUGH else "then skip it here"
    yield Way(f"rotator report {death.run.rpartition('.')[0]}", f"shows that death; {left}")
    if step.state not in THROUGH:
        *_, skip = ways_on(record.run, step, record.steps, record.behind)
        yield Way(skip.command, skip.means.partition("; its death stays unproven")[0])


def _left_by_undo(record: RunRecord) -> Iterator[Way]:
    """Return what ends what an undo has left: a value that is refused, a replacement that nobody holds."""
    yield from _resuming(record)
    if record.run.replaced_at is None and record.run.replacement is not None and _is_through(record):
        gone = taken_back(record.steps)
        for each in record.steps if gone else ():
            if each.verb in MINTING and each.state is StepState.DONE and each.undo is not None and each.id not in gone:
                command = f"rotator run undo {record.run.id} {each.name} --reason …"
                yield Way(command, f"takes {record.run.replacement} away again, which nobody holds")


def _resuming(record: RunRecord) -> Iterator[Way]:
    """Return what ends it that consumers were given back a refused value: another first; nothing where they hold one.

    To let the refused one work again is the last resort: whoever stole it can use it then too.
    """
    other = record.stopped_by
    left = left_with(record.run, record.steps, other.run if other else "")
    refused = any(told.startswith(GIVEN_BACK) for told in left)
    if not refused or record.delivered_since is not None:
        return
    yield Way(DECLARE, f"gives them another once that is approved: {_listed(record)}")
    gone = taken_back(record.steps)
    stopped = [each for each in record.steps if each.subject is Subject.EXPOSED and each.verb in STOPS]
    for each in stopped:
        if each.state is StepState.DONE and each.undo is Verb.RESUME and each.id not in gone:
            command = f"rotator run undo {record.run.id} {each.name} --reason …"
            yield Way(command, "lets what they hold work again, also for whoever stole it")
            return
    if other is not None and other.has_way_back:
        command = f"rotator run undo {other.run} {other.step} --reason …"
        yield Way(command, "lets what they hold work again, also for whoever stole it")


def _closing(incident: IncidentRecord, record: RunRecord, seen: frozenset[str]) -> Iterator[Way]:
    """Return what closes the routes by which a thief could read what a run makes, a foothold first."""
    runs = {each.run.id: each for each in incident.runs}
    for route in sorted(record.routes, key=lambda each: each.run is not None):
        if route.run is None:
            yield _isolated(route)
        elif route.run not in runs:
            of = route.run.rpartition(".")[0]
            yield Way(f"rotator report {of}", f"{route.run} is of that incident: it says what it waits for")
        elif route.run not in seen:
            yield from _contained(incident, runs[route.run], seen | {record.run.id, route.run})


def _isolated(route: Route) -> Way:
    command = f"rotator host isolate {route.incident} {route.by} --reason …"
    return Way(command, f"once nobody gets in or out of {route.by} any more; then it goes on by itself")


def _contained(incident: IncidentRecord, reader: RunRecord, seen: frozenset[str]) -> Iterator[Way]:
    """Return what lets a living stolen credential be stopped, where it waits for a person too."""
    run = reader.run.id
    if reader.run.requested_at is None:
        of = incident.incident.id
        yield Way(f"rotator approve {of} --digest {incident.plan_digest}", f"lets {run} be stopped, once enough say so")
        return
    for stop in stops_of(reader, incident.stops):
        yield Way(stop.lifted_by, f"lets {run} be stopped; then this goes on by itself")
    for step in waiting(reader):
        if is_unsafe(step):
            yield from _closing(incident, reader, seen)
        elif step.state is not StepState.SKIPPED and not step.waits_for_time:
            # To leave its containment out stops nobody.
            for way in ways_on(reader.run, step, reader.steps, reader.behind):
                if not way.command.startswith("rotator run skip "):
                    yield Way(way.command, f"{run}: {way.means}")
