"""Problem details (RFC 9457): one form for every error of the web, in words that quote no secret."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from rotator.errors import BadInput
from rotator.intake.shapes import holds_material
from rotator.notices.phrases import WITHHELD
from rotator.triggers.message import Refused

MEDIA_TYPE = "application/problem+json"
AGAIN_S = 60
"""Seconds after which to ask again what cannot be answered now."""
OF_BODIES = {"content_type": 415, "too_large": 413, "too_slow": 408, "unreadable": 400, "cut_off": 400}


class Problem(HTTPException):
    """A request that is not answered as it was meant. `reason` is a stable word, `more` what a program may want."""

    def __init__(
        self, status: int, reason: str, detail: str = "", retry_after: float | None = None, **more: Any
    ) -> None:
        super().__init__(status, detail)
        self.reason, self.more = reason, more
        self.headers = {} if retry_after is None else {"Retry-After": f"{max(retry_after, 1):.0f}"}
        if status == HTTPStatus.UNAUTHORIZED:
            self.headers = {"WWW-Authenticate": 'Bearer realm="rotator"'}

    @property
    def answer(self) -> JSONResponse:
        """Return it as it is sent."""
        return told(self.status_code, self.reason, self.detail, self.headers, **self.more)


def told(
    status: int, reason: str, detail: str = "", headers: Mapping[str, str] | None = None, title: str = "", **more: Any
) -> JSONResponse:
    """Return a problem as it is sent; its title is HTTP's own where none is given."""
    said = {"type": "about:blank", "title": title or HTTPStatus(status).phrase, "status": status, "reason": reason}
    if detail:
        said["detail"] = detail
    return JSONResponse(said | more, status, dict(headers or {}), MEDIA_TYPE)


def of_body(refused: Refused) -> Problem:
    """Return what was wrong with the body of a request."""
    return Problem(OF_BODIES[refused.reason], refused.reason, refused.detail)


def of_input(error: BadInput, status: int, reason: str) -> Problem:
    """Return what a person reads in one line at the command line: what, where, how to mend it.

    What looks like a secret is withheld: a line may quote what was given in the wrong place.
    """
    said = (("where", error.where), ("mend", error.mend))
    given: dict[str, Any] = {name: safe(value) for name, value in said if value}
    return Problem(status, reason, safe(error.what), **given)


def safe(text: str) -> str:
    """Return a line, or that it is withheld where a secret seems to stand in it."""
    return WITHHELD if holds_material(text) else text
