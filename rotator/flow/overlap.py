"""Overlap: routine work stops what it replaced only when it is seen that nobody uses it any more.

Both credentials live until then. Where the old one is still used, or nobody can tell, when the deadline comes, a person
is asked, and both live on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from rotator.flow.planned import Lane, Plan, PlannedRun, PlannedStep, Segment
from rotator.flow.playbook_words import MINTING, Subject, Verb
from rotator.flow.run import Step, StepState
from rotator.flow.step import STOPS, Move

STEP = "unused"
"""How the step is called that waits until nobody uses the old credential."""
_ENDS = STOPS | {Verb.END_SESSIONS}
_AGAIN_S = 3600.0
"""Seconds until it is looked again whether somebody still uses it: issuers tell of a use hours later."""


def routine(plan: Plan, overlap_s: float, deadline_s: float) -> Plan:
    """Return a plan as hygiene carries it out: in its own lane, and with both credentials alive for the overlap."""
    made: dict[int, tuple[Segment, ...]] = {}  # thousands of runs share theirs

    def segments(run: PlannedRun) -> tuple[Segment, ...]:
        if id(run.segments) not in made:
            watched = _watched(run.segments, overlap_s, deadline_s)
            made[id(run.segments)] = tuple(
                replace(each, steps=tuple(replace(step, lane=Lane.HYGIENE) for step in each.steps)) for each in watched
            )
        return made[id(run.segments)]

    return replace(plan, runs=tuple(replace(run, segments=segments(run)) for run in plan.runs))


def _watched(segments: Sequence[Segment], overlap_s: float, deadline_s: float) -> list[Segment]:
    """Put the wait before the first step that ends what the old credential opens; none is put where nothing does."""
    watch = PlannedStep(
        STEP,
        Verb.WATCH,
        Subject.EXPOSED,
        Lane.HYGIENE,
        retry_for_s=deadline_s - overlap_s,
        hold_for_s=overlap_s,
    )
    found: list[Segment] = []
    makes = any(step.verb in MINTING for each in segments for step in each.steps)
    for number, each in enumerate(segments):
        at = next((n for n, step in enumerate(each.steps) if _ends(step)), None)
        if at is None or not makes:
            found.append(each)
            continue
        before, after = each.steps[:at], each.steps[at:]
        if each.targets == ("",):
            found.append(replace(each, steps=(*before, watch, *after)))
        else:
            found += [replace(each, steps=before)] if before else []
            found += [Segment(("",), 100, (watch,)), replace(each, steps=after)]
        return [*found, *segments[number + 1 :]]
    return found


def _ends(step: PlannedStep) -> bool:
    return step.subject is Subject.EXPOSED and step.verb in _ENDS


def after_watch(step: Step, told: Mapping[str, object], now: float, *, converged: bool) -> Move:
    """Decide after asking the issuer when the old credential was used last, as it tells in `told`.

    `converged` tells whether every consumer said that it holds the new one: that counts where the issuer tells of no
    use at all.
    """
    began = step.started_at if step.started_at is not None else now
    ends_at, quiet_s = began + (step.retry_for_s or 0.0), step.hold_for_s or 0.0
    said = told.get("last_used_at")
    used_at = _epoch(said) if isinstance(said, str) and said != "never" else None
    facts = {"last_used_at": str(said)} if said else {}
    if said == "never" or (used_at is not None and used_at <= now - quiet_s):
        return Move(StepState.DONE, None, f"unused since {said}" if used_at is not None else "never used", facts)
    if used_at is None and converged:
        return Move(StepState.DONE, None, "every consumer holds the new one; its issuer tells of no last use", facts)
    why = f"still in use: last used {said}" if used_at is not None else "nobody can tell who still uses it"
    if now >= ends_at:
        return Move(StepState.HELD, None, f"{why}; both live on", facts)
    quiet_at = ends_at if used_at is None else used_at + quiet_s
    return Move(StepState.PENDING, min(max(quiet_at, now + 1.0), now + _AGAIN_S, ends_at), why, facts)


def _epoch(text: str) -> float | None:
    """Return a moment in ISO 8601 as epoch seconds, None for what is none; without a zone it is UTC.

    Of a day alone, as Kubernetes tells it, nobody knows when in it: the old one may have been used until its end.
    """
    try:
        found = datetime.fromisoformat(text) + timedelta(days=int(_is_day(text)))
    except (ValueError, OverflowError):
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
