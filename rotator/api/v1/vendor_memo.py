"""The decision memo of a vendor over HTTP, as a file: for a notice that is named, or given whole."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from rotator.alarm.vendor_notice import Given
from rotator.api.callers import Caller
from rotator.api.files import Files
from rotator.api.problems import of_input
from rotator.api.v1.access import needs
from rotator.api.v1.vendor_triage import NoticeGiven, Vendor
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act
from rotator.operations import vendor_memo
from rotator.report.vendor_memo_forms import MEDIA_TYPES, MemoForm, written

Asking = Annotated[Caller, Depends(needs(Act.ASK))]
_FORMS = [(form, MEDIA_TYPES[form].partition(";")[0]) for form in MemoForm]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            kind: {"schema": {"type": "object" if form is MemoForm.JSON else "string"}} for form, kind in _FORMS
        },
    }
}
_Names = Annotated[str, Query(max_length=2000, pattern=r"^[^\x00]*$", description="Names, with commas between.")]
_News = Annotated[str, Query(max_length=2000, pattern=r"^[^\x00]*$", description="The text of a notice.")]


def routes(parts: Rotator) -> APIRouter:
    """Return what may be taken away."""
    router, given_out = APIRouter(), Files()

    @router.get("/vendors/{vendor}/memo.{form}", response_class=Response, responses=_FILE, tags=["standing"])
    def memo(  # noqa: PLR0917 - a request
        caller: Asking,
        vendor: Vendor,
        form: MemoForm,
        advisories: _Names = "",
        breached: _Names = "",
        notice: _News = "",
    ) -> Any:
        """Return the decision memo of a vendor as a file, as `rotator vendor memo -o` prints it.

        An advisory is named by its id, and looked up where `[advisories] url` says.
        """
        asked = {"name": vendor, "advisories": advisories, "breached": breached, "notice": notice}
        on = parts.on(parts.database)

        def make() -> Iterator[bytes]:
            try:
                found = vendor_memo.made(on, caller.by, asked)
            except BadInput as error:
                raise of_input(error, HTTPStatus.NOT_FOUND, "not_found") from None
            return written(found, form)

        return given_out.given(f"{vendor}-memo.{form}", MEDIA_TYPES[form], make)

    @router.post("/vendors/{vendor}/memo.{form}", response_class=Response, responses=_FILE, tags=["asking"])
    def memo_of(caller: Asking, vendor: Vendor, form: MemoForm, given: NoticeGiven) -> Any:
        """Return the decision memo of a vendor as a file, for a notice that is given whole, as triage takes it."""
        on = parts.on(parts.database)

        def make() -> Iterator[bytes]:
            try:
                found = vendor_memo.made_of(on, caller.by, vendor, _given(given))
            except BadInput as error:
                raise of_input(error, HTTPStatus.NOT_FOUND, "not_found") from None
            return written(found, form)

        return given_out.given(f"{vendor}-memo.{form}", MEDIA_TYPES[form], make)

    return router


def _given(notice: NoticeGiven) -> Given:
    return Given(notice.advisories, notice.records, notice.breached, notice.notice)
