"""One incident, as a room full of people follows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator import clock
from rotator.api.board.rendering import html
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.standing import CredentialState
from rotator.shown import incidents
from rotator.shown.picture import Needs, Picture, Row
from rotator.shown.room import Wanted, room

Text = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=2000)]


def routes(parts: Rotator) -> APIRouter:
    """Return the page."""
    router = APIRouter()

    @router.get("/incidents/{incident}")
    def shown(  # noqa: PLR0917 - a query
        request: Request,
        incident: str,
        state: CredentialState | None = None,
        provider: Annotated[str | None, Query(max_length=64)] = None,
        q: Text = "",
        sort: Text = "",
        after: Cursor = None,
        waiting: Cursor = None,
    ) -> Response:
        """Show it."""
        name = known(parts, incident)
        wanted = Wanted(state or "", provider or None, q, sort, after, waiting)
        report = incidents.report(parts, name)
        rows = {each["run"]: each for each in report["credentials"]}
        picture = _picture(parts, report)
        try:
            data = room(picture, report["incident"], lambda _names: rows, request.state.caller.role, wanted)
        except BadInput as error:
            raise Problem(404, "no_such_page", f"{error.what}: {error.mend}") from None
        return html(request, "incident.html", wanted=wanted, **data)

    return router


def known(parts: Rotator, incident: str) -> str:
    """Return an incident's id. Raises Problem where there is none: `last` is nobody's here, as others declare too."""
    try:
        return parts.reading.named(incident if incident != "last" else "")
    except BadInput:
        raise Problem(404, "no_such_incident", "There is no such incident.") from None


def _picture(parts: Rotator, report: dict[str, Any]) -> Picture:
    """Make the picture from the whole report; the live one takes its place."""
    incident, now = report["incident"], clock.now()
    needs = {"failed": Needs.FAILED, "held": Needs.HELD, "manual": Needs.BY_HAND}
    rows = [
        Row(
            run=each["run"],
            incident=incident["id"],
            place=0,
            provider=each["provider"],
            connection=each["connection"],
            owner=each["owner"],
            id=each["id"],
            strategy=each["strategy"],
            wave=each.get("wave", 0),
            priority=-number,
            revision=each["revision"],
            state=CredentialState(each["state"]),
            evidence=each["evidence"],
            detected_at=_seconds(incident["detected_at"]) or now,
            requested_at=_seconds(each["requested_at"]),
            dead_at=_seconds(each["proven_dead_at"] or each["stated_dead_at"]),
            replaced_at=_seconds(each["replaced_at"]),
            converged_at=_seconds(each["converged_at"]),
            needs=needs.get(each["state"]) if each["steps"] else Needs.TASK,
            is_task=not each["steps"],
        )
        for number, each in enumerate(report["credentials"])
    ]
    times = {
        name: _seconds(incident[f"{name}_at"]) for name in ("exposed", "detected", "declared", "approved", "closed")
    }
    progress = parts.reading.progress(incident["id"], now)
    return Picture(incident["id"], now, "", rows, (incident["id"],), len(rows), times=times, progress=progress)


def _seconds(iso: str | None) -> float | None:
    return datetime.fromisoformat(iso).timestamp() if iso else None
