"""Signing in and out: two ways in, one way out. All of it works without a script."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import parse_qs, quote

import anyio
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from rotator.api import origins
from rotator.api.board.rendering import html
from rotator.api.bodies import WITHIN_S, body_of
from rotator.api.callers import NOT_KNOWN, Callers
from rotator.api.counts import Counts
from rotator.api.problems import Problem, of_body
from rotator.api.sign_in.entering import Entering, own_path, read_state, state_for
from rotator.bootstrap import Rotator
from rotator.errors import BadInput, Unavailable
from rotator.ledger.sessions import Person
from rotator.openid.id_token import NotBelieved
from rotator.openid.provider import CALLBACK, Provider
from rotator.triggers.message import Refused

log = logging.getLogger("rotator")

AT_ONCE = 8
"""So many ask the provider at the same time, in threads of their own: while it is slow, nothing else waits for it."""
_FORM_BYTES, _BEGUN_S = 8192, 3600
_FORM = ("application/x-www-form-urlencoded",)
Answer = TypeVar("Answer")


def routes(parts: Rotator, callers: Callers, refusals: Counts) -> APIRouter:
    """Return where people sign in and out."""
    return _Pages(parts, callers, refusals).router()


class _Pages:
    def __init__(self, parts: Rotator, callers: Callers, refusals: Counts) -> None:
        self._parts, self._callers, self._refusals = parts, callers, refusals
        self._web, self._oidc = parts.settings.web, parts.settings.sign_in.oidc
        self._entering, self._limiter = Entering(parts, callers), anyio.CapacityLimiter(AT_ONCE)
        here = self._web.public_url or ""
        self._provider = Provider(self._oidc, parts.settings.folder, here + CALLBACK) if self._oidc else None

    def router(self) -> APIRouter:
        router, found = APIRouter(), {"GET": {"/sign-in": self.ask, "/sign-out": self.gone}}
        found["POST"] = {"/sign-in/token": self.show_token, "/sign-out": self.leave}
        if self._provider is not None:
            found["GET"] |= {"/sign-in/oidc": self.begin, CALLBACK: self.come_back}
        for method, paths in found.items():
            for path, answer in paths.items():
                router.add_api_route(path, answer, methods=[method], response_model=None)
        return router

    async def ask(self, request: Request, next: str = "") -> Response:  # noqa: A002 - the page's own word
        """Ask who it is; who is known already goes on."""
        try:
            await run_in_threadpool(self._callers.of, request)
        except Problem:
            return self._asked(request, next)
        return RedirectResponse(own_path(next), 303)

    async def show_token(self, request: Request) -> Response:
        """Let somebody in who shows a token."""
        form = await _form(request)
        wanted, kept = form.get("next", ""), origins.cookie(request, self._web, origins.SIGNING_IN)
        try:
            origins.check(request, self._web, form.get("csrf", ""), origins.derived(kept, "form") if kept else "")
            person = await run_in_threadpool(self._entering.with_token, request, form.get("token", "").strip())
            return await self._in(request, person, wanted)
        except Problem as problem:
            return self._asked(request, wanted, problem)

    async def begin(self, request: Request, next: str = "") -> Response:  # noqa: A002
        """Send somebody to the provider."""
        kept = self._kept(request)
        attempt, state = state_for(kept, next)
        nonce, verifier = _words(kept, attempt)
        try:
            origins.own(request, self._web)
            there = await self._outside(lambda provider: provider.begin(state, nonce, verifier))
        except Problem as problem:
            return self._asked(request, next, problem)
        answer = RedirectResponse(there, 303)
        origins.keep(answer, self._web, origins.SIGNING_IN, kept, _BEGUN_S)
        return answer

    async def come_back(self, request: Request) -> Response:
        """Let somebody in whom the provider names."""
        try:
            person, wanted = await self._named(request)
            return await self._in(request, person, wanted)
        except Problem as problem:
            told = self._callers.in_vain(request, problem.reason, problem.detail)
            return self._asked(request, "", told if told.status_code == HTTPStatus.TOO_MANY_REQUESTS else problem)

    async def _named(self, request: Request) -> tuple[Person, str]:
        """Return whom the provider names, and where he wanted to go. Raises Problem."""
        query, kept = request.query_params, origins.cookie(request, self._web, origins.SIGNING_IN)
        attempt, wanted = read_state(kept, query.get("state", ""))
        nonce, verifier = _words(kept, attempt)
        if not await self._outside(lambda provider: provider.is_own(query.get("iss"))):
            raise Problem(403, "other_issuer", "another provider answered: begin again")
        if "code" not in query:
            raise Problem(403, "not_signed_in", "the provider did not sign you in: begin again, or use a token")
        claims = await self._outside(lambda provider: provider.who(query["code"], nonce, verifier))
        return await run_in_threadpool(self._entering.by_word, claims), wanted

    async def leave(self, request: Request) -> Response:
        """End somebody's session."""
        form = await _form(request)
        answer = RedirectResponse("/sign-out", 303)
        try:
            caller = await run_in_threadpool(self._callers.of, request, form.get("csrf", ""))
        except Problem as problem:
            if problem.status_code not in NOT_KNOWN:  # of a session that is over there is nothing to end
                raise
        else:
            if caller.session is not None:
                await run_in_threadpool(self._parts.sessions.sign_out, caller.session)
        origins.forget(answer, self._web, origins.SESSION)
        return answer

    async def gone(self, request: Request) -> Response:
        """Say that somebody is signed out here, and where he may be still."""
        provider, there = self._provider, ""
        if provider is not None:
            there = await self._threads(lambda: provider.sign_out(f"{self._web.public_url}/sign-in"))
        return html(request, "signed_out.html", provider=there)

    async def _in(self, request: Request, person: Person, wanted: str) -> Response:
        """Open a new session; whatever the browser showed before is none any more."""
        answer = RedirectResponse(own_path(wanted), 303)
        origins.own(request, self._web)
        before = origins.cookie(request, self._web, origins.SESSION)
        cookie, _ = await run_in_threadpool(self._parts.sessions.open, person, before)
        origins.keep(answer, self._web, origins.SESSION, cookie.reveal())
        origins.forget(answer, self._web, origins.SIGNING_IN)
        return answer

    def _asked(self, request: Request, wanted: str, problem: Problem | None = None) -> Response:
        """Return the page that asks who it is, and what was wrong."""
        kept = self._kept(request)
        try:
            origins.own(request, self._web)
        except Problem as plain:
            problem = plain
        if problem is not None:
            self._refusals.add("sign_in", problem.reason)
        answer = html(
            request,
            "sign_in.html",
            problem.status_code if problem is not None else 200,
            problem=problem.detail if problem is not None else "",
            is_open=problem is None or problem.reason != "plain_line",
            word=origins.derived(kept, "form"),
            next=own_path(wanted),
            oidc=f"/sign-in/oidc?next={quote(own_path(wanted), safe='')}" if self._oidc is not None else "",
        )
        if problem is not None:
            answer.headers.update(problem.headers or {})
        origins.keep(answer, self._web, origins.SIGNING_IN, kept, _BEGUN_S)
        return answer

    def _kept(self, request: Request) -> str:
        """Return what this browser keeps while it signs in; several of its windows share it."""
        return origins.cookie(request, self._web, origins.SIGNING_IN) or secrets.token_urlsafe(32)

    async def _outside(self, ask: Callable[[Provider], Answer]) -> Answer:
        """Ask the provider. Raises Problem where it does not answer, or what it says is not believed."""
        provider = self._provider
        assert provider is not None  # noqa: S101 - else there is no such path
        try:
            return await self._threads(lambda: ask(provider))
        except NotBelieved as error:
            log.warning("sign_in_refused: %s", error.reason)
            what = f"what the provider said is not believed ({error.reason}): begin again"
            raise Problem(403, error.reason, what) from None
        except (Unavailable, BadInput) as error:
            log.warning("sign_in_waits: %s; `rotator doctor` looks at it", error.reason)
            what = "the provider cannot be asked now: sign in with a token, or try again later"
            raise Problem(503, "provider_down", what) from None

    async def _threads(self, work: Callable[[], Answer]) -> Answer:
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


def _words(kept: str, attempt: str) -> tuple[str, str]:
    """Return the nonce and the verifier of one attempt, which nobody else can know before it ends."""
    return origins.derived(kept, f"nonce {attempt}"), origins.derived(kept, f"verifier {attempt}")


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form. Raises Problem."""
    try:
        body = await body_of(request, _FORM, WITHIN_S, _FORM_BYTES)
    except Refused as refused:
        raise of_body(refused) from None
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
