"""A person's hand on one run: do a step again, leave it out, take it back, end its wait, say it is done."""

from __future__ import annotations

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.operations.operation import Answer, AsksFirst, at
from rotator.operations.waiting import kept_from

_STEP = "/runs/{run}/steps/{step}"


@at(f"{_STEP}/retry")
def retry(parts: Rotator, by: str, run: str, step: str, reason: str) -> Answer:
    """Do a failed or held step again."""
    return _decide(parts, by, run, step, reason, skip=False)


@at(f"{_STEP}/skip")
def skip(parts: Rotator, by: str, run: str, step: str, reason: str) -> Answer:
    """Go on without a failed or held step."""
    return _decide(parts, by, run, step, reason, skip=True)


def _decide(parts: Rotator, by: str, run: str, step: str, reason: str, *, skip: bool) -> Answer:
    return {"steps": parts.hands.decide(run, step, skip=skip, by=by, reason=reason), **_kept_from(parts, run)}


@at(f"{_STEP}/done")
def done(parts: Rotator, by: str, run: str, step: str, reason: str) -> Answer:
    """Say that somebody did what a step asked of him."""
    parts.hands.done(run, step, by=by, reason=reason)
    return {"steps": 1, **_kept_from(parts, run)}


@at(f"{_STEP}/release")
def release(parts: Rotator, by: str, run: str, step: str, reason: str, although_paused: str = "") -> Answer:  # noqa: PLR0917
    """End a held step's wait early; `although_paused` is the vendor for which something new is made all the same."""
    if although_paused:
        meant = parts.hands.release_paused(run, step, by, reason, although_paused)
    else:
        meant = parts.hands.release(run, step, by, reason)
    return {"meant": meant, **_kept_from(parts, run)}


@at(f"{_STEP}/undo")
def undo(  # noqa: PLR0917 - an act
    parts: Rotator, by: str, run: str, step: str, reason: str, yes: bool, would_do: list[str] | None
) -> Answer:
    """Take back what a run has done from one step on. Raises AsksFirst where that wants a yes of its own.

    `would_do` is what that yes was said to. Raises BadInput where it is not what it would do now.
    """
    shown = parts.hands.undoing(run, step)
    told = {"would_do": list(shown.in_words), "warnings": list(shown.warnings)}
    if would_do is not None and would_do != told["would_do"]:
        raise BadInput("the run has moved on meanwhile", f"{run} {step}", "look again, then say it again")
    asked = "resume" if shown.resumes else "give back" if shown.strands else ""
    if asked and not yes:
        what = f"it would do this: {' → '.join(shown.in_words)}"
        more = {**told, "words": f"{asked} {run}"}
        raise AsksFirst("not_confirmed", what, "body.yes", "say `yes` if that is meant", more)
    found = parts.hands.undo(run, step, by, reason, shown)
    did = {"takes_back": [each.name for each in found.takes_back], "skipped": [each.name for each in found.skipped]}
    return {**did, **told, **_kept_from(parts, run)}


def _kept_from(parts: Rotator, run: str) -> Answer:
    return kept_from(parts, run.rpartition(".")[0], run)
