"""Drills: leak canaries and see how fast they die; how each drill went, and what becomes of that over the weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.actor import actor
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.errors import BadInput, RotatorError
from rotator.flow.exercise import Outcome, Trigger

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.drilling import Drill
    from rotator.flow.exercise import Exercise
    from rotator.ledger.drills import DrillRow

Incident = Annotated[str, typer.Argument(metavar="DRILL", help="A drill's incident, or `last`.")]
_CODES = {Outcome.PROVEN: 0, Outcome.STATED: 0, Outcome.OPEN: 3, Outcome.ABANDONED: 1}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    drills = typer.Typer(help="Canaries that leak on purpose, and how fast they die.", no_args_is_help=True)
    drills.command("run")(run)
    drills.command("list")(list_drills)
    drills.command("show")(show)
    drills.command("trend")(trend)
    drills.command("clean")(clean)
    app.add_typer(drills, name="drill")


def run(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[EXERCISE]", help="One of `[drills]` in the configuration.")] = "",
    connection: Annotated[str, typer.Option(help="Where canaries are minted, without an exercise.")] = "",
    kind: Annotated[str, typer.Option(help="Of which kind.")] = "",
    owner: Annotated[
        list[str] | None, typer.Option(help="For whom: an owner made for drills; may be repeated.")
    ] = None,
    like: Annotated[str, typer.Option(help="The id of a credential of the owner, as which they are made.")] = "",
    trigger: Annotated[Trigger | None, typer.Option(help="How they leak.")] = None,
    count: Annotated[int | None, typer.Option(min=1, max=20, help="How many.")] = None,
    page: Annotated[bool, typer.Option("--page", help="Have people told as of a real leak.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Mint canaries, leak them, answer them for real, and measure.

    Without an exercise or a connection it is held in a practice range of its own, on this machine. Else canaries are
    minted at that issuer, in the name of an owner that is there for drills. Nothing but what was minted is touched, and
    all of that is taken away at the end.

    Exit codes: 0 every canary is dead; 3 one is not; 1 it was given up. `rotator --help` has all.

    Example: rotator drill run
    """
    from dataclasses import replace  # noqa: PLC0415 - only this command pays for them

    given: Context = context.obj
    changed: dict[str, Any] = {
        key: value for key, value in (("trigger", trigger), ("count", count)) if value is not None
    }
    if page:
        changed["page"] = True
    if not name and not connection:
        _in_the_range(given, changed, output)
    parts = given.parts()
    exercise = _named(parts, name) if name else _given(connection, kind, owner or [], like)
    _hold(given, parts, [replace(exercise, **changed)], output)


def _named(parts: Rotator, name: str) -> Exercise:
    from rotator.flow.playbook_words import meant  # noqa: PLC0415 - only this command pays for it

    known = {each.name: each for each in parts.settings.drills.exercises}
    if name not in known:
        mend = (
            meant(name, known) if known else "add it to [[drills.exercises]], or give --connection, --kind and --owner"
        )
        raise BadInput(f"no exercise is called {name}", "drill run", mend)
    return known[name].exercise()


def _given(connection: str, kind: str, owners: list[str], like: str) -> Exercise:
    from rotator.flow.exercise import Exercise  # noqa: PLC0415 - only this command pays for it

    if not kind or not owners:
        what = f"--{'owner' if kind else 'kind'} is missing"
        raise BadInput(what, "drill run", "--connection needs --kind, and an --owner that is there for drills")
    return Exercise(kind.replace("_", "-"), connection, kind, tuple(owners), like=like)


def _in_the_range(given: Context, changed: dict[str, Any], output: Output) -> None:
    """Hold every exercise of a practice range that is there for this drill alone, and end."""
    import tempfile  # noqa: PLC0415 - only this command pays for them
    from dataclasses import replace  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from rotator.practice.demo import on_its_own  # noqa: PLC0415
    from rotator.practice.drill_ground import drill_ground  # noqa: PLC0415

    on_its_own()
    _say(given, "a practice range starts on this machine: an AWS account, a Vault, a token service …")
    with tempfile.TemporaryDirectory(prefix="rotator-drill-") as folder, drill_ground(Path(folder)) as config:
        here = Context(config=config, quiet=given.quiet)
        parts = here.parts()
        try:
            exercises = [replace(each.exercise(), **changed) for each in parts.settings.drills.exercises]
            _hold(here, parts, exercises, output)
        finally:
            parts.database.close()


def _hold(given: Context, parts: Rotator, exercises: list[Exercise], output: Output) -> None:
    """Hold these drills at a time, print how they went, and exit."""
    from rotator.drill_lock import held  # noqa: PLC0415 - only this command pays for it

    with held(parts.settings.data_dir):
        _clean(given, parts)
        try:
            begun = [_begun(given, parts, each) for each in exercises]
            found = [_followed(given, parts, row) for row in begun]
        except KeyboardInterrupt:
            _say(given, f"left under way: `{given.called} drill clean` ends it, and takes away what was minted")
            raise typer.Exit(130) from None
    _told(found, output)
    raise typer.Exit(max((_CODES[Outcome(each.row.outcome or Outcome.ABANDONED)] for each in found), default=0))


def _begun(given: Context, parts: Rotator, exercise: Exercise) -> DrillRow:
    from rotator import drilling  # noqa: PLC0415 - only this command pays for them

    row = drilling.begin(parts, exercise, actor())
    many = f"{exercise.count} canar{'ies' if exercise.count > 1 else 'y'}"
    _say(given, f"{row.incident}: {many} of {exercise.kind} leaked")
    return row


def _followed(given: Context, parts: Rotator, row: DrillRow) -> Drill:
    from rotator import drilling  # noqa: PLC0415 - only this command pays for them
    from rotator.cli.here import Here  # noqa: PLC0415
    from rotator.report.count_line import count_line  # noqa: PLC0415

    here = Here(given, parts)

    def work(incident: str) -> None:
        here.work({})
        for progress in here.changes(incident):
            _say(given, f"{incident}: {count_line(progress)}")

    return drilling.follow(parts, row.incident, work)


def _clean(given: Context, parts: Rotator) -> list[Drill]:
    """End every drill that was left: nobody else holds one here, while the lock is ours."""
    from rotator import drilling  # noqa: PLC0415 - only this command pays for it

    found = []
    for row in drilling.left(parts, *([0.0] if parts.settings.embedded else [])):
        _say(given, f"{row.incident}: the drill {row.name} was left; it is ended first")
        try:
            found.append(_followed(given, parts, row))
        except RotatorError as error:
            if isinstance(error, BadInput):
                raise
            mend = "`rotator drill clean` tries again"
            raise BadInput(f"what the drill {row.name} minted is not all gone: {error}", row.incident, mend) from None
    return found


def _say(given: Context, told: str) -> None:
    from rotator.report.plain import plain  # noqa: PLC0415 - Rich is not free

    if not given.quiet:
        typer.echo(plain(told), err=True)


def _told(found: list[Drill], output: Output) -> None:
    from rotator.report.drills import drills_text  # noqa: PLC0415 - only who shows them pays for it
    from rotator.shown.drills import shown  # noqa: PLC0415

    rows = [shown(each.row, each.responses, each.slow) for each in found]
    if output is not Output.TABLE:
        emit(rows, output)
    else:
        console().print(drills_text(rows))


def clean(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """End the drills that were left, and take their canaries away.

    The next drill does so too. One that still works is carried on to its end.

    Example: rotator drill clean
    """
    from rotator.drill_lock import held  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    parts = given.parts()
    with held(parts.settings.data_dir):
        found = _clean(given, parts)
    if not found and output is Output.TABLE:
        typer.echo("no drill was left")
        return
    _told(found, output)


def list_drills(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the drills, the latest first.

    Example: rotator drill list -o jsonl
    """
    from rotator.operations.views.drills import DRILLS  # noqa: PLC0415 - only who looks pays for them
    from rotator.report.drills import drills_table  # noqa: PLC0415

    _list(context, DRILLS, output, drills_table, "no drill was held yet: `rotator drill run` holds one")


def trend(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Tell how long canaries lived, by kind and week.

    Times are from detection to proven death, in seconds. What is not proven dead counts as open.

    Example: rotator drill trend
    """
    from rotator.operations.views.drills import DRILL_TREND  # noqa: PLC0415 - only who looks pays for them
    from rotator.report.drills import trend_table  # noqa: PLC0415

    _list(context, DRILL_TREND, output, trend_table, "no drill was held yet: `rotator drill run` holds one")


def _list(context: typer.Context, view: Any, output: Output, table: Any, nothing: str) -> None:
    given: Context = context.obj
    found = given.service().lists(view)
    if output is not Output.TABLE:
        emit(found, output)
    elif found:
        console().print(table(found))
    else:
        typer.echo(nothing)


def show(context: typer.Context, drill: Incident = "last", output: OutputOption = Output.TABLE) -> None:
    """Show one drill with the clocks of its canaries.

    Example: rotator drill show last
    """
    from rotator.operations.views.drills import DRILL  # noqa: PLC0415 - only who looks pays for them
    from rotator.report.drills import drills_text  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().shows(DRILL, drill)
    if output is not Output.TABLE:
        emit(found, output)
    else:
        console().print(drills_text([found]))
