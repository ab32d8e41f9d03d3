"""Who calls: by a token that opens now, or by the cookie of a session that lives now. Both are asked anew each time."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from rotator import api_token, clock
from rotator.api import origins
from rotator.api.knocks import Knocks, neighbourhood
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.flow.approval import Role
from rotator.flow.roles import still
from rotator.ledger.calls import Call
from rotator.ledger.sessions import Session
from rotator.ledger.tokens import Token
from rotator.settings.file import ruled

WRONG_A_MINUTE = 10
"""So many wrong tokens of one address are answered 401, more are answered 429. A right one is let in whatever others do
from where it comes: a thief behind the same address must not lock responders out."""
ENDED_A_MINUTE = 1
"""So many knocks of one token or session that is over, or foreign pages behind one session, are evidence."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NOT_KNOWN = frozenset({401, 429})
"""How somebody is answered who is not known: also he whose neighbours guess, and who may sign in all the same."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: through which door, as evidence calls it, in whose name, and what he may now.

    `csrf` is what an act of his session must show; "" for a token, which no page of another site can send.
    """

    name: str
    by: str
    role: Role
    expires_at: float
    session: Session | None = None
    csrf: str = ""


class Callers:
    """Know who calls."""

    def __init__(self, parts: Rotator) -> None:
        self._parts, self._web = parts, parts.settings.web
        self._knocks, self._noted = Knocks(WRONG_A_MINUTE), Knocks(ENDED_A_MINUTE)

    def of(self, request: Request, word: str | None = None) -> Caller:
        """Return who calls. Raises Problem for nobody, for what opens nothing (any more), for an act of a foreign page.

        An act of a session shows its `csrf` in a header, or as the `word` of a plain form. To ask again for the same
        request is how a stream learns that its reader is gone.
        """
        cookie = origins.cookie(request, self._web, origins.SESSION)
        if (shown := request.headers.get("authorization")) is not None:
            scheme, _, text = shown.partition(" ")
            if scheme.lower() != "bearer":
                raise Problem(401, "no_token", "show a token: Authorization: Bearer rot_...")
            found = self.by_token(self.token(request, text.strip()))
        elif cookie:
            found = self._by_session(request, cookie, word)
        else:
            raise Problem(401, "no_token", "show a token: Authorization: Bearer rot_...; or sign in")
        if "\0" in request.scope["path"]:  # PostgreSQL takes no such text, and nothing is called so
            raise Problem(404, "not_found")
        return found

    def token(self, request: Request, text: str) -> Token:
        """Return the token that somebody shows. Raises Problem where it opens nothing."""
        given = api_token.read(text)
        token = self._parts.tokens.known(given) if given is not None else None
        if token is None:
            raise self.in_vain(request, "unknown_token", "no such token: is it whole, and was it made here?")
        if (state := token.state(clock.now())) != "active":
            self._note(token.name, token.by, f"{state}_token")  # a sign that it was stolen, or forgotten somewhere
            raise self.in_vain(request, f"{state}_token", f"the token {token.name} is {state}")
        return token

    def by_token(self, token: Token) -> Caller:
        """Return who calls with it, as the rule stands now."""
        role = still(token.role, token.person, ruled(self._parts.settings).policy)
        return Caller(token.name, token.by, role, token.expires_at)

    def in_vain(self, request: Request, reason: str, detail: str) -> Problem:
        """Count one who opened nothing; return what he is told."""
        wait_s = self._knocks.in_vain(neighbourhood(request.client.host if request.client else ""))
        if wait_s is not None:
            return Problem(429, "too_many_wrong_tokens", "wait before the next one", wait_s)
        return Problem(401, reason, detail)

    def _by_session(self, request: Request, cookie: str, word: str | None) -> Caller:
        session = self._parts.sessions.known(cookie)
        if session is None:
            raise self.in_vain(request, "no_session", "no such session: sign in")
        if (state := session.state(clock.now())) != "active":
            raise self._over(session, f"{state}_session", f"it is {state}")
        role = self._of_token(session) if session.token else self._of_person(session)
        found = Caller(session.name, session.by, role, session.expires_at, session, csrf_of(cookie))
        if request.method not in SAFE:
            self._check_page(request, found, request.headers.get("x-csrf-token", "") if word is None else word)
        if _is_seen(request):
            self._parts.sessions.used(session)
        return found

    def _check_page(self, request: Request, caller: Caller, shown: str) -> None:
        """Raise Problem unless one of our own pages sent this act of a session."""
        try:
            origins.check(request, self._web, shown, caller.csrf)
        except Problem as problem:
            self._note(caller.name, caller.by, problem.reason)
            raise

    def _of_token(self, session: Session) -> Role:
        """Return what somebody may who showed a token, while that opens."""
        token = self._parts.tokens.called(session.token)
        state = token.state(clock.now()) if token is not None else "unknown"
        if token is None or state != "active":
            raise self._over(session, f"{state}_token", f"the token it was opened with is {state}")
        return self.by_token(token).role

    def _of_person(self, session: Session) -> Role:
        """Return what somebody may whom a provider named: what the rule says of him now, or the groups he came with."""
        settings = ruled(self._parts.settings)
        if settings.sign_in.oidc is None:
            raise self._over(session, "no_provider", "nobody signs in so any more")
        if settings.policy is None:
            return session.role
        person = settings.policy.people.get(session.by)
        if person is None:
            raise self._over(session, "no_role", f"{session.by} is nobody in [[people]] any more")
        return person.role

    def _over(self, session: Session, reason: str, why: str) -> Problem:
        """Note that a session which is over is still shown; return what he is told."""
        self._note(session.name, session.by, reason)
        return Problem(401, "session_over", f"the session is over, since {why}: sign in again")

    def _note(self, name: str, by: str, reason: str) -> None:
        if self._noted.in_vain(name) is None:
            self._parts.calls.refused(Call(name, by, "call", ""), reason)


def csrf_of(cookie: str) -> str:
    """Return what an act must show beside the session's cookie."""
    return origins.derived(cookie, "csrf")


def _is_seen(request: Request) -> bool:
    """Tell whether somebody acts or looks: a board asks for itself only while it is seen, as on a wall.

    A stream is none: it goes on for a while though the machine at its other end sleeps.
    """
    return "text/event-stream" not in request.headers.get("accept", "")
