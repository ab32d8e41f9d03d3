"""What issuers list, as people read it, and how it compares with what people said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, console, emit, say

if TYPE_CHECKING:
    from rotator.discovery import Lists
    from rotator.flow.inventory import Coverage


def discover(
    context: typer.Context,
    connection: Annotated[
        str,
        typer.Argument(
            metavar="CONNECTION", help="A connection of the configuration.", autocompletion=completion.connections
        ),
    ],
    kind: Annotated[str | None, typer.Option(help="Only this kind.", autocompletion=completion.kinds)] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Keep them in the inventory, as known to exist. What people said stays.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the credentials that a connection's issuer knows.

    It tells owner, age and last use. Changes nothing there.

    Kinds that cannot be listed are named, since what nobody lists may exist all the same.

    Exit code 1: a list could not be had.

    Example: rotator inventory discover aws-prod --save
    """
    from rotator.discovery import discovered, kept  # noqa: PLC0415 - pydantic is not free

    given: Context = context.obj
    parts = given.parts()
    lists = discovered(parts, connection, kind)
    found = lists.data
    if output is Output.TABLE:
        if found or not lists.failed:
            _print(f"{len(found):,} credentials", found)
    else:
        emit(found, output)
    if save:
        for each in kept(parts, lists):
            told = f"{each['new']:,} kept as new, {each['known']:,} known, {each['gone']:,} not listed any more"
            say(f"{each['kind']}: ", told, error=True)
    for one in lists.not_listable:
        say("BAD " if one["failed"] else "", f"{one['provider']}: {one['why']}", error=True)
    raise typer.Exit(1 if lists.failed else 0)


def coverage(
    context: typer.Context,
    connection: Annotated[
        str | None,
        typer.Argument(
            metavar="CONNECTION", help="A connection; all if none is given.", autocompletion=completion.connections
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare what issuers list with what the inventory says.

    The configuration's entries count as well as imported ones. Only asks.

    Tells which credentials nobody has said anything of, unused ones included, which entries fit nothing that is listed,
    and what cannot be listed at all. Ends with 3 where a credential is not covered.

    Example: rotator inventory coverage aws-prod
    """
    from rotator import discovery  # noqa: PLC0415 - pydantic is not free

    given: Context = context.obj
    parts = given.parts()
    found, lists = discovery.coverage(parts, connection)
    if output is Output.TABLE:
        _print_coverage(found, lists)
    else:
        emit(discovery.data(found, lists), output)
    raise typer.Exit(3 if found.uncovered else 1 if lists.failed else 0)


def _print(title: str, found: list[dict[str, Any]]) -> None:
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    table = plain_table(title, "kind", "owner", "id", "created", "last used", "state")
    for each in found:
        told = (each.get(key) or "not told" for key in ("created_at", "last_used_at", "state"))
        table.add_row(words(each["kind"]), words(each["owner"] or "?"), words(each["id"]), *map(words, told))
    console().print(table)


def _print_coverage(found: Coverage, lists: Lists) -> None:
    from rotator.flow.inventory import disused, named  # noqa: PLC0415
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    if found.uncovered:
        title = f"{len(found.uncovered):,} credentials of which nobody has said anything"
        table = plain_table(title, "kind", "connection", "owner", "id", "created", "use", "state")
        for each in found.uncovered:
            use = "the rotator's own" if each.ref in lists.own else disused(each.facts)
            told = (each.facts.get("created_at"), use, each.facts.get("state"))
            name = (each.ref.provider, each.ref.connection, each.ref.owner or "?", each.ref.id)
            table.add_row(*map(words, name), *(words(one or "not told") for one in told))
        console().print(table)
    for entry in found.gone:
        say("", f"fits nothing that is listed: {named(entry.custody.match)} ({entry.origin})")
    for (kind, connection), why in lists.silent.items():
        say("", f"cannot be listed: {kind} on {connection}: {why}")
    for (kind, connection), why in lists.failed.items():
        say("BAD ", f"{kind} on {connection}: {why}", error=True)
    covered = found.listed - len(found.uncovered)
    broadly = (
        f", {found.broadly:,} of them only by an entry for their whole kind or connection" if found.broadly else ""
    )
    typer.echo(f"{covered:,} of {found.listed:,} listed credentials are covered{broadly}")
