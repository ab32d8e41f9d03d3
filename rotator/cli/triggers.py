"""Alarms that came over HTTP: which there are, and what became of each."""

from __future__ import annotations

import typer

from rotator.cli.options import Context, Output, OutputOption, console, emit


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    triggers = typer.Typer(help="Alarms that came over HTTP.", no_args_is_help=True)
    triggers.command("list")(list_triggers)
    app.add_typer(triggers, name="trigger")


def list_triggers(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List alarms that came over HTTP, the newest first.

    It tells when each came, its incident, and why one waits that has none.

    Example: rotator trigger list -o jsonl
    """
    from rotator.operations.views.alarms import TRIGGERS  # noqa: PLC0415 - only who looks pays for them
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().lists(TRIGGERS)
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("no alarm has come yet; docs/triggers.md says how one can", err=True)
        return
    table = plain_table(None, "id", "received", "sender", "state", "incident", "title", "reason")
    for row in found:
        names = ("id", "received_at", "sender", "state", "incident", "title", "reason")
        table.add_row(*(words(str(row[name] or "")) for name in names))
    console().print(table)
