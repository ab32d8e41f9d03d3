"""The decision memo of all vendors that a notice touches, over HTTP as a file."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from rotator.api.callers import Caller
from rotator.api.files import Files
from rotator.api.problems import of_input
from rotator.api.v1.access import needs
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act
from rotator.operations import vendor_memo
from rotator.report.vendor_memo_forms import MEDIA_TYPES, MemoForm

_SHAPES = {MEDIA_TYPES[form].partition(";")[0]: "object" if form is MemoForm.JSON else "string" for form in MemoForm}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {kind: {"schema": {"type": shape}} for kind, shape in _SHAPES.items()},
    }
}
_Names = Annotated[str, Query(max_length=2000, pattern=r"^[^\x00]*$", description="Names, with commas between.")]
_News = Annotated[str, Query(max_length=2000, pattern=r"^[^\x00]*$", description="The text of a notice.")]


def routes(parts: Rotator) -> APIRouter:
    """Return what may be taken away."""
    router, given_out = APIRouter(), Files()

    @router.get("/vendor-memo.{form}", response_class=Response, responses=_FILE, tags=["standing"])
    def memo(
        caller: Annotated[Caller, Depends(needs(Act.ASK))],
        form: MemoForm,
        advisories: _Names = "",
        breached: _Names = "",
        notice: _News = "",
    ) -> Any:
        """Return the decision memo of all vendors that a notice touches, the gravest first."""
        asked = {"advisories": advisories, "breached": breached, "notice": notice}
        on = parts.on(parts.database)

        def make() -> Iterator[bytes]:
            try:
                return vendor_memo.file_of_all(on, caller.by, form, asked)
            except BadInput as error:
                raise of_input(error, HTTPStatus.NOT_FOUND, "not_found") from None

        return given_out.given(f"vendors-memo.{form}", MEDIA_TYPES[form], make)

    return router
