"""Vendors by risk, one of them with all that can be done about it, and what one compromise of each place reaches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.rendering import html
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act, may
from rotator.flow.vendor import Level
from rotator.operations import vendor_restore
from rotator.report import graph_page
from rotator.shown import segmentation, vendor_buttons
from rotator.shown.vendor_room import room
from rotator.vendors_risk import risks, times

ON_A_PAGE, DAYS = 50, 30
Page = Annotated[int, Query(ge=1, le=10**6)]
Text = Annotated[str, Query(max_length=200)]
Standing = Literal["", "paused", "unattested", "unregistered"]


def routes(parts: Rotator) -> APIRouter:
    """Return the pages."""
    router = APIRouter()

    @router.get("/vendors")
    def listed(
        request: Request, q: Text = "", criticality: Level | Literal[""] = "", standing: Standing = "", page: Page = 1
    ) -> Response:
        """Show them, the riskiest first."""
        every = risks(parts).rows()
        found = [each for each in every if _fits(each, q.casefold(), criticality, standing)]
        pages = max(-(-len(found) // ON_A_PAGE), 1)
        page = min(page, pages)
        return html(
            request,
            "vendors.html",
            rows=found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
            count=len(found),
            every=len(every),
            critical=[
                bool(each["attestations"].get("valid")) for each in every if each["criticality"] == Level.CRITICAL
            ],
            page=page,
            pages=pages,
            wanted={"q": q, "criticality": criticality, "standing": standing},
            levels=[each.value for each in Level],
        )

    @router.get("/vendors/{name}")
    def one(request: Request, name: str, page: Page = 1) -> Response:
        """Show one, and what can be done about it."""
        try:
            vendor = risks(parts).one(name)
        except BadInput:
            raise Problem(404, "no_such_vendor", "No vendor is registered by this name.") from None
        found = room(parts, vendor, page)
        gates = vendor_restore.gates(parts.on(parts.database), name) if vendor["paused"] else None
        role = request.state.caller.role
        return html(
            request,
            "vendor.html",
            drawing=graph_page.drawing(found["graph"], f"What {name} could reach") if found["nodes"] else "",
            may_pause=may(role, Act.PAUSE_VENDOR),
            may_ask=may(role, Act.ASK),
            gate_buttons=vendor_buttons.gates(name, gates, role),
            restore=vendor_buttons.restore(name, gates, role),
            risk=next((each for each in risks(parts).rows() if each["vendor"] == name), None),
            gates=gates,
            times=times(parts, name).get(name),
            judge=vendor_buttons.terms(name, role),
            **found,
        )

    @router.get("/segmentation")
    def places(request: Request, page: Page = 1) -> Response:
        """Show what one compromise of each place reaches, what to cut, and how that went."""
        measured = segmentation.measured(parts)
        every = segmentation.places(measured)
        pages = max(-(-len(every) // ON_A_PAGE), 1)
        page = min(page, pages)
        cuts = measured.edges()
        return html(
            request,
            "segmentation.html",
            whole=segmentation.whole(measured),
            rows=every[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
            page=page,
            pages=pages,
            cuts={name: [each for each in cuts if each["order"] == name] for name in ("alone", "in turn")},
            days=segmentation.trend(parts)[-DAYS:][::-1],
        )

    return router


def _fits(row: dict[str, Any], text: str, criticality: str, standing: str) -> bool:
    if text and not any(text in each.casefold() for each in (row["vendor"], row["title"], row["owner"])):
        return False
    if criticality and row["criticality"] != criticality:
        return False
    is_so = {
        "paused": bool(row["paused"]),
        "unattested": row["registered"] and not row["attestations"].get("valid"),
        "unregistered": not row["registered"],
    }
    return not standing or is_so[standing]
