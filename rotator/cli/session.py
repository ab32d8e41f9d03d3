"""Who is signed in with a browser: listed, and ended."""

from __future__ import annotations

from typing import Annotated

import typer

from rotator.actor import actor
from rotator.cli.options import Context, Output, OutputOption, Reason, console, emit
from rotator.report.plain import plain


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Who is signed in with a browser.", no_args_is_help=True)
    group.command("list")(list_sessions)
    group.command("revoke")(revoke)
    app.add_typer(group, name="session")


def list_sessions(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List sessions, the newest first.

    Those that live, and those that were over since yesterday.

    Example: rotator session list -o jsonl
    """
    from rotator.report.tables import plain_table, words  # noqa: PLC0415 - only this command pays for them
    from rotator.shown.doors import sessions  # noqa: PLC0415

    given: Context = context.obj
    found = sessions(given.parts())
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("nobody is signed in", err=True)
        return
    table = plain_table(None, "session", "who", "by", "state", "since", "last", "until")
    for row in found:
        told = (row["id"], row["by"], row["how"], row["state"])
        table.add_row(*(words(each) for each in told), *(row[at][:16] for at in ("opened_at", "used_at", "expires_at")))
    console().print(table)


def revoke(
    context: typer.Context,
    session: Annotated[str, typer.Argument(metavar="SESSION", help="As `session list` shows it.")],
    reason: Reason,
) -> None:
    """End somebody's session, from the next request on. Who may sign in again is not changed by it.

    Example: rotator session revoke ab12cd34 --reason "…"
    """
    given: Context = context.obj
    found = given.parts().sessions.revoke(session, actor(), reason)
    typer.echo(plain(f"session {found.id} of {found.by} is ended"))
