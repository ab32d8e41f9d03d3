"""`rotator intake` and `rotator respond`: from a report on disk to the incident's report."""

from __future__ import annotations

from typing import Annotated

import typer

from rotator.cli import approval
from rotator.cli.alarm import Advisories, Evidence, Files, Given, Logs, Packages
from rotator.cli.beginning import Begun, Yes, begin
from rotator.cli.graph import GraphFile
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.cli.planning import Asked, Exclusions, ExposedAt, Footholds, HowBad, Reasons, Strategies
from rotator.flow.incident import Severity


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("intake")(intake)
    app.command("respond")(respond)


def intake(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    files: Files = None,
    package: Packages = None,
    advisory: Advisories = None,
    evidence: Evidence = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show which credentials reports name; never the secrets.

    With evidence of a bad package, also those that were within its reach. Changes nothing.

    Example: rotator intake trufflehog.jsonl
    """
    from rotator.report.leaked import leaked_rows, leaked_table  # noqa: PLC0415 - Rich is not free
    from rotator.report.packages import evidence_rows, evidence_table  # noqa: PLC0415

    given: Context = context.obj
    asked = Given(files or (), package or (), advisory or (), evidence or ())
    parts = given.parts()
    alarm = asked.read(parts)
    if output is Output.TABLE:
        if alarm.evidence is not None:
            console().print(evidence_table(alarm.evidence))
        console().print(leaked_table(alarm.suspects, parts.playbooks))
    elif alarm.evidence is not None:
        emit({"evidence": evidence_rows(alarm.evidence), "credentials": leaked_rows(alarm.suspects)}, output)
    else:
        emit(leaked_rows(alarm.suspects), output)


def respond(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    files: Files = None,
    package: Packages = None,
    advisory: Advisories = None,
    evidence: Evidence = None,
    access: Logs = None,
    graph: GraphFile = None,
    title: Annotated[str, typer.Option(help="What people will call this incident.")] = "",
    severity: HowBad = Severity.HIGH,
    strategy: Strategies = None,
    exclude: Exclusions = None,
    reason: Reasons = None,
    exposed_at: ExposedAt = None,
    foothold: Footholds = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve the plan as printed, without asking.")] = False,
    confirm: approval.Confirm = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Answer a leak: declare, plan, confirm, run, watch, report.

    Nothing starts before the plan that it shows is confirmed. Then it changes credentials at their issuers and delivers
    new ones to your stores. Ctrl-C only detaches: the work goes on.

    Exit codes: as the report's: 0 all dead and replaced; 3 something is open; 1 failed. `rotator --help` has all. 4:
    not confirmed, or not allowed.

    Example: rotator respond trufflehog.jsonl --severity critical
    """
    from rotator.cli import far_declaring  # noqa: PLC0415 - only this command pays for it
    from rotator.report.leaked import leaked_table  # noqa: PLC0415

    given: Context = context.obj
    of = Given(files or (), package or (), advisory or (), evidence or ())
    asked = Asked(of, access, graph, strategy, exclude, reason, exposed_at, foothold, severity)
    if (far := given.far()) is not None:
        far_declaring.respond(given, far, asked, title, severity, yes, confirm, output)
    parts = given.parts()
    planned = asked.planned(given, parts)
    if not given.quiet:
        console(error=True).print(leaked_table(planned.alarm.suspects, parts.playbooks))
    planned.show(given)

    def declare(approved: bool, _words: str) -> Begun:
        found = planned.declare(parts, title or planned.alarm.title, severity, approved=approved)
        return Begun.of(given, parts, found)

    begin(given, parts, planned.prepared.plan, Yes(yes, confirm), declare, output)
