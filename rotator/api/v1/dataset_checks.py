"""Check a dataset over HTTP, by what was read where it lies."""

from __future__ import annotations

import io
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request

from rotator import readings
from rotator.api.problems import of_input
from rotator.api.v1 import given_files
from rotator.api.v1.datasets import CheckRow, Name, known
from rotator.api.v1.doing import Asker, Doing
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.roles import Act
from rotator.operations import dataset_checks

File = Annotated[str, Query(alias="name", max_length=255, description="What the file is called, for errors.")]
Incident = Annotated[
    str, Query(max_length=64, pattern=r"^[^\x00]*$", description="The incident of which it is evidence too, if any.")
]


class CheckKept(CheckRow):
    """A check by what was read elsewhere, as it is kept; `warnings` are what it does not tell."""

    warnings: list[str]


def routes(doing: Doing) -> APIRouter:
    """Return what may be done."""
    router = APIRouter(tags=["acts"])

    @router.post(
        "/manifests/{name}/checks", response_model=CheckKept, openapi_extra=given_files.described("A reading.")
    )
    def check(request: Request, asked: Asker, name: Name, file: File = "the file", incident: Incident = "") -> Any:
        """Check a dataset by what `rotator manifest read` wrote where it lies: it is believed by who gives it.

        No program gives one. What was read in another place than was recorded is kept, and opens no gate.
        """
        given = request.state.body

        def look(on: Rotator) -> readings.Seen:
            known(on, name)
            if not given:
                raise given_files.NONE
            try:
                return readings.look(on, name, io.BytesIO(given), file, incident)
            except BadInput as error:
                raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "bad_report") from None

        def work(on: Rotator, seen: readings.Seen) -> Mapping[str, Any]:
            return dataset_checks.told(seen, readings.keep(on, seen, asked.caller.by))

        return doing.do_after_long(asked, Act.CHECK_DATASET, name, look, work)

    return router
