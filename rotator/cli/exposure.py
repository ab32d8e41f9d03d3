"""Exposures: how sure each is, and what a person says of it: no leak of ours to answer, or one after all."""

from __future__ import annotations

from typing import Annotated

import typer

from rotator.cli.incident import Id
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.report.plain import plain

Name = Annotated[
    str, typer.Argument(metavar="CREDENTIAL|RUN|TASK", help="A credential's id, or a run or task as the report has it.")
]
Reason = Annotated[str, typer.Option(help="Why; it becomes evidence.")]


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
    from rotator.report.dismissed import exposure_table  # noqa: PLC0415 - Rich is not free
    from rotator.shown.incidents import exposures  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    rows = exposures(parts, parts.reading.named(incident))
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
    from rotator import response  # noqa: PLC0415
    from rotator.flow.dismissal import CANARY_FOR_GOOD, disposition  # noqa: PLC0415
    from rotator.flow.exposure import Disposition  # noqa: PLC0415
    from rotator.issuers_word import asked  # noqa: PLC0415

    given: Context = context.obj
    wanted = disposition(as_)
    parts = given.parts()
    of = parts.reading.holding(parts.reading.named(incident), name)
    named = parts.dismissing.named(of, name)
    said = asked(parts, wanted, named)
    told = parts.dismissing.dismiss(of, named.id, wanted, response.actor(), reason, said)
    said_so = f"; {said}" if said else ""
    typer.echo(plain(f"{named.kind or 'not recognised'} {named.key} ({named.id}) is dismissed as {wanted}{said_so}"))
    if told.at_work:
        typer.echo("a worker is at it, and gives way before its next call")
    if wanted is Disposition.CANARY:
        typer.echo(CANARY_FOR_GOOD)
    if told.failed:
        typer.echo(f"tried, and failed: {', '.join(told.failed)}")
    if told.did:
        typer.echo(f"what was done stays so: {', '.join(told.did)} (open it again to take that back with `run undo`)")


def reopen(context: typer.Context, incident: Id, name: Name, reason: Reason) -> None:
    """Take a dismissal back: its run goes on where it was.

    What nobody approved yet waits for an approval.

    Example: rotator exposure reopen last AKIA… --reason "…"
    """
    from rotator import response  # noqa: PLC0415
    from rotator.cli.declaring import begins_with  # noqa: PLC0415
    from rotator.cli.watching import start_workers  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    of = parts.reading.holding(parts.reading.named(incident), name)
    named = parts.dismissing.named(of, name)
    told = parts.dismissing.reopen(of, named.id, response.actor(), reason)
    what = plain(f"{named.kind or 'not recognised'} {named.key} ({named.id}) is open again")
    if told.digest:
        typer.echo(plain(f"{what}; {begins_with(given, parts, of, told.digest)}"))
        return
    if named.ref is not None:
        start_workers(given, parts)
    typer.echo(f"{what}: {'it goes on where it was' if named.ref is not None else 'it is a task for a person'}")
