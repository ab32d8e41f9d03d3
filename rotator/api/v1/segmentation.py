"""Segmentation, read over HTTP: what one compromise reaches, what to cut, how it went, what could live shortly."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse

from rotator import clock
from rotator.api.problems import of_input
from rotator.api.v1.access import Reader
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.shapes import Page
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.shown import segmentation, short_lived

Place = Annotated[str, Query(max_length=400, description="A place, as `GET /segmentation` names it.")]


class PlaceRow(BaseModel):
    """A place, and what one compromise of it reaches; `directly` counts the credentials that lie there."""

    place: str
    directly: int
    credentials: int
    worst: str
    datasets: list[str]
    blast: float


class Whole(BaseModel):
    """What all places come to, and what is in no figure: see docs/segmentation.md."""

    places: int
    credentials: int
    datasets: int
    unplaced: int
    unknown: int
    reach: float
    widest: float


class ReachedRow(BaseModel):
    """A credential that is reached from a place, with its way."""

    provider: str
    connection: str
    owner: str
    id: str
    criticality: str
    datasets: list[str]
    way: list[str]


class EdgeRow(BaseModel):
    """What a person can cut: by how much the reach of all places shrinks, and what is left of it."""

    order: Literal["alone", "in turn"]
    rank: int
    source: str
    how: Literal["reaches", "reads", "administers", "opens"]
    target: str
    gain: float
    left: float


class DayRow(Whole):
    """What was measured on a day; `change` is that of the reach since the time before, null for the first."""

    model_config = ConfigDict(extra="allow")
    day: str
    at: str
    widest_places: list[dict[str, Any]]
    change: float | None


class ShortLivedRow(BaseModel):
    """A credential that could live shortly: where it lies, how old it is, and who does which move of the conversion."""

    provider: str
    connection: str
    owner: str
    id: str
    criticality: str
    places: list[str]
    made_at: str
    age_days: int | None
    by: str
    moves: list[str]
    prepared_by: Literal["machine", "person"]


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read; it is measured once for as long as the inventory says the same."""
    router = APIRouter(tags=["standing"])
    measured = segmentation.measured(parts)

    @router.get("/segmentation", response_model=Page[PlaceRow])
    def places(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List each place with what one compromise of it reaches, the widest first."""
        return JSONResponse(page(segmentation.places(measured), lambda row: str(row["place"]), after, limit))

    @router.get("/segmentation/whole", response_model=Whole)
    def whole(_: Reader) -> Any:
        """Tell what all places come to, and what is in no figure."""
        return JSONResponse(segmentation.whole(measured))

    @router.get("/segmentation/reached", response_model=Page[ReachedRow])
    def reached(_: Reader, place: Place, after: After = None, limit: Limit = USUAL) -> Any:
        """List what one compromise of a place reaches, the nearest first, each with its way."""
        try:
            found = segmentation.reached(measured, place)
        except BadInput as unknown:
            raise of_input(unknown, HTTPStatus.NOT_FOUND, "not_found") from None
        return JSONResponse(page(found, lambda row: f"{row['provider']} {row['connection']} {row['id']}", after, limit))

    @router.get("/segmentation/edges", response_model=Page[EdgeRow])
    def edges(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the cuts that shrink the reach most: each alone, and each after those before it."""
        return JSONResponse(page(measured.edges(), lambda row: f"{row['order']} {row['rank']}", after, limit))

    @router.get("/segmentation/trend", response_model=Page[DayRow])
    def trend(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List what was measured on each day, the oldest first."""
        return JSONResponse(page(segmentation.trend(parts), lambda row: str(row["day"]), after, limit))

    @router.get("/segmentation/short-lived", response_model=Page[ShortLivedRow])
    def shortly(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the credentials that could live shortly, the most critical and oldest first."""
        found = short_lived.rows(measured, parts, clock.now())
        return JSONResponse(page(found, lambda row: f"{row['provider']} {row['connection']} {row['id']}", after, limit))

    return router
