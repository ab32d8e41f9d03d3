"""The evidence of an incident to be taken away: the signed pack that `rotator evidence export` writes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from rotator.api.files import Files
from rotator.api.v1.access import Reader
from rotator.api.v1.reading import Incident, known
from rotator.bootstrap import Rotator
from rotator.operations import evidence_pack

TYPE = "application/zip"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The pack.", "content": {TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}


def routes(parts: Rotator) -> APIRouter:
    """Return where it is."""
    router, given_out = APIRouter(tags=["incidents"]), Files()

    @router.get("/incidents/{incident}/evidence.zip", response_class=Response, responses=_FILE)
    def of_incident(_: Reader, incident: Incident) -> Any:
        """Return a signed pack of an incident's evidence, and of all that was merged into it, with what checks it.

        What has grown is signed first. The key to check it with is told on another way than with the pack.
        """
        name = known(parts, incident)
        on = parts.on(parts.database)
        return given_out.given(f"{name}.evidence.zip", TYPE, lambda: evidence_pack.file(on, name))

    return router
