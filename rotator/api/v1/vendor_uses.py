"""Access logs of what a vendor holds, read over HTTP: what they tell is kept, and they are not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel
from starlette.requests import Request

from rotator import vendor_uses
from rotator.access.by_log import Files
from rotator.alarm import bundle
from rotator.api.problems import of_input
from rotator.api.v1.declaring import past
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.vendors import Name, UsesShown
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act
from rotator.operations.vendor_uses import told
from rotator.vendor_uses import Reading

_FOLDER = "access/"
Since = Annotated[AwareDatetime | None, Query(description="What is called new began after that, ISO 8601.")]
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "An access log of any form that `rotator report --access` reads. Or a zip, tar or tar.gz with "
        "logs in its folder `access/`, gzipped or not. 32 MiB at most; unpacked 512, and 10,000 files.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class UsesSeen(BaseModel):
    """What was read: since when something is called new and by what that was chosen, and how many logs.

    `known` of them were read before; `sha256` is of the one, or of the sorted list of theirs, one a line. `ours` counts
    the uses that were our own, and `unread` says what tells nothing. `uses` is what all logs that were read tell.
    """

    vendor: str
    since: str
    basis: Literal["as was asked", "the pause", "a week before the newest record"]
    logs: int
    known: int
    sha256: str
    ours: int
    unread: list[str]
    uses: UsesShown


def routes(doing: Doing) -> APIRouter:
    """Return how they are read."""
    router = APIRouter(tags=["vendors"])

    @router.post("/vendors/{name}/uses", response_model=UsesSeen, openapi_extra=_BODY)
    def uses(request: Request, asked: Asker, name: Name, since: Since = None) -> Any:
        """Read access logs for what a vendor holds, and keep what of its use is unusual.

        Without `since` what began after the pause is new, or in the last week of the logs. A log that was read before
        is read again, and counts once.
        """

        def look(parts: Rotator) -> Reading:
            try:
                parts.vendors.one(name)
            except BadInput as error:
                raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_vendor") from None
            try:
                with _logs(request.state.body) as files:
                    return vendor_uses.read(parts, name, files, past(since, "query.since"), "the body")
            except BadInput as error:
                raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report") from None

        def work(parts: Rotator, reading: Reading) -> Mapping[str, Any]:
            return told(parts, asked.caller.by, reading)

        return doing.do_after_long(asked, Act.READ_LOGS, name, look, work)

    return router


@contextlib.contextmanager
def _logs(body: bytes) -> Iterator[Any]:
    """Give how the logs of a body are opened. Raises BadInput where there is none."""
    if not bundle.is_one(body):
        if not body:
            raise BadInput("there is no access log", "body", "send one, or an archive with `access/`")
        yield lambda: [("the log", BytesIO(body))]
        return
    with contextlib.closing(bundle.opened(body)) as archive:
        if not archive.names("access"):
            raise BadInput("there is no access log", "the archive", "put them into its folder `access/`")

        def opened() -> Files:
            return ((name.removeprefix(_FOLDER), stream) for name, stream in archive.files("access"))

        yield opened
