"""One incident, as a room full of people follows it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator.api.board.rendering import html
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.standing import CredentialState
from rotator.report.clocks import moment
from rotator.shown.live import live
from rotator.shown.picture import Picture
from rotator.shown.room import Wanted, room

FIRST_S, SMALL = 2.0, 2000
"""How long a first answer waits until all of an incident of so many was read; a larger one is told to be read."""
Text = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=2000)]


def routes(parts: Rotator) -> APIRouter:
    """Return the page."""
    router = APIRouter()

    @router.get("/incidents/{incident}")
    def shown(  # noqa: PLR0917 - a query
        request: Request,
        incident: str,
        state: CredentialState | Literal[""] = "",
        provider: Annotated[str | None, Query(max_length=64)] = None,
        q: Text = "",
        sort: Text = "",
        after: Cursor = None,
        waiting: Cursor = None,
    ) -> Response:
        """Show it."""
        name = known(parts, incident)
        wanted = Wanted(state, provider or None, q, sort, after, waiting)
        picture = picture_of(parts, name)
        if not picture.is_whole or picture.whole is None:
            title = parts.reading.few(name, ()).incident.title
            read, whole = len(picture.rows), picture.credentials
            line = f"It is being read: {read:,} of {whole:,} credentials so far."
            of: dict[str, Any] = {"id": name, "title": title, "line": line, "read": read, "whole": max(whole, 1)}
            return html(request, "being_read.html", after=picture.cursor, **of)
        try:
            data = room(parts, picture, request.state.caller.role, wanted)
        except BadInput as error:
            raise Problem(404, "no_such_page", f"{error.what}: {error.mend}") from None
        data |= {"as_of": moment(picture.at), "after": picture.cursor, "wanted": wanted}
        return html(request, "incident.html", **data)

    return router


def picture_of(parts: Rotator, incident: str) -> Picture:
    """Return how an incident stands; a small one whole, a large one as far as it was read."""
    picture = live(parts).of(incident)
    if not picture.is_whole and picture.credentials <= SMALL:
        picture = live(parts).of(incident, FIRST_S)
    return picture


def known(parts: Rotator, incident: str) -> str:
    """Return an incident's id. Raises Problem where there is none: `last` is nobody's here, as others declare too."""
    try:
        return parts.reading.named(incident if incident != "last" else "")
    except BadInput:
        raise Problem(404, "no_such_incident", "There is no such incident.") from None
