"""Vendors by risk, read over HTTP."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse

from rotator.api.v1.access import Reader
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.shapes import Page
from rotator.api.v1.vendor_triage import GroundRow, TermRow
from rotator.bootstrap import Rotator
from rotator.vendors_risk import told


class TimesRow(BaseModel):
    """The figures of a clock, as docs/metrics.md defines them; null where nobody can tell."""

    n: int
    ended: int
    open: int
    unknown: int
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    max_s: float | None
    longest_open_s: float | None


class VendorTimes(BaseModel):
    """How long it took in the last year: until dead in incidents and in drills, and from exposure to detection.

    `advised` is from the publication of an advisory that touches it until that arrived here.
    """

    proven_dead: TimesRow
    drilled: TimesRow
    detected: TimesRow
    advised: TimesRow


class RiskRow(BaseModel):
    """A vendor; its risk is likelihood times sensitivity, as `terms` have them. `paused` is its incident.

    One that nobody registered is last, and has no risk. `attestations` are counted by how they stand today.
    """

    rank: int | None
    vendor: str
    title: str
    criticality: Literal["", "low", "medium", "high", "critical"]
    owner: str
    registered: bool
    risk: float | None
    terms: list[TermRow]
    grounds: list[GroundRow]
    paused: str
    attestations: dict[str, int]
    credentials: int
    grants: int
    dead: int
    further: int
    datasets: list[str]
    times: VendorTimes


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read; risks are made once for as long as what they follow from says the same."""
    router = APIRouter(tags=["standing"])

    @router.get("/vendor-risks", response_model=Page[RiskRow])
    def risks(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List vendors by risk while no notice tells of any, each with its terms and how fast it was answered."""
        return JSONResponse(page(told(parts), lambda row: str(row["vendor"]), after, limit))

    return router
