"""The inventory: what people wrote down of credentials, imported, and how it changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli import discovery, entries
from rotator.cli.options import Context, Output, OutputOption, emit, say
from rotator.errors import BadInput
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.flow.inventory import Change, Said

_SHOWN = 20
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
    from rotator.response import actor  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    said = _read(parts, files)
    found = parts.inventory.plan(said) if dry_run else parts.inventory.take(said, actor())
    if output is not Output.TABLE:
        emit([_change(each) for each in found], output)
        return
    changed = [each for each in found if each.act is not Act.SAME]
    for each in changed if dry_run else changed[:_SHOWN]:
        say("would be " * dry_run, _line(each))
    if not dry_run and len(changed) > _SHOWN:
        typer.echo(f"… and {len(changed) - _SHOWN:,} more: `rotator inventory list` has all")
    typer.echo(_counted(found, dry_run=dry_run))


def _read(parts: Rotator, files: Iterable[str]) -> list[Said]:
    """Read every file whole before any of it is believed. Raises BadInput where one row is bad, all of them told."""
    from rotator.flow.paths import mounts_of  # noqa: PLC0415
    from rotator.inventory_file import Known, read  # noqa: PLC0415 - pydantic is not free

    known = Known(list(parts.playbooks), mounts_of(parts.connections))
    said: list[Said] = []
    bad: list[BadInput] = []
    for name in files:
        called = "standard input" if name == "-" else name
        try:
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            raise BadInput(f"cannot be read ({error.strerror})", name, "give a file with an inventory") from None
        rows, problems = read(called, raw, known)
        said += rows
        bad += problems
    for problem in bad[:-1][: _SHOWN - 1]:
        typer.echo(plain(f"rotator: {problem}"), err=True)
    if len(bad) > _SHOWN:
        typer.echo(f"rotator: … {len(bad) - _SHOWN:,} more bad rows …", err=True)
    if bad:
        raise bad[-1]
    _check_places(parts, said)
    return said


def _check_places(parts: Rotator, said: Iterable[Said]) -> None:
    """Raise BadInput for a place that no replacement could be put to: the night would be too late to learn it."""
    from rotator.outside import module_of  # noqa: PLC0415

    families = {each.name: each.family for each in parts.settings.connections}
    seen: dict[tuple[str, str], str] = {}
    for row in said:
        for place in row.keys.get("deliver") or ():
            seen.setdefault((place["store"], place["connection"]), f"{row.where}: deliver")
    for (store, connection), where in seen.items():
        try:
            family = module_of("stores", store, "store").FAMILY
        except BadInput as error:
            raise BadInput(error.what, where, error.mend) from None
        if families[connection] != family:
            mend = f"{connection} is one of {families[connection]}"
            raise BadInput(f"{store} needs a connection of the family {family}", where, mend)


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


def _change(change: Change) -> dict[str, Any]:
    return {
        "act": change.act.value,
        "match": dict(change.match),
        "before": change.before,
        "after": change.after,
        "where": change.where,
    }


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

    given: Context = context.obj
    found = given.parts().inventory.history(match)
    if not found:
        raise BadInput("nothing was ever imported of it", match, "`rotator inventory list` shows how entries are named")
    if output is not Output.TABLE:
        emit(
            [
                {
                    "match": dict(each.match),
                    "at": moment(each.at),
                    "by": each.by,
                    "file": each.file,
                    "before": each.before,
                    "after": each.after,
                }
                for each in found
            ],
            output,
        )
        return
    for each in found:
        act = Act.ADDED if each.before is None else Act.CHANGED
        change = Change(act, each.match, each.before, each.after, each.file)
        typer.echo(plain(f"{moment(each.at)}  {each.by}, {each.file}: {_line(change)}"))
