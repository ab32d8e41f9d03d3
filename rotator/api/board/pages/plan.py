"""A plan as a person approves it; a large one page by page. And why each credential is in it, as a graph."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.pages.incident import known
from rotator.api.board.rendering import html
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.ledger.looking import Looking
from rotator.report import graph_page
from rotator.runtime_lock import is_unattended
from rotator.shown import approving, plans

Number = Annotated[int | None, Query(ge=1, le=10**6)]


def routes(parts: Rotator) -> APIRouter:
    """Return the pages."""
    router, kept = APIRouter(), plans.plans(parts)

    def revision_of(
        name: str, revisions: list[dict[str, Any]], number: int | None
    ) -> tuple[Any, plans.Revision | None]:
        """Return a revision, the newest where none is named. Raises Problem for one that is not there."""
        every = {each["revision"]: each for each in revisions}
        if not every:
            return None, None
        wanted = number or max(every)
        if wanted not in every:
            raise Problem(404, "no_such_revision", "The plan has no such revision.")
        return every[wanted], kept.of(parts, name, wanted, every[wanted]["plan"])

    @router.get("/incidents/{incident}/plan")
    def plan(
        request: Request, incident: str, revision: Number = None, page: Annotated[int, Query(ge=1, le=10**6)] = 1
    ) -> Response:
        """Show a revision, and who may say yes to what is not approved yet."""
        name = known(parts, incident)
        ruled = parts.on(parts.database)  # whose yes is wanted is said by the rule as it is now
        told = plans.consent(ruled, name)
        try:
            of, shown = revision_of(name, told["revisions"], revision)
        except plans.BeingRead:
            return being_read(request, name, told["title"])
        caller = request.state.caller
        return html(
            request,
            "plan.html",
            incident=told,
            of=of,
            plan=shown,
            start="rotator up" if is_unattended(parts) else "",
            forms=approving.forms(told, ruled.settings.policy, caller.by, caller.role),
            page=page,
            rows=shown.page(page) if shown else [],
        )

    @router.get("/incidents/{incident}/graph")
    def graph(request: Request, incident: str, revision: Number = None) -> Response:
        """Show by which links each credential is in the plan, drawn and as a table."""
        name = known(parts, incident)
        told, revisions = Looking(parts.database).of(name)
        every = [{"revision": each.number, "plan": each.digest} for each in revisions]
        try:
            of, shown = revision_of(name, every, revision)
        except plans.BeingRead:
            return being_read(request, name, told.title)
        nodes = list(shown.graph.nodes()) if shown else []
        return html(
            request,
            "graph.html",
            incident=told,
            revisions=every,
            of=of,
            credentials=shown.graph.credentials if shown else 0,
            drawing=graph_page.drawing(shown.graph, "Why each credential is in the plan") if shown and nodes else "",
            nodes=nodes,
            means=graph_page.MEANS,
        )

    return router


def being_read(request: Request, incident: str, title: str) -> Response:
    """Say that the plan is being read; the page asks again by itself."""
    return html(request, "being_read.html", id=incident, title=title, line="The plan is being read.", read=0, whole=0)
