"""`rotator incident close` and `reopen`: say that an incident is over, or that it is not."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rotator.cli.approval import Id
from rotator.cli.options import Context, Reason
from rotator.report.plain import plain

_SHOWN = 20


def close(
    context: typer.Context,
    incident: Id,
    reason: Reason,
    accept_open: Annotated[
        bool, typer.Option("--accept-open", help="Close it although something is open; what, is evidence.")
    ] = False,
) -> None:
    """Say that an incident is over.

    Nothing of it is approved or added any more, until it is opened again.

    While something is open it says what, and closes nothing. What is scheduled to be destroyed is destroyed all the
    same. What was merged into it is closed with it.

    Exit code 3: something is open, and it was not closed.

    Example: rotator incident close last --reason "…"
    """
    from rotator.operations.deciding import close as operation  # noqa: PLC0415 - only who acts pays for it
    from rotator.operations.operation import AsksFirst  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    name = service.incident(incident)
    try:
        found = service.does(operation, name, reason, accept_open)
    except AsksFirst as first:
        lines, may = first.more["open"], first.more["may_be_accepted"]
        more = [f"… and {len(lines) - _SHOWN:,} more: {given.called} report {name}"] if len(lines) > _SHOWN else []
        how = "; to close it all the same: --accept-open" if may else ""
        for line in [f"rotator: {name} is not closed: this is open{how}", *lines[:_SHOWN], *more]:
            print(plain(line), file=sys.stderr)  # noqa: T201
        raise typer.Exit(3) from None
    left, scheduled = found["open"], found["scheduled"]
    still = f"; {len(left):,} of it left open" if left else ""
    later = f"; {scheduled:,} destructions are scheduled, and come" if scheduled else ""
    typer.echo(f"{name} is closed{still}{later}; to open it again: {given.called} incident reopen {name} --reason …")


def reopen(context: typer.Context, incident: Id, reason: Reason) -> None:
    """Open a closed incident again. Nothing starts by it.

    It can be added to, and what is added approved.

    Example: rotator incident reopen last --reason "…"
    """
    from rotator.operations.deciding import reopen as operation  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    name = service.incident(incident)
    service.does(operation, name, reason)
    typer.echo(f"{name} is open again; how it stands: {given.called} report {name}")
