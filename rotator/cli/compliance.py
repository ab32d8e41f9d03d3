"""`rotator report`: of an incident, or of how every exposed credential of a period was answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli import completion
from rotator.cli.alarm import Logs
from rotator.cli.options import Context, Output, console, emit
from rotator.cli.written import ReportForm, ReportOption, printed, refuse_terminal
from rotator.errors import BadInput

if TYPE_CHECKING:
    from rotator.operations.service import Service

COMPLIANCE = "compliance"
What = Annotated[
    str,
    typer.Argument(
        metavar="INCIDENT|compliance",
        help="The incident's id, or `last`; or compliance: of a period.",
        autocompletion=completion.incidents,
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY", help="Compliance: what came from this day on, as 2026-07-01, or 90 days."),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="Compliance: what came before this day (UTC), or up to now.")
]


def report(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    what: What,
    output: ReportOption = ReportForm.TABLE,
    since: From = None,
    until: To = None,
    access: Logs = None,
) -> None:
    """Print the report of an incident, or of a period.

    Changes nothing. `-o html` is one file to keep and to print, `-o pdf` the same on pages, `-o csv` a table with a row
    for each credential.

    With --access it tells who used each credential since its exposure; what the rotator did with it is taken out.

    `report compliance` tells how every credential that was reported from one day on and before another was answered, by
    the figures of docs/metrics.md, with what is open and why, and to which controls of published standards that speaks.

    Exit codes: as the report's: 0 all dead and replaced; 3 something is open; 1 failed. `rotator --help` has all. The
    compliance report's is 0.

    Example: rotator report compliance --from 2026-07-01 --to 2026-10-01 -o html
    """
    given: Context = context.obj
    refuse_terminal(output)
    if what == COMPLIANCE:
        if access:
            raise BadInput("access logs are read for an incident's report", "--access", "name the incident")
        _compliance(given.service(), {"from": since or "", "to": until or ""}, output)
        return
    if since is not None or until is not None:
        raise BadInput("an incident's report is of the whole of it", "--from, --to", "leave them out")
    from rotator.cli.watching import finish, tell  # noqa: PLC0415 - only who looks pays for it

    if access:
        tell(_with_logs(given, what, access), output)
    service = given.service()
    finish(service, service.incident(what), output)


def _with_logs(given: Context, incident: str, access: Sequence[str]) -> dict[str, Any]:
    from rotator.cli.alarm import logs  # noqa: PLC0415
    from rotator.shown import accessed, incidents  # noqa: PLC0415

    parts = given.parts()
    name = parts.reading.named(incident)
    record, report = parts.reading.incident(name), incidents.report(parts, name, given.called)
    return accessed.with_logs(parts, report, record, logs(access))


def _compliance(service: Service, asked: Mapping[str, str], form: ReportForm) -> None:
    from rotator.operations.views.compliance import COMPLIANCE  # noqa: PLC0415 - only who looks pays for it
    from rotator.report.files import Form  # noqa: PLC0415

    if form not in {ReportForm.TABLE, ReportForm.JSONL}:
        printed(service.file(COMPLIANCE, Form(form), asked))
        return
    told = json.loads(b"".join(service.file(COMPLIANCE, Form.JSON, asked)))
    if form is ReportForm.JSONL:
        emit(told, Output.JSONL)
        return
    from rotator.report import compliance_text  # noqa: PLC0415

    console().print(compliance_text.text(told))
