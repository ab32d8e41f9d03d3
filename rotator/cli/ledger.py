"""The ledger as a whole: back it up, and bring a backup back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rotator.actor import actor
from rotator.cli.options import Context, Output, OutputOption, emit
from rotator.report.plain import plain

New = Annotated[Path, typer.Argument(metavar="FILE", help="A new file; it holds names and sealed secrets.")]
Kept = Annotated[Path, typer.Argument(metavar="FILE", help="A backup that `ledger backup` made.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    ledger = typer.Typer(help="The ledger as a whole: back it up, and bring a backup back.", no_args_is_help=True)
    ledger.command("backup")(backup)
    ledger.command("restore")(restore)
    app.add_typer(ledger, name="ledger")


def backup(context: typer.Context, file: New, output: OutputOption = Output.TABLE) -> None:
    """Write the ledger, as it is at one moment, to a new file.

    Workers go on meanwhile.

    The same file fits SQLite and PostgreSQL. The seal key is not in it: keep that elsewhere, or the sealed secrets in
    it can never be knocked with again; nor is the key that signs evidence, without which none is signed again.
    docs/operate.md says how often, and what a restore means.

    Example: rotator ledger backup /backups/rotator-monday.db
    """
    from rotator.ledger.backup import back_up  # noqa: PLC0415 - only these commands pay for it
    from rotator.report.clocks import moment  # noqa: PLC0415

    given: Context = context.obj
    kept = back_up(given.parts().database, file)
    if output is not Output.TABLE:
        told = {"taken_at": moment(kept.taken_at), "release": kept.release, "incidents": kept.incidents}
        emit({"file": str(file), **told, "rows": kept.rows}, output)
        return
    lacks = "the seal key is not in it, nor the one that signs"
    typer.echo(plain(f"{file}: {kept.incidents} incidents, {kept.rows} rows; {lacks}"))


def restore(context: typer.Context, file: Kept, output: OutputOption = Output.TABLE) -> None:
    """Bring a backup into an empty ledger.

    It then stands still, until `rotator continue` lets it go on.

    End every worker, beat, serve and up of the lost ledger first. What was done since the backup, people's acts too, is
    in no ledger any more: look at each incident before you let it go on. Each mint that was not finished then is looked
    for before another is made.

    Example: rotator ledger restore /backups/rotator-monday.db
    """
    from rotator.ledger import backup  # noqa: PLC0415
    from rotator.report.clocks import moment  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    found = backup.restore(parts.database, file, parts.seal, actor())
    of = found.backup
    if output is not Output.TABLE:
        told = {"taken_at": moment(of.taken_at), "release": of.release, "incidents": of.incidents, "rows": of.rows}
        emit({"file": str(file), **told, "looked_for": found.looked_for, "unopened": found.unopened}, output)
        return
    typer.echo(
        plain(
            f"{of.incidents} incidents as they were at {moment(of.taken_at)}; everything is stopped, and "
            f"{found.looked_for} mints are looked for first. When you have looked: "
            f"{given.called} continue --reason …"
        )
    )
    if found.unopened:
        typer.echo(
            f"{found.unopened} sealed secrets cannot be opened with this seal key: give the lost deployment's "
            f"(ROTATOR_SEAL_KEY, or seal.key in {parts.settings.data_dir}), before anything goes on, or their deaths "
            "cannot be proven",
            err=True,
        )
