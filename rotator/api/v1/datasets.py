"""Manifests of datasets, read over HTTP. They are recorded where the datasets are."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import JSONResponse

from rotator.api.problems import of_input
from rotator.api.v1.access import Reader
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.shapes import Page
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.shown import manifests

Name = Annotated[str, Path(max_length=64, description="A manifest's name.")]
Result = Literal["as recorded", "differs", "not checked"]


class CheckRow(BaseModel):
    """What a check found: how many paths of each sort, and the first of them by name; `digest` is of what was there.

    `read_at` is since when it was read; "" where an earlier release checked it. Where that was elsewhere, `read_by` is
    who did, by the file that tells of both; then `by` and `at` are who gave that. Else it is "".
    """

    name: str
    number: int
    at: str
    by: str
    source: str
    connection: str
    host: str
    incident: str
    result: Result
    read_by: str
    read_at: str
    digest: str
    same: int
    altered: int
    missing: int
    new: int
    unread: int
    named: dict[str, list[str]]


class ManifestRow(BaseModel):
    """What was recorded of a dataset, and what the last check of it found, null where there was none."""

    name: str
    source: str
    connection: str
    host: str
    recorded_at: str
    recorded_by: str
    incident: str
    files: int
    links: int
    others: int
    unread: int
    bytes: int
    digest: str
    result: Result
    checked: CheckRow | None


def routes(parts: Rotator) -> APIRouter:
    """Return what may be read."""
    router = APIRouter(tags=["standing"])

    @router.get("/manifests", response_model=Page[ManifestRow])
    def listed(_: Reader, after: After = None, limit: Limit = USUAL) -> Any:
        """List the manifests of datasets, and what the last check of each found."""
        return JSONResponse(page(manifests.listed(parts), lambda row: str(row["name"]), after, limit))

    @router.get("/manifests/{name}", response_model=ManifestRow)
    def one(_: Reader, name: Name) -> Any:
        """Return one manifest, without its lines: `rotator manifest export` writes these."""
        known(parts, name)
        found = next(each for each in manifests.listed(parts) if each["name"] == name)
        return JSONResponse(found)

    @router.get("/manifests/{name}/checks", response_model=Page[CheckRow])
    def checks(_: Reader, name: Name, after: After = None, limit: Limit = USUAL) -> Any:
        """List the checks of a dataset, the newest first."""
        known(parts, name)
        return JSONResponse(page(manifests.checks(parts, name), lambda row: str(row["number"]), after, limit))

    return router


def known(parts: Rotator, name: str) -> None:
    """Raise Problem where no manifest is called so."""
    try:
        parts.manifests.one(name)
    except BadInput as error:
        raise of_input(error, HTTPStatus.NOT_FOUND, "not_found") from None
