"""Reports as files over HTTP: the same bytes as the command line prints, and as the board gives out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from rotator import clock
from rotator.api.files import Files
from rotator.api.v1.access import Reader
from rotator.api.v1.reading import Incident, known
from rotator.bootstrap import Rotator
from rotator.report import files
from rotator.report.files import MEDIA_TYPES, Form
from rotator.shown import compliance, incidents

_TEXT, _BYTES = {"schema": {"type": "string"}}, {"schema": {"type": "string", "format": "binary"}}
_DATA = {"schema": {"type": "object"}}
_AS = {Form.JSON: _DATA, Form.CSV: _TEXT, Form.HTML: _TEXT, Form.PDF: _BYTES}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {MEDIA_TYPES[each].partition(";")[0]: _AS[each] for each in Form}}
}
Day = Annotated[str, Query(max_length=40, description="A day, as 2026-07-01: its beginning, UTC.")]


def routes(parts: Rotator) -> APIRouter:
    """Return which files there are."""
    router, given_out = APIRouter(), Files()

    @router.get("/incidents/{incident}/report.{form}", response_class=Response, responses=FILE, tags=["incidents"])
    def of_incident(_: Reader, incident: Incident, form: Form) -> Any:
        """Return the report as a file, as `rotator report -o` prints it."""
        name = known(parts, incident)
        told = incidents.report(parts.on(parts.database), name)
        return given_out.answer(name, form, lambda: files.of_incident(told, form, clock.now()))

    @router.get("/compliance.{form}", response_class=Response, responses=FILE, tags=["standing"])
    def of_period(
        caller: Reader,
        form: Form,
        since: Annotated[Day, Query(alias="from")] = "",
        until: Annotated[Day, Query(alias="to")] = "",
    ) -> Any:
        """Return how every credential of a period was answered, as `rotator report compliance -o` prints it.

        It is of what was reported `from` one day on and before another, `to`; of the last 90 days where none is named.
        """
        on = parts.on(parts.database)
        asked = {"from": since, "to": until}
        return given_out.answer("compliance", form, lambda: compliance.file(on, caller.by, form, asked))

    return router
