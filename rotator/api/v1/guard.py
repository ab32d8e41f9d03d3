"""Nobody comes to the API but who is known now, by token or session, and nothing leaves it but answers and problems.

It stands before everything else: who is not let in learns not even which paths there are.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rotator.api import problems
from rotator.api.bodies import body_of
from rotator.api.callers import SAFE, Callers
from rotator.api.counts import Counts
from rotator.api.problems import Problem
from rotator.errors import RotatorError
from rotator.ledger.database import LedgerFailed
from rotator.triggers.message import Refused

log = logging.getLogger("rotator")

ACT_BYTES, REPORT_BYTES = 1 << 16, 32 << 20
"""How long a body may be: of an act, and of what is a file."""
BODY_WITHIN_S = 60.0
_REPORTS = re.compile(r"/incidents(/[^/]+/reports)?|/intake|/inventory/import|/playbooks/lint")


class Guard:
    """Let requests to `app` whose caller is known, with their whole body; answer the others, and what goes wrong."""

    def __init__(self, app: ASGIApp, callers: Callers, refusals: Counts) -> None:
        self._app, self._callers, self._refusals = app, callers, refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            request = Request(scope, receive)
            scope.setdefault("state", {})["caller"] = await run_in_threadpool(self._callers.of, request)
            if request.method not in SAFE:
                receive = await _whole(request, receive)
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw may hold material in its words
            problem = self._problem(error)
            if begun:  # half an answer cannot be mended
                raise RuntimeError(problem.reason) from None
            await problem.answer(scope, receive, send)

    def _problem(self, error: Exception) -> Problem:
        if isinstance(error, (LedgerFailed, RotatorError)):  # a server that is down, a configuration that is not right
            log.warning("api_waits: %s; `rotator doctor` looks at it", type(error).__name__)
            error = Problem(503, "not_ready", "it cannot be answered now: `rotator doctor` says why", problems.AGAIN_S)
        if not isinstance(error, Problem):
            log.error("api_failed: %s", type(error).__name__)
            error = Problem(500, "internal", "this is our mistake; nothing more is told here")
        self._refusals.add(error.more.get("act", ""), error.reason)
        return error


async def _whole(request: Request, receive: Receive) -> Receive:
    """Read the body whole; return what gives it again, and then whatever comes. Raises Problem."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    try:
        body = await body_of(request, None, BODY_WITHIN_S, REPORT_BYTES if _REPORTS.fullmatch(path) else ACT_BYTES)
    except Refused as refused:
        raise problems.of_body(refused) from None
    request.state.body = body
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
