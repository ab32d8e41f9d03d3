"""Who is told what happens: the channels, how each stands, and a message to try one."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.errors import BadInput, RotatorError


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    notices = typer.Typer(help="Who is told what happens to incidents.", no_args_is_help=True)
    notices.command("list")(list_channels)
    notices.command("test")(test_channel)
    app.add_typer(notices, name="notice")


def list_channels(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the channels by which people are told.

    It tells what each hears of, what it was sent, and what it would not take.

    Example: rotator notice list -o jsonl
    """
    from rotator.report.tables import plain_table, words  # noqa: PLC0415 - only this command pays for them
    from rotator.shown.alarms import channels  # noqa: PLC0415

    given: Context = context.obj
    found = channels(given.parts())
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("no channel is configured: add [[notices]] to rotator.toml, as docs/notices.md says", err=True)
        return
    table = plain_table(None, "channel", "kind", "from", "sent", "last sent", "waits", "given up", "trouble")
    for row in found:
        last_sent = str(row["last_sent_at"] or "-")[:19]
        cells = (row["name"], row["kind"], row["severity"], row["sent"], last_sent, row["waiting"], row["given_up"])
        table.add_row(*(words(str(each)) for each in (*cells, row["trouble"] or "")))
    console().print(table)


def test_channel(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The channel's name.", autocompletion=completion.channels)
    ],
) -> None:
    """Send a channel a message that says it is a test.

    It waits for the answer, and tries once.

    Exit code 1: it was not told.

    Example: rotator notice test oncall
    """
    from rotator.examining.channels import mend, tried  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    parts = given.parts()
    message = f"test-{secrets.token_hex(4)}"
    try:
        answer = tried(parts, name, message)
    except BadInput:
        raise
    except RotatorError as error:
        typer.echo(f"rotator: {name} was not told: {error} ({mend(error)})", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{name} took it ({answer}); look there for {message}")
