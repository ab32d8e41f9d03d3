"""Which role an operation needs: asked before it begins, of who the guard let in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from rotator.api.callers import Caller
from rotator.api.problems import Problem
from rotator.flow.roles import NEEDS, Act, may


def needs(act: Act) -> Callable[[Request], Caller]:
    """Return what gives the caller where his role is enough for this, and raises Problem where it is not."""

    def allowed(request: Request) -> Caller:
        caller: Caller = request.state.caller
        check(caller, act)
        return caller

    return allowed


def check(caller: Caller, act: Act) -> None:
    """Raise Problem where a caller's role is not enough for an act."""
    if not may(caller.role, act):
        what = f"{caller.by} is a {caller.role} here: `{act}` needs the role {NEEDS[act]}"
        raise Problem(403, "role", what, act=act.value)


Reader = Annotated[Caller, Depends(needs(Act.READ))]
Auditor = Annotated[Caller, Depends(needs(Act.READ_SERVICE))]
