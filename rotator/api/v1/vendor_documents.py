"""What people give of a vendor as a file, over HTTP: a gate's document, and the list of what it runs.

A document is hashed as it comes, and no copy of it is kept; of an advisory its record is, and of a list its components.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request

from rotator import registering
from rotator.api.problems import Problem, of_input
from rotator.api.v1 import given_files
from rotator.api.v1.acts import SOMETHING
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.given_files import FileName
from rotator.api.v1.vendor_restore import Gate, GateRow, Vendor
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.checklist import Asks
from rotator.flow.registry import Listed
from rotator.flow.roles import Act
from rotator.operations import vendor_restore
from rotator.restoring import asked_of

_ADVISORY_BYTES = 1 << 15
_DOCUMENT, _LIST = given_files.described("A document."), given_files.described("A list.")
Reason = Annotated[str, Query(max_length=2000, pattern=SOMETHING, description="Why; it becomes evidence.")]
Sender = Annotated[
    str, Query(alias="from", max_length=255, pattern=r"^[^\x00]*$", description="From whom the document is.")
]
Dated = Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="The day that it bears: 2026-11-23.")]


class SoftwareGiven(BaseModel):
    """A list of what a vendor runs, as it is kept; `left_out` are components whose names look like secrets."""

    vendor: str
    source: str
    sha256: str
    components: int
    left_out: int


def routes(doing: Doing, parts: Rotator) -> APIRouter:
    """Return what may be given."""
    router = APIRouter(tags=["acts"])

    @router.post(
        "/vendors/{vendor}/gates/{gate}/document",
        response_model=GateRow,
        openapi_extra=_DOCUMENT,
    )
    def document(  # noqa: PLR0917 - a request
        request: Request,
        asked: Asker,
        vendor: Vendor,
        gate: Gate,
        name: FileName,
        reason: Reason,
        sender: Sender = "",
        dated: Dated = "",
    ) -> Any:
        """Give a gate the document that it asks for: a report, with from whom it is and its day, or an advisory.

        It is hashed as it comes; of an advisory's record, and of nothing else, what stands in it is kept.
        """
        given = request.state.body

        def work(on: Rotator) -> Mapping[str, Any]:
            return vendor_restore.meet(on, asked.caller.by, vendor, gate, reason, paper, sender, dated)

        is_advisory = asked_of(parts, vendor, gate) is Asks.SOFTWARE
        paper = _paper(name, given, is_read=is_advisory)
        return doing.do(asked, Act.MEET_GATE, f"{vendor} {gate}", work)

    @router.post("/vendors/{vendor}/software", response_model=SoftwareGiven, openapi_extra=_LIST)
    def software(request: Request, asked: Asker, vendor: Vendor, name: FileName) -> Any:
        """Keep what a vendor runs by a bill of materials, in place of the list that was called so before.

        Any list of packages will do that bad ones are looked for in.
        """
        given = request.state.body

        def look(on: Rotator) -> Listed:
            known(on, vendor)
            if not given:
                raise given_files.NONE
            try:
                return registering.listed(name, given, name)
            except BadInput as error:
                raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report") from None

        def work(on: Rotator, found: Listed) -> Mapping[str, Any]:
            count = on.vendors.runs(vendor, found, asked.caller.by)
            told = {"source": found.source, "sha256": found.digest, "components": count, "left_out": found.left_out}
            return {"vendor": vendor, **told}

        return doing.do_after_long(asked, Act.GIVE_SOFTWARE, vendor, look, work)

    return router


def _paper(name: str, given: bytes, *, is_read: bool) -> dict[str, Any]:
    """Return what is told of a document; what stands in it only where that `is_read`. Raises Problem for none."""
    if not given:
        raise given_files.NONE
    told = {"name": name, "sha256": hashlib.sha256(given).hexdigest(), "size": len(given)}
    if not is_read:
        return told
    if len(given) > _ADVISORY_BYTES:
        what = f"an advisory's record is {_ADVISORY_BYTES:,} bytes long at most, and this is {len(given):,}"
        mend = "take out what names no package and no version"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report", what, mend=mend)
    return {**told, "text": given.decode(errors="replace")}


def known(parts: Rotator, name: str) -> None:
    """Raise Problem where no vendor is registered by this name."""
    try:
        parts.vendors.one(name)
    except BadInput as error:
        raise of_input(error, HTTPStatus.NOT_FOUND, "no_such_vendor") from None
