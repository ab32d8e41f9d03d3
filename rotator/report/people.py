"""People in the report as data: what they did, what waits for them, and the commands that move it on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.flow.playbook_words import DESTRUCTION
from rotator.flow.proof import Evidence
from rotator.flow.resurrection import came_back
from rotator.flow.reversibility import destroys
from rotator.flow.run import LET_IN, UNDOES, UNDONE, WHY, Step, StepState
from rotator.flow.standing import resumed, will_resume
from rotator.flow.step import RELEASED, WAITS_SINCE
from rotator.ledger.moves_on import DECLARE, left_out, opens
from rotator.ledger.records import IncidentRecord, RunRecord
from rotator.ledger.told import Told
from rotator.report.clocks import moment
from rotator.report.trying import trying
from rotator.report.ways import stops_of, waiting, ways


def as_called(command: str, called: str) -> str:
    """Return a command as this reader gives it: with the configuration that he named."""
    return called + command.removeprefix("rotator")


def acts(record: RunRecord) -> dict[str, Any]:
    """Return what people did to a run, or took upon themselves."""
    by_id = {step.id: step for step in record.steps}
    return {
        "risk_accepted": record.run.risk_accepted or "",
        "risk_accepted_of": list(record.accepted),
        "gone_ahead": record.gone_ahead or "",
        "undone": [
            {
                **_where(by_id[str(step.facts[UNDOES])]),
                "by": step.name,
                "state": step.state.value,
                "why": _said(step),
            }
            for step in record.steps
            if UNDOES in step.facts
        ],
        "skipped": [
            {**_where(step), "means": left_out(step), "why": step.reason or ""}
            for step in record.steps
            if step.state is StepState.SKIPPED and not (step.reason or "").startswith(UNDONE)
        ],
        "released": [
            {**_where(step), "why": str(step.facts[RELEASED])} for step in record.steps if RELEASED in step.facts
        ],
    }


def let_in_again(record: RunRecord) -> str:
    """Say when a vendor got a grant back, by which restore, who said so and why; "" where it did not."""
    if record.run.let_in_at is None:
        return ""
    given = (_said(step) for step in record.steps if LET_IN in step.facts and step.state is StepState.DONE)
    return f"let in again at {moment(record.run.let_in_at)} by {next(given, 'a restore, as another incident tells')}"


def _said(step: Step) -> str:
    """Return who takes something back and why; first the restore of a vendor that it is part of."""
    return ", ".join(str(step.facts[name]) for name in (LET_IN, WHY) if step.facts.get(name))


def choices(incident: IncidentRecord, record: RunRecord, called: str) -> dict[str, Any]:
    """Return what keeps a run waiting, and what a person can do now."""
    if record.run.dismissed is not None:
        return {"stopped": [], "next": [], "trying": []}
    found = [_next(incident, record, step, called) for step in waiting(record)]
    stopped = stops_of(record, incident.stops)
    tried = [] if stopped else trying(record)
    return {
        "stopped": [str(each) for each in stopped],
        "next": found,
        "trying": [{**each, "then": as_called(each["then"], called)} for each in tried],
    }


def alive_again(incident: IncidentRecord, called: str) -> list[dict[str, Any]]:
    """Return the stolen credentials that an undo let live again, who did, and what stops each again."""
    found = []
    for record in incident.runs:
        back, again = resumed(record.steps), came_back(record.steps)
        why = str(back.facts.get(WHY, "")) if back is not None else ""
        if record.run.let_in_at is not None:
            continue
        if again is not None and record.run.evidence is Evidence.NONE and record.settled_by is None:
            found.append(_being_stopped(incident, record, str(again.facts.get(WHY, "")), called))
            continue
        if back is None and record.resumed_by is not None:
            why = "{1} ({0})".format(*record.resumed_by)
        if (back or record.resumed_by) and record.run.evidence is Evidence.NONE and record.settled_by is None:
            found.append(
                {
                    "run": record.run.id,
                    "provider": record.run.kind,
                    "id": record.run.ref.id,
                    "why": why,
                    "command": as_called(DECLARE, called),
                }
            )
    return found


def _being_stopped(incident: IncidentRecord, record: RunRecord, why: str, called: str) -> dict[str, Any]:
    """Return one that came back by itself, and is stopped again as it was before."""
    return {
        "run": record.run.id,
        "provider": record.run.kind,
        "id": record.run.ref.id,
        "why": why,
        "being_stopped": True,
        "command": as_called(f"rotator incident watch {incident.incident.id}", called),
    }


def to_be_resumed(incident: IncidentRecord, called: str) -> list[dict[str, Any]]:
    """Return the stolen credentials that an undo is about to let live again, when, and what calls each off."""
    found = []
    for record in incident.runs:
        step = will_resume(record.steps)
        if step is not None:
            at = moment(_resumes_at(step))
            stopped = "once nothing is stopped" if stops_of(record, incident.stops) else "at once"
            found.append(
                {
                    "run": record.run.id,
                    "provider": record.run.kind,
                    "id": record.run.ref.id,
                    "why": _said(step),
                    "step": step.name,
                    "at": at,
                    "when": "once a person says so" if step.waits_for_person else f"at {at}" if at else stopped,
                    "command": as_called(f"rotator run skip {record.run.id} {step.name} --reason …", called),
                }
            )
    return found


def _resumes_at(step: Step) -> float | None:
    """Return when what a lost worker sent can land no more, None where nothing or nobody waits for that."""
    since = step.facts.get(WAITS_SINCE)
    if not isinstance(since, int | float) or RELEASED in step.facts or step.waits_for_person:
        return None
    return since + (step.hold_for_s or 0.0)


def _comes_at(step: Step) -> float | None:
    """Return when a scheduled wait is over, None for what waits for nothing or for something else."""
    return step.held_at + (step.hold_for_s or 0.0) if step.waits_for_time and step.held_at is not None else None


def _destruction_gate(incident: IncidentRecord, record: RunRecord) -> str:
    """Return the gate at which a run waits for its destruction to be approved, where a rule has such."""
    found = (each.revision.digest for each in incident.approvals if record.run.id in each.destroying)
    return next((DESTRUCTION + digest for digest in found), "")


def _next(incident: IncidentRecord, record: RunRecord, step: Step, called: str) -> dict[str, Any]:
    """Return what waits, for what, and what moves it on. `due_at` is "" where nothing does by itself."""
    gate = step.hold_until.value if step.hold_until else ""
    shut = {each.name for each in incident.gates if not each.is_open}
    if gate not in shut and destroys(step.verb, step.subject):
        gate = _destruction_gate(incident, record)
    kept = step.waits_for_time and gate in shut
    found = [opens(record.run.incident, gate)] if kept else ways(incident, record, step)
    told = [{"command": as_called(each.command, called), "means": each.means} for each in found]
    return {
        **_where(step),
        "state": step.state.value,
        "reason": step.reason or "",
        "due_at": moment(_comes_at(step)),
        "kept_by": gate if kept else "",
        "command": told[0]["command"] if told else "",
        "ways": told,
    }


def to_approve(incident: IncidentRecord, called: str, stale: str = "") -> Mapping[str, Any]:
    """Return what is wanted of who approves: the command, or why it is stale and how all of it is planned again."""
    of = incident.incident.id
    overtaken = stale or (f"{incident.stale[0]} replaces {incident.stale[1]} since" if incident.stale else "")
    over = overtaken or incident.merged_into or incident.incident.closed_at
    may = not over and any(each.run.requested_at is None for each in incident.runs)
    return {
        "stale": overtaken,
        "again": as_called(f"rotator incident add {of} FILE…" if len(incident.revisions) > 1 else DECLARE, called)
        if overtaken
        else "",
        "approve": as_called(f"rotator approve {of} --digest {incident.plan_digest}", called) if may else "",
    }


def told(each: Told) -> dict[str, Any]:
    """Return a message: to whom it went, when, of what; and what keeps it, where it did not go."""
    return {
        "message": each.id,
        "incident": each.incident,
        "channel": each.channel,
        "state": each.state,
        "at": moment(each.settled_at if each.settled_at is not None else each.made_at),
        "events": list(each.events),
        "attempts": each.attempts,
        "reason": each.reason or "",
    }


def _where(step: Step) -> dict[str, Any]:
    return {"step": step.name, "target": step.target or None}
