"""A person's hand on one run, over HTTP: do a step again, leave it out, take it back, end its wait, say it is done."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path

from rotator.api.problems import Problem, of_input
from rotator.api.v1.acts import Decided, Released, Undoing, Undone, Why
from rotator.api.v1.doing import Asked, Asker, Doing, kept_from
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act

Run = Annotated[str, Path(max_length=64, description="A run's id, as the report has it.")]
Step = Annotated[str, Path(max_length=64, description="A step's id.")]


def routes(doing: Doing) -> APIRouter:
    """Return what may be done to a run."""
    router = APIRouter(prefix="/runs/{run}/steps/{step}", tags=["acts"])

    @router.post("/retry", response_model=Decided)
    def retry(run: Run, step: Step, given: Why, asked: Asker) -> Any:
        """Do a failed or held step again; what it was held for is accepted with that."""
        return doing.do(asked, Act.RETRY, f"{run} {step}", lambda parts: _decide(parts, run, step, given, asked))

    @router.post("/skip", response_model=Decided)
    def skip(run: Run, step: Step, given: Why, asked: Asker) -> Any:
        """Go on without a failed or held step. What it would have shown stays unknown."""
        return doing.do(
            asked, Act.SKIP, f"{run} {step}", lambda parts: _decide(parts, run, step, given, asked, skip=True)
        )

    @router.post("/done", response_model=Decided)
    def done(run: Run, step: Step, given: Why, asked: Asker) -> Any:
        """Say that you did what a step asked of you. Where a knock can show it, the machine then proves it."""

        def work(parts: Rotator) -> Any:
            name = _named(parts, run)
            parts.hands.done(name, step, asked.caller.by, given.reason)
            return {"steps": 1, **_kept_from(parts, name)}

        return doing.do(asked, Act.DONE, f"{run} {step}", work)

    @router.post("/release", response_model=Released)
    def release(run: Run, step: Step, given: Why, asked: Asker) -> Any:
        """End a held step's wait early; where a living thief may read the new secret, you accept that risk."""

        def work(parts: Rotator) -> Any:
            name = _named(parts, run)
            meant = parts.hands.release(name, step, asked.caller.by, given.reason)
            return {"meant": meant, **_kept_from(parts, name)}

        return doing.do(asked, Act.RELEASE, f"{run} {step}", work)

    @router.post("/undo", response_model=Undone)
    def undo(run: Run, step: Step, given: Undoing, asked: Asker) -> Any:
        """Take back what the run has done from this step on, backwards; what was still to come is skipped.

        Where that makes a stolen credential work again, or gives consumers one that is refused, it asks for `yes`.
        """
        return doing.do(asked, Act.UNDO, f"{run} {step}", lambda parts: _undo(parts, run, step, given, asked))

    return router


def _decide(parts: Rotator, run: str, step: str, given: Why, asked: Asked, *, skip: bool = False) -> Any:
    name = _named(parts, run)
    changed = parts.hands.decide(name, step, skip=skip, by=asked.caller.by, reason=given.reason)
    return {"steps": changed, **_kept_from(parts, name)}


def _undo(parts: Rotator, run: str, step: str, given: Undoing, asked: Asked) -> Any:
    name = _named(parts, run)
    shown = parts.hands.undoing(name, step)
    if (shown.resumes or shown.strands) and not given.yes:
        what = f"it would do this: {' → '.join(shown.in_words)}"
        mend = "say `yes` if that is meant"
        raise Problem(409, "not_confirmed", what, where="body.yes", mend=mend, warnings=list(shown.warnings))
    found = parts.hands.undo(name, step, asked.caller.by, given.reason, shown)
    told = {"takes_back": [each.name for each in found.takes_back], "skipped": [each.name for each in found.skipped]}
    return {**told, "warnings": list(shown.warnings), **_kept_from(parts, name)}


def _named(parts: Rotator, run: str) -> str:
    """Return a run's id. Raises Problem where there is none."""
    try:
        return parts.reading.run_named(run)
    except BadInput as error:
        raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_run") from None


def _kept_from(parts: Rotator, run: str) -> dict[str, Any]:
    return kept_from(parts, run.rpartition(".")[0], run)
