"""Manifests of datasets: record what is there, check later that it still is, show what was found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.actor import actor
from rotator.cli import completion, manifest_reading
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.errors import BadInput
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.datasets import Asked

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="What the dataset is called: letters, digits, `.`, `_`, `-`.")
]
Place = Annotated[
    str, typer.Argument(metavar="PLACE", help="A folder, s3://BUCKET/PREFIX, or - for a list as sha256sum writes it.")
]
There = Annotated[str, typer.Argument(metavar="[PLACE]", help="Where it is now; where it was recorded if not given.")]
Connection = Annotated[
    str, typer.Option("--connection", help="Through which a bucket is read.", autocompletion=completion.connections)
]
Of = Annotated[
    str,
    typer.Option("--incident", help="It is evidence of this incident too.", autocompletion=completion.incidents),
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Manifests of datasets: what was there, whether it still is.", no_args_is_help=True)
    group.command("record")(record)
    group.command("verify")(verify)
    group.command("read")(manifest_reading.read)
    group.command("list")(list_manifests)
    group.command("show")(show)
    group.command("export")(export)
    app.add_typer(group, name="manifest")


def record(  # noqa: PLR0917 - a command
    context: typer.Context,
    name: Name,
    place: Place,
    connection: Connection = "",
    incident: Of = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Record the paths, sizes and SHA-256 of a dataset.

    It only reads, follows no link, and keeps what it found in the ledger and as evidence. A name is recorded once.
    Exit code 1: something could not be read, and is kept as that.

    Example: rotator manifest record training-2026 /data/training --incident last
    """
    from rotator import datasets  # noqa: PLC0415 - only this command pays for them
    from rotator.cli.meter import amount, shown  # noqa: PLC0415
    from rotator.manifests.hashing import Meter  # noqa: PLC0415
    from rotator.report.datasets import manifest  # noqa: PLC0415

    given: Context = context.obj
    parts, meter = given.parts(), Meter()
    with shown(meter, name, quiet=given.quiet):
        told = manifest(datasets.record(parts, name, _asked(place, connection, incident), meter))
    if output is not Output.TABLE:
        emit(told, output)
    else:
        size = f", {amount(told['bytes'])}" if told["bytes"] else ""
        typer.echo(plain(f"{name}: {told['files']:,} files{size}, {told['links']:,} links, digest {told['digest']}"))
        if told["others"]:
            typer.echo(f"{told['others']:,} pipes, sockets or devices are there: told by name alone")
        if told["unread"]:
            typer.echo(f"{told['unread']:,} COULD NOT BE READ: nothing is known of them, and no check will be clean")
    if told["unread"]:
        raise typer.Exit(1)


def verify(  # noqa: PLR0917 - a command
    context: typer.Context,
    name: Name,
    place: There = "",
    connection: Connection = "",
    incident: Of = "",
    reading: Annotated[
        Path | None, typer.Option("--reading", metavar="FILE", help="Instead of a look: what `read` wrote elsewhere.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check a dataset against its manifest.

    It only reads. What was altered, is missing, is new, or could not be read is counted, and the first of each named;
    the result is evidence. With --reading it is what somebody read elsewhere, kept with his name and yours, and works
    over ROTATOR_URL. Exit code 0: all of it is as recorded; 1: it is not, or not all could be read.

    Example: rotator manifest verify training-2026 --incident last
    """
    from rotator.report.datasets import AS_RECORDED  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    if reading is None:
        told = _looked(given, name, _asked(place, connection, incident))
    elif place or connection:
        raise BadInput("a reading says itself where it was made", "--reading", "give no place, and no --connection")
    else:
        told = manifest_reading.given_reading(given, name, reading, incident)
    if output is not Output.TABLE:
        emit(told, output)
    else:
        _say(told)
        for line in told.get("warnings", ()):
            typer.echo(plain(f"NOTE: {line}"))
    raise typer.Exit(0 if told["result"] == AS_RECORDED else 1)


def _looked(given: Context, name: str, asked: Asked) -> dict[str, Any]:
    from rotator import datasets  # noqa: PLC0415 - only who looks pays for them
    from rotator.cli.meter import shown  # noqa: PLC0415
    from rotator.manifests.hashing import Meter  # noqa: PLC0415
    from rotator.report.datasets import check  # noqa: PLC0415

    parts, meter = given.parts(), Meter()
    with shown(meter, name, parts.manifests.one(name).counts.size, quiet=given.quiet):
        return check(datasets.verify(parts, name, asked, meter))


def list_manifests(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the manifests, and what the last check of each found.

    Example: rotator manifest list
    """
    from rotator.operations.views.manifests import MANIFESTS  # noqa: PLC0415 - only this command pays for them
    from rotator.report.datasets import DIFFERS, counted  # noqa: PLC0415
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().lists(MANIFESTS)
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("no dataset is recorded: `rotator manifest record NAME PLACE` records one")
        return
    table = plain_table(None, "name", "place", "recorded", "files", "last check", "result")
    for row in found:
        last = row["checked"]
        result = row["result"] if row["result"] != DIFFERS else counted(last)
        where = f"{row['source']} on {row['host']}"
        at = last["at"][:19] if last else ""
        table.add_row(*map(words, (row["name"], where, row["recorded_at"][:19], f"{row['files']:,}", at, result)))
    console().print(table)


def show(context: typer.Context, name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show a manifest, and every check of it.

    Example: rotator manifest show training-2026 -o json
    """
    from rotator.operations.views.manifests import CHECKS, MANIFESTS  # noqa: PLC0415 - only this command pays for them

    service = context.obj.service()
    row = next((each for each in service.lists(MANIFESTS) if each["name"] == name), None)
    if row is None:
        raise BadInput("no manifest is called so", name, "`rotator manifest list` shows them")
    checks = service.lists(CHECKS, name)
    if output is not Output.TABLE:
        emit({**row, "checks": checks}, output)
        return
    typer.echo(plain(f"{name}: {row['source']} on {row['host']}, digest {row['digest']}"))
    counts = ", ".join(f"{row[each]:,} {each}" for each in ("files", "links", "others", "unread", "bytes"))
    typer.echo(plain(f"recorded at {row['recorded_at']} by {row['recorded_by']}: {counts}"))
    for each in checks:
        _say(each)


def export(
    context: typer.Context,
    name: Name,
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="Where it goes; a file that is there is not replaced.")
    ],
) -> None:
    """Write a manifest to a file: a line for each path.

    Its SHA-256 is the digest that the evidence has, so an auditor needs no more than `sha256sum`.

    Example: rotator manifest export training-2026 --to training-2026.manifest
    """
    from rotator.manifests.entry import FORMAT  # noqa: PLC0415 - only this command pays for them

    manifests = context.obj.parts().manifests
    manifest = manifests.one(name)
    try:
        with to.open("x", encoding="utf-8", newline="\n") as file:
            file.write(f"{FORMAT}\n")
            file.writelines(each.line for each in manifests.entries(manifest))
    except BadInput:
        to.unlink()  # it holds what nobody recorded
        raise
    except OSError as error:
        raise BadInput(f"it cannot be written ({error.strerror})", str(to), "name another file") from None
    typer.echo(plain(f"{to}: {manifest.counts.entries:,} lines, SHA-256 {manifest.digest}"))


def _asked(place: str, connection: str, incident: str) -> Asked:
    from rotator.datasets import Asked  # noqa: PLC0415

    return Asked(place, actor(), connection, incident, sys.stdin.buffer)


def _say(told: dict[str, Any]) -> None:
    from rotator.report.datasets import AS_RECORDED, counted  # noqa: PLC0415

    said = AS_RECORDED if told["result"] == AS_RECORDED else "IT DIFFERS"
    typer.echo(plain(f"{told['at']} {told['source']} on {told['host']}: {said}: {counted(told)}"))
    if told["read_by"]:
        typer.echo(plain(f"  read there by {told['read_by']} at {told['read_at']}, given by {told['by']}"))
    for sort, names in told["named"].items():
        for each in names:
            typer.echo(plain(f"  {sort}: {each}"))
        if (more := told[sort] - len(names)) > 0:
            typer.echo(f"  … and {more:,} more {sort}")
