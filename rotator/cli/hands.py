"""A person's hand on the wheel: stop and go on; do a step again, skip it, take it back; end a wait.

Each act asks for a reason, and is evidence.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli import completion
from rotator.cli.approval import typed
from rotator.cli.options import Context, Reason
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.operations.operation import Operation
    from rotator.operations.service import Service

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as the report shows it.")]
StepName = Annotated[str, typer.Argument(metavar="STEP", help="The step's id.")]
Stoppable = Annotated[
    str | None,
    typer.Argument(
        metavar="INCIDENT|CONNECTION", help="An incident, `last`, or a connection.", autocompletion=completion.stoppable
    ),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("stop")(stop)
    app.command("continue")(go_on)
    runs = typer.Typer(help="A person's hand on one run.", no_args_is_help=True)
    runs.command("retry")(retry)
    runs.command("skip")(skip)
    runs.command("done")(done)
    runs.command("undo")(undo)
    app.add_typer(runs, name="run")
    holds = typer.Typer(help="End a wait early.", no_args_is_help=True)
    holds.command("release")(release)
    app.add_typer(holds, name="hold")


def stop(context: typer.Context, reason: Reason, name: Stoppable = None) -> None:
    """Stop: start no more calls. Nothing is lost.

    Of one incident, of one connection, or, with no name, of anything. It takes hold within one call's deadline;
    `rotator continue` lets the work go on.

    Example: rotator stop aws-prod --reason "…"
    """
    from rotator.operations.steering import stop as operation  # noqa: PLC0415 - only who acts pays for it
    from rotator.ports.connection import CALL_DEADLINE_S  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    told = service.does(operation, _meant(service, name), reason)
    typer.echo(
        f"{told['what']} is stopped: {told['waiting']} unfinished runs wait; calls on their way end within "
        f"{CALL_DEADLINE_S:.0f} s. {given.as_called(told['lifted_by'])} lets it go on{apart(told)}"
    )


def go_on(context: typer.Context, reason: Reason, name: Stoppable = None) -> None:
    """Let what was stopped go on by itself, where it was.

    Example: rotator continue aws-prod --reason "…"
    """
    from rotator.operations.steering import go_on as operation  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    told = service.does(operation, _meant(service, name), reason)
    service.work(told)
    still = "".join(f"; {each} still" for each in told["still"])
    typer.echo(plain(f"{told['what']} goes on{still}"))
    if count := told["sealed_by_another"]:
        lost = f"{count:,} sealed secrets cannot be opened with this seal key: their deaths cannot be proven"
        mend = "give the key that sealed them (ROTATOR_SEAL_KEY, or seal.key in its data_dir)"
        typer.echo(plain(f"warning: {lost}; {mend}"), err=True)


def _meant(service: Service, name: str | None) -> str | None:
    """Return what is to be stopped: `last` is the newest incident; everything else is known where it is stopped."""
    from rotator.ledger.names import LAST  # noqa: PLC0415

    return service.incident(LAST) if name == LAST else name


def retry(context: typer.Context, run: Run, step: StepName, reason: Reason) -> None:
    """Do a failed or held step again.

    A step that was held because of credentials, or a value in a store, that nobody here knows: to retry it is to say
    that these are all right. What only waits for its time does not come early by this: see `rotator hold release`.

    Example: rotator run retry inc-20261123-a1b2c3.r1 issue --reason "…"
    """
    from rotator.operations.runs import retry as operation  # noqa: PLC0415

    _decide(context, operation, (run, step, reason), "due again", "not tried yet")


def skip(context: typer.Context, run: Run, step: StepName, reason: Reason) -> None:
    """Go on without a failed or held step. What it would have shown stays unknown, and the report says so.

    Example: rotator run skip inc-20261123-a1b2c3.r1 verify_dead --reason "…"
    """
    from rotator.operations.runs import skip as operation  # noqa: PLC0415

    _decide(context, operation, (run, step, reason), "skipped", "the run does not go on yet")


def _decide(
    context: typer.Context, operation: Operation[str, str, str], of: tuple[str, str, str], became: str, waits: str
) -> None:
    given: Context = context.obj
    service = given.service()
    run = service.run(of[0])
    told = service.does(operation, run, *of[1:])
    service.work(told)
    typer.echo(f"{told['steps']} step(s) of {run} {became}" + unless_stopped(given, told, waits))


def done(context: typer.Context, run: Run, step: StepName, reason: Reason) -> None:
    """Say that you did what a step asked of you. Where a knock can show it, the machine then proves it.

    A step asks where no machine can do it: the report shows what, and for which credential.

    Example: rotator run done inc-20261123-a1b2c3.r1 revoke --reason "…"
    """
    from rotator.operations.runs import done as operation  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    run = service.run(run)
    told = service.does(operation, run, step, reason)
    service.work(told)
    kept = unless_stopped(given, told, "the run does not go on yet")
    typer.echo(f"{step} of {run} is said to be done{kept or '; the run goes on'}")


def undo(
    context: typer.Context,
    run: Run,
    step: StepName,
    reason: Reason,
    yes: Annotated[
        bool, typer.Option("--yes", help="Resume an exposed credential, or give back a refused one, without asking.")
    ] = False,
) -> None:
    """Take back what a run has done from one step on, backwards.

    What was still to come is skipped.

    Undoing a suspension makes a stolen credential work again; undoing a delivery alone gives consumers one back that is
    refused. Both are asked for. What was destroyed stays so: no undo passes that.

    Exit code 4: it was not confirmed, and nothing was changed.

    Example: rotator run undo inc-20261123-a1b2c3.r1 suspend --reason "…"
    """
    from rotator.operations.operation import AsksFirst  # noqa: PLC0415
    from rotator.operations.runs import undo as operation  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    run = service.run(run)
    try:
        told = service.does(operation, run, step, reason, yes, None)
        _foretell(given, run, told)
    except AsksFirst as first:
        _foretell(given, run, first.more)
        if not typed(first.more["words"]):
            how = "" if sys.stdin.isatty() else " (nobody is there to ask: give --yes)"
            print(f"rotator: not confirmed; nothing was changed{how}", file=sys.stderr)  # noqa: T201
            raise typer.Exit(4) from None
        told = service.does(operation, run, step, reason, True, first.more["would_do"])
    service.work(told)
    typer.echo(
        f"{len(told['takes_back'])} step(s) of {run} are taken back, {len(told['skipped'])} skipped; "
        f"watch it with: {given.called} incident watch {run.rpartition('.')[0]}"
        + unless_stopped(given, told, "nothing of it is done yet")
    )


def _foretell(given: Context, run: str, told: Mapping[str, Any]) -> None:
    """Print what an undo does, and what to know of it."""
    for line in [f"{run}: {' → '.join(told['would_do'])}", *(f"warning: {each}" for each in told["warnings"])]:
        if not given.quiet:
            print(plain(line), file=sys.stderr)  # noqa: T201


def release(
    context: typer.Context,
    run: Run,
    step: StepName,
    reason: Reason,
    although_paused: Annotated[
        str, typer.Option(metavar="VENDOR", help="Make something new for this vendor although it is paused.")
    ] = "",
) -> None:
    """End a held step's wait early.

    One that is scheduled is done now. One that waits because a living stolen credential, or who is on a foothold, may
    read the new secret goes on too: you accept that risk under your name, of those who may read it now, and the report
    names them; for whoever comes later it waits again. The first step of a run that waits until the rotator's own
    credential is replaced goes on too. The report names first what would end such a wait without a risk.
    What would make something new for a vendor that is paused goes on with --although-paused alone.

    Example: rotator hold release inc-20261123-a1b2c3.r1 revoke --reason "…"
    """
    from rotator.operations.runs import release as operation  # noqa: PLC0415

    given: Context = context.obj
    service = given.service()
    run = service.run(run)
    told = service.does(operation, run, step, reason, although_paused)
    service.work(told)
    typer.echo(f"{run} {step}: {told['meant']}" + unless_stopped(given, told, "it does not go on yet"))


def apart(told: Mapping[str, Any]) -> str:
    """Say what a person may think that he stopped or shut, and has not: what was merged into an incident."""
    found = ", ".join(told["apart"])
    return f"; NOT of {found}, merged into it: name each too" if found else ""


def unless_stopped(given: Context, told: Mapping[str, Any], then: str) -> str:
    """Say what keeps that from going on, and what lets it; nothing where it does."""
    if not told["stopped"]:
        return ""
    each_of = (each.rpartition(": ") for each in told["stopped"])
    lifted = (f"{what}: {given.as_called(command)} lets it go on" for what, _, command in each_of)
    return plain(f", but {then}: {'; '.join(lifted)}")
