"""One incident, as a room full of people follows it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.rendering import html
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.shown import incidents


def routes(parts: Rotator) -> APIRouter:
    """Return the page."""
    router = APIRouter()

    @router.get("/incidents/{incident}")
    def shown(request: Request, incident: str) -> Response:
        """Show it."""
        try:
            report = incidents.report(parts, parts.reading.named(incident if incident != "last" else ""))
        except BadInput:
            raise Problem(404, "no_such_incident", "There is no such incident.") from None
        return html(request, "incident.html", report=report, incident=report["incident"])

    return router
