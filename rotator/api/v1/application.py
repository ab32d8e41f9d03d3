"""The API, as one application behind its guard, and how it describes itself."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rotator import __version__
from rotator.api import problems
from rotator.api.callers import Callers
from rotator.api.counts import Counts
from rotator.api.following import Following
from rotator.api.origins import SESSION
from rotator.api.problems import MEDIA_TYPE, Problem
from rotator.api.v1 import (
    acting,
    acting_on_runs,
    arranging,
    asking,
    certified,
    closing,
    dataset_checks,
    datasets,
    declaring,
    doors,
    drills,
    events,
    evidence,
    evidence_pack,
    examples,
    files,
    reading,
    routines,
    segmentation,
    standing,
    vendor_attestation,
    vendor_documents,
    vendor_memo,
    vendor_pause,
    vendor_restore,
    vendor_risk,
    vendor_triage,
    vendor_uses,
    vendors,
    vendors_memo,
)
from rotator.api.v1.access import Refusals
from rotator.api.v1.acts import SOMETHING
from rotator.api.v1.doing import Doing
from rotator.api.v1.guard import Guard
from rotator.api.v1.shapes import ProblemDetails
from rotator.bootstrap import Rotator

PATH = "/api/v1"
_A_NAME = re.compile(r"[a-z_]{1,16}")
_SAY_IT = "nothing is said there: it becomes evidence, so say it in a few words"
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
    for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503)
}


def make(parts: Rotator, callers: Callers, refusals: Counts) -> FastAPI:
    """Return the application; what it refuses is counted."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.parts, app.state.refusals = parts, Refusals(parts)
    doing = Doing(parts, app.state.refusals)
    app.state.following = Following(parts)
    by_people = (declaring, acting, acting_on_runs, closing, arranging, asking, dataset_checks, vendor_attestation)
    acts = (each.routes(doing) for each in by_people)
    live = events.routes(parts, callers, app.state.following)
    entries, triage = doors.routes(parts, doing), vendor_triage.routes(doing)
    of_datasets = (datasets, evidence, evidence_pack, vendor_memo, vendors, vendors_memo, vendor_risk, segmentation)
    read = (each.routes(parts) for each in (files, reading, standing, routines, drills, certified, *of_datasets))
    of_vendors = (vendor_pause.routes(doing), vendor_uses.routes(doing), vendor_documents.routes(doing, parts))
    letting_in = (vendor_restore.reading(parts), vendor_restore.routes(doing, parts))
    for router in (entries, triage, *read, live, *acts, *of_vendors, *letting_in):
        app.include_router(router, responses=_ERRORS)
    app.add_middleware(Guard, callers=callers, refusals=refusals)
    app.add_exception_handler(HTTPException, _answered)
    app.add_exception_handler(RequestValidationError, _answered)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


async def _answered(_request: Request, error: Exception) -> Response:
    """Hand it to the guard, which counts and answers every problem alike."""
    if isinstance(error, RequestValidationError):
        raise _bad_request(error) from None
    if isinstance(error, HTTPException) and not isinstance(error, Problem):
        raise answered_as(error) from None
    raise error


def answered_as(error: HTTPException) -> Problem:
    """Return the framework's own errors, a path or method that is not there, in the one form."""
    reason = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    found = Problem(error.status_code, reason)
    found.headers = dict(error.headers or {})
    return found


def _bad_request(error: RequestValidationError) -> Problem:
    """Say which fields are wrong. What was given stays out of it: it may be a secret in the wrong place."""
    wrong = [_wrong(each) for each in error.errors()]
    return Problem(422, "bad_input", "; ".join(f"{each['where']}: {each['what']}" for each in wrong), errors=wrong)


def _wrong(error: dict[str, Any]) -> dict[str, str]:
    """Name a field; one that is not known is in the words of who asked, and named only where it looks like a name."""
    *within, last = map(str, error["loc"])
    is_named = error["type"] != "extra_forbidden" or _A_NAME.fullmatch(last)
    what = _SAY_IT if error.get("ctx", {}).get("pattern") == SOMETHING else error["msg"]
    return {"where": ".".join([*within, last] if is_named else within), "what": what}


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description, complete: who may ask, and in which form errors come."""
    if app.openapi_schema is None:
        found = get_openapi(
            title="rotator",
            version=__version__,
            summary="Turn a leak report into revoked, proven-dead and replaced credentials.",
            description="Every request shows a token: `Authorization: Bearer rot_...`; a signed-in browser shows "
            "its cookie, and `X-CSRF-Token` with each act. See docs/api.md.",
            routes=app.routes,
            servers=[{"url": PATH}],
        )
        parts = found.setdefault("components", {})
        parts["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": SESSION},
        }
        parts.setdefault("schemas", {})["ProblemDetails"] = ProblemDetails.model_json_schema()
        found["security"] = [{"token": []}, {"session": []}]
        examples.show(found)
        app.openapi_schema = found
    return app.openapi_schema


def plain_answer(error: HTTPException) -> Response:
    """Return an error outside the API in the same form."""
    found = error if isinstance(error, Problem) else answered_as(error)
    return problems.told(found.status_code, found.reason, found.detail, found.headers)
