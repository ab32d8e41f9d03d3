"""One stage at a time: declare, plan, watch, report."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from rotator.cli import approval, compliance, declaring
from rotator.cli.alarm import Advisories, Evidence, Files, Given, Logs, Packages
from rotator.cli.closing import close, reopen
from rotator.cli.graph import GraphFile
from rotator.cli.growing import add, merge
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.cli.planning import Asked, Exclusions, ExposedAt, Footholds, HowBad, Reasons, Strategies
from rotator.cli.written import ReportForm, ReportOption, refuse_terminal
from rotator.flow.incident import Severity
from rotator.report.plain import plain

Id = approval.Id


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Declare, list, show and watch incidents.", no_args_is_help=True)
    group.command("list")(list_incidents)
    group.command("show")(report)
    group.command("declare")(declare)
    group.command("add")(add)
    group.command("merge")(merge)
    group.command("watch")(watch)
    group.command("close")(close)
    group.command("reopen")(reopen)
    app.add_typer(group, name="incident")
    app.command("plan")(plan)
    app.command("report")(compliance.report)


class Listed(StrEnum):
    """Which incidents are listed."""

    RESPONSE = "response"
    DRILL = "drill"
    HYGIENE = "hygiene"
    ALL = "all"


def list_incidents(
    context: typer.Context,
    purpose: Annotated[Listed, typer.Option(help="Why they are there.")] = Listed.RESPONSE,
    output: OutputOption = Output.TABLE,
) -> None:
    """List incidents, the newest first.

    Those that somebody responds to, unless drills or hygiene are asked for.

    Example: rotator incident list -o jsonl
    """
    from rotator.operations.views.incident_list import INCIDENTS  # noqa: PLC0415 - only who looks pays for it
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().lists(INCIDENTS, "" if purpose is Listed.ALL else purpose.value)
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        none = f"no incident yet; {given.called} respond FILE declares one"
        typer.echo(none if purpose in {Listed.RESPONSE, Listed.ALL} else f"no {purpose.value} yet", err=True)
        return
    table = plain_table(None, "id", "declared", "state", "proven dead", "severity", "title")
    for each in found:
        table.add_row(
            each["id"],
            f"{each['declared_at'][:16].replace('T', ' ')}Z",
            f"{each['state']}, {each['reviews']:,} to review" if each["reviews"] else each["state"],
            f"{each['proven_dead']:,} of {each['credentials']:,}",
            each["severity"],
            words(each["title"]),
        )
    console().print(table)


def declare(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    title: Annotated[str, typer.Option(help="What people will call this incident.")],
    files: Files = None,
    package: Packages = None,
    advisory: Advisories = None,
    evidence: Evidence = None,
    access: Logs = None,
    graph: GraphFile = None,
    severity: HowBad = Severity.HIGH,
    strategy: Strategies = None,
    exclude: Exclusions = None,
    reason: Reasons = None,
    exposed_at: ExposedAt = None,
    foothold: Footholds = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Declare an incident and plan it; `rotator approve` starts it.

    It is kept in the ledger. Issuers are asked whose the credentials are; nothing is changed there but what a standing
    order covers, which begins at once.

    Example: rotator incident declare leak.jsonl --title "CI log"
    """
    from rotator.cli import far_declaring  # noqa: PLC0415 - Rich is not free
    from rotator.cli.watching import start_workers  # noqa: PLC0415

    given: Context = context.obj
    of = Given(files or (), package or (), advisory or (), evidence or ())
    asked = Asked(of, access, graph, strategy, exclude, reason, exposed_at, foothold, severity)
    if (far := given.far()) is not None:
        far_declaring.declare(given, far, asked, title, severity, output)
        return
    parts = given.parts()
    planned = asked.planned(given, parts)
    declared = planned.declare(parts, title, severity)
    if declared.orders or parts.settings.notices:
        start_workers(given, parts)
    planned.show(given)
    declaring.foretell(given, parts, planned.prepared.plan)
    if output is Output.TABLE:
        typer.echo(plain("; ".join(declaring.declared(given, parts, declared))))
    else:
        emit(declaring.document(given, parts, declared.incident.id), output)


def plan(context: typer.Context, incident: Id, output: OutputOption = Output.TABLE) -> None:
    """Show an incident's plan and its digest.

    It is the newest revision as it was made, and whether it can be approved. Changes nothing.

    With it stand the earlier ones that nobody approved either: one yes is for all of them.

    Example: rotator plan last
    """
    from rotator.operations.views.incidents import PLAN  # noqa: PLC0415 - only who looks pays for it
    from rotator.report.terminal import planned_text  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    found = service.shows(PLAN, service.incident(incident))
    if output is Output.TABLE:
        console().print(planned_text(found, found["planned"], found["covered"]))
    else:
        emit(found, output)


def watch(context: typer.Context, incident: Id, output: OutputOption = Output.TABLE) -> None:
    """Follow an incident until nothing moves by itself; then report.

    Starts embedded workers where none run. Ctrl-C only detaches: the work goes on.

    Exit codes: as the report's: 0 all dead and replaced; 3 something is open; 1 failed. `rotator --help` has all. 130:
    detached.

    Example: rotator incident watch last
    """
    from rotator.cli.watching import follow  # noqa: PLC0415 - Rich is not free

    given: Context = context.obj
    service = given.service()
    name = service.incident(incident)
    service.work({})
    follow(given, service, name, output)


def report(context: typer.Context, incident: Id, output: ReportOption = ReportForm.TABLE) -> None:
    """Print an incident's report. Changes nothing.

    `-o html` is one file to keep and to print, `-o pdf` the same on pages, `-o csv` a table with a row for each
    credential.

    Exit codes: as the report's: 0 all dead and replaced; 3 something is open; 1 failed. `rotator --help` has all.

    Example: rotator incident show last -o html
    """
    from rotator.cli.watching import finish  # noqa: PLC0415

    given: Context = context.obj
    refuse_terminal(output)
    service = given.service()
    finish(service, service.incident(incident), output)
