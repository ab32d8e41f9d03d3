"""What stands whatever incident there is: the inventory with ages, what comes by itself, and the reports."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.rendering import html
from rotator.bootstrap import Rotator
from rotator.shown import ages
from rotator.shown.reports import reports
from rotator.shown.schedules import schedules

ON_A_PAGE = 100
Page = Annotated[int, Query(ge=1, le=10**6)]
Text = Annotated[str, Query(max_length=200)]


def routes(parts: Rotator) -> APIRouter:
    """Return the pages."""
    router = APIRouter()

    @router.get("/inventory")
    def inventory(request: Request, provider: Text = "", source: Text = "", q: Text = "", page: Page = 1) -> Response:
        """Show what is known of credentials, the oldest first."""
        every, wanted = ages.rows(parts), ages.Wanted(provider, source, q)
        found = ages.of(every, wanted)
        pages = max(-(-len(found) // ON_A_PAGE), 1)
        page = min(page, pages)
        return html(
            request,
            "inventory.html",
            rows=found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
            count=len(found),
            every=len(every),
            page=page,
            pages=pages,
            wanted=wanted,
            providers=sorted({each["provider"] for each in every if each["provider"]}),
            sources=sorted({each["source"] for each in every}),
        )

    @router.get("/schedules")
    def comes(request: Request, page: Page = 1) -> Response:
        """Show what comes by itself, the next first."""
        return html(request, "schedules.html", **schedules(parts.on(parts.database), page))

    @router.get("/reports")
    def told(request: Request, page: Page = 1) -> Response:
        """Show incidents with how long it took, and where their reports are."""
        return html(request, "reports.html", **reports(parts, page))

    return router
