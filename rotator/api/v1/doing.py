"""How an act is done over HTTP: by whom his role allows, once for one key, and evidence if done and if refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import JSONResponse

from rotator.api import problems
from rotator.api.callers import Caller
from rotator.api.problems import Problem, of_input
from rotator.api.v1.access import Refusals, check
from rotator.api.v1.long_work import LongWork
from rotator.bootstrap import Rotator
from rotator.credential import Secret
from rotator.errors import BadInput, NotAllowed, RotatorError
from rotator.flow.roles import Act
from rotator.ledger.calls import Answer, Call, OtherRequest
from rotator.operations.operation import AsksFirst

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Of your choice, kept a day: who asks again under it is answered as before, and nothing is done.",
    ),
]
Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and under which key and with which request, both fingerprinted: either may hold a secret."""

    caller: Caller
    key: str
    request: str


def _asked(request: Request, key: Key = None) -> Asked:
    whole = f"{request.method} {request.url.path}?{request.url.query}\n{request.state.body.decode('latin-1')}"
    parts: Rotator = request.app.state.parts
    kept = [parts.seal.fingerprint(Secret(each)) if key else "" for each in (key or "", whole)]
    return Asked(request.state.caller, *kept)


Asker = Annotated[Asked, Depends(_asked)]


class Doing:
    """Do acts on one ledger."""

    def __init__(self, parts: Rotator, refusals: Refusals) -> None:
        self._parts, self._refusals, self._long = parts, refusals, LongWork()

    def do(
        self, asked: Asked, act: Act, on: str, work: Callable[[Rotator], Mapping[str, Any]], status: int = HTTPStatus.OK
    ) -> JSONResponse:
        """Do it with parts whose every use of the ledger is one transaction; return what it answers. Raises Problem."""
        return self.do_after(asked, act, on, lambda _: None, lambda parts, _: work(parts), status)

    def do_after(  # noqa: PLR0917 - an act
        self,
        asked: Asked,
        act: Act,
        on: str,
        look: Callable[[Rotator], Seen],
        work: Callable[[Rotator, Seen], Mapping[str, Any]],
        status: int = HTTPStatus.OK,
    ) -> JSONResponse:
        """Do it after a `look` that may take its time, outside the transaction. Raises Problem."""
        caller = asked.caller
        call = Call(caller.name, caller.by, act.value, on, asked.key, asked.request)
        try:
            check(caller, act)
            known = self._parts.calls.answered(call)
            if known is None:
                seen = look(self._parts.on(self._parts.database))
                known = self._parts.calls.do(call, lambda ledger: Answer(status, work(self._parts.on(ledger), seen)))
        except (Problem, RotatorError) as error:
            raise self._problem(call, error) from None
        again = {"Idempotent-Replayed": "true"} if known.again else None
        return JSONResponse(dict(known.body), known.status, again)

    def do_after_long(  # noqa: PLR0917 - an act
        self,
        asked: Asked,
        act: Act,
        on: str,
        look: Callable[[Rotator], Seen],
        work: Callable[[Rotator, Seen], Mapping[str, Any]],
        status: int = HTTPStatus.OK,
    ) -> JSONResponse:
        """Do it after a `look` that is one of so many at once (see `long_work`). Raises Problem."""
        return self.do_after(asked, act, on, self._long.bounded(look), work, status)

    def look(self, asked: Asked, act: Act, on: str, look: Callable[[Rotator], Mapping[str, Any]]) -> JSONResponse:
        """Answer what a look that takes its time finds; only that he looked is kept. Raises Problem.

        That is evidence before it begins: whatever comes of it, others may have been asked.
        """
        caller = asked.caller
        call = Call(caller.name, caller.by, act.value, on)

        def looked(parts: Rotator) -> Mapping[str, Any]:
            parts.calls.do(call, lambda _: Answer(HTTPStatus.OK, {}))
            return look(parts)

        try:
            check(caller, act)
            return JSONResponse(dict(self._long.bounded(looked)(self._parts.on(self._parts.database))))
        except (Problem, RotatorError) as error:
            raise self._problem(call, error) from None

    def _problem(self, call: Call, error: Problem | RotatorError) -> Problem:
        if isinstance(error, OtherRequest):
            found = of_input(error, 422, "key_was_used")
        elif isinstance(error, AsksFirst):
            found = of_input(error, 409, error.word)
            found.more |= error.more
        elif isinstance(error, NotAllowed):
            found = of_input(error, 403, "not_allowed")
            found.more |= {"each": [problems.safe(one) for one in error.each]} if error.each else {}
        elif isinstance(error, BadInput):
            found = of_input(error, 409, "not_so_now")
        elif isinstance(error, RotatorError):
            found = Problem(502, error.reason, "what it needs of another system cannot be had now")
        else:
            found = error
        found.more["act"] = call.act
        return self._refusals.noted(call, found) if found.status_code == HTTPStatus.FORBIDDEN else found
