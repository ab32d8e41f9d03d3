"""Hygiene: which credentials are due by the policies, and when; to begin what is due now; to check the policies."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.report.plain import plain


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    hygiene = typer.Typer(help="Credentials that are replaced before they are old.", no_args_is_help=True)
    hygiene.command("due")(due)
    hygiene.command("run")(run)
    hygiene.command("lint")(lint)
    hygiene.command("schema")(schema)
    app.add_typer(hygiene, name="hygiene")
    schedules = typer.Typer(help="When policies open.", no_args_is_help=True)
    schedules.command("list")(list_schedules)
    app.add_typer(schedules, name="schedule")


def due(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Those too that are young.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the credentials that are due.

    It tells since when each is due and when its turn comes, and of which nobody knows the age; and with the turn `ends`
    what ends by itself before long and is under no policy. Changes nothing.

    Example: rotator hygiene due -o jsonl
    """
    from rotator.operations.view import ALL  # noqa: PLC0415 - only who looks pays for them
    from rotator.operations.views.hygiene import DUE  # noqa: PLC0415 - only who looks pays for them
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().lists(DUE, ALL if every else "")
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("nothing is due, as far as issuers were asked; `rotator schedule list` shows the policies", err=True)
        return
    names = ("policy", "turn", "provider", "owner", "id", "made_at", "ends_at", "due_at", "starts_at", "busy")
    table = plain_table(None, "policy", "turn", "kind", "owner", "id", "made", "ends", "due since", "begins", "busy")
    for row in found:
        table.add_row(*(words(str(row[name])) for name in names))
    console().print(table)


def run(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Begin now what is due, as a dispatcher does each minute.

    Only what a policy covers whose window is open, and no more at once than it allows. Old credentials are stopped once
    nobody uses them.

    Example: rotator hygiene run
    """
    from rotator import clock, hygiene  # noqa: PLC0415 - only this command pays for them

    given: Context = context.obj
    begun = hygiene.run(given.parts(), clock.now())
    if output is not Output.TABLE:
        emit([{"incident": each.id, "title": each.title} for each in begun], output)
        return
    for each in begun:
        typer.echo(plain(f"{each.id} {each.title}"))
    if not begun:
        typer.echo("nothing begins now: `rotator hygiene due` says what is due, and when")


def lint(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Files of policies; those configured if none is given.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say every mistake of policies, with its line.

    Also of one that does nothing: its day is over, or no kind is called as it says.

    Exit code 2: a file has a mistake.

    Example: rotator hygiene lint hygiene.yaml
    """
    from rotator import clock, hygiene_file, playbook_file  # noqa: PLC0415 - pydantic is not free

    settings = context.obj.settings()
    kinds, now = playbook_file.available(settings.playbooks), clock.now()
    found = files or settings.hygiene
    mistakes = [(path, each) for path in found for each in hygiene_file.lint(path, kinds, now)]
    if output is not Output.TABLE:
        emit([{"file": str(path), **asdict(each)} for path, each in mistakes], output)
    else:
        for path, each in mistakes:
            typer.echo(plain(f"{path}:{each.line}:{each.column}: {each.what} ({each.mend})"))
        if not mistakes:
            hygiene_file.load_all(found)
            typer.echo(f"{len(found)} files are sound")
    raise typer.Exit(2 if mistakes else 0)


def schema() -> None:
    """Print the JSON Schema of policies, for editors.

    Example: rotator hygiene schema
    """
    from rotator.hygiene_file import json_schema  # noqa: PLC0415 - pydantic is not free

    typer.echo(json.dumps(json_schema(), indent=2))


def list_schedules(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the policies, and when each opens.

    It tells who agreed to each until when, and how many credentials are due.

    Example: rotator schedule list -o json
    """
    from rotator.operations.views.hygiene import SCHEDULES  # noqa: PLC0415 - only who looks pays for them
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().lists(SCHEDULES)
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("no policy is configured; docs/hygiene.md says how one is", err=True)
        return
    table = plain_table(None, "policy", "window", "agreed by", "at work", "credentials")
    for row in found:
        opens = f"open until {row['open_until']}" if row["open_until"] else f"opens {row['opens_at'] or 'never'}"
        why = "expired" if row["expired"] else f"frozen: {row['frozen']}" if row["frozen"] else opens
        counts = ", ".join(f"{count:,} {turn}" for turn, count in row["credentials"].items() if count) or "none"
        agreed = f"{row['approved_by']} until {row['expires_at'][:10]}"
        table.add_row(*map(words, (row["policy"], why, agreed, f"{row['at_work']} of {row['at_once']}", counts)))
    console().print(table)
