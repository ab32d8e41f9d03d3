"""Which role an operation needs: asked before it begins, of who the guard let in. Who is refused leaves evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from rotator.api.callers import Caller
from rotator.api.knocks import Knocks
from rotator.api.problems import Problem
from rotator.bootstrap import Rotator
from rotator.flow.roles import NEEDS, Act, may
from rotator.ledger.calls import Call

REFUSED_A_MINUTE = 30
"""So many refusals of one token or session are evidence each, more are answered 429 and only counted."""


class Refusals:
    """Note who asked for what he may not, whether to do it or to look at it."""

    def __init__(self, parts: Rotator) -> None:
        self._parts, self._knocks = parts, Knocks(REFUSED_A_MINUTE)

    def noted(self, call: Call, problem: Problem) -> Problem:
        """Return what he is told: the problem, or to wait."""
        wait_s = self._knocks.in_vain(call.token)
        if wait_s is not None:
            return Problem(429, "too_many_refusals", "wait before the next one", wait_s, act=call.act)
        self._parts.calls.refused(call, problem.reason)
        return problem


def needs(act: Act) -> Callable[[Request], Caller]:
    """Return what gives the caller where his role is enough for this, and raises Problem where it is not."""

    def allowed(request: Request) -> Caller:
        caller: Caller = request.state.caller
        try:
            check(caller, act)
        except Problem as problem:
            path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
            raise request.app.state.refusals.noted(Call(caller.name, caller.by, act.value, path), problem) from None
        return caller

    return allowed


def check(caller: Caller, act: Act) -> None:
    """Raise Problem where a caller's role is not enough for an act."""
    if not may(caller.role, act):
        what = f"{caller.by} is a {caller.role} here: `{act}` needs the role {NEEDS[act]}"
        raise Problem(403, "role", what, act=act.value)


Reader = Annotated[Caller, Depends(needs(Act.READ))]
Auditor = Annotated[Caller, Depends(needs(Act.READ_SERVICE))]
