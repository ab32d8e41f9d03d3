"""What issuers list: shown, kept, and compared with what people said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, console, emit, say
from rotator.errors import BadInput, RotatorError

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.credential import CredentialRef
    from rotator.flow.inventory import Coverage
    from rotator.ports import Connection, Discovered, Provider


@dataclass(slots=True)
class _Lists:
    """What was listed: by (kind, connection), the kinds that no issuer lists, and those of which the list failed.

    `own` are those by which the rotator itself is let in.
    """

    found: dict[tuple[str, str], list[Discovered]] = field(default_factory=dict)
    silent: dict[tuple[str, str], str] = field(default_factory=dict)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    own: set[CredentialRef] = field(default_factory=set)

    @property
    def all(self) -> list[Discovered]:
        return [one for each in self.found.values() for one in each]


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
    given: Context = context.obj
    parts = given.parts()
    lists = _Lists()
    _list(parts, _named(parts, connection), lists, kind)
    found = [{"kind": one.ref.provider, "owner": one.ref.owner, "id": one.ref.id, **one.facts} for one in lists.all]
    if output is Output.TABLE:
        if found or not lists.failed:
            _print(f"{len(found):,} credentials", found)
    else:
        emit(found, output)
    if save:
        for (each, at), listed in lists.found.items():
            kept = parts.inventory.keep(each, at, listed)
            told = f"{kept.new:,} kept as new, {kept.known:,} known, {kept.gone:,} not listed any more"
            say(f"{each}: ", told, error=True)
    for (each, _), why in {**lists.silent, **lists.failed}.items():
        bad = "BAD " if (each, connection) in lists.failed else ""
        say(bad, f"{each}: {why}", error=True)
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
    from rotator.flow import inventory  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    lists = _Lists()
    for each in [_named(parts, connection)] if connection else parts.connections:
        _list(parts, each, lists)
    asked = {
        **dict.fromkeys(lists.found, True),
        **dict.fromkeys(lists.silent, False),
        **dict.fromkeys(lists.failed, False),
    }
    found = inventory.coverage(lists.all, parts.entries, asked, everywhere=connection is None)
    if output is Output.TABLE:
        _print_coverage(found, lists)
    else:
        emit(_data(found, lists), output)
    raise typer.Exit(3 if found.uncovered else 1 if lists.failed else 0)


def _named(parts: Rotator, name: str) -> Connection:
    from rotator.flow.playbook_words import meant  # noqa: PLC0415

    connections = {each.name: each for each in parts.connections}
    if name not in connections:
        raise BadInput("no connection is called so", name, meant(name, connections) if connections else "add one")
    return connections[name]


def _list(parts: Rotator, connection: Connection, lists: _Lists, kind: str | None = None) -> None:
    """List one kind, or all, of what a connection serves."""
    from rotator.flow.playbook_words import meant  # noqa: PLC0415
    from rotator.ports import Discoverable  # noqa: PLC0415
    from rotator.shown.kinds import served  # noqa: PLC0415

    kinds = served(parts, connection)
    if kind is not None and kind not in kinds:
        raise BadInput(f"{connection.name} serves no such kind", kind, meant(kind, kinds))
    for each in [kind] if kind else kinds:
        at = (each, connection.name)
        try:
            provider = parts.outside.provider_of(each, connection.name)
            if isinstance(provider, Discoverable):
                lists.found[at] = list(provider.discover())
                own = _own(provider)
                lists.own.update(one.ref for one in lists.found[at] if one.ref.id == own)
            else:
                lists.silent[at] = "its issuer cannot list what there is"
        except RotatorError as error:
            lists.failed[at] = str(error)


def _own(provider: Provider) -> str | None:
    """Return by what we are let in here ourselves: some issuers keep no last use, and would call it never used."""
    from rotator.ports import SelfAware  # noqa: PLC0415

    try:
        return provider.own() if isinstance(provider, SelfAware) else None
    except RotatorError:
        return None


def _print(title: str, found: list[dict[str, Any]]) -> None:
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    table = plain_table(title, "kind", "owner", "id", "created", "last used", "state")
    for each in found:
        told = (each.get(key) or "not told" for key in ("created_at", "last_used_at", "state"))
        table.add_row(words(each["kind"]), words(each["owner"] or "?"), words(each["id"]), *map(words, told))
    console().print(table)


def _print_coverage(found: Coverage, lists: _Lists) -> None:
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


def _data(found: Coverage, lists: _Lists) -> dict[str, Any]:
    from rotator.flow.inventory import disused  # noqa: PLC0415

    return {
        "listed": found.listed,
        "covered": found.listed - len(found.uncovered),
        "covered_broadly": found.broadly,
        "uncovered": [
            {
                "provider": each.ref.provider,
                "connection": each.ref.connection,
                "owner": each.ref.owner,
                "id": each.ref.id,
                "unused": "" if each.ref in lists.own else disused(each.facts),
                "own": each.ref in lists.own,
                **each.facts,
            }
            for each in found.uncovered
        ],
        "gone": [{"match": dict(each.custody.match), "from": each.origin} for each in found.gone],
        "not_listable": [
            {"provider": kind, "connection": at, "why": why, "failed": failed}
            for lot, failed in ((lists.silent, False), (lists.failed, True))
            for (kind, at), why in lot.items()
        ],
    }
