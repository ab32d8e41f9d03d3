"""Say over HTTP that an incident is over, or that it is not."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from rotator.api.v1.acts import Closing, Why
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.outcomes import Closed, OpenAgain
from rotator.api.v1.reading import Incident, known
from rotator.bootstrap import Rotator
from rotator.flow.roles import Act
from rotator.operations import deciding


def routes(doing: Doing) -> APIRouter:
    """Return how an incident is closed, and opened again."""
    router = APIRouter(tags=["acts"])

    @router.post("/incidents/{incident}/close", response_model=Closed)
    def close(incident: Incident, given: Closing, asked: Asker) -> Any:
        """Say that an incident is over: nothing of it is approved or added any more. What is scheduled still comes."""

        def work(parts: Rotator) -> Any:
            return deciding.close(parts, asked.caller.by, known(parts, incident), given.reason, given.accept_open)

        return doing.do(asked, Act.CLOSE, incident, work)

    @router.post("/incidents/{incident}/reopen", response_model=OpenAgain)
    def reopen(incident: Incident, given: Why, asked: Asker) -> Any:
        """Open a closed incident again: it can be added to, and what is added approved. Nothing starts by it."""

        def work(parts: Rotator) -> Any:
            return deciding.reopen(parts, asked.caller.by, known(parts, incident), given.reason)

        return doing.do(asked, Act.REOPEN, incident, work)

    return router
