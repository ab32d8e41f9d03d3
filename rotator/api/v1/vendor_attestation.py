"""Record an attestation of a vendor over HTTP, with its document as a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request

from rotator.api.problems import of_input
from rotator.api.v1 import given_files
from rotator.api.v1.acts import SOMETHING
from rotator.api.v1.doing import Asker, Doing
from rotator.api.v1.vendor_documents import known
from rotator.api.v1.vendor_restore import Vendor
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act
from rotator.flow.vendor import Attestation
from rotator.operations import vendor_attestation

_DAY = r"^\d{4}-\d{2}-\d{2}$"
Kind = Annotated[str, Query(max_length=512, pattern=SOMETHING, description="Of which kind: `SOC 2 Type II`, say.")]
Issuer = Annotated[str, Query(max_length=512, pattern=SOMETHING, description="Who attests it.")]
Scope = Annotated[str, Query(max_length=512, description="What it speaks of.")]
First = Annotated[str, Query(alias="from", pattern=_DAY, description="The first day of its term: 2026-01-31.")]
Last = Annotated[str, Query(alias="to", pattern=_DAY, description="Its last day.")]


class AttestationKept(BaseModel):
    """An attestation as it is kept, once; `warnings` say where it does not count today. `sha256` is its document's."""

    vendor: str
    kind: str
    issuer: str
    scope: str
    valid_from: str
    valid_to: str
    sha256: str
    is_new: bool
    valid: bool
    warnings: list[str]


def routes(doing: Doing) -> APIRouter:
    """Return what may be given."""
    router = APIRouter(tags=["acts"])

    @router.post(
        "/vendors/{vendor}/attestations",
        response_model=AttestationKept,
        openapi_extra=given_files.described("The document."),
    )
    def attest(  # noqa: PLR0917 - a request
        request: Request,
        asked: Asker,
        vendor: Vendor,
        kind: Kind,
        issuer: Issuer,
        begins: First,
        ends: Last,
        scope: Scope = "",
    ) -> Any:
        """Record an attestation of a vendor, with its term: its first and its last day.

        The document is hashed as it comes, and no copy is kept. It is weak evidence, and opens no gate by itself.
        """
        given = request.state.body

        def look(on: Rotator) -> Attestation:
            known(on, vendor)
            if not given:
                raise given_files.NONE
            try:
                return vendor_attestation.made(kind, issuer, scope, begins, ends, hashlib.sha256(given).hexdigest())
            except BadInput as error:
                raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_input") from None

        def work(on: Rotator, paper: Attestation) -> Mapping[str, Any]:
            return vendor_attestation.keep(on, asked.caller.by, vendor, paper)

        return doing.do_after(asked, Act.ATTEST, vendor, look, work)

    return router
