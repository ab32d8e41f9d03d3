"""Read a dataset where no ledger is, and give what was read where one is, here or far away."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.actor import actor
from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, emit
from rotator.errors import BadInput
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.manifests.entry import Counts


def read(
    context: typer.Context,
    place: Annotated[
        str, typer.Argument(metavar="PLACE", help="A folder, s3://BUCKET/PREFIX, or - for a list as sha256sum writes.")
    ],
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="Where it goes; a file that is there is not replaced.")
    ],
    connection: Annotated[
        str, typer.Option("--connection", help="Through which a bucket is read.", autocompletion=completion.connections)
    ] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Read a dataset where no ledger is, to check it by that.

    It only reads, and needs neither a ledger nor a service. The file says who read what, on which machine and since
    when; `rotator manifest verify NAME --reading FILE` or the page of a vendor takes it. It is as good as who made it.
    Exit code 1: something could not be read, and is told as that.

    Example: rotator manifest read /data/training --to training-2026.reading
    """
    from rotator import readings  # noqa: PLC0415 - only this command pays for them
    from rotator.cli.meter import shown  # noqa: PLC0415
    from rotator.datasets import Asked  # noqa: PLC0415
    from rotator.manifests.hashing import Meter  # noqa: PLC0415

    given: Context = context.obj
    settings, meter = given.settings(), Meter()
    with shown(meter, place, quiet=given.quiet):
        written = readings.write(settings, Asked(place, actor(), connection, "", sys.stdin.buffer), to, meter)
    if output is not Output.TABLE:
        emit(_told(to, written.counts, written.digest), output)
    else:
        counts = f"{written.counts.files:,} files, {written.counts.links:,} links"
        typer.echo(plain(f"{to}: {counts}, digest {written.digest}"))
        if written.counts.unread:
            typer.echo(f"{written.counts.unread:,} COULD NOT BE READ: nothing is known of them")
    if written.counts.unread:
        raise typer.Exit(1)


def _told(to: Path, counts: Counts, digest: str) -> dict[str, Any]:
    found = {"files": counts.files, "links": counts.links, "others": counts.others, "unread": counts.unread}
    return {"file": str(to), "digest": digest, **found, "bytes": counts.size}


def given_reading(given: Context, name: str, file: Path, incident: str) -> dict[str, Any]:
    """Check by what was read elsewhere, here or at the service; return what was found as data."""
    from rotator.operations.operation import segment  # noqa: PLC0415 - only who gives one pays for them

    if (far := given.far()) is not None:
        query = {"name": file.name, **({"incident": far.incident(incident)} if incident else {})}
        return far.declares(f"/manifests/{segment(name)}/checks", _whole(file), query)
    from rotator import readings  # noqa: PLC0415
    from rotator.operations.dataset_checks import told  # noqa: PLC0415

    parts = given.parts()
    try:
        with file.open("rb") as raw:
            seen = readings.look(parts, name, raw, str(file), incident)
    except OSError as error:
        raise _unread(file, error) from None
    return told(seen, readings.keep(parts, seen, actor()))


def _whole(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unread(file, error) from None


def _unread(file: Path, error: OSError) -> BadInput:
    return BadInput(
        f"cannot be read ({error.strerror})", str(file), "give the file as `rotator manifest read` wrote it"
    )
