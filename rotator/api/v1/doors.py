"""Who may call, and who is signed in: listed, made and ended by an admin. What opens a door is answered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from rotator import clock
from rotator.api.v1.access import Auditor
from rotator.api.v1.acts import Why
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.pages import USUAL, After, Limit, page
from rotator.api.v1.shapes import Page
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.approval import Role
from rotator.flow.roles import Act
from rotator.ledger.tokens import LONGEST_S, NAME
from rotator.shown import doors

Name = Annotated[str, Path(max_length=64, pattern=NAME)]
_SHORTEST_S = 60
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{8}$", description="A session's id.")]


class TokenRow(BaseModel):
    """A token, without itself. `begins` is enough to tell it from others."""

    model_config = ConfigDict(extra="allow")
    name: str
    begins: str
    role: Role
    person: str
    state: str
    created_at: str
    created_by: str
    expires_at: str


class NewToken(BaseModel):
    """A token to be made. Without a `person` it acts for itself.

    It lasts `lasts_s` seconds, 30 days if nothing is said, or until `expires_at`, as one that takes another's place.
    """

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=64, pattern=NAME)]
    role: Role
    person: Annotated[str, Field(max_length=128, pattern=r"^[^\x00]*$")] = ""
    lasts_s: Annotated[int, Field(ge=_SHORTEST_S, le=LONGEST_S)] = 30 * 86400
    expires_at: AwareDatetime | None = None


class MadeToken(TokenRow):
    """The token that was made: `token` is answered this once, and kept nowhere."""

    token: str


class SessionRow(BaseModel):
    """Somebody's session in a browser."""

    model_config = ConfigDict(extra="allow")
    id: str
    by: str
    how: str
    state: str
    opened_at: str
    used_at: str
    expires_at: str


def routes(parts: Rotator, doing: Doing) -> APIRouter:
    """Return the doors' operations."""
    router = APIRouter(tags=["doors"])

    @router.get("/tokens", response_model=Page[TokenRow])
    def tokens(_: Auditor, after: After = None, limit: Limit = USUAL) -> Any:
        """List every token that ever was, the newest first."""
        return JSONResponse(page(doors.tokens(parts), lambda row: str(row["name"]), after, limit))

    @router.post("/tokens", response_model=MadeToken, status_code=HTTPStatus.CREATED)
    def create(given: NewToken, asked: Asker) -> Any:
        """Make a token, and answer it once. An `Idempotency-Key` keeps nothing here: the answer is a secret.

        Who lost the answer ends the token by its name, and makes another.
        """

        def work(parts: Rotator) -> Mapping[str, Any]:
            caller = asked.caller
            secret, made = parts.tokens.create(
                given.name, given.role, given.person, _lasts_s(given), caller.by, maker=caller.role
            )
            return {**doors.token(made), "token": secret.reveal()}

        return doing.do(replace(asked, key="", request=""), Act.CREATE_TOKEN, given.name, work, HTTPStatus.CREATED)

    @router.post("/tokens/{name}/revoke", response_model=TokenRow)
    def revoke(name: Name, given: Why, asked: Asker) -> Any:
        """End a token, and the sessions that were opened with it, from the next request on.

        One that is revoked already is answered as it is: `revoked_by` and `revoked_reason` are the first one's.
        """

        def work(parts: Rotator) -> Mapping[str, Any]:
            parts.tokens.revoke(name, asked.caller.by, given.reason)
            found = parts.tokens.called(name)
            assert found is not None  # noqa: S101 - a row is never taken away
            return doors.token(found)

        return doing.do(asked, Act.REVOKE_TOKEN, name, work)

    @router.get("/sessions", response_model=Page[SessionRow])
    def sessions(_: Auditor, after: After = None, limit: Limit = USUAL) -> Any:
        """List the sessions that live, and those that were over since yesterday, the newest first."""
        return JSONResponse(page(doors.sessions(parts), lambda row: str(row["id"]), after, limit))

    @router.post("/sessions/{session}/revoke", response_model=SessionRow)
    def end(session: Id, given: Why, asked: Asker) -> Any:
        """End somebody's session, from the next request on."""

        def work(parts: Rotator) -> Mapping[str, Any]:
            return doors.session(parts.sessions.revoke(session, asked.caller.by, given.reason))

        return doing.do(asked, Act.REVOKE_SESSION, session, work)

    return router


def _lasts_s(given: NewToken) -> float:
    if given.expires_at is None:
        return given.lasts_s
    left = given.expires_at.timestamp() - clock.now()
    if not _SHORTEST_S <= left <= LONGEST_S:
        raise BadInput("a token lasts a minute at least and a year at most", "expires_at", "give another moment")
    return left
