"""The list of incidents, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.rendering import html
from rotator.bootstrap import Rotator
from rotator.flow.roles import Act, may
from rotator.ledger.listing import ALIVE_AGAIN, NEWER, WAITS
from rotator.shown import alarms, incidents

ON_A_PAGE = 50
ALARMS_SHOWN = 10


def routes(parts: Rotator) -> APIRouter:
    """Return the page."""
    router = APIRouter()

    @router.get("/incidents")
    def listed(
        request: Request,
        show: Literal["open", "closed", "all"] = "open",
        page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    ) -> Response:
        """Show a page of them."""
        after, every = parts.feed.newest(), incidents.listed(parts)
        is_over = [bool(each["closed_at"] or each["merged_into"]) for each in every]
        found = [each for each, over in zip(every, is_over, strict=True) if show == "all" or over == (show == "closed")]
        first = (page - 1) * ON_A_PAGE
        counts = {"open": len(every) - sum(is_over), "closed": sum(is_over), "all": len(every)}
        return html(
            request,
            "incidents.html",
            after=after,
            rows=[each | _for_people(each) for each in found[first : first + ON_A_PAGE]],
            alarms=alarms.waiting(parts, ALARMS_SHOWN),
            may_declare=may(request.state.caller.role, Act.DECLARE),
            show=show,
            counts=counts,
            page=page,
            pages=max(-(-len(found) // ON_A_PAGE), 1),
        )

    return router


def _for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    """Say what waits for a person, and how grave that is which the state says."""
    waits = []
    if row["manual"]:
        waits.append(f"{row['manual']:,} to be done by hand")
    if row["reviews"]:
        waits.append(f"{row['reviews']:,} to be reviewed")
    tones = {"not approved": "red", ALIVE_AGAIN: "red", "stopped": "red", WAITS: "amber", NEWER: "amber"}
    return {"waits": waits, "tone": tones.get(row["state"], "")}
