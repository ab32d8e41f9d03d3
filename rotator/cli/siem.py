"""Channels to a SIEM: how far each has come, an event to try one, and all from a time on once more."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from rotator.actor import actor
from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.errors import BadInput, RotatorError

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name.", autocompletion=completion.siems)]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    siem = typer.Typer(help="Where every record of the evidence is sent.", no_args_is_help=True)
    siem.command("status")(status)
    siem.command("test")(test)
    siem.command("replay")(replay)
    app.add_typer(siem, name="siem")


def status(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the channels to a SIEM, and how far each has come.

    It tells what was sent, how many records wait since when, and what keeps it. Changes nothing.

    Example: rotator siem status -o jsonl
    """
    from rotator.report.tables import plain_table, words  # noqa: PLC0415 - only this command pays for them
    from rotator.shown.siem import channels  # noqa: PLC0415

    given: Context = context.obj
    found = channels(given.parts())
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("no channel is configured: add [[siem]] to rotator.toml, as docs/siem.md says", err=True)
        return
    table = plain_table(None, "channel", "format", "to", "sent", "last sent", "waits", "for", "trouble")
    for row in found:
        last = str(row["last_sent_at"] or "-")[:19] if row["begun"] else "not begun"
        lag = f"{row['lag_s']:,.0f} s"
        cells = (row["name"], row["format"], row["to"], row["sent"], last, row["waiting"], lag, row["trouble"] or "")
        table.add_row(*(words(str(each)) for each in cells))
    console().print(table)


def test(context: typer.Context, name: Name) -> None:
    """Send a channel an event that says it is a test.

    It waits for the answer, and tries once. What was sent of the evidence stays as it is.

    Exit code 1: it was not taken.

    Example: rotator siem test splunk
    """
    from rotator.examining.siem import mend, tried  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    uid = f"test-{secrets.token_hex(4)}"
    try:
        answer = tried(given.parts(), name, uid)
    except BadInput:
        raise
    except RotatorError as error:
        typer.echo(f"rotator: {name} took no event: {error} ({mend(error)})", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{name} took it ({answer}); look there for {uid}")


def replay(
    context: typer.Context,
    name: Name,
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="The first moment, as 2026-11-01 or 2026-11-01T08:30:00Z.")
    ],
) -> None:
    """Have a channel sent all that was written from a time on, again.

    Events have the same `metadata.uid` as before. Whoever leads sends them; nothing older is sent, also where it had
    still to be. That somebody said so is evidence.

    Example: rotator siem replay splunk --from 2026-11-01
    """
    from rotator.cli.planning import moment  # noqa: PLC0415
    from rotator.examining.siem import named  # noqa: PLC0415
    from rotator.ledger.siem import SiemPlaces  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    entry = named(parts, name)
    from_then = moment(since if "T" in since else f"{since}T00:00:00Z", "--from", "a time that has come")
    SiemPlaces(parts.database).replay(entry.name, from_then or 0.0, actor())
    typer.echo(f"{name} is sent what was written from {since} on; `{given.called} siem status` tells how far it is")
