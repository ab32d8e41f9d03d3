"""A person's hand on one run, over HTTP: do a step again, leave it out, take it back, end its wait, say it is done."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path

from rotator.api.problems import of_input
from rotator.api.v1.acts import Releasing, Undoing, Why
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.outcomes import Decided, Released, Undone
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act
from rotator.operations import runs

Run = Annotated[str, Path(max_length=64, description="A run's id, as the report has it.")]
Step = Annotated[str, Path(max_length=64, description="A step's id.")]


def routes(doing: Doing) -> APIRouter:  # noqa: C901 - a list of short acts
    """Return what may be done to a run."""
    router = APIRouter(prefix="/runs/{run}/steps/{step}", tags=["acts"])

    @router.post("/retry", response_model=Decided)
    def retry(run: Run, step: Step, given: Why, asked: Asker) -> Any:
        """Do a failed or held step again; what it was held for is accepted with that."""

        def work(parts: Rotator) -> Any:
            return runs.retry(parts, asked.caller.by, _named(parts, run), step, given.reason)

        return doing.do(asked, Act.RETRY, f"{run} {step}", work)

    @router.post("/skip", response_model=Decided)
    def skip(run: Run, step: Step, given: Why, asked: Asker) -> Any:
        """Go on without a failed or held step. What it would have shown stays unknown."""

        def work(parts: Rotator) -> Any:
            return runs.skip(parts, asked.caller.by, _named(parts, run), step, given.reason)

        return doing.do(asked, Act.SKIP, f"{run} {step}", work)

    @router.post("/done", response_model=Decided)
    def done(run: Run, step: Step, given: Why, asked: Asker) -> Any:
        """Say that you did what a step asked of you. Where a knock can show it, the machine then proves it."""

        def work(parts: Rotator) -> Any:
            return runs.done(parts, asked.caller.by, _named(parts, run), step, given.reason)

        return doing.do(asked, Act.DONE, f"{run} {step}", work)

    @router.post("/release", response_model=Released)
    def release(run: Run, step: Step, given: Releasing, asked: Asker) -> Any:
        """End a held step's wait early; where a living thief may read the new secret, you accept that risk."""

        def work(parts: Rotator) -> Any:
            named = _named(parts, run)
            return runs.release(parts, asked.caller.by, named, step, given.reason, given.although_paused)

        return doing.do(asked, Act.RELEASE, f"{run} {step}", work)

    @router.post("/undo", response_model=Undone)
    def undo(run: Run, step: Step, given: Undoing, asked: Asker) -> Any:
        """Take back what the run has done from this step on, backwards; what was still to come is skipped.

        Where that makes a stolen credential work again, or gives consumers one that is refused, it asks for `yes`.
        """

        def work(parts: Rotator) -> Any:
            by, name = asked.caller.by, _named(parts, run)
            return runs.undo(parts, by, name, step, given.reason, given.yes, given.would_do)

        return doing.do(asked, Act.UNDO, f"{run} {step}", work)

    return router


def _named(parts: Rotator, run: str) -> str:
    """Return a run's id. Raises Problem where there is none."""
    try:
        return parts.reading.run_named(run)
    except BadInput as error:
        raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_run") from None
