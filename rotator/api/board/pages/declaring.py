"""Declare an incident, or let one grow: a report is chosen or pasted, looked at, and sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.pages.incident import known
from rotator.api.board.rendering import html
from rotator.bootstrap import Rotator
from rotator.flow.incident import Severity
from rotator.flow.playbook_words import Strategy
from rotator.flow.roles import NEEDS, Act, may
from rotator.ledger.looking import Looking


def routes(parts: Rotator) -> APIRouter:
    """Return the page."""
    router = APIRouter()

    @router.get("/incidents/new")
    def new(request: Request, to: Annotated[str, Query(max_length=64)] = "") -> Response:
        """Ask for a report; `to` names the incident that it is added to."""
        act = Act.ADD if to else Act.DECLARE
        grows = Looking(parts.database).of(known(parts, to))[0] if to else None
        allowed = may(request.state.caller.role, act)
        return html(
            request,
            "new.html",
            grows=grows,
            severities=[each.value for each in Severity],
            strategies=[each.value for each in Strategy],
            refused="" if allowed else f"It needs the role {NEEDS[act]}.",
        )

    return router
