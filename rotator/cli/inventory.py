"""What credentials there are: listed by those who issued them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.errors import BadInput, RotatorError
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    inventory = typer.Typer(help="What credentials there are.", no_args_is_help=True)
    inventory.command("discover")(discover)
    app.add_typer(inventory, name="inventory")


def discover(
    context: typer.Context,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="A connection of the configuration.")],
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the credentials that a connection's issuer knows, with owner, age and last use. Changes nothing.

    Kinds that cannot be listed are named, since what nobody lists may exist all the same.
    """
    given: Context = context.obj
    parts = given.parts()
    found, silent, failed = _found(parts, connection, kind)
    if output is Output.TABLE:
        if found or not failed:
            _print(found)
    else:
        emit(found, output)
    for each, why in {**silent, **failed}.items():
        typer.echo(plain(f"{'BAD ' if each in failed else ''}{each}: {why}"), err=True)
    raise typer.Exit(1 if failed else 0)


def _found(parts: Rotator, name: str, kind: str | None) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, str]]:
    """Return the credentials, the kinds that cannot be listed, and those of which the list failed."""
    from rotator.cli import reaching  # noqa: PLC0415
    from rotator.flow.playbook_words import meant  # noqa: PLC0415
    from rotator.ports import Discoverable  # noqa: PLC0415

    connections = {each.name: each for each in parts.connections}
    if name not in connections:
        raise BadInput("no connection is called so", name, meant(name, connections) if connections else "add one")
    kinds = reaching.served(parts, connections[name])
    if kind is not None and kind not in kinds:
        raise BadInput(f"{name} serves no such kind", kind, meant(kind, kinds))
    found: list[dict[str, Any]] = []
    silent: dict[str, str] = {}
    failed: dict[str, str] = {}
    for each in [kind] if kind else kinds:
        try:
            provider = parts.outside.provider_of(each, name)
            if isinstance(provider, Discoverable):
                listed = [
                    {"kind": each, "owner": one.ref.owner, "id": one.ref.id, **one.facts} for one in provider.discover()
                ]
                found += listed
            else:
                silent[each] = "its issuer cannot list what there is"
        except RotatorError as error:
            failed[each] = str(error)
    return found, silent, failed


def _print(found: list[dict[str, Any]]) -> None:
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    table = plain_table(f"{len(found):,} credentials", "kind", "owner", "id", "created", "last used", "state")
    for each in found:
        told = (each.get(key) or "not told" for key in ("created_at", "last_used_at", "state"))
        table.add_row(words(each["kind"]), words(each["owner"] or "?"), words(each["id"]), *map(words, told))
    console().print(table)
