"""`rotator vendor uses`: what access logs tell of the use of what a vendor holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from rotator.actor import actor
from rotator.cli.options import Context, Output, console, emit, say
from rotator.cli.rows import write_csv
from rotator.cli.vendor_registry import Name

_SHOWN = 40
"""How many credentials are told one by one."""
_LOOK = 3


class Form(StrEnum):
    """How uses are printed. `csv` has a row for each credential."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def register(group: typer.Typer) -> None:
    """Add this file's command to the group of vendors."""
    group.command("uses")(uses)


def uses(
    context: typer.Context,
    name: Name,
    log: Annotated[
        list[str],
        typer.Argument(
            metavar="LOG...",
            help="Access logs, or a folder of them, gzipped or not: CloudTrail, GitHub's audit log, the IAM credential "
            "report.",
        ),
    ],
    since: Annotated[
        str | None,
        typer.Option(
            help="What began after that is new, ISO 8601; else after the pause, or in the last week of the logs."
        ),
    ] = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="How to print them.")] = Form.TABLE,
) -> None:
    """Say what is unusual in the use of what a vendor holds.

    It reads access logs, and what was usual in them before: a first use, a new network, call or region, and volume are
    told with where they stand. Our own knocks are taken out. What was used after it was to be dead stands first. What
    the logs tell is kept, they are not; one that is read twice counts once.

    Exit codes: 0 nothing unusual; 3 somebody has to look.

    Example: rotator vendor uses acme cloudtrail/ --since 2026-03-24T10:00:00Z
    """
    given: Context = context.obj
    found = _seen(given, name, log, since)
    if output is Form.JSON:
        emit(found, Output.JSON)
    elif output is Form.CSV:
        _write_csv(found["uses"]["credentials"])
    else:
        _tell(given, found)
    raise typer.Exit(_LOOK if found["uses"]["unusual"] else 0)


def _seen(given: Context, name: str, log: list[str], since: str | None) -> Mapping[str, Any]:
    from rotator.cli.planning import moment  # noqa: PLC0415 - only who reads logs pays for them

    at = moment(since, "--since", "a moment that is over")
    if (far := given.far()) is not None:
        from rotator.far.alarm import body  # noqa: PLC0415 - only who sends logs pays for it
        from rotator.operations.operation import segment  # noqa: PLC0415

        return far.declares(f"/vendors/{segment(name)}/uses", body((), (), log, ()), {"since": since} if since else {})
    from rotator.cli.alarm import logs  # noqa: PLC0415
    from rotator.operations.vendor_uses import seen  # noqa: PLC0415

    return seen(given.parts(), actor(), name, lambda: logs(log), at, ", ".join(log))


def _tell(given: Context, found: Mapping[str, Any]) -> None:
    uses = found["uses"]
    for line in uses["grave"]:
        say("", line)
    before = f", {found['known']:,} of them again" if found["known"] else ""
    since = f"new is what began after {found['since']} ({found['basis']})" if found["since"] else "nothing can be new"
    ours = f"; {found['ours']:,} uses of our own are left out" if found["ours"] else ""
    read = "1 log was" if found["logs"] == 1 else f"{found['logs']:,} logs were"
    say("", f"{read} read{before}; {since}{ours}")
    for line in [*uses["says"], *found["unread"]]:
        say("", given.as_called_in(line))
    tell(uses)


def tell(uses: Mapping[str, Any]) -> None:
    """Print what is known of each credential's use."""
    from rotator.report.tables import plain_table, words  # noqa: PLC0415 - Rich is not free

    if not uses["credentials"]:
        typer.echo("no log that was read names anything that it holds")
        return
    table = plain_table(None, "credential", "calls", "first", "last", "unusual", "log")
    for each in uses["credentials"][:_SHOWN]:
        table.add_row(*map(words, _cells(each)))
    console().print(table)
    for each in uses["credentials"][:_SHOWN]:
        for sign in each["signs"]:
            say(f"{each['id']}: ", f"{sign['sign']}: {sign['words']}")
    if uses["named"] > _SHOWN:
        typer.echo(f"… and {uses['named'] - _SHOWN:,} more, less unusual: -o json has more of them")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    calls = f"{row['calls']:,}" + (f" ({row['refused']:,} refused)" if row["refused"] else "")
    logs = ", ".join(row["logs"]) + (f" and {row['more_logs']:,} more" if row["more_logs"] else "")
    return f"{row['kind']} {row['id']}", calls, row["first_at"][:19], row["last_at"][:19], unusual(row), logs


def unusual(row: Mapping[str, Any]) -> str:
    """Say in a few words what is unusual of a credential's use."""
    after = [f"USED AFTER IT WAS {row['after'].upper()}"] if row["after"] else []
    return ", ".join([*after, *dict.fromkeys(each["sign"] for each in row["signs"])]) or "nothing"


_COLUMNS = ("kind", "connection", "owner", "id", "calls", "refused", "first_at", "last_at", "after")


def _write_csv(found: Iterable[Mapping[str, Any]]) -> None:
    """Print a row for each credential."""
    write_csv([*_COLUMNS, "unusual", "words", "logs"], map(_csv_cells, found))


def _csv_cells(row: Mapping[str, Any]) -> list[Any]:
    words = "; ".join([*filter(None, [row["grave"]]), *(each["words"] for each in row["signs"])])
    return [*(row[each] for each in _COLUMNS), unusual(row), words, "; ".join(row["logs"])]
