"""Reports as files: data, a table for spreadsheets, one page to keep, and that on paper's pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from rotator import clock
from rotator.api.board.pages.incident import known
from rotator.api.files import Files
from rotator.bootstrap import Rotator
from rotator.report import files
from rotator.report.files import Form
from rotator.shown import compliance, incidents


def routes(parts: Rotator) -> APIRouter:
    """Return where the files are."""
    router, given_out = APIRouter(), Files()

    @router.get("/incidents/{incident}/report.{form}")
    def report(incident: str, form: Form) -> Response:
        """Give it, as `rotator report -o` prints it."""
        name = known(parts, incident)
        told = incidents.report(parts.on(parts.database), name)
        return given_out.answer(name, form, lambda: files.of_incident(told, form, clock.now()))

    @router.get("/reports/compliance.{form}")
    def of_period(
        request: Request,
        form: Form,
        since: Annotated[str, Query(alias="from", max_length=40)] = "",
        until: Annotated[str, Query(alias="to", max_length=40)] = "",
    ) -> Response:
        """Give it, as `rotator report compliance -o` prints it."""
        on = parts.on(parts.database)
        by, asked = request.state.caller.by, {"from": since, "to": until}
        return given_out.answer("compliance", form, lambda: compliance.file(on, by, form, asked))

    return router
