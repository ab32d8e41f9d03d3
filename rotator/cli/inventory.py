"""The inventory: what people wrote down of credentials, imported, and how it changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.actor import actor
from rotator.cli import discovery, entries
from rotator.cli.options import Context, Output, OutputOption, emit, say
from rotator.errors import BadInput
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.flow.inventory import Change, Said

SHOWN = 20
"""How many changes, and how many bad rows, are told one by one."""


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    inventory = typer.Typer(help="What credentials there are, and what is known of each.", no_args_is_help=True)
    inventory.command("import")(import_files)
    inventory.command("list")(entries.list_entries)
    inventory.command("history")(history)
    inventory.command("discover")(discovery.discover)
    inventory.command("coverage")(discovery.coverage)
    app.add_typer(inventory, name="inventory")


def import_files(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="YAML, JSON or CSV with the keys of [[credentials]]; - reads standard input."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Import what is known of credentials, from files.

    That is owner, criticality, what they read, who uses them, from where.

    One entry for each match. A second import of the same changes nothing; of what changes, the history is kept. With
    one bad row nothing is imported at all.

    Example: rotator inventory import credentials.yaml --dry-run
    """
    from rotator.flow.inventory import Act  # noqa: PLC0415
    from rotator.shown.inventory import change  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    said = _read(parts, files)
    found = parts.inventory.plan(said) if dry_run else parts.inventory.take(said, actor())
    if output is not Output.TABLE:
        emit([change(each) for each in found], output)
        return
    changed = [each for each in found if each.act is not Act.SAME]
    for each in changed if dry_run else changed[:SHOWN]:
        say("would be " * dry_run, _line(each))
    if not dry_run and len(changed) > SHOWN:
        typer.echo(f"… and {len(changed) - SHOWN:,} more: `rotator inventory list` has all")
    typer.echo(_counted(found, dry_run=dry_run))


def _read(parts: Rotator, files: Iterable[str]) -> Sequence[Said]:
    """Read every file whole before any of it is believed. Raises BadInput where one row is bad, all of them told."""
    from rotator.importing import rows  # noqa: PLC0415 - pydantic is not free

    found = rows(parts, map(opened, files))
    tell_bad(found.bad)
    return found.said


def tell_bad(bad: Sequence[BadInput]) -> None:
    """Tell what is wrong with the rows of files; raise the last of it where anything is."""
    for problem in bad[:-1][: SHOWN - 1]:
        typer.echo(plain(f"rotator: {problem}"), err=True)
    if len(bad) > SHOWN:
        typer.echo(f"rotator: … {len(bad) - SHOWN:,} more bad rows …", err=True)
    if bad:
        raise bad[-1]


def opened(name: str) -> tuple[str, bytes]:
    """Read a file that a person named; return what errors call it too. Raises BadInput where it cannot be read."""
    if name == "-":
        return "standard input", sys.stdin.buffer.read()
    try:
        return name, Path(name).read_bytes()
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", name, "give a file with an inventory") from None


def _counted(found: Iterable[Change], *, dry_run: bool) -> str:
    from rotator.flow.inventory import Act  # noqa: PLC0415

    counts = {act: sum(each.act is act for each in found) for act in Act}
    same = counts[Act.SAME]
    if not counts[Act.ADDED] and not counts[Act.CHANGED]:
        return f"nothing {'would change' if dry_run else 'changed'}: all {same:,} entries say so already"
    would = "would be " if dry_run else ""
    told = f"{counts[Act.ADDED]:,} {would}added, {counts[Act.CHANGED]:,} {would}changed"
    return f"{told}, {same:,} as they were"


def _line(change: Change) -> str:
    from rotator.flow.inventory import named  # noqa: PLC0415

    before = change.before or {}
    keys = (
        f"{name}: {_short(before.get(name))} → {_short(change.after.get(name))}"
        if change.before is not None
        else f"{name}: {_short(change.after[name])}"
        for name in change.keys
    )
    return f"{change.act} {named(change.match)}  {'; '.join(keys)}"


def _short(value: object) -> str:
    return "not said" if value is None else value if isinstance(value, str) else json.dumps(value)


def history(
    context: typer.Context,
    match: Annotated[
        str,
        typer.Argument(metavar="MATCH", help="provider=KIND,owner=NAME as `list` shows it; or one owner or id alone."),
    ],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show how an imported entry came to say what it says.

    It tells who changed what, when, and from which file.

    Example: rotator inventory history owner=ci
    """
    from rotator.flow.inventory import Act, Change  # noqa: PLC0415
    from rotator.report.clocks import moment  # noqa: PLC0415
    from rotator.shown.inventory import history as data  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    found = parts.inventory.history(match)
    if not found:
        raise BadInput("nothing was ever imported of it", match, "`rotator inventory list` shows how entries are named")
    if output is not Output.TABLE:
        emit(data(parts, match), output)
        return
    for each in found:
        act = Act.ADDED if each.before is None else Act.CHANGED
        change = Change(act, each.match, each.before, each.after, each.file)
        typer.echo(plain(f"{moment(each.at)}  {each.by}, {each.file}: {_line(change)}"))
