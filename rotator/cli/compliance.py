"""`rotator report`: of an incident, or of how every exposed credential of a period was answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli import completion
from rotator.cli.options import Context, Output, console, emit
from rotator.cli.written import ReportForm, ReportOption, printed
from rotator.errors import BadInput

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator

COMPLIANCE = "compliance"
_QUARTER_S = 90 * 86400.0
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


def report(
    context: typer.Context, what: What, output: ReportOption = ReportForm.TABLE, since: From = None, until: To = None
) -> None:
    """Print the report of an incident, or of a period.

    Changes nothing. `-o html` is one file to keep and to print, `-o csv` a table with a row for each credential.

    `report compliance` tells how every credential that was reported from one day on and before another was answered, by
    the figures of docs/metrics.md, with what is open and why, and to which controls of published standards that speaks.

    Exit codes: as the report's: 0 all dead and replaced; 3 something is open; 1 failed. `rotator --help` has all. The
    compliance report's is 0.

    Example: rotator report compliance --from 2026-07-01 --to 2026-10-01 -o html
    """
    given: Context = context.obj
    if what == COMPLIANCE:
        _compliance(given.parts(), since, until, output)
        return
    if since is not None or until is not None:
        raise BadInput("an incident's report is of the whole of it", "--from, --to", "leave them out")
    from rotator.cli.watching import finish  # noqa: PLC0415 - only who looks pays for it

    service = given.service()
    finish(service, service.incident(what), output)


def _compliance(parts: Rotator, since: str | None, until: str | None, form: ReportForm) -> None:
    from rotator import clock  # noqa: PLC0415 - only who looks pays for it
    from rotator.ledger import responses  # noqa: PLC0415
    from rotator.report import compliance, compliance_csv, compliance_page, compliance_text  # noqa: PLC0415

    made_at = round(clock.now(), 3)
    end = made_at if until is None else _day(until, "--to")
    begin = end - _QUARTER_S if since is None else _day(since, "--from")
    if begin >= end:
        raise BadInput("the period ends before it begins", "--from, --to", "name an earlier day, then a later one")
    found = responses.find(parts.database, begin, end)
    if form is ReportForm.CSV:
        printed(compliance_csv.text(found))
        return
    told = compliance.build(found, begin, end, made_at, parts.settings.aims)
    if form is ReportForm.HTML:
        printed([compliance_page.text(told, found, made_at)])
    elif form is ReportForm.TABLE:
        console().print(compliance_text.text(told))
    else:
        emit(told, Output(form))


def _day(text: str, where: str) -> float:
    """Read a day, which begins at midnight UTC, or a moment with its zone; return epoch seconds."""
    try:
        given = datetime.fromisoformat(text)
        return given.replace(tzinfo=given.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        raise BadInput(f"`{text}` is no day", where, "write 2026-07-01") from None
