"""A person's hand on the wheel: stop and go on; do a step again, skip it, take it back; end a wait.

Each act asks for a reason, and is evidence.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli import completion
from rotator.cli.approval import typed
from rotator.cli.options import Context
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator

Reason = Annotated[str, typer.Option(help="Why; it becomes evidence.")]
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
    from rotator import response  # noqa: PLC0415
    from rotator.ports import CALL_DEADLINE_S  # noqa: PLC0415

    parts = parts_of(context)
    stopped, waiting = parts.stops.stop(name, response.actor(), reason, _connections(parts))
    typer.echo(
        f"{stopped.what} is stopped: {waiting} unfinished runs wait; calls on their way end within "
        f"{CALL_DEADLINE_S:.0f} s. {context.obj.called}{stopped.lifted_by.removeprefix('rotator')} lets it go on"
        f"{apart(parts, stopped.name)}"
    )


def go_on(context: typer.Context, reason: Reason, name: Stoppable = None) -> None:
    """Let what was stopped go on by itself, where it was.

    Example: rotator continue aws-prod --reason "…"
    """
    from rotator import response  # noqa: PLC0415
    from rotator.ledger import health  # noqa: PLC0415

    parts = parts_of(context)
    lifted, left = parts.stops.lift(name, response.actor(), reason, _connections(parts))
    work(context, parts)
    still = "".join(f"; {each} still" for each in left)
    typer.echo(plain(f"{lifted.what} goes on{still}"))
    if count := health.sealed_by_another(parts.database, parts.seal):
        lost = f"{count:,} sealed secrets cannot be opened with this seal key: their deaths cannot be proven"
        mend = f"give the key that sealed them (ROTATOR_SEAL_KEY, or seal.key in {parts.settings.data_dir})"
        typer.echo(plain(f"warning: {lost}; {mend}"), err=True)


def retry(context: typer.Context, run: Run, step: StepName, reason: Reason) -> None:
    """Do a failed or held step again.

    A step that was held because of credentials, or a value in a store, that nobody here knows: to retry it is to say
    that these are all right. What only waits for its time does not come early by this: see `rotator hold release`.

    Example: rotator run retry inc-20261123-a1b2c3.r1 issue --reason "…"
    """
    _decide(context, run, step, reason, skip_it=False)


def skip(context: typer.Context, run: Run, step: StepName, reason: Reason) -> None:
    """Go on without a failed or held step. What it would have shown stays unknown, and the report says so.

    Example: rotator run skip inc-20261123-a1b2c3.r1 verify_dead --reason "…"
    """
    _decide(context, run, step, reason, skip_it=True)


def _decide(context: typer.Context, run: str, step: str, reason: str, *, skip_it: bool) -> None:
    from rotator import response  # noqa: PLC0415

    parts = parts_of(context)
    run = parts.reading.run_named(run)
    changed = parts.hands.decide(run, step, skip=skip_it, by=response.actor(), reason=reason)
    work(context, parts)
    done_to, waits = ("skipped", "the run does not go on yet") if skip_it else ("due again", "not tried yet")
    typer.echo(f"{changed} step(s) of {run} {done_to}" + unless_stopped(context, parts, run, waits))


def done(context: typer.Context, run: Run, step: StepName, reason: Reason) -> None:
    """Say that you did what a step asked of you. Where a knock can show it, the machine then proves it.

    A step asks where no machine can do it: the report shows what, and for which credential.

    Example: rotator run done inc-20261123-a1b2c3.r1 revoke --reason "…"
    """
    from rotator import response  # noqa: PLC0415

    parts = parts_of(context)
    run = parts.reading.run_named(run)
    parts.hands.done(run, step, by=response.actor(), reason=reason)
    work(context, parts)
    kept = unless_stopped(context, parts, run, "the run does not go on yet")
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
    from rotator import response  # noqa: PLC0415

    given: Context = context.obj
    parts = parts_of(context)
    run = parts.reading.run_named(run)
    shown = parts.hands.undoing(run, step)
    for line in [f"{run}: {' → '.join(shown.in_words)}", *(f"warning: {each}" for each in shown.warnings)]:
        if not given.quiet:
            print(plain(line), file=sys.stderr)  # noqa: T201
    asked = "resume" if shown.resumes else "give back" if shown.strands else ""
    if asked and not yes and not typed(f"{asked} {run}"):
        how = "" if sys.stdin.isatty() else " (nobody is there to ask: give --yes)"
        print(f"rotator: not confirmed; nothing was changed{how}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(4)
    found = parts.hands.undo(run, step, response.actor(), reason, shown)
    work(context, parts)
    typer.echo(
        f"{len(found.takes_back)} step(s) of {run} are taken back, {len(found.skipped)} skipped; "
        f"watch it with: {given.called} incident watch {run.rpartition('.')[0]}"
        + unless_stopped(context, parts, run, "nothing of it is done yet")
    )


def release(context: typer.Context, run: Run, step: StepName, reason: Reason) -> None:
    """End a held step's wait early.

    One that is scheduled is done now. One that waits because a living stolen credential, or who is on a foothold, may
    read the new secret goes on too: you accept that risk under your name, of those who may read it now, and the report
    names them; for whoever comes later it waits again. The first step of a run that waits until the rotator's own
    credential is replaced goes on too. The report names first what would end such a wait without a risk.

    Example: rotator hold release inc-20261123-a1b2c3.r1 revoke --reason "…"
    """
    from rotator import response  # noqa: PLC0415

    parts = parts_of(context)
    run = parts.reading.run_named(run)
    meant = parts.hands.release(run, step, response.actor(), reason)
    work(context, parts)
    typer.echo(f"{run} {step}: {meant}" + unless_stopped(context, parts, run, "it does not go on yet"))


def apart(parts: Rotator, incident: str) -> str:
    """Say what a person may think that he stopped or shut, and has not: what was merged into an incident."""
    found = ", ".join(parts.stops.apart(incident))
    return f"; NOT of {found}, merged into it: name each too" if found else ""


def unless_stopped(context: typer.Context, parts: Rotator, of: str, then: str) -> str:
    """Say what keeps an incident, or one of its runs, from going on, and what lets it; nothing where it does."""
    given: Context = context.obj
    incident, is_run, _ = of.partition(".")
    stops = parts.stops.over(incident, of if is_run else None)
    if not stops:
        return ""
    told = (f"{each}: {given.called}{each.lifted_by.removeprefix('rotator')} lets it go on" for each in stops)
    return plain(f", but {then}: {'; '.join(told)}")


def parts_of(context: typer.Context) -> Rotator:
    """Return what the command works with."""
    given: Context = context.obj
    return given.parts()


def _connections(parts: Rotator) -> list[str]:
    return [each.name for each in parts.settings.connections]


def work(context: typer.Context, parts: Rotator) -> None:
    """Have somebody do what is due now."""
    from rotator.cli.watching import start_workers  # noqa: PLC0415

    start_workers(context.obj, parts)
