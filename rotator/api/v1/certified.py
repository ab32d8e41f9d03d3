"""What was certified with canaries, read over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from rotator.api.v1.access import Reader
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.shapes import Page
from rotator.bootstrap import Rotator
from rotator.shown import certificates


class CertificateRow(BaseModel):
    """What was seen of a canary of one kind on a connection; `document` is the signed certificate itself."""

    model_config = ConfigDict(extra="allow")
    number: int
    kind: str
    connection: str
    at: str
    outcome: str
    grade: str = Field(description='"live_account", or "" where the connection leads to no account of a vendor.')
    evidence: str
    stands: str = Field(description='Why it is not believed today: "" where it is.')
    document: dict[str, Any]


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read."""
    router = APIRouter(tags=["standing"])

    @router.get("/certificates", response_model=Page[CertificateRow])
    def certified(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List what was certified with canaries, the newest first, and why one is not believed today."""
        found = certificates.certificates(parts)
        return JSONResponse(page(found, lambda row: f"{row['at']} {row['number']}", after, limit))

    return router
