"""The list of incidents, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.rendering import html
from rotator.bootstrap import Rotator
from rotator.flow.incident import Purpose
from rotator.flow.roles import Act, may
from rotator.ledger.listing import ALIVE_AGAIN, NEWER, WAITS, Part
from rotator.shown import alarms, incident_list

ON_A_PAGE = 50
ALARMS_SHOWN = 3
_TABS: dict[str, tuple[Purpose, bool | None]] = {
    "open": (Purpose.RESPONSE, True),
    "closed": (Purpose.RESPONSE, False),
    "all": (Purpose.RESPONSE, None),
    "drills": (Purpose.DRILL, None),
    "hygiene": (Purpose.HYGIENE, None),
}
"""What each shows: incidents that somebody responds to first; what the rotator began by itself stands apart."""


def routes(parts: Rotator) -> APIRouter:
    """Return the page."""
    router = APIRouter()

    @router.get("/incidents")
    def listed(
        request: Request,
        show: Literal["open", "closed", "all", "drills", "hygiene"] = "open",
        page: Annotated[int, Query(ge=1, le=10**6)] = 1,
    ) -> Response:
        """Show a page of them."""
        after, counted = parts.feed.newest(), parts.reading.counted()
        counts = {
            name: sum(counted[purpose, each] for each in (True, False) if wanted in {None, each})
            for name, (purpose, wanted) in _TABS.items()
        }
        pages = max(-(-counts[show] // ON_A_PAGE), 1)
        page = min(page, pages)  # what was on the last one may be closed by now
        purpose, is_open = _TABS[show]
        found = incident_list.listed(parts, Part(purpose, is_open, limit=ON_A_PAGE, skip=(page - 1) * ON_A_PAGE))
        return html(
            request,
            "incidents.html",
            after=after,
            rows=[each | _for_people(each) for each in found],
            alarms=alarms.waiting(parts, ALARMS_SHOWN),
            may_declare=may(request.state.caller.role, Act.DECLARE),
            show=show,
            counts=counts,
            page=page,
            pages=pages,
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
