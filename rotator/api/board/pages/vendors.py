"""Vendors by risk, whom a notice touches, one vendor with all that can be done, and what each place reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator import restoring
from rotator.api.board.pages.incident import picture_of
from rotator.api.board.rendering import html
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.estate import as_now
from rotator.flow.reminding import ATTESTED_S, DAY_S
from rotator.flow.roles import Act, may
from rotator.flow.vendor import Level
from rotator.operations import vendor_restore
from rotator.report import graph_page
from rotator.report.clocks import moment
from rotator.report.count_line import counts
from rotator.shown import segmentation, vendor_buttons, vendor_story
from rotator.shown.arrived import arrived, ordinary
from rotator.shown.beside import Seen
from rotator.shown.plans import BeingRead
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
        after = parts.feed.newest()
        try:
            seen = risks(parts).rows.look()
        except BeingRead:
            return _being_read(request, "Vendors by risk")
        every = seen.made
        found = [each for each in every if _fits(each, q.casefold(), criticality, standing)]
        pages = max(-(-len(found) // ON_A_PAGE), 1)
        page = min(page, pages)
        return html(
            request,
            "vendors.html",
            arrived=arrived(parts),
            ordinary=ordinary(parts),
            **_as_of(seen),
            after=after,
            may_ask=may(request.state.caller.role, Act.ASK),
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
    def one(request: Request, name: str, page: Page = 1, notice: Text = "") -> Response:
        """Show one, and what can be done about it."""
        after = parts.feed.newest()
        try:
            seen, every = risks(parts).one(name).look(), risks(parts).rows.look()
        except BadInput:
            raise Problem(404, "no_such_vendor", "No vendor is registered by this name.") from None
        except BeingRead:
            return _being_read(request, name)
        vendor = seen.made
        now = as_now(parts).ruled()
        standing = restoring.standing(now, name) if vendor["paused"] else None
        gates = vendor_restore.shown(now, standing) if standing is not None else None
        asked = standing.facts.datasets if standing is not None else ()
        found = room(parts, vendor, page, {each.name: each.manifest for each in asked})
        role = request.state.caller.role
        # A pause is told under what its incident was merged into.
        last = next((parts.pauses.told_under(each) for each in parts.pauses.every(name)), "")
        picture = picture_of(parts, last) if last else None
        return html(
            request,
            "vendor.html",
            **_as_of(seen, every),
            after=after,
            notice=notice,
            incident=last,
            approved=picture is not None and picture.times.get("approved") is not None,
            shut=[each for each in gates["gates"] if not each["is_open"]] if gates else [],
            counts=counts(picture.progress) if picture is not None and picture.progress is not None else [],
            story=vendor_story.story(parts, name, picture),
            drawing=graph_page.drawing(found["graph"], f"What {name} could reach") if found["nodes"] else "",
            may_pause=may(role, Act.PAUSE_VENDOR),
            may_ask=may(role, Act.ASK),
            gate_buttons=vendor_buttons.gates(name, gates, role),
            restore=vendor_buttons.restore(name, gates, role),
            risk=next((each for each in every.made if each["vendor"] == name), None),
            gates=gates,
            times=times(parts, name).get(name),
            judge=vendor_buttons.terms(name, role),
            soon_days=ATTESTED_S[0] / DAY_S,
            attest=vendor_buttons.attestation(name, role),
            read_there={
                each: vendor_buttons.reading(told, last if vendor["paused"] else "", role)
                for each, told in found["checked"].items()
            },
            **found,
        )

    @router.get("/triage")
    def triage(request: Request, advisories: Text = "") -> Response:
        """Ask whom a notice touches; which is filled in where a page that tells of it leads here."""
        return html(request, "triage.html", advisories=advisories, may_ask=may(request.state.caller.role, Act.ASK))

    @router.get("/segmentation")
    def places(request: Request, page: Page = 1) -> Response:
        """Show what one compromise of each place reaches, what to cut, and how that went."""
        measured = segmentation.measured(parts)
        try:
            seen = measured.reach.look()
        except BeingRead:
            return _being_read(request, "Segmentation")
        try:
            cuts = measured.cuts.look()
        except BeingRead:
            cuts = None
        every, whole = seen.made.places, seen.made.whole
        pages = max(-(-len(every) // ON_A_PAGE), 1)
        page = min(page, pages)
        return html(
            request,
            "segmentation.html",
            **(_as_of(seen, cuts) if cuts is not None else _as_of(seen) | {"again": True}),
            whole=whole,
            rows=segmentation.rows(every[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]),
            page=page,
            pages=pages,
            cuts=cuts and _by_order(cuts.made),
            days=segmentation.trend(parts)[-DAYS:][::-1],
        )

    return router


def _being_read(request: Request, title: str) -> Response:
    """Show that what is asked for is being made for the first time."""
    line = "What follows from the inventory is being worked out."
    return html(request, "being_read.html", id="", title=title, line=line, whole=0, read=0)


def _as_of(*seen: Seen[Any]) -> dict[str, Any]:
    """Return of when a page is, and whether something was changed since: then it is asked for again soon."""
    changed = not all(each.is_now for each in seen)
    return {"as_of": moment(min(each.at for each in seen)), "again": changed, "changed": changed}


def _by_order(cuts: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    return {name: [each for each in cuts if each["order"] == name] for name in ("alone", "in turn")}


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
