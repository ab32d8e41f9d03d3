"""Exposures: how sure each is, and what a person says of it: no leak of ours to answer, or one after all."""

from __future__ import annotations

from typing import Annotated

import typer

from rotator.cli.incident import Id
from rotator.cli.options import Context, Output, OutputOption, Reason, console, emit
from rotator.report.plain import plain

Name = Annotated[
    str, typer.Argument(metavar="CREDENTIAL|RUN|TASK", help="A credential's id, or a run or task as the report has it.")
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Look at an incident's exposures, dismiss one, open it again.", no_args_is_help=True)
    group.command("list")(list_exposures)
    group.command("dismiss")(dismiss)
    group.command("reopen")(reopen)
    app.add_typer(group, name="exposure")


def list_exposures(context: typer.Context, incident: Id, output: OutputOption = Output.TABLE) -> None:
    """List what is exposed, and how sure that is.

    It tells where each was seen first, and as what it was dismissed.

    Example: rotator exposure list last -o jsonl
    """
    from rotator.operations.views.incidents import EXPOSURES  # noqa: PLC0415 - only who looks pays for it
    from rotator.report.dismissed import exposure_table  # noqa: PLC0415 - Rich is not free

    given: Context = context.obj
    service = given.service()
    rows = service.lists(EXPOSURES, service.incident(incident))
    if output is Output.TABLE:
        console().print(exposure_table(rows))
    else:
        emit(rows, output)


def dismiss(
    context: typer.Context,
    incident: Id,
    name: Name,
    as_: Annotated[str, typer.Option("--as", help="false_positive, canary, not_ours or already_dead.")],
    reason: Reason,
) -> None:
    """Leave a credential alone. It stays in the report.

    Its run never begins, or gives way before its next call.

    Nobody waits for it any more, and it counts as no reader of new secrets. So `already_dead` and `not_ours` are
    believed only when its issuer, which is asked, does not know it; of a task no issuer can be asked.

    Example: rotator exposure dismiss last AKIA… --as canary --reason "…"
    """
    from rotator.flow.dismissal import CANARY_FOR_GOOD, disposition  # noqa: PLC0415
    from rotator.flow.exposure import Disposition  # noqa: PLC0415
    from rotator.operations.deciding import dismiss as operation  # noqa: PLC0415 - only who acts pays for it

    given: Context = context.obj
    wanted = disposition(as_)
    service = given.service()
    told = service.does(operation, service.incident(incident), name, wanted.value, reason)
    said_so = f"; {told['issuer_says']}" if told["issuer_says"] else ""
    typer.echo(plain(f"{told['kind']} {told['key']} ({told['of']}) is dismissed as {wanted}{said_so}"))
    if told["at_work"]:
        typer.echo("a worker is at it, and gives way before its next call")
    if wanted is Disposition.CANARY:
        typer.echo(CANARY_FOR_GOOD)
    if told["failed"]:
        typer.echo(f"tried, and failed: {', '.join(told['failed'])}")
    if told["did"]:
        did = ", ".join(told["did"])
        typer.echo(f"what was done stays so: {did} (open it again to take that back with `run undo`)")


def reopen(context: typer.Context, incident: Id, name: Name, reason: Reason) -> None:
    """Take a dismissal back: its run goes on where it was.

    What nobody approved yet waits for an approval.

    Example: rotator exposure reopen last AKIA… --reason "…"
    """
    from rotator.cli.declaring import start  # noqa: PLC0415
    from rotator.operations.deciding import take_back as operation  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    told = service.does(operation, service.incident(incident), name, reason)
    what = plain(f"{told['kind']} {told['key']} ({told['of']}) is open again")
    if told["digest"]:
        typer.echo(plain(f"{what}; {start(given, told['begins'], told['incident'], told['digest'])}"))
        return
    if not told["is_task"]:
        service.work(told)
    typer.echo(f"{what}: {'it is a task for a person' if told['is_task'] else 'it goes on where it was'}")
