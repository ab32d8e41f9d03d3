"""The report of an incident as a file: data, a table for spreadsheets, or one page to keep and to print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from rotator import clock
from rotator.api.board.pages.incident import known
from rotator.bootstrap import Rotator
from rotator.report import csv_form, html_form
from rotator.shown import incidents

_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The file has its style inside, and nothing else: it is opened where there is no board."""


def routes(parts: Rotator) -> APIRouter:
    """Return where the files are."""
    router = APIRouter()

    @router.get("/incidents/{incident}/report.{form}")
    def report(incident: str, form: Literal["json", "csv", "html"]) -> Response:
        """Give it, as `rotator report -o` prints it."""
        name = known(parts, incident)
        told = incidents.report(parts.on(parts.database), name)
        lines: Iterable[str]
        if form == "html":
            lines = [html_form.text(told, clock.now())]
        elif form == "csv":
            lines = csv_form.text(told)
        else:
            lines = [json.dumps(told, indent=2)]
        headers = {
            "Content-Disposition": f'attachment; filename="{name}.{form}"',
            "Content-Security-Policy": _POLICY,
        }
        return StreamingResponse(lines, media_type=_TYPES[form], headers=headers)

    return router
