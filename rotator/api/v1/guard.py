"""Nobody comes to the API but who is known now, by token or session, and nothing leaves it but answers and problems.

It stands before everything else: who is not let in learns not even which paths there are.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rotator.api import problems
from rotator.api.bodies import body_of
from rotator.api.callers import SAFE, Caller, Callers
from rotator.api.counts import Counts
from rotator.api.problems import Problem
from rotator.api.v1.long_work import AGAIN_S
from rotator.errors import RotatorError
from rotator.flow.roles import Act, may
from rotator.ledger.database import LedgerFailed
from rotator.strict_yaml import MAX_BYTES as PLAYBOOK_BYTES
from rotator.triggers.message import Refused

log = logging.getLogger("rotator")

ACT_BYTES, REPORT_BYTES = 1 << 16, 32 << 20
"""How long a body may be: of an act, and of what is a file."""
BODY_WITHIN_S = 60.0
REPORTS_OF_ONE = 8
"""Files longer than an act that one who calls may send at the same time: each is in memory until it is answered."""
_REPORTS = re.compile(
    r"/incidents(/[^/]+/reports)?|/intake|/inventory/import"
    r"|/manifests/[^/]+/checks"
    r"|/vendors/(triage|[^/]+/(pause|software|attestations|uses|memo\.[a-z]+|gates/[^/]+/document))"
)
_PLAYBOOK = "/playbooks/lint"


class Guard:
    """Let requests to `app` whose caller is known, with their whole body; answer the others, and what goes wrong."""

    def __init__(self, app: ASGIApp, callers: Callers, refusals: Counts) -> None:
        self._app, self._callers, self._refusals = app, callers, refusals
        self._reports: Counter[str] = Counter()

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
            caller = await run_in_threadpool(self._callers.of, request)
            scope.setdefault("state", {})["caller"] = caller
            if request.method in SAFE:
                await self._app(scope, receive, sending)
                return
            with self._room(request, caller) as most:
                await self._app(scope, await _whole(request, receive, most), sending)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw may hold material in its words
            problem = self._problem(error)
            if begun:  # half an answer cannot be mended
                raise RuntimeError(problem.reason) from None
            await problem.answer(scope, receive, send)

    @contextlib.contextmanager
    def _room(self, request: Request, caller: Caller) -> Iterator[int]:
        """Give so many bytes as a body may have: of a file more, by whom something may come of it.

        Raises Problem where too many files of his are here already: a stolen token must not fill the memory.
        """
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        length = int(request.headers.get("content-length", REPORT_BYTES))  # no longer than it says, as uvicorn sees to
        if not _REPORTS.fullmatch(path) or not may(caller.role, Act.INTAKE) or length <= ACT_BYTES:
            yield PLAYBOOK_BYTES if path == _PLAYBOOK else ACT_BYTES
            return
        if self._reports[caller.by] >= REPORTS_OF_ONE:
            raise Problem(429, "too_many_reports", "as many as one may send at once are read already", AGAIN_S)
        self._reports[caller.by] += 1
        try:
            yield REPORT_BYTES
        finally:
            self._reports[caller.by] -= 1
            self._reports += Counter()  # who has none is forgotten

    def _problem(self, error: Exception) -> Problem:
        if isinstance(error, (LedgerFailed, RotatorError)):  # a server that is down, a configuration that is not right
            log.warning("api_waits: %s; `rotator doctor` looks at it", type(error).__name__)
            error = Problem(503, "not_ready", "it cannot be answered now: `rotator doctor` says why", problems.AGAIN_S)
        if not isinstance(error, Problem):
            log.error("api_failed: %s", type(error).__name__)
            error = Problem(500, "internal", "this is our mistake; nothing more is told here")
        self._refusals.add(error.more.get("act", ""), error.reason)
        return error


async def _whole(request: Request, receive: Receive, most: int) -> Receive:
    """Read the body whole; return what gives it again, and then whatever comes. Raises Problem."""
    try:
        body = await body_of(request, None, BODY_WITHIN_S, most)
    except Refused as refused:
        raise problems.of_body(refused) from None
    request.state.body = body
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
