"""Nobody comes to the API but with a token that opens it now, and nothing leaves it but answers and problems.

It stands before everything else: who is not let in learns not even which paths there are.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rotator import api_token, clock
from rotator.api import problems
from rotator.api.bodies import body_of
from rotator.api.counts import Counts
from rotator.api.knocks import Knocks, neighbourhood
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.flow.approval import Role
from rotator.flow.roles import still
from rotator.ledger.calls import Call
from rotator.ledger.database import LedgerFailed
from rotator.ledger.tokens import Token
from rotator.settings.file import ruled
from rotator.triggers.message import Refused

log = logging.getLogger("rotator")

ACT_BYTES, REPORT_BYTES = 1 << 16, 32 << 20
"""How long a body may be: of an act, and of a report that declares an incident."""
BODY_WITHIN_S = 60.0
WRONG_A_MINUTE = 10
"""So many wrong tokens of one address are answered 401, more are answered 429. A right one is let in whatever others do
from where it comes: a thief behind the same address must not lock responders out."""
ENDED_A_MINUTE = 1
"""So many knocks of one token that is expired or revoked are evidence."""
_REPORTS = re.compile(r"/incidents(/[^/]+/reports)?")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: with which token, in whose name, and what he may now."""

    token: Token
    role: Role

    @property
    def by(self) -> str:
        """Return in whose name he acts."""
        return self.token.by


class Guard:
    """Let requests to `app` that show a token, with their whole body; answer the others, and what goes wrong."""

    def __init__(self, app: ASGIApp, parts: Rotator, refusals: Counts) -> None:
        self._app, self._parts, self._refusals = app, parts, refusals
        self._knocks, self._ended = Knocks(WRONG_A_MINUTE), Knocks(ENDED_A_MINUTE)

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
            scope.setdefault("state", {})["caller"] = await run_in_threadpool(self._caller, request)
            if request.method not in {"GET", "HEAD"}:
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

    def _caller(self, request: Request) -> Caller:
        """Return who calls. Raises Problem for no token, one that opens nothing (any more), or no path."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise self._unknown(request, "no_token", "show a token: Authorization: Bearer rot_...")
        given = api_token.read(text.strip())
        token = self._parts.tokens.known(given) if given is not None else None
        if token is None:
            raise self._unknown(request, "unknown_token", "no such token")
        if (state := token.state(clock.now())) != "active":
            if self._ended.in_vain(token.name) is None:  # a sign that it was stolen, or forgotten somewhere
                self._parts.calls.refused(Call(token.name, token.by, "call", ""), f"{state}_token")
            raise self._unknown(request, f"{state}_token", f"the token {token.name} is {state}")
        if "\0" in request.scope["path"]:  # PostgreSQL takes no such text, and nothing is called so
            raise Problem(404, "not_found")
        return Caller(token, still(token.role, token.person, ruled(self._parts.settings).policy))

    def _unknown(self, request: Request, reason: str, detail: str) -> Problem:
        wait_s = self._knocks.in_vain(neighbourhood(request.client.host if request.client else ""))
        if wait_s is not None:
            return Problem(429, "too_many_wrong_tokens", "wait before the next one", wait_s)
        return Problem(401, reason, detail)


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
