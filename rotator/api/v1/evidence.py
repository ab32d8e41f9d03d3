"""The evidence over HTTP, in the order in which it was committed; what follows it live is in `events.py`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from rotator.api.v1.access import Auditor, Reader
from rotator.api.v1.pages import USUAL, After, Limit, lost
from rotator.api.v1.reading import Incident, known
from rotator.api.v1.shapes import EvidenceRecord, Page
from rotator.bootstrap import Rotator
from rotator.ledger.feed import is_cursor
from rotator.ledger.service import CHAIN


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read of the evidence."""
    router = APIRouter()

    @router.get("/incidents/{incident}/evidence", response_model=Page[EvidenceRecord], tags=["incidents"])
    def of_incident(_: Reader, incident: Incident, after: After = None, limit: Limit = USUAL) -> Any:
        """List an incident's evidence in the order in which it was committed, byte for byte as hashed.

        With it stands that of what was merged into it. What comes later stands behind the last `cursor`: to go on
        following, ask again with it.
        """
        return _page(parts, known(parts, incident), after, limit)

    @router.get("/service/evidence", response_model=Page[EvidenceRecord], tags=["service"])
    def of_service(_: Auditor, after: After = None, limit: Limit = USUAL) -> Any:
        """List the service's own chain in the same way: tokens, sessions, what was called and what was refused."""
        return _page(parts, CHAIN, after, limit)

    return router


def behind(cursor: str | None) -> str | None:
    """Return a cursor as it was given. Raises Problem for what is none."""
    if cursor is not None and not is_cursor(cursor):
        raise lost()
    return cursor


def _page(parts: Rotator, of: str, after: str | None, limit: int) -> JSONResponse:
    found = parts.feed.after(behind(after), limit + 1, of)
    following = found[limit - 1].cursor if len(found) > limit else None
    return JSONResponse({"items": [asdict(each) for each in found[:limit]], "next": following})
