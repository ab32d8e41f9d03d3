"""What hygiene has due, and when policies open, read over HTTP."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse

from rotator import clock
from rotator.api.v1.access import Reader
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.shapes import Page
from rotator.bootstrap import Rotator
from rotator.shown import hygiene


class DueRow(BaseModel):
    """A credential that is due, of an age that nobody knows, or ends soon: since when, and when its turn comes."""

    model_config = ConfigDict(extra="allow")
    policy: str
    turn: str
    provider: str
    connection: str
    owner: str
    id: str
    made_at: str
    ends_at: str
    due_at: str
    starts_at: str
    busy: str


class PolicyRow(BaseModel):
    """A policy: its window, who agreed to it until when, and how many credentials stand how with it."""

    model_config = ConfigDict(extra="allow")
    policy: str
    select: str
    schedule: str
    open_until: str
    opens_at: str
    frozen: str
    approved_by: str
    expires_at: str
    expired: bool
    at_work: int
    at_once: int
    credentials: dict[str, int]


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read."""
    router = APIRouter(tags=["standing"])

    @router.get("/hygiene", response_model=Page[DueRow])
    def due(_: Reader, show: Literal["due", "all"] = "due", after: After = None, limit: Limit = USUAL) -> Any:
        """List the credentials that hygiene has due, whose turn it is first, and those of an age that nobody knows.

        With `show=all` the young too. Behind them stand those that end by themselves before long and are under no
        policy, with the turn `ends`.
        """
        found = hygiene.due(parts.on(parts.database), clock.now(), every=show == "all")
        return JSONResponse(page(found, lambda row: f"{row['provider']} {row['connection']} {row['id']}", after, limit))

    @router.get("/schedules", response_model=Page[PolicyRow])
    def schedules(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the policies: when each opens, and how many credentials are due."""
        found = hygiene.schedules(parts.on(parts.database), clock.now())
        return JSONResponse(page(found, lambda row: str(row["policy"]), after, limit))

    return router
