"""One stage at a time: declare, plan, approve, watch, report."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from rotator import clock
from rotator.cli.alarm import Advisories, Evidence, Files, Given, Logs, Packages
from rotator.cli.graph import GraphFile, write_graph
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.cli.respond import Exclusions, Footholds, Reasons, Strategies, already, moment, show_evidence
from rotator.flow.incident import Severity

Id = Annotated[str, typer.Argument(metavar="INCIDENT", help="The incident's id, or `last`.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Declare, list, show and watch incidents.", no_args_is_help=True)
    group.command("list")(list_incidents)
    group.command("show")(report)
    group.command("declare")(declare)
    group.command("watch")(watch)
    app.add_typer(group, name="incident")
    app.command("plan")(plan)
    app.command("approve")(approve)
    app.command("report")(report)


def list_incidents(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List incidents, the newest first."""
    from rotator.report.clocks import moment as iso  # noqa: PLC0415
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.parts().reading.incidents()
    if output is not Output.TABLE:
        emit(
            [
                {
                    "id": each.incident.id,
                    "title": each.incident.title,
                    "severity": each.incident.severity.value,
                    "declared_at": iso(each.incident.declared_at),
                    "state": each.state,
                    "credentials": each.credentials,
                    "proven_dead": each.dead,
                }
                for each in found
            ],
            output,
        )
        return
    if not found:
        typer.echo(f"no incident yet; {given.called} respond FILE declares one", err=True)
        return
    table = plain_table(None, "id", "declared", "state", "proven dead", "severity", "title")
    for each in found:
        known = each.incident
        table.add_row(
            known.id,
            iso(known.declared_at),
            each.state,
            f"{each.dead:,} of {each.credentials:,}",
            known.severity.value,
            words(known.title),
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
    severity: Annotated[Severity, typer.Option(help="How bad it is.")] = Severity.HIGH,
    strategy: Strategies = None,
    exclude: Exclusions = None,
    reason: Reasons = None,
    exposed_at: Annotated[str | None, typer.Option(help="When the secrets came within reach, ISO 8601.")] = None,
    foothold: Footholds = None,
) -> None:
    """Declare an incident and plan it; nothing starts before `rotator approve`."""
    from rotator import response  # noqa: PLC0415
    from rotator.cli import footholds  # noqa: PLC0415
    from rotator.flow.exclusion import exclusions  # noqa: PLC0415
    from rotator.flow.wish import wishes  # noqa: PLC0415
    from rotator.report.plan import plan_text  # noqa: PLC0415

    given: Context = context.obj
    began = time.monotonic()
    exposed = moment(exposed_at)
    wanted, left_out = wishes(strategy or ()), exclusions(exclude or (), reason or (), response.actor())
    asked = Given(files or (), package or (), advisory or (), evidence or ())
    parts = given.parts()
    alarm = asked.read(parts)
    show_evidence(given, alarm)
    prepared = response.prepare(
        parts,
        alarm.suspects,
        wanted,
        exclusions=left_out,
        reach=alarm.reach,
        access=alarm.access(access or (), exposed),
    )
    write_graph(graph, prepared)
    hosts, before = footholds.named(parts, prepared.plan, foothold), already(parts, prepared)
    shown = prepared.document(hosts)
    incident = response.declare(
        parts,
        prepared,
        title=title,
        severity=severity,
        detected_at=clock.now() - (time.monotonic() - began),
        exposed_at=exposed,
        footholds=list(hosts),
        shown=shown,
    )
    if not given.quiet:
        console(error=True).print(plan_text(shown))
        for line in before:
            console(error=True).print(line, style="yellow", markup=False)
    approve = f"start it with: {given.called} approve {incident.id} --digest {prepared.plan.digest}"
    typer.echo(f"{incident.id} declared; {approve if prepared.plan.runs else 'nothing in it can be done by machine'}")


def plan(context: typer.Context, incident: Id, output: OutputOption = Output.TABLE) -> None:
    """Show what is planned for an incident as it was declared, its digest, and whether it can still be approved."""
    from rotator.report.incident import build  # noqa: PLC0415
    from rotator.report.terminal import planned_text  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    name = parts.reading.named(incident)
    record, shown = parts.reading.incident(name), parts.reading.planned(name)
    stale = parts.enrolment.stale(name) if record.approved_at is None else ""
    data = build(record, given.called, stale=stale)
    if output is Output.TABLE:
        console().print(planned_text(data, shown))
    else:
        emit({**data, "planned": shown}, output)


def approve(
    context: typer.Context,
    incident: Id,
    digest: Annotated[str, typer.Option(help="The plan's digest, as `rotator plan` shows it.")],
) -> None:
    """Approve a plan by its digest; the work starts."""
    from rotator import response  # noqa: PLC0415
    from rotator.cli.watching import start_workers  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    name = parts.reading.named(incident)
    is_new = parts.enrolment.approve(name, digest, by=response.actor())
    start_workers(given, parts)
    what = "approved" if is_new else "it was approved before; nothing is changed"
    typer.echo(f"{what}; watch it with: {given.called} incident watch {name}")


def watch(context: typer.Context, incident: Id, output: OutputOption = Output.TABLE) -> None:
    """Follow an incident until nothing moves by itself, then report."""
    from rotator.cli.watching import follow, start_workers  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    name = parts.reading.named(incident)
    start_workers(given, parts)
    follow(given, parts, name, output)


def report(context: typer.Context, incident: Id, output: OutputOption = Output.TABLE) -> None:
    """Print an incident's report; the exit code says whether anything is open."""
    from rotator.cli.watching import finish  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    finish(given, parts, parts.reading.named(incident), output)
