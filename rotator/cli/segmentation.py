"""Segmentation: what one compromise reaches, what to cut, how that went, and which credentials could live shortly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from rotator.actor import actor
from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.cli.rows import put_out
from rotator.errors import BadInput
from rotator.report.plain import plain

_SHOWN = 20
"""How many places a table has; the data has all."""
_FIRST = 10
"""Of how many candidates for a short life the way is said in words."""
Place = Annotated[
    str, typer.Argument(metavar="[PLACE]", help="All that this one reaches, each with its way; all if not given.")
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="What one compromise reaches, and what shrinks that.", no_args_is_help=True)
    group.command("show")(show)
    group.command("edges")(edges)
    group.command("trend")(trend)
    group.command("short-lived")(short_lived)
    group.command("convert")(convert)
    app.add_typer(group, name="segmentation")


def show(context: typer.Context, place: Place = "", output: OutputOption = Output.TABLE) -> None:
    """Show what one compromise of each place reaches.

    A place is where software runs: a job, a host, an image, a repository; or a vendor. What is shown follows from the
    inventory. Changes nothing.

    Example: rotator segmentation show job:acme/web/build
    """
    from rotator.operations.views.segmentation import PLACES, REACHED, SEGMENTATION  # noqa: PLC0415 - only who looks pays for it

    given: Context = context.obj
    service = given.service()
    rows = service.lists(REACHED, place) if place else service.lists(PLACES)
    if output is not Output.TABLE:
        emit(rows, output)
    elif place:
        _say_ways(rows)
    else:
        _table_of_places(rows, service.shows(SEGMENTATION))


def _table_of_places(rows: list[dict[str, Any]], whole: dict[str, Any]) -> None:
    from rotator.report.tables import plain_table, words  # noqa: PLC0415 - Rich is not free

    if rows:
        table = plain_table(None, "place", "there", "in all", "worst", "datasets", "blast")
        for row in rows[:_SHOWN]:
            figures = (f"{row['directly']:,}", f"{row['credentials']:,}", row["worst"], f"{len(row['datasets']):,}")
            table.add_row(*map(words, (row["place"], *figures, f"{row['blast']:,.0f}")))
        console().print(table)
        if len(rows) > _SHOWN:
            typer.echo(f"… and {len(rows) - _SHOWN:,} more places: -o json has all")
    counts = ", ".join(f"{whole[each]:,} {each}" for each in ("places", "credentials", "datasets"))
    typer.echo(f"{counts}; reach {whole['reach']:,.0f}")
    if whole["unplaced"]:
        typer.echo(f"{whole['unplaced']:,} credentials are at no place that anybody named: say it in `reachable_from`")
    if whole["unknown"]:
        typer.echo(f"of {whole['unknown']:,} nobody said what they read: what they lead to is in no figure")


def _say_ways(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        name = " ".join(filter(None, (row["provider"], row["owner"], row["id"])))
        opens = f", opens {', '.join(row['datasets'])}" if row["datasets"] else ""
        typer.echo(plain(f"{name} ({row['criticality']}{opens})"))
        for link in row["way"]:
            typer.echo(plain(f"  {link}"))


def edges(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the ten cuts that shrink the reach most.

    First each alone, as if it were the only one; then in turn, each after those before it. A cut is one access, one
    entry of `reads` or `administers`, or one dataset of a credential. Changes nothing.

    Example: rotator segmentation edges -o json
    """
    from rotator.operations.views.segmentation import EDGES  # noqa: PLC0415 - only who looks pays for it

    given: Context = context.obj
    none = "no single cut shrinks the reach: `rotator segmentation show` says what there is"
    put_out(given.service().lists(EDGES), output, ("order", "gain", "left", "cut"), _cells_of_cut, none=none)


def _cells_of_cut(row: Mapping[str, Any]) -> tuple[str, ...]:
    cut = f"{row['source']} {row['how']} {row['target']}"
    return f"{row['order']} {row['rank']}", f"{row['gain']:,.0f}", f"{row['left']:,.0f}", cut


def trend(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Show how the reach went, day by day.

    Whichever dispatcher leads measures it once a day.

    Example: rotator segmentation trend -o jsonl
    """
    from rotator.operations.views.segmentation import SEGMENTATION_TREND  # noqa: PLC0415 - only who looks pays for it

    given: Context = context.obj
    heads = ("day", "reach", "change", "places", "credentials", "unplaced", "widest")
    none = "nothing was measured yet: a running service does it once a day, where the inventory names a place"
    put_out(given.service().lists(SEGMENTATION_TREND), output, heads, _cells_of_day, none=none)


def _cells_of_day(row: Mapping[str, Any]) -> tuple[str, ...]:
    change = "" if row["change"] is None else f"{row['change']:+,.0f}"
    widest = row["widest_places"][0]["place"] if row["widest_places"] else ""
    counts = (f"{row[each]:,}" for each in ("places", "credentials", "unplaced"))
    return row["day"], f"{row['reach']:,.0f}", change, *counts, widest


def short_lived(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the credentials that could live shortly.

    It tells by what, where each lies, how old it is, and who does which move of the conversion, as the playbook of its
    kind says. Changes nothing.

    Example: rotator segmentation short-lived -o json
    """
    from rotator.operations.views.segmentation import SHORT_LIVED  # noqa: PLC0415 - only who looks pays for it

    given: Context = context.obj
    rows = given.service().lists(SHORT_LIVED)
    heads = ("kind", "owner", "id", "critical", "days old", "at", "prepared by")
    none = "the inventory knows of no credential whose kind could live shortly"
    if not put_out(rows, output, heads, _cells_of_candidate, none=none):
        return
    typer.echo(f"of the first {_FIRST}, by which playbook each gives way to what (its moves: under short_lived there):")
    for kind, by in {row["provider"]: row["by"] for row in rows[:_FIRST]}.items():
        typer.echo(plain(f"  `rotator playbook show {kind}`: {by}"))


def _cells_of_candidate(row: Mapping[str, Any]) -> tuple[str, ...]:
    age = "not known" if row["age_days"] is None else f"{row['age_days']:,}"
    more = f" and {len(row['places']) - 1:,} more" if len(row["places"]) > 1 else ""
    at = f"{row['places'][0]}{more}" if row["places"] else ""
    return row["provider"], row["owner"], row["id"], row["criticality"], age, at, row["prepared_by"]


def convert(  # noqa: PLR0917 - a command
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", autocompletion=completion.kinds)],
    name: Annotated[str, typer.Argument(metavar="ID", help="The credential, by its id.")],
    connection: Annotated[
        str, typer.Option("--connection", help="Who issued it.", autocompletion=completion.connections)
    ],
    given_with: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="What the kind asks for; said if it lacks.")
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back what was made for it by conversions that never ended.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make what issues short-lived credentials in its stead.

    It makes a role with the same rights beside what is there, tries it where it can, and tells what a person does next.
    Nothing that is in use changes, and the old credential lives until it is retired. What was made is evidence. What
    would be lost is told before anything is made, and lost only where `--with without=NAMES` says that it may be. Who
    is refused half way takes back what he made; what was cut off is done again, or taken back by `--undo`: either ends
    first what was taken to try it.

    Example: rotator segmentation convert postgres_role app --connection db --with through=vault
    """
    from rotator import converting  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    if undo:
        if given_with:
            raise BadInput("nothing is asked for what is taken back", "--with", "leave it away with --undo")
        _taken_back(converting.undo(given.parts(), kind, name, connection, actor()), output)
        return
    asked: dict[str, str] = {}
    for each in given_with or ():
        word, equals, value = each.partition("=")
        if not equals:
            raise BadInput(f"`{each}` says no value", "--with", "as --with NAME=VALUE")
        asked[word] = value
    made = converting.prepare(given.parts(), kind, name, connection, asked, actor())
    if output is not Output.TABLE:
        emit(made, output)
        return
    _say_of_each(made.get("earlier", ()))
    for fact, value in made["facts"].items():
        typer.echo(plain(f"{fact}: {value}"))
    for number, each in enumerate((*made["moves"], f"then end the old one: `{made['retire']}`"), 1):
        typer.echo(plain(f"{number}. {each}"))


def _taken_back(things: list[dict[str, Any]], output: Output) -> None:
    if output is not Output.TABLE:
        emit(things, output)
    else:
        _say_of_each(things)
    if any(each["left"] for each in things):
        raise typer.Exit(1)


def _say_of_each(things: Iterable[dict[str, Any]]) -> None:
    for each in things:
        typer.echo(plain(f"{each['what']}: {each['left'] or 'is not there any more'}"))
