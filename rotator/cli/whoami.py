"""`rotator whoami`: in whose name what is done here, or by the service far away, is done."""

from __future__ import annotations

import typer

from rotator.cli.options import Context, Output, OutputOption, emit
from rotator.report.plain import plain


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command("whoami")(whoami)


def whoami(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Say in whose name you act, and what you may.

    At a service far away, that is your token's.

    Example: rotator whoami
    """
    from rotator.operations.views.caller import WHOAMI  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    found = given.service().shows(WHOAMI)
    if output is not Output.TABLE:
        emit(found, output)
        return
    by_token = f", by the token {found['token']} until {found['expires_at'][:10]}" if found["token"] else ""
    typer.echo(plain(f"{found['by']}, {found['role']}{by_token}"))
