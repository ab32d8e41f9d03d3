"""The board as one application: its pages, its files, and how a page says what went wrong."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rotator.api.board import assets
from rotator.api.board.pages import credential, declaring, downloads, incident, incidents, plan, standing, vendors
from rotator.api.board.rendering import html
from rotator.api.callers import NOT_KNOWN, Callers
from rotator.api.counts import Counts
from rotator.api.problems import Problem
from rotator.api.sign_in import pages as sign_in
from rotator.api.v1.application import plain_answer
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.ledger.database import LedgerFailed

log = logging.getLogger("rotator")

PAGES = (incidents, declaring, downloads, incident, plan, credential, standing, vendors)
"""The pages; the first whose address fits answers."""


def make(parts: Rotator, callers: Callers, refusals: Counts) -> FastAPI:
    """Return the application; whom it does not let in is counted."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    def signed_in(request: Request) -> None:
        """Let nobody see a page who is not known. Raises Problem."""
        request.state.caller = caller = callers.of(request)
        request.state.csrf = caller.csrf

    for page in PAGES:
        app.include_router(page.routes(parts), dependencies=[Depends(signed_in)])
    app.include_router(assets.routes())
    app.include_router(sign_in.routes(parts, callers, refusals))

    @app.get("/")
    def home() -> Response:
        """Begin with the incidents."""
        return RedirectResponse("/incidents", 303)

    app.add_middleware(_Calm)
    app.add_exception_handler(HTTPException, _said)
    app.add_exception_handler(RequestValidationError, _said)
    return app


class _Calm:
    """Say what went wrong as a page; an error that nobody foresaw may hold material in its words, and is named only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._app(scope, receive, send)
        except (LedgerFailed, RotatorError) as error:
            log.warning("board_waits: %s; `rotator doctor` looks at it", type(error).__name__)
            problem = Problem(503, "not_ready", "It cannot be shown now: `rotator doctor` says why. Try again soon.")
            await _page(Request(scope), problem)(scope, receive, send)
        except Exception as error:  # noqa: BLE001
            log.error("board_failed: %s", type(error).__name__)  # noqa: TRY400 - a traceback may hold material
            problem = Problem(500, "internal", "This is our mistake; the log names it by the request's id.")
            await _page(Request(scope), problem)(scope, receive, send)


async def _said(request: Request, error: Any) -> Response:
    """Answer a browser with a page, and programs as the API does; who is not signed in is asked to."""
    if isinstance(error, RequestValidationError):
        error = Problem(422, "bad_input", "The address says what no page shows.")
    if "text/html" not in request.headers.get("accept", ""):
        return plain_answer(error)
    if error.status_code in NOT_KNOWN and request.method == "GET":
        there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(there, safe='')}", 303)
    return _page(request, error)


def _page(request: Request, error: HTTPException) -> Response:
    said = error.detail if isinstance(error, Problem) and error.detail else "There is no such page."
    return html(request, "problem.html", error.status_code, detail=said)
