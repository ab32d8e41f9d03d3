"""Drills, read over HTTP. They are held where the rotator runs, which takes away what they leave."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import JSONResponse

from rotator.api.problems import Problem
from rotator.api.v1.access import Reader
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.shapes import Page
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.shown import drills

Name = Annotated[str, Path(max_length=64, description="A drill's incident, or `last`.")]


class DrillRow(BaseModel):
    """One drill: how its canaries leaked, how many there were, and how long they lived, in seconds."""

    incident: str
    name: str
    trigger: str
    by: str
    at: str
    ended_at: str
    outcome: str
    providers: list[str]
    count: int
    proven_dead_s: float | None
    worst_s: float | None


class CanaryRow(BaseModel):
    """One canary: the seconds from detection on by each clock, null for what did not come."""

    provider: str
    connection: str
    owner: str
    id: str
    strategy: str
    stated: bool
    seconds: dict[str, float | None]


class OneDrill(DrillRow):
    """One drill with its canaries, and which of them died too late."""

    slow: list[str]
    canaries: list[CanaryRow]


class TrendRow(BaseModel):
    """How long the canaries of a kind lived in one ISO week, in seconds; `worst` is the incident of the longest."""

    provider: str
    week: str
    drills: int
    canaries: int
    stated: int
    ended: int
    open: int
    p50_s: float | None
    p95_s: float | None
    max_s: float | None
    worst: str | None


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read."""
    router = APIRouter(tags=["standing"])

    @router.get("/drills", response_model=Page[DrillRow])
    def listed(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the drills, the latest first."""
        return JSONResponse(page(drills.listed(parts), lambda row: str(row["incident"]), after, limit))

    @router.get("/drills/trend", response_model=Page[TrendRow])
    def trend(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List how long canaries lived, by kind and ISO week."""
        return JSONResponse(page(drills.trends(parts), lambda row: f"{row['provider']} {row['week']}", after, limit))

    @router.get("/drills/{incident}", response_model=OneDrill)
    def one(_: Reader, incident: Name) -> Any:
        """Return one drill with the clocks of its canaries."""
        try:
            return JSONResponse(drills.drill(parts, incident))
        except BadInput as error:
            raise Problem(HTTPStatus.NOT_FOUND, "not_found", error.what, where="path.incident") from None

    return router
